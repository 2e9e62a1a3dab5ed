#!/bin/bash
# signatures: required: what apply, sync and the agent take is signed with a key of allowed_signers, or nothing is changed;
# what root reads of it is not what the account of the fetch left behind.
. "$(dirname "$0")/lib.sh"
begin
allowed=$SCRATCH/allowed_signers
for name in ops stranger late; do
	ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$SCRATCH/$name"
done
{
	echo "ops@example.org,ops2@example.org namespaces=\"git\" $(cat "$SCRATCH/ops.pub")"
	echo "late@example.org valid-before=\"20200101\" $(cat "$SCRATCH/late.pub")"
} >"$allowed"
expect 0 apply --yes
cp "$BED_AGENT_YAML" "$SCRATCH/agent.yaml"
echo "signatures: {required: true, allowed_signers: $allowed}" >>"$BED_AGENT_YAML"

# signed KEY ARGUMENT…: git, as one who signs with that key.
signed() {
	git -C "$W" -c gpg.format=ssh -c user.signingkey="$SCRATCH/$1" "${@:2}"
}

# change LINE: another alias of alice.
change() {
	edit "$W/domains/example.org.yaml" "s/aliases: \\[al/&, $1/"
	git -C "$W" add -A
}

push() {
	git -C "$W" push -qf origin HEAD:main
}

# refused VERB… : with 77, and nothing is changed.
refused() {
	world "$SCRATCH/before"
	expect 77 "$@"
	world "$SCRATCH/after"
	same_world "$SCRATCH/before" "$SCRATCH/after"
}

say "not signed"
change one
git -C "$W" commit -qm "not signed"
push
refused sync
says "commit $(git -C "$W" rev-parse HEAD | cut -c 1-12) by .* is not signed"
says "allowed_signers"
refused apply --yes
expect 2 plan --detailed-exitcode --out "$SCRATCH/plan.json"
refused apply --yes "$SCRATCH/plan.json"
expect 0 history --format json
says 'is not signed'
expect 78 doctor
says '^error +signatures +commit .* is not signed'

say "what its author is called moves no cursor"
GIT_COMMITTER_NAME=$'ops\033[2J' git -C "$W" commit -q --amend --no-edit
push
refused sync
expect 0 history --format json
for file in "$OUT" "$ERR" "$BED_STATE/observed.json"; do
	grep -q $'\033' "$file" && fail "an escape in $file"
done
python3 -c '
import json, sys
assert not any("\033" in run["detail"] for run in json.load(open(sys.argv[1]))["runs"])' "$OUT" || fail "an escape in the history"
git -C "$W" commit -q --amend --no-edit

say "a folder carries no signature"
refused apply --yes --dir "$W"
expect 2 plan --detailed-exitcode --dir "$W" --out "$SCRATCH/plan.json"
refused apply --yes "$SCRATCH/plan.json"

say "signed by one who may not"
signed stranger commit -q --amend --no-edit -S
push
refused sync
says 'is not signed by a key that is allowed'

say "signed with a key that was valid only before"
signed late commit -q --amend --no-edit -S
push
refused sync
says 'is not signed by a key that is allowed'

say "signed in another way"
signature=$(printf -- '-----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----')
git -C "$W" cat-file commit HEAD | python3 -c '
import re, sys
text = re.sub(r"gpgsig .*?END SSH SIGNATURE-----\n", "gpgsig " + sys.argv[1] + "\n", sys.stdin.read(), flags=re.S)
sys.stdout.write(text)' "$signature" >"$SCRATCH/commit"
git -C "$W" reset -q --soft "$(git -C "$W" hash-object -t commit -w "$SCRATCH/commit")"
push
refused sync
says 'signed .* in another way'

say "a signature that was made for something else"
signed ops commit -q --amend -m "signed" -S
git -C "$W" cat-file commit HEAD | sed 's/^signed$/signed otherwise/' >"$SCRATCH/commit"
git -C "$W" update-ref refs/heads/forged "$(git -C "$W" hash-object -t commit -w "$SCRATCH/commit")"
git -C "$W" push -qf origin forged:main
refused sync
says 'signature that does not hold'

say "signed by one who may"
push
expect 0 sync --verbose
says "commit .* is signed by 'ops@example.org'"
accepts one@example.org
expect 0 plan --detailed-exitcode
expect 0 doctor
says '^ok +signatures +commit .* is signed'

say "the agent waits for the signature"
AGENT_LOG=$SCRATCH/agent.log
"$MAILREEVE" --config "$BED_AGENT_YAML" agent >>"$AGENT_LOG" 2>&1 &
AGENT=$!
told() { grep -qE -- "$1" "$AGENT_LOG"; }
taken() { [ "$(rcpt "$1")" = 250 ]; }
wait_for 30 told 'begins'
change two
git -C "$W" commit -qm "not signed either"
push
wait_for 30 told 'is not signed .*exit status 77'
refuses two@example.org
signed ops commit -q --amend --no-edit -S
push
wait_for 30 told 'applied'
wait_for 30 taken two@example.org
kill -TERM $AGENT
wait $AGENT || fail "the agent does not end well"

say "what was kept of the repository beside its objects is not believed"
change three
signed ops commit -qm "three" -S
push
expect 0 sync
accepts three@example.org
unwary() { BED_AGENT_YAML=$SCRATCH/agent.yaml expect "$@"; }
sleep 2.1 # what moved a moment ago may move again unseen, and is not noted
unwary 0 plan --detailed-exitcode
python3 - "$BED_STATE/source/repository.git/mailreeve-glance" \
	"$(git -C "$W" rev-parse HEAD:domains/example.org.yaml)" "$(git -C "$W" rev-parse HEAD~1:domains/example.org.yaml)" <<-'EOF'
	import sys
	path, newer, older = sys.argv[1:]
	with open(path, "rb") as file:
	    text = file.read()
	assert newer.encode() in text
	with open(path, "wb") as file:
	    file.write(text.replace(newer.encode(), older.encode()))
EOF
unwary 2 plan --detailed-exitcode
expect 0 plan --detailed-exitcode
expect 0 sync
accepts three@example.org
rm "$BED_STATE/source/repository.git/mailreeve-glance"
loose() { # the file of a revision in the mirror
	git -C "$W" rev-parse "$1" | sed "s#^..#$BED_STATE/source/repository.git/objects/&/#"
}
chmod u+w "$(loose HEAD:domains/example.org.yaml)"
cp "$(loose HEAD~1:domains/example.org.yaml)" "$(loose HEAD:domains/example.org.yaml)"
rm "$BED_STATE/desired.db"
expect 69 plan
accepts three@example.org
change four
signed ops commit -qm "four" -S
push
expect 0 sync
accepts four@example.org

say "a rollback goes to what was applied before"
expect 0 rollback --yes
refuses four@example.org

say "the file decides over the host"
chmod go+w "$allowed"
expect 78 sync
says 'others may write to it'
expect 78 doctor
says '^error +signatures .*others may write'
chmod go-w "$allowed"
mv "$allowed" "$allowed.away"
expect 78 sync
says "cannot read '.*allowed_signers'"
mv "$allowed.away" "$allowed"
[ -z "$(find "$BED_STATE" -name 'signature-*')" ] || fail "a file was left behind"
