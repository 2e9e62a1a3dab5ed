#!/bin/bash
# The agent that stays: a push is live without anybody asking, a failing one is taken back and left, SIGUSR1 and 'sync --now'
# ask it, a broken agent.yaml is refused while the old one goes on, a second agent is turned away, SIGTERM ends it.
. "$(dirname "$0")/lib.sh"
begin
AGENT_LOG=$SCRATCH/agent.log

notify_socket() {
	python3 - "$SCRATCH/notify" "$SCRATCH/notified" <<-'EOF' &
		import os, socket, sys
		peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		peer.bind(sys.argv[1])
		with open(sys.argv[2], "ab", buffering=0) as log:
		    while True:
		        log.write(peer.recv(65536) + b"\n")
	EOF
	wait_for 5 test -S "$SCRATCH/notify"
}

start_agent() {
	: >"$AGENT_LOG"
	NOTIFY_SOCKET=$SCRATCH/notify WATCHDOG_USEC=2000000 "$MAILREEVE" --config "$BED_AGENT_YAML" agent >>"$AGENT_LOG" 2>&1 &
	AGENT=$!
}

stop_agent() {
	local rc=0
	kill -TERM "$AGENT"
	wait "$AGENT" || rc=$?
	is "$rc" 0 "the agent ends in good order"
	cat "$AGENT_LOG" >>"$ALL"
}

told() {
	grep -qE -- "$1" "$AGENT_LOG"
}

live() {
	[ "$(rcpt "$1")" = 250 ]
}

notify_socket
say "it begins, syncs by itself, and says so"
start_agent
wait_for 30 told 'applied [0-9a-f]{12} as run 1'
grep -q '^READY=1' "$SCRATCH/notified" || fail "no READY"
wait_for 10 grep -q '^STATUS=.*waiting' "$SCRATCH/notified"
wait_for 10 grep -q '^WATCHDOG=1' "$SCRATCH/notified"
accepts alice@example.org
expect 0 plan --detailed-exitcode

say "a push is live without anybody asking"
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
commit "alice is liddell too"
wait_for 15 live liddell@example.org
wait_for 5 told 'as run 2'

say "packed references and a pushed tag are no reason to do anything, the next push is"
git -C "$BED_REPO" pack-refs --all
git -C "$W" tag v1
git -C "$W" push -q origin v1
edit "$W/domains/example.org.yaml" 's/liddell\]/liddell, al.liddell]/'
commit "and al.liddell"
wait_for 15 live al.liddell@example.org
wait_for 5 told 'as run 3'

say "a push of many references, the branch among them"
edit "$W/domains/example.org.yaml" 's/al.liddell\]/al.liddell, liddell.a]/'
git -C "$W" commit -qam "liddell.a"
for i in $(seq 300); do echo "create refs/heads/many/$i HEAD"; done | git -C "$W" update-ref --stdin
git -C "$W" push -q origin HEAD:main 'refs/heads/many/*'
wait_for 15 live liddell.a@example.org
wait_for 5 told 'as run 4'

say "a repository that is put in the place of the old one"
git clone -q --bare "$BED_REPO" "$SCRATCH/other.git" 2>/dev/null
edit "$W/domains/example.org.yaml" 's/liddell.a\]/liddell.a, alice.l]/'
git -C "$W" commit -qam "alice.l" && git -C "$W" push -q "$SCRATCH/other.git" HEAD:main
mv "$BED_REPO" "$SCRATCH/old.git" && mv "$SCRATCH/other.git" "$BED_REPO"
wait_for 15 live alice.l@example.org

say "mistakes are named with their place, and the last good state stays"
edit "$W/postfix.yaml" 's/50M/50 horses/'
commit "horses"
wait_for 15 told 'postfix.yaml:[0-9]+:[0-9]+: error'
live alice@example.org || fail "alice is away"
expect 0 status
take_back

say "a change that fails is taken back, once"
edit "$W/postfix.yaml" 's#reject_unauth_pipelining#"check_client_access lmdb:/nonexistent/clients"#'
commit "a map that is not there"
wait_for 30 told '/nonexistent/clients.*exit status 5'
expect 3 sync --now
says quarantined
is "$(grep -c 'exit status 5' "$AGENT_LOG")" 1 "it is tried once"

say "the newest commit wins"
git -C "$W" revert --no-edit HEAD >/dev/null
edit "$W/domains/example.org.yaml" 's/quota: 2G/quota: 3G/'
commit "mended"
wait_for 20 told 'in order again|as run [6-9]'
expect 0 sync --now
says 'is live'
expect 0 plan --detailed-exitcode

say "SIGUSR1 asks too"
n=$(grep -c '^STATUS=.*fetching' "$SCRATCH/notified")
kill -USR1 "$AGENT"
fetched() { [ "$(grep -c '^STATUS=.*fetching' "$SCRATCH/notified")" -gt "$n" ]; }
wait_for 10 fetched

say "who asks must be root or the agent's own account, whatever the modes of files are"
idle() { grep '^STATUS=' "$SCRATCH/notified" | tail -1 | grep -q waiting; }
wait_for 20 idle # each cycle closes the folder again
chmod 711 "$SCRATCH/bed" "$BED_STATE"
chmod 666 "$BED_STATE/control"
n=$(grep -c '^STATUS=.*fetching' "$SCRATCH/notified")
ask() { # the bytes of a message; prints how many came back
	python3 - "$BED_STATE/control" "$1" <<-'EOF'
		import os, socket, struct, sys
		os.setuid(int(sys.argv[2]))
		peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		peer.settimeout(20)
		peer.connect(sys.argv[1])
		try:
		    peer.send(struct.pack("<I", 4).ljust(1416, b"\0"))
		    print(len(peer.recv(65536)))
		except (BrokenPipeError, ConnectionResetError):
		    print(0)
	EOF
}
is "$(ask 65534)" 0
is "$(grep -c '^STATUS=.*fetching' "$SCRATCH/notified")" "$n"
[ "$(ask 0)" -gt 0 ] || fail "root is not answered"
chmod 600 "$BED_STATE/control"
chmod 700 "$SCRATCH/bed" "$BED_STATE"

say "a broken agent.yaml is refused, the old one goes on; a good one is taken"
cp "$BED_AGENT_YAML" "$SCRATCH/agent.yaml"
echo "intervall: 5m" >>"$BED_AGENT_YAML"
kill -HUP "$AGENT"
wait_for 10 told "unknown key 'intervall'"
cp "$SCRATCH/agent.yaml" "$BED_AGENT_YAML"
expect 0 sync --now
kill -HUP "$AGENT"
wait_for 10 told 'agent.yaml was read again'
grep -q '^RELOADING=1' "$SCRATCH/notified" || fail "no RELOADING"
expect 0 sync --now

say "a second agent is turned away"
expect 75 agent
says "$AGENT"

say "SIGTERM ends it, with nothing left"
stop_agent
grep -q '^STOPPING=1' "$SCRATCH/notified" || fail "no STOPPING"
expect 1 sync --now
says 'no agent runs'
[ ! -e "$BED_STATE/control" ] || fail "the socket stays"
no_secrets_in "$ALL" "$SCRATCH/notified"
