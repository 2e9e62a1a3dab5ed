#!/bin/bash
# An error at a step of the transaction: taken back at once, exit 5, and mail goes on.
. "$(dirname "$0")/lib.sh"
begin
two_states

for point in S1 S2 S3 S3:wave:2 S4 S4:batch:1 S4:batch:3 S5 S5:server:2 S6 S8 S8:rows; do
	RC=0
	MAILREEVE_FAIL_AT=$point timeout 120 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >"$OUT" 2>"$ERR" || RC=$?
	[ $RC = 5 ] || {
		cat "$OUT" "$ERR"
		fail "an error at $point: exit $RC, want 5"
	}
	world "$SCRATCH/after"
	same_world "$SCRATCH/old" "$SCRATCH/after" "an error at $point was not taken back"
	accepts alice@example.org
	can_log_in alice@example.org alice-secret
done
expect 0 apply --yes
world "$SCRATCH/after"
same_world "$SCRATCH/new" "$SCRATCH/after"
accepts carol@example.org
