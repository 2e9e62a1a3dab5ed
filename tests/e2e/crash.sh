#!/bin/bash
# kill -9 at every step of the transaction: the next run brings all three servers to exactly the old or exactly the new state.
. "$(dirname "$0")/lib.sh"
begin
two_states

for point in S0 S1 S1:server:2 S2 S3 S3:wave:1 S3:wave:2 S4 S4:batch:1 S4:batch:2 S4:batch:3 S4:batch:4 \
	S5 S5:server:2 S6 S8 S8:rows S8:decided S9:batch S9; do
	crash_at "$point"
	recover "$point"
done
say "$kills kills: $olds old, $news new"
[ $olds -gt 0 ] || fail "no kill was early enough to be undone"
[ $news -gt 0 ] || fail "no kill was late enough to be finished"
expect 0 apply --yes
world "$SCRATCH/after"
same_world "$SCRATCH/new" "$SCRATCH/after"
accepts carol@example.org
