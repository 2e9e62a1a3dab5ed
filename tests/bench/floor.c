/*
 * The floor: the least that any cold plan has to do. libyaml events of the same files, a raw search
 * of the same directory tree, one pass over the same tables and the same passwd-file. Nothing is
 * compared.
 *
 * floor REPOSITORY LDAP_URI BASE [FILE…]: a FILE that ends in .lmdb is read by a cursor, others as
 * bytes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ldap.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

static void give_up(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

static size_t count_events(const char *path)
{
	FILE *file = fopen(path, "re");
	yaml_parser_t parser;
	yaml_event_t event;
	size_t n = 0;
	int is_open = 1;

	if (!file || !yaml_parser_initialize(&parser))
		give_up(path);
	yaml_parser_set_input_file(&parser, file);
	while (is_open) {
		if (!yaml_parser_parse(&parser, &event))
			give_up(path);
		is_open = event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		n++;
	}
	yaml_parser_delete(&parser);
	(void)fclose(file);
	return n;
}

static size_t count_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];
	size_t n = 0;

	if (!dir)
		give_up(folder);
	while ((entry = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (strstr(entry->d_name, ".yaml"))
			n += count_events(path);
	}
	(void)closedir(dir);
	return n;
}

static LDAP *connect_to(const char *uri)
{
	LDAP *ld = NULL;
	int version = LDAP_VERSION3;
	struct berval none = {0, (char *)""};

	if (ldap_initialize(&ld, uri) != LDAP_SUCCESS)
		give_up(uri);
	ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	if (ldap_sasl_bind_s(ld, NULL, "EXTERNAL", &none, NULL, NULL, NULL))
		give_up("bind");
	return ld;
}

static size_t count_values(LDAP *ld, LDAPMessage *message)
{
	struct berval name;
	struct berval *values;
	BerElement *ber = NULL;
	size_t n = 0;

	(void)ldap_get_dn_ber(ld, message, &ber, &name);
	while (ldap_get_attribute_ber(ld, message, ber, &name, &values) == LDAP_SUCCESS &&
	        name.bv_val) {
		n++;
		ldap_memfree(values);
	}
	ber_free(ber, 0);
	return n;
}

static size_t count_entries(const char *uri, const char *base)
{
	LDAP *ld = connect_to(uri);
	char *attributes[] = {"*", "entryUUID", "entryCSN", NULL};
	LDAPMessage *message = NULL;
	size_t n = 0;
	int id;
	int type;

	if (ldap_search_ext(ld, base, LDAP_SCOPE_SUBTREE, "(objectClass=*)", attributes, 0, NULL,
	            NULL, NULL, 0, &id))
		give_up("search");
	while ((type = ldap_result(ld, id, LDAP_MSG_ONE, NULL, &message)) ==
	        LDAP_RES_SEARCH_ENTRY) {
		n += count_values(ld, message);
		ldap_msgfree(message);
	}
	ldap_msgfree(message);
	ldap_unbind_ext(ld, NULL, NULL);
	return n;
}

static size_t count_rows(const char *path)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	size_t n = 0;

	if (mdb_env_create(&env) ||
	        mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0) ||
	        mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) || mdb_dbi_open(txn, NULL, 0, &dbi) ||
	        mdb_cursor_open(txn, dbi, &cursor))
		give_up(path);
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
		n += key.mv_size > 0;
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return n;
}

static size_t count_lines(const char *path)
{
	static char block[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t size;

	if (fd < 0)
		give_up(path);
	while ((size = read(fd, block, sizeof block)) > 0)
		for (ssize_t i = 0; i < size; i++)
			n += block[i] == '\n';
	(void)close(fd);
	return n;
}

int main(int argc, char **argv)
{
	char domains[4096];
	size_t n;

	if (argc < 4)
		give_up("usage: floor REPOSITORY LDAP_URI BASE [FILE…]");
	(void)snprintf(domains, sizeof domains, "%s/domains", argv[1]);
	n = count_folder(argv[1]) + count_folder(domains);
	printf("%zu events", n);
	printf(", %zu attributes", count_entries(argv[2], argv[3]));
	for (int i = 4; i < argc; i++)
		printf(", %zu rows",
		        strstr(argv[i], ".lmdb") ? count_rows(argv[i]) : count_lines(argv[i]));
	printf("\n");
	return 0;
}
