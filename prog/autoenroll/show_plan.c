/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Plans as text; see show_plan.h.
 */
#include "show_plan.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : cli_safe(s);
}

static void
show_reasons(const json_t *list)
{
	const json_t *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		const char *v = text(r, "verdict");

		(void)printf("    %s %-34s %s\n",
		    strcmp(v, "fail") == 0	 ? "-"
			: strcmp(v, "warn") == 0 ? "!"
						 : "+",
		    text(r, "check"), text(r, "text"));
	}
}

/* The reason that decided: the first that fails. */
static const json_t *
decisive(const json_t *item)
{
	const json_t *list = json_object_get(item, "reasons");
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (strcmp(text(json_array_get(list, i), "verdict"), "fail") ==
		    0)
			return json_array_get(list, i);
	return NULL;
}

static void
show_store(const json_t *report)
{
	const json_t *a;
	size_t i;

	json_array_foreach(json_object_get(report, "store_actions"), i, a)
	{
		const char *after = text(a, "after");

		(void)printf("%-7s %-32s %s%s%s\n", text(a, "action"),
		    text(a, "certificate"), text(a, "text"),
		    after[0] != '\0' ? "; once there is one of " : "", after);
	}
	json_array_foreach(json_object_get(report, "pending"), i, a)
	{
		(void)printf("%-7s %-32s %s\n", text(a, "action"),
		    text(a, "request"), text(a, "text"));
	}
	json_array_foreach(json_object_get(report, "unpublish"), i, a)
	{
		(void)printf("remove  %-32s %s\n", "from the directory",
		    text(a, "text"));
	}
}

/* In which order several CAs are asked, and why. */
static void
show_nearness(const json_t *report)
{
	const json_t *list = json_object_get(report, "nearness"), *ca;
	const char *site = text(report, "site");
	char cost[32];
	size_t i;

	if (json_array_size(list) == 0)
		return;
	if (site[0] == '\0')
		(void)printf("CAs: which site this is is not known\n");
	else
		(void)printf("CAs, seen from site %s\n", site);
	json_array_foreach(list, i, ca)
	{
		const json_t *n = json_object_get(ca, "cost");

		(void)snprintf(cost, sizeof(cost), "cost %lld",
		    (long long)json_integer_value(n));
		(void)printf("    %-36s %s%s%s\n", n == NULL ? "" : cost,
		    text(ca, "ca"),
		    text(ca, "site")[0] == '\0' ? "" : ", site ",
		    text(ca, "site"));
	}
}

void
show_plan(const json_t *report, bool explain)
{
	const json_t *item;
	size_t i;

	if (explain) {
		(void)printf("policy\n");
		show_reasons(json_object_get(report, "policy_reasons"));
	}
	json_array_foreach(json_object_get(report, "plan"), i, item)
	{
		const json_t *why = decisive(item);

		(void)printf("%-7s %-32s %s\n", text(item, "action"),
		    text(item, "template"),
		    explain || why == NULL ? "" : text(why, "text"));
		if (explain)
			show_reasons(json_object_get(item, "reasons"));
	}
	if (explain)
		show_nearness(report);
	show_store(report);
}

void
show_plan_own_kind(json_t *report)
{
	json_t *plan = json_object_get(report, "plan");
	size_t i = json_array_size(plan);

	while (i-- > 0) {
		const json_t *why = decisive(json_array_get(plan, i));

		if (why != NULL &&
		    strncmp(text(why, "check"), "context.", 8) == 0)
			(void)json_array_remove(plan, i);
	}
}
