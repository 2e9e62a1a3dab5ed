#!/bin/bash
# A mail host as it has grown: main.cf with entries given twice and wrapped over comments, a second smtpd, tables of the
# admin's own. What Postfix always complained of is no reason to refuse a change; what the repository stops declaring goes
# back to what the admin had, and what it never declared stays byte for byte.
. "$(dirname "$0")/lib.sh"
begin
# Debian's Postfix logs to syslog. With a log file and entries given twice Postfix may stop by itself: its postlogd warns of
# them to the socket that it is to read, and waits when that is full.
"$bed" stop "$BED_DIR" postfix
sed -i '/^maillog_file/d' "$BED_POSTFIX_DIR/main.cf"
"$bed" start "$BED_DIR" postfix
echo "old@legacy.test alice@example.org" >"$BED_POSTFIX_DIR/legacy"
postmap -c "$BED_POSTFIX_DIR" "hash:$BED_POSTFIX_DIR/legacy"
cat >>"$BED_POSTFIX_DIR/main.cf" <<-EOF

	# the admin's own
	virtual_alias_maps =
	# in between
	    hash:$BED_POSTFIX_DIR/legacy
	smtpd_banner = first
	smtpd_banner = second
	mydestination = localhost, legacy.test
EOF
printf '127.0.0.1:%s inet n - n - - smtpd\n\t-o syslog_name=postfix/two\n# the end' $((BED_SMTP_PORT + 1)) >>"$BED_POSTFIX_DIR/master.cf"
# shellcheck disable=SC1003
sed -i '$a\' "$BED_POSTFIX_DIR/master.cf"
cp "$BED_POSTFIX_DIR/master.cf" "$SCRATCH/master.cf"
cp "$BED_POSTFIX_DIR/main.cf" "$SCRATCH/main.cf"

expect 0 apply --yes
accepts al@example.org
expect 0 plan --detailed-exitcode
cmp "$SCRATCH/master.cf" "$BED_POSTFIX_DIR/master.cf" || fail "master.cf was touched"
is "$(grep -c '^smtpd_banner' "$BED_POSTFIX_DIR/main.cf")" 2

say "a fault that is new is refused all the same"
edit "$W/postfix.yaml" 's/message_size_limit: 50M/message_size_limit: 50M\n    smtpd_relay_restrictions: [permit_mynetworks, defer_unauth_destination, check_client_access "hash:\/nowhere"]/'
commit "a table that is nowhere"
mr apply --yes
[ "$RC" != 0 ] || fail "a table that is nowhere was accepted"
git -C "$W" revert --no-edit HEAD >/dev/null
commit "not that"
expect 0 apply --yes

say "back to what the admin had"
git -C "$W" rm -q -r domains postfix.yaml
commit "nothing of Postfix"
expect 0 apply --yes --allow 'source.empty<=99'
is "$(postconf -c "$BED_POSTFIX_DIR" -h virtual_alias_maps 2>/dev/null)" "hash:$BED_POSTFIX_DIR/legacy"
is "$(postconf -c "$BED_POSTFIX_DIR" -h message_size_limit 2>/dev/null)" 26214400
expected=$(grep -v 'virtual_alias_maps\|legacy$' "$SCRATCH/main.cf")
is "$(grep -v 'virtual_alias_maps\|legacy$' "$BED_POSTFIX_DIR/main.cf")" "$expected"
expect 0 plan --detailed-exitcode

say "main.cf from an old backup names a generation that is gone: said with the way out"
git -C "$W" revert --no-edit HEAD >/dev/null
commit "Postfix again"
expect 0 apply --yes
sed -i 's#^mailreeve = .*#&9#' "$BED_POSTFIX_DIR/main.cf"
expect 69 plan
says 'take the line'
sed -i '/^mailreeve = /d' "$BED_POSTFIX_DIR/main.cf"
expect 0 apply --yes
accepts al@example.org
expect 0 plan --detailed-exitcode
