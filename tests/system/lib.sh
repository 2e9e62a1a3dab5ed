# shellcheck shell=bash
# What the scenarios on a booted machine share: a machine of their own with the package installed, and assertions that print
# what differed. A scenario sources this file and calls `begin`; tests/system/run names the root and the packages:
# MACHINE_ROOT, MACHINE_PACKAGES (a folder of .deb files), MACHINE_SUITE. KEEP=1 leaves the machine up.
set -eu
umask 022
export LC_ALL=C.UTF-8
system=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
machine=$system/../bed/machine
# shellcheck source=../bed/assert.sh
. "$system/../bed/assert.sh"

finish() {
	local rc=$?
	if [ $rc -ne 0 ] && [ -d "$SCRATCH/m" ]; then
		echo "-- the machine's last words"
		timeout 20 "$machine" sh "$SCRATCH/m" journalctl -q --no-pager -n 40 || true
	fi
	if [ -n "${KEEP:-}" ]; then
		echo "-- kept: $SCRATCH/m"
		exit $rc
	fi
	timeout 120 "$machine" down "$SCRATCH/m" || rc=1
	rm -rf "$SCRATCH"
	exit $rc
}

# begin [bare]: boots; the package is installed unless bare.
begin() {
	SCRATCH=$(mktemp -d /tmp/mr-sys.XXXXXX)
	OUT=$SCRATCH/out ERR=$SCRATCH/err
	trap finish EXIT
	timeout 120 "$machine" up "$SCRATCH/m" "${MACHINE_ROOT:?}"
	mkdir "$SCRATCH/m/root/packages"
	cp "${MACHINE_PACKAGES:?}"/*.deb "$SCRATCH/m/root/packages/"
	rm -f "$SCRATCH/m/root/packages/"*dbgsym*
	[ "${1:-}" = bare ] || install_package
}

install_package() {
	sh_in sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /packages/mailreeve_*.deb' >"$OUT" 2>&1 || {
		cat "$OUT" >&2
		fail "the package does not install"
	}
}

# sh_in COMMAND…: in the machine, as root; standard input is passed on.
sh_in() {
	timeout "${SH_SECONDS:-120}" "$machine" sh "$SCRATCH/m" "$@"
}

mr() {
	RC=0
	sh_in mailreeve "$@" </dev/null >"$OUT" 2>"$ERR" || RC=$?
}

expect() {
	local want=$1
	shift
	mr "$@"
	if [ "$RC" != "$want" ]; then
		head -c 6000 "$OUT" "$ERR"
		fail "mailreeve $*: exit $RC, want $want"
	fi
}

# put FILE: standard input as a file of the machine.
put() {
	# shellcheck disable=SC2016
	sh_in sh -c 'mkdir -p "$(dirname "$1")" && cat >"$1"' sh "$1"
}

# A host as its operator sets it up: a repository that people push to, agent.yaml, an owner of the mail store. The first
# commit is a small company.
set_up_host() {
	sh_in useradd --system --home-dir /var/vmail --create-home vmail
	sh_in git init -q --bare -b main /srv/mail.git
	sh_in git clone -q /srv/mail.git /srv/repository 2>/dev/null
	sh_in git -C /srv/repository checkout -q -B main
	put /srv/repository/mailreeve.yaml <<-EOF
		mailreeve: 1
		accounts: {mail_home: /var/vmail/%d/%n, mail_path: "maildir:~/Maildir"}
		defaults:
		  user: {quota: 1G}
	EOF
	put /srv/repository/domains.yaml <<-EOF
		domains:
		  example.org:
		    users:
		      alice: {name: Alice, password: "$(sh_in doveadm pw -s SHA512-CRYPT -p alice-secret)", aliases: [al]}
		    aliases:
		      postmaster: [alice]
	EOF
	put /srv/repository/servers.yaml <<-EOF
		postfix:
		  parameters: {message_size_limit: 20M}
		dovecot:
		  settings: {mail_debug: no}
	EOF
	put /srv/repository/directory.yaml <<-EOF
		ldap:
		  trees:
		    "ou=people,dc=nodomain": {mode: shared}
		  entries:
		    "ou=people,dc=nodomain": {objectClass: [organizationalUnit], description: people}
	EOF
	put /etc/mailreeve/agent.yaml <<-EOF
		host: mx1.example.org
		user: mailreeve
		repository: {url: /srv/mail.git}
		interval: 5m
		postfix: {}
		dovecot: {}
		ldap: {uri: "ldapi:///"}
		drift: {mode: report}
	EOF
	sh_in ldapmodify -Q -Y EXTERNAL -H ldapi:/// >/dev/null <<-EOF
		dn: olcDatabase={1}mdb,cn=config
		changetype: modify
		add: olcAccess
		olcAccess: {0}to * by dn.exact=gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth manage by * break
	EOF
	commit "the company"
}

# commit MESSAGE: what stands in /srv/repository goes to the repository.
commit() {
	# shellcheck disable=SC2016
	sh_in sh -c 'cd /srv/repository && git add -A && git -c user.name=ops -c user.email=ops@example.org commit -qm "$1" &&
		git push -q origin HEAD:main' sh "$1"
}

# edit FILE SED-EXPRESSION, in the working copy.
edit() {
	sh_in sed -i "$2" "/srv/repository/$1"
}

# The code at RCPT TO, from the machine itself.
rcpt() {
	# shellcheck disable=SC2016
	sh_in bash -c '
		exec 3<>/dev/tcp/127.0.0.1/25
		read -r line <&3
		for word in "EHLO me" "MAIL FROM:<x@elsewhere.example>" "RCPT TO:<$1>"; do
			printf "%s\r\n" "$word" >&3
			while read -r line <&3; do [ "${line:3:1}" = - ] || break; done
		done
		printf "%s" "${line:0:3}"' bash "$1"
}

# Asked from the machine itself, which may send anywhere: what it says of a managed domain counts.
takes() {
	[ "$(rcpt "$1")" = 250 ]
}

is_healthy() {
	mr status && grep -q '^health: *healthy' "$OUT"
}

property() {
	sh_in systemctl show -p "$2" --value "$1"
}

is_state() {
	[ "$(property "$1" ActiveState)" = "$2" ]
}

journal() {
	sh_in journalctl -q --no-pager -o cat -u mailreeve.service
}

journal_says() {
	journal | grep -qE -- "$1"
}
