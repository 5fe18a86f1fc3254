/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Services of another realm; see cred_int.h.
 */
#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gss/cred_int.h"

char *
ae_gss_with_realm(const struct ae_gss_cred *c, const char *spn)
{
	const char *host = strchr(spn, '/');
	char **realms = NULL, *name = NULL, *out = NULL;
	krb5_context k = c->warm->k; /* sees when krb5.conf changes */

	if (host == NULL || strchr(spn, '@') != NULL)
		return strdup(spn);
	name = strndup(host + 1, strcspn(host + 1, "/"));
	if (name != NULL && krb5_get_host_realm(k, name, &realms) == 0 &&
	    realms[0] != NULL && realms[0][0] != '\0') {
		if (asprintf(&out, "%s@%s", spn, realms[0]) < 0)
			out = NULL;
	} else {
		out = strdup(spn);
	}
	krb5_free_host_realm(k, realms);
	free(name);
	return out;
}
