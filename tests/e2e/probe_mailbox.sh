#!/bin/bash
# The mailbox that probes look into: the change that makes it does not try to log in before; where it cannot log in afterwards
# that is said, and is no reason to take a first apply back; a mailbox that was well must stay so.
. "$(dirname "$0")/lib.sh"
begin
cp "$BED_SECRETS/probe" "$SCRATCH/probe"
printf %s "not the password" >"$BED_SECRETS/probe"

say "a wrong password of the probe does not stop the first apply, and is said"
expect 0 apply --yes
says_not 'already before the change'
says "warning: the mailbox probe with 'probe@example.org' fails after the change that makes the mailbox"
accepts alice@example.org

say "later it is said as what was so before"
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
commit "another name"
expect 0 apply --yes
says 'warning: the mailbox probe fails already before the change'
accepts liddell@example.org

say "with the right one nothing is left to say"
cat "$SCRATCH/probe" >"$BED_SECRETS/probe"
edit "$W/domains/example.org.yaml" 's/liddell\]/liddell, al.liddell]/'
commit "and another"
expect 0 apply --yes
says_not 'warning'

say "a change that keeps the probe from its mailbox is taken back"
printf %s "$(hash_of another)" >"$BED_SECRETS/probe.hash"
edit "$W/domains/example.org.yaml" 's/al.liddell\]/al.liddell, a.l]/'
commit "a password that the probe does not know"
expect 5 apply --yes
says "mailbox probe with 'probe@example.org' gets less far after the change than before"
refuses a.l@example.org
can_log_in probe@example.org "$(cat "$SCRATCH/probe")"
no_secrets_in "$ALL"
