#!/bin/bash
# The agent's parts that need no rights have none: with 'user' in agent.yaml they fetch, parse and watch as that account,
# cannot read the state, and root's own runs in between leave nothing behind that stops them.
. "$(dirname "$0")/lib.sh"
begin
AGENT_LOG=$SCRATCH/agent.log
chmod 711 "$SCRATCH/bed"
echo "user: nobody" >>"$BED_AGENT_YAML"

told() {
	grep -qE -- "$1" "$AGENT_LOG"
}

"$MAILREEVE" --config "$BED_AGENT_YAML" agent >"$AGENT_LOG" 2>&1 &
AGENT=$!
wait_for 30 told 'as run 1'

say "who watches is nobody, and can get no rights"
watcher=$(pgrep -P "$AGENT" -f 'agent watch  ')
is "$(stat -c %U "/proc/$watcher")" nobody
grep -q '^NoNewPrivs:.*1' "/proc/$watcher/status" || fail "the watcher could become another"
is "$(awk '/^CapEff/ {print $2}' "/proc/$watcher/status")" 0000000000000000

say "what is made from the repository is nobody's, the rest is root's alone"
is "$(find "$BED_STATE/source" ! -user nobody | head -3)" ""
is "$(stat -c '%a %U' "$BED_STATE" "$BED_STATE/state.db")" "711 root
600 root"

say "root's own runs in between do no harm"
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
git -C "$W" commit -qam "alice is liddell too"
expect 0 plan --dir "$W"
expect 0 apply --dir "$W" --yes --lock-timeout 30s # the agent may be at work
is "$(find "$BED_STATE/source" ! -user nobody | head -3)" ""
edit "$W/domains/example.org.yaml" 's/liddell\]/liddell, al.liddell]/'
commit "and al.liddell"
live() { [ "$(rcpt "$1")" = 250 ]; }
wait_for 15 live al.liddell@example.org

say "an account that is not there is said, and nothing is done"
kill -TERM "$AGENT"
wait "$AGENT" || fail "it does not end in good order"
sed -i 's/^user: .*/user: nobody-at-all/' "$BED_AGENT_YAML"
"$MAILREEVE" --config "$BED_AGENT_YAML" agent >"$AGENT_LOG" 2>&1 &
AGENT=$!
wait_for 15 told "there is no account 'nobody-at-all'"
kill -TERM "$AGENT"
wait "$AGENT" || fail "it does not end in good order"
