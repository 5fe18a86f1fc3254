/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Two domain controllers do not know the same at the same time; see pki.h.
 */
#include "ad/pki.h"

#include <string.h>

/* It is known when both were changed, and now is the one from before. */
static bool
is_older(int64_t now, int64_t before)
{
	return now != INT64_MAX && before != INT64_MAX && now < before;
}

static size_t
keep_templates(
    struct ae_pki *now, struct ae_pki *before, ae_pki_kept_fn *fn, void *arg)
{
	size_t i, j, kept = 0;

	for (i = 0; i < now->ntemplates; i++)
		for (j = 0; j < before->ntemplates; j++) {
			struct ae_template *a = now->templates[i];
			struct ae_template *b = before->templates[j];

			if (strcmp(a->dn, b->dn) != 0 ||
			    !is_older(a->when_changed, b->when_changed))
				continue;
			now->templates[i] = b;
			before->templates[j] = a;
			fn(arg, b->dn);
			kept++;
		}
	return kept;
}

static size_t
keep_services(
    struct ae_pki *now, struct ae_pki *before, ae_pki_kept_fn *fn, void *arg)
{
	size_t i, j, kept = 0;

	for (i = 0; i < now->nservices; i++)
		for (j = 0; j < before->nservices; j++) {
			struct ae_enrollment_service *a = now->services[i];
			struct ae_enrollment_service *b = before->services[j];

			if (strcmp(a->dn, b->dn) != 0 ||
			    !is_older(a->when_changed, b->when_changed))
				continue;
			now->services[i] = b;
			before->services[j] = a;
			fn(arg, b->dn);
			kept++;
		}
	return kept;
}

size_t
ae_pki_keep_newer(
    struct ae_pki *now, struct ae_pki *before, ae_pki_kept_fn *fn, void *arg)
{
	return keep_templates(now, before, fn, arg) +
	    keep_services(now, before, fn, arg);
}
