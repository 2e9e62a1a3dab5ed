/*
 * Checks of doctor: files that must be readable to some and closed to others: TLS, secrets, keys.
 */
#include "session/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "session/certificate.h"

enum {
	PEM_LIMIT_BYTES = 1 << 20,
	SECRETS_LIMIT = 10000,
	DAY_SECONDS = 86400,
	EXPIRY_DAYS = 14,
};

static void judge_end(struct mr_doctor *doctor, const struct mr_tls_file *file, mr_str pem)
{
	int64_t end, left;

	if (mr_certificate_end(pem, &end)) {
		mr_doctor_say(doctor, MR_HEALTH_WARNING, "%s: '%.*s' holds no readable certificate",
		        file->setting, MR_FMT(file->path));
		return;
	}
	left = end - time(NULL);
	if (left > EXPIRY_DAYS * DAY_SECONDS) {
		mr_doctor_say(doctor, MR_HEALTH_OK, "%s: the certificate is good for %lld days",
		        file->setting, (long long)(left / DAY_SECONDS));
		return;
	}
	if (left < 0)
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "%s: the certificate of '%.*s' has expired", file->setting,
		        MR_FMT(file->path));
	else
		mr_doctor_say(doctor, MR_HEALTH_WARNING,
		        "%s: the certificate of '%.*s' expires in %lld days", file->setting,
		        MR_FMT(file->path), (long long)(left / DAY_SECONDS));
	mr_doctor_remedy(doctor, "renew it");
}

static void judge_key(struct mr_doctor *doctor, const struct mr_tls_file *file, mode_t mode)
{
	if (!(mode & 0007)) {
		mr_doctor_say(doctor, MR_HEALTH_OK, "%s: the key is there and closed to others",
		        file->setting);
		return;
	}
	mr_doctor_say(doctor, MR_HEALTH_WARNING, "%s: key '%.*s' is open to everybody (mode %04o)",
	        file->setting, MR_FMT(file->path), (unsigned)mode & 07777);
	mr_doctor_remedy(doctor, "chmod o= %.*s", MR_FMT(file->path));
}

/* Servers read these as root before they give up their rights. */
static void check_tls(struct mr_doctor *doctor, const struct mr_tls_file *file)
{
	const char *path = mr_session_text_or_null(doctor->session, file->path);
	struct mr_buf pem = MR_BUF_INIT;
	struct stat status;
	int code = mr_file_read(&doctor->session->diags, path, PEM_LIMIT_BYTES, &pem);

	if (code == MR_E_NOT_FOUND) {
		mr_doctor_say(
		        doctor, MR_HEALTH_ERROR, "%s: '%s' is not there", file->setting, path);
		mr_doctor_remedy(
		        doctor, "put the file there, or name the right one in the setting");
	} else if (code) {
		(void)mr_doctor_take(doctor, MR_HEALTH_ERROR);
	} else if (file->is_key ? !mr_pem_has_key(mr_buf_str(&pem))
	                        : !mr_pem_has_certificate(mr_buf_str(&pem))) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR, "%s: '%s' holds no %s in PEM", file->setting,
		        path, file->is_key ? "private key" : "certificate");
		mr_doctor_remedy(doctor, "see what is in it: head -n 1 %s", path);
	} else if (!file->is_key) {
		judge_end(doctor, file, mr_buf_str(&pem));
	} else if (stat(path, &status) == 0) {
		judge_key(doctor, file, status.st_mode);
	}
	mr_buf_done_secret(&pem);
}

void mr_doctor_tls(struct mr_doctor *doctor)
{
	size_t n = 0;

	for (size_t i = 0; i < doctor->session->n_servers; i++)
		for (size_t k = 0; doctor->is_inspected[i] && k < doctor->inspections[i].n_tls;
		        k++) {
			check_tls(doctor, &doctor->inspections[i].tls[k]);
			n++;
		}
	if (n == 0)
		mr_doctor_say(doctor, MR_HEALTH_SKIPPED, "no server names a certificate here");
}

/* One file that nobody but root (and a group) may read, where it is named at all. */
static void check_closed(struct mr_doctor *doctor, const char *key, mr_str path, mode_t others)
{
	const char *name = mr_session_text_or_null(doctor->session, path);
	struct stat status;

	if (!name)
		return;
	if (stat(name, &status)) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR, "%s: '%s': %s", key, name, strerror(errno));
		mr_doctor_remedy(doctor, "put it there, or change %s in agent.yaml", key);
	} else if (status.st_mode & others) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR, "%s: '%s' is open to others (mode %04o)",
		        key, name, (unsigned)status.st_mode & 07777);
		mr_doctor_remedy(doctor, "chmod %s %s", others & 0070 ? "go=" : "o=", name);
	} else {
		mr_doctor_say(doctor, MR_HEALTH_OK, "%s is closed to others", key);
	}
}

static bool is_open_to_others(int folder, const char *name, mode_t *out_mode)
{
	struct stat status;

	if (fstatat(folder, name, &status, 0) || !S_ISREG(status.st_mode))
		return false;
	*out_mode = status.st_mode & 07777;
	return (status.st_mode & 0007) != 0;
}

static void check_secret_files(struct mr_doctor *doctor, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t n = 0, n_open = 0;
	mode_t mode;

	if (!dir) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR, "secrets.directory: cannot read '%s': %s",
		        path, strerror(errno));
		mr_doctor_remedy(doctor, "see ls -ld %s; doctor is for root", path);
		return;
	}
	while ((entry = readdir(dir)) && n < SECRETS_LIMIT) {
		n += entry->d_name[0] != '.';
		if (entry->d_name[0] == '.' || !is_open_to_others(dirfd(dir), entry->d_name, &mode))
			continue;
		n_open++;
		mr_doctor_say(doctor, MR_HEALTH_ERROR,
		        "secret '%s' may be read by others than its owner and group (mode %04o)",
		        entry->d_name, (unsigned)mode);
		mr_doctor_remedy(doctor, "chmod o= %s/%s", path, entry->d_name);
	}
	(void)closedir(dir);
	if (n_open == 0)
		mr_doctor_say(doctor, MR_HEALTH_OK, "%zu secret%s, closed to others", n,
		        n == 1 ? "" : "s");
}

static void check_secrets_directory(struct mr_doctor *doctor, const char *path)
{
	struct stat status;

	if (stat(path, &status)) {
		/* only a repository that asks for a secret needs it */
		mr_doctor_say(doctor, MR_HEALTH_WARNING, "secrets.directory: '%s': %s", path,
		        strerror(errno));
		mr_doctor_remedy(doctor, "install -d -m 0700 %s", path);
		return;
	}
	if (status.st_mode & 0022 || (status.st_uid != 0 && status.st_uid != geteuid())) {
		mr_doctor_say(doctor, MR_HEALTH_ERROR,
		        "secrets.directory: others may put files into '%s' (owner %u, mode %04o)",
		        path, (unsigned)status.st_uid, (unsigned)status.st_mode & 07777);
		mr_doctor_remedy(doctor, "chown root: %s; chmod 0700 %s", path, path);
	}
	check_secret_files(doctor, path);
}

void mr_doctor_secrets(struct mr_doctor *doctor)
{
	const struct mr_host *host = &doctor->session->host;
	const char *directory = mr_session_text_or_null(doctor->session, host->secrets_directory);
	size_t before = doctor->findings.n;

	if (directory)
		check_secrets_directory(doctor, directory);
	check_closed(doctor, "probes.password_file", host->probe_password_file, 0007);
	if (host->ldap.is_managed)
		check_closed(doctor, "ldap.password_file", host->ldap.password_file, 0077);
	check_closed(doctor, "repository.ssh_key", host->ssh_key, 0007);
	check_closed(doctor, "secrets.age_identity", host->age_identity, 0007);
	if (doctor->findings.n == before)
		mr_doctor_say(doctor, MR_HEALTH_SKIPPED, "agent.yaml names no secrets");
}
