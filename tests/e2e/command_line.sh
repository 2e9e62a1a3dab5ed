#!/bin/bash
# The command line itself: help with an example each, usage errors, completion, manual pages, init, hash-password. Needs no
# servers.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
MAILREEVE=${MAILREEVE:-$top/build/debug/agent/mailreeve}
SCRATCH=$(mktemp -d /tmp/mr-cli.XXXXXX)
trap 'rm -rf "$SCRATCH"' EXIT
fail() {
	echo "FAILED in line ${BASH_LINENO[0]}: $*" >&2
	exit 1
}
# expect CODE COMMAND…: the exit code, and output in $SCRATCH/out and err
expect() {
	local want=$1 got=0
	shift
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null || got=$?
	[ $got -eq "$want" ] || fail "exit code $got instead of $want: $* ($(head -n 3 "$SCRATCH/err"))"
}

verbs='init validate plan apply sync status history show confirm rollback why hash-password schema drift trust completion'
expect 0 "$MAILREEVE" --help
for verb in $verbs; do
	grep -q "^  $verb " "$SCRATCH/out" || fail "'$verb' is not in the help"
done
for verb in $verbs; do
	expect 0 "$MAILREEVE" "$verb" --help
	grep -q '^Example: mailreeve ' "$SCRATCH/out" || fail "the help of '$verb' has no example"
done

expect 64 "$MAILREEVE"
expect 64 "$MAILREEVE" pln
grep -q "'pln'" "$SCRATCH/err" || fail "the unknown verb is not named"
expect 64 "$MAILREEVE" plan --no-such-option
expect 64 "$MAILREEVE" plan --out
expect 64 "$MAILREEVE" plan --format yaml
expect 64 "$MAILREEVE" plan --format sarif
expect 64 "$MAILREEVE" status --yes
expect 64 "$MAILREEVE" plan --dir a --ref b
expect 64 "$MAILREEVE" validate one two
expect 64 "$MAILREEVE" apply --lock-timeout 5
expect 64 "$MAILREEVE" rollback x --config /dev/null
expect 78 "$MAILREEVE" plan --config "$SCRATCH/none.yaml"
expect 0 "$MAILREEVE" --version
grep -qE '^mailreeve [0-9]+\.[0-9]+\.[0-9]+$' "$SCRATCH/out" || fail "the version reads otherwise"

expect 0 "$MAILREEVE" completion bash
bash -n "$SCRATCH/out" || fail "the bash completion is no bash"
bash -c '. "$1"; COMP_WORDS=(mailreeve pl); COMP_CWORD=1; _mailreeve; [ "${COMPREPLY[*]}" = plan ]' - "$SCRATCH/out" ||
	fail "bash does not complete 'pl'"
bash -c '. "$1"; COMP_WORDS=(mailreeve plan --format j); COMP_CWORD=3; _mailreeve; [ "${COMPREPLY[*]}" = json ]' - "$SCRATCH/out" ||
	fail "bash does not complete '--format j'"
for shell in zsh fish man; do
	expect 0 "$MAILREEVE" completion $shell
	[ -s "$SCRATCH/out" ] || fail "nothing for $shell"
done
for verb in $verbs; do
	grep -q "^\.SS $verb" "$SCRATCH/out" || fail "'$verb' is not in mailreeve(1)"
done
expect 64 "$MAILREEVE" completion tcsh

expect 0 "$MAILREEVE" init "$SCRATCH/repository"
expect 0 "$MAILREEVE" validate "$SCRATCH/repository"
expect 64 "$MAILREEVE" init "$SCRATCH/repository"
expect 0 "$MAILREEVE" schema
python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$SCRATCH/out" || fail "the schema is no JSON"

hash=$(echo 'pass word' | "$MAILREEVE" hash-password --scheme SHA512-CRYPT)
doveadm pw -t "$hash" -p 'pass word' >/dev/null || fail "doveadm does not accept the hash"
expect 64 "$MAILREEVE" hash-password
expect 64 sh -c "echo x | '$MAILREEVE' hash-password --scheme NO-SUCH"
