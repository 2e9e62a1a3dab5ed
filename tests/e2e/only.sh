#!/bin/bash
# --only applies a part: the rest is still to do, and neither the commit nor its policy counts as applied.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
first=$(git -C "$W" rev-parse HEAD)
cat >>"$W/mailreeve.yaml" <<-EOF
	policy:
	  max_change: {postfix.table.shrink: "0 or 0%", users.close: "0 or 0%"}
EOF
commit "strict"
expect 0 apply --yes
strict=$(git -C "$W" rev-parse HEAD)
edit "$W/mailreeve.yaml" 's/users.close: "0 or 0%"/users.close: "9 or 90%"/'
edit "$W/postfix.yaml" 's/50M/51M/'
edit "$W/domains/example.org.yaml" 's/, aliases: \[al\]//'
sed -i '/bob\|sales/d' "$W/domains/example.org.yaml"
commit "lax, and bob leaves"

say "a selection that fits nothing changes nothing, not even the record"
expect 0 history --format json
before=$(grep -c '"run"' "$OUT")
expect 0 apply --only user/nobody@example.org --yes
expect 0 history --format json
is "$(grep -c '"run"' "$OUT")" "$before"

say "one parameter of it"
expect 0 apply --only postfix.parameter/message_size_limit --yes
is "$(postconf -c "$BED_POSTFIX_DIR" -h message_size_limit)" 53477376
accepts bob@example.org
expect 0 status --format json
says "$strict"
says_not "$first"
expect 0 drift --detailed-exitcode

say "the lax policy of the commit is not in force for the rest of it"
expect 3 sync
says 'users\.close'
accepts bob@example.org
expect 0 apply --yes --allow 'users.close<=1' --allow 'postfix.table.shrink<=9'
refuses bob@example.org
expect 0 plan --detailed-exitcode
