#!/bin/bash
# SIGTERM in the middle of an apply: whenever it comes, the agent ends in good order with exactly the old or exactly the new
# state, nothing is left open, and the commit is not held against anybody: the next agent applies it.
. "$(dirname "$0")/lib.sh"
begin
two_states
AGENT_LOG=$SCRATCH/agent.log
stopped_old=0 stopped_new=0

# The supervisor says what it does by its service manager's socket; here by the processes that it has.
is_applying() {
	pgrep -P "$AGENT" -f 'agent apply' >/dev/null
}

for tenths in 0 2 4 7 10 14 20; do
	"$MAILREEVE" --config "$BED_AGENT_YAML" agent >"$AGENT_LOG" 2>&1 &
	AGENT=$!
	wait_for 20 is_applying
	sleep "$((tenths / 10)).$((tenths % 10))"
	kill -TERM "$AGENT"
	rc=0
	wait "$AGENT" || rc=$?
	is "$rc" 0 "the agent ends in good order after $tenths tenths of a second"
	expect 0 status
	says_not interrupted
	world "$SCRATCH/after"
	if diff -q "$SCRATCH/old" "$SCRATCH/after" >/dev/null; then
		stopped_old=$((stopped_old + 1))
		say "after 0.$tenths s: old"
	else
		same_world "$SCRATCH/new" "$SCRATCH/after" "neither old nor new after $tenths tenths"
		stopped_new=$((stopped_new + 1))
		say "after 0.$tenths s: new"
		back_and_forth
	fi
done
[ $stopped_old -gt 0 ] || fail "no stop came early enough to be one: $stopped_new new"

say "the commit that was stopped is applied by the next"
expect 0 sync
world "$SCRATCH/after"
same_world "$SCRATCH/new" "$SCRATCH/after"
