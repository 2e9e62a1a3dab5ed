#!/bin/bash
# kill -9 in the middle of an apply, and again and again while the next runs recover from it.
. "$(dirname "$0")/lib.sh"
begin
two_states

for step in S3:wave:2 S4:batch:2 S5 S6 S8; do
	crash_at "$step"
	again=0
	for point in recover:batch:1 recover:batch:2 recover:batch:4 recover:close; do
		RC=0
		MAILREEVE_CRASH_AT=$point timeout 120 "$MAILREEVE" --config "$BED_AGENT_YAML" apply </dev/null >"$OUT" 2>"$ERR" || RC=$?
		case $RC in
		137) again=$((again + 1)) ;;
		0 | 3) ;;
		*) cat "$OUT" "$ERR" && fail "recovery with a kill at $point: exit $RC" ;;
		esac
	done
	[ $again -gt 0 ] || fail "$step: recovery was never killed"
	recover "$step, and $again times during recovery"
done
expect 0 apply --yes
world "$SCRATCH/after"
same_world "$SCRATCH/new" "$SCRATCH/after"
