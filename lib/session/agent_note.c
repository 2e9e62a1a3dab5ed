/*
 * The agent's note in the state directory: what it does and when it tries next, for status. Whether
 * there is an agent tells a lock, not the note, which may be a dead one's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "session/status.h"

enum { LARGEST_NOTE = 65536 };

static const char lock_name[] = "agent.lock";
static const char note_name[] = "agent.json";

/* The numbers and texts of a note. */
#define NOTE_NUMBERS(X) X(pid) X(started) X(next_try)
#define NOTE_TEXTS(X)   X(doing) X(last_error)

static void read_note(struct mailreeve *session, struct mr_agent_seen *out)
{
	struct mr_diags silent;
	struct mr_buf text = MR_BUF_INIT;
	struct mr_json_value *value = NULL;

	mr_diags_init(&silent);
	if (mr_file_read(&silent, mr_session_path(session, note_name), LARGEST_NOTE, &text) == 0 &&
	        mr_json_parse(&session->arena, mr_str_copy(&session->arena, mr_buf_str(&text)),
	                &value, NULL) == 0) {
#define READ_NUMBER(name) out->name = mr_json_get_int(value, #name, 0);
#define READ_TEXT(name)   out->name = mr_json_get_str(value, #name);
		NOTE_NUMBERS(READ_NUMBER)
		NOTE_TEXTS(READ_TEXT)
#undef READ_NUMBER
#undef READ_TEXT
	}
	mr_buf_done(&text);
	mr_diags_done(&silent);
}

void mr_agent_look(struct mailreeve *session, struct mr_agent_seen *out)
{
	MR_CLOSE int fd =
	        open(mr_session_path(session, lock_name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*out = (struct mr_agent_seen){0};
	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return;
	out->is_running = true;
	read_note(session, out);
}

int mailreeve_agent_begin(struct mailreeve *session, int *out_lock_fd)
{
	const char *path = mr_session_path(session, lock_name);
	mode_t mode = session->host.run_as_user.size > 0 ? 0711 : 0700;
	struct mr_agent_seen other;
	int fd, code;

	code = mr_dir_make(&session->diags,
	        mr_session_text_or_null(session, session->host.state_directory), mode);
	if (code)
		return mr_error_status(code);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return mr_error_status(mr_fail(&session->diags, MR_E_CONFIG, "cannot open '%s': %s",
		        path, strerror(errno)));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*out_lock_fd = fd;
		return MAILREEVE_OK;
	}
	mr_fd_done(&fd);
	mr_agent_look(session, &other);
	return mr_error_status(mr_fail(&session->diags, MR_E_BUSY,
	        "an agent runs on this state directory already: process %lld (hint: systemctl "
	        "status mailreeve)",
	        (long long)other.pid));
}

int mailreeve_agent_note(struct mailreeve *session, const struct mailreeve_agent_note *note)
{
	struct mr_buf text = MR_BUF_INIT;
	struct mr_json json;
	int code;

	mr_json_init(&json, &text, true);
	mr_json_begin_object(&json);
#define WRITE_NUMBER(name) mr_json_member_int(&json, #name, note->name);
#define WRITE_TEXT(name)                                                                           \
	mr_json_member_str(&json, #name, mr_str_from(note->name ? note->name : ""));
	NOTE_NUMBERS(WRITE_NUMBER)
	NOTE_TEXTS(WRITE_TEXT)
#undef WRITE_NUMBER
#undef WRITE_TEXT
	mr_json_end_object(&json);
	mr_buf_add_char(&text, '\n');
	code = mr_file_publish(
	        &session->diags, mr_session_path(session, note_name), mr_buf_str(&text), 0600);
	mr_buf_done(&text);
	return mr_error_status(code);
}
