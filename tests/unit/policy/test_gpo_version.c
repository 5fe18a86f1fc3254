/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What counts as a change of group policy, and what does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/gpo_version.h"

struct world {
	struct ae_gpo gpo[2];
	struct ae_gpo_choice choice[2];
	struct ae_gpos all;
	char before[AE_GPO_VERSION_STR_MAX], after[AE_GPO_VERSION_STR_MAX];
};

static void
set_up(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->gpo[0].version = 0x00010002;
	w->gpo[1].version = 0x00030004;
	w->choice[0].dn = "CN={A},CN=Policies";
	w->choice[1].dn = "CN={B},CN=Policies";
	w->choice[0].gpo = &w->gpo[0];
	w->choice[1].gpo = &w->gpo[1];
	w->all.choices = w->choice;
	w->all.nchoices = 2;
	(void)ae_gpos_version(w->before, &w->all);
}

static bool
changed(struct world *w)
{
	(void)ae_gpos_version(w->after, &w->all);
	return strcmp(w->before, w->after) != 0;
}

static void
test_nothing_changed(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	assert_false(changed(&w));
	assert_int_equal(strlen(w.before), AE_GPO_VERSION_STR_MAX - 1);
}

static void
test_our_half_and_the_other(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	w.gpo[1].version += 0x10000; /* the users' half */
	assert_false(changed(&w));
	w.gpo[1].version++;
	assert_true(changed(&w));

	set_up(&w);
	w.all.user = true;
	(void)ae_gpos_version(w.before, &w.all);
	w.gpo[1].version++;
	assert_false(changed(&w));
	w.gpo[1].version += 0x10000;
	assert_true(changed(&w));
}

/* A link taken away, filtered or put in another order. */
static void
test_which_apply_and_in_which_order(void **state)
{
	struct ae_gpo_choice first;
	struct world w;

	(void)state;
	set_up(&w);
	w.choice[1].verdict = AE_GPO_NO_APPLY;
	assert_true(changed(&w));
	set_up(&w);
	w.all.nchoices = 1;
	assert_true(changed(&w));
	set_up(&w);
	first = w.choice[0];
	w.choice[0] = w.choice[1];
	w.choice[1] = first;
	assert_true(changed(&w));
}

/* What does not apply may change as it likes. */
static void
test_what_is_passed_over(void **state)
{
	struct world w;

	(void)state;
	set_up(&w);
	w.choice[0].verdict = AE_GPO_LINK_DISABLED;
	(void)ae_gpos_version(w.before, &w.all);
	w.gpo[0].version += 5;
	assert_false(changed(&w));
	w.choice[0].gpo = NULL;
	w.choice[0].verdict = AE_GPO_UNREADABLE;
	assert_false(changed(&w));
	w.all.nchoices = 0;
	assert_true(changed(&w));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_changed),
		cmocka_unit_test(test_our_half_and_the_other),
		cmocka_unit_test(test_which_apply_and_in_which_order),
		cmocka_unit_test(test_what_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
