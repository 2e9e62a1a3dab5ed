#!/bin/bash
# A change on probation: confirmed it stays; in silence, on a signal and after a crash it is taken back.
. "$(dirname "$0")/lib.sh"
begin
expect 0 sync
world "$SCRATCH/one"
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
commit "alice is liddell too"

# waiting RUN: until an apply in the background waits for a word about this run
waiting() {
	local n
	for n in $(seq 200); do
		[ "$(cat "$BED_STATE/probation" 2>/dev/null)" = "$1" ] && return
		sleep 0.1
	done
	fail "no apply waits for run $1 after $n looks"
}

say "silence takes it back"
expect 5 apply --yes --confirm-within 1s
says 'nobody confirmed'
world "$SCRATCH/after"
same_world "$SCRATCH/one" "$SCRATCH/after"

say "a signal is a no"
"$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes --confirm-within 1m >"$OUT" 2>"$ERR" </dev/null &
pid=$!
waiting 3
accepts liddell@example.org
kill -TERM $pid
rc=0
wait $pid || rc=$?
[ $rc = 5 ] || fail "exit $rc after a signal"
world "$SCRATCH/after"
same_world "$SCRATCH/one" "$SCRATCH/after"

say "killed while it waits: the next start takes it back"
"$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes --confirm-within 1m >"$OUT" 2>"$ERR" </dev/null &
pid=$!
waiting 4
kill -KILL $pid
wait $pid || true
expect 3 apply
says 'interrupted'
world "$SCRATCH/after"
same_world "$SCRATCH/one" "$SCRATCH/after"
expect 64 confirm 4

say "a word keeps it"
expect 64 confirm 99
"$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes --confirm-within 1m >"$OUT" 2>"$ERR" </dev/null &
pid=$!
for _ in $(seq 200); do
	[ -s "$BED_STATE/probation" ] && break
	sleep 0.1
done
expect 0 confirm "$(cat "$BED_STATE/probation")"
rc=0
wait $pid || rc=$?
[ $rc = 0 ] || fail "exit $rc after the confirmation"
accepts liddell@example.org
expect 0 plan --detailed-exitcode
expect 64 confirm 1
