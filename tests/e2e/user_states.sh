#!/bin/bash
# What each state of a user means on the servers: accepts mail, logs in, sends, keeps its data.
. "$(dirname "$0")/lib.sh"
begin --sasl
expect 0 apply --yes
sends_and_reads someone@elsewhere.example bob@example.org bob@example.org bob-secret
mail=$(find "$BED_MAIL/example.org/bob" -type f -path '*/cur/*' -o -type f -path '*/new/*' | head -1)
[ -n "$mail" ] || fail "no mail of bob"
# Dovecot looks at a changed file once a second: it is kept looking, so that each change meets what it read just before
while sleep 0.1; do doveadm -c "$BED_DOVECOT_CONF" user alice@example.org >/dev/null 2>&1 || true; done &

state() {
	sed -i "s/      bob: .*/      bob: {name: Bob, password: {secret: bob}, quota: 2G, state: $1}/" "$W/domains/example.org.yaml"
	commit "bob is $1"
	expect 0 apply --yes
	expect 0 plan --detailed-exitcode
	[ -f "$mail" ] || fail "state $1: mail is gone"
}

sends() {
	local secret
	secret=$(printf '\0%s\0%s' "$1" "$2" | base64 -w0)
	smtp 192.0.2.77 "AUTH PLAIN $secret" | tail -n 1 | cut -c1-3
}

state receive_only
accepts bob@example.org
can_log_in bob@example.org bob-secret imap
is "$(sends bob@example.org bob-secret)" 535 "receive_only: no sending"

state no_login
accepts bob@example.org
cannot_log_in bob@example.org bob-secret imap
cannot_log_in bob@example.org bob-secret pop3
is "$(sends bob@example.org bob-secret)" 535 "no_login: no sending"

state send_only
refuses bob@example.org
is "$(sends bob@example.org bob-secret)" 235 "send_only: sending"

state closed
refuses bob@example.org
cannot_log_in bob@example.org bob-secret imap
is "$(sends bob@example.org bob-secret)" 535 "closed: no sending"

state active
accepts bob@example.org
can_log_in bob@example.org bob-secret imap
is "$(sends bob@example.org bob-secret)" 235 "active: sending"

say "leaving the repository closes and keeps the mail"
edit "$W/domains/example.org.yaml" '/      bob:/d'
edit "$W/domains/example.org.yaml" 's/sales: .*/sales: [alice]/'
commit "bob leaves"
expect 0 plan
says 'bob@example.org'
expect 0 apply --yes
refuses bob@example.org
cannot_log_in bob@example.org bob-secret imap
[ -f "$mail" ] || fail "mail is gone with the user"
expect 0 plan --detailed-exitcode

say "a service that is not on the list"
sed -i 's/      alice: {/&services: [imap], /' "$W/domains/example.org.yaml"
commit "imap only"
expect 0 apply --yes
can_log_in alice@example.org alice-secret imap
cannot_log_in alice@example.org alice-secret pop3
is "$(sends alice@example.org alice-secret)" 535 "without submission: no sending"

say "a domain that is suspended: put off, not refused"
cat >"$W/domains/example.com.yaml" <<-EOF
	domains:
	  example.com:
	    users: {dave: {password: "$ALICE_HASH"}}
	    aliases: {postmaster: [dave]}
EOF
commit "a second domain"
expect 0 apply --yes
accepts dave@example.com
can_log_in dave@example.com alice-secret
edit "$W/domains/example.com.yaml" 's/^  example.com:/&\n    state: suspended/'
commit "suspended"
expect 0 apply --yes
is "$(rcpt dave@example.com | cut -c1)" 4 "suspended: held off"
is "$(rcpt postmaster@example.com | cut -c1)" 4 "suspended: held off"
cannot_log_in dave@example.com alice-secret imap

say "whoever has come is there at once, whatever the clock shows"
for who in erin fay gus hal ida; do
	edit "$W/domains/example.com.yaml" "s|^    users: {|&$who: {password: \"$ALICE_HASH\"}, |"
	commit "$who comes"
	expect 0 apply --yes
	doveadm -c "$BED_DOVECOT_CONF" user "$who@example.com" >/dev/null || fail "$who is applied and not seen"
done
