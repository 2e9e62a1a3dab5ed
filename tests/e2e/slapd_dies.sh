#!/bin/bash
# The directory is killed in the middle of an apply. What was done is undone when it is back, at the latest by the next run.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
world "$SCRATCH/before"
{
	echo 'ldap:'
	echo '  entries:'
	for i in $(seq 1500); do
		printf '    "uid=u%d,ou=people,dc=example,dc=org": {objectClass: [inetOrgPerson], cn: U %d, sn: U, mail: u%d@example.org}\n' "$i" "$i" "$i"
	done
} >"$W/many.yaml"
edit "$W/postfix.yaml" 's/50M/70M/'
commit "fifteen hundred people"
people() {
	ldap_search -b ou=people,dc=example,dc=org -s one 1.1 | grep -c '^dn:'
}
halted() {
	[ "$(ps -o stat= -p "$1" | cut -c1)" = T ]
}
slapd=$(cat "$BED_DIR/ldap/slapd.pid")
# the first thousand are there, the others are on their way when the server goes
MAILREEVE_STOP_AT=S3:wave:2 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >"$OUT" 2>"$ERR" &
apply=$!
wait_for 60 halted $apply
kill -CONT $apply
kill -KILL "$slapd"
RC=0
wait $apply || RC=$?
case $RC in 5 | 6 | 1) ;; *) cat "$OUT" "$ERR"; fail "exit $RC" ;; esac
first=$RC
"$bed" start "$BED_DIR" slapd
n=$(people)
say "killed with $n people there, exit $first"
if [ "$n" -le 1000 ] || [ "$n" -ge 1501 ]; then
	fail "it was not in the middle"
fi
expect 3 apply
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after" "the next run did not bring back the state before"
expect 0 apply --yes
is "$(people)" 1501
expect 0 plan --detailed-exitcode
