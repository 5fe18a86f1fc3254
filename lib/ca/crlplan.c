/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * CRL times.
 */
#include "ca/crlplan.h"

#include "pki/cert.h"

#define WEEK (7 * 86400)

static int64_t
period(const struct ae_ca_crl_config *cfg)
{
	return cfg->period > 0 ? cfg->period : WEEK;
}

void
ae_ca_crl_times(
    struct ae_ca_crl_plan *out, const struct ae_ca_crl_config *cfg, int64_t now)
{
	const int64_t span = period(cfg), end = cfg->cert->not_after;
	int64_t overlap = cfg->overlap > 0 ? cfg->overlap : span / 10;

	out->this_update = now - cfg->clock_skew;
	if (out->this_update < cfg->cert->not_before)
		out->this_update = cfg->cert->not_before;
	out->next_publish = now + span;
	out->next_update = out->next_publish + overlap;
	if (out->next_update > end)
		out->next_update = end;
	if (out->next_publish > out->next_update)
		out->next_publish = out->next_update;
}

bool
ae_ca_crl_due(const struct ae_ca_crl_config *cfg,
    const struct ae_ca_crl_plan *last, bool revoked_since, int64_t now,
    const char **why)
{
	const char *reason = NULL;

	if (last == NULL)
		reason = "there is no CRL yet";
	else if (now >= last->next_publish)
		reason = "the time to publish has come";
	else if (last->this_update > now + cfg->clock_skew)
		reason = "the last CRL is from the future";
	else if (last->next_publish - now > 2 * period(cfg))
		reason = "the period has become shorter";
	else if (revoked_since)
		reason = "a certificate was revoked";
	if (why != NULL)
		*why = reason;
	return reason != NULL;
}

bool
ae_ca_crl_alarm(const struct ae_ca_crl_plan *last, int64_t now)
{
	return now >=
	    last->next_publish + (last->next_update - last->next_publish) / 2;
}
