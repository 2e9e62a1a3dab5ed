#!/bin/bash
# Drift as it happens: what others write into the directory or into a file is said by the agent at once, not at its interval;
# also after the directory was away, or did not answer.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
AGENT_LOG=$SCRATCH/agent.log
sed -i 's/^interval:.*/interval: 1h/' "$BED_AGENT_YAML"
grep -q '^interval: 1h' "$BED_AGENT_YAML" || echo 'interval: 1h' >>"$BED_AGENT_YAML"

told() {
	grep -qE -- "$1" "$AGENT_LOG"
}

next_try() {
	expect 0 status --format json
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["agent"]["next_try"])' "$OUT"
}

drift_is() {
	expect 0 status --format json
	[ "$(python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["drift"]["servers"], sort_keys=True))' "$OUT")" = "$1" ]
}

set_sn() {
	ldap_modify <<-END
		dn: uid=alice,ou=people,dc=example,dc=org
		changetype: modify
		replace: sn
		sn: $1
	END
}

"$MAILREEVE" --config "$BED_AGENT_YAML" agent >>"$AGENT_LOG" 2>&1 &
AGENT=$!
wait_for 30 told 'begins'
waits() { expect 0 status && grep -q 'waiting; next try 20' "$OUT"; }
wait_for 30 waits
planned=$(next_try)

say "the directory"
set_sn Mallory
wait_for 5 told 'sn applied Liddell, live Mallory'

say "a file"
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=999
wait_for 5 told 'message_size_limit.*live 999'
wait_for 5 waits
is "$(next_try)" "$planned" "what others write puts off no planned try"

say "a file, in each way that people and programs write one"
users=$(dirname "$BED_DOVECOT_CONF")/mailreeve/users
rows=$(cat "$users")
again() { # what was told before is none of the next one's
	expect 0 apply --yes
	: >"$AGENT_LOG"
}
again
sed 's/:Alice Liddell:/:In Place:/; s/=Alice Liddell/=In Place/' <<<"$rows" >"$SCRATCH/rows"
cmp -s "$SCRATCH/rows" "$users" && fail "nothing would change"
cat "$SCRATCH/rows" >"$users"
wait_for 5 told 'drift: user/alice@example.org: name .*In Place'
again
sed 's/In Place/Renamed Over/' "$SCRATCH/rows" >"$users.new"
mv "$users.new" "$users"
wait_for 5 told 'drift: user/alice@example.org: name .*Renamed Over'
again
mv "$users" "$SCRATCH/users" # what is not there is not empty: it is said, and nothing is done
wait_for 5 told "cannot read '$users'"
mv "$SCRATCH/users" "$users"
wait_for 5 told 'in order again'
again
mv "$(dirname "$users")" "$SCRATCH/own" && cp -a "$SCRATCH/own" "$(dirname "$users")"
sed 's/In Place/Folder Replaced/' "$SCRATCH/rows" >"$users"
wait_for 5 told 'drift: user/alice@example.org: name .*Folder Replaced'
again

say "Postfix' own folder, away with all that is in it"
mv "$BED_POSTFIX_DIR/mailreeve" "$SCRATCH/tables"
wait_for 5 told "virtual_[a-z_]+' is not in '.*where main.cf looks for it"
mv "$SCRATCH/tables" "$BED_POSTFIX_DIR/mailreeve"
wait_for 5 told 'in order again'
again

say "a server that is read in part: what is seen of it is not counted again with every look"
tables=$(echo "$BED_POSTFIX_DIR"/mailreeve/gen-*)
echo 'mallory@example.org example.org/mallory/' | postmap -c "$BED_POSTFIX_DIR" -i "lmdb:$tables/virtual_mailbox_maps"
wait_for 10 drift_is '{"dovecot": 0, "openldap": 0, "postfix": 1}'
mv "$tables/virtual_alias_maps.lmdb" "$SCRATCH"
for name in Mallory Oscar Walter; do # each is a look
	set_sn "$name"
	wait_for 10 told "live $name"
done
wait_for 10 drift_is '{"dovecot": 0, "openldap": 1, "postfix": 1}'
mv "$SCRATCH/virtual_alias_maps.lmdb" "$tables"
wait_for 10 told 'in order again'
again

say "the directory was away: what happens to the other servers is told all the same, and what was seen in it is not gone"
set_sn Eve
wait_for 5 told 'live Eve'
"$bed" kill "$BED_DIR" slapd
wait_for 10 told 'cannot be watched'
limit=$(postconf -h -c "$BED_POSTFIX_DIR" message_size_limit)
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=997
wait_for 30 told 'drift: .*message_size_limit.*live 997'
wait_for 30 drift_is '{"dovecot": 0, "openldap": 1, "postfix": 1}'
postconf -c "$BED_POSTFIX_DIR" -e "message_size_limit=$limit"
wait_for 60 drift_is '{"dovecot": 0, "openldap": 1, "postfix": 0}' # a directory that is away is waited for
told 'no drift any more' && fail "what was not read is not gone"
"$bed" start "$BED_DIR" slapd
wait_for 30 told 'in order again'
set_sn Trudy
wait_for 40 told 'live Trudy' # who looks on tries again every some seconds

say "the directory is there and does not answer"
again
slapd_is() { kill "-$1" "$(cat "$SCRATCH/bed/ldap/slapd.pid")"; }
slapd_is STOP
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=998
wait_for 90 told 'Timed out.*exit status 69'
wait_for 90 told 'drift: .*message_size_limit.*live 998'
slapd_is CONT
wait_for 30 told 'in order again'
set_sn Carol
wait_for 60 told 'live Carol'

kill -TERM $AGENT
wait $AGENT || fail "the agent does not end well"
cat "$AGENT_LOG" >>"$ALL"
no_secrets_in "$ALL"
