/*
 * Checks of doctor: the host around the servers: agent.yaml, rights, state, where writing is
 * possible, disk, clock.
 */
#include "session/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "service/service.h"

enum {
	STATUS_LIMIT_BYTES = 65536,
	SANE_SECONDS = 1704067200, /* 2024: nothing of this program is older */
	SKEW_SECONDS = 300,
};

#define MIB            ((uint64_t)1 << 20)
#define WARNING_BYTES  (256 * MIB)
#define ERROR_BYTES    (16 * MIB)
#define WARNING_INODES 1000U
#define ERROR_INODES   50U

void mr_doctor_configuration(struct mr_doctor *doctor)
{
	const char *path = doctor->session->options.config;
	struct stat status;

	(void)mr_doctor_take(doctor, MR_HEALTH_ERROR); /* what was said while it was read */
	if (stat(path, &status) == 0 &&
	        (status.st_mode & 0022 || (status.st_uid != 0 && status.st_uid != geteuid()))) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "'%s' decides over this host, and others may write to it (owner %u, mode "
		        "%04o)",
		        path, (unsigned)status.st_uid, (unsigned)status.st_mode & 07777);
		mr_doctor_remedy(doctor, "chown root: %s; chmod go-w %s", path, path);
		return;
	}
	mr_doctor_say(doctor, MR_HEALTH_OK, "'%s' is read", path);
}

static void judge_state_directory(
        struct mr_doctor *doctor, const char *path, const struct stat *status)
{
	mode_t mode = status->st_mode & 07777;

	if (!S_ISDIR(status->st_mode)) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR, "state_directory '%s' is no folder", path);
		mr_doctor_remedy(doctor, "move it away");
	} else if (status->st_uid != geteuid()) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR,
		        "state_directory '%s' belongs to user %u, not to the one that runs this",
		        path, (unsigned)status->st_uid);
		mr_doctor_remedy(doctor, "chown root: %s, after a look at what is in it", path);
	} else if (mode & 0066) { /* others may pass to what is given to the agent's user */
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "state_directory '%s' is open to others (mode %04o)", path, (unsigned)mode);
		mr_doctor_remedy(doctor, "chmod 0700 %s", path);
	} else {
		mr_doctor_say(doctor, MR_HEALTH_OK, "state_directory '%s' is ours alone", path);
	}
}

void mr_doctor_rights(struct mr_doctor *doctor)
{
	const char *path =
	        mr_session_text_or_null(doctor->session, doctor->session->host.state_directory);
	struct stat status;

	if (geteuid() == 0) {
		mr_doctor_say(doctor, MR_HEALTH_OK, "runs as root");
	} else {
		mr_doctor_say(doctor, MR_HEALTH_ERROR,
		        "runs as user %u: a sync writes to the servers' files, which takes root",
		        (unsigned)geteuid());
		mr_doctor_remedy(doctor, "sudo mailreeve doctor");
	}
	if (lstat(path, &status) == 0) {
		judge_state_directory(doctor, path, &status);
	} else if (errno == ENOENT) {
		mr_doctor_say(doctor, MR_HEALTH_OK,
		        "state_directory '%s' is made by the first sync", path);
	} else {
		mr_doctor_say(
		        doctor, MR_HEALTH_ERROR, "state_directory '%s': %s", path, strerror(errno));
		mr_doctor_remedy(doctor, "sudo mailreeve doctor");
	}
}

static void judge_last_run(struct mr_doctor *doctor)
{
	struct mailreeve *session = doctor->session;
	struct mr_record last;
	int found = mr_state_find_record(session->state, 0, &session->arena, &last);

	if (found)
		return;
	if (last.ended > time(NULL) + SKEW_SECONDS) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "the newest run on record ended in the future: the clock was set back, or "
		        "was wrong then");
		mr_doctor_remedy(doctor, "timedatectl");
	}
	if (last.exit_status != 0) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "the last run (%" PRId64 ") ended with: %.*s", last.id,
		        MR_FMT(mr_str_take(last.detail, 300)));
		mr_doctor_remedy(doctor, "mailreeve history %" PRId64, last.id);
	}
}

void mr_doctor_state(struct mr_doctor *doctor)
{
	struct mailreeve *session = doctor->session;
	bool is_open = false;

	if (mr_session_open_state(session, false, "doctor") ||
	        mr_apply_is_open(session->state, &is_open)) {
		(void)mr_doctor_take(doctor, MR_HEALTH_ERROR);
		return;
	}
	if (!mr_state_is_trusted(session->state)) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR,
		        "the state database is damaged or older than its anchor: nothing is "
		        "applied");
		mr_doctor_remedy(doctor,
		        "restore it from a backup, or look at 'mailreeve plan' and "
		        "say 'mailreeve trust'");
	} else if (is_open) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "an apply was interrupted, or runs now; the next one ends it first");
		mr_doctor_remedy(doctor, "mailreeve sync");
	} else {
		mr_doctor_say(doctor, MR_HEALTH_OK, "the state database is sound");
	}
	judge_last_run(doctor);
}

/* The folder itself or, before it is made, the one that it will be made in. */
static const char *existing(struct mr_doctor *doctor, mr_str path)
{
	const char *text = mr_session_text_or_null(doctor->session, path);

	while (path.size > 1 && access(text, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
		path = mr_str_take(path, mr_str_rfind(path, '/'));
		text = path.size ? mr_session_text_or_null(doctor->session, path) : "/";
	}
	return text;
}

/* Asks without writing: the kernel knows of read-only mounts and immutable folders. */
static bool check_writable(struct mr_doctor *doctor, const char *owner, mr_str path)
{
	const char *folder = existing(doctor, path);
	int reason = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) ? errno : 0;

	if (reason == 0)
		return true;
	mr_doctor_say(doctor, MR_HEALTH_ERROR, "cannot write to '%s' (%s) from here: %s", folder,
	        owner, strerror(reason));
	if (reason == EROFS)
		mr_doctor_remedy(doctor, "mount it writable; in a unit: ReadWritePaths=%s", folder);
	else
		mr_doctor_remedy(doctor, "see ls -ld %s and lsattr -d %s", folder, folder);
	return false;
}

/* A number that the kernel tells of this process; 0 when it does not. */
static uint64_t own_status(struct mr_doctor *doctor, const char *name)
{
	struct mr_buf text = MR_BUF_INIT;
	uint64_t value = 0;
	mr_str rest = {0};

	if (!mr_file_read(&doctor->session->diags, "/proc/self/status", STATUS_LIMIT_BYTES, &text))
		rest = mr_buf_str(&text);
	while (rest.size) {
		mr_str line = mr_str_split(&rest, '\n');
		mr_str key = mr_str_split(&line, ':');

		if (mr_str_is(key, name) && mr_number_parse(mr_str_trim(line), UINT32_MAX, &value))
			value = 0;
	}
	mr_buf_done(&text);
	return value;
}

/* What this very process is held by. */
static void note_confinement(struct mr_doctor *doctor)
{
	static const char *const modes[] = {"no filter of system calls",
	        "strict filter of system calls", "filter of system calls"};
	uint64_t seccomp = own_status(doctor, "Seccomp");
	char unit[256];
	bool is_unit = mr_service_own_unit(unit, sizeof unit);

	mr_doctor_say(doctor, MR_HEALTH_OK, "runs %s%s: %s, %s",
	        is_unit ? "in unit " : "outside of any service", unit,
	        modes[seccomp < 3 ? seccomp : 0],
	        own_status(doctor, "NoNewPrivs") ? "no new privileges" : "new privileges possible");
}

void mr_doctor_sandbox(struct mr_doctor *doctor)
{
	bool is_well =
	        check_writable(doctor, "state_directory", doctor->session->host.state_directory);

	mr_vec_each (folder, &doctor->folders)
		is_well &= check_writable(doctor, folder->owner, folder->path);
	if (is_well)
		mr_doctor_say(
		        doctor, MR_HEALTH_OK, "all that a sync writes to is writable from here");
	note_confinement(doctor);
}

static void judge_room(struct mr_doctor *doctor, const char *folder, const struct statvfs *room)
{
	uint64_t bytes = (uint64_t)room->f_bavail * room->f_frsize;
	bool has_inodes = room->f_files > 0; /* some file systems do not count them */
	bool is_error = bytes < ERROR_BYTES || (has_inodes && room->f_favail < ERROR_INODES);

	if (!is_error && bytes >= WARNING_BYTES &&
	        (!has_inodes || room->f_favail >= WARNING_INODES))
		return;
	mr_doctor_say(doctor, is_error ? MR_HEALTH_ERROR : MR_HEALTH_WARNING,
	        "little room at '%s': %" PRIu64 " MiB, %" PRIu64 " inodes left", folder,
	        bytes / MIB, (uint64_t)room->f_favail);
	mr_doctor_remedy(doctor, "df %s; df -i %s", folder, folder);
}

/* One folder of each file system. */
struct room_seen {
	MR_VEC(dev_t) devices;
};

static void check_room(struct mr_doctor *doctor, mr_str path, struct room_seen *seen)
{
	const char *folder = existing(doctor, path);
	struct statvfs room;
	struct stat status;

	if (stat(folder, &status) || statvfs(folder, &room)) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING, "cannot tell the room at '%s': %s", folder,
		        strerror(errno));
		return;
	}
	mr_vec_each (device, &seen->devices)
		if (*device == status.st_dev)
			return;
	mr_vec_push(&seen->devices, status.st_dev);
	judge_room(doctor, folder, &room);
}

void mr_doctor_disk(struct mr_doctor *doctor)
{
	struct room_seen seen = {0};
	size_t before = doctor->findings.n;

	check_room(doctor, doctor->session->host.state_directory, &seen);
	mr_vec_each (folder, &doctor->folders)
		check_room(doctor, folder->path, &seen);
	if (doctor->findings.n == before)
		mr_doctor_say(doctor, MR_HEALTH_OK, "there is room to write");
	mr_vec_done(&seen.devices);
}

/* A filter of system calls may kill whoever asks. */
static void check_synchronised(struct mr_doctor *doctor)
{
	struct timex asked = {.modes = 0};
	int state;

	if (own_status(doctor, "Seccomp")) {
		mr_doctor_say(doctor, MR_HEALTH_SKIPPED,
		        "whether the clock is synchronised is not asked under a filter of system "
		        "calls");
		return;
	}
	state = adjtimex(&asked);
	if (state < 0) {
		mr_doctor_say(doctor, MR_HEALTH_SKIPPED,
		        "the kernel does not tell of the clock: %s", strerror(errno));
	} else if (state == TIME_ERROR || asked.status & STA_UNSYNC) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING, "the clock is not synchronised");
		mr_doctor_remedy(doctor, "systemctl enable --now systemd-timesyncd, or another NTP "
		                         "client");
	} else {
		mr_doctor_say(doctor, MR_HEALTH_OK, "the clock is synchronised");
	}
}

void mr_doctor_clock(struct mr_doctor *doctor)
{
	if (time(NULL) >= SANE_SECONDS) {
		check_synchronised(doctor);
		return;
	}
	mr_doctor_say(doctor, MR_HEALTH_ERROR,
	        "the clock stands in the past: certificates, windows and expiry dates would be "
	        "misjudged");
	mr_doctor_remedy(doctor, "timedatectl set-time, and an NTP client");
}
