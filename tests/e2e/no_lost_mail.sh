#!/bin/bash
# While changes are applied, one after the other, no recipient that is good before and after is refused for good.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
(
	while :; do
		for address in alice@example.org bob@example.org al@example.org sales@example.org; do
			code=$(rcpt $address 2>/dev/null) || code=none
			echo "$address $code" >>"$SCRATCH/answers"
		done
	done
) &
watcher=$!
for i in 1 2 3 4 5 6; do
	sed -i "s#      alice: .*#      alice: {name: Alice $i, password: \"$ALICE_HASH\", quota: ${i}G, aliases: [al, al$i]}#" \
		"$W/domains/example.org.yaml"
	sed -i "s/message_size_limit: .*/message_size_limit: 5${i}M/" "$W/postfix.yaml"
	printf 'domains:\n  d%s.example.org:\n    users: {u: {password: {secret: bob}}}\n    aliases: {postmaster: [u]}\n' "$i" \
		>"$W/domains/d$i.yaml"
	commit "round $i"
	expect 0 sync
	accepts "al$i@example.org"
	accepts "u@d$i.example.org"
done
kill $watcher
wait $watcher 2>/dev/null || true
n=$(wc -l <"$SCRATCH/answers")
say "$n answers"
[ "$n" -gt 40 ] || fail "only $n answers"
! grep -E ' 5[0-9][0-9]$' "$SCRATCH/answers" >&2 || fail "good recipients were refused"
