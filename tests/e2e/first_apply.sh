#!/bin/bash
# The main way: a repository is validated, planned and applied to servers that know nothing of it; mail flows; a second plan
# is empty and a second apply touches nothing. What the operator wrote in main.cf stays byte for byte.
. "$(dirname "$0")/lib.sh"
begin
world "$SCRATCH/before"
cp "$BED_POSTFIX_DIR/main.cf" "$SCRATCH/main.cf"

say "validate and plan change nothing"
expect 0 validate "$W"
expect 0 plan
says 'alice@example.org'
expect 2 plan --detailed-exitcode
expect 0 plan --format json
python3 -c 'import json, sys; p = json.load(open(sys.argv[1])); assert p["format"] == "mailreeve.plan/1", p["format"]
assert p["summary"]["create"] > 0 and p["digest"].startswith("sha256:"), p["summary"]
names = [c["object"] for c in p["changes"]]; assert names == sorted(names); assert "user/alice@example.org" in names, names' "$OUT"
expect 0 plan --format markdown
expect 3 apply
world "$SCRATCH/still"
same_world "$SCRATCH/before" "$SCRATCH/still" "a plan or an apply without consent changed the servers"

say "apply"
expect 0 apply --yes
says_not 'warning'
expect 0 plan --detailed-exitcode
accepts alice@example.org
accepts al@example.org
accepts sales@example.org
refuses nobody@example.org
is "$(rcpt someone@elsewhere.example)" 554 "relaying is refused"
can_log_in alice@example.org alice-secret
cannot_log_in alice@example.org wrong-secret
sends_and_reads someone@elsewhere.example bob@example.org bob@example.org bob-secret
sends_and_reads someone@elsewhere.example al@example.org alice@example.org alice-secret
is "$(ldap_search -b ou=people,dc=example,dc=org '(uid=alice)' mail | sed -n 's/^mail: //p')" alice@example.org
is "$(stat -c '%a %U' "$BED_STATE")" "700 root"

say "what the operator wrote stands as before"
grep -vE '^(message_size_limit|mailreeve|virtual_|relay_|transport_maps|smtpd_client_restrictions|smtpd_sender_login_maps)' \
	"$SCRATCH/main.cf" >"$SCRATCH/kept"
diff "$SCRATCH/kept" "$BED_POSTFIX_DIR/main.cf" | grep '^<' >&2 && fail "lines of main.cf are gone"
is "$(postconf -c "$BED_POSTFIX_DIR" -h message_size_limit)" 52428800
is "$(postconf -c "$BED_POSTFIX_DIR" -n 2>&1 >/dev/null)" "" "postconf has something to say"

say "nothing to do: nothing written, nothing reloaded"
footprint >"$SCRATCH/feet"
reloads=$(count_reloads)
expect 0 apply --yes
expect 0 sync
diff "$SCRATCH/feet" <(footprint) >&2 || fail "an apply of nothing wrote outside its state directory"
is "$(count_reloads)" "$reloads" "an apply of nothing reloaded a server"
