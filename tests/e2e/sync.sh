#!/bin/bash
# The unattended way: sync applies what was pushed, takes back what fails, does not try it again, goes on with the next
# commit; only descendants are applied; a person can roll back.
. "$(dirname "$0")/lib.sh"
begin
expect 0 sync
expect 0 plan --detailed-exitcode
accepts alice@example.org
world "$SCRATCH/one"

say "a pushed change"
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
commit "alice is liddell too"
expect 0 sync
accepts liddell@example.org
world "$SCRATCH/two"

say "a change that fails is taken back, once"
edit "$W/postfix.yaml" 's#reject_unauth_pipelining#"check_client_access lmdb:/nonexistent/clients"#'
commit "a map that is not there"
expect 5 sync
world "$SCRATCH/after"
same_world "$SCRATCH/two" "$SCRATCH/after"
mr sync
[ "$RC" != 5 ] || fail "a commit that was rolled back is tried again"
says 'quarantine|rolled back|not (tried|applied) again'
world "$SCRATCH/after"
same_world "$SCRATCH/two" "$SCRATCH/after"

say "the next commit goes on"
git -C "$W" revert --no-edit HEAD >/dev/null
edit "$W/domains/example.org.yaml" 's/quota: 2G/quota: 3G/'
commit "mended"
expect 0 sync
expect 0 plan --detailed-exitcode
expect 0 status
says 'mended|[0-9a-f]{7}'

say "history and rollback"
expect 0 history
says 'alice is liddell too'
expect 0 history --format json
run=$(python3 -c '
import json, sys
runs = json.load(open(sys.argv[1]))
runs = runs if isinstance(runs, list) else runs["runs"]
print([r["run"] if "run" in r else r["id"] for r in runs if r.get("subject") == "mended"][0])' "$OUT")
expect 0 show "$run"
expect 3 rollback
expect 0 rollback --yes
world "$SCRATCH/after"
same_world "$SCRATCH/two" "$SCRATCH/after"
mr sync
world "$SCRATCH/after"
same_world "$SCRATCH/two" "$SCRATCH/after" "sync applied again what a person rolled back"

say "only a descendant of what was applied is applied"
edit "$W/domains/example.org.yaml" 's/Bob,/Robert,/'
commit "a newer commit"
expect 0 sync
world "$SCRATCH/three"
git -C "$W" checkout -q -B main HEAD~3
edit "$W/domains/example.org.yaml" 's/Alice Liddell/Alice L/'
git -C "$W" commit -qam "history rewritten"
git -C "$W" push -qf origin HEAD:main
mr sync
[ "$RC" != 0 ] || fail "a rewritten history was applied"
world "$SCRATCH/after"
same_world "$SCRATCH/three" "$SCRATCH/after"
