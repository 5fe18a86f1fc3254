/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * gPLink: which GPOs are linked to a site, domain or OU (MS-GPOL 2.2.2).
 */
#ifndef AE_POLICY_GPLINK_H
#define AE_POLICY_GPLINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"

#define AE_GPLINK_DISABLED UINT32_C(1)
#define AE_GPLINK_ENFORCED UINT32_C(2)

/* Links of one container; Windows' own limit is 999 GPOs per principal. */
#define AE_GPLINK_MAX 999u
#define AE_GPLINK_TEXT_MAX (512u * 1024u)

struct ae_gplink {
	char *dn;
	uint32_t options;
};

struct ae_gplinks {
	struct ae_gplink *v;
	size_t n;
};

/*
 * "[LDAP://<DN>;<options>]" repeated; LDAP:// in any case.  A single space
 * or nothing is no link.  AE_EPROTO: anything else, *out untouched.
 */
int ae_gplink_parse(
    struct ae_gplinks *out, const char *text, struct ae_err *e) AE_MUST_CHECK;
void ae_gplinks_done(struct ae_gplinks *l);

/* The text again, for writing a link. */
void ae_gplink_put(struct ae_wr *w, const struct ae_gplinks *l);

#endif
