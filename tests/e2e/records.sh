#!/bin/bash
# The history and the status tell of every end: refused, failed, well again; and a branch that was set back is noticed
# whatever way the last commit came in.
. "$(dirname "$0")/lib.sh"
health() {
	expect 0 status --format json
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["health"])' "$OUT"
}
last_result() {
	expect 0 status --format json
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["last_run"]["result"])' "$OUT"
}
begin
is "$(health)" "never applied"
expect 0 apply --yes
is "$(health)" healthy

say "a saved plan that somebody edited is refused; one that nobody edited brings its branch along"
edit "$W/postfix.yaml" 's/50M/51M/'
commit "fifty-one"
expect 0 plan --out "$SCRATCH/saved.plan"
sed 's/53477376/10/' "$SCRATCH/saved.plan" >"$SCRATCH/edited.plan"
expect 4 apply "$SCRATCH/edited.plan" --yes
sed 's/"digest": "sha256:..../"digest": "sha256:0000/' "$SCRATCH/saved.plan" >"$SCRATCH/edited.plan"
expect 4 apply "$SCRATCH/edited.plan" --yes
is "$(last_result)" refused
is "$(health)" healthy "a refusal by hand leaves the host as it was"
expect 0 apply "$SCRATCH/saved.plan" --yes
is "$(health)" healthy
git -C "$W" checkout -q --orphan other
git -C "$W" commit -q -m "another history"
git -C "$W" push -q -f origin HEAD:main
expect 3 sync
says 'descend'
is "$(health)" refused
expect 0 history --format json
python3 - "$OUT" <<-'EOF'
	import json, sys
	runs = json.load(open(sys.argv[1]))["runs"]
	assert runs[0]["result"] == "refused" and runs[0]["ended"] and runs[0]["exit_status"] == 3, runs[0]
EOF
git -C "$W" checkout -q main
git -C "$W" push -q -f origin HEAD:main
expect 0 sync
is "$(health)" healthy

say "an invalid repository, a directory that is away, and well again"
printf 'domains: {example.org: {uzers: {}}}\n' >"$W/bad.yaml"
commit "bad"
expect 65 sync
expect 0 status
says '^why: +bad\.yaml:1:25: .*uzers'
is "$(health)" failed
rm "$W/bad.yaml"
commit "good"
"$bed" stop "$BED_DIR" slapd
expect 69 sync
is "$(health)" failed
"$bed" start "$BED_DIR" slapd
expect 0 sync
is "$(health)" healthy

say "an allowance that lifts nothing, a name that is none"
expect 64 apply --yes --allow 'users.close=6'
expect 64 apply --yes --allow 'protect<=1'
expect 64 plan --ref no-such-branch

say "back before the very first run, probe mailbox and all"
expect 3 rollback 1 --yes
expect 0 show "$(mr history --format json && python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["runs"][0]["run"])' "$OUT")"
says 'source\.empty'
expect 0 rollback 1 --yes --allow 'source.empty<=99'
is "$(postconf -c "$BED_POSTFIX_DIR" -n virtual_mailbox_maps)" "" "the default is back"
is "$(health)" healthy
expect 0 apply --yes
can_log_in alice@example.org alice-secret
