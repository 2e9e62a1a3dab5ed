#!/bin/bash
# systemctl reload: a good agent.yaml is taken, a wrong one is refused and the old one goes on; a host whose agent.yaml is wrong
# from the start is not restarted for ever. Signatures, which one asks for that way.
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

say "signatures are asked for, and judged inside the sandbox"
sh_in ssh-keygen -q -t ed25519 -N '' -f /root/ops
# shellcheck disable=SC2016
sh_in sh -c 'echo "ops@example.org namespaces=\"git\" $(cat /root/ops.pub)" >/etc/mailreeve/allowed_signers'
echo 'signatures: {required: true}' | sh_in tee -a /etc/mailreeve/agent.yaml >/dev/null
sh_in systemctl reload mailreeve.service
wait_for 20 journal_says 'agent.yaml was read again'
edit domains.yaml 's/\[al, /&pleasance, /'
commit "not signed"
wait_for 30 journal_says 'is not signed'
[ "$(rcpt pleasance@example.org)" != 250 ] || fail "what is not signed is live"
sh_in git -C /srv/repository config gpg.format ssh
sh_in git -C /srv/repository config user.signingkey /root/ops
sh_in git -C /srv/repository config commit.gpgsign true
edit domains.yaml 's/\[al, /&liddell2, /'
commit "signed"
wait_for 30 takes liddell2@example.org

say "wrong from the start: said once, and left"
echo 'intervall: 5m' | sh_in tee -a /etc/mailreeve/agent.yaml >/dev/null
sh_in systemctl restart mailreeve.service && fail "it starts"
is "$(property mailreeve.service ExecMainStatus)" 78
is "$(property mailreeve.service NRestarts)" 0
