#!/bin/bash
# The agent under its unit: installed, configured, started; a push is live by itself; systemctl status tells it in one line;
# the journal has fields; a hand edit is noticed; the sandbox is on and the work gets done in it.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
begin
set_up_host

say "it starts, and the first commit is live"
sh_in systemctl start mailreeve.service
is "$(property mailreeve.service ActiveState)" active
wait_for 60 journal_says 'applied [0-9a-f]{12} as run 1'
takes alice@example.org || fail "no mail for alice"
is "$(sh_in postconf -h message_size_limit)" 20971520
sh_in ldapsearch -Q -LLL -Y EXTERNAL -H ldapi:/// -b ou=people,dc=nodomain description | grep -q 'description: people' ||
	fail "the directory has no entry"

say "a push is live"
wait_for 20 sh_in sh -c 'systemctl show -p StatusText --value mailreeve.service | grep -q "healthy.*waiting"'
edit domains.yaml 's/\[al\]/[al, liddell]/'
start=$(date +%s%N)
commit "alice is liddell too"
wait_for 10 takes liddell@example.org
echo "   push to RCPT: $((($(date +%s%N) - start) / 1000000)) ms"

say "the journal has fields, and the catalogue knows them"
sh_in journalctl -q -o json MESSAGE_ID=7f7f3be13f1c4b5c8f6e0c9ad2a4d107 | grep -q '"MAILREEVE_RUN":"2"' || fail "no event with a run"
sh_in journalctl -q -x -o short MESSAGE_ID=7f7f3be13f1c4b5c8f6e0c9ad2a4d107 | grep -q 'mailreeve rollback' || fail "no catalogue"

say "a hand edit is noticed at once"
sh_in postconf -e message_size_limit=12345678
wait_for 5 journal_says 'drift: postfix.parameter/message_size_limit'
sh_in ldapmodify -Q -Y EXTERNAL -H ldapi:/// >/dev/null <<-EOM
	dn: ou=people,dc=nodomain
	changetype: modify
	replace: description
	description: others
EOM
wait_for 15 journal_says 'drift: ldap/ou=people,dc=nodomain'
expect 0 status
says 'agent: .*runs'
says 'message_size_limit'

say "the sandbox is on"
main=$(property mailreeve.service MainPID)
sh_in grep -q '^Seccomp:.*2' "/proc/$main/status" || fail "no filter of system calls"
sh_in grep -q '^NoNewPrivs:.*1' "/proc/$main/status" || fail "new rights could be got"
sh_in sh -c "nsenter -t $main -m touch /usr/bin/x 2>/dev/null" && fail "/usr can be written"
sh_in sh -c "nsenter -t $main -m touch /etc/x 2>/dev/null" && fail "/etc can be written"
sh_in sh -c "nsenter -t $main -m touch /etc/postfix/x" || fail "/etc/postfix cannot be written"
watcher=$(sh_in pgrep -f 'agent watch  ')
is "$(sh_in stat -c %U "/proc/$watcher")" mailreeve

say "a settings change that only a twin can refuse is refused in the sandbox too"
edit servers.yaml 's/20M/20M, smtpd_helo_restrictions: "check_helo_access lmdb:\/nonexistent\/x"/'
commit "a map that is not there"
wait_for 60 journal_says 'nonexistent.*exit status 5'
is "$(property mailreeve.service ActiveState)" active
