/*
 * The webhook: one POST over https, in a process apart, by libcurl. The only home of libcurl.
 */
#include "notify/ways.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

/* its checks of types are macros that know only the linked functions */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo

#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "notify/apart.h"

enum { SECRET_LIMIT = 4096, ANSWER_LIMIT = 1 << 20, GRACE_MS = 1000 };

struct curl {
#define FUNCTION(name) __typeof__(name) *(name);
#include "notify/curl.def"
#undef FUNCTION
};

struct post {
	const char *url;
	const char *ca_file; /* NULL: the system's */
	const char *signature;
	mr_str body;
	unsigned timeout_ms;
	size_t n_answered;
};

static mr_str after_scheme(mr_str url, const char *scheme)
{
	mr_str prefix = mr_str_from(scheme);

	return mr_str_starts(url, prefix) ? mr_str_skip(url, prefix.size) : (mr_str){0};
}

/* "user@host:port", without the path, in which receivers like to see a token. */
static mr_str authority(mr_str url)
{
	mr_str rest = after_scheme(url, "https://");
	size_t size = 0;

	if (rest.size == 0)
		rest = after_scheme(url, "http://");
	while (size < rest.size && !strchr("/?#", rest.data[size]))
		size++;
	return mr_str_take(rest, size);
}

static bool is_loopback(mr_str host)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		mr_str rest = after_scheme(host, names[i]);

		if (mr_str_is(host, names[i]) || (rest.size > 1 && rest.data[0] == ':'))
			return true;
	}
	return false;
}

bool mr_webhook_is_url(mr_str url)
{
	mr_str host = authority(url);

	for (size_t i = 0; i < url.size; i++)
		if ((unsigned char)url.data[i] <= ' ' || url.data[i] == 0x7f || url.data[i] == '\\')
			return false;
	if (host.size == 0 || mr_str_find(host, '@') < host.size)
		return false;
	return mr_str_starts(url, MR_STR("https://")) || is_loopback(host);
}

void mr_webhook_sign(mr_str body, mr_str secret, struct mr_buf *out)
{
	struct mr_digest digest = mr_digest_hmac(body, secret);

	mr_buf_add_text(out, "sha256=");
	mr_digest_format(&digest, out);
}

static bool load(struct curl *curl, struct mr_buf *why)
{
	/* as OpenSSL's and GnuTLS's builds are called on Debian and elsewhere */
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		mr_buf_add_text(why, "libcurl is not installed");
		return false;
	}
#define FUNCTION(name)                                                                             \
	if (!(*(void **)(void *)&curl->name = dlsym(library, #name))) {                            \
		mr_buf_add_text(why, "libcurl has no " #name);                                     \
		return false;                                                                      \
	}
#include "notify/curl.def"
#undef FUNCTION
	return curl->curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* What the receiver says is not wanted, only that it does not say too much. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the shape is CURLOPT_WRITEFUNCTION(3)'s */
static size_t swallow(char *data, size_t size, size_t n, void *arg)
{
	struct post *post = arg;

	(void)data;
	post->n_answered += size * n;
	return post->n_answered > ANSWER_LIMIT ? 0 : size * n;
}

static bool set_up(const struct curl *curl, CURL *handle, struct post *post)
{
	static const char *const headers[] = {
	        "Content-Type: application/json", "Expect:", "User-Agent: mailreeve/" MR_VERSION};
	struct curl_slist *list = NULL;
	bool is_set = true;

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		list = curl->curl_slist_append(list, headers[i]);
	if (post->signature)
		list = curl->curl_slist_append(list, post->signature);
#define SET(option, value) is_set &= curl->curl_easy_setopt(handle, option, value) == CURLE_OK
	SET(CURLOPT_URL, post->url);
	SET(CURLOPT_PROTOCOLS_STR, strncmp(post->url, "http:", 5) == 0 ? "http" : "https");
	SET(CURLOPT_POSTFIELDSIZE, (long)post->body.size);
	SET(CURLOPT_POSTFIELDS, post->body.data);
	SET(CURLOPT_HTTPHEADER, list);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_PROXY, ""); /* nothing of the environment */
	SET(CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_WRITEFUNCTION, swallow);
	SET(CURLOPT_WRITEDATA, post);
	if (post->ca_file)
		SET(CURLOPT_CAINFO, post->ca_file);
#undef SET
	return is_set;
}

/* In the child, whose memory goes with it. */
static bool post_now(void *arg, struct mr_buf *why)
{
	struct post *post = arg;
	struct curl curl = {0};
	CURL *handle;
	CURLcode result;
	long status = 0;

	if (!load(&curl, why))
		return false;
	handle = curl.curl_easy_init();
	if (!handle || !set_up(&curl, handle, post)) {
		mr_buf_add_text(why, "libcurl is of no use here");
		return false;
	}
	result = curl.curl_easy_perform(handle);
	(void)curl.curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK)
		mr_buf_add_text(why, curl.curl_easy_strerror(result));
	else if (status < 200 || status > 299)
		mr_buf_printf(why, "the receiver answers with status %ld", status);
	return why->size == 0;
}

static int read_secret(struct mr_diags *diags, const char *path, struct mr_buf *out)
{
	struct stat status;
	int code = mr_file_read(diags, path, SECRET_LIMIT, out);

	if (code == MR_E_NOT_FOUND)
		return mr_fail(
		        diags, MR_E_CONFIG, "notify: there is no webhook_secret_file '%s'", path);
	if (code)
		return MR_E_CONFIG;
	if (stat(path, &status) < 0 || (status.st_mode & 07))
		return mr_fail(diags, MR_E_CONFIG,
		        "notify: anybody can read the webhook_secret_file '%s' (hint: chmod 600)",
		        path);
	while (out->size > 0 && strchr("\r\n", out->data[out->size - 1]))
		out->size--;
	if (out->size == 0)
		return mr_fail(
		        diags, MR_E_CONFIG, "notify: webhook_secret_file '%s' is empty", path);
	return 0;
}

static int sign(struct mr_diags *diags, const struct mr_message *message, struct mr_buf *out)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	mr_str path = mr_str_copy(&arena, message->host->notify_secret_file);
	struct mr_buf secret = MR_BUF_INIT;
	int code = read_secret(diags, path.data, &secret);

	if (!code) {
		mr_buf_add_text(out, "X-Mailreeve-Signature: ");
		mr_webhook_sign(message->body, mr_buf_str(&secret), out);
		mr_buf_add_char(out, '\0');
	}
	mr_buf_done_secret(&secret);
	return code;
}

int mr_send_webhook(struct mr_diags *diags, const struct mr_message *message)
{
	struct mr_arena arena MR_DONE(arena) = MR_ARENA_INIT;
	const struct mr_host *host = message->host;
	struct mr_buf signature = MR_BUF_INIT;
	struct post post = {.url = mr_str_copy(&arena, host->notify_webhook).data,
	        .body = message->body,
	        .timeout_ms = message->timeout_ms};
	const struct mr_apart apart = {
	        .what = mr_str_printf(&arena, "cannot notify by webhook at '%.*s'",
	                MR_FMT(authority(host->notify_webhook)))
	                        .data,
	        .user = host->run_as_user,
	        .timeout_ms = message->timeout_ms + GRACE_MS,
	        .bars_rights = true,
	        .work = post_now,
	        .arg = &post};
	int code = host->notify_secret_file.size > 0 ? sign(diags, message, &signature) : 0;

	post.signature = signature.size > 0 ? signature.data : NULL;
	if (host->notify_ca_file.size > 0)
		post.ca_file = mr_str_copy(&arena, host->notify_ca_file).data;
	if (!code)
		code = mr_apart(diags, &apart);
	mr_buf_done(&signature);
	return code;
}
