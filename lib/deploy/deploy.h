/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Carrying out deploy.conf: what is current in the store is compared with
 * what stands at the targets and with what was deployed last, and only the
 * difference is done.  So the same call serves after an enrollment, after a
 * renewal, after a crash in between, and by hand.
 *
 * Hooks and services are started from here: this runs with the rights of
 * whoever owns the store, in a process that has no network and parses
 * nothing that was not judged before (doc/privsep.md).
 */
#ifndef AE_DEPLOY_DEPLOY_H
#define AE_DEPLOY_DEPLOY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "deploy/conf.h"

/* Borrowed. */
struct ae_deploy {
	const char *root;      /* configured paths are below it; "" usually */
	const char *state_dir; /* the store, and what was deployed last */
	const char *run_dir;   /* for files that hold a secret a moment long */
	const char *conf_path; /* deploy.conf */
	const char *hooks_dir; /* hooks.d; NULL: none */
	const char *context;   /* "machine", "user": told to hooks */
	bool user;	       /* services are the user's own */
	const char *only;      /* this template alone; NULL: all */
	bool dry_run;
};

enum ae_deploy_outcome {
	AE_DEPLOY_UNCHANGED,
	AE_DEPLOY_WOULD, /* a dry run: would be done */
	AE_DEPLOY_DONE,
	AE_DEPLOY_FAILED,
};

/* One target, hook or service. */
struct ae_deploy_item {
	const char
	    *what; /* name of the key in deploy.conf, "hook" for hooks.d */
	const char *path;
	enum ae_deploy_outcome outcome;
	const char *text; /* why it failed, what it printed; NULL: nothing */
};

struct ae_deploy_one {
	const char *tmpl;
	unsigned number; /* the version that is current; 0: none any more */
	/* "enrolled", "renewed", "removed"; "applied": the one of before */
	const char *event;
	/* The certificate; NULL, 0 when it could not be read. */
	const char *thumbprint, *subject;
	int64_t not_after;
	enum ae_deploy_outcome outcome; /* the worst of its items */
	struct ae_deploy_item *v;
	size_t n;
};

struct ae_deploy_report {
	struct ae_deploy_one *v;
	size_t n;
	struct ae_arena *arena; /* not yours */
};

/* There is something to carry out: a deploy.conf, or hooks. Cheap. */
bool ae_deploy_wanted(const struct ae_deploy *d);

/* Read and check deploy.conf; AE_ENOTFOUND without one, AE_EDENIED when
 * others than its owner could write it. */
int ae_deploy_conf_load(struct ae_deploy_conf *out, const struct ae_deploy *d,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Do it.  A failed target or hook is in the report, the others are done; it
 * is tried again by the next call.  A failure of the whole (configuration,
 * store) leaves *out empty.
 */
int ae_deploy_run(struct ae_deploy_report *out, const struct ae_deploy *d,
    struct ae_err *e) AE_MUST_CHECK;
void ae_deploy_report_done(struct ae_deploy_report *r);

/* "unchanged", "would-change", "done", "failed". */
const char *ae_deploy_outcome_name(enum ae_deploy_outcome o);

#endif
