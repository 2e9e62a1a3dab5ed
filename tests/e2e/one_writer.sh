#!/bin/bash
# Two applies at once: one writes, the other is told who does. A directory that hangs keeps the first one busy.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
edit "$W/directory.yaml" 's/description: Everyone/description: All of us/'
commit "another description"
slapd=$(cat "$BED_DIR/ldap/slapd.pid")
kill -STOP "$slapd"
timeout 100 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >"$SCRATCH/first.out" 2>&1 &
first=$!
sleep 2
expect 75 apply --yes
says "$first|apply"
expect 75 sync
kill -CONT "$slapd"
wait $first || {
	cat "$SCRATCH/first.out"
	fail "the first apply failed"
}
is "$(ldap_search -b cn=staff,ou=groups,dc=example,dc=org description | sed -n 's/^description: //p')" "All of us"
expect 0 plan --detailed-exitcode

say "twenty at once: each one applied, found nothing to do, or was told to come again"
edit "$W/directory.yaml" 's/All of us/Us/'
commit "shorter"
pids=()
for _ in $(seq 20); do
	timeout 100 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >/dev/null 2>&1 &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	rc=0
	wait "$pid" || rc=$?
	case $rc in 0 | 75) ;; *) fail "one of twenty: exit $rc" ;; esac
done
expect 0 apply --yes
expect 0 plan --detailed-exitcode
is "$(ldap_search -b cn=staff,ou=groups,dc=example,dc=org description | sed -n 's/^description: //p')" "Us"
