/*
 * The classes that --fail-on may name.
 */
#include "plan/parts.h"

static bool has_action(const struct mr_plan_doc *doc, int action)
{
	return doc->counts[action] > 0;
}

static bool has_risk(const struct mr_plan_doc *doc, int risk)
{
	mr_vec_each (object, &doc->objects)
		if ((int)object->risk == risk)
			return true;
	return false;
}

static bool has_activation(const struct mr_plan_doc *doc, int is_restart)
{
	mr_vec_each (action, &doc->actions)
		if (mr_str_is(action->action, is_restart ? "restart" : "reload"))
			return true;
	return false;
}

static bool has_impact(const struct mr_plan_doc *doc, int kind)
{
	return doc->impact.lists[kind].n > 0;
}

static bool has_routes(const struct mr_plan_doc *doc, int unused)
{
	(void)unused;
	return doc->impact.routes.n > 0;
}

static bool has_drift(const struct mr_plan_doc *doc, int unused)
{
	(void)unused;
	return doc->drift.n > 0;
}

static bool has_close(const struct mr_plan_doc *doc, int unused)
{
	(void)unused;
	mr_vec_each (object, &doc->objects)
		if (object->action == MR_DELETE && mr_str_starts(object->object, MR_STR("user/")))
			return true;
	return false;
}

static bool has_warnings(const struct mr_plan_doc *doc, int unused)
{
	(void)unused;
	return doc->warnings.n > 0;
}

/* clang-format off */
static const struct {
	const char *name;
	bool (*is_in)(const struct mr_plan_doc *doc, int which);
	int which;
} classes[] = {
	{"create", has_action, MR_CREATE},
	{"update", has_action, MR_UPDATE},
	{"rename", has_action, MR_RENAME},
	{"delete", has_action, MR_DELETE},
	{"close", has_close, 0},
	{"safe", has_risk, MR_RISK_SAFE},
	{"data", has_risk, MR_RISK_DATA},
	{"offline", has_risk, MR_RISK_OFFLINE},
	{"reload", has_activation, false},
	{"restart", has_activation, true},
	{"login_lost", has_impact, MR_IMPACT_LOGIN_LOST},
	{"login_gained", has_impact, MR_IMPACT_LOGIN_GAINED},
	{"mail_refused", has_impact, MR_IMPACT_MAIL_REFUSED},
	{"mail_accepted", has_impact, MR_IMPACT_MAIL_ACCEPTED},
	{"routes_changed", has_routes, 0},
	{"drift", has_drift, 0},
	{"warnings", has_warnings, 0},
};
/* clang-format on */

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

bool mr_plan_is_class(mr_str class_name)
{
	for (size_t i = 0; i < N_OF(classes); i++)
		if (mr_str_is(class_name, classes[i].name))
			return true;
	return false;
}

bool mr_plan_has_class(const struct mr_plan *plan, mr_str class_name)
{
	for (size_t i = 0; i < N_OF(classes); i++)
		if (mr_str_is(class_name, classes[i].name))
			return classes[i].is_in(&plan->doc, classes[i].which);
	return false;
}
