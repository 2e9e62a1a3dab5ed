#!/bin/bash
# A repository that is damaged, emptied, invalid or gone leaves every server as it is.
. "$(dirname "$0")/lib.sh"
begin
expect 0 sync
world "$SCRATCH/good"
footprint >"$SCRATCH/feet"
untouched() {
	mr sync
	case $RC in 0) cat "$OUT" "$ERR" && fail "$1: exit 0" ;; 5 | 6) fail "$1: it was tried (exit $RC)" ;; esac
	[ -s "$ERR" ] || fail "$1: refused without a word"
	world "$SCRATCH/after"
	same_world "$SCRATCH/good" "$SCRATCH/after"
	diff "$SCRATCH/feet" <(footprint) >&2 || fail "$1: files were written"
}

say "an invalid commit"
printf 'domains:\n  example.org:\n    users: {eve: {password: "{PLAIN}eve"}}\n' >"$W/eve.yaml"
git -C "$W" add -A && git -C "$W" commit -qm "a plain password" && git -C "$W" push -q origin HEAD:main
untouched "a plain password"
says 'eve\.yaml:3:'

say "an emptied repository"
git -C "$W" rm -rq . && git -C "$W" commit -qm "all gone" && git -C "$W" push -q origin HEAD:main
untouched "no files"
mkdir -p "$W"
printf 'mailreeve: 1\n' >"$W/mailreeve.yaml"
git -C "$W" add -A && git -C "$W" commit -qm "only the root file" && git -C "$W" push -q origin HEAD:main
untouched "no users"

say "a symbolic link, an anchor"
git -C "$W" checkout -q HEAD~3 -- .
ln -s /etc/passwd "$W/link.yaml"
git -C "$W" add -A && git -C "$W" commit -qm "a link" && git -C "$W" push -q origin HEAD:main
untouched "a symbolic link"
says 'link\.yaml'
git -C "$W" rm -qf link.yaml
printf 'domains: &a {}\n' >"$W/anchor.yaml"
git -C "$W" add -A && git -C "$W" commit -qm "an anchor" && git -C "$W" push -q origin HEAD:main
untouched "an anchor"
says 'anchor\.yaml:1:'

say "the branch is gone, the objects are damaged, the repository is gone"
git -C "$BED_REPO" update-ref refs/heads/other refs/heads/main
git -C "$BED_REPO" update-ref -d refs/heads/main
untouched "no branch"
git -C "$W" rm -qf anchor.yaml
git -C "$W" commit -qm "mended" && git -C "$W" push -q origin HEAD:main
find "$BED_REPO/objects" -type f -newer "$SCRATCH/feet" -size +0 | while read -r object; do
	chmod u+w "$object"
	printf 'xxxxxxxx' | dd of="$object" bs=1 seek=2 conv=notrunc status=none
done
untouched "damaged objects"
mv "$BED_REPO" "$BED_REPO.away"
untouched "no repository"
