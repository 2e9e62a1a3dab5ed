#!/bin/bash
# A desired state that would make the server an open relay is refused, whichever way it is written, and not for one moment
# is it one.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
world "$SCRATCH/before"
(
	while :; do
		code=$(rcpt someone@elsewhere.example 2>/dev/null) || true
		[ "$code" != 250 ] || echo "accepted" >>"$SCRATCH/relayed"
	done
) &
watcher=$!
n=0
while read -r parameters; do
	printf 'postfix:\n  parameters: %s\n' "$parameters" >"$W/relay.yaml"
	commit "open: $parameters"
	mr apply --yes
	case $RC in 3 | 5 | 65) ;; *) cat "$OUT" "$ERR" && fail "exit $RC for $parameters" ;; esac
	world "$SCRATCH/after"
	same_world "$SCRATCH/before" "$SCRATCH/after"
	mr sync
	case $RC in 0) fail "sync applied $parameters" ;; esac
	world "$SCRATCH/after"
	same_world "$SCRATCH/before" "$SCRATCH/after"
	n=$((n + 1))
done <<-'EOF'
	{smtpd_relay_restrictions: [permit]}
	{smtpd_relay_restrictions: [], smtpd_recipient_restrictions: [permit_mynetworks, permit]}
	{mynetworks: "0.0.0.0/0"}
	{mynetworks: [127.0.0.0/8, 192.0.0.0/3, 0.0.0.0/1]}
	{smtpd_relay_restrictions: [permit_mynetworks, "check_sender_access static:OK", reject_unauth_destination]}
EOF
kill $watcher
wait $watcher 2>/dev/null || true
is "$n" 5
[ ! -s "$SCRATCH/relayed" ] || fail "mail for elsewhere was accepted"
accepts alice@example.org
