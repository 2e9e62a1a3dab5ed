#!/bin/bash
# The directory is killed in the middle of an apply. What was done is undone when it is back, at the latest by the next run.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
world "$SCRATCH/before"
{
	echo 'ldap:'
	echo '  entries:'
	for i in $(seq 600); do
		printf '    "uid=u%d,ou=people,dc=example,dc=org": {objectClass: [inetOrgPerson], cn: U %d, sn: U, mail: u%d@example.org}\n' "$i" "$i" "$i"
	done
} >"$W/many.yaml"
edit "$W/postfix.yaml" 's/50M/70M/'
commit "six hundred people"
(
	for _ in $(seq 2000); do
		n=$(ldap_search -b ou=people,dc=example,dc=org -s one 1.1 2>/dev/null | grep -c '^dn:') || true
		[ "${n:-0}" -lt 20 ] || break
	done
	"$bed" kill "$BED_DIR" slapd
) >"$SCRATCH/killer" 2>&1 &
killer=$!
mr apply --yes
wait $killer || fail "slapd was not killed: $(cat "$SCRATCH/killer")"
case $RC in 5 | 6 | 1) ;; *) cat "$OUT" "$ERR"; fail "exit $RC" ;; esac
first=$RC
"$bed" start "$BED_DIR" slapd
n=$(ldap_search -b ou=people,dc=example,dc=org -s one 1.1 | grep -c '^dn:')
say "killed with $n people there, exit $first"
[ "$n" -lt 601 ] || fail "slapd was killed too late for this to prove anything"
expect 3 apply
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after" "the next run did not bring back the state before"
expect 0 apply --yes
is "$(ldap_search -b ou=people,dc=example,dc=org -s one 1.1 | grep -c '^dn:')" 601
expect 0 plan --detailed-exitcode
