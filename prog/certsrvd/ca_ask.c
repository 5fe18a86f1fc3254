/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What decide wants to know: the requester's object and other bearers of its
 * name from ad (or from the last minute), rows from db.
 */
#include "admin.h"

#include <string.h>

#include "ad/principal.h"
#include "ca_cache.h"
#include "object.h"
#include "sys/clock.h"

void
job_answered(struct job *j, unsigned bit, bool ok)
{
	j->asked &= ~bit;
	if (ok)
		j->answers.answered |= bit;
	else
		j->answers.failed |= bit;
	if (j->asked == 0)
		job_advance(j);
}

#define ASK_ROWS                                             \
	((unsigned)AE_CA_ASK_ROW_ID | AE_CA_ASK_ROW_SERIAL | \
	    AE_CA_ASK_ROW_SAME | AE_CA_ASK_ROW_CERTS)

static bool ask_database(struct job *j, unsigned bit);

/* The one row question that is outstanding: they are asked one at a time. */
int
on_db_row(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	struct ae_db_request *row = NULL;
	unsigned bit;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (j == NULL || (j->stage != STAGE_ASK && j->stage != STAGE_LOAD))
		return AE_OK;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	if (rc == AE_OK) {
		row = ae_arena_alloc(j->arena, sizeof(*row));
		if (row == NULL) {
			job_fail(j, HR_BUSY, "out of memory");
			return AE_OK;
		}
		get_row(&r, row, j->arena);
	}
	if (!ae_rd_done(&r) || rc > 0)
		return bad_message(&r, "DB_ROW", e);
	if (j->stage == STAGE_LOAD) {
		if (!j->local && (rc == AE_OK || rc == AE_ENOTFOUND))
			attest_loaded(j, row);
		else if (!j->local)
			job_fail(j, HR_BUSY, "the database did not answer");
		else if (rc == AE_OK || rc == AE_ENOTFOUND)
			admin_loaded(j, row);
		else
			admin_refused(j, rc, "the database did not answer");
		return AE_OK;
	}
	bit = j->asked & ASK_ROWS;
	if ((bit & AE_CA_ASK_ROW_ID) != 0) {
		j->answers.row_id = row;
		bit = AE_CA_ASK_ROW_ID;
	} else if ((bit & AE_CA_ASK_ROW_SERIAL) != 0) {
		j->answers.row_serial = row;
		bit = AE_CA_ASK_ROW_SERIAL;
	} else if ((bit & AE_CA_ASK_ROW_CERTS) != 0) {
		j->answers.row_certs[j->answers.nrow_certs++] = row;
		if (j->answers.nrow_certs < j->d.nask_certs &&
		    (rc == AE_OK || rc == AE_ENOTFOUND) &&
		    ask_database(j, AE_CA_ASK_ROW_CERTS))
			return AE_OK; /* the next one */
		if (j->answers.nrow_certs < j->d.nask_certs)
			rc = AE_EUNAVAIL;
		bit = AE_CA_ASK_ROW_CERTS;
	} else if (bit != 0) {
		j->answers.row_same = row;
	} else {
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "DB_ROW that nobody asked for");
	}
	job_answered(j, bit, rc == AE_OK || rc == AE_ENOTFOUND);
	return AE_OK;
}

int
on_db_key(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	const uint8_t *blob = NULL;
	struct ae_rd r;
	size_t len = 0;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	if (rc == AE_OK)
		blob = get_bytes(&r, &len);
	if (!ae_rd_done(&r) || rc > 0)
		return bad_message(&r, "DB_KEY", e);
	if (j == NULL || j->stage != STAGE_ADMIN)
		return AE_OK;
	if (rc == AE_OK || rc == AE_ENOTFOUND)
		admin_key(j, blob, len);
	else
		admin_refused(j, rc, "the database did not answer");
	return AE_OK;
}

static void
get_requester(struct ae_rd *r, struct ae_ca_requester *o, struct ae_arena *a)
{
	const char **hosts;
	uint32_t n;

	o->is_computer = ae_rd_u8(r) != 0;
	o->sid = ae_sid_get(r);
	o->guid = ae_guid_get(r);
	o->dn = get_str(r, a);
	o->cn = get_str(r, a);
	o->dns_host_name = get_str(r, a);
	o->mail = get_str(r, a);
	o->upn = get_str(r, a);
	o->domain_dns = get_str(r, a);
	o->domain_netbios = get_str(r, a);
	n = ae_rd_u32(r);
	if (n > AE_PRINCIPAL_HOSTS_MAX) {
		ae_rd_fail(r);
		return;
	}
	o->hosts = hosts = ae_arena_array(a, n, sizeof(*hosts));
	while (hosts != NULL && o->nhosts < n) {
		hosts[o->nhosts] = get_str(r, a);
		if (hosts[o->nhosts] == NULL)
			break;
		o->nhosts++;
	}
}

/* The body of MSG_REQUESTER, from ad or from the cache. */
static bool
take_object(struct job *j, struct ae_ca_requester *o, const uint8_t *body,
    size_t len, bool *ok)
{
	struct ae_rd r;

	ae_rd_init(&r, body, len);
	*ok = ae_rd_u8(&r) != 0;
	o->found = ae_rd_u8(&r) != 0;
	if (o->found)
		get_requester(&r, o, j->arena);
	return ae_rd_done(&r);
}

static int
on_requester(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct job *j = job_find(ca, m->id);
	bool ok;

	(void)ipc;
	if (j == NULL || (j->asked & AE_CA_ASK_REQUESTER) == 0)
		return AE_OK;
	if (!take_object(j, &j->answers.requester, m->body, m->len, &ok))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "REQUESTER does not decode");
	if (ok && j->answers.requester.found)
		ca_cache_set_requester(ca->cache, &j->known->caller->user,
		    m->body, m->len, ae_clock_mono_ms());
	job_answered(j, AE_CA_ASK_REQUESTER, ok);
	return AE_OK;
}

static int
on_subject(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	struct ae_ca_requester o = { .found = false };
	struct ae_rd r;
	bool ok;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	ok = ae_rd_u8(&r) != 0;
	if (j == NULL ||
	    (j->stage != STAGE_WHO && (j->asked & AE_CA_ASK_SUBJECT) == 0))
		return AE_OK;
	o.found = ae_rd_u8(&r) != 0;
	if (o.found) {
		get_requester(&r, &o, j->arena);
		account_get(&r, &o, j->arena);
	}
	if (!ae_rd_done(&r))
		return bad_message(&r, "SUBJECT", e);
	if (j->stage == STAGE_WHO) {
		if (j->as_directory)
			approve_who(j, &o, ok);
		else if (j->manager != NULL)
			manage_who(j, &o, ok);
		else
			explain_who(j, &o, ok);
		return AE_OK;
	}
	j->answers.subject = o;
	job_answered(j, AE_CA_ASK_SUBJECT, ok);
	return AE_OK;
}

/* Who may bear the name that is asked about. */
static const struct ae_sid *
bearer(const struct job *j)
{
	return j->d.ask_sid != NULL ? j->d.ask_sid : &j->known->caller->user;
}

static bool ask_directory(struct job *j, unsigned bit);

/* A list of host names: a policy file's, or those a requester chose. */
struct asking {
	const char *const *v;
	size_t n;
	const struct ae_sid *sid;
	size_t *done;
	unsigned *others;
};

static struct asking
asking(struct job *j, unsigned bit)
{
	struct ae_ca_answers *s = &j->answers;

	return bit == AE_CA_ASK_HOSTS
	    ? (struct asking){ j->d.ask_hosts, j->d.nask_hosts,
		      j->d.ask_hosts_sid, &s->nhosts, &s->host_other_owners }
	    : (struct asking){ j->d.ask_names, j->d.nask_names, bearer(j),
		      &s->nnames, &s->name_other_owners };
}

/* As far as the last minute tells; false: the next is to be asked. */
static bool
hosts_known(struct job *j, unsigned bit)
{
	struct asking q = asking(j, bit);

	while (*q.done < q.n && *q.others == 0) {
		if (!ca_cache_owners(j->ca->cache, q.sid, q.v[*q.done],
			ae_clock_mono_ms(), q.others))
			return false;
		(*q.done)++;
	}
	return true;
}

/* They are asked one after the other, up to one that others bear. */
static void
host_answered(struct job *j, unsigned bit, bool ok, unsigned others)
{
	struct asking q = asking(j, bit);

	if (ok) {
		ca_cache_set_owners(j->ca->cache, q.sid, q.v[*q.done], others,
		    ae_clock_mono_ms());
		(*q.done)++;
		*q.others = others;
		if (!hosts_known(j, bit)) {
			ok = ask_directory(j, bit);
			if (ok)
				return;
		}
	}
	job_answered(j, bit, ok);
}

static int
on_dns_owners(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct job *j = job_find(ca, m->id);
	unsigned others;
	struct ae_rd r;
	unsigned bit;
	bool ok;

	(void)ipc;
	if (j == NULL ||
	    (j->asked &
		(AE_CA_ASK_DNS_OWNERS | AE_CA_ASK_HOSTS | AE_CA_ASK_NAMES)) ==
		0)
		return AE_OK;
	ae_rd_init(&r, m->body, m->len);
	ok = ae_rd_u8(&r) != 0;
	others = ae_rd_u32(&r);
	if (!ae_rd_done(&r))
		return bad_message(&r, "DNS_OWNERS", e);
	bit = j->asked & (AE_CA_ASK_HOSTS | AE_CA_ASK_NAMES);
	if (bit != 0) {
		host_answered(j, bit, ok, others);
		return AE_OK;
	}
	if (ok)
		ca_cache_set_owners(ca->cache, bearer(j), j->d.ask_dns, others,
		    ae_clock_mono_ms());
	j->answers.dns_other_owners = others;
	job_answered(j, AE_CA_ASK_DNS_OWNERS, ok);
	return AE_OK;
}

static int
on_object(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct job *j = job_find(peer->p->state, m->id);
	struct ae_rd r;
	bool ok;

	(void)ipc;
	if (j == NULL || (j->asked & AE_CA_ASK_OBJECT) == 0)
		return AE_OK;
	ae_rd_init(&r, m->body, m->len);
	get_object(&r, &ok, &j->answers.object, j->arena);
	if (!ae_rd_done(&r))
		return bad_message(&r, "OBJECT", e);
	job_answered(j, AE_CA_ASK_OBJECT, ok);
	return AE_OK;
}

/* From what was answered within the last minute; false: ask. */
bool
job_ask_cache(struct job *j, unsigned bit)
{
	struct ca_cache *c = j->ca->cache;
	const struct ae_sid *sid = &j->known->caller->user;
	int64_t now = ae_clock_mono_ms();
	const uint8_t *body;
	size_t len;
	bool ok = false;

	if (bit == AE_CA_ASK_DNS_OWNERS) {
		ok = ca_cache_owners(c, bearer(j), j->d.ask_dns, now,
		    &j->answers.dns_other_owners);
	} else if (bit == AE_CA_ASK_HOSTS) {
		j->answers.nhosts = 0;
		j->answers.host_other_owners = 0;
		ok = hosts_known(j, bit);
	} else if (bit == AE_CA_ASK_NAMES) {
		j->answers.nnames = 0;
		j->answers.name_other_owners = 0;
		ok = hosts_known(j, bit);
	} else if (bit == AE_CA_ASK_SUBJECT) {
		/* what was answered about a host name was the caller's */
		j->answers.answered &= ~(unsigned)AE_CA_ASK_DNS_OWNERS;
	} else if (bit == AE_CA_ASK_REQUESTER) {
		body = ca_cache_requester(c, sid, now, &len);
		if (body == NULL ||
		    !take_object(j, &j->answers.requester, body, len, &ok))
			return false;
	}
	if (ok)
		j->answers.answered |= bit;
	return ok;
}

bool
job_ask_account(struct job *j, const char *who)
{
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, MSG_TEXT_MAX);
	put_str(&w, who);
	ok = peer_send(
	    peer_of(j->ca->p, ROLE_AD, 0), MSG_ASK_SUBJECT, j->id, &w);
	ae_wr_done(&w);
	return ok;
}

static bool
ask_object(struct job *j)
{
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, OBJECT_ASK_MAX);
	put_question(&w, &j->d.ask_object, bearer(j));
	ok =
	    peer_send(peer_of(j->ca->p, ROLE_AD, 0), MSG_ASK_OBJECT, j->id, &w);
	ae_wr_done(&w);
	return ok;
}

static bool
ask_directory(struct job *j, unsigned bit)
{
	struct peer *ad = peer_of(j->ca->p, ROLE_AD, 0);
	enum msg type = MSG_ASK_REQUESTER;
	struct asking q;
	struct ae_wr w;
	bool ok;

	if (bit == AE_CA_ASK_SUBJECT)
		return job_ask_account(j, j->d.ask_subject);
	if (bit == AE_CA_ASK_OBJECT)
		return ask_object(j);
	ae_wr_init(&w, MSG_TEXT_MAX);
	if (bit == AE_CA_ASK_DNS_OWNERS) {
		type = MSG_ASK_DNS;
		put_str(&w, j->d.ask_dns);
		ae_sid_put(&w, bearer(j));
	} else if (bit == AE_CA_ASK_HOSTS || bit == AE_CA_ASK_NAMES) {
		q = asking(j, bit);
		type = MSG_ASK_DNS;
		put_str(&w, q.v[*q.done]);
		ae_sid_put(&w, q.sid);
	} else {
		ae_sid_put(&w, &j->known->caller->user);
	}
	ok = peer_send(ad, type, j->id, &w);
	ae_wr_done(&w);
	return ok;
}

static bool
ask_database(struct job *j, unsigned bit)
{
	struct peer *db = peer_of(j->ca->p, ROLE_DB, 0);
	char sid[AE_SID_STR_MAX];
	enum msg type = MSG_DB_SAME;
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, MSG_ATTRS_MAX + 256);
	if (bit == AE_CA_ASK_ROW_ID) {
		type = MSG_DB_BY_ID;
		ae_wr_u64(&w, j->q.request_id);
	} else if (bit == AE_CA_ASK_ROW_SERIAL) {
		type = MSG_DB_BY_SERIAL;
		put_bytes(&w, j->d.ask_serial, j->d.ask_serial_len);
	} else if (bit == AE_CA_ASK_ROW_CERTS) {
		type = MSG_DB_BY_SERIAL;
		put_bytes(&w, j->d.ask_certs[j->answers.nrow_certs].p,
		    j->d.ask_certs[j->answers.nrow_certs].len);
	} else {
		put_str(&w, ae_sid_print(sid, &j->known->caller->user));
		ae_wr_bytes(&w, j->d.csr_hash, sizeof(j->d.csr_hash));
		put_str(&w, j->q.attributes);
	}
	ok = peer_send(db, type, j->id, &w);
	ae_wr_done(&w);
	return ok;
}

/*
 * Put what decide asks.  Directory questions go out together; of the rows
 * one at a time, because their answers look alike.
 */
void
job_ask(struct job *j)
{
	static const unsigned rows[] = { AE_CA_ASK_ROW_ID, AE_CA_ASK_ROW_SERIAL,
		AE_CA_ASK_ROW_SAME, AE_CA_ASK_ROW_CERTS };
	static const unsigned dirs[] = { AE_CA_ASK_REQUESTER, AE_CA_ASK_SUBJECT,
		AE_CA_ASK_DNS_OWNERS, AE_CA_ASK_OBJECT, AE_CA_ASK_HOSTS,
		AE_CA_ASK_NAMES };
	unsigned want = j->d.ask;
	size_t i;

	j->stage = STAGE_ASK;
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if ((want & dirs[i]) == 0 || job_ask_cache(j, dirs[i]))
			continue;
		if (ask_directory(j, dirs[i]))
			j->asked |= dirs[i];
		else
			j->answers.failed |= dirs[i];
	}
	if ((want & AE_CA_ASK_ARCHIVE) != 0 && xchg_ask(j))
		j->asked |= AE_CA_ASK_ARCHIVE;
	if ((want & AE_CA_ASK_EK) != 0 && attest_ask(j))
		j->asked |= AE_CA_ASK_EK;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((want & rows[i]) == 0)
			continue;
		if (ask_database(j, rows[i])) {
			j->asked |= rows[i];
			break;
		}
		j->answers.failed |= rows[i];
	}
	if (j->asked == 0)
		job_advance(j);
}

static int
on_published(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ae_arena *a = ae_arena_new(MSG_TEXT_MAX * 4);
	const char *where, *dc, *why;
	struct ae_rd r;
	int rc;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	rc = (int)ae_rd_u32(&r);
	where = get_str(&r, a);
	dc = get_str(&r, a);
	why = get_str(&r, a);
	if (!ae_rd_done(&r) || rc > 0 || where == NULL) {
		ae_arena_free(a);
		return bad_message(&r, "AD_PUBLISHED", e);
	}
	if (rc < 0)
		event_not_published(peer->p->state, m->id, rc, where, dc,
		    why != NULL ? why : "no reason");
	else
		log_line(peer->p, AE_LOG_INFO,
		    "the certificate of request %u is in userCertificate of %s",
		    m->id, where);
	ae_arena_free(a);
	return AE_OK;
}

const struct ae_ipc_row ca_ad_rows[] = {
	{ MSG_SNAPSHOT, MSG_SNAPSHOT_MAX, 1, false, on_snapshot },
	{ MSG_FRESH, 0, 1, false, on_fresh },
	{ MSG_REQUESTER, MSG_TEXT_MAX * 8, 1, false, on_requester },
	{ MSG_SUBJECT, MSG_SUBJECT_MAX, 1, false, on_subject },
	{ MSG_DNS_OWNERS, 16, 1, false, on_dns_owners },
	{ MSG_OBJECT, OBJECT_ANSWER_MAX, 1, false, on_object },
	{ MSG_AD_CRL_DONE, MSG_TEXT_MAX, 1, false, on_ad_crl },
	{ MSG_AD_SEEN, MSG_CRL_MAX, 1, false, on_ad_seen },
	{ MSG_AD_PUBLISHED, 2 * MSG_TEXT_MAX, 1, false, on_published },
	{ .handle = NULL },
};
