#!/bin/bash
# What was found in order is not compared again: and still whatever others change is seen, in each kind of file that we own,
# alone and beside other drift, and also when its size and its time are those of before.
. "$(dirname "$0")/lib.sh"
begin
edit "$W/domains/example.org.yaml" 's/^      bob: {name: Bob,/      bob: {name: Bob, services: [imap],/'
commit "bob reads by imap alone"
expect 0 apply --yes
sleep 2 # so that times of files are old enough to be believed
own=$(dirname "$BED_DOVECOT_CONF")/mailreeve
tables=$(echo "$BED_POSTFIX_DIR"/mailreeve/gen-*)

drifts() { # EXPRESSION…: each is said, and nothing else
	local one
	expect 0 drift
	for one in "$@"; do
		says "$one"
	done
	is "$(grep -c '^  ~ ' "$OUT")" $# "drifted values"
}
in_order() {
	expect 0 drift
	says '^No changes\.$'
}
# A file is changed under the same size and time.
disguised() {
	local file=$1
	cp -p "$file" "$SCRATCH/kept"
	sed "$2" "$SCRATCH/kept" >"$file"
	is "$(stat -c %s "$file")" "$(stat -c %s "$SCRATCH/kept")" "the size"
	touch -r "$SCRATCH/kept" "$file"
}
put_back() {
	cp "$SCRATCH/kept" "$1"
}

say "what is known to be in order is seen when it is not so any more"
in_order
in_order
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=999
drifts 'message_size_limit.*live 999'
disguised "$own/users" 's/Alice Liddell/Alice Liddon1/'
drifts 'message_size_limit.*live 999' 'user/alice@example.org: name .*Liddon1'
put_back "$own/users"
drifts 'message_size_limit.*live 999'
sleep 2
drifts 'message_size_limit.*live 999'

say "who may not log in by which service"
[ -s "$own/denied.pop3" ] || fail "nobody is denied"
disguised "$own/denied.pop3" 's/^bob@/bod@/'
drifts 'message_size_limit' 'user/bob@example.org'
put_back "$own/denied.pop3"

say "a row of a table that Postfix looks up"
printf 'sales@example.org mallory@example.net\n' >"$SCRATCH/row"
postmap -r -i "lmdb:$tables/virtual_alias_maps" <"$SCRATCH/row"
drifts 'message_size_limit' 'alias/sales@example.org.*mallory@example.net'
expect 0 apply --yes
in_order

say "the directory"
sleep 2
in_order
ldap_modify <<-END
	dn: uid=alice,ou=people,dc=example,dc=org
	changetype: modify
	replace: sn
	sn: Mallory
END
drifts 'sn applied Liddell, live Mallory'
expect 0 apply --yes
expect 0 plan --detailed-exitcode

say "a plan beside drift sees what the repository wants"
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=999
commit "another name"
expect 0 plan
says 'mail accepted \(1\): liddell@example.org'
expect 0 apply --yes
accepts liddell@example.org
