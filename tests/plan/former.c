/*
 * Collections that are declared no longer: what becomes of what we own in them.
 */
#include "shelf.h"

static void a_tree_inside_a_declared_one_is_handed_over__nothing_is_deleted(void **state)
{
	static const char entry[] =
	        "dc=org\001dc=example\001ou=g\001cn=a\001 ldap/cn=a,ou=g,dc=example,dc=org cn=a\n";
	struct mr_provider directory = shelf_provider;
	struct shelf shelf;

	(void)state;
	shelf_open(&shelf);
	directory.name = "openldap";
	shelf.server.provider = &directory;
	shelf_add(&shelf, "ldap/ou=g,dc=example,dc=org", "ldap",
	        MR_COLLECTION_PARTIAL | MR_COLLECTION_DELETE_LATE, MR_RANK_DIRECTORY);
	shelf_board(&shelf, "ldap/ou=g,dc=example,dc=org")->in.scope =
	        MR_STR("ou=g,dc=example,dc=org");
	shelf_board(&shelf, "ldap/ou=g,dc=example,dc=org")->desired = entry;
	shelf_apply(&shelf);
	shelf_board(&shelf, "ldap/ou=g,dc=example,dc=org")->desired = NULL;
	shelf_board(&shelf, "ldap/dc=example,dc=org")->desired = entry;
	shelf_board(&shelf, "ldap/dc=example,dc=org")->live = entry;
	struct mr_plan *plan = shelf_plan(&shelf);
	assert_true(mr_plan_is_empty(plan));
	assert_int_equal(mr_plan_adoptions(plan)->list.n, 2);
	mr_plan_free(plan);
	shelf_close(&shelf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_tree_inside_a_declared_one_is_handed_over__nothing_is_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
