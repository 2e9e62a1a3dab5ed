#!/bin/bash
# A person's pause holds back every apply, says who, why and until when, and ends by itself or by 'resume'; plans, drift and
# status go on; what was interrupted is ended all the same.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes

say "both options, and a time that is to come"
expect 64 pause --reason x
expect 64 pause --until 2h
expect 64 pause --reason x --until 2020-01-01
expect 64 pause --reason x --until yesterday
expect 64 pause --reason ' ' --until 2h
expect 0 resume
says 'no pause'

say "nothing is applied while it is paused"
expect 0 pause --reason 'moving the mail store' --until 2h
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
commit "alice is liddell too"
world "$SCRATCH/before"
for verb in sync 'apply --yes' 'rollback --yes'; do
	# shellcheck disable=SC2086
	expect 75 $verb
	says 'paused by .* until 20..-.*: moving the mail store'
done
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after"
expect 2 plan --detailed-exitcode
expect 0 drift
expect 0 status
says '^paused: .*moving the mail store'
expect 0 status --format json
python3 - "$OUT" <<-'EOP'
	import json, sys
	status = json.load(open(sys.argv[1]))
	assert status["health"] == "paused", status
	assert status["paused"]["reason"] == "moving the mail store", status
	assert status["paused"]["until"] > status["paused"]["since"], status
EOP

say "resume ends it"
expect 0 resume
expect 0 sync
accepts liddell@example.org
expect 0 status
says_not paused

say "it ends by itself"
expect 0 pause --reason 'a moment' --until 2s
expect 75 sync
over() { mr sync && [ "$RC" = 0 ]; }
wait_for 8 over

say "what was interrupted is ended first, paused or not"
edit "$W/domains/example.org.yaml" 's/quota: 2G/quota: 3G/'
commit "more room"
world "$SCRATCH/old"
MAILREEVE_CRASH_AT=S5 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >/dev/null 2>&1 || true
expect 0 pause --reason 'looking at it' --until 2h
expect 75 sync
world "$SCRATCH/after"
same_world "$SCRATCH/old" "$SCRATCH/after"

say "a file that cannot be understood is a pause without an end"
echo '{' >"$BED_STATE/paused.json"
expect 75 sync
says "somebody says 'mailreeve resume'"
expect 0 resume
expect 0 sync
