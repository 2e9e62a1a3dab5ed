#!/bin/bash
# A saved plan is carried out only on the world it was made for: a hand edit of what it touches makes it stale, an edit of
# something else does not.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
edit "$W/postfix.yaml" 's/50M/60M/'
sed -i 's/quota: 2G/quota: 3G/' "$W/domains/example.org.yaml"
commit "sixty, and bob's quota"

say "an edit of what the plan touches"
expect 0 plan --out "$SCRATCH/saved.plan"
no_secrets_in "$SCRATCH/saved.plan"
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=1234567
world "$SCRATCH/before"
expect 4 apply "$SCRATCH/saved.plan" --yes
says 'message_size_limit'
world "$SCRATCH/after"
same_world "$SCRATCH/before" "$SCRATCH/after"

say "an edit of something else"
postconf -c "$BED_POSTFIX_DIR" -e message_size_limit=52428800
expect 0 plan --out "$SCRATCH/saved.plan"
postconf -c "$BED_POSTFIX_DIR" -e smtpd_timeout=299s
expect 0 show "$SCRATCH/saved.plan"
says 'bob@example.org'
expect 0 apply "$SCRATCH/saved.plan" --yes
is "$(postconf -c "$BED_POSTFIX_DIR" -h message_size_limit)" 62914560
is "$(postconf -c "$BED_POSTFIX_DIR" -h smtpd_timeout)" 299s "a foreign parameter stays"
expect 4 apply "$SCRATCH/saved.plan" --yes
