/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What failed on this side, before a CA was asked or after it had answered:
 * in the run that --live makes, else in the last one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "diag/checks.h"
#include "wcce/hresult.h"

#define FAILURES_MAX 64u

/* A result of a run, and what its ae_err was. */
struct failure {
	const json_t *result;
	const char *tmpl, *when;
	bool live;
};

/* What is there now came after the last run. */
static bool
still_counts(const json_t *facts, const char *cn)
{
	const json_t *item = ae_diag_item_of(facts, cn);

	return item != NULL && !ae_fact_is(item, "action", "keep") &&
	    ae_diag_is_ours(facts, item);
}

static size_t
failures(struct failure *v, size_t max, const json_t *facts, const char *stage)
{
	bool live = ae_fact(facts, "live.results") != NULL;
	const json_t *one;
	const char *cn;
	size_t i, n = 0;

	json_array_foreach(
	    ae_fact(facts, live ? "live.results" : "last.results"), i, one)
	{
		cn = ae_fact_text(one, "template");
		if (n == max || !ae_fact_is(one, "outcome", "failed") ||
		    !ae_fact_is(one, "stage", stage) ||
		    (!live && !still_counts(facts, cn)))
			continue;
		v[n++] = (struct failure){ .result = one,
			.tmpl = cn,
			.when = ae_fact_text(
			    facts, live ? "live.finished" : "last.finished"),
			.live = live };
	}
	return n;
}

static bool
is_of(const struct failure *f, const char *domain, const int64_t *v, size_t n)
{
	int64_t code = 0;
	size_t i;

	if (!ae_fact_is(f->result, "why.domain", domain) ||
	    !ae_fact_int(&code, f->result, "why.code"))
		return false;
	for (i = 0; i < n; i++)
		if (v[i] == code)
			return true;
	return n == 0;
}

/* The store would not be written, and not because a disk is full. */
static bool
is_no_access(const struct failure *f)
{
	static const int64_t v[] = { EACCES, EPERM, EROFS, ENOTDIR, EISDIR };

	return is_of(f, "errno", v, sizeof(v) / sizeof(v[0]));
}

/* As a person may look it up; of an errno as Windows would have it. */
static void
print_code(char *out, size_t len, const struct failure *f)
{
	int64_t code = 0;

	out[0] = '\0';
	(void)ae_fact_int(&code, f->result, "why.code");
	if (is_no_access(f))
		(void)snprintf(out, len, "0x%08x",
		    code == EROFS ? 0x80070013u : AE_HR_E_ACCESSDENIED);
	else if (is_of(f, "x509", NULL, 0))
		(void)snprintf(out, len, "0x%08x", 0x800b010au);
	else if (is_of(f, "hresult", NULL, 0))
		(void)snprintf(out, len, "0x%08" PRIx32, (uint32_t)code);
}

static void
tell(struct ae_diag_walk *w, const struct failure *f)
{
	const json_t *facts = ae_diag_facts(w);
	const char *dir = ae_fact_text(facts, "host.state_dir.path");
	char code[16], path[1024];
	json_t *args;

	print_code(code, sizeof(code), f);
	(void)snprintf(path, sizeof(path), "%s/%s", dir,
	    ae_fact_is(f->result, "stage", "install") ? "my" : "request");
	args = json_pack("{s:s, s:s, s:s, s:s, s:s}", "template", f->tmpl, "ca",
	    ae_fact_text(f->result, "ca"), "code", code, "when", f->when,
	    "error", ae_fact_text(f->result, "message"));
	if (is_no_access(f)) {
		(void)json_object_set_new(args, "path", json_string(path));
		(void)json_object_set_new(args, "value", json_string(dir));
	}
	ae_diag_say(w, AE_DIAG_FAIL, f->tmpl, args,
	    f->live ? "failed-now" : "failed-last");
}

static void
not_built(struct ae_diag_walk *w)
{
	struct failure v[FAILURES_MAX];
	size_t n = failures(v, FAILURES_MAX, ae_diag_facts(w), "request"), i;

	for (i = 0; i < n; i++)
		tell(w, &v[i]);
}

static void
untrusted(struct ae_diag_walk *w)
{
	struct failure v[FAILURES_MAX];
	size_t n = failures(v, FAILURES_MAX, ae_diag_facts(w), "install"), i;

	for (i = 0; i < n; i++)
		if (is_of(&v[i], "x509", NULL, 0))
			tell(w, &v[i]);
}

static void
not_written(struct ae_diag_walk *w)
{
	struct failure v[FAILURES_MAX];
	size_t n = failures(v, FAILURES_MAX, ae_diag_facts(w), "install"), i;

	for (i = 0; i < n; i++)
		if (is_no_access(&v[i]))
			tell(w, &v[i]);
}

/* ---- SELinux, AppArmor ---- */

/* A target of deploy.conf that the last run could not write. */
static bool
failed_target(const json_t *facts)
{
	const json_t *one;
	size_t i;

	json_array_foreach(ae_fact(facts, "last.deploy"), i, one)
	{
		if (ae_fact_is(one, "outcome", "failed"))
			return true;
	}
	return false;
}

/* When the run began whose failing is to be explained; NULL: none failed. */
static const char *
failed_since(const json_t *facts)
{
	struct failure v[FAILURES_MAX];
	size_t n = failures(v, FAILURES_MAX, facts, "install");

	n += failures(v + n, FAILURES_MAX - n, facts, "request");
	if (n == 0 && !failed_target(facts))
		return NULL;
	return ae_fact_str(
	    facts, n > 0 && v[0].live ? "live.started" : "last.started");
}

static void
confined(struct ae_diag_walk *w)
{
	const json_t *facts = ae_diag_facts(w), *d;
	const char *since = failed_since(facts);
	bool told = false;
	size_t i;

	if (since == NULL || ae_fact_is(facts, "denials.enforces", ""))
		return;
	/* Times are of one form and compare. */
	json_array_foreach(ae_fact(facts, "denials.list"), i, d)
	{
		if (told || strcmp(ae_fact_text(d, "when"), since) < 0)
			continue;
		told = true;
		ae_diag_say(w, AE_DIAG_FAIL, NULL,
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "path",
			ae_fact_text(d, "path"), "date",
			ae_fact_text(d, "when"), "by", ae_fact_text(d, "by"),
			"process", ae_fact_text(d, "process"), "what",
			ae_fact_text(d, "what"), "profile",
			ae_fact_text(d, "profile")),
		    "");
	}
	if (!told && json_array_size(ae_fact(facts, "denials.logs")) == 0)
		ae_diag_say(w, AE_DIAG_UNKNOWN, NULL,
		    json_pack(
			"{s:s}", "by", ae_fact_text(facts, "denials.enforces")),
		    "no-log");
}

/* clang-format off */
#define AFTER_HERE AFTER_DIRECTORY " env.* key.* "

const struct ae_diag_check ae_diag_request[] = {
	{ "request.build-failed", "plan.plan",
	  AFTER_HERE "template.* ca.* install.selinux", not_built },
	{ 0 },
};

const struct ae_diag_check ae_diag_install[] = {
	{ "install.chain-untrusted", "plan.plan", AFTER_HERE "trust.*", untrusted },
	{ "install.selinux", "denials.enforces", NULL, confined },
	{ "install.store-denied", "plan.plan", AFTER_HERE "install.selinux", not_written },
	{ 0 },
};
/* clang-format on */
