#!/bin/bash
# A server refuses what was asked of it, by its own checker or only when it is spoken to: exit 5, live as before, said why.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
world "$SCRATCH/before"
refused() {
	commit "$1"
	expect 5 apply --yes
	world "$SCRATCH/after"
	same_world "$SCRATCH/before" "$SCRATCH/after"
	accepts alice@example.org
	can_log_in alice@example.org alice-secret
	is "$(rcpt someone@elsewhere.example)" 554
	take_back
}

say "Postfix: a map that does not exist, which no checker of Postfix notices"
edit "$W/postfix.yaml" 's#reject_unauth_pipelining#"check_client_access lmdb:/nonexistent/clients"#'
refused "a missing map"
says 'nonexistent'

say "Postfix: a TLS level that only smtpd itself reads"
# shellcheck disable=SC2016
sed -i 's/^    message_size_limit:.*/&\n    smtpd_tls_security_level: $wrong_level\n    wrong_level: mayy/' "$W/postfix.yaml"
refused "an unknown level"

say "Dovecot: a plugin that does not exist"
cat >"$W/dovecot.yaml" <<-EOF
	dovecot:
	  settings:
	    "protocol imap": {mail_plugins: "quota no_such_plugin"}
EOF
refused "a missing plugin"
says 'no_such_plugin'

say "Dovecot: a value that its parser refuses"
cat >"$W/dovecot.yaml" <<-EOF
	dovecot:
	  settings:
	    mail_max_userip_connections: many
EOF
commit "a number that is none"
mr apply --yes
case $RC in 5 | 65) ;; *) fail "exit $RC" ;; esac
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after"
take_back

say "OpenLDAP: a class that needs an attribute"
edit "$W/directory.yaml" '/sn: Liddell/d'
commit "without a surname"
mr apply --yes
case $RC in 5 | 65) ;; *) fail "exit $RC" ;; esac
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after"
take_back
expect 0 apply --yes
expect 0 plan --detailed-exitcode
