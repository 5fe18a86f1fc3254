/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv status: what the running CA itself knows to be wrong.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/time.h"
#include "control.h"

#define ARENA_MAX (4u * MSG_ROWS_MAX)

/* One alarm onto the list, and onto a line. */
static bool
take_one(json_t *all, bool print, struct ae_rd *r, struct ae_arena *a)
{
	const char *what = get_str(r, a);
	const int64_t since = (int64_t)ae_rd_u64(r);
	const char *text = get_str(r, a);
	char when[AE_TIME_STR_MAX];

	if (what == NULL || text == NULL)
		return false;
	(void)json_array_append_new(all,
	    json_pack("{s:o, s:o, s:o}", "what", cli_json_text(what), "since",
		cli_json_time(since), "text", cli_json_text(text)));
	if (print && since != 0)
		(void)printf("%-10s since %s: %s\n", cli_safe(what),
		    ae_time_print(when, since), cli_safe(text));
	else if (print)
		(void)printf("%-10s %s\n", cli_safe(what), cli_safe(text));
	return true;
}

struct status {
	struct cli *cli;
	json_t *all;
};

static int
take(void *arg, struct ae_rd *r, struct ae_err *e)
{
	struct status *s = arg;
	struct ae_arena *a = ae_arena_new(ARENA_MAX);
	uint32_t n = ae_rd_u32(r), i;
	bool ok = a != NULL;

	for (i = 0; ok && i < n; i++)
		ok = take_one(s->all, !s->cli->json, r, a);
	ae_arena_free(a);
	return ok && ae_rd_done(r) ? AE_OK
				   : bad_message(r, "the CA's status", e);
}

int
cmd_status(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	struct status s = { cli, NULL };
	struct ae_wr none;
	size_t n;
	int rc;

	if (argc > 1)
		return cli_usage("status", "no \"%s\" is known", argv[1]);
	rc = cli_conf(cli, &e);
	if (rc != AE_OK)
		return cli_fail(cli, &e);
	s.all = json_array();
	ae_wr_init(&none, 1);
	rc = control_ask_for(
	    cli, MSG_ADMIN_STATUS, &none, MSG_ADMIN_STATUS_IS, take, &s, &e);
	n = json_array_size(s.all);
	if (rc == AE_OK && cli->json)
		cli_print_json(json_pack("{s:o, s:b, s:O}", "ca",
		    cli_json_text(cli->conf.name), "well", n == 0, "alarms",
		    s.all));
	else if (rc == AE_OK && n == 0)
		(void)printf(
		    "\"%s\" runs, and knows of nothing that is wrong\n",
		    cli_safe(cli->conf.name));
	json_decref(s.all);
	if (rc != AE_OK)
		return cli_fail(cli, &e);
	return n == 0 ? EXIT_OK : EXIT_FINDING;
}
