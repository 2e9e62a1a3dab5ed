/*
 * The part that watches files: the references of a repository on this machine, and what mailreeve
 * manages in files. It says only that something moved; what that is, others find out by looking.
 *
 * libinotifytools keeps its state in global variables, blocks, and hides its descriptor: so it is
 * alone in this process. Folders are watched, never files: git, editors and the apply itself put
 * new files in the place of old ones. When the folders themselves change, this process ends and is
 * started anew, so that it never has to follow them.
 */
#include <errno.h>
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/roles.h"

enum {
	MOST_WATCHES = 4096,
	LONGEST_PATH = 4096,
	LEVELS_ABOVE = 2, /* Postfix' own folder, above the one of a generation */
};

static const int wanted_events = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_FROM |
                                 IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF |
                                 IN_MOVE_SELF;
static const uint32_t shape_events =
        IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW;
static const uint32_t entry_events = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

/* What counts in a folder. */
struct watched {
	int descriptor;
	char *name; /* NULL: any name */
	char subject[32];
	char *folder;
};

struct watching {
	int channel;
	struct watched list[MOST_WATCHES];
	size_t n;
	int reason; /* errno of a folder that cannot be watched, or 0 */
};

/* The library remembers a folder by its name with a slash at the end, and each name once. -1: it
 * cannot be watched. */
static int descriptor_of(const struct watching *watching, const char *folder)
{
	char name[LONGEST_PATH + 1];

	for (size_t i = 0; i < watching->n; i++)
		if (strcmp(watching->list[i].folder, folder) == 0)
			return watching->list[i].descriptor;
	(void)snprintf(name, sizeof name, "%s/", folder);
	return inotifytools_watch_file(name, wanted_events) ? inotifytools_wd_from_filename(name)
	                                                    : -1;
}

static bool is_known(const struct watching *watching, const struct watched *watched)
{
	const char *name = watched->name ? watched->name : "";

	for (size_t i = 0; i < watching->n; i++)
		if (watching->list[i].descriptor == watched->descriptor &&
		        strcmp(watching->list[i].name ? watching->list[i].name : "", name) == 0 &&
		        strcmp(watching->list[i].subject, watched->subject) == 0)
			return true;
	return false;
}

static void forget(struct watched *watched)
{
	free(watched->folder);
	free(watched->name);
}

/* A folder that is not there yet: its appearing in the next one above is waited for. */
static void add(
        struct watching *watching, const char *subject, const char *folder, const char *name)
{
	struct watched *watched = &watching->list[watching->n];
	char above[LONGEST_PATH];
	char *slash;
	int descriptor = -1;

	if (watching->n == MOST_WATCHES || strlen(folder) >= sizeof above)
		return;
	(void)snprintf(above, sizeof above, "%s", folder);
	while ((descriptor = descriptor_of(watching, above)) < 0) {
		slash = strrchr(above, '/');
		if (inotifytools_error() != ENOENT || !slash || slash == above) {
			watching->reason = inotifytools_error();
			return;
		}
		*slash = '\0';
		name = folder + (slash - above) + 1;
	}
	*watched = (struct watched){.descriptor = descriptor,
	        .folder = strdup(above),
	        .name = name ? strndup(name, strcspn(name, "/")) : NULL};
	message_copy(watched->subject, sizeof watched->subject, subject);
	if (is_known(watching, watched))
		forget(watched);
	else
		watching->n++;
}

/* A folder that is moved away takes what is in it along without a word: those above it tell. */
static void add_server(void *arg, const char *server, const char *folder, const char *name)
{
	char above[LONGEST_PATH];
	char *slash;

	add(arg, server, folder, name);
	if ((size_t)snprintf(above, sizeof above, "%s", folder) >= sizeof above)
		return;
	for (int i = 0; i < LEVELS_ABOVE && (slash = strrchr(above, '/')) && slash > above; i++) {
		*slash = '\0';
		add(arg, server, above, slash + 1);
	}
}

/* A folder below the repository; one whose path is too long for the kernel cannot be there. */
static void add_below(
        struct watching *watching, const char *repository, const char *below, size_t size)
{
	char folder[LONGEST_PATH];
	int n = snprintf(folder, sizeof folder, "%s/refs/heads%.*s", repository, (int)size, below);

	if (n > 0 && (size_t)n < sizeof folder)
		add(watching, "repository", folder, NULL);
}

/* refs/heads, and the folders below it that a branch with slashes in its name lies in. */
static void add_branch(struct watching *watching, const char *repository, const char *branch)
{
	char below[LONGEST_PATH];
	const char *slash = below;

	if ((size_t)snprintf(below, sizeof below, "/%s", branch) >= sizeof below)
		return;
	while (slash) {
		add_below(watching, repository, below, (size_t)(slash - below));
		slash = strchr(slash + 1, '/');
	}
}

/* Of a repository with a working copy it is the folder inside. */
static bool find_bare(const char *path, char *out, size_t size)
{
	struct stat status;

	if ((size_t)snprintf(out, size, "%s/.git", path) >= size)
		return false;
	if (stat(out, &status) < 0 || !S_ISDIR(status.st_mode))
		(void)snprintf(out, size, "%s", path);
	return true;
}

static void add_repository(struct watching *watching, const struct mailreeve_facts *facts)
{
	static const char *const names[] = {"packed-refs", "HEAD", "refs", "reftable"};
	char path[LONGEST_PATH], inside[LONGEST_PATH];
	char *slash;

	(void)snprintf(path, sizeof path, "%s", facts->repository_path);
	for (size_t size = strlen(path); size > 1 && path[size - 1] == '/'; size--)
		path[size - 1] = '\0';
	if (!find_bare(path, inside, sizeof inside))
		return;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		add(watching, "repository", inside, names[i]);
	add_branch(watching, inside, facts->branch);
	slash = strrchr(path, '/');
	if (!slash || slash == path)
		return;
	*slash = '\0';
	add(watching, "repository", path, slash + 1);
}

static bool is_lock(const char *name)
{
	size_t size = strlen(name);

	return size > 5 && strcmp(name + size - 5, ".lock") == 0;
}

static void say_moved(
        const struct watching *watching, const struct watched *watched, const char *name)
{
	struct message message = {.kind = MESSAGE_MOVED};

	message_copy(message.subject, sizeof message.subject, watched->subject);
	(void)snprintf(message.text, sizeof message.text, "%.500s/%.500s", watched->folder, name);
	if (message_send(watching->channel, &message) < 0)
		exit(0); /* nobody listens any more */
}

/* Says what an event means. True: the folders are others now. */
static bool take_event(const struct watching *watching, const struct inotify_event *event)
{
	const char *name = event->len > 0 ? event->name : "";
	bool is_shape = (event->mask & shape_events) != 0;

	for (size_t i = 0; i < watching->n; i++) {
		const struct watched *watched = &watching->list[i];

		if (watched->descriptor != event->wd && !(event->mask & IN_Q_OVERFLOW))
			continue;
		if (!is_shape &&
		        (is_lock(name) || (watched->name && strcmp(watched->name, name) != 0)))
			continue;
		if ((event->mask & IN_ISDIR) && !(event->mask & (entry_events | shape_events)))
			continue;
		say_moved(watching, watched, name);
		is_shape |= (event->mask & IN_ISDIR) && (event->mask & entry_events);
	}
	return is_shape;
}

static int complain(const struct watching *watching)
{
	struct message message = {.kind = MESSAGE_DONE, .status = MAILREEVE_UNREADABLE};

	(void)snprintf(message.text, sizeof message.text,
	        "cannot watch files: %s; until then only the interval counts (see "
	        "fs.inotify.max_user_watches and max_user_instances, sysctl(8))",
	        strerror(watching->reason ? watching->reason : inotifytools_error()));
	(void)message_send(watching->channel, &message);
	return MAILREEVE_UNREADABLE;
}

static int set_up(
        struct mailreeve *session, const struct role_call *call, struct watching *watching)
{
	struct mailreeve_facts facts;

	if (!mailreeve_get_facts(session, &facts))
		return MAILREEVE_CONFIG;
	if (!inotifytools_initialize())
		return complain(watching);
	if (facts.repository_path)
		add_repository(watching, &facts);
	if (facts.looks_for_drift &&
	        mailreeve_watch_paths(session, add_server, watching) != MAILREEVE_OK)
		(void)role_tell(session, call);
	return watching->n == 0 || watching->reason ? complain(watching) : 0;
}

int role_watch(struct mailreeve *session, const struct role_call *call)
{
	static struct watching watching;
	const struct message ready = {.kind = MESSAGE_READY, .subject = "watch"};
	struct inotify_event *event;
	int status;

	watching.channel = call->channel;
	status = set_up(session, call, &watching);
	if (!status)
		status = role_drop(session);
	if (status || message_send(call->channel, &ready) < 0)
		return status;
	while ((event = inotifytools_next_event(-1)) != NULL)
		if (take_event(&watching, event))
			return 0;
	return complain(&watching);
}
