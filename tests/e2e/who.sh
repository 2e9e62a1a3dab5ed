#!/bin/bash
# Who did it: drift names who wrote an entry and when, by the entry itself or by the server's log of accesses, and of files
# which one was written last, when and whose it is; and nothing that is not known.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
HELPDESK=cn=helpdesk,dc=example,dc=org
ALICE=uid=alice,ou=people,dc=example,dc=org
STAFF=cn=staff,ou=groups,dc=example,dc=org

as_helpdesk() {
	ldapmodify -x -D "$HELPDESK" -w by-hand -H "$BED_LDAP_URI" >/dev/null
}

# drift_says FILTER: of the rows as JSON, which must be as the schema has it.
drift_says() {
	expect 0 drift --format json
	cp "$OUT" "$SCRATCH/drift.json"
	python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))["drift"]
sys.exit(not any(eval(sys.argv[2], {}, row | {"row": row}) for row in rows if eval(sys.argv[3], {}, row | {"row": row})))' \
		"$SCRATCH/drift.json" "$2" "$1" || {
		cat "$SCRATCH/drift.json" >&2
		fail "no row of '$1' with '$2'"
	}
}

say "another identity changes an entry: it is named, with the time"
ldap_modify <<-END
	dn: olcDatabase={1}mdb,cn=config
	changetype: modify
	replace: olcAccess
	olcAccess: {0}to attrs=userPassword by anonymous auth by * none
	olcAccess: {1}to * by dn.exact="$HELPDESK" write by * read
END
ldap_modify -a <<-END
	dn: $HELPDESK
	objectClass: organizationalRole
	objectClass: simpleSecurityObject
	cn: helpdesk
	userPassword: by-hand
END
as_helpdesk <<-END
	dn: $ALICE
	changetype: modify
	replace: sn
	sn: Mallory
END
drift_says "object == 'ldap/$ALICE' and attribute == 'sn'" "by == '$HELPDESK' and since >= '2024'"
expect 0 drift
says "sn applied Liddell, live Mallory \(last changed by $HELPDESK at [0-9TZ:-]+\)"
expect 0 drift --format markdown
says 'last changed by'
expect 0 plan --out "$SCRATCH/saved"
expect 0 show "$SCRATCH/saved"
says "last changed by $HELPDESK"

say "an entry that is gone tells nobody's name where the server keeps no log"
as_helpdesk <<-END
	dn: $STAFF
	changetype: delete
END
drift_says "object == 'ldap/$STAFF'" "'by' not in row and 'since' not in row"

say "of main.cf: when it was written, and whose it is; not before our own last apply"
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=999
touch -d 2038-01-02T03:04:05Z "$BED_POSTFIX_DIR/main.cf"
drift_says "attribute == 'value'" \
	"file == '$BED_POSTFIX_DIR/main.cf' and owner == 'root' and since == '2038-01-02T03:04:05Z' and 'by' not in row"
expect 0 drift
says "main.cf of root, last changed at 2038-01-02T03:04:05Z\)"
touch -d 2024-01-02T03:04:05Z "$BED_POSTFIX_DIR/main.cf"
drift_says "attribute == 'value'" "'file' not in row and 'since' not in row"
expect 0 apply --yes
expect 0 drift --detailed-exitcode

say "with a log of accesses: who changed the attribute, not who came last; and who took an entry away"
mkdir "$BED_DIR/ldap/log"
ldap_modify <<-END
	dn: cn=module{0},cn=config
	changetype: modify
	add: olcModuleLoad
	olcModuleLoad: accesslog
END
ldap_modify -a <<-END
	dn: olcDatabase={2}mdb,cn=config
	objectClass: olcDatabaseConfig
	objectClass: olcMdbConfig
	olcDatabase: {2}mdb
	olcDbDirectory: $BED_DIR/ldap/log
	olcSuffix: cn=accesslog
	olcRootDN: cn=root,cn=ext
	olcDbIndex: reqStart,reqDN eq

	dn: olcOverlay={1}accesslog,olcDatabase={1}mdb,cn=config
	objectClass: olcOverlayConfig
	objectClass: olcAccessLogConfig
	olcOverlay: {1}accesslog
	olcAccessLogDB: cn=accesslog
	olcAccessLogOps: writes
	olcAccessLogSuccess: TRUE
END
as_helpdesk <<-END
	dn: $ALICE
	changetype: modify
	replace: sn
	sn: Trudy
END
ldap_modify <<-END
	dn: $ALICE
	changetype: modify
	replace: telephoneNumber
	telephoneNumber: 1
END
as_helpdesk <<-END
	dn: $STAFF
	changetype: delete
END
drift_says "object == 'ldap/$ALICE' and attribute == 'sn'" "by == '$HELPDESK'"
drift_says "object == 'ldap/$STAFF'" "by == '$HELPDESK' and since >= '2024'"
expect 0 apply --yes
expect 0 drift --detailed-exitcode
no_secrets_in "$ALL"
