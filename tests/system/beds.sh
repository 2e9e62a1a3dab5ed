#!/bin/bash
# Scenarios of tests/e2e with this suite's servers and this suite's package: what the servers of Debian 12 and 13 do differently
# shows here. Those that need a program built for faults are left out.
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"
begin
top=$(cd "$(dirname "$0")/../.." && pwd)
sh_in mkdir /srv/source
git -C "$top" ls-files -z -- tests/bed tests/e2e schema examples | tar -C "$top" --null -T - -cf - |
	sh_in tar -C /srv/source -xf -

for scenario in first_apply company user_states drift contended known probe_mailbox agent doctor signatures; do
	say "$scenario"
	SH_SECONDS=280 sh_in env MAILREEVE=/usr/bin/mailreeve "/srv/source/tests/e2e/$scenario.sh" >"$OUT" 2>&1 || {
		tail -n 60 "$OUT"
		fail "$scenario"
	}
done
