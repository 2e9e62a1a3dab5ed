#!/bin/bash
# Entries: exclusive and shared trees, values that users own, absence; what others made is left alone; a partial answer of
# the directory never deletes.
. "$(dirname "$0")/lib.sh"
begin --users 80
say "what an exclusive tree did not declare is deleted within the rail; the shared rest is not touched"
ldap_modify -a <<-EOF
	dn: cn=foreign,ou=groups,dc=example,dc=org
	objectClass: groupOfNames
	cn: foreign
	member: uid=person1,ou=people,dc=example,dc=org
EOF
ldap_search -b ou=people,dc=example,dc=org '*' + >"$SCRATCH/people"
expect 0 plan
says 'cn=foreign,ou=groups'
expect 0 apply --yes
is "$(ldap_search -b ou=groups,dc=example,dc=org -s one 1.1 | grep -c '^dn:')" 1
ldap_search -b ou=people,dc=example,dc=org '(!(uid=alice))' '*' + >"$SCRATCH/people.after"
diff <(grep -v '^$' "$SCRATCH/people") <(grep -v '^$' "$SCRATCH/people.after") >&2 || fail "people of others were touched"

say "compared by the server's schema: other case, other blanks, other order is the same"
csn=$(ldap_search -b uid=alice,ou=people,dc=example,dc=org entryCSN)
edit "$W/directory.yaml" 's/mail: alice@example.org/mail: ALICE@example.org/; s/cn: Alice Liddell/cn: alice  liddell/'
edit "$W/directory.yaml" 's/"uid=alice,ou=people,dc=example,dc=org"\]/"UID=alice, OU=People, dc=example,dc=org"]/'
commit "the same in other letters"
expect 0 plan --detailed-exitcode
expect 0 apply --yes
is "$(ldap_search -b uid=alice,ou=people,dc=example,dc=org entryCSN)" "$csn" "an entry was written for nothing"

say "owner live, and null"
edit "$W/directory.yaml" 's/description: Everyone/description: {value: Ours, owner: live}/'
sed -i 's/^      sn: Liddell/&\n      title: null/' "$W/directory.yaml"
commit "a value that users own, and one that must not be"
expect 0 apply --yes
ldap_modify <<-EOF
	dn: cn=staff,ou=groups,dc=example,dc=org
	changetype: modify
	replace: description
	description: Theirs

	dn: uid=alice,ou=people,dc=example,dc=org
	changetype: modify
	add: title
	title: Queen
EOF
expect 2 plan --detailed-exitcode
says 'title'
says_not 'Theirs'
expect 0 apply --yes
is "$(ldap_search -b cn=staff,ou=groups,dc=example,dc=org description | sed -n 's/^description: //p')" Theirs
is "$(ldap_search -b uid=alice,ou=people,dc=example,dc=org title | grep -c '^title')" 0

say "a bind user that may see only fifty entries: exit 69, nothing deleted"
world "$SCRATCH/before"
edit "$W/directory.yaml" 's/"ou=people,dc=example,dc=org": {mode: shared}/"ou=people,dc=example,dc=org": {mode: exclusive}/'
commit "all people are ours now"
sed "s#^ldap:.*#ldap: {uri: \"ldap://127.0.0.1:$BED_LDAP_PORT/\", bind: simple, bind_dn: \"$BED_LDAP_READER\", password_file: $BED_SECRETS/reader}#" \
	"$BED_AGENT_YAML" >"$SCRATCH/reader.yaml"
RC=0
"$MAILREEVE" --config "$SCRATCH/reader.yaml" plan </dev/null >"$OUT" 2>"$ERR" || RC=$?
is "$RC" 69 "a limited read: $(cat "$OUT" "$ERR")"
says '[Ss]ize'
RC=0
"$MAILREEVE" --config "$SCRATCH/reader.yaml" apply --yes --allow 'ldap.delete<=1000' </dev/null >"$OUT" 2>"$ERR" || RC=$?
is "$RC" 69
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after"

say "the rail stands before eighty deletes"
expect 3 apply --yes
says 'ldap\.delete'
expect 0 apply --yes --allow 'ldap.delete<=80'
is "$(ldap_search -b ou=people,dc=example,dc=org -s one 1.1 | grep -c '^dn:')" 1
