#!/bin/bash
# kill -9 at every step of the transaction, a second time during recovery: the next run brings all three servers to exactly
# the old or exactly the new state.
. "$(dirname "$0")/lib.sh"
begin
if ! grep -qa MAILREEVE_CRASH_AT "$MAILREEVE"; then
	fail "the program was built without fault points"
fi
expect 0 apply --yes
world "$SCRATCH/old"
edit "$W/postfix.yaml" 's/50M/80M/'
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
edit "$W/domains/example.org.yaml" 's/quota: 2G/quota: 3G/'
sed -i 's/^    aliases:/      carol: {password: {secret: bob}}\n&/' "$W/domains/example.org.yaml"
cat >"$W/directory.yaml" <<-EOF
	ldap:
	  trees:
	    "ou=groups,dc=example,dc=org": {mode: exclusive}
	    "ou=people,dc=example,dc=org": {mode: shared}
	  entries:
	    "uid=alice,ou=people,dc=example,dc=org":
	      objectClass: [inetOrgPerson]
	      cn: Alice Liddell
	      sn: Liddell
	      mail: [alice@example.org, liddell@example.org]
	    "cn=everyone,ou=groups,dc=example,dc=org":
	      objectClass: [groupOfNames]
	      member: ["uid=alice,ou=people,dc=example,dc=org"]
EOF
commit "something of every kind: values, rows, a user, an entry more and one less"
expect 0 apply --yes
world "$SCRATCH/new"
expect 0 plan --detailed-exitcode
git -C "$W" revert --no-commit HEAD >/dev/null
commit "back"
expect 0 apply --yes
world "$SCRATCH/now"
same_world "$SCRATCH/old" "$SCRATCH/now" "a change and its way back are not the identity"
git -C "$W" revert --no-commit HEAD >/dev/null
commit "forth"

kills=0 olds=0 news=0
crash_at() {
	RC=0
	MAILREEVE_CRASH_AT=$1 timeout 120 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >"$OUT" 2>"$ERR" || RC=$?
	case $RC in
	137) kills=$((kills + 1)) ;;
	0) ;;
	*) cat "$OUT" "$ERR" && fail "apply with a kill at $1: exit $RC" ;;
	esac
	[ $RC = 137 ]
}

# any writer recovers first; this one then has no consent to do more
recover() {
	mr apply
	case $RC in 0 | 3) ;; *) cat "$OUT" "$ERR" && fail "the run after a kill at $1: exit $RC" ;; esac
	world "$SCRATCH/after"
	if diff -q "$SCRATCH/old" "$SCRATCH/after" >/dev/null; then
		olds=$((olds + 1)) && say "$1: old"
	elif diff -q "$SCRATCH/new" "$SCRATCH/after" >/dev/null; then
		news=$((news + 1)) && say "$1: new"
		git -C "$W" revert --no-commit HEAD >/dev/null
		commit "back"
		expect 0 apply --yes
		git -C "$W" revert --no-commit HEAD >/dev/null
		commit "forth"
		world "$SCRATCH/after"
		same_world "$SCRATCH/old" "$SCRATCH/after" "$1: cannot go back"
	else
		diff "$SCRATCH/old" "$SCRATCH/after" | head -40 || true
		fail "$1: neither old nor new"
	fi
}

for step in S0 S1 S1:server S2 S3 S3:wave S4 S4:batch S5 S5:server S6 S8 S8:rows S8:decided S9 S9:batch; do
	for passing in 1 2 3 4; do
		if crash_at "$step:$passing"; then
			recover "$step:$passing"
		else
			# the point was passed fewer times: the apply was carried out
			recover "$step:$passing (not reached)"
			break
		fi
	done
done
say "$kills kills: $olds old, $news new"
[ $kills -ge 14 ] || fail "only $kills kills: the points of the steps are not where they should be"
[ $olds -gt 0 ] || fail "no kill was early enough to be undone"
[ $news -gt 0 ] || fail "no kill was late enough to be finished"

say "killed again while it recovers"
for step in S3:wave:2 S4:batch:2 S5 S6 S8; do
	crash_at "$step" || fail "no kill at $step"
	again=0
	for point in recover:batch:1 recover:batch:2 recover:batch:4 recover:close; do
		RC=0
		MAILREEVE_CRASH_AT=$point timeout 120 "$MAILREEVE" --config "$BED_AGENT_YAML" apply </dev/null >"$OUT" 2>"$ERR" || RC=$?
		case $RC in
		137) again=$((again + 1)) ;;
		0 | 3) ;;
		*) cat "$OUT" "$ERR" && fail "recovery with a kill at $point: exit $RC" ;;
		esac
	done
	[ $again -gt 0 ] || fail "$step: recovery was never killed"
	recover "$step, and $again times during recovery"
done

say "an error instead of a kill: taken back at once, exit 5"
for point in S1 S2 S3 S3:wave:2 S4 S4:batch:1 S4:batch:3 S5 S5:server:2 S6 S8 S8:rows; do
	RC=0
	MAILREEVE_FAIL_AT=$point timeout 120 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >"$OUT" 2>"$ERR" || RC=$?
	[ $RC = 5 ] || {
		cat "$OUT" "$ERR"
		fail "an error at $point: exit $RC, want 5"
	}
	world "$SCRATCH/after"
	same_world "$SCRATCH/old" "$SCRATCH/after" "an error at $point was not taken back"
	accepts alice@example.org
	can_log_in alice@example.org alice-secret
done
expect 0 apply --yes
world "$SCRATCH/after"
same_world "$SCRATCH/new" "$SCRATCH/after"
accepts carol@example.org
