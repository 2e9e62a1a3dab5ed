#!/bin/bash
# Metrics: after every run metrics.prom and the textfile say what is so: results, counts, drift, lag, quarantine, queues. The
# first is OpenMetrics by a strict reader, the second what node_exporter reads. No secret is in either.
. "$(dirname "$0")/lib.sh"
begin
PROM=$BED_STATE/metrics.prom TEXT=$SCRATCH/textfile/mailreeve.prom
mkdir "$SCRATCH/textfile"
echo "metrics: {textfile: $TEXT}" >>"$BED_AGENT_YAML"

value_in() {
	SAMPLE=$2 awk 'index($0, ENVIRON["SAMPLE"] " ") == 1 { print $NF }' "$1"
}

# metric SAMPLE: its value, in both files the same; nothing when it is not there.
metric() {
	local value other
	value=$(value_in "$PROM" "$1") other=$(value_in "$TEXT" "$1")
	case $1 in *timestamp*) ;; *) is "$other" "$value" "$1 of the textfile" ;; esac
	echo "$value"
}

well_formed() {
	python3 "$here/openmetrics.py" "$PROM" || fail "$PROM is no OpenMetrics"
	! grep -qE '^# (UNIT|EOF)|^# TYPE .* (info|stateset)$' "$TEXT" || fail "the textfile is more than the older format"
	if command -v promtool >/dev/null; then
		promtool check metrics <"$TEXT" || fail "promtool refuses $TEXT"
	fi
	is "$(stat -c %a "$PROM" "$TEXT" | sort -u)" 644
	no_secrets_in "$PROM" "$TEXT" "$BED_STATE/observed.json"
}

say "after the first sync"
expect 0 sync
well_formed
head=$(git -C "$W" rev-parse HEAD)
is "$(metric 'mailreeve_health{mailreeve_health="healthy"}')" 1
is "$(metric 'mailreeve_health{mailreeve_health="failed"}')" 0
is "$(metric mailreeve_last_sync_status)" 0
is "$(metric "mailreeve_applied_info{commit=\"$head\",ref=\"main\"}")" 1
is "$(metric "mailreeve_head_info{commit=\"$head\"}")" 1
is "$(metric mailreeve_lag_seconds)" 0
is "$(metric 'mailreeve_drift{server="postfix"}')" 0
is "$(metric mailreeve_quarantined_commits)" 0
is "$(metric 'mailreeve_runs_total{verb="sync",result="applied"}')" 1
is "$(metric 'mailreeve_changes_total{action="create",kind="user"}')" 3
is "$(metric 'mailreeve_postfix_queue_messages{queue="deferred"}')" 0
[ -n "$(metric 'mailreeve_step_duration_seconds{step="S4"}')" ] || fail "no duration of S4"
now=$(date +%s) synced=$(metric mailreeve_last_sync_timestamp_seconds)
[ $((now - synced)) -le 10 ] || fail "the last sync was at $synced, it is $now"
expect 0 history 1 --format json
python3 - "$OUT" <<-'EOF'
	import json, sys
	steps = json.load(open(sys.argv[1]))["runs"][0]["steps_ms"]
	assert {"S0", "S1", "S2", "S4", "S5", "S6", "S8"} <= set(steps), steps
EOF

say "nothing to do is a run too, and no change"
expect 0 sync
well_formed
is "$(metric 'mailreeve_runs_total{verb="sync",result="unchanged"}')" 1
is "$(metric 'mailreeve_changes_total{action="create",kind="user"}')" 3

say "drift, seen by drift and by sync, put back by apply"
postconf -c "$BED_POSTFIX_DIR" -e 'message_size_limit = 1000000'
expect 0 sync
is "$(metric 'mailreeve_drift{server="postfix"}')" 1
is "$(metric 'mailreeve_drift{server="dovecot"}')" 0
expect 0 apply --yes
is "$(metric 'mailreeve_drift{server="postfix"}')" 0
is "$(metric 'mailreeve_runs_total{verb="apply",result="applied"}')" 1

say "a commit that is taken back: quarantine, lag, health"
edit "$W/postfix.yaml" 's#reject_unauth_pipelining#"check_client_access lmdb:/nonexistent/clients"#'
commit "a map that is not there"
expect 5 sync
well_formed
is "$(metric mailreeve_quarantined_commits)" 1
is "$(metric mailreeve_last_sync_status)" 5
is "$(metric 'mailreeve_health{mailreeve_health="failed"}')" 1
is "$(metric 'mailreeve_health{mailreeve_health="healthy"}')" 0
is "$(metric 'mailreeve_runs_total{verb="sync",result="rolled_back"}')" 1
is "$(metric "mailreeve_applied_info{commit=\"$head\",ref=\"main\"}")" 1 "what is live stays"
lags() { mr sync && [ "$(metric mailreeve_lag_seconds)" -ge 1 ]; }
wait_for 10 lags
succeeded=$(metric mailreeve_last_success_timestamp_seconds)
[ "$succeeded" -ge "$synced" ] || fail "the last success is older than the first sync"

say "a textfile that cannot be written is a warning"
take_back
mv "$SCRATCH/textfile" "$SCRATCH/away"
expect 0 sync
says 'warning: .*textfile.*MR-METRICS'
mv "$SCRATCH/away" "$SCRATCH/textfile"
expect 0 sync
is "$(metric mailreeve_lag_seconds)" 0
is "$(metric 'mailreeve_health{mailreeve_health="healthy"}')" 1

say "mail that waits is counted"
postconf -c "$BED_POSTFIX_DIR" -e 'defer_transports = smtp lmtp virtual'
postfix -c "$BED_POSTFIX_DIR" reload >/dev/null 2>&1
smtp 127.0.0.1 "MAIL FROM:<alice@example.org>" "RCPT TO:<bob@example.org>" DATA "Subject: waits

.
" >/dev/null
waits() { mr sync && [ "$(metric 'mailreeve_postfix_queue_messages{queue="deferred"}')" = 1 ]; }
wait_for 20 waits
no_secrets_in "$ALL"
