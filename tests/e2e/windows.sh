#!/bin/bash
# policy.windows: a plan that restarts a server, or any plan, waits for its window; by hand it can be let through, on record.
. "$(dirname "$0")/lib.sh"
begin
# a day that is neither today nor, should midnight pass meanwhile, tomorrow
other_day=$(LC_ALL=C date -d '3 days' +%a)
cat >>"$W/mailreeve.yaml" <<-EOF
	policy:
	  windows: {restart: "$other_day 00:00-24:00"}
EOF
commit "restarts on $other_day"
expect 0 apply --yes
edit "$W/postfix.yaml" 's/50M/51M/'
commit "a reload is no restart"
expect 0 sync

say "a restart waits"
cat >"$W/interfaces.yaml" <<-EOF
	postfix: {parameters: {inet_interfaces: 127.0.0.1}}
EOF
commit "another interface"
world "$SCRATCH/before"
expect 0 plan
says 'window\.restart'
expect 2 plan --detailed-exitcode
expect 75 sync
says 'window\.restart'
expect 75 apply --yes
expect 0 status --format json
says '"health": "waiting"'
says '"result": "refused"'
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after"
expect 0 plan --format json --out "$SCRATCH/window.plan"
expect 75 apply "$SCRATCH/window.plan" --yes
python3 - "$SCRATCH/window.plan" <<-'EOF'
	import json, sys
	rails = {r["id"]: r for r in json.load(open(sys.argv[1]))["rails"]}
	assert rails["window.restart"]["result"] == "refused" and rails["window.restart"]["actual"] == 1, rails
EOF

say "the same refusal again and again is one run on record"
expect 75 sync
expect 0 history --format json
before=$(grep -c '"run"' "$OUT")
expect 75 sync
expect 75 sync
expect 0 history --format json
is "$(grep -c '"run"' "$OUT")" "$before"

say "a commit that opens the window and uses it at once"
edit "$W/mailreeve.yaml" 's/windows: .*/windows: {restart: "00:00-24:00"}/'
commit "restarts at any time"
expect 75 sync
expect 64 apply --yes --allow 'window.tea<=1'
expect 0 apply --yes --allow 'window.restart<=1'
is "$(postconf -c "$BED_POSTFIX_DIR" -h inet_interfaces)" 127.0.0.1
expect 0 history --format json
says 'window\.restart<=1'

say "no change at all outside the window of applies"
edit "$W/mailreeve.yaml" "s/windows: .*/windows: {apply: \"$other_day 00:00-24:00\"}/"
commit "applies on $other_day"
expect 0 sync
edit "$W/postfix.yaml" 's/51M/52M/'
commit "later"
expect 75 sync
says 'window\.apply'
expect 0 plan --detailed-exitcode --only user/alice@example.org
