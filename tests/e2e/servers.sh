#!/bin/bash
# Parameters, tables and settings in every form, and directory entries in every spelling, as the servers understand them.
. "$(dirname "$0")/lib.sh"
begin
param() {
	postconf -c "$BED_POSTFIX_DIR" -h "$1"
}
setting() {
	doveconf -c "$BED_DOVECOT_CONF" -h "$1"
}
cat >"$W/postfix.yaml" <<-EOF2
	postfix:
	  parameters:
	    message_size_limit: 50M
	    bounce_size_limit: "60000"
	    queue_minfree: 100M
	    queue_run_delay: 400s
	    maximal_queue_lifetime: 3d
	    delay_warning_time: 4h
	    smtpd_helo_required: true
	    biff: false
	    append_dot_mydomain: no
	    default_process_limit: 120
	    smtpd_banner: \$myhostname ESMTP ready
	    smtpd_client_restrictions: ["check_client_access \${mailreeve}/clients", permit_mynetworks]
	    smtpd_sender_restrictions:
	      - check_sender_access \${mailreeve}/senders
	      - check_sender_access \${mailreeve}/by_pattern
	      - check_sender_access \${mailreeve}/by_regexp
	    smtpd_recipient_restrictions: [reject_unauth_destination]
	    header_checks: \${mailreeve}/headers
	  tables:
	    clients: {type: cidr, entries: [["192.0.2.66", "REJECT from cidr"], ["198.51.100.0/24", "REJECT net cidr"], ["2001:db8::/32", REJECT]]}
	    senders: {entries: {"Bad@Elsewhere.example": "REJECT from keyed", yes: "REJECT yes", 012: "REJECT 012"}}
	    by_pattern: {type: pcre, entries: [["/^spam-\\\\d+@/", "REJECT from pcre"], ["/^(a)(b)@/", "REJECT \$1 and \$2"]]}
	    by_regexp: {type: regexp, entries: [["/^Junk@/", "REJECT from regexp"], ["!/@/", "OK"]]}
	    headers: {type: regexp, entries: [["/^Subject: forbidden/", REJECT bad subject]]}
	    empty: {}
EOF2
cat >"$W/dovecot.yaml" <<-EOF2
	dovecot:
	  settings:
	    login_greeting: "Hello  there"
	    mail_max_userip_connections: 15
	    auth_verbose: true
	    "protocol imap": {mail_max_userip_connections: 25, imap_idle_notify_interval: 3 mins}
	    "service imap-login": {process_limit: 77, "inet_listener imap": {port: 0}}
	    auth_mechanisms: [plain, login]
EOF2
sed -i '/inet_listener/s/, "inet_listener imap": {port: 0}//' "$W/dovecot.yaml"
commit "everything"
expect 0 validate "$W"
expect 0 plan
expect 0 apply --yes
expect 0 plan --detailed-exitcode
is "$(param message_size_limit)" 52428800
is "$(param bounce_size_limit)" 60000
is "$(param queue_minfree)" 104857600
is "$(param queue_run_delay)" 400s
is "$(param smtpd_helo_required)" yes
is "$(param biff)" no
is "$(param append_dot_mydomain)" no
# shellcheck disable=SC2016
is "$(param smtpd_banner)" '$myhostname ESMTP ready'
for case in "192.0.2.66|x@y.example|from cidr" "198.51.100.7|x@y.example|net cidr" "192.0.2.1|bad@elsewhere.example|from keyed" \
	"192.0.2.1|spam-12@x.example|from pcre" "192.0.2.1|ab@x.example|a and b" "192.0.2.1|junk@x.example|from regexp"; do
	IFS='|' read -r client sender want <<<"$case"
	smtp "$client" "MAIL FROM:<$sender>" "RCPT TO:<alice@example.org>" | tail -n 1 >"$SCRATCH/answer"
	grep -q "554 .*$want" "$SCRATCH/answer" || fail "$case: $(cat "$SCRATCH/answer")"
done
smtp 192.0.2.1 "MAIL FROM:<x@y.example>" "RCPT TO:<bob@example.org>" DATA "Subject: forbidden

x
." | tail -n 1 | grep -q "bad subject" || fail "header_checks"
is "$(setting login_greeting)" "Hello  there"
is "$(doveconf -c "$BED_DOVECOT_CONF" -h -f protocol=imap mail_max_userip_connections)" 25
is "$(doveconf -c "$BED_DOVECOT_CONF" -h -f protocol=lmtp mail_max_userip_connections)" 15
doveconf -c "$BED_DOVECOT_CONF" -h service/imap-login/process_limit | grep -q 77 || fail process_limit

say "the directory, in every form and spelling"
cat >"$W/directory.yaml" <<-EOF2
	ldap:
	  trees:
	    "ou=groups,dc=example,dc=org": {mode: exclusive}
	    "ou=people,dc=example,dc=org": {}
	  entries:
	    "UID=alice, OU=People, DC=example,DC=org":
	      objectclass: [top, person, organizationalPerson, inetOrgPerson]
	      CN: [Alice Liddell, "Liddell, Alice"]
	      sn: Liddell
	      mail: Alice@Example.org
	      description: {value: set once, owner: live}
	      jpegPhoto: {base64: "/9j/4AAQSkZJRgABAQAAAQABAAD/2w=="}
	      telephoneNumber: "+49 30 123-456"
	      seeAlso: null
	      userPassword: {secret: bob}
	    "cn=Staff\\\\, all,ou=groups,dc=example,dc=org":
	      objectClass: groupOfNames
	      member: ["uid=Alice,ou=people,dc=example,dc=org"]
EOF2
sed -i 's/\\\\\\\\,/\\\\,/' "$W/directory.yaml"
commit "the directory"
expect 0 apply --yes
expect 0 plan --detailed-exitcode
alice="uid=alice,ou=people,dc=example,dc=org"
staff='cn=Staff\, all,ou=groups,dc=example,dc=org'
ldap_search -b "$alice" -s base cn description jpegPhoto >"$SCRATCH/alice" || fail "no alice"
grep -q 'Liddell, Alice' "$SCRATCH/alice" || fail "cn"
grep -q '^jpegPhoto:: /9j/' "$SCRATCH/alice" || fail "photo"
ldap_search -b "$staff" -s base member | grep -qi 'uid=alice' || fail "no staff"
printf 'dn: %s\nchangetype: modify\nreplace: description\ndescription: mine\n-\nadd: seeAlso\nseeAlso: %s\n-\nreplace: telephoneNumber\ntelephoneNumber: +4930123456\n' "$alice" "$alice" | ldap_modify
printf 'dn: cn=stray,ou=groups,dc=example,dc=org\nchangetype: add\nobjectClass: groupOfNames\nmember: %s\n' "$alice" | ldap_modify
printf 'dn: uid=other,ou=people,dc=example,dc=org\nchangetype: add\nobjectClass: inetOrgPerson\ncn: o\nsn: o\n' | ldap_modify
expect 0 plan
says 'seeAlso'
says 'cn=stray'
says_not 'uid=other'
says_not 'description'
says_not 'telephoneNumber'
expect 0 apply --yes
expect 0 plan --detailed-exitcode
ldap_search -b "$alice" -s base description seeAlso >"$SCRATCH/alice"
grep -q 'description: mine' "$SCRATCH/alice" || fail "owner live"
! grep -q '^seeAlso' "$SCRATCH/alice" || fail "seeAlso must be absent"
! ldap_search -b cn=stray,ou=groups,dc=example,dc=org -s base >/dev/null 2>&1 || fail "exclusive"
ldap_search -b uid=other,ou=people,dc=example,dc=org -s base >/dev/null || fail "shared"

say "what is wrong is refused at the plan, with its place and what was meant"
cat >"$SCRATCH/cases" <<-'EOF2'
	postfix: {parameters: {mesage_size_limit: 5M}}|message_size_limit
	postfix: {parameters: {message_size_limit: yes}}|message_size_limit
	postfix: {parameters: {message_size_limit: 0x10}}|message_size_limit
	postfix: {parameters: {queue_run_delay: 5x}}|queue_run_delay
	postfix: {parameters: {smtpd_helo_required: maybe}}|smtpd_helo_required
	postfix: {parameters: {inet_protocols: ipv5}}|ipv5
	postfix: {parameters: {smtpd_client_restrictions: [permit_mynetwork]}}|permit_mynetwork
	postfix: {tables: {q: {type: cidr, entries: [["300.1.1.1", x]]}}}|network
	postfix: {tables: {q: {type: cidr, entries: [["10.0.0.1/8", x]]}}}|network
	postfix: {tables: {q: {type: texthash}}}|texthash
	dovecot: {settings: {login_greting: x}}|login_greeting
	ldap: {entries: {"uid=x,ou=people,dc=example,dc=org": {objectClass: inetOrgPerson, cn: x, sn: x, mial: x}}}|mail
	ldap: {entries: {"uid=x,ou=people,dc=example,dc=org": {objectClass: inetOrgPersn, cn: x, sn: x}}}|inetOrgPerson
	ldap: {entries: {"uid=x,ou=people,dc=example,dc=org": {objectClass: inetOrgPerson, cn: x, sn: x, seeAlso: no-dn}}}|seeAlso
EOF2
mkdir "$SCRATCH/bad"
cp -r "$W/mailreeve.yaml" "$W/domains" "$W/directory.yaml" "$SCRATCH/bad"
while IFS='|' read -r text want; do
	echo "$text" >"$SCRATCH/bad/bad.yaml"
	expect 65 plan --dir "$SCRATCH/bad"
	says "bad.yaml:1:[0-9]+: error: .*$want"
done <"$SCRATCH/cases"
