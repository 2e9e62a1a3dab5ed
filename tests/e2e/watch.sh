#!/bin/bash
# Drift as it happens: what others write into the directory or into a file is said by the agent at once, not at its interval;
# also after the directory was away.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
AGENT_LOG=$SCRATCH/agent.log
sed -i 's/^interval:.*/interval: 1h/' "$BED_AGENT_YAML"
grep -q '^interval: 1h' "$BED_AGENT_YAML" || echo 'interval: 1h' >>"$BED_AGENT_YAML"

told() {
	grep -qE -- "$1" "$AGENT_LOG"
}

set_sn() {
	ldap_modify <<-END
		dn: uid=alice,ou=people,dc=example,dc=org
		changetype: modify
		replace: sn
		sn: $1
	END
}

"$MAILREEVE" --config "$BED_AGENT_YAML" agent >"$AGENT_LOG" 2>&1 &
AGENT=$!
wait_for 30 told 'begins'

say "the directory"
set_sn Mallory
wait_for 5 told 'sn applied Liddell, live Mallory'

say "a file"
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=999
wait_for 5 told 'message_size_limit.*live 999'

say "the directory was away"
"$bed" kill "$BED_DIR" slapd
wait_for 10 told 'cannot be watched'
"$bed" start "$BED_DIR" slapd
set_sn Trudy
wait_for 10 told 'live Trudy'

kill -TERM $AGENT
wait $AGENT || fail "the agent does not end well"
cat "$AGENT_LOG" >>"$ALL"
no_secrets_in "$ALL"
