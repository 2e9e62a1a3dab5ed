#!/bin/bash
# Notices by mail, webhook and command: when the state changes, once, and to whom it could not be told later; signed, without a
# secret, with templates; and a receiver that hangs holds a sync up for its deadline and no longer.
. "$(dirname "$0")/lib.sh"
begin
LOG=$SCRATCH/events BOX=$SCRATCH/box
mkdir -m 777 "$BOX"
: >"$LOG"
: >"$BOX/told" && chmod 666 "$BOX/told"
printf 'notice-%s%s\n' "$RANDOM" "$RANDOM" >"$BED_SECRETS/webhook"
chmod 600 "$BED_SECRETS/webhook"
"$here/receiver.py" "$SCRATCH/port" "$LOG" "$BED_SECRETS/webhook" 2>"$SCRATCH/receiver.err" &
wait_for 10 test -s "$SCRATCH/port"
cat >"$SCRATCH/command" <<-EOF
	#!/bin/bash
	{ cat; echo; env | sort | cut -d= -f1 | tr '\n' ' '; id -un; } >>$BOX/told
EOF
chmod 755 "$SCRATCH/command"
cp "$BED_AGENT_YAML" "$SCRATCH/agent.yaml"
configure() {
	{
		cat "$SCRATCH/agent.yaml"
		echo "user: nobody"
		echo "notify: {timeout: 2s, $1}"
	} >"$BED_AGENT_YAML"
}
hook() {
	echo "webhook: \"http://127.0.0.1:$(cat "$SCRATCH/port")/hook?token=tell-nobody\", webhook_secret_file: $BED_SECRETS/webhook"
}
events() {
	python3 -c '
import json, sys
print(" ".join("%s:%s<%s" % (e["event"], e["state"], e["previous"]) for e in map(json.loads, open(sys.argv[1]))))' "$LOG"
}
commands() {
	grep -c '"format"' "$BOX/told" 2>/dev/null || true
}
mails() {
	find "$BED_MAIL/example.org/alice/Maildir/new" -type f 2>/dev/null | wc -l
}
has_mails() { [ "$(mails)" = "$1" ]; }
bad_commit() {
	edit "$W/postfix.yaml" 's#reject_unauth_pipelining#"check_client_access lmdb:/nonexistent/clients'"$1"'"#'
	commit "a map that is not there $1"
}

say "all is well: nobody is told"
configure "mail: alice@example.org, $(hook), command: $SCRATCH/command"
expect 0 sync
says_not 'MR-NOTIFY'
is "$(events)" ""
is "$(commands)" 0

say "a failure is told by all three, once"
bad_commit 1
expect 5 sync
says_not 'MR-NOTIFY'
is "$(events)" "health:failed<healthy"
is "$(commands)" 1
wait_for 20 has_mails 1
expect 3 sync
expect 3 sync
is "$(events)" "health:failed<healthy" "the same commit is not told again"
is "$(commands)" 1
python3 - "$LOG" "$(git -C "$W" rev-parse HEAD)" <<-'EOF'
	import json, sys
	first, = map(json.loads, open(sys.argv[1]))
	assert first["format"] == "mailreeve.event/1" and first["host"] == "mx1.example.org", first
	assert first["commit"] == sys.argv[2] and first["run"] == 2, first
	assert first["subject"] == "a map that is not there 1" and "/nonexistent/clients1" in first["reason"], first
	assert len(first["id"]) == 32 and first["time"].endswith("Z"), first
	assert first["path"] == "/hook?token=tell-nobody"
EOF
grep -qx 'HOME LANG PATH .*nobody' "$BOX/told" || grep -q 'nobody' "$BOX/told" || fail "the command has more than it should: $(cat "$BOX/told")"
! grep -q 'MAILREEVE\|GIT_\|BED_' "$BOX/told" || fail "the command got our environment"

say "the mail says so, to people"
mail=$(grep -rlE '^Subject: \[mailreeve\] mx1.example.org: failed' "$BED_MAIL/example.org/alice/Maildir/new") || fail "no such mail"
grep -qE '^From: mailreeve <mailreeve@mx1.example.org>' "$mail" || fail "no sender"
grep -qE '^Auto-Submitted: auto-generated' "$mail" || fail "an answer may come back"
grep -q '/nonexistent/clients1' "$mail" || fail "the mail says no reason"

say "another commit is another failure"
edit "$W/postfix.yaml" 's/clients1/clients7/'
commit "another map that is not there"
expect 5 sync
is "$(events)" "health:failed<healthy health:failed<failed"
wait_for 20 has_mails 2

say "well again"
git -C "$W" revert --no-edit HEAD HEAD~1 >/dev/null
git -C "$W" push -q origin HEAD:main
expect 0 sync
expect 0 sync
is "$(events)" "health:failed<healthy health:failed<failed health:healthy<failed"
is "$(commands)" 3

say "drift comes and goes"
: >"$LOG"
postconf -c "$BED_POSTFIX_DIR" -e 'message_size_limit = 1000000'
expect 0 sync
expect 0 sync
is "$(events)" "drift:drift<no drift"
grep -q 'message_size_limit' "$LOG" || fail "the drifted value is not named"
expect 0 apply --yes
expect 0 sync
is "$(events)" "drift:drift<no drift drift:no drift<drift"

say "a receiver that fails is told later, the others are not told twice, and the exit code is that of the sync"
: >"$LOG"
echo fail >"$LOG.mode"
n=$(commands)
bad_commit 2
expect 5 sync
says 'warning: cannot notify by webhook at .127.0.0.1:[0-9]+.: the receiver answers with status 500.*MR-NOTIFY'
is "$(events)" ""
is "$(commands)" $((n + 1))
echo redirect >"$LOG.mode"
expect 3 sync
says 'answers with status 307'
echo ok >"$LOG.mode"
expect 3 sync
is "$(events)" "health:refused<healthy"
is "$(commands)" $((n + 1))

say "a receiver that hangs holds a sync up for its deadline and no longer"
echo hang >"$LOG.mode"
take_back
begun=$(date +%s%N)
expect 0 sync
took=$((($(date +%s%N) - begun) / 1000000))
says 'warning: cannot notify by webhook.*(imeout|no answer)'
say "$took ms with a hook that hangs"
begun=$(date +%s%N)
expect 0 sync
took=$((($(date +%s%N) - begun) / 1000000))
[ $took -ge 1500 ] || fail "it did not wait at all: $took ms"
[ $took -le 6000 ] || fail "a sync with nothing to do took $took ms"
! pgrep -f "$MAILREEVE --config $BED_AGENT_YAML" >/dev/null || fail "a process was left behind"

say "so does a command; what it started goes with it"
cat >"$SCRATCH/slow" <<-EOF
	#!/bin/bash
	sleep 987 & sleep 987
EOF
chmod 755 "$SCRATCH/slow"
configure "command: $SCRATCH/slow"
bad_commit 3
begun=$SECONDS
expect 5 sync
says 'warning: cannot notify by command .*did not end within 2.0 s'
! pgrep -f "^sleep 987" >/dev/null || fail "what the command started is left"
take_back
expect 0 sync

say "nothing listens, a secret that anybody can read: warnings"
configure "webhook: \"http://127.0.0.1:1/\""
bad_commit 4
expect 5 sync
says 'warning: cannot notify by webhook at .127.0.0.1:1.: .*connect'
configure "$(hook)"
chmod 644 "$BED_SECRETS/webhook"
expect 3 sync
says 'warning: notify: anybody can read the webhook_secret_file'
chmod 600 "$BED_SECRETS/webhook"
take_back
expect 0 sync

say "https, with a certificate that is verified"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -keyout "$SCRATCH/key.pem" -out "$SCRATCH/cert.pem" 2>/dev/null
"$here/receiver.py" "$SCRATCH/tls_port" "$SCRATCH/tls_events" "$BED_SECRETS/webhook" "$SCRATCH/cert.pem" "$SCRATCH/key.pem" \
	2>"$SCRATCH/tls.err" &
wait_for 10 test -s "$SCRATCH/tls_port"
tls="webhook: \"https://localhost:$(cat "$SCRATCH/tls_port")/\", webhook_secret_file: $BED_SECRETS/webhook"
configure "$tls"
bad_commit 5
expect 5 sync
says 'warning: cannot notify by webhook at .localhost.*(certificate|SSL|TLS)'
[ ! -e "$SCRATCH/tls_events" ] || fail "it was sent to whom it cannot know"
configure "$tls, webhook_ca_file: $SCRATCH/cert.pem"
expect 3 sync
says_not MR-NOTIFY
[ "$(wc -l <"$SCRATCH/tls_events")" = 1 ] || fail "not sent over https"
take_back
expect 0 sync

say "templates; a mistake in one is a mistake of the configuration, with its place"
mkdir "$SCRATCH/templates"
cp "$top"/examples/notifications/*.txt "$top"/examples/notifications/*.json "$SCRATCH/templates"
echo ok >"$LOG.mode"
: >"$LOG"
echo '{"time": "{{time}}", "event": "x", "state": "{{state}}", "previous": "", "text": "{{summary}}"}' >"$SCRATCH/templates/webhook.json"
configure "$(hook), templates: $SCRATCH/templates"
bad_commit 6
expect 5 sync
grep -q '"text": "mx1.example.org: failed' "$LOG" || fail "the template is not used: $(cat "$LOG")"
printf 'Subject: x\n\n  {{sumary}}\n' >"$SCRATCH/templates/mail.txt"
expect 78 sync
says "templates/mail.txt:3:3: error: unknown placeholder 'sumary'"
configure "webhook: http://hooks.example.org/tell-nobody"
expect 78 sync
says 'webhook: what is given is no https'
configure "mail: \"-oQ/tmp x@y\""
expect 78 sync
says 'is no address'

no_secrets_in "$ALL" "$LOG" "$BOX/told" "$BED_STATE/observed.json"
! grep -qF -e "$(cat "$BED_SECRETS/webhook")" "$ALL" "$BED_STATE/observed.json" || fail "the key of the webhook is told"
! grep -q tell-nobody "$ALL" "$BED_STATE/observed.json" || fail "the receiver's path is told"
