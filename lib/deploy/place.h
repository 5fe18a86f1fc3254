/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One target of one section: what should stand there, whether it does, and
 * putting it there.  What is there already and right is not touched.
 */
#ifndef AE_DEPLOY_PLACE_H
#define AE_DEPLOY_PLACE_H

#include <stdbool.h>

#include "base/err.h"
#include "deploy/conf.h"
#include "deploy/deploy.h"
#include "deploy/material.h"

struct ae_place {
	const struct ae_deploy *d;
	const struct ae_deploy_section *s;
	const struct ae_material *m;
	enum ae_deploy_kind kind;
	const char *path; /* with the template's name, below root */
};

/*
 * Look, and with write set make it so.  *changed: it is (or without write:
 * it would be) another one than before.  AE_EDENIED for a key that must not
 * be copied and for a directory that others than root could redirect.
 */
int ae_place(const struct ae_place *p, bool write, bool *changed,
    struct ae_err *e) AE_MUST_CHECK;

/* For the files of place.h alone. */

/* Compare the file with these bytes and the owner it should have; replace. */
int ae_place_file(const struct ae_place *p, const void *bytes, size_t len,
    bool write, bool *changed, struct ae_err *e) AE_MUST_CHECK;
int ae_place_nss(const struct ae_place *p, bool write, bool *changed,
    struct ae_err *e) AE_MUST_CHECK;
int ae_place_nm(const struct ae_place *p, bool write, bool *changed,
    struct ae_err *e) AE_MUST_CHECK;

/* A PKCS#12 of the material under this password. */
int ae_place_pkcs12(struct ae_secret *out, const struct ae_material *m,
    const char *name, const char *password, struct ae_err *e) AE_MUST_CHECK;

/* The first line of a file that only its owner may read. */
int ae_place_password(struct ae_secret *out, const struct ae_deploy *d,
    const char *path, struct ae_err *e) AE_MUST_CHECK;

#endif
