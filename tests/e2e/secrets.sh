#!/bin/bash
# No hash and no password in any output, plan, record, log, argument or environment.
. "$(dirname "$0")/lib.sh"
begin
# Arguments and environment of the program under test and of all that it starts.
watch() {
	exec python3 - "$BED_AGENT_YAML" "$SCRATCH/processes" <<-'EOF'
		import os, sys
		seen = set()
		def text(pid, name):
		    with open("/proc/%s/%s" % (pid, name), "rb") as data:
		        return data.read()
		with open(sys.argv[2], "wb", 0) as out:
		    while True:
		        watched = set()
		        for pid in sorted((p for p in os.listdir("/proc") if p.isdigit()), key=int):
		            try:
		                arguments = text(pid, "cmdline")
		                parent = text(pid, "stat").rpartition(b") ")[2].split()[1].decode()
		                if parent not in watched and sys.argv[1].encode() not in arguments:
		                    continue
		                watched.add(pid)
		                if (pid, arguments) not in seen:
		                    seen.add((pid, arguments))
		                    out.write((arguments + b"\0" + text(pid, "environ")).replace(b"\0", b"\n") + b"\n")
		            except OSError:
		                continue
	EOF
}
watch &
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
grep -qE '(^|/)(postconf|postmap|postfix|doveconf|doveadm|dovecot)$' "$SCRATCH/processes" || fail "no helper program was ever seen"
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
# the numbers are for a reader without rights, who is handed them through a directory that only root can enter
is "$(find "$BED_STATE" -maxdepth 1 -type f -perm /077 ! -name metrics.prom)" "" "files of the state are for root alone"
