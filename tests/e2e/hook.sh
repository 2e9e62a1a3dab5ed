#!/bin/bash
# The post-receive hook of examples/ci: a pushed branch is shown as a plan, the host's own branch is applied.
. "$(dirname "$0")/lib.sh"
begin
cp "$top/examples/ci/hooks/post-receive" "$BED_REPO/hooks/post-receive"
export MAILREEVE="$MAILREEVE --config $BED_AGENT_YAML"
git -C "$W" checkout -q -b idea
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
git -C "$W" commit -qam "an idea"
git -C "$W" push origin idea >"$OUT" 2>"$ERR"
says 'liddell'
git -C "$W" checkout -q main
git -C "$W" commit -q --allow-empty -m "go"
git -C "$W" push origin main >"$OUT" 2>"$ERR"
says 'exit code 0'
accepts alice@example.org
refuses liddell@example.org
git -C "$W" merge -q --no-edit idea
git -C "$W" push origin main >"$OUT" 2>"$ERR"
says 'exit code 0'
accepts liddell@example.org
