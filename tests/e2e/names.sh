#!/bin/bash
# Who gets mail: renamed users, catch-alls, alias domains, names in every spelling.
. "$(dirname "$0")/lib.sh"
begin
row() {
	postmap -c "$BED_POSTFIX_DIR" -q "$2" "lmdb:$(postconf -c "$BED_POSTFIX_DIR" -h mailreeve)/$1" || true
}
mail_of() {
	find "$BED_MAIL/$1" -type f \( -path '*/cur/*' -o -path '*/new/*' \) 2>/dev/null | wc -l
}
# delivers TO FOLDER: one message more in that mail folder.
delivers() {
	local before end=$((SECONDS + 15))
	before=$(mail_of "$2")
	smtp 127.0.0.1 "MAIL FROM:<someone@elsewhere.example>" "RCPT TO:<$1>" DATA "Subject: to $1

hello
." >"$SCRATCH/smtp"
	tail -n 1 "$SCRATCH/smtp" | grep -q '^250' || fail "not sent: $(cat "$SCRATCH/smtp")"
	until [ "$(mail_of "$2")" -gt "$before" ]; do
		[ $SECONDS -lt $end ] || fail "mail to $1 does not reach $2"
		sleep 0.2
	done
}

say "spellings are one name; a catch-all takes nobody's mail, in an alias domain neither"
cat >"$W/catch.yaml" <<-EOF2
	domains:
	  Exämple.COM:
	    users:
	      Erin.O: {password: "$ALICE_HASH", aliases: [ERIN]}
	      frank: {password: "$ALICE_HASH", forward: {to: [Frank@alias.example, erin.o]}}
	      gone: {password: "$ALICE_HASH", state: closed}
	      out: {password: "$ALICE_HASH", state: send_only}
	      all: {password: "$ALICE_HASH"}
	    catch_all: [All]
	    aliases: {postmaster: [erin.o], team: [frank, erin.o]}
	  alias.example: {kind: alias, alias_of: xn--exmple-cua.com}
EOF2
commit "a catch-all"
expect 0 validate "$W"
expect 0 plan
expect 0 apply --yes
expect 0 plan --detailed-exitcode
for domain in xn--exmple-cua.com alias.example; do
	delivers "erin.o@$domain" xn--exmple-cua.com/erin.o
	delivers "ERIN.O@$domain" xn--exmple-cua.com/erin.o
	delivers "erin@$domain" xn--exmple-cua.com/erin.o
	delivers "postmaster@$domain" xn--exmple-cua.com/erin.o
	delivers "nobody@$domain" xn--exmple-cua.com/all
	delivers "frank@$domain" xn--exmple-cua.com/frank
	delivers "frank@$domain" xn--exmple-cua.com/erin.o
	is "$(row virtual_alias_maps "gone@$domain")" "gone@xn--exmple-cua.com" "the catch-all does not take gone@$domain"
	is "$(row virtual_alias_maps "out@$domain")" "out@xn--exmple-cua.com"
done
before=$(mail_of xn--exmple-cua.com/all)
smtp 127.0.0.1 "MAIL FROM:<someone@elsewhere.example>" "RCPT TO:<gone@alias.example>" >"$SCRATCH/smtp" || true
is "$(mail_of xn--exmple-cua.com/all)" "$before" "mail of a closed user goes to the catch-all"

say "a rename keeps mail and the password that the user chose"
delivers bob@example.org example.org/bob
can_log_in bob@example.org bob-secret
own=$(hash_of chosen-by-bob)
passwd=$(grep -rl '^bob@example.org:' "$BED_DIR/dovecot" | grep -v /state/ | head -1)
sed -i "s#^\(bob@example.org\):[^:]*:#\1:$own:#" "$passwd"
can_log_in bob@example.org chosen-by-bob
expect 0 plan --detailed-exitcode
edit "$W/domains/example.org.yaml" 's/      bob: {/      robert: {renamed_from: bob, /'
edit "$W/domains/example.org.yaml" 's/sales: .*/sales: [alice, robert]/'
commit "bob is robert now"
expect 0 plan
says 'rename'
says 'robert@example.org'
expect 0 apply --yes
expect 0 plan --detailed-exitcode
can_log_in robert@example.org chosen-by-bob
cannot_log_in bob@example.org chosen-by-bob
refuses bob@example.org
delivers robert@example.org example.org/bob
[ ! -d "$BED_MAIL/example.org/robert" ] || fail "a second mail folder"
delivers sales@example.org example.org/bob
mr why user/bob@example.org
says_not 'retired'

say "the old name as an alias; later 'renamed_from' may go or stay, and nothing moves"
edit "$W/domains/example.org.yaml" 's/renamed_from: bob, /&aliases: [bob], /'
commit "bob still works"
expect 0 apply --yes
accepts bob@example.org
delivers bob@example.org example.org/bob
expect 0 plan --detailed-exitcode
