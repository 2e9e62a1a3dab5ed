/*
 * The verbs that help to get started: init, hash-password, completion.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"
#include "help.h"
#include "print.h"
#include "terminal.h"

int cli_init(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status =
	        mailreeve_init(session, request->operands[0] ? request->operands[0] : ".", &text);

	print_result(request, &text, status);
	return status;
}

int cli_hash_password(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	char password[1024] = "";
	int status;

	if (!terminal_read_password(password, sizeof password)) {
		fputs("mailreeve: no password on standard input, or one of over 1,000 bytes\n",
		        stderr);
		return MAILREEVE_USAGE;
	}
	status = mailreeve_hash_password(session, request->values[OPT_SCHEME], password, &text);
	explicit_bzero(password, sizeof password);
	if (status == 0)
		(void)fwrite(
		        text.data, 1, text.size, stdout); /* also with --quiet: it is the result */
	mailreeve_text_done(&text);
	return status;
}

int cli_trust(const struct request *request, struct mailreeve *session)
{
	struct mailreeve_text text = {0};
	int status = mailreeve_trust(session, &text);

	print_result(request, &text, status);
	return status;
}

int cli_completion(const struct request *request, struct mailreeve *session)
{
	static const struct {
		const char *name;
		void (*write)(FILE *out);
	} kinds[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish},
	        {"man", write_man_page}, {"catalog", log_write_catalogue}};

	(void)session;
	if (!has_operand(request))
		return MAILREEVE_USAGE;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(request->operands[0], kinds[i].name) == 0) {
			kinds[i].write(stdout);
			return 0;
		}
	fprintf(stderr, "mailreeve: unknown shell '%s'  (hint: bash, zsh, fish, man or catalog)\n",
	        request->operands[0]);
	return MAILREEVE_USAGE;
}
