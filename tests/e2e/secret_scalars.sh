#!/bin/bash
# Secrets in every place where a scalar stands: they reach the servers and are shown nowhere.
. "$(dirname "$0")/lib.sh"
begin
secret() {
	printf '%s\n' "$2" >"$BED_SECRETS/$1"
	chmod 600 "$BED_SECRETS/$1"
}
shown_nowhere() {
	local value
	for value in Mabel 37M 192.0.2.99 hidden-target hidden.example hidden-note hidden-value hidden-pattern hidden-limit \
		127.0.0.99 hidden-descr; do
		! grep -nF -- "$value" "$ALL" || fail "'$value' is shown"
	done
}
secret full-name "Mabel Hidden"
secret quota 37M
secret net 192.0.2.99/32
secret target x@hidden-target.example
secret route "smtp:[hidden.example]"
secret value "REJECT hidden-value"
secret pattern "/hidden-pattern/"
secret host 127.0.0.99
secret descr hidden-descr
cat >"$W/secret.yaml" <<-EOF2
	domains:
	  example.com:
	    description: {secret: descr}
	    users:
	      dave:
	        name: {secret: full-name}
	        password: {secret: bob}
	        quota: {secret: quota}
	        allow_nets: [192.0.2.0/28, {secret: net}]
	        forward: {to: [{secret: target}], keep: true}
	    aliases:
	      postmaster: [dave]
	      press: {to: [{secret: target}], description: {secret: descr}}
	    catch_all: [{secret: target}]
	transports:
	  partner.example: {secret: route}
	postfix:
	  parameters:
	    relayhost: {secret: host}
	    smtpd_helo_restrictions: ["check_helo_access \${mailreeve}/helo", permit]
	    smtpd_sender_restrictions: ["check_sender_access \${mailreeve}/sender", permit]
	    smtpd_etrn_restrictions: [permit_mynetworks, {secret: value}]
	  tables:
	    helo: {type: regexp, entries: [[{secret: pattern}, {secret: value}]]}
	    sender: {entries: {bad@elsewhere.example: {secret: value}}}
	dovecot:
	  settings:
	    login_greeting: {secret: descr}
	EOF2
if [ -n "$BED_LDAP_URI" ]; then
sed -i 's/description: Everyone/description: [{secret: descr}, Everyone]/' "$W/directory.yaml"
fi
sed -i '/smtpd_etrn/d' "$W/secret.yaml"
commit "secrets everywhere"
expect 0 validate "$W"
for format in text json markdown html; do expect 0 plan --format $format; done
shown_nowhere
expect 0 apply --yes
expect 0 plan --detailed-exitcode
shown_nowhere

say "they do what they say"
row() {
	postmap -c "$BED_POSTFIX_DIR" -q "$2" "lmdb:$(postconf -c "$BED_POSTFIX_DIR" -h mailreeve)/$1"
}
is "$(row virtual_alias_maps dave@example.com)" "x@hidden-target.example, dave@example.com"
is "$(row virtual_alias_maps press@example.com)" "x@hidden-target.example"
is "$(row virtual_alias_maps @example.com)" "x@hidden-target.example"
is "$(row transport_maps partner.example)" "smtp:[hidden.example]"
is "$(row sender bad@elsewhere.example)" "REJECT hidden-value"
is "$(smtp 192.0.2.77 "HELO hidden-pattern" "MAIL FROM:<a@b.example>" "RCPT TO:<dave@example.com>" | tail -n 1 |
	grep -c hidden-value)" 1 "the secret pattern is in force"
is "$(postconf -c "$BED_POSTFIX_DIR" -h relayhost)" 127.0.0.99
doveadm -c "$BED_DOVECOT_CONF" user dave@example.com >"$SCRATCH/dave" 2>&1
grep -q 37M "$SCRATCH/dave" || fail "the quota is not in force: $(cat "$SCRATCH/dave")"

say "a new value is applied, and not shown"
printf '38M\n' >"$BED_SECRETS/quota"
printf 'x@hidden-target2.example\n' >"$BED_SECRETS/target"
for format in text json markdown html; do expect 0 plan --format $format; done
says 'user/dave@example.com'
expect 0 apply --yes
expect 0 plan --detailed-exitcode
shown_nowhere
! grep -n 38M "$ALL" || fail "the new quota is shown"

say "neither shown when it leaves, nor by any other verb"
for object in user/dave@example.com domain/example.com alias/press@example.com transport/partner.example \
	postfix.parameter/relayhost dovecot.setting/login_greeting postfix.table/sender; do
	mr why "$object"
	mr --format json why "$object"
done
sed -i 's/name: {secret: full-name}/name: Plain/; s/quota: {secret: quota}/quota: 1G/; /press:/d; /catch_all:/d
	s/partner.example: {secret: route}/partner.example: "smtp:[plain.example]"/; /relayhost/d
	/login_greeting/s/{secret: descr}/Hello/; s/bad@elsewhere.example: {secret: value}/bad@elsewhere.example: OK/
	s/\[{secret: pattern}, {secret: value}\]/[\/plain\/, OK]/' "$W/secret.yaml"
commit "no secrets any more"
for format in text json markdown html; do expect 0 plan --format $format; done
expect 0 apply --yes
for verb in status history drift "show 1" "show 2" "show 3"; do
	# shellcheck disable=SC2086
	mr $verb
	# shellcheck disable=SC2086
	mr --format json $verb
done
shown_nowhere
! grep -n 38M "$ALL" || fail "the new quota is shown"

say "a value of the wrong kind is refused at the plan, without showing it"
sed -i 's/quota: 1G/quota: {secret: descr}/' "$W/secret.yaml"
commit "no size"
expect 0 validate "$W"
expect 65 plan
says "secret.yaml:[0-9]+:[0-9]+: error: secret 'descr' must be a size"
shown_nowhere
