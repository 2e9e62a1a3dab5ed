# shellcheck shell=bash
# Assertions of the scenarios, on a private mail stack as on a booted machine: each prints what differed and ends the scenario.
# What the last run of the program printed stands in the files $OUT and $ERR.

fail() {
	echo "FAILED in ${0##*/} line ${BASH_LINENO[${#BASH_LINENO[@]} - 2]}: $*" >&2
	exit 1
}

say() {
	echo "-- $*"
}

is() {
	[ "$1" = "$2" ] || {
		diff <(printf '%s\n' "$2") <(printf '%s\n' "$1") >&2 || true
		fail "${3:-it is not so} (< wanted, > is)"
	}
}

# says PATTERN: the last run said so, on either output.
says() {
	cat "$OUT" "$ERR" | grep -qE -- "$1" && return
	cat "$OUT" "$ERR" >&2
	fail "the last run does not say /$1/"
}

# wait_for SECONDS COMMAND…: polls until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "not within the time: $*"
		sleep 0.05
	done
}
