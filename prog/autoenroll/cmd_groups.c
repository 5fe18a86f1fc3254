/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll groups: the groups a CA will see in the ticket, beside those by
 * which the client decides.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ad/principal.h"
#include "base/time.h"
#include "cli.h"
#include "gather/directory.h"
#include "gather/groups.h"
#include "gss/caller.h"
#include "session.h"

struct both {
	struct session s;
	struct ae_directory *dir;
	struct ae_caller *ticket;
	struct ae_sid *directory;
	size_t ndirectory;
	struct ae_groups groups;
};

/* The machine's ticket as its runs use it, which may be hours old. */
static int
machine_ticket(struct both *b, const struct cli *cli, struct ae_err *e)
{
	char name[4096 + 8];

	if (getenv("KRB5CCNAME") != NULL)
		return session_ticket(&b->s, cli, e);
	(void)snprintf(name, sizeof(name), "FILE:%s", cli->c.ccache);
	if (ae_gss_cred_ccache(&b->s.cred, name, NULL) == AE_OK)
		return AE_OK;
	return session_ticket(&b->s, cli, e);
}

static int
collect(struct both *b, const struct cli *cli, struct ae_err *e)
{
	int rc;

	rc = cli->c.user ? ae_gss_cred_ccache(&b->s.cred, NULL, e)
			 : machine_ticket(b, cli, e);
	if (rc == AE_OK)
		rc = ae_caller_own(&b->ticket, b->s.cred, e);
	if (rc == AE_OK)
		rc = session_connect(&b->s, e);
	if (rc == AE_OK)
		rc = ae_directory_open(
		    &b->dir, b->s.ad, ae_gss_cred_principal(b->s.cred), e);
	if (rc == AE_OK)
		rc = ae_ad_token_groups(
		    &b->directory, &b->ndirectory, b->s.ad, b->dir->me->dn, e);
	if (rc == AE_OK)
		rc = ae_groups_merge(&b->groups, b->ticket->sids,
		    b->ticket->nsids, b->directory, b->ndirectory,
		    &b->dir->me->sid, e);
	if (rc == AE_OK)
		rc = ae_groups_resolve(&b->groups, b->s.ad, e);
	return rc;
}

static const char *
remark(const struct ae_group *g)
{
	if (ae_group_check(g) == NULL)
		return "";
	return g->in_directory
	    ? "not in the ticket: a CA does not count it yet"
	    : "not in the directory any more: a CA still counts it";
}

static void
print_text(const struct both *b)
{
	char when[AE_TIME_STR_MAX], sid[AE_SID_STR_MAX];
	size_t i;

	(void)printf("account       %s\nticket since  %s\nasked         %s\n\n",
	    cli_safe(ae_gss_cred_principal(b->s.cred)),
	    ae_time_print(when, b->ticket->auth_time), b->s.dc.host);
	(void)printf("  ticket AD  %-38s SID\n", "group");
	for (i = 0; i < b->groups.n; i++) {
		const struct ae_group *g = &b->groups.v[i];

		(void)printf("%c %-6s %-3s %-38s %s%s%s\n",
		    ae_group_check(g) != NULL ? '!' : ' ',
		    g->in_ticket ? "yes" : "-", g->in_directory ? "yes" : "-",
		    g->name == NULL ? "-" : cli_safe(g->name),
		    ae_sid_print(sid, &g->sid),
		    ae_group_check(g) != NULL ? "  " : "", remark(g));
	}
	if (ae_groups_differ(&b->groups) > 0)
		(void)printf("\nA new ticket has the groups of now: log in "
			     "again, or 'kinit'; for a computer, remove its "
			     "ticket cache or restart it.\n");
}

static void
print_json(const struct both *b)
{
	char when[AE_TIME_STR_MAX], sid[AE_SID_STR_MAX];
	json_t *list = json_array(), *j;
	size_t i;

	for (i = 0; i < b->groups.n; i++) {
		const struct ae_group *g = &b->groups.v[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:b, s:b, s:s?}", "sid",
			ae_sid_print(sid, &g->sid), "name", g->name,
			"in_ticket", g->in_ticket, "in_directory",
			g->in_directory, "check_id", ae_group_check(g)));
	}
	j = json_pack("{s:s, s:s, s:s, s:b, s:o}", "principal",
	    ae_gss_cred_principal(b->s.cred), "ticket_since",
	    ae_time_print(when, b->ticket->auth_time), "dc", b->s.dc.host,
	    "differ", ae_groups_differ(&b->groups) > 0, "groups", list);
	cli_print_json(j);
	json_decref(j);
}

int
cmd_groups(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct ae_err e = AE_ERR_INIT;
	struct both b = { 0 };
	bool user = false;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'u')
			user = true;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("groups", "unknown option");
	}
	if (optind != argc)
		return cli_usage("groups", "no arguments are expected");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (!user && geteuid() != 0 && getenv("KRB5CCNAME") == NULL)
		return cli_usage("groups",
		    "the machine's ticket is root's; --user shows your own");
	if (collect(&b, cli, &e) != AE_OK) {
		code = cli_fail(cli, &e);
	} else {
		if (cli->json)
			print_json(&b);
		else
			print_text(&b);
		code = ae_groups_differ(&b.groups) > 0 ? EXIT_FINDING : EXIT_OK;
	}
	ae_groups_done(&b.groups);
	free(b.directory);
	ae_caller_free(b.ticket);
	ae_directory_free(b.dir);
	session_done(&b.s);
	return code;
}
