/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A template as settings with names: what people read and write instead of
 * flag words.  Pure; one table serves showing, setting and comparing.
 */
#ifndef AE_AD_TEMPLATE_SETTINGS_H
#define AE_AD_TEMPLATE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/template.h"
#include "base/err.h"
#include "base/wr.h"

struct ae_template_setting {
	const char *name;
	const char *help; /* what its values mean, for people */
};

/* Number i; NULL behind the last. */
const struct ae_template_setting *ae_template_setting(size_t i);

/*
 * Append the value of number i as ae_template_set takes it: "1y", "yes",
 * "client-auth,1.2.3".  Nothing for what is not there.
 */
void ae_template_setting_put(
    struct ae_wr *w, const struct ae_template *t, size_t i);

/*
 * "validity=2y"; for lists also "eku+=code-signing" and "eku-=1.2.3".
 * AE_EINVAL: no such setting or no such value, *t is unchanged then.  What
 * one setting takes with it is done too: extended key usages are application
 * policies, and algorithms raise the schema version to 3.
 */
int ae_template_set(struct ae_template *t, const char *assignment,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Would clients and CAs take the template?  AE_EINVAL: no, e says what
 * contradicts what.
 */
int ae_template_check(
    const struct ae_template *t, struct ae_err *e) AE_MUST_CHECK;

/*
 * The name of an object identifier among those that templates use
 * ("client-auth"), or the identifier itself; and back, NULL: neither a name
 * nor an identifier.
 */
const char *ae_template_oid_name(const char *oid);
const char *ae_template_oid(const char *name);

#endif
