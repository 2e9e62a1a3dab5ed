#!/bin/bash
# Units of the servers under a real systemd: reloads and restarts go over D-Bus, the end of each job is awaited, and a
# job that fails takes the change back.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
begin

# Which unit runs Postfix's master here, by what the machine says.
postfix_unit() {
	if sh_in systemctl is-active --quiet 'postfix@-.service'; then
		echo 'postfix@-.service'
	else
		echo postfix.service
	fi
}

pid_of() {
	sh_in systemctl show -p MainPID --value "$1"
}

size_limit() {
	put /srv/repository/postfix.yaml <<-EOF
		postfix:
		  parameters:
		    message_size_limit: $1
	EOF
}

dovecot_setting() {
	put /srv/repository/dovecot.yaml <<-EOF
		dovecot:
		  settings:
		    "$1": "$2"
	EOF
}

# refuse_once UNIT LINE: the unit's next job by this line fails; those after it do not.
refuse_once() {
	put "/etc/systemd/system/$1.d/refuse.conf" <<-EOF
		[Service]
		$2=
		$2=/bin/sh -c 'if [ -e /run/refuse ]; then rm /run/refuse; exit 1; fi; $3'
	EOF
	sh_in touch /run/refuse
	sh_in systemctl daemon-reload
}

obey() {
	sh_in rm -rf "/etc/systemd/system/$1.d" /run/refuse
	sh_in systemctl daemon-reload
}

say "a host with Postfix and Dovecot under systemd"
sh_in rm -rf /srv/mail.git /srv/repository /var/lib/mailreeve
sh_in git init -q --bare -b main /srv/mail.git
sh_in git clone -q /srv/mail.git /srv/repository 2>/dev/null
sh_in git -C /srv/repository checkout -q -B main
put /srv/repository/mailreeve.yaml <<-EOF
	mailreeve: 1
EOF
put /etc/mailreeve/agent.yaml <<-EOF
	host: mx1.example.org
	repository: {url: /srv/mail.git}
	postfix: {}
	dovecot: {}
EOF
size_limit 20M
dovecot_setting mail_debug no
commit "first"
unit=$(postfix_unit)
expect 0 doctor
expect 0 apply --yes

say "a reload keeps the main process and is in force"
postfix=$(pid_of "$unit") dovecot=$(pid_of dovecot.service)
size_limit 30M
dovecot_setting mail_debug yes
commit "reload both"
expect 0 apply --yes
is "$(sh_in postconf -h message_size_limit)" 31457280
is "$(sh_in doveconf -h mail_debug)" yes
is "$(pid_of "$unit")" "$postfix" "Postfix's main process"
is "$(pid_of dovecot.service)" "$dovecot" "Dovecot's main process"
sh_in journalctl -q -o cat -u "$unit" | grep -q 'Reloaded' || fail "systemd did not reload $unit"
sh_in journalctl -q -o cat -u dovecot.service | grep -q 'Reloaded' || fail "systemd did not reload dovecot.service"

say "a reload that fails takes the change back"
refuse_once dovecot.service ExecReload 'exec /usr/bin/doveadm reload'
dovecot_setting mail_debug no
commit "the reload is refused"
expect 5 apply --yes
says "cannot reload 'dovecot.service': its job ended with 'failed'"
says 'journalctl -u dovecot.service'
obey dovecot.service
is "$(sh_in doveconf -h mail_debug)" yes "the setting after the way back"
expect 0 apply --yes

say "a restart that fails takes the change back, and Dovecot runs again"
refuse_once dovecot.service ExecStartPre 'exit 0'
other=/var/lib/dovecot/other-$RANDOM
dovecot_setting state_dir $other
sh_in mkdir -p $other
commit "the restart is refused"
expect 5 apply --yes
says "cannot restart 'dovecot.service': its job ended with 'failed'"
is "$(sh_in systemctl is-active dovecot.service)" active "Dovecot after the way back"
obey dovecot.service
expect 0 apply --yes
[ "$(pid_of dovecot.service)" != "$dovecot" ] || fail "Dovecot was not restarted"

say "what keeps units from being controlled is told before a sync needs them"
expect 0 doctor
sh_in systemctl mask --runtime -q dovecot.service
expect 78 doctor
says "dovecot\.service' is masked"
sh_in systemctl unmask --runtime -q dovecot.service
sh_in systemctl stop dovecot.service
expect 78 doctor
says 'Dovecot is not running'
sh_in systemctl start dovecot.service
expect 0 doctor

say "a unit that may not write where a sync writes is told so"
RC=0
sh_in systemd-run -q --unit "doctor-$RANDOM" --wait --pipe -p ProtectSystem=strict -p ReadWritePaths=/var/lib/mailreeve \
	-p SystemCallFilter=@system-service mailreeve doctor >"$OUT" 2>"$ERR" || RC=$?
is "$RC" 78
says 'ReadWritePaths=/etc/postfix'
says 'ReadWritePaths=/etc/dovecot'

say "nothing is left behind"
expect 0 plan --detailed-exitcode
