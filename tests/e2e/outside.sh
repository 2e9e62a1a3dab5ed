#!/bin/bash
# What the agent tells the outside: metrics over HTTP, by a process without rights that limits who talks to it; notices of what
# fails in any of its parts, which hold no sync up.
. "$(dirname "$0")/lib.sh"
begin
AGENT_LOG=$SCRATCH/agent.log LOG=$SCRATCH/events
: >"$LOG"
printf 'notice-%s%s\n' "$RANDOM" "$RANDOM" >"$BED_SECRETS/webhook"
chmod 600 "$BED_SECRETS/webhook"
"$here/receiver.py" "$SCRATCH/port" "$LOG" "$BED_SECRETS/webhook" 2>"$SCRATCH/receiver.err" &
wait_for 10 test -s "$SCRATCH/port"
METRICS=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >>"$BED_AGENT_YAML" <<-EOF
	user: nobody
	listen: {metrics: "$METRICS"}
	notify: {timeout: 5s, webhook: "http://127.0.0.1:$(cat "$SCRATCH/port")/", webhook_secret_file: $BED_SECRETS/webhook}
EOF
sed -i '/^drift:/d' "$BED_AGENT_YAML"
echo 'drift: {mode: heal, dovecot: report}' >>"$BED_AGENT_YAML"

start_agent() {
	: >"$AGENT_LOG"
	"$MAILREEVE" --config "$BED_AGENT_YAML" agent >>"$AGENT_LOG" 2>&1 &
	AGENT=$!
}
get() {
	curl -s --max-time 10 "http://$METRICS/metrics" >"$SCRATCH/got"
}
# shows SAMPLE VALUE: as scraped.
shows() {
	get && [ "$(SAMPLE=$1 awk 'index($0, ENVIRON["SAMPLE"] " ") == 1 { print $NF }' "$SCRATCH/got")" = "$2" ]
}
events() {
	python3 -c '
import json, sys
print(" ".join("%s:%s<%s" % (e["event"], e["state"], e["previous"]) for e in map(json.loads, open(sys.argv[1]))))' "$LOG"
}
events_are() { [ "$(events)" = "$1" ]; }
told() { grep -qE -- "$1" "$AGENT_LOG"; }
code() { curl -s --max-time 10 -o "$SCRATCH/body" -D "$SCRATCH/head" -w '%{http_code}' "$@"; }

say "metrics are served while the agent stays"
start_agent
wait_for 30 shows 'mailreeve_health{mailreeve_health="healthy"}' 1
python3 "$here/openmetrics.py" "$SCRATCH/got" || fail "no OpenMetrics"
kept() { get && cmp -s "$SCRATCH/got" "$BED_STATE/metrics.prom"; }
wait_for 10 kept
is "$(code "http://$METRICS/metrics")" 200
grep -qi '^content-type: application/openmetrics-text; version=1.0.0; charset=utf-8' "$SCRATCH/head" || fail "type: $(cat "$SCRATCH/head")"
is "$(code -I "http://$METRICS/metrics")" 200
is "$(code "http://$METRICS/")" 404
is "$(code "http://$METRICS/../observed.json" --path-as-is)" 404
is "$(code -X POST --data x "http://$METRICS/metrics")" 405
grep -qi '^allow: GET' "$SCRATCH/head" || fail "no Allow"
is "$(code -H "X: $(head -c 60000 /dev/zero | tr '\0' x)" "http://$METRICS/metrics")" 431

say "who serves them has no rights"
server=$(pgrep -P "$AGENT" -f 'agent metrics') || fail "no such part"
is "$(stat -c %U "/proc/$server")" nobody
is "$(awk '/^NoNewPrivs/ { print $2 }' "/proc/$server/status")" 1
is "$(awk '/^CapEff/ { print $2 }' "/proc/$server/status")" 0000000000000000

say "many silent clients cannot keep it from others for long"
python3 - "$METRICS" <<-'EOF' || fail "silent clients block it"
	import socket, sys, time, urllib.request
	host, port = sys.argv[1].split(":")
	peers = [socket.create_connection((host, int(port)), 5) for _ in range(60)]
	begun = time.monotonic()
	while time.monotonic() - begun < 20:
	    try:
	        urllib.request.urlopen(f"http://{sys.argv[1]}/metrics", timeout=5).read()
	        sys.exit(0)
	    except OSError:
	        time.sleep(0.2)
	sys.exit(1)
EOF

say "a mistake in the repository, which no apply meets, is told; healed drift in between does not unsay it"
is "$(events)" ""
printf 'domains: {example.org: {uzers: {}}}\n' >"$W/bad.yaml"
commit "a word that is none"
wait_for 20 events_are 'health:failed<healthy'
grep -q uzers "$LOG" || fail "no reason: $(cat "$LOG")"
wait_for 10 shows mailreeve_last_sync_status 65
wait_for 10 shows 'mailreeve_health{mailreeve_health="failed"}' 1
expect 65 sync --now
postconf -c "$BED_POSTFIX_DIR" -e 'smtpd_helo_required = no' 'message_size_limit = 1000000'
kill -USR1 "$AGENT"
healed() { [ "$(postconf -c "$BED_POSTFIX_DIR" -h message_size_limit)" = 52428800 ]; }
wait_for 20 healed
wait_for 10 shows 'mailreeve_health{mailreeve_health="failed"}' 1
is "$(events)" 'health:failed<healthy' "it is told once"
take_back
wait_for 20 events_are 'health:failed<healthy health:healthy<failed'
wait_for 10 shows mailreeve_lag_seconds 0

say "a receiver that hangs holds no sync up"
echo hang >"$LOG.mode"
printf 'domains: {example.org: {uzers: {}}}\n' >"$W/bad.yaml"
commit "a word that is none, again"
wait_for 20 shows mailreeve_last_sync_status 65
begun=$(date +%s%N)
take_back
wait_for 20 shows mailreeve_last_sync_status 0
took=$((($(date +%s%N) - begun) / 1000000))
[ $took -lt 4500 ] || fail "a sync took $took ms while a receiver hung"
expect 0 sync --now
echo ok >"$LOG.mode"

say "it ends with nothing left"
rc=0
kill -TERM "$AGENT"
wait "$AGENT" || rc=$?
is "$rc" 0
! kill -0 "$server" 2>/dev/null || fail "the part that serves metrics is left"
is "$(code "http://$METRICS/metrics")" 000
cat "$AGENT_LOG" >>"$ALL"
no_secrets_in "$ALL" "$LOG" "$SCRATCH/got" "$BED_STATE/observed.json"

say "an address that cannot be had is said, and the rest goes on"
sed -i 's/^listen:.*/listen: {metrics: "192.0.2.1:9619"}/' "$BED_AGENT_YAML"
start_agent
wait_for 20 told 'cannot listen on 192.0.2.1:9619: Cannot assign requested address'
wait_for 20 test -S "$BED_STATE/control"
expect 0 sync --now
kill -TERM "$AGENT"
wait "$AGENT" || fail "the agent ends with $?"
