/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Kerberos for the processes of a run: what the machine's krb5.conf says,
 * and, where that says nothing, what suits a machine that asks domain
 * controllers with its keytab; see pulse_run.h.
 */
#include "pulse_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/files.h"

/*
 * A ticket with a PAC does not fit into a datagram: the KDC would make it,
 * say so, and make it again.  The host names we ask for are AD's own.
 * PKINIT and SPAKE are for those who have no keytab; each takes OpenSSL to
 * start.
 */
static const char more[] = "# Made by autoenroll, read after krb5.conf.\n"
			   "[libdefaults]\n"
			   "\tudp_preference_limit = 1\n"
			   "\tdns_canonicalize_hostname = fallback\n"
			   "[plugins]\n"
			   "\tclpreauth = {\n"
			   "\t\tdisable = pkinit\n"
			   "\t\tdisable = spake\n"
			   "\t}\n";

static bool
is_there(const char *path)
{
	uint8_t *p = NULL;
	size_t len;
	bool same;

	if (ae_file_read(&p, &len, path, sizeof(more), NULL) != AE_OK)
		return false;
	same = len == sizeof(more) - 1 && memcmp(p, more, len) == 0;
	free(p);
	return same;
}

/* Without it Kerberos takes longer, that is all. */
int
pulse_set_krb5(const struct run *r, struct ae_err *e)
{
	const char *path = r->c->krb5_more, *files = getenv("KRB5_CONFIG");
	char *all = NULL;
	int rc = AE_OK;

	if (!is_there(path) &&
	    ae_file_put(path, more, sizeof(more) - 1, 0644, NULL) != AE_OK)
		return AE_OK;
	if (files == NULL)
		files = "/etc/krb5.conf";
	/* A run has a process of its own, but a second one may follow. */
	if (strstr(files, path) == NULL &&
	    (asprintf(&all, "%s:%s", files, path) < 0 ||
		setenv("KRB5_CONFIG", all, 1) != 0))
		rc = ae_fail_mem(e);
	free(all);
	return rc;
}
