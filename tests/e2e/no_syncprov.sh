#!/bin/bash
# A directory whose syncprov overlay was taken away keeps its last contextCSN for good: it proves nothing, and what others
# change is seen all the same.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
expect 0 plan --detailed-exitcode
ldap_modify <<-EOF
	dn: olcOverlay={0}syncprov,olcDatabase={1}mdb,cn=config
	changetype: delete
EOF
ldap_search -s base -b "$BED_LDAP_SUFFIX" contextCSN | grep -q contextCSN || fail "no contextCSN was left behind"
ldap_modify <<-EOF
	dn: uid=alice,ou=people,dc=example,dc=org
	changetype: modify
	replace: sn
	sn: Mallory
EOF
expect 2 drift --detailed-exitcode
says 'Mallory'
edit "$W/directory.yaml" 's/description: Everyone/description: All/'
commit "all"
expect 0 sync
expect 0 apply --yes
expect 0 plan --detailed-exitcode
is "$(ldap_search -b uid=alice,ou=people,dc=example,dc=org sn | sed -n 's/^sn: //p')" Liddell
ldapdelete -Q -Y EXTERNAL -H "$BED_LDAP_URI" cn=staff,ou=groups,dc=example,dc=org
expect 2 drift --detailed-exitcode
