/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The parent's part in key attestation: it reads the files that say whose
 * TPMs count, looks into none, and passes them to ca together – at each start
 * of ca, and when one has changed.  Each file is switched as a whole, but not
 * all of them at once: what two changes make of it is read again.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/attest.h"
#include "ektrust.h"
#include "parent_int.h"
#include "sys/files.h"

static void
path_of(char out[4096], const struct parent *p, size_t i)
{
	(void)snprintf(
	    out, 4096, "%s/%s", p->conf.attest_dir, ae_ca_trust_files[i].name);
}

/* What the files look like; 0 stands for one that is not there. */
static void
look(const struct parent *p, struct ektrust_seen *seen)
{
	char path[4096];
	struct stat st;
	size_t i;

	memset(seen, 0, sizeof(*seen));
	for (i = 0; i < AE_CA_TRUST_FILES; i++) {
		path_of(path, p, i);
		if (stat(path, &st) < 0)
			continue;
		seen->ino[i] = (uint64_t)st.st_ino;
		seen->size[i] = (int64_t)st.st_size;
		seen->at[i] = st.st_mtim.tv_sec * INT64_C(1000000000) +
		    st.st_mtim.tv_nsec;
	}
}

/* Append the content of each; one that is not there is empty. */
static int
read_all(const struct parent *p, struct ae_wr *w, struct ae_err *e)
{
	uint8_t *text = NULL;
	char path[4096];
	size_t len = 0, i;
	int rc = AE_OK;

	for (i = 0; i < AE_CA_TRUST_FILES; i++) {
		path_of(path, p, i);
		if (rc == AE_OK)
			rc = ae_file_read(
			    &text, &len, path, ae_ca_trust_files[i].max, e);
		if (rc == AE_ENOTFOUND)
			rc = AE_OK;
		put_bytes(w, text, text != NULL ? len : 0);
		free(text);
		text = NULL;
	}
	return rc;
}

static void
pass_on(struct parent *p, bool anyhow)
{
	struct child *ca = child_find(p, ROLE_CA, 0);
	struct ae_err why = AE_ERR_INIT, e = AE_ERR_INIT;
	struct ektrust_seen now;
	struct ae_wr w;
	int rc;

	if (p->conf.attest_dir == NULL || ca == NULL || ca->control == NULL)
		return;
	look(p, &now);
	if (!anyhow && memcmp(&now, &p->ek_seen, sizeof(now)) == 0)
		return;
	p->ek_seen = now;
	ae_wr_init(&w, MSG_EK_TRUST_MAX);
	rc = read_all(p, &w, &why);
	put_bytes(&w, why.text, rc < 0 ? strlen(why.text) : 0);
	if (!ae_wr_ok(&w))
		rc = ae_fail_mem(&e);
	else
		rc = ae_ipc_send(
		    ca->control, MSG_EK_TRUST, 0, w.p, w.len, -1, &e);
	ae_wr_done(&w);
	if (rc < 0)
		ae_log_printf(
		    p->log, AE_LOG_ERROR, "%s: %s", p->conf.attest_dir, e.text);
}

void
ektrust_send(struct parent *p)
{
	pass_on(p, true);
}

void
ektrust_look(struct parent *p)
{
	pass_on(p, false);
}
