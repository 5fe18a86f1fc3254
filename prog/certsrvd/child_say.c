/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the children of certsrvd may tell their parent, and what it does with
 * that.  It looks into none of the bytes that come from outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "parent_int.h"
#include "pki/key.h"
#include "role.h"
#include "sys/clock.h"
#include "sys/files.h"

/* ---- what children say ---- */

struct child *
child_find(struct parent *p, enum role role, uint8_t index)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->child[i].role == role && p->child[i].index == index)
			return &p->child[i];
	return NULL;
}

static void
announce(struct parent *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (!p->child[i].ready && p->child[i].role != ROLE_TICKET)
			return;
	if (p->announced)
		return;
	p->announced = true;
	ae_log_printf(p->log, AE_LOG_NOTICE,
	    "ready: CA \"%s\" on port %u and the endpoint mapper on %u",
	    p->conf.name, p->conf.port, MAPPER_PORT);
	ae_notify("READY=1");
}

static int
on_ready(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;

	(void)e;
	c->ready = c->was_ready = true;
	ae_ipc_set_state(ipc,
	    ST_RUNNING | (c->role == ROLE_CA ? ST_CA : 0u) |
		(c->role == ROLE_TICKET ? ST_TICKET : 0u));
	if (m->len > 0)
		ae_log_printf(c->p->log, AE_LOG_WARNING,
		    "%s runs without: %.*s", role_name(c->role), (int)m->len,
		    (const char *)m->body);
	announce(c->p);
	return AE_OK;
}

static void
write_record(struct parent *p, const struct ae_log_record *r, bool event)
{
	struct ae_err e = AE_ERR_INIT;

	ae_log_write(p->log, r);
	if (!event || p->conf.events == NULL || p->conf.events[0] == '\0')
		return;
	if (events_append(p->conf.events, r, ae_clock_now(), &e) < 0)
		ae_log_printf(p->log, AE_LOG_ERROR, "event file: %s", e.text);
}

void
parent_event(
    struct parent *p, enum ae_log_level level, const char *id, const char *text)
{
	struct ae_log_record r = { .level = level, .text = text };

	r.field[r.nfield++] =
	    (struct ae_log_field){ "MESSAGE_ID", EVENT_MESSAGE_ID };
	r.field[r.nfield++] =
	    (struct ae_log_field){ "AE_SOURCE", EVENT_SOURCE };
	r.field[r.nfield++] = (struct ae_log_field){ "AE_EVENT", id };
	r.field[r.nfield++] = (struct ae_log_field){ "AE_CA", p->conf.name };
	write_record(p, &r, true);
}

static int
on_log(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg;
	struct ae_log_record r;
	unsigned dropped = 0;
	int rc = ae_log_decode(&r, m->body, m->len, e);

	(void)ipc;
	if (rc != AE_OK)
		return rc;
	if (m->type == MSG_LOG &&
	    !ae_log_rate_ok(&c->rate, ae_clock_mono_ms(), &dropped))
		return AE_OK;
	if (dropped > 0)
		ae_log_printf(c->p->log, AE_LOG_WARNING,
		    "%u lines of %s were not written", dropped,
		    role_name(c->role));
	r.role = role_name(c->role);
	write_record(c->p, &r, m->type == MSG_EVENT);
	return AE_OK;
}

/*
 * One process cut another off.  The accused is restarted; but the processes
 * that parse bytes from the network are not believed: they go themselves.
 */
static int
on_cut(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg, *o, *guilty;
	struct ae_rd r;
	uint8_t role, index;
	uint32_t generation;
	const uint8_t *text;
	size_t len;
	char quoted[512];

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	role = ae_rd_u8(&r);
	index = ae_rd_u8(&r);
	generation = ae_rd_u32(&r);
	text = get_bytes(&r, &len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "CUT", e);
	o = child_find(c->p, (enum role)role, index);
	if (o == NULL || !children_linked(c->role, o->role))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "cut off a process it has no channel to");
	if (o->generation != generation || o->pid == 0)
		return AE_OK; /* gone already */
	guilty = c->role == ROLE_RPC || c->role == ROLE_RPC135 ? c : o;
	ae_log_printf(c->p->log, AE_LOG_ERROR, "%s cut off %s: %s; %s is ended",
	    role_name(c->role), role_name(o->role),
	    ae_str_quote(quoted, sizeof(quoted), (const char *)text, len),
	    role_name(guilty->role));
	(void)kill(guilty->pid, SIGKILL);
	return AE_OK;
}

/*
 * Where the cache is that ad uses; only its user can read it.  The directory
 * is that user's, too: by name, ad could put a link there between the writing
 * and the giving away.
 */
static int
on_cache(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct child *c = arg, *ad = child_find(c->p, ROLE_AD, 0);
	struct ae_err why = AE_ERR_INIT;
	char *dir = conf_path(&c->p->conf, RUN_DIR "/ad");
	int fd = -1, rc;
	uid_t uid;
	gid_t gid;

	(void)ipc;
	if (dir == NULL)
		return ae_fail_mem(e);
	rc = role_user(&c->p->conf, ROLE_AD, &uid, &gid, &why);
	if (rc == AE_OK &&
	    (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = ae_fail_errno(&why, errno, "%s", dir);
	if (rc == AE_OK)
		rc = ae_file_write_owned(
		    fd, "ccache", m->body, m->len, 0600, uid, gid, &why);
	if (fd >= 0)
		(void)close(fd);
	free(dir);
	if (rc < 0) {
		ae_log_printf(c->p->log, AE_LOG_ERROR, "keeping the ticket: %s",
		    why.text);
		return AE_OK;
	}
	if (ad != NULL && ad->control != NULL &&
	    ae_ipc_send(ad->control, MSG_TICKET, 0, NULL, 0, -1, &why) != AE_OK)
		ae_log_printf(c->p->log, AE_LOG_ERROR,
		    "telling ad of the ticket: %s", why.text);
	return AE_OK;
}

const struct ae_ipc_row child_control_rows[] = {
	{ MSG_READY, 256, ST_STARTING, false, on_ready },
	{ MSG_LOG, AE_LOG_RECORD_MAX, ST_STARTING | ST_RUNNING, false, on_log },
	{ MSG_EVENT, AE_LOG_RECORD_MAX, ST_CA, false, on_log },
	{ MSG_CUT, MSG_TEXT_MAX, ST_RUNNING, false, on_cut },
	{ MSG_CACHE, MSG_CACHE_MAX, ST_TICKET, false, on_cache },
	{ MSG_CRL_BEGIN, 4, ST_CA, false, child_crl_begin },
	{ MSG_CRL_PART, MSG_CRL_PART_MAX, ST_CA, false, child_crl_part },
	{ MSG_CRL_END, AE_SIG_MAX + 512, ST_CA, false, child_crl_end },
	{ MSG_FIGURES_FILE, MSG_METRICS_MAX, ST_CA, false, child_figures },
	{ .handle = NULL },
};
