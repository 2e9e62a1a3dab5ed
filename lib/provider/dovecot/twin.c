/*
 * The throw-away twin: Dovecot started with the settings to be, in a folder of its own, with own
 * ports, users and mail, and spoken to up to an opened mailbox and an accepted recipient. Most
 * wrong values show only so.
 */
#include "dovecot/twin.h"

#include "dovecot/names.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/run.h"
#include "base/text.h"
#include "base/wait.h"

#define PROGRAM_TIMEOUT_MS 20000
#define STOP_TIMEOUT_MS    5000
#define TICK_MS            20
#define LOG_DELAY_MS       60 /* what was said goes through a process of its own */
#define TWIN_LOCAL         "twin"
#define TWIN_USER          TWIN_LOCAL "@mailreeve.invalid"

static int make_folder(struct mr_twin *twin)
{
	static const char *const patterns[] = {
	        "/run/mailreeve-twin-XXXXXX", "/tmp/mailreeve-twin-XXXXXX"};
	static const char *const below[] = {"run", "state", "home"};
	struct mr_backend *backend = twin->backend;
	char *made = NULL;

	for (size_t i = 0; !made && i < sizeof patterns / sizeof *patterns; i++) {
		snprintf(twin->folder, sizeof twin->folder, "%s", patterns[i]);
		made = mkdtemp(twin->folder);
	}
	if (!made) {
		twin->folder[0] = 0;
		return mr_fail(backend->diags, MR_E_FAILED, "cannot make a folder for the twin: %s",
		        strerror(errno));
	}
	/* Dovecot's users must get through; what is secret below has a mode of its own */
	if (chmod(twin->folder, 0755))
		return mr_fail(backend->diags, MR_E_FAILED, "cannot open '%s' to Dovecot: %s",
		        twin->folder, strerror(errno));
	for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
		const char *path =
		        mr_str_printf(&twin->arena, "%s/%s", twin->folder, below[i]).data;

		if (mkdir(path, 0755))
			return mr_fail(backend->diags, MR_E_FAILED, "cannot make '%s': %s", path,
			        strerror(errno));
	}
	if (geteuid() == 0 && chown(mr_str_printf(&twin->arena, "%s/home", twin->folder).data,
	                              twin->uid, twin->gid))
		return mr_fail(backend->diags, MR_E_FAILED, "cannot give '%s/home' away: %s",
		        twin->folder, strerror(errno));
	return 0;
}

static int write_file(struct mr_twin *twin, const char *name, mr_str content, const char **out_path)
{
	*out_path = mr_str_printf(&twin->arena, "%s/%s", twin->folder, name).data;
	return mr_file_replace(
	        twin->backend->diags, *out_path, content, &twin->backend->secret_owner);
}

/* Our settings with every file of users inside the folder. */
static int write_own(
        struct mr_twin *twin, const struct mr_dovecot_settings *settings, const char **out_path)
{
	struct mr_dovecot_settings moved = {0};
	struct mr_buf text = MR_BUF_INIT;
	int code;

	mr_vec_each (setting, &settings->list) {
		struct mr_dovecot_setting copy = *setting;
		size_t slash = mr_str_rfind(copy.value, '/');

		if (mr_str_ends(copy.path, MR_STR("/passwd_file_path")) &&
		        slash < copy.value.size) {
			copy.value = mr_str_printf(&twin->arena, "%s%.*s", twin->folder,
			        MR_FMT(mr_str_skip(copy.value, slash)));
			twin->has_own_users |= mr_str_ends(copy.value, MR_STR("/users"));
		}
		mr_dovecot_settings_set(&moved, &copy);
	}
	code = mr_dovecot_own_format(twin->backend, &twin->arena, &moved, &text);
	if (!code)
		code = write_file(twin, "mailreeve.conf", mr_buf_str(&text), out_path);
	mr_buf_done_secret(&text);
	mr_dovecot_settings_done(&moved);
	return code;
}

static void add_user(const struct mr_twin *twin, const char *name, struct mr_buf *out)
{
	mr_buf_printf(out, "%s:{PLAIN}%s:%u:%u::%s/home::\n", name, twin->password,
	        (unsigned)twin->uid, (unsigned)twin->gid, twin->folder);
}

static int write_users(struct mr_twin *twin)
{
	struct mr_buf text = MR_BUF_INIT;
	uint8_t random[16];
	const char *ignored;
	int code;

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return mr_fail(twin->backend->diags, MR_E_FAILED, "cannot read random bytes: %s",
		        strerror(errno));
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(twin->password + 2 * i, 3, "%02x", random[i]);
	add_user(twin, TWIN_USER, &text);
	/* a host may look users up without their domain, as Debian 13's LMTP does; where ours are
	 * delivered to, that is a fault to be seen */
	if (!twin->has_own_users || !twin->backend->is_delivered_to)
		add_user(twin, TWIN_LOCAL, &text);
	code = write_file(twin, "users", mr_buf_str(&text), &ignored);
	mr_buf_done_secret(&text);
	if (!code)
		code = write_file(twin, "denied", MR_STR("# nobody\n"), &ignored);
	return code;
}

/* Every listener that the configuration would open is closed in the twin. */
static void close_listeners(
        struct mr_twin *twin, const struct mr_dovecot_settings *effective, struct mr_buf *out)
{
	mr_vec_each (setting, &effective->list) {
		mr_str parts[MR_DOVECOT_DEPTH];
		size_t n = mr_dovecot_path_split(setting->path, parts, MR_DOVECOT_DEPTH);
		bool is_inet, is_local;

		if (n != 3 || !mr_str_starts(parts[0], MR_STR("service ")))
			continue;
		is_inet = mr_str_starts(parts[1], MR_STR("inet_listener ")) &&
		          mr_str_is(parts[2], "port");
		is_local = (mr_str_starts(parts[1], MR_STR("unix_listener /")) ||
		                   mr_str_starts(parts[1], MR_STR("fifo_listener /"))) &&
		           mr_str_is(parts[2], "mode");
		if (is_inet || is_local)
			mr_buf_printf(out, "%.*s {\n  %.*s {\n    %s = 0\n  }\n}\n",
			        MR_FMT(parts[0]), MR_FMT(parts[1]), is_inet ? "port" : "mode");
	}
	mr_buf_printf(out,
	        "service imap-login {\n  inet_listener mailreeve-twin {\n    %s = 127.0.0.1\n"
	        "    port = %u\n    ssl = no\n  }\n}\n",
	        twin->backend->version->listener_address, twin->imap_port);
}

static void add_overrides(
        struct mr_twin *twin, const struct mr_dovecot_settings *effective, struct mr_buf *out)
{
	mr_buf_printf(out,
	        "base_dir = %s/run\nstate_dir = %s/state\nlog_path = %s/log\ninfo_log_path =\n"
	        "debug_log_path =\ninstance_name = mailreeve-twin-%u\nlisten = 127.0.0.1\n",
	        twin->folder, twin->folder, twin->folder, (unsigned)getpid());
	close_listeners(twin, effective, out);
	if (!twin->has_own_users)
		twin->backend->version->twin_accounts(twin->folder, out);
	/* mail that is not kept below the home would be somebody's */
	twin->backend->version->twin_mail(effective, twin->folder, out);
	if (twin->uid < 500)
		mr_buf_printf(out, "first_valid_uid = %u\nfirst_valid_gid = %u\n",
		        (unsigned)twin->uid, (unsigned)twin->gid);
}

static int effective_of(struct mr_twin *twin, const char *path, struct mr_dovecot_settings *out)
{
	const char *const argv[] = {"doveconf", "-c", path, "-a", NULL};
	struct mr_run run = {.argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS};
	int code = mr_run(twin->backend->diags, &run);
	size_t line;

	if (!code && (run.status ||
	                     mr_dovecot_conf_parse(&twin->arena, mr_buf_str(&run.out), out, &line)))
		code = mr_fail(twin->backend->diags, MR_E_REJECTED,
		        "Dovecot's checker refuses the settings: %.*s",
		        MR_FMT(mr_str_trim(mr_buf_str(&run.err))));
	mr_run_done(&run);
	return code ? code : mr_dovecot_complete(twin->backend, out);
}

static int write_main(struct mr_twin *twin, const char *own_path)
{
	struct mr_dovecot_settings effective = {0};
	struct mr_buf text = MR_BUF_INIT;
	int code = mr_dovecot_main_elsewhere(twin->backend, own_path, &text);

	if (!code)
		code = write_file(twin, "dovecot.conf", mr_buf_str(&text), &twin->config);
	if (!code)
		code = effective_of(twin, twin->config, &effective);
	if (!code)
		code = mr_twin_check_ports(twin, &effective);
	if (!code) {
		mr_str protocols = {0};

		(void)twin->backend->version->value_in(
		        &twin->arena, &effective, MR_STR("protocols"), &protocols);
		twin->has_imap = mr_dovecot_has_word(protocols, MR_STR("imap"));
		twin->has_lmtp = mr_dovecot_has_word(protocols, MR_STR("lmtp"));
		add_overrides(twin, &effective, &text);
		code = write_file(twin, "dovecot.conf", mr_buf_str(&text), &twin->config);
	}
	mr_buf_done_secret(&text);
	mr_dovecot_settings_done(&effective);
	return code;
}

static int start(struct mr_twin *twin)
{
	const char *const argv[] = {"dovecot", "-c", twin->config, NULL};
	struct mr_run run = {
	        .argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS, .is_daemon_starter = true};
	int code = mr_run(twin->backend->diags, &run);

	if (!code && run.status)
		code = mr_fail(twin->backend->diags, MR_E_REJECTED,
		        "Dovecot does not start with the settings: %.*s",
		        MR_FMT(mr_str_trim(mr_buf_str(&run.err))));
	mr_run_done(&run);
	return code;
}

static pid_t master_of(struct mr_twin *twin)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_diags ignored;
	uint64_t pid = 0;

	mr_diags_init(&ignored);
	if (mr_file_read(&ignored,
	            mr_str_printf(&twin->arena, "%s/run/master.pid", twin->folder).data, 64,
	            &text) ||
	        mr_number_parse(mr_str_trim(mr_buf_str(&text)), INT32_MAX, &pid))
		pid = 0;
	mr_buf_done(&text);
	mr_diags_done(&ignored);
	return (pid_t)pid;
}

static void stop(struct mr_twin *twin)
{
	pid_t pid = master_of(twin);

	if (!mr_dovecot_is_alive(pid))
		return;
	/* all of its processes at once: by itself the master waits for them for a second or more */
	(void)kill(getpgid(pid) == pid ? -pid : pid, SIGTERM);
	for (unsigned waited = 0; mr_dovecot_is_alive(pid) && waited < STOP_TIMEOUT_MS;
	        waited += TICK_MS)
		mr_wait_ms(TICK_MS);
	if (mr_dovecot_is_alive(pid))
		(void)kill(pid, SIGKILL);
}

/* Lines of the twin's log that speak of a fault. */
static int judge_log(struct mr_twin *twin)
{
	static const mr_str words[] = {
	        MR_STR_INIT("Error: "), MR_STR_INIT("Fatal: "), MR_STR_INIT("Panic: ")};
	struct mr_buf text = MR_BUF_INIT;
	mr_str rest;
	int code = mr_file_read(twin->backend->diags,
	        mr_str_printf(&twin->arena, "%s/log", twin->folder).data, (size_t)16 << 20, &text);

	rest = mr_buf_str(&text);
	while (rest.size > 0) {
		mr_str line = mr_str_split(&rest, '\n');

		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (memmem(line.data ? line.data : "", line.size, words[i].data,
			            words[i].size))
				code = mr_fail(twin->backend->diags, MR_E_REJECTED,
				        "Dovecot, started aside with the settings, says: %.*s",
				        MR_FMT(mr_str_trim(line)));
	}
	mr_buf_done(&text);
	return code == MR_E_NOT_FOUND ? 0 : code;
}

/* Whose mail store it is: the twin's mailbox belongs to the same. */
static void choose_owner(struct mr_twin *twin)
{
	twin->uid = twin->backend->uid;
	twin->gid = twin->backend->gid;
	if (!twin->backend->has_owner || twin->uid == 0) {
		twin->uid =
		        geteuid() ? geteuid() : 65534; /* nobody: a mailbox never belongs to root */
		twin->gid = geteuid() ? getegid() : 65534;
	}
}

static int run_twin(struct mr_twin *twin, const struct mr_dovecot_settings *settings)
{
	const char *own_path;
	int said, code = make_folder(twin);

	if (!code)
		code = write_own(twin, settings, &own_path);
	if (!code)
		code = write_users(twin);
	if (!code)
		code = write_main(twin, own_path);
	if (!code)
		code = start(twin);
	if (code)
		return code;
	code = mr_twin_speak(twin);
	mr_wait_ms(LOG_DELAY_MS);
	said = judge_log(twin);
	stop(twin);
	return said ? said : code;
}

int mr_dovecot_twin(struct mr_backend *backend, const struct mr_dovecot_settings *settings)
{
	struct mr_twin twin = {.backend = backend,
	        .arena = MR_ARENA_INIT,
	        .imap_port = mr_twin_free_port(),
	        .user = TWIN_USER};
	int code;

	choose_owner(&twin);
	code = run_twin(&twin, settings);
	stop(&twin);
	if (twin.folder[0] && mr_dir_remove(backend->diags, twin.folder) && !code)
		code = MR_E_FAILED;
	explicit_bzero(twin.password, sizeof twin.password);
	mr_arena_done(&twin.arena);
	return code;
}
