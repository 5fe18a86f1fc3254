/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CRLs on their way into files.  They come from ca in parts and appear when
 * the last one is there, under the CA's name and that of its key:
 * "Example CA.crl", "Example CA(2).crl", deltas "Example CA+.crl",
 * "Example CA(2)+.crl".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/cacerts.h"
#include "parent_int.h"
#include "role.h"
#include "sys/files.h"

static void
said(struct child *c, uint32_t id, bool end, int rc, const struct ae_err *e)
{
	struct ae_err ignored = AE_ERR_INIT;
	struct ae_wr w;

	if (c->control == NULL)
		return;
	ae_wr_init(&w, MSG_TEXT_MAX);
	ae_wr_u8(&w, end);
	ae_wr_u32(&w, (uint32_t)rc);
	put_str(&w, rc < 0 ? e->text : NULL);
	/* One that is gone has nothing to wait for. */
	(void)!ae_ipc_send(
	    c->control, MSG_CRL_SAID, id, w.p, w.len, -1, &ignored);
	ae_wr_done(&w);
}

void
child_crl_drop(struct child *c)
{
	ae_growing_free(c->crl);
	c->crl = NULL;
}

/* What a part came to; one that failed ends it. */
static void
went(struct child *c, uint32_t id, bool end, int rc, const struct ae_err *e)
{
	if (rc < 0 || end)
		child_crl_drop(c);
	said(c, id, end, rc, e);
}

static char *
file_name(const struct conf *conf, uint16_t key, bool delta)
{
	char suffix[AE_CA_SUFFIX_MAX], *name = NULL, *p;

	if (asprintf(&name, "%s%s%s.crl", conf->name, ae_ca_suffix(suffix, key),
		delta ? "+" : "") < 0)
		return NULL;
	for (p = name; *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	return name;
}

int
child_crl_begin(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;
	const struct conf *conf = &c->p->conf;
	struct ae_err why = AE_ERR_INIT;
	struct ae_rd r;
	uint16_t key;
	uint8_t delta, reserve;
	char *name;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	key = ae_rd_u16(&r);
	delta = ae_rd_u8(&r);
	reserve = ae_rd_u8(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "CRL_BEGIN", e);
	child_crl_drop(c);
	name = file_name(conf, key, delta != 0);
	rc = name == NULL
	    ? ae_fail_mem(&why)
	    : ae_growing_new(&c->crl, conf->crl_dir, name, 0644, reserve, &why);
	free(name);
	went(c, m->id, false, rc, &why);
	return AE_OK;
}

int
child_crl_part(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;
	struct ae_err why = AE_ERR_INIT;

	(void)ipc;
	(void)e;
	if (c->crl == NULL)
		return AE_OK; /* of one that failed: it was told */
	went(c, m->id, false, ae_growing_add(c->crl, m->body, m->len, &why),
	    &why);
	return AE_OK;
}

int
child_crl_end(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *head, *tail;
	size_t head_len, tail_len;
	struct ae_rd r;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	head = get_bytes(&r, &head_len);
	tail = get_bytes(&r, &tail_len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "CRL_END", e);
	if (c->crl == NULL)
		return AE_OK;
	rc = ae_growing_add(c->crl, tail, tail_len, &why);
	if (rc == AE_OK)
		rc = ae_growing_done(c->crl, head, head_len, &why);
	went(c, m->id, true, rc, &why);
	return AE_OK;
}

/* The figures, for whoever reads them from a file. */
int
child_figures(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;
	const char *path = c->p->conf.metrics_file;
	struct ae_err why = AE_ERR_INIT;

	(void)ipc;
	(void)e;
	if (path == NULL || path[0] == '\0')
		return AE_OK;
	if (ae_file_write(path, m->body, m->len, 0644, &why) == AE_OK)
		c->p->figures_told = false;
	else if (!c->p->figures_told) {
		c->p->figures_told = true;
		ae_log_printf(c->p->log, AE_LOG_ERROR, "figures: %s", why.text);
	}
	return AE_OK;
}
