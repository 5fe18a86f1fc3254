/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One pass over the templates of the store; see deploy.h.
 */
#include "deploy/deploy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deploy/hook.h"
#include "deploy/material.h"
#include "deploy/place.h"
#include "deploy/state.h"
#include "store/store.h"
#include "sys/files.h"
#include "sys/safe.h"

#define ARENA_MAX (16u * 1024u * 1024u)
#define ITEMS_MAX 512
#define STATE "deployed"
#define LOCK "deploy.lock"

struct pass {
	const struct ae_deploy *d;
	struct ae_deploy_conf conf;
	struct ae_strv hooks; /* of hooks.d */
	struct ae_deployed_list done;
	struct ae_deploy_report *r;
	struct ae_arena *a;
};

/* One template under way. */
struct job {
	struct pass *p;
	struct ae_material m;
	const struct ae_deployed *old; /* NULL: never deployed */
	struct ae_deploy_one *one;
	struct ae_strv env;
	bool changed; /* a target was, or would be */
};

const char *
ae_deploy_outcome_name(enum ae_deploy_outcome o)
{
	static const char *const names[] = { "unchanged", "would-change",
		"done", "failed" };

	return names[o];
}

bool
ae_deploy_wanted(const struct ae_deploy *d)
{
	return access(d->conf_path, F_OK) == 0 ||
	    (d->hooks_dir != NULL && access(d->hooks_dir, F_OK) == 0);
}

int
ae_deploy_conf_load(
    struct ae_deploy_conf *out, const struct ae_deploy *d, struct ae_err *e)
{
	uint8_t *text = NULL;
	size_t len;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = ae_safe_check(d->conf_path, AE_SAFE_FILE, e);
	if (rc == AE_OK)
		rc = ae_file_read(&text, &len, d->conf_path, 256 * 1024, e);
	if (rc == AE_OK)
		rc = ae_deploy_conf_parse(
		    out, d->conf_path, (const char *)text, len, e);
	free(text);
	return rc;
}

static int
item(struct job *j, const char *what, const char *path,
    enum ae_deploy_outcome outcome, const char *text)
{
	struct ae_deploy_one *one = j->one;
	struct ae_deploy_item *it;

	if (one->n == ITEMS_MAX)
		return AE_ELIMIT;
	it = &one->v[one->n++];
	it->what = what;
	it->path = ae_arena_strdup(j->p->a, path);
	it->outcome = outcome;
	it->text = text == NULL ? NULL : ae_arena_strdup(j->p->a, text);
	if (outcome > one->outcome)
		one->outcome = outcome;
	return outcome == AE_DEPLOY_FAILED ? AE_EIO : AE_OK;
}

/* A hook's or service's end. */
static int
ran(struct job *j, const char *what, const char *path, int rc,
    const char *output, const struct ae_err *e)
{
	const char *text = output;

	if (rc != AE_OK)
		text = output == NULL
		    ? e->text
		    : ae_arena_printf(j->p->a, "%s: %s", e->text, output);
	return item(j, what, path,
	    rc == AE_OK ? AE_DEPLOY_DONE : AE_DEPLOY_FAILED, text);
}

static int
run_hook(struct job *j, const char *what, const char *line, int64_t timeout)
{
	struct ae_err e = AE_ERR_INIT;
	const char *output = NULL;
	int rc;

	if (j->p->d->dry_run)
		return item(j, what, line, AE_DEPLOY_WOULD, NULL);
	rc = ae_hook_run(j->p->d, line, &j->env, timeout, j->p->a, &output, &e);
	return ran(j, what, line, rc, output, &e);
}

static int
set_env(struct job *j, const char *name, const char *value)
{
	size_t n = strlen(name), i;

	/* The stage changes between hooks; all else is said once. */
	for (i = 0; i < j->env.n; i++) {
		if (strncmp(j->env.v[i], name, n) != 0 || j->env.v[i][n] != '=')
			continue;
		free(j->env.v[i]);
		j->env.v[i] = NULL;
		if (asprintf(&j->env.v[i], "%s=%s", name, value) < 0) {
			j->env.v[i] = j->env.v[--j->env.n];
			return AE_ENOMEM;
		}
		return AE_OK;
	}
	return ae_env_add(&j->env, name, value) ? AE_OK : AE_ENOMEM;
}

static int
make_env(struct job *j, struct ae_err *e)
{
	const struct ae_deploy *d = j->p->d;
	char old[4096] = "";

	if (j->old != NULL)
		(void)snprintf(old, sizeof(old), "%s/my/%s/%u/cert.pem",
		    d->state_dir, j->m.tmpl, j->old->number);
	if (!ae_material_env(&j->env, &j->m) ||
	    !ae_env_add(&j->env, "AE_EVENT", j->one->event) ||
	    !ae_env_add(&j->env, "AE_CONTEXT", d->context) ||
	    !ae_env_add(&j->env, "AE_OLD_CERT", old))
		return ae_fail_mem(e);
	return AE_OK;
}

/* Each target of a section: looked at, or written. */
static int
targets(struct job *j, const struct ae_deploy_section *s, bool write)
{
	struct ae_place p = { .d = j->p->d, .s = s, .m = &j->m };
	char path[AE_DEPLOY_PATH_MAX];
	int worst = AE_OK;
	size_t k, i;

	for (k = 0; k < AE_DEPLOY_KINDS; k++) {
		p.kind = (enum ae_deploy_kind)k;
		for (i = 0; i < s->targets[k].n; i++) {
			struct ae_err e = AE_ERR_INIT;
			bool changed = false;
			char *full = NULL;
			int rc = AE_OK;

			if (!ae_deploy_expand(
				path, s->targets[k].v[i], j->m.tmpl) ||
			    (full = ae_path_root(p.d->root, path)) == NULL)
				rc = ae_fail_mem(&e);
			p.path = full;
			if (rc == AE_OK)
				rc = ae_place(&p, write, &changed, &e);
			j->changed = j->changed || changed;
			if (rc != AE_OK)
				worst = rc;
			if (write || p.d->dry_run)
				(void)item(j,
				    ae_deploy_kind_name((enum ae_deploy_kind)k),
				    full == NULL ? path : full,
				    rc != AE_OK	       ? AE_DEPLOY_FAILED
					: !changed     ? AE_DEPLOY_UNCHANGED
					: p.d->dry_run ? AE_DEPLOY_WOULD
						       : AE_DEPLOY_DONE,
				    rc != AE_OK ? e.text : NULL);
			free(full);
		}
	}
	return worst;
}

static int
hooks(struct job *j, const struct ae_deploy_section *s,
    const struct ae_strv *lines, const char *what, const char *stage)
{
	size_t i;

	if (set_env(j, "AE_STAGE", stage) != AE_OK)
		return AE_ENOMEM;
	for (i = 0; i < lines->n; i++)
		if (run_hook(j, what, lines->v[i], s->hook_timeout) != AE_OK)
			return AE_EIO;
	return AE_OK;
}

static void
reload(struct job *j, const struct ae_deploy_section *s, struct ae_strv *told)
{
	size_t i;

	for (i = 0; i < s->reload.n; i++) {
		const char *output = NULL, *name = s->reload.v[i];
		struct ae_err e = AE_ERR_INIT;

		if (ae_strv_has(told, name))
			continue;
		(void)ae_strv_add(told, name);
		if (j->p->d->dry_run)
			(void)item(j, "reload", name, AE_DEPLOY_WOULD, NULL);
		else
			(void)ran(j, "reload", name,
			    ae_hook_reload(j->p->d, name, j->p->a, &output, &e),
			    output, &e);
	}
}

/* The order: pre-hooks, targets, post-hooks, services. */
static void
section(struct job *j, const struct ae_deploy_section *s, struct ae_strv *told)
{
	bool dry = j->p->d->dry_run,
	     news = strcmp(j->one->event, "applied") != 0;

	if (strcmp(j->one->event, "removed") == 0) {
		(void)hooks(j, s, &s->post_hooks, "post-hook", "post");
		return;
	}
	j->changed = false;
	if (targets(j, s, false) != AE_OK && dry)
		return;
	if (!j->changed && !news) {
		if (!dry)
			(void)targets(j, s, true); /* says: unchanged */
		return;
	}
	if (hooks(j, s, &s->pre_hooks, "pre-hook", "pre") != AE_OK)
		return;
	if (!dry && targets(j, s, true) != AE_OK)
		return;
	if (hooks(j, s, &s->post_hooks, "post-hook", "post") == AE_OK)
		reload(j, s, told);
}

static const char *
event_of(
    const struct ae_deployed *old, const struct ae_material *m, bool current)
{
	if (!current)
		return "removed";
	if (old == NULL)
		return "enrolled";
	return strcmp(old->thumbprint, m->thumbprint) == 0 ? "applied"
							   : "renewed";
}

static void
carry_out(struct job *j, struct ae_strv *told)
{
	struct pass *p = j->p;
	size_t i;

	for (i = 0; i < p->conf.n; i++)
		if (ae_deploy_section_for(&p->conf.v[i], j->m.tmpl))
			section(j, &p->conf.v[i], told);
	if (strcmp(j->one->event, "applied") == 0 ||
	    set_env(j, "AE_STAGE", "post") != AE_OK)
		return;
	for (i = 0; i < p->hooks.n; i++)
		(void)run_hook(j, "hook", p->hooks.v[i], 60);
}

/* Something is configured for this template. */
static bool
concerns(const struct pass *p, const char *tmpl)
{
	size_t i;

	if (p->d->only != NULL && strcmp(p->d->only, tmpl) != 0)
		return false;
	for (i = 0; i < p->conf.n; i++)
		if (ae_deploy_section_for(&p->conf.v[i], tmpl))
			return true;
	return p->hooks.n > 0;
}

static int
one_template(struct pass *p, const char *tmpl, unsigned number, bool current,
    struct ae_err *e)
{
	struct job j = { .p = p, .old = ae_deployed_find(&p->done, tmpl) };
	struct ae_err why = AE_ERR_INIT;
	struct ae_strv told = { 0 };
	int rc;

	j.one = &p->r->v[p->r->n++];
	j.one->tmpl = ae_arena_strdup(p->a, tmpl);
	j.one->number = current ? number : 0;
	j.one->event = "applied";
	j.one->v = ae_arena_array(p->a, ITEMS_MAX, sizeof(*j.one->v));
	if (j.one->tmpl == NULL || j.one->v == NULL)
		return ae_fail_mem(e);
	rc = ae_material_load(&j.m, p->d->state_dir, tmpl, number, &why);
	if (rc == AE_OK) {
		j.one->event = event_of(j.old, &j.m, current);
		j.one->thumbprint = ae_arena_strdup(p->a, j.m.thumbprint);
		j.one->subject = ae_arena_strdup(p->a, j.m.subject);
		j.one->not_after = j.m.cert->not_after;
		rc = make_env(&j, &why);
	}
	if (rc == AE_OK)
		carry_out(&j, &told);
	else if (current)
		(void)item(&j, "store", tmpl, AE_DEPLOY_FAILED, why.text);
	rc = AE_OK;
	if (j.one->outcome != AE_DEPLOY_FAILED && !p->d->dry_run) {
		if (!current)
			ae_deployed_drop(&p->done, tmpl);
		else
			rc = ae_deployed_set(
			    &p->done, tmpl, j.m.thumbprint, number, e);
	}
	ae_strv_done(&told);
	ae_strv_done(&j.env);
	ae_material_done(&j.m);
	return rc;
}

static int
load_state(struct pass *p, const char *path, struct ae_err *e)
{
	uint8_t *text = NULL;
	size_t len = 0;
	int rc;

	rc = ae_file_read(&text, &len, path, AE_DEPLOY_STATE_MAX, e);
	if (rc == AE_OK)
		rc = ae_deployed_parse(&p->done, (const char *)text, len, e);
	free(text);
	return rc == AE_ENOTFOUND ? AE_OK : rc;
}

static int
save_state(const struct pass *p, const char *path, struct ae_err *e)
{
	uint8_t *old = NULL;
	size_t len = 0;
	struct ae_wr w;
	int rc = AE_OK;

	ae_wr_init(&w, AE_DEPLOY_STATE_MAX);
	ae_deployed_print(&w, &p->done);
	if (!ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	else if (ae_file_read(&old, &len, path, AE_DEPLOY_STATE_MAX, NULL) !=
		AE_OK ||
	    len != w.len || memcmp(old, w.p, len) != 0)
		rc = ae_file_write(path, w.p, w.len, 0644, e);
	free(old);
	ae_wr_done(&w);
	return rc;
}

/* Those that are current, then those that were deployed and are no more. */
static int
all_templates(struct pass *p, const struct ae_store_list *l, struct ae_err *e)
{
	size_t i, j, n = p->done.n;
	char(*gone)[sizeof(p->done.v->tmpl)];
	unsigned *number;
	int rc = AE_OK;

	p->r->v = ae_arena_array(p->a, l->n + n + 1, sizeof(*p->r->v));
	gone = ae_arena_array(p->a, n + 1, sizeof(*gone));
	number = ae_arena_array(p->a, n + 1, sizeof(*number));
	if (p->r->v == NULL || gone == NULL || number == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++) {
		memcpy(gone[i], p->done.v[i].tmpl, sizeof(gone[i]));
		number[i] = p->done.v[i].number;
	}
	for (i = 0; rc == AE_OK && i < l->n; i++)
		if (l->v[i].current && concerns(p, l->v[i].tmpl))
			rc = one_template(
			    p, l->v[i].tmpl, l->v[i].number, true, e);
	for (i = 0; rc == AE_OK && i < n; i++) {
		for (j = 0; j < l->n; j++)
			if (l->v[j].current &&
			    strcmp(l->v[j].tmpl, gone[i]) == 0)
				break;
		if (j == l->n && concerns(p, gone[i]))
			rc = one_template(p, gone[i], number[i], false, e);
	}
	return rc;
}

static int
pass(struct pass *p, struct ae_err *e)
{
	struct ae_store_list l = { 0 };
	struct ae_store *store = NULL;
	char state[4096], lock[4096];
	int rc, fd = -1;

	(void)snprintf(state, sizeof(state), "%s/" STATE, p->d->state_dir);
	(void)snprintf(lock, sizeof(lock), "%s/" LOCK, p->d->state_dir);
	rc = ae_deploy_conf_load(&p->conf, p->d, e);
	if (rc == AE_ENOTFOUND)
		rc = AE_OK;
	if (rc == AE_OK)
		rc = ae_hook_list(&p->hooks, p->d, e);
	if (rc == AE_OK)
		rc = ae_store_open(&store, p->d->state_dir, false, e);
	if (rc == AE_OK)
		rc = ae_file_lock(&fd, lock, true, e);
	if (rc == AE_OK)
		rc = ae_store_list(store, &l, e);
	if (rc == AE_OK)
		rc = load_state(p, state, e);
	if (rc == AE_OK)
		rc = all_templates(p, &l, e);
	/* What was done is remembered even when the rest was not. */
	if (fd >= 0 && !p->d->dry_run && p->r->v != NULL) {
		int saved = save_state(p, state, rc == AE_OK ? e : NULL);

		rc = rc == AE_OK ? saved : rc;
	}
	if (fd >= 0)
		(void)close(fd);
	ae_store_list_done(&l);
	ae_store_free(store);
	return rc;
}

int
ae_deploy_run(
    struct ae_deploy_report *out, const struct ae_deploy *d, struct ae_err *e)
{
	struct ae_deploy_report r = { .arena = ae_arena_new(ARENA_MAX) };
	struct pass p = { .d = d, .r = &r, .a = r.arena };
	int rc;

	memset(out, 0, sizeof(*out));
	rc = r.arena == NULL ? ae_fail_mem(e) : pass(&p, e);
	ae_deploy_conf_done(&p.conf);
	ae_strv_done(&p.hooks);
	ae_deployed_done(&p.done);
	if (rc != AE_OK) {
		ae_deploy_report_done(&r);
		return rc;
	}
	if (e != NULL)
		*e = (struct ae_err)AE_ERR_INIT; /* files that may be absent */
	*out = r;
	return AE_OK;
}

void
ae_deploy_report_done(struct ae_deploy_report *r)
{
	ae_arena_free(r->arena);
	memset(r, 0, sizeof(*r));
}
