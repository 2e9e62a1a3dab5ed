#!/bin/bash
# Ends of all kinds: systemctl stop in the middle of an apply, a power cut in the middle of one, a main process that hangs.
# Each time the servers are as before or as wanted, nothing stays open, and what was pushed is live in the end.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
begin
set_up_host
sh_in systemctl enable -q --now mailreeve.service
wait_for 60 journal_says 'as run 1'

limit() {
	sh_in postconf -h message_size_limit
}

is_applying() {
	sh_in pgrep -f 'agent apply' >/dev/null
}

# push_size MEGABYTES: and waits until the apply of it runs.
push_size() {
	edit servers.yaml "s/message_size_limit: [0-9]*M/message_size_limit: $1M/"
	commit "$1 MB"
	wait_for 20 is_applying
}

is_old_or_new() {
	case $(limit) in "$(($1 * 1048576))" | "$(($2 * 1048576))") ;; *) fail "neither $1 MB nor $2 MB: $(limit)" ;; esac
}

say "systemctl stop in the middle"
push_size 30
SH_SECONDS=130 sh_in systemctl stop mailreeve.service
is "$(property mailreeve.service Result)" success
is_old_or_new 20 30
expect 0 status
! grep -q 'interrupted' "$OUT" || fail "something stays open"
sh_in systemctl start mailreeve.service
live() { [ "$(limit)" = "$(($1 * 1048576))" ]; }
wait_for 60 live 30

say "a power cut in the middle"
push_size 40
# shellcheck disable=SC2154 # of lib.sh
timeout 60 "$machine" crash "$SCRATCH/m"
timeout 90 "$machine" boot "$SCRATCH/m"
wait_for 60 is_state mailreeve.service active
wait_for 60 live 40
sh_in systemctl is-active -q dovecot.service || fail "Dovecot does not run"
wait_for 20 is_healthy

say "a main process that hangs is ended by the watchdog and comes back"
sh_in mkdir -p /etc/systemd/system/mailreeve.service.d
printf '[Service]\nWatchdogSec=2\n' | put /etc/systemd/system/mailreeve.service.d/watchdog.conf
sh_in systemctl daemon-reload
sh_in systemctl restart mailreeve.service
wait_for 60 is_healthy
main=$(property mailreeve.service MainPID)
sh_in kill -STOP "$main"
came_back() {
	[ "$(property mailreeve.service NRestarts)" -ge 1 ] && is_state mailreeve.service active &&
		[ "$(property mailreeve.service MainPID)" != "$main" ]
}
wait_for 30 came_back
wait_for 60 is_healthy
edit servers.yaml 's/: [0-9]*M/: 50M/'
commit "50 MB"
wait_for 60 live 50
