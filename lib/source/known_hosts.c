/*
 * The known_hosts file: libgit2 looks for one in the HOME folder and chooses the kind of host key
 * by it. With an ssh-rsa line there (what ssh-keyscan writes by default) its older versions cannot
 * connect at all, so they are given a copy without such lines.
 */
#include "base/file.h"
#include "source/git.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define LARGEST_BYTES ((size_t)4 << 20)

/* A line's kind and key; false for comments and marked lines (@revoked, @cert-authority). */
static bool parse_line(mr_str line, mr_str *out_kind, mr_str *out_key)
{
	mr_str hosts = mr_str_word(&line);

	if (!hosts.size || hosts.data[0] == '#' || hosts.data[0] == '@')
		return false;
	*out_kind = mr_str_word(&line);
	*out_key = mr_str_word(&line);
	return out_key->size > 0;
}

static bool is_usable(mr_str kind)
{
	return mr_str_is(kind, "ssh-ed25519") || mr_str_starts(kind, MR_STR("ecdsa-sha2-"));
}

static size_t filter(mr_str text, struct mr_buf *out)
{
	size_t n = 0;
	mr_str kind, key;

	while (text.data) {
		mr_str line = mr_str_split(&text, '\n');

		if (!parse_line(line, &kind, &key) || !is_usable(kind))
			continue;
		mr_buf_add_str(out, line);
		mr_buf_add_char(out, '\n');
		n++;
	}
	return n;
}

static int fail_no_keys(struct mr_diags *diags, const struct mr_repo *repo)
{
	(void)mr_fail(diags, MR_E_CONFIG, "cannot use '%s': it holds no ed25519 or ecdsa host key",
	        repo->known_hosts);
	mr_diags_hint(diags,
	        "get it by ssh-keyscan -t ed25519 HOST and compare its fingerprint on the server");
	return MR_E_CONFIG;
}

static int write_home(struct mr_diags *diags, const char *home, mr_str lines)
{
	struct mr_file_owner owner = {geteuid(), getegid(), 0600};
	struct mr_buf path = MR_BUF_INIT;
	int result;

	mr_buf_printf(&path, "%s/.ssh", home);
	result = mr_dir_make(diags, path.data, 0700);
	mr_buf_add_text(&path, "/known_hosts");
	if (result == 0)
		result = mr_file_write_new(diags, path.data, lines, &owner);
	mr_buf_done(&path);
	return result;
}

int mr_known_hosts_prepare(struct mr_diags *diags, const struct mr_repo *repo, const char *home)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_buf lines = MR_BUF_INIT;
	int result = mr_file_read(diags, repo->known_hosts, LARGEST_BYTES, &text);

	if (result == MR_E_NOT_FOUND)
		result = mr_fail(
		        diags, MR_E_CONFIG, "cannot read '%s': no such file", repo->known_hosts);
	if (result == 0 && filter(mr_buf_str(&text), &lines) == 0)
		result = fail_no_keys(diags, repo);
	if (result == 0)
		result = write_home(diags, home, mr_buf_str(&lines));
	mr_buf_done(&text);
	mr_buf_done(&lines);
	return result;
}

static bool has_key(mr_str text, mr_str wanted)
{
	mr_str kind, key;

	while (text.data) {
		mr_str line = mr_str_split(&text, '\n');

		if (parse_line(line, &kind, &key) && is_usable(kind) && mr_str_eq(key, wanted))
			return true;
	}
	return false;
}

bool mr_known_hosts_has_key(const char *path, mr_str key)
{
	char encoded[2048];
	struct mr_buf text = MR_BUF_INIT;
	struct mr_diags diags = {0};
	bool is_there = false;

	if (key.size < 1024 && mr_file_read(&diags, path, LARGEST_BYTES, &text) == 0) {
		(void)sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)key.data,
		        key.size, sodium_base64_VARIANT_ORIGINAL);
		is_there = has_key(mr_buf_str(&text), mr_str_from(encoded));
	}
	mr_buf_done(&text);
	mr_diags_done(&diags);
	return is_there;
}
