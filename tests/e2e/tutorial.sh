#!/bin/bash
# docs/tutorial.md: its commands, in order, on a bed of their own. Installing and building are left out: the program
# under test is used.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
MAILREEVE=${MAILREEVE:-$top/build/debug/agent/mailreeve}
SCRATCH=$(mktemp -d /tmp/mr-tutorial.XXXXXX)
chmod 755 "$SCRATCH"
finish() {
	local rc=$?
	[ $rc -eq 0 ] || tail -n 40 "$SCRATCH/out"
	for env in "$SCRATCH"/*/env; do
		[ ! -f "$env" ] || "$top/tests/bed/bed" down "$(dirname "$env")" || rc=1
	done
	rm -rf "$SCRATCH"
	exit $rc
}
trap finish EXIT
fail() {
	echo "FAILED: $*" >&2
	exit 1
}

awk '/^```sh$/ {on = 1; next} /^```$/ {on = 0} on' "$top/docs/tutorial.md" |
	grep -vE '^(tests/bed/install|cmake |export PATH=)' >"$SCRATCH/commands"
[ "$(wc -l <"$SCRATCH/commands")" -gt 40 ] || fail "the tutorial has hardly any commands left"
mkdir "$SCRATCH/bin"
ln -s "$MAILREEVE" "$SCRATCH/bin/mailreeve"
cd "$top"
TMPDIR=$SCRATCH PATH=$SCRATCH/bin:/usr/sbin:/usr/bin:/sbin:/bin GIT_CONFIG_GLOBAL=/dev/null \
	timeout 240 bash -eu "$SCRATCH/commands" >"$SCRATCH/out" 2>&1 </dev/null || fail "a command of the tutorial"

grep -q 'exit code 65' "$SCRATCH/out" || fail "the misspelt key was not refused"
grep -q "did you mean 'quota'" "$SCRATCH/out" || fail "no nearest name for the misspelt key"
grep -q 'No changes' "$SCRATCH/out" || fail "the second plan was not empty"
grep -q 'exit code 5' "$SCRATCH/out" || fail "the mistake was not taken back"
grep -q '<!-- mailreeve-plan' "$SCRATCH/out" || fail "no markdown plan for the reviewer"
grep -q 'sync  *refused' "$SCRATCH/out" || fail "the history does not tell of the mistake"
grep -q 'rollback  *applied' "$SCRATCH/out" || fail "the rollback changed nothing"
