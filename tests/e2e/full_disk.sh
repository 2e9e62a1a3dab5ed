#!/bin/bash
# No space left: where the state is kept, or where Postfix' configuration is. The old state stays, with a clear error, and an
# undo needs no new space.
. "$(dirname "$0")/lib.sh"
begin
expect 0 apply --yes
world "$SCRATCH/before"
edit "$W/postfix.yaml" 's/50M/80M/'
edit "$W/domains/example.org.yaml" 's/al\]/al, liddell]/'
edit "$W/directory.yaml" 's/Everyone/Everybody/'
commit "something for each server"

# What was stopped may take a moment to close its files.
let_go() {
	local end=$((SECONDS + 10))
	until umount "$1" 2>/dev/null; do
		[ $SECONDS -lt $end ] || fail "cannot unmount $1: $(fuser -vm "$1" 2>&1 || true)"
		sleep 0.2
	done
}

# small_disk FOLDER FREE-KILOBYTES: a file system at $SMALL with what the folder has and that little left
small_disk() {
	local folder=$1 free=$2 used
	used=$(du -sk "$folder" | cut -f1)
	mkdir -p "$SMALL"
	mount -t tmpfs -o "size=$((used + free + 256))k,mode=$(stat -c %a "$folder")" small "$SMALL" || return
	cp -a "$folder/." "$SMALL/"
	dd if=/dev/zero of="$SMALL/.filler" bs=1024 count=$(($(df -k --output=avail "$SMALL" | tail -n 1) - free)) status=none || true
}

# on_small_disk FOLDER FREE-KILOBYTES COMMAND…: FOLDER on a file system of its own with that little left. It is filled
# elsewhere and takes the folder's place in one step: Postfix' programs start at any time, and where one finds no main.cf
# master waits a minute before it starts that service again.
on_small_disk() {
	local folder=$1 free=$2
	shift 2
	small_disk "$folder" "$free" || {
		say "no mount here: not tested"
		refused=99
		return 0
	}
	mount --bind "$SMALL" "$folder"
	let_go "$SMALL"
	"$@"
	rm -f "$folder/.filler"
	rm -rf "$SCRATCH/now"
	cp -a "$folder" "$SCRATCH/now"
	"$bed" stop "$BED_DIR" postfix # it holds tables open
	let_go "$folder"
	find "$folder" -mindepth 1 -delete
	cp -a "$SCRATCH/now/." "$folder/"
	rm -rf "$SCRATCH/now"
	"$bed" start "$BED_DIR" postfix
}

fails_as_it_was() {
	mr apply --yes
	case $RC in 0) applied=$((applied + 1)) && return ;; 1 | 5 | 69 | 78) ;; *) cat "$OUT" "$ERR"; fail "exit $RC" ;; esac
	refused=$((refused + 1))
	says '[Nn]o space|is full|disk'
	rm -f "$BED_STATE/.filler" "$BED_POSTFIX_DIR/.filler"
	expect 3 apply
	world "$SCRATCH/after"
	same_world "$SCRATCH/before" "$SCRATCH/after"
}

back() {
	take_back
	expect 0 apply --yes
	take_back
}

SMALL=$SCRATCH/small applied=0 refused=0
for folder in "$BED_STATE" "$BED_POSTFIX_DIR"; do
	for free in 0 4 12 40 120; do
		say "$folder with $free kB left"
		was=$applied
		on_small_disk "$folder" $free fails_as_it_was
		[ $applied = "$was" ] || back
	done
done
[ $refused -ge 4 ] || fail "the disk was full only $refused times"
expect 0 apply --yes
expect 0 plan --detailed-exitcode
