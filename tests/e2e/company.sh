#!/bin/bash
# The example company as it stands in examples/: valid, applied to real servers, in force as its comments say, in order after
# that, and protected where it says so.
. "$(dirname "$0")/lib.sh"
begin
git -C "$W" rm -q -r .
cp -r "$top/examples/company/." "$W/"
edit "$W/mailreeve.yaml" "s#/var/vmail/#$BED_MAIL/#"
printf %s "$(hash_of carol-secret)" >"$BED_SECRETS/carol"
chmod 600 "$BED_SECRETS/carol"
commit "the example company"

expect 0 validate "$W"
expect 0 apply --yes
expect 0 plan --detailed-exitcode
expect 0 drift --detailed-exitcode

say "who is taken, and who is not"
for address in ceo boss charlotte.example alice al bob carol dave postmaster abuse sales info press; do
	accepts "$address@example.org"
	accepts "$address@example.net"
done
accepts line1@factory.example.org
refuses line9@factory.example.org
refuses nobody@example.org
refuses scanner@example.org

say "who may log in, and by what"
can_log_in carol@example.org carol-secret
cannot_log_in dave@example.org any-secret
sends_and_reads someone@elsewhere.example info@example.org carol@example.org carol-secret

say "settings of the servers"
is "$(postconf -c "$BED_POSTFIX_DIR" -h smtpd_recipient_limit)" 200
is "$(doveconf -c "$BED_DOVECOT_CONF" -h login_greeting)" "Example Company"
is "$(ldap_search -b 'cn=staff,ou=groups,dc=example,dc=org' -s base member | grep -c '^member:')" 2

say "what is not to be lost is protected"
edit "$W/domains/example.org.yaml" '/^      ceo:/,/^      alice:/{/^      alice:/!d}'
edit "$W/domains/example.org.yaml" 's/, ceo\]/]/'
commit "no ceo"
expect 3 apply --yes
says 'user/ceo@example.org'
take_back

say "nor by a rollback to what was before it"
expect 3 rollback --yes
says "'user/ceo@example.org' is protected"
accepts ceo@example.org
no_secrets_in "$ALL"
