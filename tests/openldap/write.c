/*
 * Changes on a private slapd: applied, undone, guarded, and judged after a crash.
 */
#include "declared.h"

#include "openldap/request.h"

static int open_bench(void **state)
{
	struct bench *bench = malloc(sizeof *bench);

	bench_open(bench, "");
	declare_tree(&bench->desired, SUFFIX, false);
	bench_collections(bench, 0);
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	bench_close(*state);
	free(*state);
	return 0;
}

static int apply(
        struct bench *bench, const struct mr_change *const *changes, size_t n, bool is_undo)
{
	return mr_provider_openldap.apply(
	        bench->backend, changes, n, bench->directory.path, is_undo);
}

static int stage(struct bench *bench, const struct mr_change *const *changes, size_t n)
{
	return mr_provider_openldap.stage(bench->backend, changes, n, bench->directory.path);
}

/* Applies the changes the other way round, last first. */
static int undo(struct bench *bench, const struct mr_change *const *changes, size_t n)
{
	const struct mr_change **reversed = mr_alloc_n(&bench->arena, n, sizeof *reversed);

	for (size_t i = 0; i < n; i++) {
		struct mr_change *change = mr_alloc(&bench->arena, sizeof *change);

		*change = mr_change_reversed(changes[i]);
		reversed[i] = change;
	}
	return apply(bench, reversed, n, true);
}

static void an_entry_is_made_with_its_parent__and_undone_exactly(void **state)
{
	struct bench *bench = *state;
	const struct mr_change *changes[] = {
	        change_of(bench, "uid=alice,ou=example.org,ou=people," SUFFIX, NULL,
	                BODY("cn=Alice", "objectClass=inetOrgPerson", "sn=A\xc3\xa4",
	                        "mail=alice@example.org")),
	        change_of(bench, "ou=example.org,ou=people," SUFFIX, NULL,
	                BODY("objectClass=organizationalUnit")),
	        change_of(bench, "ou=people," SUFFIX, BODY("description"),
	                BODY("description=All of us")),
	};

	expect(bench, stage(bench, changes, 3), 0);
	expect(bench, apply(bench, changes, 3, false), 0);
	assert_true(directory_has(&bench->directory, "uid=alice,ou=example.org,ou=people," SUFFIX,
	        "uid", "uid: alice\n"));
	assert_true(directory_has(
	        &bench->directory, "ou=people," SUFFIX, "description", "description: All of us\n"));
	/* done already: nothing is written again */
	expect(bench, apply(bench, changes, 3, false), 0);
	expect(bench, undo(bench, changes, 3), 0);
	assert_false(
	        directory_has(&bench->directory, "ou=example.org,ou=people," SUFFIX, "ou", "dn: "));
	assert_false(directory_has(
	        &bench->directory, "ou=people," SUFFIX, "description", "description: "));
	expect(bench, undo(bench, changes, 3), 0);
}

static void values_are_put_back_as_they_were_written__after_an_undo(void **state)
{
	struct bench *bench = *state;
	const char *dn = "cn=crew,ou=groups," SUFFIX;
	const struct mr_change *change = change_of(bench, dn,
	        BODY("description=The  CREW", "member=cn=a,dc=x", "member=cn=b,dc=x",
	                "member=cn=c,dc=x"),
	        BODY("description=Others", "member=cn=b,dc=x", "member=cn=c,dc=x",
	                "member=cn=d,dc=x"));

	directory_ldif(&bench->directory,
	        "dn: cn=crew,ou=groups," SUFFIX "\nobjectClass: groupOfNames\ncn: crew\n"
	        "description: The  CREW\nmember: cn=a,dc=x\nmember: cn=b,dc=x\nmember: "
	        "cn=c,dc=x\n");
	expect(bench, apply(bench, &change, 1, false), 0);
	assert_true(directory_has(&bench->directory, dn, "member", "member: cn=d,dc=x\n"));
	assert_false(directory_has(&bench->directory, dn, "member", "member: cn=a,dc=x\n"));
	expect(bench, undo(bench, &change, 1), 0);
	assert_true(
	        directory_has(&bench->directory, dn, "description", "description: The  CREW\n"));
	assert_true(directory_has(&bench->directory, dn, "member", "member: cn=a,dc=x\n"));
	assert_false(directory_has(&bench->directory, dn, "member", "member: cn=d,dc=x\n"));
}

static void nothing_is_written__when_classes_differ_in_what_is_implied_only(void **state)
{
	struct bench *bench = *state;
	const char *dn = "cn=implied,ou=people," SUFFIX;
	const struct mr_change *change =
	        change_of(bench, dn, BODY("objectClass=person", "objectClass=top", "sn=One"),
	                BODY("objectClass=person", "sn=Two"));

	directory_ldif(&bench->directory,
	        "dn: cn=implied,ou=people," SUFFIX
	        "\nobjectClass: top\nobjectClass: person\ncn: implied\nsn: One\n");
	expect(bench, stage(bench, &change, 1), 0);
	expect(bench, apply(bench, &change, 1, false), 0);
	assert_true(directory_has(&bench->directory, dn, "objectClass", "objectClass: top\n"));
	assert_true(directory_has(&bench->directory, dn, "sn", "sn: Two\n"));
}

static void a_foreign_edit_survives__and_is_named(void **state)
{
	struct bench *bench = *state;
	const char *dn = "cn=contested,ou=people," SUFFIX;
	const struct mr_change *change = change_of(
	        bench, dn, BODY("description=ours", "sn=S"), BODY("description=new", "sn=S"));

	directory_ldif(&bench->directory,
	        "dn: cn=contested,ou=people," SUFFIX
	        "\nobjectClass: person\ncn: contested\nsn: S\ndescription: foreign\n");
	expect(bench, stage(bench, &change, 1), MR_E_CONFLICT);
	assert_true(is_said(bench, "ldap.yaml:7:5"));
	assert_true(is_said(bench, "'description'"));
	assert_true(is_said(bench, dn));
	expect(bench, apply(bench, &change, 1, false), MR_E_CONFLICT);
	expect(bench, undo(bench, &change, 1), MR_E_CONFLICT);
	assert_true(directory_has(&bench->directory, dn, "description", "description: foreign\n"));
	mr_diags_clear(&bench->diags);
}

/* An edit between our look and our request: the request carries what the look saw. */
static void a_request_is_turned_down__when_the_entry_moved_since_the_look(void **state)
{
	struct bench *bench = *state;
	const char *dn = "cn=racing,ou=people," SUFFIX;
	const struct mr_change *changes[] = {
	        change_of(bench, dn, BODY("sn=A"), BODY("sn=B")),
	        change_of(bench, dn, BODY("objectClass=person", "sn=A"), NULL),
	};

	directory_ldif(&bench->directory,
	        "dn: cn=racing,ou=people," SUFFIX "\nobjectClass: person\ncn: racing\nsn: A\n");
	for (size_t i = 0; i < 2; i++) {
		struct mr_ldap_operation operation = {.change = changes[i], .dn = mr_str_from(dn)};
		struct mr_ldap_wave wave = {.backend = bench->backend,
		        .operations = &operation,
		        .n = 1,
		        .arena = &bench->arena};

		expect(bench, mr_ldap_look(bench->backend, &operation, 1, &bench->arena), 0);
		directory_ldif(&bench->directory,
		        "dn: cn=racing,ou=people," SUFFIX
		        "\nchangetype: modify\nreplace: description\ndescription: x\n");
		expect(bench, mr_ldap_wave_send(&wave), 0);
		assert_int_equal(operation.state, MR_LDAP_UNSURE);
		assert_int_equal(operation.result, LDAP_ASSERTION_FAILED);
	}
	assert_true(directory_has(&bench->directory, dn, "sn", "sn: A\n"));
}

static void an_undo_puts_back_the_others__when_one_entry_is_in_conflict(void **state)
{
	struct bench *bench = *state;
	const struct mr_change *changes[] = {
	        change_of(bench, "cn=u1,ou=people," SUFFIX, BODY("sn=A"), BODY("sn=B")),
	        change_of(bench, "cn=u2,ou=people," SUFFIX, BODY("sn=A"), BODY("sn=B")),
	};

	directory_ldif(&bench->directory,
	        "dn: cn=u1,ou=people," SUFFIX "\nobjectClass: person\ncn: u1\nsn: foreign\n\n"
	        "dn: cn=u2,ou=people," SUFFIX "\nobjectClass: person\ncn: u2\nsn: B\n");
	expect(bench, undo(bench, changes, 2), MR_E_CONFLICT);
	assert_true(
	        directory_has(&bench->directory, "cn=u1,ou=people," SUFFIX, "sn", "sn: foreign\n"));
	assert_true(directory_has(&bench->directory, "cn=u2,ou=people," SUFFIX, "sn", "sn: A\n"));
	mr_diags_clear(&bench->diags);
}

static void an_entry_is_not_deleted__when_it_holds_what_nobody_saw(void **state)
{
	struct bench *bench = *state;
	const char *dn = "cn=keep,ou=people," SUFFIX;
	const struct mr_change *change =
	        change_of(bench, dn, BODY("objectClass=person", "sn=S"), NULL);

	directory_ldif(&bench->directory,
	        "dn: cn=keep,ou=people," SUFFIX
	        "\nobjectClass: person\ncn: keep\nsn: S\ndescription: by hand\n");
	expect(bench, apply(bench, &change, 1, false), MR_E_CONFLICT);
	assert_true(directory_has(&bench->directory, dn, "cn", "cn: keep\n"));
	mr_diags_clear(&bench->diags);
}

static void a_deletion_goes_leaf_first__and_is_refused_over_a_child_that_stays(void **state)
{
	struct bench *bench = *state;
	const char *const ou[] = {"objectClass=organizationalUnit", "ou=x", NULL};
	const char *const person[] = {"cn=p", "objectClass=person", "sn=S", NULL};
	const struct mr_change *changes[] = {
	        change_of(bench, "ou=x,ou=people," SUFFIX, ou, NULL),
	        change_of(bench, "cn=p,ou=x,ou=people," SUFFIX, person, NULL),
	};

	directory_ldif(&bench->directory,
	        "dn: ou=x,ou=people," SUFFIX "\nobjectClass: organizationalUnit\nou: x\n\n"
	        "dn: cn=p,ou=x,ou=people," SUFFIX "\nobjectClass: person\ncn: p\nsn: S\n");
	expect(bench, stage(bench, changes, 1), MR_E_CONFLICT);
	assert_true(is_said(bench, "cn=p,ou=x"));
	mr_diags_clear(&bench->diags);
	expect(bench, apply(bench, changes, 1, false), MR_E_CONFLICT);
	mr_diags_clear(&bench->diags);
	expect(bench, stage(bench, changes, 2), 0);
	expect(bench, apply(bench, changes, 2, false), 0);
	assert_false(directory_has(&bench->directory, "ou=x,ou=people," SUFFIX, "ou", "dn: "));
	/* and back */
	expect(bench, undo(bench, changes, 2), 0);
	assert_true(
	        directory_has(&bench->directory, "cn=p,ou=x,ou=people," SUFFIX, "sn", "sn: S\n"));
}

static void staging_rejects_what_the_server_would_refuse__and_changes_nothing(void **state)
{
	struct bench *bench = *state;
	const struct {
		const char *dn;
		const char *const *before, *const *after;
		const char *words;
	} CASES[] = {
	        {"cn=n,ou=people," SUFFIX, NULL, BODY("objectClass=person"), "'sn'"},
	        {"cn=n,ou=people," SUFFIX, NULL, BODY("description=x"), "object class"},
	        {"cn=n,ou=people," SUFFIX, NULL, BODY("objectClass=posixAccount", "uid=n"),
	                "structural"},
	        {"cn=n,ou=people," SUFFIX, NULL,
	                BODY("objectClass=groupOfNames", "objectClass=person", "member=", "sn=S"),
	                "structural"},
	        {"cn=n,ou=people," SUFFIX, NULL,
	                BODY("mail=a@b.example", "objectClass=person", "sn=S"), "'mail'"},
	        {"cn=n,ou=nowhere," SUFFIX, NULL, BODY("objectClass=person", "sn=S"), "ou=nowhere"},
	        {"ou=people," SUFFIX, BODY("postalAddress"), BODY("mail=x@example.org"), "'mail'"},
	        {"ou=people," SUFFIX, BODY("ou=people"), BODY("ou=persons"), "naming"},
	};

	for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
		const struct mr_change *change =
		        change_of(bench, CASES[i].dn, CASES[i].before, CASES[i].after);

		expect(bench, stage(bench, &change, 1), MR_E_REJECTED);
		if (!is_said(bench, CASES[i].words))
			expect(bench, 1, (int)i);
		mr_diags_clear(&bench->diags);
	}
	assert_true(directory_has(&bench->directory, "ou=people," SUFFIX, "*", "ou: people\n"));
}

#define MANY 2000

static const struct mr_change **many(struct bench *bench)
{
	const struct mr_change **changes = mr_alloc_n(&bench->arena, MANY, sizeof *changes);

	for (size_t i = 0; i < MANY; i++)
		changes[i] = change_of(bench,
		        mr_str_printf(&bench->arena, "uid=user%04zu,ou=people," SUFFIX, i).data,
		        NULL, BODY("cn=User", "objectClass=inetOrgPerson", "sn=Of Many"));
	return changes;
}

static void two_thousand_entries_are_added__and_removed(void **state)
{
	struct bench *bench = *state;
	const struct mr_change **changes = many(bench);

	expect(bench, stage(bench, changes, MANY), 0);
	expect(bench, apply(bench, changes, MANY, false), 0);
	assert_true(directory_has(
	        &bench->directory, "uid=user1999,ou=people," SUFFIX, "sn", "sn: Of Many\n"));
	expect(bench, undo(bench, changes, MANY), 0);
	assert_false(
	        directory_has(&bench->directory, "uid=user1999,ou=people," SUFFIX, "sn", "dn: "));
}

/* A killer that strikes while the adds are under way, and a slapd that is back soon. */
static pid_t kill_soon(struct bench *bench)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
	(void)kill(directory_pid(&bench->directory), SIGKILL);
	nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	directory_start(&bench->directory);
	_exit(0);
}

static void a_server_killed_in_the_middle_ends_in_the_whole__when_it_comes_back(void **state)
{
	struct bench *bench = *state;
	const struct mr_change **changes = many(bench);
	pid_t killer = kill_soon(bench);
	int status;
	int code = apply(bench, changes, MANY, false);

	assert_true(waitpid(killer, &status, 0) == killer && status == 0);
	expect(bench, code, 0);
	expect(bench, apply(bench, changes, MANY, false), 0);
	expect(bench, undo(bench, changes, MANY), 0);
	assert_false(
	        directory_has(&bench->directory, "uid=user0000,ou=people," SUFFIX, "sn", "dn: "));
	assert_false(
	        directory_has(&bench->directory, "uid=user1999,ou=people," SUFFIX, "sn", "dn: "));
}

static void an_apply_fails_with_the_reason__when_the_server_stays_away(void **state)
{
	struct bench *bench = *state;
	const struct mr_change *change = change_of(
	        bench, "cn=late,ou=people," SUFFIX, NULL, BODY("objectClass=person", "sn=S"));

	directory_signal(&bench->directory, SIGKILL);
	expect(bench, apply(bench, &change, 1, false), MR_E_UNREADABLE);
	assert_true(is_said(bench, "Can't contact LDAP server"));
	mr_diags_clear(&bench->diags);
	directory_start(&bench->directory);
	expect(bench, apply(bench, &change, 1, false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_entry_is_made_with_its_parent__and_undone_exactly),
	        cmocka_unit_test(values_are_put_back_as_they_were_written__after_an_undo),
	        cmocka_unit_test(nothing_is_written__when_classes_differ_in_what_is_implied_only),
	        cmocka_unit_test(a_foreign_edit_survives__and_is_named),
	        cmocka_unit_test(a_request_is_turned_down__when_the_entry_moved_since_the_look),
	        cmocka_unit_test(an_undo_puts_back_the_others__when_one_entry_is_in_conflict),
	        cmocka_unit_test(an_entry_is_not_deleted__when_it_holds_what_nobody_saw),
	        cmocka_unit_test(
	                a_deletion_goes_leaf_first__and_is_refused_over_a_child_that_stays),
	        cmocka_unit_test(staging_rejects_what_the_server_would_refuse__and_changes_nothing),
	        cmocka_unit_test(two_thousand_entries_are_added__and_removed),
	        cmocka_unit_test(
	                a_server_killed_in_the_middle_ends_in_the_whole__when_it_comes_back),
	        cmocka_unit_test(an_apply_fails_with_the_reason__when_the_server_stays_away),
	};

	return cmocka_run_group_tests(tests, open_bench, close_bench);
}
