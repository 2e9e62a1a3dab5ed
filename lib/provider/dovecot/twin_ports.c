/*
 * Ports of the twin and of the settings to be: one that is free, and whether those to be opened
 * are.
 */
#include "dovecot/twin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

unsigned mr_twin_free_port(void)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned port = 0;

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, size) &&
	        !getsockname(fd, (struct sockaddr *)&address, &size))
		port = ntohs(address.sin_port);
	if (fd >= 0)
		(void)close(fd);
	return port;
}

/* Whether somebody else listens there; a reload would lose the listener without a word. */
static int check_port(struct mr_twin *twin, mr_str scope, mr_str host, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	const char *text =
	        mr_str_copy(&twin->arena, mr_str_take(host, mr_str_find(host, ' '))).data;
	int one = 1, fd, is_taken;

	if (host.size == 0 || mr_str_starts(host, MR_STR("*")))
		address.sin_addr.s_addr = htonl(INADDR_ANY);
	else if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		return 0; /* a name, or IPv6: found out by the probe */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	        sizeof one); /* without it the check is only stricter */
	is_taken =
	        bind(fd, (const struct sockaddr *)&address, sizeof address) && errno == EADDRINUSE;
	(void)close(fd);
	return is_taken ? mr_fail(twin->backend->diags, MR_E_REJECTED,
	                          "port %u of '%.*s' is in use by another program", port,
	                          MR_FMT(scope))
	                : 0;
}

int mr_twin_check_ports(struct mr_twin *twin, const struct mr_dovecot_settings *effective)
{
	int code = mr_dovecot_learn_live(twin->backend);

	for (size_t i = 0; !code && i < effective->list.n; i++) {
		const struct mr_dovecot_setting *setting = &effective->list.items[i], *address,
		                                *live;
		mr_str scope;
		uint64_t port = 0;

		if (!mr_str_ends(setting->path, MR_STR("/port")) ||
		        mr_number_parse(setting->value, 65535, &port) || !port)
			continue;
		scope = mr_str_take(setting->path, mr_str_rfind(setting->path, '/'));
		address = mr_dovecot_settings_find(
		        effective, mr_str_printf(&twin->arena, "%.*s/%s", MR_FMT(scope),
		                           twin->backend->version->listener_address));
		live = mr_dovecot_settings_find(&twin->backend->live, setting->path);
		if (live && mr_str_eq(live->value, setting->value))
			continue;
		if (!address || address->value.size == 0)
			address = mr_dovecot_settings_find(effective, MR_STR("listen"));
		code = check_port(
		        twin, scope, address ? address->value : MR_STR("*"), (uint16_t)port);
	}
	return code;
}
