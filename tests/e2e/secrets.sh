#!/bin/bash
# No hash and no password in any output, plan, record, log, argument or environment.
. "$(dirname "$0")/lib.sh"
begin
watch() {
	while :; do
		for pid in $(pgrep -f "$BED_AGENT_YAML" || true) $(pgrep -P "$1" || true); do
			cat "/proc/$pid/cmdline" "/proc/$pid/environ" 2>/dev/null || true
		done | tr '\0' '\n' >>"$SCRATCH/processes"
		# what doveadm and postmap were started with: the children of children
		ps -eo args --no-headers >>"$SCRATCH/processes"
	done
}
watch $$ &
watcher=$!
expect 0 validate "$W"
for format in text json markdown html; do
	expect 0 plan --format $format
done
expect 0 --verbose plan --out "$SCRATCH/saved.plan"
expect 0 --verbose apply --yes
NEW_HASH=$(hash_of new-secret)
sed -i "s#password: {secret: bob}#password: \"$NEW_HASH\"#" "$W/domains/example.org.yaml"
commit "bob's new password"
for format in text json markdown html; do
	expect 0 plan --format $format
done
says_not 'new-secret'
expect 0 --verbose apply --yes
sed -i 's/{name: Bob/{nme: Bob/' "$W/domains/example.org.yaml"
expect 65 validate "$W"
git -C "$W" checkout -q .
for verb in status history drift "show 1" "history 1" "why user/alice@example.org" "why user/bob@example.org"; do
	# shellcheck disable=SC2086
	mr $verb
	# shellcheck disable=SC2086
	mr --format json $verb
done
kill $watcher
wait $watcher 2>/dev/null || true
BOB_HASH_OLD=$BOB_HASH
no_secrets_in "$ALL" "$SCRATCH/saved.plan" "$SCRATCH/processes" "$BED_LOG"
BOB_HASH=$NEW_HASH
no_secrets_in "$ALL" "$SCRATCH/saved.plan" "$SCRATCH/processes" "$BED_LOG"
BOB_HASH=$BOB_HASH_OLD
[ -s "$SCRATCH/processes" ] || fail "nothing was watched"
grep -q 'sensitive' "$ALL" || fail "plans do not even say that a password changes"

say "what is kept is sealed, and root's alone"
find "$BED_STATE" -maxdepth 1 -type f -printf '%m %u %p\n' | while read -r mode owner file; do
	case $mode in 600 | 400 | 640 | 644) ;; *) fail "$file: mode $mode" ;; esac
	is "$owner" root
done
is "$(stat -c %a "$BED_STATE")" 700
# what the repository holds in clear may stand in its mirror and in the cache of its rows; a secret of the host may not
ALICE_HASH=$PROBE_HASH
for file in "$BED_STATE"/*; do
	[ ! -f "$file" ] || no_secrets_in "$file"
done
is "$(find "$BED_STATE" -maxdepth 1 -type f -perm /077)" "" "files of the state are for root alone"
