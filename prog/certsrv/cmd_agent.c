/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv agent: whom enrollment agents may enroll, and for which templates;
 * certsrv officer: whose requests officers may decide over the network, the
 * same.  Each list is a file of the CA, in the form of MS-CSRA 2.2.1.11;
 * without it nobody is restricted.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "ca/rights.h"
#include "session.h"
#include "sys/files.h"

#define ENTRIES_MAX 512
#define WORDS_MAX 64

/* Which of the lists. */
struct kind {
	const char *command, *members; /* members: of the JSON */
	const char *all, *none;	       /* no list, an empty one */
};

static const struct kind agents = { "agent", "agents",
	"every enrollment agent may enroll anybody, for every template that "
	"an agent's signature opens",
	"no enrollment agent may enroll anybody" };
static const struct kind officers = { "officer", "officers",
	"every officer may decide about every request",
	"no officer may decide about any request" };

struct change {
	bool allow;
	const char *who;
	const char *targets[WORDS_MAX];
	size_t ntargets;
	const char *templates[WORDS_MAX];
	size_t ntemplates;
};

/* The list as it is being changed; what it points to is in the arena. */
struct list {
	const struct kind *kind;
	const char *path;
	struct ae_arena *a;
	struct ae_ca_rights *old; /* NULL: there was none */
	struct ae_ca_right v[ENTRIES_MAX];
	size_t n;
};

/* clang-format off */
static const struct option options[] = {
	{ "for", required_argument, NULL, 'f' },
	{ "template", required_argument, NULL, 't' },
	{ 0 },
};
/* clang-format on */

/* AE_OK with nothing in it when there is no file. */
static int
list_read(struct list *l, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len, i;
	int rc;

	l->a = ae_arena_new(4 << 20);
	if (l->a == NULL)
		return ae_fail_mem(e);
	rc = ae_file_read(&p, &len, l->path, AE_SD_BYTES_MAX, e);
	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc == AE_OK)
		rc = ae_ca_rights_parse(&l->old, p, len, e);
	free(p);
	if (rc == AE_OK && l->old != NULL && l->old->n > ENTRIES_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d entries", ENTRIES_MAX);
	if (rc < 0)
		return ae_note(e, rc, "%s", l->path);
	for (i = 0; l->old != NULL && i < l->old->n; i++)
		l->v[l->n++] = l->old->v[i];
	return AE_OK;
}

static void
list_done(struct list *l)
{
	ae_ca_rights_free(l->old);
	ae_arena_free(l->a);
}

static int
list_write(const struct list *l, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_SD_BYTES_MAX);
	rc = ae_ca_rights_encode(&w, l->v, l->n, e);
	if (rc == AE_OK)
		rc = ae_file_write(l->path, w.p, w.len, 0644, e);
	ae_wr_done(&w);
	return rc;
}

static void
tell_daemon(const struct cli *cli)
{
	(void)puts(cli_signal(cli, SIGHUP)
		? "certsrvd takes it over"
		: "certsrvd does not run; it will find it so");
}

/* ---- show ---- */

static void
show_one(struct cli *cli, struct session *s, const struct ae_ca_right *r,
    json_t *out)
{
	char who[512], name[512], sid[AE_SID_STR_MAX];
	json_t *targets;
	size_t i;

	session_name(s, &r->who, who, sizeof(who));
	if (!cli->json) {
		(void)printf("%-5s  %s  template %s  for ",
		    r->allow ? "allow" : "deny", cli_safe(who),
		    r->template == NULL ? "(every one)"
					: cli_safe(r->template));
		for (i = 0; i < r->ntargets; i++)
			(void)printf("%s%s", i == 0 ? "" : ", ",
			    cli_safe(session_name(
				s, &r->targets[i], name, sizeof(name))));
		(void)putchar('\n');
		return;
	}
	targets = json_array();
	for (i = 0; i < r->ntargets; i++)
		(void)json_array_append_new(targets,
		    json_pack("{s:s, s:o}", "sid",
			ae_sid_print(sid, &r->targets[i]), "name",
			cli_json_text(session_name(
			    s, &r->targets[i], name, sizeof(name)))));
	(void)json_array_append_new(out,
	    json_pack("{s:s, s:s, s:o, s:o, s:o}", "type",
		r->allow ? "allow" : "deny", "sid", ae_sid_print(sid, &r->who),
		"name", cli_json_text(who), "template",
		cli_json_text(r->template), "for", targets));
}

static int
show(struct cli *cli, struct session *s, const struct list *l)
{
	json_t *out = json_array();
	size_t i;

	if (!cli->json && l->old == NULL)
		(void)puts(l->kind->all);
	else if (!cli->json && l->n == 0)
		(void)puts(l->kind->none);
	for (i = 0; i < l->n; i++)
		show_one(cli, s, &l->v[i], out);
	if (cli->json)
		cli_print_json(json_pack("{s:b, s:o}", "restricted",
		    l->old != NULL, l->kind->members, out));
	else
		json_decref(out);
	return EXIT_OK;
}

/* ---- changes ---- */

static int
parse(struct change *c, const struct kind *k, int argc, char **argv)
{
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'f' && c->ntargets < WORDS_MAX)
			c->targets[c->ntargets++] = optarg;
		else if (o == 't' && c->ntemplates < WORDS_MAX)
			c->templates[c->ntemplates++] = optarg;
		else
			return cli_usage(k->command,
			    o == '?' ? "unknown option" : "too many words");
	}
	if (optind + 1 != argc)
		return cli_usage(k->command, "which %s?", k->command);
	c->who = argv[optind];
	return EXIT_OK;
}

static bool
same_template(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : ae_str_eq_nocase(a, b);
}

/* The entry of that agent, kind and template; a new one, or NULL: full. */
static struct ae_ca_right *
entry(struct list *l, const struct ae_sid *who, bool allow, const char *name)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].allow == allow && ae_sid_equal(&l->v[i].who, who) &&
		    same_template(l->v[i].template, name))
			return &l->v[i];
	if (l->n == ENTRIES_MAX)
		return NULL;
	l->v[l->n] = (struct ae_ca_right){
		.allow = allow, .who = *who, .template = name
	};
	return &l->v[l->n++];
}

/* One template's worth (NULL: every template) of a change. */
static int
put(struct list *l, const struct ae_sid *who, bool allow, const char *name,
    const struct ae_sid *targets, size_t n, struct ae_err *e)
{
	struct ae_ca_right *r = entry(l, who, allow, name);
	struct ae_sid *all;
	size_t i;

	if (r == NULL || r->ntargets + n > AE_CA_RIGHTS_TARGETS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more entries, or more accounts in one, than the list "
		    "holds");
	all = ae_arena_array(l->a, r->ntargets + n, sizeof(*all));
	if (all == NULL)
		return ae_fail_mem(e);
	if (r->ntargets > 0)
		memcpy(all, r->targets, r->ntargets * sizeof(*all));
	memcpy(all + r->ntargets, targets, n * sizeof(*all));
	n += r->ntargets;
	ae_sid_sort(all, n);
	for (i = 0, r->ntargets = 0; i < n; i++)
		if (i == 0 || !ae_sid_equal(&all[i], &all[r->ntargets - 1]))
			all[r->ntargets++] = all[i];
	r->targets = all;
	return AE_OK;
}

/* Every name is one that the directory has. */
static int
add(struct list *l, struct session *s, const struct change *c, struct ae_err *e)
{
	struct ae_sid who, targets[WORDS_MAX];
	const struct ae_template *t;
	size_t i;
	int rc;

	rc = session_sid(s, c->who, &who, e);
	for (i = 0; rc == AE_OK && i < c->ntargets; i++)
		rc = session_sid(s, c->targets[i], &targets[i], e);
	if (rc == AE_OK && c->ntemplates == 0)
		return put(l, &who, c->allow, NULL, targets, c->ntargets, e);
	for (i = 0; rc == AE_OK && i < c->ntemplates; i++) {
		t = ae_template_find(
		    s->pki->templates, s->pki->ntemplates, c->templates[i]);
		rc = t == NULL
		    ? ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
			  "there is no template \"%s\"", c->templates[i])
		    : put(l, &who, c->allow, t->cn, targets, c->ntargets, e);
	}
	return rc;
}

/* All entries of an agent, or those for some templates. */
static int
drop(
    struct list *l, struct session *s, const struct change *c, struct ae_err *e)
{
	struct ae_sid who;
	size_t i, k, n = 0;
	bool gone;
	int rc = session_sid(s, c->who, &who, e);

	if (rc < 0)
		return rc;
	for (i = 0; i < l->n; i++) {
		gone = ae_sid_equal(&l->v[i].who, &who) && c->ntemplates == 0;
		for (k = 0; k < c->ntemplates; k++)
			gone = gone ||
			    (ae_sid_equal(&l->v[i].who, &who) &&
				same_template(
				    l->v[i].template, c->templates[k]));
		if (!gone)
			l->v[n++] = l->v[i];
	}
	if (n == l->n)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "the list has nothing of \"%s\"", c->who);
	l->n = n;
	return AE_OK;
}

static int
change(struct cli *cli, struct session *s, struct list *l, int argc,
    char **argv, struct ae_err *e)
{
	const bool removes = strcmp(argv[0], "remove") == 0;
	struct change c = { .allow = strcmp(argv[0], "allow") == 0 };
	int code = parse(&c, l->kind, argc, argv), rc;

	if (code != EXIT_OK)
		return code;
	if (removes ? c.ntargets > 0 : c.ntargets == 0)
		return cli_usage(l->kind->command, "%s",
		    removes ? "remove takes one account, and templates"
			    : "--for says whom");
	rc = removes ? drop(l, s, &c, e) : add(l, s, &c, e);
	if (rc == AE_OK)
		rc = list_write(l, e);
	if (rc < 0)
		return cli_fail(cli, e);
	tell_daemon(cli);
	return EXIT_OK;
}

/* No list any more. */
static int
unrestrict(struct cli *cli, const char *path, struct ae_err *e)
{
	if (unlink(path) != 0) {
		if (errno == ENOENT)
			(void)ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
			    "there is no list: nobody is restricted");
		else
			(void)ae_fail_errno(e, errno, "%s", path);
		return cli_fail(cli, e);
	}
	tell_daemon(cli);
	return EXIT_OK;
}

static int
run(struct cli *cli, const struct kind *kind, int argc, char **argv)
{
	static const char *const verbs[] = { "show", "allow", "deny", "remove",
		"unrestrict" };
	struct ae_err e = AE_ERR_INIT;
	struct list *l;
	struct session s = { .ad = NULL };
	size_t i;
	int rc, code;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (argc >= 2 && strcmp(argv[1], verbs[i]) == 0)
			break;
	if (i == sizeof(verbs) / sizeof(verbs[0]) ||
	    ((i == 0 || i == 4) && argc != 2))
		return cli_usage(
		    kind->command, "show, allow, deny, remove or unrestrict?");
	l = calloc(1, sizeof(*l));
	if (l == NULL) {
		(void)ae_fail_mem(&e);
		return cli_fail(cli, &e);
	}
	l->kind = kind;
	rc = cli_conf(cli, &e);
	if (rc == AE_OK)
		l->path =
		    kind == &agents ? cli->conf.agents : cli->conf.officers;
	if (rc == AE_OK && i == 4) {
		code = unrestrict(cli, l->path, &e);
		goto out;
	}
	if (rc == AE_OK)
		rc = list_read(l, &e);
	if (rc == AE_OK) {
		rc = session_open(&s, cli, i == 0 ? 0 : AE_PKI_TEMPLATES, &e);
		if (rc < 0 && i == 0) {
			/* without a directory: SIDs instead of names */
			(void)fprintf(
			    stderr, "certsrv: %s\n", cli_safe(e.text));
			rc = AE_OK;
		}
	}
	if (rc < 0)
		code = cli_fail(cli, &e);
	else if (i == 0)
		code = show(cli, &s, l);
	else
		code = change(cli, &s, l, argc - 1, argv + 1, &e);
	session_done(&s);
out:
	list_done(l);
	free(l);
	return code;
}

int
cmd_agent(struct cli *cli, int argc, char **argv)
{
	return run(cli, &agents, argc, argv);
}

int
cmd_officer(struct cli *cli, int argc, char **argv)
{
	return run(cli, &officers, argc, argv);
}
