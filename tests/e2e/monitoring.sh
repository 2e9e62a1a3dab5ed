#!/bin/bash
# The examples of monitoring: every metric in them is one that there is, every alert is explained, and promtool, where it is
# installed, finds the rules right and their tests true. Without promtool this test is skipped at its end (77).
set -eu
cd "$(dirname "$0")/../../examples/monitoring"
python3 - <<'EOF'
import json
import re

metrics = set(re.findall(r"^\| `(mailreeve_\w+)`", open("../../docs/monitoring.md").read(), re.M))
assert len(metrics) > 15, metrics
rules, tests, readme = (open(name).read() for name in ("rules.yml", "rules_test.yml", "README.md"))
dashboard = json.load(open("dashboard.json"))
queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
queries += [note["expr"] for note in dashboard["annotations"]["list"]]
for text in [rules, tests] + queries:
    for name in re.findall(r"\bmailreeve_\w+", text):
        assert name in metrics or name == "mailreeve_health", f"no such metric: {name}"
alerts = re.findall(r"alert: (\w+)", rules)
for alert in alerts:
    assert f"| {alert} |" in readme, f"README.md says nothing of {alert}"
    verdicts = re.findall(rf"alertname: {alert}\n +exp_alerts:(.*)", tests)
    assert " []" in verdicts and "" in verdicts, f"{alert} is not tested both ways"
ids = [panel["id"] for panel in dashboard["panels"]]
assert len(set(ids)) == len(ids)
EOF
if ! command -v promtool >/dev/null; then
	echo "SKIPPED: no promtool here (Debian: prometheus)"
	exit 77
fi
promtool check config prometheus.yml
promtool check rules rules.yml
promtool test rules rules_test.yml
