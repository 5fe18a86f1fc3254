/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Figures about the CA: what ca counts itself, what the others tell it, and
 * the text that a monitor reads.  Requests are counted by template as long as
 * there are few of them; who asks is not in it.
 */
#include "ca_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prom.h"
#include "ca_job.h"
#include "sys/clock.h"

#define TEMPLATES_MAX 64u
#define NAME(x) METRICS_PREFIX x

/* Upper ends of the classes of times, in milliseconds. */
static const unsigned bounds[] = { 2, 5, 10, 20, 50, 100, 200, 500, 1000,
	5000 };
#define NBOUNDS (sizeof(bounds) / sizeof(bounds[0]))

enum outcome { O_ISSUED, O_PENDING, O_DENIED, O_FAILED, O_REFUSED, O_COUNT };
static const char *const outcomes[O_COUNT] = { "issued", "pending", "denied",
	"failed", "refused" };

struct by_template {
	char cn[65];
	uint64_t n[O_COUNT];
};

struct ca_metrics {
	struct metrics of[ROLE_COUNT][WORKERS_MAX];
	struct metrics ended; /* counters of processes that are gone */
	struct by_template template[TEMPLATES_MAX + 1];
	size_t ntemplates;
	uint64_t took[NBOUNDS + 1], took_ms;
	uint64_t revoked, released;
	int64_t written; /* when the file was */
};

struct ca_metrics *
ca_metrics_new(void)
{
	return calloc(1, sizeof(struct ca_metrics));
}

/* ---- counting ---- */

/* Its row; beyond the bound all share the last one. */
static struct by_template *
row_of(struct ca_metrics *m, const char *cn)
{
	size_t i;

	if (cn == NULL)
		cn = "";
	for (i = 0; i < m->ntemplates; i++)
		if (strcmp(m->template[i].cn, cn) == 0)
			return &m->template[i];
	if (m->ntemplates > TEMPLATES_MAX)
		return &m->template[TEMPLATES_MAX];
	if (m->ntemplates == TEMPLATES_MAX)
		cn = "(other)";
	i = m->ntemplates++;
	(void)snprintf(m->template[i].cn, sizeof(m->template[i].cn), "%s", cn);
	return &m->template[i];
}

void
metrics_decided(struct job *j)
{
	static const enum outcome of[] = { [AE_CA_ISSUE] = O_ISSUED,
		[AE_CA_PEND] = O_PENDING,
		[AE_CA_DENY] = O_DENIED,
		[AE_CA_FAIL] = O_FAILED,
		[AE_CA_REFUSE] = O_REFUSED };
	/* Only templates there are: a requester may name anything. */
	const char *cn = j->d.template != NULL ? j->d.template->cn : NULL;

	if (j->d.verdict == AE_CA_STORED || j->d.verdict == AE_CA_ASK)
		return; /* was counted when it was decided */
	row_of(j->ca->metrics, cn)->n[of[j->d.verdict]]++;
}

void
metrics_took(struct job *j)
{
	struct ca_metrics *m = j->ca->metrics;
	int64_t ms = ae_clock_mono_ms() - (j->deadline - JOB_MS);
	size_t i = 0;

	if (ms < 0)
		ms = 0;
	while (i < NBOUNDS && ms > (int64_t)bounds[i])
		i++;
	m->took[i]++;
	m->took_ms += (uint64_t)ms;
}

void
metrics_revoked(struct ca *ca, bool release)
{
	if (release)
		ca->metrics->released++;
	else
		ca->metrics->revoked++;
}

/* ---- the others ---- */

int
on_figures(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_rd r;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	metrics_get(&r, &ca->metrics->of[peer->role][peer->index]);
	return ae_rd_done(&r) ? AE_OK : bad_message(&r, "FIGURES", e);
}

void
metrics_peer_down(struct ca *ca, const struct peer *peer)
{
	struct metrics *of = &ca->metrics->of[peer->role][peer->index];

	metrics_retire(&ca->metrics->ended, of);
	memset(of, 0, sizeof(*of));
}

/* ---- text ---- */

static void
put_requests(struct ae_wr *w, const struct ca_metrics *m)
{
	size_t i, k;

	ae_prom_head(w, NAME("requests_total"), "counter",
	    "Requests by template and what became of them; refused ones left "
	    "no row.");
	for (i = 0; i < m->ntemplates; i++)
		for (k = 0; k < O_COUNT; k++) {
			const struct ae_prom_label l[] = {
				{ "template", m->template[i].cn },
				{ "disposition", outcomes[k] },
			};

			if (m->template[i].n[k] > 0)
				ae_prom_sample(w, NAME("requests_total"), l, 2,
				    (int64_t)m->template[i].n[k]);
		}
}

static void
put_times(struct ae_wr *w, const struct ca_metrics *m)
{
	uint64_t sum = 0;
	size_t i;

	ae_prom_head(w, NAME("request_seconds"), "histogram",
	    "From a request to its answer.");
	for (i = 0; i <= NBOUNDS; i++) {
		char le[16];
		const struct ae_prom_label l = { "le", le };

		if (i < NBOUNDS)
			(void)snprintf(le, sizeof(le), "%u.%03u",
			    bounds[i] / 1000, bounds[i] % 1000);
		else
			(void)snprintf(le, sizeof(le), "+Inf");
		sum += m->took[i];
		ae_prom_sample(
		    w, NAME("request_seconds_bucket"), &l, 1, (int64_t)sum);
	}
	ae_wr_printf(w, NAME("request_seconds_sum") " %llu.%03llu\n",
	    (unsigned long long)(m->took_ms / 1000),
	    (unsigned long long)(m->took_ms % 1000));
	ae_prom_sample(w, NAME("request_seconds_count"), NULL, 0, (int64_t)sum);
}

static void
put_queues(struct ae_wr *w, struct ca *ca)
{
	static const enum role roles[] = { ROLE_DB, ROLE_AD, ROLE_SIGN };
	size_t i, k;

	ae_prom_gauge(
	    w, NAME("requests_in_hand"), "Requests not answered yet.");
	ae_prom_sample(
	    w, NAME("requests_in_hand"), NULL, 0, (int64_t)ca->njobs);
	ae_prom_gauge(
	    w, NAME("queued_bytes"), "Bytes that wait for another process.");
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		const struct ae_prom_label l = { "to", role_name(roles[i]) };
		size_t n = 0;

		for (k = 0; k < WORKERS_MAX; k++)
			if (peer_is_up(peer_of(ca->p, roles[i], k)))
				n += ae_ipc_queued(
				    peer_of(ca->p, roles[i], k)->ipc);
		ae_prom_sample(w, NAME("queued_bytes"), &l, 1, (int64_t)n);
	}
	ae_prom_gauge(w, NAME("directory_age_seconds"),
	    "Since a domain controller last confirmed templates and "
	    "permissions.");
	ae_prom_sample(w, NAME("directory_age_seconds"), NULL, 0,
	    ca->snapshot == NULL ? -1
				 : (ae_clock_mono_ms() - ca->fresh) / 1000);
}

/* One figure of each list that was made. */
static void
put_each_crl(struct ae_wr *w, const struct ca *ca, const char *name,
    const char *help, int64_t (*value)(const struct ca_crl *))
{
	size_t i;

	ae_prom_gauge(w, name, help);
	for (i = 0; i < 2 * ca->file.list.nkeys; i++) {
		const struct ca_crl *c =
		    i % 2 == 0 ? &ca->crl[i / 2] : &ca->delta[i / 2];
		char key[8];
		const struct ae_prom_label l[] = { { "key", key },
			{ "kind", i % 2 == 0 ? "base" : "delta" } };

		if (!c->made)
			continue;
		(void)snprintf(
		    key, sizeof(key), "%u", ca->file.list.keys[i / 2].index);
		ae_prom_sample(w, name, l, 2, value(c));
	}
}

static int64_t
crl_this(const struct ca_crl *c)
{
	return c->plan.this_update;
}

static int64_t
crl_next(const struct ca_crl *c)
{
	return c->plan.next_update;
}

static int64_t
crl_no(const struct ca_crl *c)
{
	return (int64_t)c->number;
}

static int64_t
crl_entries(const struct ca_crl *c)
{
	return (int64_t)c->entries;
}

static int64_t
crl_late(const struct ca_crl *c)
{
	int64_t now = ae_clock_now();

	return ae_ca_crl_alarm(&c->plan, now) ||
	    (c->ad_made && ae_ca_crl_alarm(&c->ad_plan, now));
}

static void
put_crls(struct ae_wr *w, const struct ca *ca)
{
	put_each_crl(w, ca, NAME("crl_this_update"),
	    "When the newest CRL begins, seconds since 1970.", crl_this);
	put_each_crl(w, ca, NAME("crl_next_update"), "When it ends.", crl_next);
	put_each_crl(w, ca, NAME("crl_number"), "Its number.", crl_no);
	put_each_crl(w, ca, NAME("crl_entries"), "Its entries.", crl_entries);
	put_each_crl(w, ca, NAME("crl_late"),
	    "1: it should have been replaced a while ago.", crl_late);
}

static void
put_revocations(struct ae_wr *w, const struct ca_metrics *m)
{
	static const char name[] = NAME("revocations_total");
	const struct ae_prom_label revoked = { "what", "revoked" };
	const struct ae_prom_label released = { "what", "released" };

	ae_prom_head(w, name, "counter",
	    "Certificates revoked, and released from hold.");
	ae_prom_sample(w, name, &revoked, 1, (int64_t)m->revoked);
	ae_prom_sample(w, name, &released, 1, (int64_t)m->released);
}

static void
put_certificate(struct ae_wr *w, const struct ca *ca)
{
	ae_prom_gauge(w, NAME("ca_certificate_not_after"),
	    "When the certificate that signs ends, seconds since 1970.");
	ae_prom_sample(w, NAME("ca_certificate_not_after"), NULL, 0,
	    ca->current->cert->not_after);
}

static void
put_database(struct ae_wr *w, const struct ca *ca)
{
	ae_prom_gauge(w, NAME("database_behind"),
	    "1: the database was put back, and nothing is issued.");
	ae_prom_sample(w, NAME("database_behind"), NULL, 0, ca->suspended);
	ae_prom_gauge(w, NAME("certificates_unrecorded"),
	    "Certificates that a signer signed and no request has.");
	ae_prom_sample(w, NAME("certificates_unrecorded"), NULL, 0,
	    (int64_t)ca->nunrecorded);
}

static void
put_log(struct ae_wr *w, const struct ca *ca)
{
	ae_prom_head(w, NAME("log_lines_lost_total"), "counter",
	    "Lines that the journal or stderr did not take.");
	ae_prom_sample(
	    w, NAME("log_lines_lost_total"), NULL, 0, (int64_t)ca->lines_lost);
}

static void
put_pins(struct ae_wr *w, const struct ca *ca)
{
	size_t n, wrong;

	pins_count(ca, &n, &wrong);
	ae_prom_gauge(
	    w, NAME("templates_pinned"), "Templates that are pinned.");
	ae_prom_sample(w, NAME("templates_pinned"), NULL, 0, (int64_t)n);
	ae_prom_gauge(w, NAME("templates_pinned_wrong"),
	    "Those that the directory has otherwise, or whose pin is not "
	    "good.");
	ae_prom_sample(
	    w, NAME("templates_pinned_wrong"), NULL, 0, (int64_t)wrong);
}

static void
put_all(struct ae_wr *w, struct ca *ca)
{
	struct metrics sum = ca->metrics->ended;
	size_t i, k;

	for (i = 0; i < ROLE_COUNT; i++)
		for (k = 0; k < WORKERS_MAX; k++)
			metrics_sum(&sum, &ca->metrics->of[i][k]);
	put_requests(w, ca->metrics);
	put_times(w, ca->metrics);
	put_queues(w, ca);
	put_revocations(w, ca->metrics);
	put_crls(w, ca);
	put_certificate(w, ca);
	put_database(w, ca);
	put_pins(w, ca);
	put_log(w, ca);
	metrics_print(w, &sum);
}

int
on_metrics(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct ca *ca = peer->p->state;
	struct ae_wr w;
	int rc = on_figures(arg, ipc, m, e);

	if (rc != AE_OK)
		return rc;
	ae_wr_init(&w, MSG_METRICS_MAX);
	put_all(&w, ca);
	(void)peer_send(peer, MSG_METRICS_TEXT, m->id, &w);
	ae_wr_done(&w);
	return AE_OK;
}

void
metrics_tick(struct ca *ca)
{
	const char *path = ca->p->conf.metrics_file;
	int64_t now = ae_clock_mono_ms();
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	if (path == NULL || path[0] == '\0' ||
	    now < ca->metrics->written + METRICS_FILE_MS)
		return;
	ca->metrics->written = now;
	ae_wr_init(&w, MSG_METRICS_MAX);
	put_all(&w, ca);
	if (ae_wr_ok(&w) &&
	    ae_ipc_send(
		ca->p->control, MSG_FIGURES_FILE, 0, w.p, w.len, -1, &e) < 0)
		log_line(ca->p, AE_LOG_ERROR, "figures: %s", e.text);
	ae_wr_done(&w);
}
