/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Settings of keys; see keyconf.h.
 */
#include "keyconf.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/provider.h"

static int
wrong(struct ae_err *e, const char *what, const char *name, const char *value)
{
	char a[80], b[80];

	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
	    "autoenroll.conf: [%s] %s = %s does not make sense", what,
	    ae_str_quote(a, sizeof(a), name, strlen(name)),
	    ae_str_quote(b, sizeof(b), value, strlen(value)));
}

/* "0640", "0640 root", "0640 root ssl-cert"; names are looked up later. */
static bool
split_owner(const char *line, mode_t *mode, char owner[64], char group[64])
{
	unsigned m;
	char rest;
	int n;

	owner[0] = group[0] = '\0';
	n = sscanf(line, "%o %63s %63s %c", &m, owner, group, &rest);
	*mode = m & 0777;
	/* Its owner can read it, and it is not for everybody. */
	return n >= 1 && n <= 3 && m <= 0777 && (m & 0007) == 0 &&
	    (m & 0111) == 0 && (m & 0400) != 0;
}

int
keyconf_check(const struct keyconf *k, struct ae_err *e)
{
	char owner[64], group[64];
	mode_t mode;
	size_t i;

	for (i = 0; i + 1 < k->providers.n; i += 2)
		if (ae_provider_from_word(k->providers.v[i + 1]) < 0)
			return ae_note(e,
			    wrong(e, "providers", k->providers.v[i],
				k->providers.v[i + 1]),
			    "software, tpm, pkcs11 or none");
	for (i = 0; i + 1 < k->files.n; i += 2)
		if (!split_owner(k->files.v[i + 1], &mode, owner, group))
			return ae_note(e,
			    wrong(e, "key-files", k->files.v[i],
				k->files.v[i + 1]),
			    "a mode such as 0640 and perhaps owner and group");
	if ((k->module == NULL) != (k->token == NULL))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "autoenroll.conf: [keys] pkcs11-module and pkcs11-token go "
		    "together");
	return AE_OK;
}

void
keyconf_done(struct keyconf *k)
{
	free(k->tpm);
	free(k->module);
	free(k->token);
	free(k->pin_file);
	ae_strv_done(&k->paths);
	ae_strv_done(&k->providers);
	ae_strv_done(&k->files);
	memset(k, 0, sizeof(*k));
}

static int
look_up(struct key_owner *o, const char *line, struct ae_err *e)
{
	char owner[64], group[64];
	const struct passwd *pw;
	const struct group *gr;

	o->uid = (uid_t)-1;
	o->gid = (gid_t)-1;
	if (!split_owner(line, &o->mode, owner, group))
		return wrong(e, "key-files", o->tmpl, line);
	if (owner[0] != '\0') {
		pw = getpwnam(owner);
		if (pw == NULL)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "autoenroll.conf: [key-files] %.64s: there is no "
			    "user %s",
			    o->tmpl, owner);
		o->uid = pw->pw_uid;
	}
	if (group[0] != '\0') {
		/* cppcheck-suppress getgrnamCalled */
		gr = getgrnam(group);
		if (gr == NULL)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "autoenroll.conf: [key-files] %.64s: there is no "
			    "group %s",
			    o->tmpl, group);
		o->gid = gr->gr_gid;
	}
	return AE_OK;
}

int
keyconf_owners(struct key_owner **out, size_t *n, const struct keyconf *k,
    struct ae_err *e)
{
	struct key_owner *v = calloc(k->files.n / 2 + 1, sizeof(*v));
	int rc = AE_OK;
	size_t i;

	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i + 1 < k->files.n && rc == AE_OK; i += 2) {
		v[i / 2].tmpl = k->files.v[i];
		rc = look_up(&v[i / 2], k->files.v[i + 1], e);
	}
	if (rc != AE_OK) {
		free(v);
		return rc;
	}
	*out = v;
	*n = k->files.n / 2;
	return AE_OK;
}
