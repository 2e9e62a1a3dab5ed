#!/bin/bash
# doctor: what would keep a sync from working, all of it in one run, each with its remedy; and it changes nothing.
. "$(dirname "$0")/lib.sh"
begin --sasl

# found CHECK RESULT [PATTERN]: the last run, which was JSON, has such a finding.
found() {
	python3 - "$OUT" "$@" <<-'EOF' || fail "no '$1' with result '$2' (${3:-})"
		import json, re, sys
		doc = json.load(open(sys.argv[1]))
		check, result, pattern = sys.argv[2], sys.argv[3], (sys.argv[4:] or [""])[0]
		assert doc["format"] == "mailreeve.doctor/1", doc["format"]
		assert all(set(c) >= {"check", "result", "text"} for c in doc["checks"])
		assert all("remedy" in c for c in doc["checks"] if c["result"] == "error"), [c for c in doc["checks"]
		    if c["result"] == "error" and "remedy" not in c]
		hits = [c for c in doc["checks"] if c["check"] == check and c["result"] == result
		    and re.search(pattern, c["text"] + " -> " + c.get("remedy", ""))]
		if not hits:
		    print(json.dumps(doc["checks"], indent=1), file=sys.stderr)
		sys.exit(not hits)
	EOF
}

doctor() {
	expect "$1" doctor --format json
}

say "before the first apply: all well, nothing is made"
footprint >"$SCRATCH/before"
doctor 0
found rights ok root
found rights ok 'ours alone'
found postfix ok 'Postfix 3.* runs and answers'
found dovecot ok 'Dovecot 2.* runs and answers'
found openldap ok 'runs and answers'
found tables ok 'lmdb|cdb'
found tls skipped
found units skipped direct
found sandbox ok writable
found disk ok
found repository ok "branch 'main' is at $(git -C "$W" rev-parse HEAD | cut -c 1-12)"
found secrets ok '4 secrets'
sed "s#^state_directory: .*#state_directory: $SCRATCH/none/state#" "$BED_AGENT_YAML" >"$SCRATCH/agent.yaml"
BED_AGENT_YAML=$SCRATCH/agent.yaml doctor 0
found rights ok 'made by the first sync'
footprint >"$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after" "doctor changed something"

say "after an apply: as well"
expect 0 apply --yes
footprint >"$SCRATCH/before"
expect 0 doctor
says '^ok +postfix'
says '^A sync can work: 0 errors'
footprint >"$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after" "doctor changed something"

say "slapd is away"
"$bed" stop "$BED_DIR" slapd
doctor 78
found openldap error 'is slapd running'
found postfix ok
found repository ok
"$bed" start "$BED_DIR" slapd

say "Dovecot must run, Postfix need not"
"$bed" stop "$BED_DIR" dovecot
doctor 78
found dovecot error 'not running.* -> systemctl start dovecot'
"$bed" start "$BED_DIR" dovecot
"$bed" stop "$BED_DIR" postfix
doctor 0
found postfix warning 'not running.* -> systemctl start postfix'
"$bed" start "$BED_DIR" postfix
doctor 0

say "no repository"
mv "$BED_REPO" "$BED_REPO.away"
doctor 78
found repository error 'No such file'
mv "$BED_REPO.away" "$BED_REPO"
mkdir "$BED_REPO/reftable"
doctor 78
found repository error 'reftable.* -> .*ref-format=files'
rmdir "$BED_REPO/reftable"
sed 's/branch: main/branch: mian/' "$BED_AGENT_YAML" >"$SCRATCH/agent.yaml"
BED_AGENT_YAML=$SCRATCH/agent.yaml doctor 78
found repository error "no branch 'mian'"

say "no Postfix where agent.yaml says, a secret open to everybody, a key that is not there: all in one run"
chmod 644 "$BED_SECRETS/bob"
sed "s#config_directory: [^}]*#config_directory: $BED_DIR/nowhere#; s#^repository: {#&ssh_key: $BED_DIR/no.key, #" \
	"$BED_AGENT_YAML" >"$SCRATCH/agent.yaml"
BED_AGENT_YAML=$SCRATCH/agent.yaml doctor 78
found postfix error 'nowhere'
found secrets error "secret 'bob'.* -> chmod o= "
found secrets error 'repository.ssh_key'
found dovecot ok
chmod 600 "$BED_SECRETS/bob"

say "folders that cannot be written to"
mount --bind "$BED_POSTFIX_DIR" "$BED_POSTFIX_DIR"
mount -o remount,bind,ro "$BED_POSTFIX_DIR"
mr doctor --format json
umount "$BED_POSTFIX_DIR"
is "$RC" 78
found sandbox error "cannot write to '$BED_POSTFIX_DIR'.*Read-only file system.* -> .*ReadWritePaths="
doctor 0

say "TLS"
openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=mx1 -keyout "$BED_DIR/tls.key" -out "$BED_DIR/tls.pem" \
	2>/dev/null
chmod 644 "$BED_DIR/tls.key"
cp "$BED_POSTFIX_DIR/main.cf" "$SCRATCH/main.cf"
postconf -c "$BED_POSTFIX_DIR" -e smtpd_tls_security_level=may "smtpd_tls_cert_file=$BED_DIR/tls.pem" \
	"smtpd_tls_key_file=$BED_DIR/tls.key"
doctor 0
found tls warning "smtpd_tls_cert_file: .*expires in [23] days"
found tls warning "smtpd_tls_key_file: .*open to everybody.* -> chmod o="
chmod 600 "$BED_DIR/tls.key"
openssl req -x509 -key "$BED_DIR/tls.key" -days 300 -subj /CN=mx1 -out "$BED_DIR/tls.pem" 2>/dev/null
doctor 0
found tls ok 'good for 299 days|good for 300 days'
found tls ok 'smtpd_tls_key_file'
mv "$BED_DIR/tls.key" "$BED_DIR/other.key"
doctor 78
found tls error "smtpd_tls_key_file: .*tls.key' is not there"
cp "$BED_DIR/tls.pem" "$BED_DIR/tls.key"
doctor 78
found tls error 'holds no private key in PEM'
cat "$SCRATCH/main.cf" >"$BED_POSTFIX_DIR/main.cf"

say "units are asked for where systemd is to control them"
sed 's/manager: direct/manager: systemd/' "$BED_AGENT_YAML" >"$SCRATCH/agent.yaml"
BED_AGENT_YAML=$SCRATCH/agent.yaml mr doctor --format json
if [ ! -d /run/systemd/system ]; then
	is "$RC" 78
	found units error 'systemd does not run this machine -> .*direct'
fi

say "a user without rights is told so"
chmod 755 "$SCRATCH" "$BED_DIR"
RC=0
chmod 644 "$BED_AGENT_YAML"
setpriv --reuid=65534 --regid=65534 --clear-groups timeout 60 "$MAILREEVE" --config "$BED_AGENT_YAML" doctor \
	--format json </dev/null >"$OUT" 2>"$ERR" || RC=$?
is "$RC" 78
found rights error 'runs as user 65534.* -> sudo'

say "a damaged state, a broken agent.yaml"
cp -a "$BED_STATE" "$SCRATCH/state"
rm "$BED_STATE/state.db"
doctor 78
found state error "trust"
rm -rf "$BED_STATE"
cp -a "$SCRATCH/state" "$BED_STATE"
chmod 755 "$BED_STATE"
doctor 0
found rights warning 'open to others.* -> chmod 0700'
chmod 700 "$BED_STATE"
sed 's/^interval:/intervall:/' "$BED_AGENT_YAML" >"$SCRATCH/agent.yaml"
BED_AGENT_YAML=$SCRATCH/agent.yaml doctor 78
found configuration error "agent.yaml:[0-9]+:[0-9]+: unknown key 'intervall' -> did you mean 'interval'"
found repository skipped
BED_AGENT_YAML=$SCRATCH/none.yaml doctor 78
found configuration error "none.yaml.* -> "

say "the agent's user: what root fetched is given to it"
sed '1a user: nobody' "$BED_AGENT_YAML" >"$SCRATCH/agent.yaml"
BED_AGENT_YAML=$SCRATCH/agent.yaml doctor 0
is "$(find "$BED_STATE/source" ! -user nobody)" ""
chmod 700 "$BED_REPO/refs"
BED_AGENT_YAML=$SCRATCH/agent.yaml doctor 78
found repository error "user 'nobody' of the agent: cannot read '.*/refs': Permission denied -> let 'nobody' read it"
chmod 755 "$BED_REPO/refs"
sed '1a user: no-such-user' "$BED_AGENT_YAML" >"$SCRATCH/agent.yaml"
BED_AGENT_YAML=$SCRATCH/agent.yaml doctor 78
found repository error "no account 'no-such-user'"

say "and all is as it was"
expect 0 plan --detailed-exitcode
doctor 0
no_secrets_in "$ALL"
