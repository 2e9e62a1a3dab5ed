/*
 * Secrets: each one that this host needs, read from the folder of secret files. Values stay in
 * memory of this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "model/values.h"
#include "source/checks.h"
#include "source/load.h"
#include "source/reader.h"
#include "source/tree.h"

#define SIZE_LIMIT (64U << 10)

struct resolving {
	struct mr_desired *desired;
	struct mr_diags *diags;
	struct mr_tree *tree;
	const char *directory;
	int fd;
	int reason; /* why fd is not open */
	MR_VEC(struct mr_secret) secrets;
};

static void report_absent(struct resolving *resolving, const struct mr_loc *loc, mr_str name)
{
	const char *directory = resolving->directory;

	if (directory[0])
		mr_diags_at(resolving->diags, MR_ERROR, "MR-SECRET-MISSING", loc,
		        "secret '%.*s' is not in '%s'", MR_FMT(name), directory);
	else
		mr_diags_at(resolving->diags, MR_ERROR, "MR-SECRET-MISSING", loc,
		        "secret '%.*s' is not on this host: agent.yaml names no folder of secrets",
		        MR_FMT(name));
	mr_diags_hint(resolving->diags,
	        "%sput it there as a file of one line, closed to others (of a password the hash: "
	        "'mailreeve hash-password')",
	        directory[0] ? "" : "set secrets: {directory: ...} in agent.yaml and ");
}

/* A name that is not in the folder may stand encrypted in the repository. */
static void report_missing(struct resolving *resolving, const struct mr_loc *loc, mr_str name)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_buf encrypted = MR_BUF_INIT;
	mr_str path = mr_str_printf(&arena, "secrets/%.*s.age", MR_FMT(name));

	if (mr_tree_read_path(resolving->tree, path, &encrypted) == 0)
		mr_diags_at(resolving->diags, MR_ERROR, "MR-UNSUPPORTED", loc,
		        "secret '%.*s' is kept as %.*s: age is not supported by this version",
		        MR_FMT(name), MR_FMT(path));
	else
		report_absent(resolving, loc, name);
	mr_buf_done(&encrypted);
}

static int read_all(int fd, struct mr_buf *out)
{
	char *end;
	ssize_t n;

	do {
		end = mr_buf_reserve(out, SIZE_LIMIT + 1);
		n = read(fd, end, SIZE_LIMIT + 1);
		if (n > 0)
			out->size += (size_t)n;
	} while ((n > 0 && out->size <= SIZE_LIMIT) || (n < 0 && errno == EINTR));
	return n < 0 ? MR_E_FAILED : 0;
}

/* The value of a secret without its line end; false when it is not usable. */
static bool trim(mr_str raw, mr_str *out)
{
	if (mr_str_ends(raw, MR_STR("\n")))
		raw = mr_str_take(raw, raw.size - 1);
	if (mr_str_ends(raw, MR_STR("\r")))
		raw = mr_str_take(raw, raw.size - 1);
	*out = raw;
	return raw.size && raw.size <= SIZE_LIMIT && !memchr(raw.data, '\n', raw.size) &&
	       !memchr(raw.data, '\0', raw.size) && !memchr(raw.data, '\r', raw.size);
}

/* Reads one secret; what is wrong is reported at loc. */
static void read_secret(struct resolving *resolving, const struct mr_loc *loc, mr_str name)
{
	struct mr_buf raw = MR_BUF_INIT;
	struct mr_secret secret;
	struct stat status;
	char file[160];
	MR_CLOSE int fd = -1;

	memcpy(file, name.data, name.size);
	file[name.size] = '\0';
	fd = openat(resolving->fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (resolving->fd < 0)
		errno = resolving->reason;
	if (fd < 0 && errno == ENOENT) {
		report_missing(resolving, loc, name);
	} else if (fd < 0 || fstat(fd, &status) < 0) {
		mr_diags_at(resolving->diags, MR_ERROR, "MR-SECRET-MISSING", loc,
		        "cannot open secret '%.*s' in '%s': %s", MR_FMT(name), resolving->directory,
		        strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		mr_diags_at(resolving->diags, MR_ERROR, "MR-SECRET-VALUE", loc,
		        "secret '%.*s' is no plain file", MR_FMT(name));
	} else if (status.st_mode & 0007) {
		mr_diags_at(resolving->diags, MR_ERROR, "MR-SECRET-PERMISSIONS", loc,
		        "secret '%.*s' may be read by others than its owner and group: mode %04o",
		        MR_FMT(name), (unsigned)status.st_mode & 07777);
		mr_diags_hint(
		        resolving->diags, "chmod o= %s/%.*s", resolving->directory, MR_FMT(name));
	} else if (read_all(fd, &raw) < 0 || !trim(mr_buf_str(&raw), &secret.value)) {
		mr_diags_at(resolving->diags, MR_ERROR, "MR-SECRET-VALUE", loc,
		        "secret '%.*s' must be one line of at most 64 KiB", MR_FMT(name));
	} else {
		secret.name = mr_str_copy(&resolving->desired->arena, name);
		secret.value = mr_str_copy(&resolving->desired->arena, secret.value);
		mr_vec_push(&resolving->secrets, secret);
	}
	mr_buf_done_secret(&raw);
}

static bool is_known(const struct resolving *resolving, mr_str name)
{
	return resolving->secrets.n &&
	       mr_str_eq(resolving->secrets.items[resolving->secrets.n - 1].name, name);
}

/* Whether the value is what the place wants where it stands. It is never shown. */
static void check_use(
        struct resolving *resolving, const struct mr_loc *loc, mr_str name, enum mr_type type)
{
	MR_DONE(arena) struct mr_arena arena = MR_ARENA_INIT;
	struct mr_field field = {.type = type};
	mr_str value = resolving->secrets.items[resolving->secrets.n - 1].value, canonical;
	struct mr_complaint complaint = {"MR-TYPE-BOOL", NULL};
	bool has_lines = false;

	if (type == MR_TYPE_PASSWORD) {
		mr_check_password(resolving->desired, resolving->diags, loc, (mr_str){0}, value);
		return;
	}
	if (type == MR_TYPE_BOOL ? mr_str_is(value, "true") || mr_str_is(value, "false")
	                         : mr_value_parse(&arena, &field, value, MR_STR("example.org"),
	                                   &canonical, &complaint) == 0) {
		complaint = (struct mr_complaint){
		        "MR-TYPE-LINES", "it holds a tab or control character"};
		if (mr_scalar_check(value, false, &has_lines) && !has_lines)
			return;
	}
	mr_diags_at(resolving->diags, MR_ERROR, complaint.rule, loc,
	        "secret '%.*s' must be %s here%s%s", MR_FMT(name), mr_type_text(type),
	        complaint.why ? ": " : "", complaint.why ? complaint.why : "");
}

static int each_secret(struct resolving *resolving)
{
	struct mr_desired *desired = resolving->desired;
	const struct mr_object *object;
	struct mr_objects objects;
	mr_str tried = {0};
	int result = mr_objects_begin(
	        mr_layers_of(desired), MR_KIND_secret, (mr_str){0}, false, &objects);

	/* "NAME" comes before "NAME\x01T", with the type of a place; all of them may be there. */
	while (result >= 0 && (result = mr_objects_next(&objects, &object)) > 0) {
		size_t end = mr_str_find(object->key, '\x01');
		mr_str name = mr_str_take(object->key, end);
		struct mr_loc loc = mr_object_loc(object, &desired->paths);

		if (!mr_str_eq(name, tried))
			read_secret(resolving, &loc, name);
		tried = mr_str_copy(&desired->arena, name);
		if (end < object->key.size && is_known(resolving, name))
			check_use(resolving, &loc, name,
			        (enum mr_type)(object->key.data[end + 1] - 'A'));
	}
	mr_objects_end(&objects);
	return result;
}

int mr_secrets_resolve(struct mr_desired *desired, struct mr_diags *diags, const char *directory,
        struct mr_tree *tree)
{
	struct resolving resolving = {desired, diags, tree, directory, -1, 0, {0}};
	size_t n_before = diags->n_errors;
	int error;

	resolving.fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	resolving.reason = errno;
	error = each_secret(&resolving);
	if (resolving.fd >= 0)
		(void)close(resolving.fd); /* was only read */
	desired->secrets =
	        mr_alloc_n(&desired->arena, resolving.secrets.n + 1, sizeof *desired->secrets);
	if (resolving.secrets.n)
		memcpy(desired->secrets, resolving.secrets.items,
		        resolving.secrets.n * sizeof *desired->secrets);
	desired->n_secrets = resolving.secrets.n;
	mr_vec_done(&resolving.secrets);
	if (error < 0)
		return error;
	return diags->n_errors > n_before ? MR_E_INVALID : 0;
}
