/*
 * Mirrors brought up to date: after every kind of write the refreshed mirror is what a read of the
 * whole gives, and what cannot be told surely is read whole.
 */
#include "cache.h"

#define PEOPLE "ou=people," SUFFIX

static int open_bench(void **state)
{
	struct bench *bench = malloc(sizeof *bench);

	bench_open(bench, "olcAccess: {0}to * by * read\n");
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

/* Key, object and body of every item, as one text. */
static void read_all(struct bench *bench, struct mr_cache *cache, struct mr_buf *out)
{
	struct mr_attrs_builder builder;
	struct mr_cursor cursor;
	struct mr_item item;

	bench_disconnect(bench);
	bench_connect(bench, cache);
	bench_collections(bench, 0);
	expect(bench,
	        mr_provider_openldap.observe(
	                bench->backend, bench->collections.items, NULL, &cursor),
	        0);
	mr_buf_clear(out);
	mr_attrs_builder_init(&builder);
	while (mr_cursor_next(&cursor, &item) == 1) {
		mr_buf_printf(out, "\n%.*s %.*s ", MR_FMT(item.key), MR_FMT(item.object));
		mr_buf_add_str(out, mr_attrs_seal(&builder, item.body, SEAL_KEY));
	}
	mr_attrs_builder_done(&builder);
	mr_cursor_close(&cursor);
}

/* After the LDIF was applied the mirror must be as the directory; by an update of it when
 * is_update. */
static void expect_refreshed(
        struct bench *bench, struct memory_cache *cache, const char *ldif, bool is_update)
{
	struct mr_buf mirrored = MR_BUF_INIT;
	struct mr_buf live = MR_BUF_INIT;

	cache->n_scans = cache->n_updates = 0;
	directory_ldif(&bench->directory, ldif);
	read_all(bench, &cache->face, &mirrored);
	read_all(bench, NULL, &live);
	if (!mr_str_eq(mr_buf_str(&mirrored), mr_buf_str(&live)))
		fail_msg(
		        "after:\n%s\nthe mirror is:%s\nlive is:%s", ldif, mirrored.data, live.data);
	if ((cache->n_updates == 1 && !cache->n_scans) != is_update)
		fail_msg("after:\n%s\n%zu scans, %zu updates", ldif, cache->n_scans,
		        cache->n_updates);
	mr_buf_done(&mirrored);
	mr_buf_done(&live);
}

static const struct {
	const char *ldif;
	bool is_update; /* not read whole */
	bool is_update_with_log;
} STEPS[] = {
        {"dn: uid=new," PEOPLE
         "\nobjectClass: inetOrgPerson\nuid: new\ncn: N\nsn: N\nuserPassword: {SSHA}x\n",
                true, true},
        {"dn: uid=u3," PEOPLE "\nchangetype: modify\nreplace: sn\nsn: Changed\n", true, true},
        {"dn: uid=u4," PEOPLE "\nchangetype: delete\n", true, true},
        {"dn: uid=u5," PEOPLE "\nchangetype: delete\n\ndn: uid=u5," PEOPLE
         "\nchangetype: add\nobjectClass: inetOrgPerson\nuid: u5\ncn: Again\nsn: A\n\n"
         "dn: uid=u6," PEOPLE "\nchangetype: modify\nadd: mail\nmail: u6@example.org\n",
                true, true},
        /* elsewhere: nothing of the tree moved */
        {"dn: ou=groups," SUFFIX "\nchangetype: modify\nreplace: description\ndescription: x\n",
                true, true},
        /* a new parent, then a child: the parent alone has none yet */
        {"dn: ou=sub," PEOPLE "\nobjectClass: organizationalUnit\nou: sub\n", true, true},
        {"dn: uid=s1,ou=sub," PEOPLE "\nobjectClass: inetOrgPerson\nuid: s1\ncn: S\nsn: S\n", true,
                true},
        {"dn: uid=u7," PEOPLE "\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n", false,
                false},
        {"dn: ou=sub," PEOPLE "\nchangetype: modrdn\nnewrdn: ou=moved\ndeleteoldrdn: 1\n", false,
                false},
        /* out of the tree and in again, with what is below */
        {"dn: ou=moved," PEOPLE
         "\nchangetype: modrdn\nnewrdn: ou=moved\ndeleteoldrdn: 1\nnewsuperior: ou=groups," SUFFIX
         "\n",
                true, false},
        {"dn: ou=moved,ou=groups," SUFFIX
         "\nchangetype: modrdn\nnewrdn: ou=moved\ndeleteoldrdn: 1\nnewsuperior: " PEOPLE "\n",
                false, false},
        {"dn: uid=u8," PEOPLE "\nchangetype: delete\n\ndn: uid=u9," PEOPLE "\nchangetype: delete\n",
                true, true},
};

static void run_steps(struct bench *bench, bool names_gone)
{
	struct memory_cache cache;
	struct mr_buf ldif = MR_BUF_INIT;

	memory_cache_init(&cache);
	bench->desired.n_trees = 0;
	declare_tree(&bench->desired, PEOPLE, false);
	for (size_t i = 0; i < 12; i++)
		mr_buf_printf(&ldif,
		        "dn: uid=u%zu," PEOPLE
		        "\nobjectClass: inetOrgPerson\nuid: u%zu\ncn: U\nsn: S\n\n",
		        i, i);
	expect_refreshed(bench, &cache, ldif.data, false);
	for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++)
		expect_refreshed(bench, &cache, STEPS[i].ldif,
		        names_gone ? STEPS[i].is_update_with_log : STEPS[i].is_update);
	mr_buf_done(&ldif);
	memory_cache_done(&cache);
}

/* slapd names what is left (the present phase). */
static void a_mirror_follows_every_write__without_a_session_log(void **state)
{
	run_steps(*state, false);
}

/* slapd names what is gone. */
static void a_mirror_follows_every_write__with_a_session_log(void **state)
{
	struct bench *bench = *state;

	directory_ldif(&bench->directory,
	        "dn: olcOverlay={0}syncprov,olcDatabase={1}mdb,cn=config\n"
	        "changetype: modify\nadd: olcSpSessionlog\nolcSpSessionlog: 1000\n");
	run_steps(bench, true);
}

static void a_mirror_follows__after_a_restart_has_emptied_the_session_log(void **state)
{
	struct bench *bench = *state;
	struct memory_cache cache;

	memory_cache_init(&cache);
	directory_ldif(&bench->directory,
	        "dn: olcOverlay={0}syncprov,olcDatabase={1}mdb,cn=config\n"
	        "changetype: modify\nadd: olcSpSessionlog\nolcSpSessionlog: 1000\n");
	bench->desired.n_trees = 0;
	declare_tree(&bench->desired, PEOPLE, false);
	expect_refreshed(bench, &cache,
	        "dn: uid=a," PEOPLE "\nobjectClass: inetOrgPerson\nuid: a\ncn: A\nsn: A\n\n"
	        "dn: uid=b," PEOPLE "\nobjectClass: inetOrgPerson\nuid: b\ncn: B\nsn: B\n",
	        false);
	directory_ldif(&bench->directory, "dn: uid=a," PEOPLE "\nchangetype: delete\n");
	directory_signal(&bench->directory, SIGTERM);
	directory_start(&bench->directory);
	expect_refreshed(bench, &cache,
	        "dn: uid=b," PEOPLE "\nchangetype: modify\nreplace: sn\nsn: C\n", true);
	memory_cache_done(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_mirror_follows_every_write__without_a_session_log,
	                open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                a_mirror_follows_every_write__with_a_session_log, open_bench, close_bench),
	        cmocka_unit_test_setup_teardown(
	                a_mirror_follows__after_a_restart_has_emptied_the_session_log, open_bench,
	                close_bench),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
