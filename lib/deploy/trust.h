/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The directory's roots in the trust of the whole system.  Only where the
 * administrator asks; only self-signed CA certificates that the directory
 * names as roots; and a manifest of what we put there, so that a root that
 * left the directory leaves the system, and nothing else is ever touched.
 */
#ifndef AE_DEPLOY_TRUST_H
#define AE_DEPLOY_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "deploy/manifest.h"
#include "pki/cert.h"

#define AE_TRUST_ROOTS_MAX 64

/* How; borrowed. */
struct ae_trust {
	const char *root;      /* system paths are below it, "" usually */
	const char *state_dir; /* holds trust/system.manifest */
	const char *method;    /* "auto", or one of those below */
	bool dry_run;
};

enum ae_trust_state {
	AE_TRUST_KEPT,
	AE_TRUST_ADDED,
	AE_TRUST_REMOVED,
	AE_TRUST_REFUSED, /* no root to trust; text says why */
	AE_TRUST_FOREIGN, /* changed by somebody else since, and left alone */
};

struct ae_trust_item {
	enum ae_trust_state state;
	const char *name;    /* the file's, "" when refused */
	const char *subject; /* "" when not known any more */
	const char *text;    /* NULL: nothing to say */
};

struct ae_trust_report {
	const char *method; /* "ca-certificates", "ca-trust", "p11-kit" */
	const char *dir;    /* where the files are */
	struct ae_trust_item *v;
	size_t n;
	bool changed; /* in a dry run: would be */
	struct ae_arena *arena;
};

/*
 * Make the system's trust hold the roots of pem and nothing else of ours;
 * len 0 takes all of ours out.  Nothing is run when nothing changes.  On
 * failure *out is empty and the next call makes good for what is half done.
 * AE_ENOTFOUND: this system has no trust store we know.
 */
int ae_trust_sync(struct ae_trust_report *out, const struct ae_trust *t,
    enum ae_manifest_by by, const void *pem, size_t len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_trust_report_done(struct ae_trust_report *r);

/* The manifest; AE_ENOTFOUND when we put nothing there. */
int ae_trust_manifest(struct ae_manifest *out, const struct ae_trust *t,
    struct ae_err *e) AE_MUST_CHECK;

/* Why c must not be a root of the system at time now; NULL: it may. */
const char *ae_trust_refuses(const struct ae_cert *c, int64_t now);

/* The file's name for a certificate. */
void ae_trust_name(char out[AE_MANIFEST_NAME_MAX], const struct ae_cert *c);

const char *ae_trust_state_name(enum ae_trust_state s);

#endif
