#!/bin/bash
# Two writers that fight: with drift.mode heal an object is put back a few times, then it is left, called contended and named;
# others are still put back, and a person's apply puts it back and lets it count anew.
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
says '^contended: *postfix.parameter/message_size_limit, put back 3 times'
expect 0 status --format json
python3 - "$OUT" <<-'EOP'
	import json, sys
	status = json.load(open(sys.argv[1]))
	assert [c["object"] for c in status["contended"]] == ["postfix.parameter/message_size_limit"], status
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
