#!/bin/bash
# Somebody edits what an interrupted apply has written: his value is kept and named, nothing more is applied, until a person
# puts it back or says that what is live stands.
. "$(dirname "$0")/lib.sh"
begin
if ! grep -qa MAILREEVE_CRASH_AT "$MAILREEVE"; then
	fail "the program was built without fault points"
fi
expect 0 apply --yes
edit "$W/directory.yaml" 's/Everyone/Everybody/'
edit "$W/postfix.yaml" 's/50M/80M/'
commit "two servers"
MAILREEVE_CRASH_AT=S6 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >/dev/null 2>&1 && fail "not killed"
ldapmodify -Q -Y EXTERNAL -H "$BED_LDAP_URI" >/dev/null <<-EOF
	dn: cn=staff,ou=groups,dc=example,dc=org
	changetype: modify
	replace: description
	description: by somebody
EOF
for _ in 1 2; do
	expect 6 apply --yes
	says "cn=staff,ou=groups,dc=example,dc=org"
	says "mailreeve trust"
	is "$(postconf -c "$BED_POSTFIX_DIR" -h message_size_limit)" 52428800
done
expect 0 trust
is "$(ldap_search -b cn=staff,ou=groups,dc=example,dc=org -s base description | grep '^description')" "description: by somebody"
expect 0 apply --yes
is "$(ldap_search -b cn=staff,ou=groups,dc=example,dc=org -s base description | grep '^description')" "description: Everybody"
expect 0 plan --detailed-exitcode
