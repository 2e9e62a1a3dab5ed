#!/bin/bash
# Each exit code of the table that an operator's script relies on, with servers as they were.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
world "$SCRATCH/before"
cp -r "$W" "$SCRATCH/good"

say "64: usage"
expect 64 frobnicate
expect 64 plan --no-such-option
expect 64 plan --format no-such-format
says "format"

say "65: an invalid desired state, all errors in one run, with places"
cat >"$W/bad.yaml" <<-EOF
	domains:
	  example.com:
	    uzers: {}
	    aliases:
	      postmaster: [nobody.at.all]
	      info: [alice@example.org, ghost@example.org]
EOF
expect 65 validate "$W"
says '^bad\.yaml:3:[0-9]+: error: .*uzers.*\[MR-'
says 'ghost@example\.org'
expect 65 plan --dir "$W"
expect 65 apply --dir "$W" --yes
rm "$W/bad.yaml"

say "3: a rail"
sed -i '/bob\|sales/d' "$W/domains/example.org.yaml"
cat >>"$W/mailreeve.yaml" <<-EOF
	policy:
	  max_change: {users.close: "0 or 0%"}
EOF
commit "policy, and bob leaves: the policy counts from the next commit on"
expect 0 apply --yes
cp -r "$SCRATCH/good/domains" "$W/"
commit "bob is back"
expect 0 apply --yes
sed -i '/bob\|sales/d' "$W/domains/example.org.yaml"
commit "bob leaves again"
world "$SCRATCH/before"
expect 3 apply --yes
says 'users\.close'
expect 3 sync
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after"
expect 3 plan --fail-on mail_refused
expect 0 apply --yes --allow 'users.close<=1'
refuses bob@example.org
expect 0 history --format json
run=$(python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); d = d if isinstance(d, list) else d["runs"]; print(d[0].get("run", d[0].get("id")))' "$OUT")
expect 0 history "$run"
says 'users\.close<=1'
take_back
expect 0 apply --yes
world "$SCRATCH/before"

say "69: a server that cannot be read is not an empty server"
"$bed" stop "$BED_DIR" slapd
expect 69 plan
expect 69 apply --yes
"$bed" start "$BED_DIR" slapd
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after"

say "78: the host's configuration"
sed 's/^interval:/intervall:/' "$BED_AGENT_YAML" >"$SCRATCH/agent.yaml"
RC=0
"$MAILREEVE" --config "$SCRATCH/agent.yaml" plan >"$OUT" 2>"$ERR" || RC=$?
is "$RC" 78
says 'interval'
RC=0
"$MAILREEVE" --config "$SCRATCH/nothing-here.yaml" plan >"$OUT" 2>"$ERR" || RC=$?
is "$RC" 78
expect 0 plan --detailed-exitcode
