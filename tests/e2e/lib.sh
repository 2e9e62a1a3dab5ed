# shellcheck shell=bash
# What the scenarios share: a bed of their own, a working copy of a small company's repository, the program under test,
# and assertions that print what differed. A scenario sources this file, calls `begin` and then checks; it ends with exit 0
# when the last check passed. MAILREEVE names the program, KEEP=1 leaves the bed up.
set -eu
umask 022
export LC_ALL=C.UTF-8 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=ops GIT_AUTHOR_EMAIL=ops@example.org GIT_COMMITTER_NAME=ops GIT_COMMITTER_EMAIL=ops@example.org
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
bed=$top/tests/bed/bed
# shellcheck source=../bed/assert.sh
. "$top/tests/bed/assert.sh"
MAILREEVE=${MAILREEVE:-$top/build/debug/agent/mailreeve}
# a helper program of the test, not the program under test, may be killed in the middle: no leak reports of those
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:exitcode=99} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

finish() {
	local rc=$? job
	for job in $(jobs -p); do
		kill "$job" 2>/dev/null || true
	done
	if [ $rc -ne 0 ] && [ -f "$SCRATCH/bed/mail.log" ]; then
		echo "-- end of mail.log" && tail -n 40 "$SCRATCH/bed/mail.log"
		echo "-- end of dovecot.log" && tail -n 20 "$SCRATCH/bed/dovecot.log"
	fi
	if [ -n "${KEEP:-}" ]; then
		echo "-- kept: $SCRATCH"
		exit $rc
	fi
	[ ! -f "$SCRATCH/bed/env" ] || "$bed" down "$SCRATCH/bed" || rc=1
	rm -rf "$SCRATCH"
	exit $rc
}

# begin [options of bed up]: the servers, and the repository as cloned to $W with one commit that is pushed.
begin() {
	[ -x "$MAILREEVE" ] || fail "no program at '$MAILREEVE'"
	SCRATCH=$(mktemp -d /tmp/mr-e2e.XXXXXX)
	chmod 755 "$SCRATCH"
	trap finish EXIT
	W=$SCRATCH/work ALL=$SCRATCH/all.out OUT=$SCRATCH/out ERR=$SCRATCH/err
	: >"$ALL"
	"$bed" up "$SCRATCH/bed" "$@"
	# shellcheck source=/dev/null
	. "$SCRATCH/bed/env"
	PROBE_HASH=$(hash_of "$(cat "$BED_SECRETS/probe")")
	printf %s "$PROBE_HASH" >"$BED_SECRETS/probe.hash"
	ALICE_HASH=$(hash_of alice-secret) BOB_HASH=$(hash_of bob-secret)
	printf %s "$BOB_HASH" >"$BED_SECRETS/bob"
	chmod 600 "$BED_SECRETS"/*
	git clone -q "$BED_REPO" "$W" 2>/dev/null
	git -C "$W" checkout -q -b main 2>/dev/null || true
	seed
	commit "the company"
}

hash_of() {
	doveadm -c "$BED_DOVECOT_CONF" pw -s BLF-CRYPT -r 5 -p "$1"
}

seed() {
	mkdir -p "$W/domains"
	cat >"$W/mailreeve.yaml" <<-EOF
		mailreeve: 1
		accounts:
		  mail_home: $BED_MAIL/%d/%n
		  owner: mail:mail
		defaults:
		  user: {quota: 1G, services: [imap, pop3, submission]}
	EOF
	cat >"$W/domains/example.org.yaml" <<-EOF
		domains:
		  example.org:
		    users:
		      alice: {name: Alice Liddell, password: "$ALICE_HASH", aliases: [al]}
		      bob: {name: Bob, password: {secret: bob}, quota: 2G}
		      probe: {name: Probe mailbox, password: {secret: probe.hash}}
		    aliases:
		      postmaster: [alice]
		      sales: [alice, bob]
	EOF
	cat >"$W/postfix.yaml" <<-EOF
		postfix:
		  parameters:
		    message_size_limit: 50M
		    smtpd_client_restrictions: [permit_mynetworks, reject_unauth_pipelining]
	EOF
	[ -n "$BED_LDAP_URI" ] || return 0
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
		      mail: alice@example.org
		    "cn=staff,ou=groups,dc=example,dc=org":
		      objectClass: [groupOfNames]
		      member: ["uid=alice,ou=people,dc=example,dc=org"]
		      description: Everyone
	EOF
}

commit() {
	git -C "$W" add -A
	git -C "$W" commit -q --allow-empty -m "$1"
	git -C "$W" push -q origin HEAD:main
}

# The last commit is reverted by a new one.
take_back() {
	git -C "$W" revert --no-edit HEAD >/dev/null
	git -C "$W" push -q origin HEAD:main
}

# edit FILE SED-EXPRESSION: fails when nothing changed, so that a scenario cannot go stale unseen.
edit() {
	local before
	before=$(cat "$1")
	sed -i "$2" "$1"
	[ "$before" != "$(cat "$1")" ] || fail "'$2' changes nothing in $1"
}

# mr ARGUMENTS…: runs the program; result in $RC, $OUT, $ERR. Nothing it says is lost to the look for secrets.
mr() {
	RC=0
	timeout -k 5 "${MR_TIMEOUT:-120}" "$MAILREEVE" --config "$BED_AGENT_YAML" "$@" </dev/null >"$OUT" 2>"$ERR" || RC=$?
	cat "$OUT" "$ERR" >>"$ALL"
	if grep -qE 'AddressSanitizer|LeakSanitizer|runtime error:' "$ERR"; then
		cat "$ERR" >&2
		fail "mailreeve $*: a sanitizer found something"
	fi
}

# follows_schema: what the last run printed is as the schema of its format has it.
follows_schema() {
	local format
	format=$(grep -oE '"format": "mailreeve\.[a-z]+/' "$OUT" | head -1 | sed 's/.*mailreeve\.//; s|/||')
	python3 -W ignore -m jsonschema --error-format '{error.path}: {error.message}
' -i "$OUT" "$top/schema/$format.schema.json" >&2 || fail "not as the schema of '$format' has it"
}

# expect CODE ARGUMENTS…: runs it and insists on the exit code, and on the schema of what it prints as JSON.
expect() {
	local want=$1
	shift
	mr "$@"
	if [ "$RC" != "$want" ]; then
		echo "--- standard output"
		head -c 6000 "$OUT"
		echo "--- standard error"
		head -c 6000 "$ERR"
		fail "mailreeve $*: exit $RC, want $want"
	fi
	case " $* " in
	*" status --format json "* | *" history --format json "* | *" doctor --format json "* | *" plan --format json "* | \
		*" drift --format json "*) follows_schema ;;
	esac
}

says_not() {
	! cat "$OUT" "$ERR" | grep -nE -- "$1" >&2 || fail "the last run says /$1/"
}

same_world() {
	diff "$1" "$2" >&2 || fail "${3:-the servers are not as before} (< $1, > $2)"
}

# world FILE: everything that mailreeve may change on the servers, as text: configuration, rows of the tables in
# force, users, entries. The number of a generation and what is not in force do not count.
world() {
	world_text >"$1" 2>"$1.err" || {
		cat "$1.err" >&2
		fail "cannot read the state of the servers"
	}
}

world_text() {
	local file generation
	for file in "$BED_POSTFIX_DIR/main.cf" "$BED_POSTFIX_DIR/master.cf"; do
		echo "== ${file##*/} $(stat -c '%a %U' "$file")"
		sed -E 's#/mailreeve/gen-[0-9]+#/mailreeve/gen-N#' "$file"
	done
	generation=$(postconf -c "$BED_POSTFIX_DIR" -h mailreeve 2>/dev/null) || true
	if [ -n "$generation" ]; then
		for file in "$generation"/*; do
			echo "== table ${file##*/}"
			case $file in
			*.lmdb) postmap -c "$BED_POSTFIX_DIR" -s "lmdb:${file%.lmdb}" | sort ;;
			*.cdb) cdb -d "$file" | sort ;;
			*lock*) ;;
			*) cat "$file" ;;
			esac
		done
	fi
	find "$BED_DIR/dovecot" -type f -not -path '*/run/*' -not -path '*/state/*' | sort | while read -r file; do
		echo "== ${file#"$BED_DIR"/} $(stat -c '%a %U %G' "$file")"
		sed -E 's#/mailreeve/gen-[0-9]+#/mailreeve/gen-N#' "$file"
	done
	echo "== users"
	doveadm -c "$BED_DOVECOT_CONF" user '*' 2>/dev/null | sort || true
	[ -z "$BED_LDAP_URI" ] || entries
}

# The directory in one order: entries by name, values by value.
entries() {
	ldap_search -b "$BED_LDAP_SUFFIX" '*' | python3 -c '
import sys
print("\n\n".join(sorted("\n".join(e.split("\n")[:1] + sorted(e.split("\n")[1:]))
    for e in sys.stdin.read().strip().split("\n\n"))))'
}

ldap_search() {
	ldapsearch -LLL -o ldif-wrap=no -Q -Y EXTERNAL -H "$BED_LDAP_URI" "$@"
}

ldap_modify() {
	ldapmodify -Q -Y EXTERNAL -H "$BED_LDAP_URI" "$@" >/dev/null
}

# smtp CLIENT-ADDRESS LINE…: an SMTP dialogue as from that address; prints the answers. Every line is sent after
# the answer to the one before; "." ends the data.
smtp() {
	python3 - "$BED_SMTP_PORT" "$@" <<-'EOF'
		import socket, sys
		port, client, lines = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
		peer = socket.create_connection(("127.0.0.1", port), 20)
		peer.settimeout(20)
		stream = peer.makefile("rb")
		def answer():
		    text = b""
		    while True:
		        line = stream.readline()
		        text += line
		        if line[3:4] != b"-":
		            return text.decode(errors="replace").strip()
		answer()
		for line in ["XCLIENT ADDR=%s NAME=[UNAVAILABLE]" % client, "EHLO client.test"] + lines:
		    peer.sendall(line.replace("\n", "\r\n").encode() + b"\r\n")
		    print(answer().splitlines()[-1])
	EOF
}

# rcpt ADDRESS [CLIENT]: the code at RCPT TO, asked from outside our networks.
rcpt() {
	smtp "${2:-192.0.2.77}" "MAIL FROM:<someone@elsewhere.example>" "RCPT TO:<$1>" | tail -n 1 | cut -c1-3
}

# Right after a change a lookup may be deferred (4xx, try again); a refusal is for good and is told at once.
accepts() {
	local code end=$((SECONDS + 10))
	while code=$(rcpt "$1") && [ "${code#4}" != "$code" ] && [ $SECONDS -lt $end ]; do sleep 0.2; done
	is "$code" 250 "mail for $1 is accepted"
}

refuses() {
	local code
	code=$(rcpt "$1")
	case $code in 55[0-9]) ;; *) fail "mail for $1: $code, want a refusal" ;; esac
}

# logs_in USER PASSWORD [SERVICE]
logs_in() {
	timeout 20 doveadm -c "$BED_DOVECOT_CONF" auth test -x service="${3:-imap}" -x rip=127.0.0.1 -x lip=127.0.0.1 \
		"$1" "$2" >"$SCRATCH/auth" 2>&1 && ! grep -q nologin "$SCRATCH/auth"
}

# Dovecot looks at a changed passwd-file at most once a second.
can_log_in() {
	local end=$((SECONDS + 5))
	until logs_in "$@"; do
		[ $SECONDS -lt $end ] || fail "$1 cannot log in to ${3:-imap}: $(cat "$SCRATCH/auth")"
		sleep 0.3
	done
}

cannot_log_in() {
	local end=$((SECONDS + 5))
	while logs_in "$@"; do
		[ $SECONDS -lt $end ] || fail "$1 can log in to ${3:-imap}"
		sleep 0.3
	done
}

# sends_and_reads FROM TO USER PASSWORD: a message by SMTP that is then read by IMAP.
sends_and_reads() {
	local token end=$((SECONDS + 20))
	token=e2e-$RANDOM$RANDOM
	smtp 127.0.0.1 "MAIL FROM:<$1>" "RCPT TO:<$2>" DATA "Subject: $token

hello
." >"$SCRATCH/smtp"
	tail -n 1 "$SCRATCH/smtp" | grep -q '^250' || fail "not sent: $(cat "$SCRATCH/smtp")"
	until curl -s --max-time 10 --user "$3:$4" "imap://$BED_IMAP/INBOX?SUBJECT%20$token" 2>/dev/null | grep -q '[0-9]'; do
		[ $SECONDS -lt $end ] || fail "$3 does not get the message to $2"
		sleep 0.2
	done
}

count_reloads() {
	local postfix dovecot
	postfix=$(grep -cE 'master\[[0-9]+\]: (reload --|daemon started)' "$BED_LOG") || true
	dovecot=$(grep -cE 'SIGHUP received|starting up' "$BED_DIR/dovecot.log") || true
	echo "$postfix $dovecot"
}

# Names, inodes, sizes and times of every file that the servers read; of the folders too.
footprint() {
	find "$BED_POSTFIX_DIR" "$BED_DIR/dovecot" "$BED_DIR/ldap/conf" "$BED_SECRETS" \
		-not -path '*/dovecot/run*' -not -path '*/dovecot/state*' -not -name '*lock*' \
		-printf '%p %i %s %T@ %C@\n' | sort
}

# No hash or password stands anywhere it must not.
no_secrets_in() {
	local secret file
	for file in "$@"; do
		for secret in "$ALICE_HASH" "$BOB_HASH" "$PROBE_HASH" "$(cat "$BED_SECRETS/probe")" alice-secret bob-secret; do
			# the salted part alone counts too
			! grep -qaF -- "${secret#\{*\}}" "$file" || fail "a secret stands in $file"
		done
	done
}

# ---- for the crash scenarios -----------------------------------------------------------------------------------------

# Two states of the servers, $SCRATCH/old (which is live) and $SCRATCH/new (which was pushed), that differ in values,
# rows, a user, an entry more and one less; and the proof that the way back is the identity.
two_states() {
	grep -qa MAILREEVE_CRASH_AT "$MAILREEVE" || fail "the program was built without fault points"
	kills=0 olds=0 news=0
	expect 0 apply --yes
	world "$SCRATCH/old"
	edit "$W/postfix.yaml" 's/50M/80M/'
	edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
	edit "$W/domains/example.org.yaml" 's/quota: 2G/quota: 3G/'
	edit "$W/domains/example.org.yaml" 's/^    aliases:/      carol: {password: {secret: bob}}\n&/'
	edit "$W/directory.yaml" 's/mail: alice@example.org/mail: [alice@example.org, liddell@example.org]/'
	edit "$W/directory.yaml" 's/cn=staff,/cn=everyone,/'
	commit "forth"
	expect 0 apply --yes
	world "$SCRATCH/new"
	expect 0 plan --detailed-exitcode
	back_and_forth
	world "$SCRATCH/now"
	same_world "$SCRATCH/old" "$SCRATCH/now" "a change and its way back are not the identity"
}

# From the new state, or an old one, to the old state, with the new one pushed.
back_and_forth() {
	take_back
	expect 0 apply --yes
	take_back
}

# crash_at POINT: an apply that is killed there.
crash_at() {
	RC=0
	MAILREEVE_CRASH_AT=$1 timeout 120 "$MAILREEVE" --config "$BED_AGENT_YAML" apply --yes </dev/null >"$OUT" 2>"$ERR" || RC=$?
	[ $RC = 137 ] || {
		cat "$OUT" "$ERR"
		fail "apply with a kill at $1: exit $RC, want a kill"
	}
	kills=$((kills + 1))
}

# Any writer recovers first; this one then has no consent to do more. Ends in the old state.
recover() {
	mr apply
	case $RC in 0 | 3) ;; *) cat "$OUT" "$ERR" && fail "the run after a kill at $1: exit $RC" ;; esac
	world "$SCRATCH/after"
	if diff -q "$SCRATCH/old" "$SCRATCH/after" >/dev/null; then
		olds=$((olds + 1))
		say "$1: old"
	elif diff -q "$SCRATCH/new" "$SCRATCH/after" >/dev/null; then
		news=$((news + 1))
		say "$1: new"
		back_and_forth
		world "$SCRATCH/after"
		same_world "$SCRATCH/old" "$SCRATCH/after" "$1: cannot go back"
	else
		diff "$SCRATCH/old" "$SCRATCH/after" | head -40 || true
		fail "$1: neither old nor new"
	fi
}
