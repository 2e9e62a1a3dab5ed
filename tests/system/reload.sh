#!/bin/bash
# systemctl reload: a good agent.yaml is taken, a wrong one is refused and the old one goes on; a host whose agent.yaml is wrong
# from the start is not restarted for ever.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
begin
set_up_host
sh_in systemctl start mailreeve.service
wait_for 60 journal_says 'as run 1'
main=$(property mailreeve.service MainPID)

say "a wrong one is refused"
sh_in cp /etc/mailreeve/agent.yaml /root/agent.yaml
echo 'intervall: 5m' | sh_in tee -a /etc/mailreeve/agent.yaml >/dev/null
sh_in systemctl reload mailreeve.service
wait_for 10 journal_says "unknown key 'intervall'"
edit domains.yaml 's/\[al\]/[al, liddell]/'
commit "alice is liddell too"
wait_for 30 takes liddell@example.org
is "$(property mailreeve.service MainPID)" "$main"

say "a good one is taken"
sh_in cp /root/agent.yaml /etc/mailreeve/agent.yaml
echo 'listen: {metrics: "127.0.0.1:9619"}' | sh_in tee -a /etc/mailreeve/agent.yaml >/dev/null
sh_in systemctl reload mailreeve.service
serves() { sh_in curl -sf --max-time 5 http://127.0.0.1:9619/metrics | grep -q '^mailreeve_'; }
wait_for 20 serves
is "$(property mailreeve.service MainPID)" "$main"

say "wrong from the start: said once, and left"
echo 'intervall: 5m' | sh_in tee -a /etc/mailreeve/agent.yaml >/dev/null
sh_in systemctl restart mailreeve.service && fail "it starts"
is "$(property mailreeve.service ExecMainStatus)" 78
is "$(property mailreeve.service NRestarts)" 0
