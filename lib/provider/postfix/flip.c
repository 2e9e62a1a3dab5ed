/*
 * Preparing a main.cf, renaming it over the live one, and putting the old one back.
 */
#include "postfix/flip.h"

#include "base/json.h"
#include "base/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EDIT_LOCK_WAIT_MS 3000
#define FLIP_LIMIT_BYTES  ((size_t)1 << 20)

mr_str mr_postfix_digest(struct mr_backend *backend, mr_str text)
{
	struct mr_digest digest = mr_digest_of(text);
	struct mr_buf hex = MR_BUF_INIT;
	mr_str out;

	mr_digest_format(&digest, &hex);
	out = mr_str_copy(&backend->arena, mr_buf_str(&hex));
	mr_buf_done(&hex);
	return out;
}

int mr_postfix_flip_save(
        struct mr_backend *backend, const char *work_directory, const struct mr_postfix_flip *flip)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_file_owner owner = {.uid = geteuid(), .gid = getegid(), .mode = 0600};
	struct mr_json json;
	int code;

	mr_json_init(&json, &text, false);
	mr_json_begin_object(&json);
	mr_json_member_str(&json, "old_generation", flip->old_generation);
	mr_json_member_str(&json, "new_generation", flip->new_generation);
	mr_json_member_str(&json, "before", flip->before);
	mr_json_member_str(&json, "after", flip->after);
	mr_json_member_str(&json, "last", flip->last);
	mr_json_member_bool(&json, "was_running", backend->was_running);
	mr_json_end_object(&json);
	code = mr_file_replace(backend->diags,
	        mr_postfix_path(backend, "%s/postfix.flip", work_directory), mr_buf_str(&text),
	        &owner);
	mr_buf_done(&text);
	return code;
}

int mr_postfix_flip_load(
        struct mr_backend *backend, const char *work_directory, struct mr_postfix_flip *out)
{
	const char *path = mr_postfix_path(backend, "%s/postfix.flip", work_directory);
	struct mr_buf text = MR_BUF_INIT;
	struct mr_json_value *root;
	int code = mr_file_read(backend->diags, path, FLIP_LIMIT_BYTES, &text);

	if (!code && mr_json_parse(&backend->arena, mr_str_copy(&backend->arena, mr_buf_str(&text)),
	                     &root, NULL))
		code = mr_fail(
		        backend->diags, MR_E_FAILED, "cannot read '%s': it is damaged", path);
	mr_buf_done(&text);
	if (code)
		return code;
	out->old_generation = mr_json_get_str(root, "old_generation");
	out->new_generation = mr_json_get_str(root, "new_generation");
	out->before = mr_json_get_str(root, "before");
	out->after = mr_json_get_str(root, "after");
	out->last = mr_json_get_str(root, "last");
	/* A recovery in a new process must know whether a dead Postfix is this transaction's doing.
	 */
	if (mr_json_find(root, "was_running") &&
	        mr_str_is(mr_json_find(root, "was_running")->text, "true"))
		backend->was_running = true;
	return 0;
}

static int owner_of_main(struct mr_backend *backend, struct mr_file_owner *out)
{
	struct stat status;

	if (lstat(backend->main_path, &status))
		return mr_fail(backend->diags, MR_E_FAILED, "cannot look at '%s': %s",
		        backend->main_path, strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_nlink != 1) {
		int code = mr_fail(backend->diags, MR_E_CONFIG,
		        "cannot replace '%s': it is no plain file of one name", backend->main_path);

		mr_diags_hint(backend->diags, "put the file itself there, without links");
		return code;
	}
	*out = (struct mr_file_owner){status.st_uid, status.st_gid, status.st_mode & 07777};
	return 0;
}

int mr_postfix_prepare_main(struct mr_backend *backend, mr_str next)
{
	const char *path = mr_postfix_path(backend, "%s/main.cf.next", backend->own_directory);
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - 2}};
	struct mr_file_owner owner;
	int code = owner_of_main(backend, &owner);

	if (!code)
		code = mr_file_write_new(backend->diags, path, next, &owner);
	/* A main.cf of this very second makes every Postfix process wait for the second to pass. */
	if (!code)
		(void)utimensat(AT_FDCWD, path, times, 0);
	if (!code)
		code = mr_file_write_new(backend->diags,
		        mr_postfix_path(backend, "%s/main.cf.previous", backend->own_directory),
		        mr_buf_str(&backend->main_text), &owner);
	return code ? code : mr_dir_sync(backend->diags, backend->own_directory);
}

/* The lock that postconf -e takes: an flock on main.cf.tmp, which must still be that file
 * afterwards. */
static int lock_edits(struct mr_backend *backend, const char *path, int *out_fd)
{
	struct stat here, there;

	for (int waited = 0; waited < EDIT_LOCK_WAIT_MS; waited += 10) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return mr_fail(backend->diags, MR_E_FAILED, "cannot open '%s': %s", path,
			        strerror(errno));
		if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &here) && !stat(path, &there) &&
		        here.st_ino == there.st_ino) {
			*out_fd = fd;
			return 0;
		}
		(void)close(fd);
		mr_wait_ms(10);
	}
	return mr_fail(backend->diags, MR_E_BUSY, "cannot change '%s': somebody else is editing it",
	        backend->main_path);
}

static int rename_main(struct mr_backend *backend, const char *from)
{
	return mr_file_rename(backend->diags, from, backend->main_path);
}

int mr_postfix_flip_forward(struct mr_backend *backend, const struct mr_postfix_flip *flip)
{
	const char *lock_path = mr_postfix_path(backend, "%s.tmp", backend->main_path);
	MR_CLOSE int lock = -1;
	mr_str digest;
	int code = lock_edits(backend, lock_path, &lock);

	if (code)
		return code;
	if (!(code = mr_postfix_read_main(backend))) {
		digest = mr_postfix_digest(backend, mr_buf_str(&backend->main_text));
		if (mr_str_eq(digest, flip->before))
			code = rename_main(backend, mr_postfix_path(backend, "%s/main.cf.next",
			                                    backend->own_directory));
		else if (!mr_str_eq(digest, flip->after))
			code = mr_fail(backend->diags, MR_E_CONFLICT,
			        "cannot replace '%s': somebody else changed it meanwhile",
			        backend->main_path);
	}
	(void)unlink(lock_path); /* ours, under its lock */
	return code ? code : mr_postfix_read_main(backend);
}

int mr_postfix_set_in_main(mr_str text, mr_str name, mr_str value, struct mr_buf *out)
{
	struct mr_maincf maincf;
	size_t line;
	int code = mr_maincf_parse(text, &maincf, &line);

	if (!code)
		mr_maincf_edit(&maincf, name, value, out);
	mr_maincf_done(&maincf);
	return code;
}

static int edit_one(
        struct mr_backend *backend, mr_str text, const struct mr_change *change, struct mr_buf *out)
{
	struct mr_maincf maincf;
	const struct mr_maincf_entry *entry;
	mr_str before =
	        change->before.data ? mr_attrs_get(change->before, MR_STR("value")) : (mr_str){0};
	mr_str after =
	        change->after.data ? mr_attrs_get(change->after, MR_STR("value")) : (mr_str){0};
	size_t line;
	int code = mr_maincf_parse(text, &maincf, &line);

	if (change->after.data && !after.data)
		after = MR_STR("");
	entry = mr_maincf_find(&maincf, change->key);
	if (!code && (entry ? change->after.data && mr_str_eq(entry->value, after)
	                    : !change->after.data))
		mr_buf_add_str(out, text);
	else if (!code && (entry ? change->before.data && mr_str_eq(entry->value, before)
	                         : !change->before.data))
		mr_maincf_edit(&maincf, change->key, change->after.data ? after : (mr_str){0}, out);
	else
		code = mr_fail(backend->diags, MR_E_CONFLICT,
		        "cannot change parameter '%.*s' in '%s': somebody else changed it "
		        "meanwhile",
		        MR_FMT(change->key), backend->main_path);
	mr_maincf_done(&maincf);
	return code;
}

int mr_postfix_edit_main(struct mr_backend *backend, mr_str text,
        const struct mr_change *const *changes, size_t n, struct mr_buf *out)
{
	struct mr_buf now = MR_BUF_INIT, next = MR_BUF_INIT, swap;
	int code = 0;

	mr_buf_add_str(&now, text);
	for (size_t i = 0; i < n && !code; i++) {
		if (mr_postfix_table_name(changes[i]->in->name).size)
			continue;
		mr_buf_clear(&next);
		code = edit_one(backend, mr_buf_str(&now), changes[i], &next);
		swap = now;
		now = next;
		next = swap;
	}
	if (!code)
		mr_buf_add_str(out, mr_buf_str(&now));
	mr_buf_done(&now);
	mr_buf_done(&next);
	return code;
}

/* Somebody edited main.cf after us: only what is ours goes back. */
static int put_back_keys(struct mr_backend *backend, const struct mr_postfix_flip *flip,
        const struct mr_change *const *changes, size_t n)
{
	const struct mr_maincf_entry *own = mr_maincf_find(&backend->main, MR_STR("mailreeve"));
	struct mr_buf text = MR_BUF_INIT, last = MR_BUF_INIT;
	bool is_ours =
	        flip->new_generation.size && own && mr_str_eq(own->value, flip->new_generation);
	int code =
	        mr_postfix_edit_main(backend, mr_buf_str(&backend->main_text), changes, n, &text);

	if (!code && is_ours)
		code = mr_postfix_set_in_main(mr_buf_str(&text), MR_STR("mailreeve"),
		        flip->old_generation.size ? flip->old_generation : (mr_str){0}, &last);
	else if (!code)
		mr_buf_add_str(&last, mr_buf_str(&text));
	if (!code && !mr_str_eq(mr_buf_str(&last), mr_buf_str(&backend->main_text)))
		code = mr_file_replace(backend->diags, backend->main_path, mr_buf_str(&last), NULL);
	mr_buf_done(&text);
	mr_buf_done(&last);
	return code;
}

static int put_back(struct mr_backend *backend, const struct mr_postfix_flip *flip,
        const struct mr_change *const *changes, size_t n)
{
	mr_str digest;
	int code = mr_postfix_read_main(backend);

	if (code)
		return code;
	digest = mr_postfix_digest(backend, mr_buf_str(&backend->main_text));
	if (mr_str_eq(digest, flip->before))
		return 0;
	if (mr_str_eq(digest, flip->after))
		return rename_main(backend,
		        mr_postfix_path(backend, "%s/main.cf.previous", backend->own_directory));
	return put_back_keys(backend, flip, changes, n);
}

int mr_postfix_flip_back(struct mr_backend *backend, const struct mr_postfix_flip *flip,
        const struct mr_change *const *changes, size_t n)
{
	const char *lock_path = mr_postfix_path(backend, "%s.tmp", backend->main_path);
	MR_CLOSE int lock = -1;
	int code = lock_edits(backend, lock_path, &lock);

	if (code)
		return code;
	code = put_back(backend, flip, changes, n);
	(void)unlink(lock_path); /* ours, under its lock */
	return code ? code : mr_postfix_read_main(backend);
}
