/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The signer's judgement.  It trusts nothing it is told but its own
 * configuration and clock.
 */
#include "ca/signcheck.h"

#include <string.h>
#include <time.h>

#include "base/breaks.h"
#include "ca/decide.h"
#include "ca/lint.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/oid.h"

static int
refuse(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0, "not signed: %s", what);
}

static int
check_dates(const struct ae_ca_sign_config *cfg, const struct ae_cert *c,
    int64_t now, struct ae_err *e)
{
	const int64_t slack = AE_CA_SIGN_CLOCK_SLACK;

	if (AE_BREAK(sign_dates))
		return AE_OK;
	if (c->not_before < cfg->ca_not_before ||
	    c->not_after > cfg->ca_not_after)
		return refuse(e, "validity outside the CA certificate's");
	if (c->not_before > now + cfg->max_postdate + slack)
		return refuse(e, "it begins in the future");
	if (c->not_before < now - cfg->max_backdate - slack &&
	    c->not_before != cfg->ca_not_before)
		return refuse(e, "it begins too far in the past");
	if (c->not_after <= now - slack || c->not_after <= c->not_before)
		return refuse(e, "it has ended already");
	if (cfg->max_lifetime > 0 &&
	    c->not_after - c->not_before > cfg->max_lifetime)
		return refuse(e, "it lives longer than allowed");
	return AE_OK;
}

static int
check_key(const struct ae_ca_sign_config *cfg, const struct ae_cert *c,
    struct ae_err *e)
{
	const struct ae_key_policy policy = { .rsa_min = cfg->rsa_bits_min,
		.rsa_max = cfg->rsa_bits_max,
		.ec_min = 256 };
	struct ae_key *k = NULL;
	int rc;

	rc = ae_key_from_spki(&k, c->spki.p, c->spki.len, e);
	if (rc == AE_OK)
		rc = ae_key_check(k, &policy, e);
	ae_key_free(k);
	return rc == AE_OK || rc == AE_ENOMEM
	    ? rc
	    : ae_note(e, AE_EDENIED, "not signed: the subject's key");
}

int
ae_ca_sign_check(const struct ae_ca_sign_config *cfg, const void *tbs,
    size_t len, int64_t now, struct ae_err *e)
{
	struct ae_ca_signing which;

	return ae_ca_sign_check_which(&which, cfg, tbs, len, now, e);
}

int
ae_ca_sign_check_which(struct ae_ca_signing *out,
    const struct ae_ca_sign_config *cfg, const void *tbs, size_t len,
    int64_t now, struct ae_err *e)
{
	struct ae_cert *c = NULL;
	int rc;

	if (len > AE_CA_TBS_MAX)
		return refuse(e, "too large");
	rc = ae_cert_parse_tbs(&c, tbs, len, e);
	if (rc != AE_OK)
		return rc == AE_ENOMEM ? rc : ae_note(e, AE_EPROTO, "signing");
	if (!ae_der_equal(c->issuer, cfg->issuer) && !AE_BREAK(sign_issuer))
		rc = refuse(e, "another issuer");
	else if (!ae_der_equal(c->x.aki, cfg->keyid))
		rc = refuse(e, "another key of the issuer");
	else if (!ae_sigalg_equal(&c->sigalg, &cfg->sigalg))
		rc = refuse(e, "another signature algorithm");
	else if (!AE_BREAK(f24_instance) &&
	    (c->serial.len != AE_CA_SERIAL_LEN ||
		c->serial.p[0] != cfg->serial_instance))
		rc = refuse(e, "a serial number that is not this CA's");
	else
		rc = ae_ca_lint_rules(c, &cfg->more_extensions, e);
	if (rc == AE_OK)
		rc = check_dates(cfg, c, now, e);
	if (rc == AE_OK)
		rc = check_key(cfg, c, e);
	if (rc == AE_OK) {
		out->not_after = c->not_after;
		out->serial_len = c->serial.len < sizeof(out->serial)
		    ? c->serial.len
		    : sizeof(out->serial);
		memcpy(out->serial, c->serial.p, out->serial_len);
	}
	ae_cert_free(c);
	return rc;
}

static int
judge_crl(const struct ae_ca_sign_config *cfg, const struct ae_crl *c,
    int64_t now, struct ae_err *e)
{
	const int64_t slack = AE_CA_SIGN_CLOCK_SLACK;
	int64_t most;

	if (!ae_der_equal(c->issuer, cfg->issuer))
		return refuse(e, "another issuer");
	if (!ae_der_equal(c->aki, cfg->keyid))
		return refuse(e, "another key of the issuer");
	if (!ae_sigalg_equal(&c->sigalg, &cfg->sigalg))
		return refuse(e, "another signature algorithm");
	if (!c->has_number ||
	    (c->has_base_number &&
		(cfg->max_delta_lifetime == 0 || c->base_number < 1 ||
		    c->base_number >= c->number)))
		return refuse(e, "a CRL without number, or a delta of none");
	if (c->this_update > now + slack ||
	    c->this_update < now - cfg->max_backdate - slack)
		return refuse(e, "a CRL not of this time");
	if (c->next_update <= c->this_update || c->next_update <= now)
		return refuse(e, "a CRL that has ended already");
	if (c->next_update > cfg->ca_not_after)
		return refuse(e, "a CRL that outlives the CA certificate");
	most = c->has_base_number ? cfg->max_delta_lifetime
				  : cfg->max_crl_lifetime;
	if (most > 0 && c->next_update - c->this_update > most)
		return refuse(e, "a CRL that lives longer than allowed");
	return AE_OK;
}

/* The list, as far as it was not looked at byte by byte before. */
static int
judge_entries(
    const struct ae_crl_parts *p, bool delta, int64_t now, struct ae_err *e)
{
	const time_t most = (time_t)(now + AE_CA_SIGN_CLOCK_SLACK);
	char limit[16];
	struct tm tm;

	if (p->removes && !delta)
		return refuse(e, "a base CRL with entries of a delta");
	if (gmtime_r(&most, &tm) == NULL ||
	    strftime(limit, sizeof(limit), "%Y%m%d%H%M%S", &tm) == 0)
		return refuse(e, "no time of day");
	if (strcmp(p->newest, limit) > 0)
		return refuse(e, "a revocation of the future");
	return AE_OK;
}

int
ae_ca_sign_check_crl(const struct ae_ca_sign_config *cfg,
    struct ae_crl_parts *parts, const void *tail, size_t len, int64_t now,
    struct ae_err *e)
{
	struct ae_crl *c = NULL;
	int rc;

	rc = ae_crl_parts_tail(parts, tail, len, &c, e);
	if (rc != AE_OK)
		return rc == AE_ENOMEM ? rc : ae_note(e, AE_EPROTO, "signing");
	rc = judge_crl(cfg, c, now, e);
	if (rc == AE_OK)
		rc = judge_entries(parts, c->has_base_number, now, e);
	ae_crl_free(c);
	return rc;
}

/* One Attribute with one value that is already an element. */
static void
put_attr(struct ae_wr *w, const char *oid, const struct ae_wr *value)
{
	size_t seq, set;

	seq = ae_der_open(w, AE_DER_SEQUENCE);
	(void)ae_der_oid(w, oid);
	set = ae_der_open(w, AE_DER_SET);
	ae_wr_bytes(w, value->p, value->len);
	ae_der_close(w, set);
	ae_der_close(w, seq);
}

/* The only attributes that are signed, with a digest of zeros last. */
static void
expected_attrs(struct ae_wr *w, size_t digest_len)
{
	static const uint8_t zeros[AE_HASH_MAX];
	struct ae_wr value;
	size_t set;

	ae_wr_init(&value, 128);
	set = ae_der_open(w, AE_DER_SET);
	(void)ae_der_oid(&value, AE_OID_CMC_PKI_RESPONSE);
	put_attr(w, "1.2.840.113549.1.9.3", &value);
	ae_wr_reset(&value);
	ae_der_put(&value, AE_DER_OCTETS, zeros, digest_len);
	put_attr(w, "1.2.840.113549.1.9.4", &value);
	ae_der_close(w, set);
	if (!ae_wr_ok(&value))
		w->bad = true;
	ae_wr_done(&value);
}

int
ae_ca_sign_check_response(const struct ae_ca_sign_config *cfg,
    const void *attrs, size_t len, struct ae_err *e)
{
	static const size_t digests[] = { [AE_HASH_SHA256] = 32,
		[AE_HASH_SHA384] = 48,
		[AE_HASH_SHA512] = 64 };
	const size_t hash = (size_t)cfg->sigalg.hash;
	size_t n = 0;
	struct ae_wr w;
	int rc = AE_OK;

	if (hash < sizeof(digests) / sizeof(digests[0]))
		n = digests[hash];
	if (n == 0)
		return refuse(e, "no hash for responses");
	ae_wr_init(&w, 512);
	expected_attrs(&w, n);
	if (!ae_wr_ok(&w))
		rc = ae_fail_mem(e);
	else if (len != w.len || memcmp(attrs, w.p, w.len - n) != 0)
		rc = refuse(e, "not the attributes of a CMC response");
	ae_wr_done(&w);
	return rc;
}
