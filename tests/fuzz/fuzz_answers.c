/*
 * What a mail server answers a probe: lines of SMTP and IMAP from whoever listens there.
 */
#include "fuzz.h"

#include "apply/imap.h"
#include "apply/smtp.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mr_str line = {(const char *)data, size}, text = {0};
	struct mr_buf quoted = MR_BUF_INIT;
	char host[64], port[8];
	int code = 0;
	bool is_last;
	uint32_t n, last;

	if (mr_smtp_parse(line, &code, &is_last, &text) == 0) {
		PROMISE(code >= 200 && code <= 599);
		PROMISE(text.size + 3 <= size);
	}
	if (mr_imap_parse_search(line, &n, &last))
		PROMISE(n <= size && (n > 0 || last == 0));
	/* what is quoted or carried cannot end the command that it stands in */
	if (mr_imap_quote(line, &quoted))
		PROMISE(mr_str_find(mr_buf_str(&quoted), '\n') == quoted.size);
	if (mr_smtp_can_carry(line))
		PROMISE(mr_str_find(line, '\n') == size && mr_str_find(line, '>') == size);
	if (mr_wire_split(line, host, port) == 0)
		PROMISE(host[0] != '\0' && port[0] != '\0');
	mr_buf_done(&quoted);
	return 0;
}
