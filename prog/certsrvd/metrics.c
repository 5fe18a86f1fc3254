/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The table of figures, and the text format of Prometheus.
 */
#include "metrics.h"

#include "base/prom.h"

/* Rows of one name stand together; the help is that of the first. */
/* clang-format off */
static const struct {
	const char *name;
	struct ae_prom_label label;
	bool gauge;
	const char *help;
} rows[M_COUNT] = {
	[M_CONNECTIONS] = { METRICS_PREFIX "rpc_connections", { NULL, NULL }, true, "RPC connections that are open." },
	[M_HTTP_CONNECTIONS] = { METRICS_PREFIX "http_connections", { NULL, NULL }, true, "HTTP connections that are open." },
	[M_HTTP_CRL] = { METRICS_PREFIX "http_requests_total", { "what", "crl" }, false, "HTTP requests, by what was asked for." },
	[M_HTTP_AIA] = { METRICS_PREFIX "http_requests_total", { "what", "aia" }, false, NULL },
	[M_HTTP_OCSP] = { METRICS_PREFIX "http_requests_total", { "what", "ocsp" }, false, NULL },
	[M_HTTP_OTHER] = { METRICS_PREFIX "http_requests_total", { "what", "other" }, false, NULL },
	[M_HTTP_REFUSED] = { METRICS_PREFIX "http_refused_total", { NULL, NULL }, false, "HTTP connections and requests beyond a limit." },
	[M_OCSP_GOOD] = { METRICS_PREFIX "ocsp_certificates_total", { "status", "good" }, false, "Certificates that OCSP was asked about, by what it said." },
	[M_OCSP_REVOKED] = { METRICS_PREFIX "ocsp_certificates_total", { "status", "revoked" }, false, NULL },
	[M_OCSP_UNKNOWN] = { METRICS_PREFIX "ocsp_certificates_total", { "status", "unknown" }, false, NULL },
	[M_OCSP_CACHED] = { METRICS_PREFIX "ocsp_cached_total", { NULL, NULL }, false, "OCSP responses that had been signed before." },
	[M_OCSP_ERRORS] = { METRICS_PREFIX "ocsp_errors_total", { NULL, NULL }, false, "OCSP requests without an answer: malformed, another CA's, or too early." },
	[M_OCSP_SIGNED] = { METRICS_PREFIX "ocsp_signatures_total", { NULL, NULL }, false, "Signatures of the OCSP key." },
	[M_SIGNED] = { METRICS_PREFIX "signatures_total", { NULL, NULL }, false, "Signatures of the CA's keys." },
	[M_SIGNED_CERTS] = { METRICS_PREFIX "certificates_signed_total", { NULL, NULL }, false, "Certificates signed, as the signers count them." },
	[M_RECORDED] = { METRICS_PREFIX "certificates_recorded_total", { NULL, NULL }, false, "Those of them that the database has a row for." },
	[M_REFUSED] = { METRICS_PREFIX "signatures_refused_total", { NULL, NULL }, false, "What the signer was asked for and did not sign." },
	[M_KEY_USABLE] = { METRICS_PREFIX "signers_ready", { NULL, NULL }, true, "Signing processes that have the CA's key at hand." },
	[M_AUTH_OK] = { METRICS_PREFIX "contexts_total", { "result", "accepted" }, false, "Kerberos contexts, by what became of them." },
	[M_AUTH_FAILED] = { METRICS_PREFIX "contexts_total", { "result", "failed" }, false, NULL },
	[M_DB_COMMITS] = { METRICS_PREFIX "database_commits_total", { NULL, NULL }, false, "Commits of the database." },
	[M_DB_CHANGES] = { METRICS_PREFIX "database_changes_total", { NULL, NULL }, false, "Changes that were committed: several share a commit." },
};
/* clang-format on */

void
metrics_put(struct ae_wr *w, const struct metrics *m)
{
	size_t i;

	for (i = 0; i < M_COUNT; i++)
		ae_wr_u64(w, m->v[i]);
}

void
metrics_get(struct ae_rd *r, struct metrics *m)
{
	size_t i;

	for (i = 0; i < M_COUNT; i++)
		m->v[i] = ae_rd_u64(r);
}

void
metrics_sum(struct metrics *to, const struct metrics *m)
{
	size_t i;

	for (i = 0; i < M_COUNT; i++)
		to->v[i] += m->v[i];
}

void
metrics_retire(struct metrics *kept, const struct metrics *m)
{
	size_t i;

	for (i = 0; i < M_COUNT; i++)
		if (!rows[i].gauge)
			kept->v[i] += m->v[i];
}

void
metrics_print(struct ae_wr *w, const struct metrics *m)
{
	size_t i;

	for (i = 0; i < M_COUNT; i++) {
		if (rows[i].help != NULL)
			ae_prom_head(w, rows[i].name,
			    rows[i].gauge ? "gauge" : "counter", rows[i].help);
		ae_prom_sample(w, rows[i].name, &rows[i].label,
		    rows[i].label.name != NULL ? 1 : 0, (int64_t)m->v[i]);
	}
}
