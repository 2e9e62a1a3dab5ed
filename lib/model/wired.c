/*
 * The table of wired parameters. Those for relays and TLS policies join it when these sections are
 * supported: until then they may be set by hand.
 */
#include "model/wired.h"

static const struct {
	const char *name;
	const char *from;
} wired[] = {
        {"virtual_mailbox_domains", "domains"},
        {"virtual_mailbox_maps", "domains.*.users"},
        {"virtual_alias_domains", "domains of kind alias"},
        {"virtual_alias_maps", "aliases, forwards and catch-alls of domains"},
        {"virtual_transport", "accounts.delivery"},
        {"relay_domains", "domains of kind relay"},
        {"relay_recipient_maps", "the addresses of domains of kind relay"},
        {"transport_maps", "transports and domains of kind relay"},
        {"smtpd_sender_login_maps", "domains.*.users with their aliases and send_as"},
        {"mailreeve", "the folder of mailreeve's own tables"},
};

const char *mr_wired_parameter(mr_str name)
{
	for (size_t i = 0; i < sizeof wired / sizeof *wired; i++)
		if (mr_str_is(name, wired[i].name))
			return wired[i].from;
	return NULL;
}
