#!/bin/bash
# A repository that is away: the last good state stays, each failure in a row is tried again later than the one before, with
# some chance in it and never later than the interval; once it is back the agent finds so by itself and keeps to its interval.
. "$(dirname "$0")/lib.sh"
begin
AGENT_LOG=$SCRATCH/agent.log
sed -i '/^interval:/d' "$BED_AGENT_YAML"
echo 'interval: 10m' >>"$BED_AGENT_YAML"

told() {
	grep -qE -- "$1" "$AGENT_LOG"
}
next_try() { # seconds from now; nothing while a cycle runs
	mr status --format json
	python3 - "$OUT" <<-'EOF'
		import datetime, json, sys
		planned = json.load(open(sys.argv[1]))["agent"]["next_try"]
		if planned:
		    at = datetime.datetime.fromisoformat(planned.replace("Z", "+00:00"))
		    print(int((at - datetime.datetime.now(datetime.timezone.utc)).total_seconds()))
	EOF
}
planned() {
	seconds=$(next_try)
	[ -n "$seconds" ]
}
# A second may pass between the plan and the look at it, and times are cut to seconds.
is_planned_in() {
	wait_for 10 planned
	if [ "$seconds" -lt $(($1 - 3)) ] || [ "$seconds" -gt "$2" ]; then
		fail "the next try is in $seconds s, not in $1 to $2"
	fi
}

"$MAILREEVE" --config "$BED_AGENT_YAML" agent >"$AGENT_LOG" 2>&1 &
AGENT=$!
wait_for 30 told 'as run 1'
is_planned_in 600 660

say "each failure in a row doubles the wait, up to the interval"
mv "$BED_REPO" "$BED_REPO.away"
waits=()
for _ in {1..12}; do
	mr sync --now
	[ "$RC" != 0 ] || fail "a sync without a repository"
	wait_for 10 planned
	waits+=("$seconds")
done
# By chance a wait is somewhere between half of its step and the whole; the agent's own tries may be steps between ours.
python3 - "${waits[@]}" <<-'EOF'
	import sys
	waits = [int(wait) for wait in sys.argv[1:]]
	growing = [wait for wait in waits if wait < 590]
	assert len(growing) >= 4, waits
	assert all(a - 3 < b < 8 * a + 16 for a, b in zip(growing, growing[1:])), waits
	assert growing[0] < 30 and all(590 <= wait <= 660 for wait in waits[len(growing):]) and waits[-1] >= 590, waits
EOF
accepts alice@example.org
expect 0 status
says "^health: *waiting"
is "$(grep -c "cannot fetch .$BED_REPO" "$AGENT_LOG")" 1 "what is away is named, once"

say "it is back: asked once more, it keeps to its interval"
mv "$BED_REPO.away" "$BED_REPO"
expect 0 sync --now
is_planned_in 600 660

say "the first failure is tried again by itself"
mv "$BED_REPO" "$BED_REPO.away"
mr sync --now
mv "$BED_REPO.away" "$BED_REPO"
: >"$AGENT_LOG"
wait_for 15 told 'in order again'
is_planned_in 600 660

kill -TERM $AGENT
wait $AGENT || fail "the agent does not end well"
cat "$AGENT_LOG" >>"$ALL"
no_secrets_in "$ALL"
