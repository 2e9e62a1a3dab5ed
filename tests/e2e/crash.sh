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
git -C "$W" revert --no-edit HEAD >/dev/null
commit "back"
expect 0 apply --yes
world "$SCRATCH/now"
same_world "$SCRATCH/old" "$SCRATCH/now" "a change and its way back are not the identity"
git -C "$W" revert --no-edit HEAD >/dev/null
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
		git -C "$W" revert --no-edit HEAD >/dev/null
		commit "back"
		expect 0 apply --yes
		git -C "$W" revert --no-edit HEAD >/dev/null
		commit "forth"
		world "$SCRATCH/after"
		same_world "$SCRATCH/old" "$SCRATCH/after" "$1: cannot go back"
	else
		diff "$SCRATCH/old" "$SCRATCH/after" | head -40 || true
		fail "$1: neither old nor new"
	fi
}

for step in S0 S1 S2 S3 S4 S5 S6 S7 S8 S9; do
	for passing in 1 2 3 4 6; do
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
[ $kills -ge 8 ] || fail "only $kills kills: the points of the steps are not where they should be"
[ $olds -gt 0 ] || fail "no kill was early enough to be undone"
[ $news -gt 0 ] || fail "no kill was late enough to be finished"

say "killed again while it recovers"
for step in S3 S4 S5 S6; do
	crash_at "$step" || fail "no kill at $step"
	for undo in U1 U2 U3 S3 S4 S5; do
		RC=0
		MAILREEVE_CRASH_AT=$undo timeout 120 "$MAILREEVE" --config "$BED_AGENT_YAML" apply </dev/null >"$OUT" 2>"$ERR" || RC=$?
		case $RC in 0 | 3 | 137) ;; *) cat "$OUT" "$ERR" && fail "recovery with a kill at $undo: exit $RC" ;; esac
	done
	recover "$step, and during recovery"
done
expect 0 apply --yes
world "$SCRATCH/after"
same_world "$SCRATCH/new" "$SCRATCH/after"
accepts carol@example.org
