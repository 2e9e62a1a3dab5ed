/*
 * The verb agent: the supervisor, or one of its parts.
 */
#include "daemon/roles.h"
#include "daemon/supervise.h"
#include "parse.h"
#include "print.h"

int cli_agent(const struct request *request, struct mailreeve *session)
{
	if (request->n_operands > 0)
		return role_main(
		        session, request->operands[0], request->operands[1], request->operands[2]);
	return agent_run(request_config(request));
}
