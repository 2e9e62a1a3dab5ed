#!/bin/bash
# The package: installs without a configuration and without a failed unit, keeps what the operator wrote over an upgrade and a
# removal, and purges its own.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
begin bare

say "installed, with nothing to do yet"
install_package
is "$(sh_in systemctl is-system-running)" running
is "$(property mailreeve.service ActiveState)" inactive
is "$(property mailreeve.service Result)" success
is "$(sh_in systemctl is-enabled mailreeve.service)" enabled
is "$(sh_in systemctl is-enabled mailreeve-sync.timer || true)" disabled
is "$(sh_in stat -c '%a %U %G' /etc/mailreeve)" "750 root mailreeve"
sh_in id -u mailreeve >/dev/null || fail "no account"
sh_in man -w mailreeve >/dev/null 2>&1 || sh_in test -e /usr/share/man/man1/mailreeve.1.gz || fail "no manual page"
expect 78 doctor

say "the timer instead of the agent"
set_up_host
sh_in systemctl disable -q --now mailreeve.service
printf '[Timer]\nOnBootSec=\nOnUnitInactiveSec=\nOnActiveSec=1\nAccuracySec=100ms\nRandomizedDelaySec=0\n' |
	put /etc/systemd/system/mailreeve-sync.timer.d/soon.conf
sh_in systemctl daemon-reload
sh_in systemctl start mailreeve-sync.timer
wait_for 90 is_healthy
wait_for 30 is_state mailreeve-sync.service inactive
is "$(property mailreeve-sync.service Result)" success
expect 0 pause --reason 'a test' --until 1h
sh_in systemctl start mailreeve-sync.service || fail "75 is a failure to systemd"
expect 0 resume

say "an upgrade keeps the agent running and what the operator wrote"
sh_in systemctl stop mailreeve-sync.timer
sh_in systemctl enable -q --now mailreeve.service
before=$(sh_in sha256sum /etc/mailreeve/agent.yaml)
install_package
is "$(property mailreeve.service ActiveState)" active
is "$(sh_in sha256sum /etc/mailreeve/agent.yaml)" "$before"

say "removed: nothing runs, nothing of the operator's is gone"
sh_in dpkg -r mailreeve >"$OUT" 2>&1 || fail "it is not removed"
is "$(property mailreeve.service LoadState)" not-found
is "$(sh_in sha256sum /etc/mailreeve/agent.yaml)" "$before"
sh_in test -d /var/lib/mailreeve || fail "the state is gone with a removal"
takes nobody@example.org && fail "the servers are not as they were"
takes alice@example.org || fail "the servers are not as they were"

say "purged: the state is gone, the operator's configuration stays"
sh_in dpkg -P mailreeve >"$OUT" 2>&1 || fail "it is not purged"
sh_in test -e /var/lib/mailreeve && fail "the state stays after a purge"
is "$(sh_in sha256sum /etc/mailreeve/agent.yaml)" "$before"
is "$(sh_in systemctl is-system-running)" running
