#!/bin/bash
# Two writers that fight: with drift.mode heal a value is put back a few times, then it is left, called contended and named;
# others are still put back, also of the same object, and a person's apply puts it back and lets it count anew.
. "$(dirname "$0")/lib.sh"
begin
sed -i 's/^drift: .*/drift: {mode: heal, heals: 3}/' "$BED_AGENT_YAML"
expect 0 sync

foreign() {
	postconf -c "$BED_POSTFIX_DIR" -e "$1"
}
is_live() {
	is "$(postconf -c "$BED_POSTFIX_DIR" -h "$1")" "$2" "$1"
}

say "it is put back, three times"
for size in 1 2 3; do
	foreign "message_size_limit=${size}000000"
	expect 0 sync
	is_live message_size_limit 52428800
done

say "the fourth time it is left, and named"
foreign message_size_limit=4000000
expect 0 sync
says 'contended.*postfix.parameter/message_size_limit'
is_live message_size_limit 4000000
expect 0 status
says '^health: *contended'
says '^contended: *postfix.parameter/message_size_limit: value, put back 3 times'
expect 0 status --format json
python3 - "$OUT" <<-'EOP'
	import json, sys
	status = json.load(open(sys.argv[1]))
	assert [(c["object"], c["attribute"]) for c in status["contended"]] == [("postfix.parameter/message_size_limit", "value")], status
EOP

say "others are put back all the same"
foreign smtpd_client_restrictions=permit
expect 0 sync
is_live smtpd_client_restrictions 'permit_mynetworks, reject_unauth_pipelining'
is_live message_size_limit 4000000

say "a person puts it back, and it counts anew"
expect 0 apply --yes
is_live message_size_limit 52428800
foreign message_size_limit=5000000
expect 0 sync
says_not contended
is_live message_size_limit 52428800

say "what is in order by itself is contended no more"
for size in 6 7; do
	foreign "message_size_limit=${size}000000"
	expect 0 sync
done
foreign message_size_limit=8000000
expect 0 sync
says contended
foreign message_size_limit=52428800
expect 0 sync
expect 0 status
says_not contended

say "one value of an entry is left, another of it is put back"
alice='uid=alice,ou=people,dc=example,dc=org'
foreign_entry() { # ATTRIBUTE VALUE
	ldap_modify <<-END
		dn: $alice
		changetype: modify
		replace: $1
		$1: $2
	END
}
entry_value() {
	ldap_search -b "$alice" -s base "$1" | sed -n "s/^$1: //p"
}
for name in Mallory Trudy Eve; do
	foreign_entry sn $name
	expect 0 sync
	is "$(entry_value sn)" Liddell sn
done
foreign_entry sn Oscar
foreign_entry cn Oscar
expect 0 sync
is "$(entry_value sn)" Oscar "the value that is fought over"
is "$(entry_value cn)" 'Alice Liddell' "another of the same entry"
expect 0 status
says "^contended: *ldap/$alice: sn, put back 3 times"
says_not ': cn, put back'
expect 0 apply --yes
is "$(entry_value sn)" Liddell "after a person's apply"

say "a whole table, written anew by others again and again"
for ((i = 1; i <= 120; i++)); do
	printf '      p%d: {name: Person %d, password: {secret: bob}}\n' $i $i
done >"$SCRATCH/people"
edit "$W/domains/example.org.yaml" "/^    users:/r $SCRATCH/people"
commit "a hundred and twenty people more"
expect 0 apply --yes
users=$(dirname "$BED_DOVECOT_CONF")/mailreeve/users
for name in Human Somebody Nobody; do
	sed -i "s/:Person /:$name /; s/=Person /=$name /" "$users"
	grep -q "$name 17" "$users" || fail "nothing would change"
	expect 0 sync
	grep -q 'Person 17' "$users" || fail "it was not put back"
done
sed -i 's/:Person /:Anybody /; s/=Person /=Anybody /' "$users"
expect 0 sync
says 'contended.*dovecot'
grep -q 'Anybody 17' "$users" || fail "it was put back once more"
expect 0 status
says '^contended: *dovecot, put back 3 times'
is "$(grep -c ^contended "$OUT")" 1 "lines of status"
