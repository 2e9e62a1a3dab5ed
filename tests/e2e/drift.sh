#!/bin/bash
# What others changed: reported apart from intent, left alone by sync in mode report, put back in mode heal and by a person.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
expect 0 drift --detailed-exitcode
world "$SCRATCH/good"

edit_by_hand() {
	postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=999
	ldap_modify <<-EOF
		dn: uid=alice,ou=people,dc=example,dc=org
		changetype: modify
		replace: sn
		sn: Mallory
	EOF
}
edit_by_hand
world "$SCRATCH/edited"
expect 2 drift --detailed-exitcode
says 'message_size_limit'
says 'alice'
expect 0 drift
expect 0 plan
says '[Dd]rift'
expect 0 sync
says 'message_size_limit|drift'
world "$SCRATCH/after"
same_world "$SCRATCH/edited" "$SCRATCH/after" "mode report put something back"

say "a pushed change is applied all the same, the drift stays"
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
commit "alice is liddell too"
expect 0 sync
accepts liddell@example.org
is "$(postconf -c "$BED_POSTFIX_DIR" -h message_size_limit)" 999
take_back
expect 0 sync

say "mode heal"
sed -i 's/mode: report/mode: heal/' "$BED_AGENT_YAML"
expect 0 sync
world "$SCRATCH/after"
same_world "$SCRATCH/good" "$SCRATCH/after"
expect 0 drift --detailed-exitcode

say "a person puts it back in any mode"
sed -i 's/mode: heal/mode: off/' "$BED_AGENT_YAML"
edit_by_hand
expect 0 sync
is "$(postconf -c "$BED_POSTFIX_DIR" -h message_size_limit)" 999
expect 0 apply --yes
world "$SCRATCH/after"
same_world "$SCRATCH/good" "$SCRATCH/after"

say "a row that somebody put into the users' file by hand does not stay"
users=$(grep -rl 'alice@example.org:' "$BED_DIR/dovecot" --include='*' --exclude-dir=run --exclude-dir=state | head -1)
[ -n "$users" ] || fail "no passwd-file found"
printf 'mallory@example.org:{PLAIN}x:8:8::/tmp::\n' >>"$users"
expect 2 drift --detailed-exitcode
says 'mallory'
expect 0 apply --yes
world "$SCRATCH/after"
same_world "$SCRATCH/good" "$SCRATCH/after"
