/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The door for administrators over the network: who is it, which roles has
 * he, may he call this method; and the methods that only read what ca knows
 * anyway.  Every call is judged twice: before its arguments are decoded, and
 * when they are here.
 */
#include <string.h>

#include "ad/sd.h"
#include "admin_view.h"
#include "base/hex.h"
#include "base/time.h"
#include "sys/clock.h"
#include "wcce/admin_view.h"
#include "wcce/hresult.h"
#include "wcce/name.h"

#define CRL_BASE 0x1u /* PublishCRLs, MS-CSRA 3.1.4.2.1 */
#define CRL_DELTA 0x2u
#define CRL_REPUBLISH 0x10u

/* ---- answers ---- */

void
manage_send(struct ca *ca, uint8_t worker, uint32_t generation, uint32_t call,
    const struct ae_admin_reply *p)
{
	struct peer *rpc = peer_of(ca->p, ROLE_RPC, worker);
	struct ae_wr w;

	if (!peer_is_up(rpc) || rpc->generation != generation)
		return;
	ae_wr_init(&w, MSG_REPLY_MAX);
	put_managed(&w, p);
	(void)peer_send(rpc, MSG_MANAGED, call, &w);
	ae_wr_done(&w);
}

void
manage_reply(struct job *j, const struct ae_admin_reply *p)
{
	manage_send(j->ca, j->worker, j->generation, j->call, p);
}

/* ---- who ---- */

uint32_t
manage_roles(const struct ca *ca, const struct ae_caller *c)
{
	const struct ae_sd *sd = ca->config.sd;
	struct ae_token *t = NULL;
	uint32_t granted = 0, roles;

	/* a service that speaks for somebody is not he */
	if (sd == NULL || !sd->has_dacl || c->delegated ||
	    ae_token_exact(&t, c->sids, c->nsids, NULL) != AE_OK)
		return 0;
	(void)ae_sd_access_check(
	    sd, t, AE_ACCESS_MAXIMUM_ALLOWED, NULL, NULL, &granted);
	ae_token_free(t);
	roles = ae_admin_roles(granted);
	return roles != 0 ? roles | (granted & AE_ADMIN_ROLE_ENROLL) : 0;
}

/* May he?  0, or what he is answered; *roles as far as they go. */
static uint32_t
judge(struct ca *ca, const struct known *who, uint16_t opnum, const char *ip,
    uint32_t *roles)
{
	const struct ae_admin_method *m = ae_admin_method_find(opnum);
	uint32_t hresult;

	*roles = who != NULL ? manage_roles(ca, who->caller) : 0;
	hresult = ae_admin_may(opnum, *roles, ca->p->conf.role_separation);
	if (hresult != 0)
		log_outside(ca->p, "%s from %s may not call %s",
		    who != NULL ? who->caller->principal : "an unknown name",
		    ip != NULL ? ip : "?", m != NULL ? m->name : "that");
	return hresult;
}

int
on_manage_ask(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 2);
	uint32_t roles, hresult;
	uint16_t opnum;
	uint64_t name;
	struct ae_rd r;
	struct ae_wr w;
	char *ip;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	name = ae_rd_u64(&r);
	ip = get_str(&r, a);
	opnum = ae_rd_u16(&r);
	if (!ae_rd_done(&r)) {
		ae_arena_free(a);
		return bad_message(&r, "MANAGE_ASK", e);
	}
	hresult = judge(ca, known_for(ca, peer, name), opnum, ip, &roles);
	ae_wr_init(&w, 4);
	ae_wr_u32(&w, hresult);
	(void)peer_send(peer, MSG_MANAGE_MAY, m->id, &w);
	ae_wr_done(&w);
	ae_arena_free(a);
	return AE_OK;
}

/* ---- what changes something, or asks the database ---- */

struct job *
manage_start(struct manage *m, enum msg op)
{
	struct job *j = job_start_remote(m->ca, m->rpc, m->call, m->who, m->a);

	if (j == NULL) {
		m->reply.hresult = HR_BUSY;
		return NULL;
	}
	m->a = NULL;
	m->later = true;
	j->op = op;
	j->manage = m->q;
	j->roles = m->roles;
	return j;
}

static void
by_id(struct manage *m)
{
	enum msg op = MSG_MANAGE;
	struct job *j;

	if (m->q.id == 0 || m->q.id > INT32_MAX) {
		m->reply.hresult = AE_HR_E_INVALIDARG;
		return;
	}
	if (m->q.opnum == AE_ADMIN_RESUBMIT)
		op = MSG_ADMIN_APPROVE;
	else if (m->q.opnum == AE_ADMIN_DENY)
		op = MSG_ADMIN_DENY;
	else if (m->q.opnum == AE_ADMIN_GETARCHIVEDKEY)
		op = MSG_ADMIN_RECOVER;
	j = manage_start(m, op);
	if (j != NULL)
		admin_load(j, m->q.id, NULL, 0);
}

/* Lower-case hex digits, an even number of them, as the column has them. */
static bool
serial_of(const char *s, uint8_t out[AE_DB_SERIAL_MAX], size_t *len)
{
	size_t n = s != NULL ? strlen(s) : 0;

	while (n > 2 * AE_DB_SERIAL_MAX && strncmp(s, "00", 2) == 0) {
		s += 2;
		n -= 2;
	}
	*len = n / 2;
	return n > 0 && n % 2 == 0 && *len <= AE_DB_SERIAL_MAX &&
	    strspn(s, "0123456789abcdef") == n && ae_hex_decode(out, *len, s);
}

static void
by_serial(struct manage *m, enum msg op, uint8_t reason)
{
	uint8_t serial[AE_DB_SERIAL_MAX];
	struct job *j;
	size_t len;

	if (!serial_of(m->q.text, serial, &len)) {
		m->reply.hresult = AE_HR_E_INVALIDARG;
		return;
	}
	j = manage_start(m, op);
	if (j == NULL)
		return;
	j->reason = reason;
	admin_load(j, 0, serial, len);
}

static void
is_valid(struct manage *m)
{
	by_serial(m, MSG_MANAGE, 0);
}

/*
 * MS-CSRA 3.1.4.1.8.  What takes effect later, what shows expired
 * certificates in CRLs and what removes from a delta CRL is not done here:
 * doc/differences.md.
 */
static void
revoke(struct manage *m)
{
	const uint64_t ft = (uint64_t)m->q.time.hi << 32 | m->q.time.lo;
	const bool future =
	    ft != 0 && ae_time_from_filetime(ft) > ae_clock_now() + 300;

	if (m->q.flags == UINT32_MAX)
		by_serial(m, MSG_ADMIN_RELEASE, 0);
	else if (m->q.flags <= AE_DB_REASON_HOLD && !future)
		by_serial(m, MSG_ADMIN_REVOKE, (uint8_t)m->q.flags);
	else
		m->reply.hresult = AE_HR_E_INVALIDARG;
}

/*
 * MS-CSRA 3.1.4.1.6, 3.1.4.2.1.  How long a CRL is good for and where it is
 * written is configuration: the call names no place, and no time.
 */
static void
publish(struct manage *m)
{
	const bool one = m->q.opnum == AE_ADMIN_PUBLISHCRL;
	const uint32_t flags = one ? CRL_BASE : m->q.flags;
	struct job *j;

	if ((flags & (CRL_BASE | CRL_DELTA)) == 0 ||
	    (flags & ~(CRL_BASE | CRL_DELTA | CRL_REPUBLISH)) != 0 ||
	    ((flags & CRL_REPUBLISH) == 0 &&
		(m->q.time.lo | m->q.time.hi) != 0)) {
		m->reply.hresult = AE_HR_E_INVALIDARG;
		return;
	}
	j = manage_start(m, MSG_MANAGE);
	if (j == NULL)
		return;
	log_line(m->ca->p, AE_LOG_NOTICE, "%s asks for a new CRL", j->by);
	j->stage = STAGE_CRL;
	j->crls = crl_outstanding(m->ca);
	crl_publish(m->ca->p);
}

void
manage_crl(struct ca *ca, uint32_t hresult)
{
	const struct ae_admin_reply p = { .hresult = hresult };
	size_t i;

	for (i = 0; ca->njobs > 0 && i < JOBS_MAX; i++) {
		struct job *j = &ca->job[i];

		if (!j->used || j->stage != STAGE_CRL ||
		    (hresult == 0 && --j->crls > 0))
			continue;
		manage_reply(j, &p);
		job_end(j);
	}
}

/* ---- the door ---- */

/* clang-format off */
static const struct {
	uint16_t opnum;
	void (*answer)(struct manage *m);
} answers[] = {
	{ AE_ADMIN_SETATTRIBUTES, by_id },
	{ AE_ADMIN_RESUBMIT, by_id },
	{ AE_ADMIN_DENY, by_id },
	{ AE_ADMIN_ISVALID, is_valid },
	{ AE_ADMIN_PUBLISHCRL, publish },
	{ AE_ADMIN_GETCRL, read_get_crl },
	{ AE_ADMIN_REVOKE, revoke },
	{ AE_ADMIN_ENUMVIEWCOLUMN, read_view_columns },
	{ AE_ADMIN_DEFAULTCOLUMNS, read_default_columns },
	{ AE_ADMIN_ENUMATTRIBUTES, by_id },
	{ AE_ADMIN_OPENVIEW, admin_open_view },
	{ AE_ADMIN_ENUMVIEW, admin_enum_view },
	{ AE_ADMIN_CLOSEVIEW, admin_close_view },
	{ AE_ADMIN_PING, read_nothing },
	{ AE_ADMIN_GETSERVERSTATE, read_server_state },
	{ AE_ADMIN_PUBLISHCRLS, publish },
	{ AE_ADMIN_GETCAPROPERTY, read_ca_property },
	{ AE_ADMIN_GETCAPROPERTYINFO, read_ca_property },
	{ AE_ADMIN_ENUMVIEWCOLUMNTABLE, read_view_columns },
	{ AE_ADMIN_GETCASECURITY, read_ca_security },
	{ AE_ADMIN_PING2, read_nothing },
	{ AE_ADMIN_GETARCHIVEDKEY, by_id },
	{ AE_ADMIN_GETAUDITFILTER, read_audit_filter },
	{ AE_ADMIN_GETOFFICERRIGHTS, read_officer_rights },
	{ AE_ADMIN_GETCONFIGENTRY, admin_config_entry },
	{ AE_ADMIN_GETMYROLES, read_my_roles },
};
/* clang-format on */

static void
dispatch(struct manage *m)
{
	/* the root of the configuration is no CA's, MS-CSRA 3.1.4.2.14 */
	const bool root = m->q.opnum == AE_ADMIN_GETCONFIGENTRY;
	size_t i;

	if (!ae_wcce_authority_matches(
		m->ca->config.name, m->q.authority, root)) {
		m->reply.hresult = AE_HR_E_INVALIDARG;
		return;
	}
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].opnum == m->q.opnum) {
			answers[i].answer(m);
			return;
		}
	m->reply.hresult = AE_HR_E_ACCESSDENIED;
}

int
on_manage(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *msg, struct ae_err *e)
{
	struct peer *peer = arg;
	struct manage m = {
		.ca = peer->p->state, .rpc = peer, .call = msg->id
	};
	uint64_t name;
	struct ae_rd r;

	(void)ipc;
	m.a = ae_arena_new(JOB_ARENA);
	if (m.a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, msg->body, msg->len);
	name = ae_rd_u64(&r);
	m.ip = get_str(&r, m.a);
	get_manage(&r, &m.q, m.a);
	if (!ae_rd_done(&r)) {
		ae_arena_free(m.a);
		return bad_message(&r, "MANAGE", e);
	}
	ae_wr_init(&m.w, AE_ADMIN_REPLY_MAX);
	m.who = known_for(m.ca, peer, name);
	m.reply.hresult = judge(m.ca, m.who, m.q.opnum, m.ip, &m.roles);
	if (m.reply.hresult == 0)
		dispatch(&m);
	if (!m.later)
		manage_send(
		    m.ca, peer->index, peer->generation, m.call, &m.reply);
	ae_wr_done(&m.w);
	ae_arena_free(m.a);
	return AE_OK;
}
