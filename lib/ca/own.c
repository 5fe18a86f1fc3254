/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Making and judging a CA's own certificates.
 */
#include "ca/own.h"

#include <string.h>

#include "pki/name.h"
#include "pki/tbs.h"
#include "pki/verify.h"

#define SUBCA "SubCA" /* the template, MS-CRTD's default of this name */
#define CROSS_CA "CrossCA"
#define RSA_MIN 2048
#define RSA_MAX 16384
#define EC_MIN 256
#define DEPTH_MAX 10

static int
refuse(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0, "%s", what);
}

static void
positive(uint8_t out[AE_CA_OWN_SERIAL], const uint8_t in[AE_CA_OWN_SERIAL])
{
	memcpy(out, in, AE_CA_OWN_SERIAL);
	out[0] = (uint8_t)((out[0] & 0x3f) | 0x40);
}

/* What every certificate of a CA says; RFC 5280 4.2.1.9, 4.2.1.3. */
static void
ca_exts(struct ae_exts *x, int path_len)
{
	x->has_key_usage = true;
	x->key_usage =
	    AE_KU_DIGITAL_SIGNATURE | AE_KU_KEY_CERT_SIGN | AE_KU_CRL_SIGN;
	x->has_basic_constraints = true;
	x->ca = true;
	x->path_len = path_len;
}

/* Version and predecessor, MS-WCCE 3.2.1.4.3.2.39; hash has room for SHA-1. */
static void
own_exts(struct ae_exts *x, const struct ae_ca_own *s, uint8_t hash[20])
{
	ca_exts(x, s->path_len);
	x->has_ca_version = true;
	x->ca_version = s->version;
	if (s->previous != NULL) {
		ae_cert_sha1(hash, s->previous);
		x->previous_cert_hash = (struct ae_der){ hash, 20 };
	}
}

int
ae_ca_own_root(struct ae_wr *der, const struct ae_ca_own *s,
    const struct ae_key *k, const uint8_t serial[AE_CA_OWN_SERIAL],
    int64_t not_before, int64_t not_after, struct ae_err *e)
{
	uint8_t keyid[AE_KEY_ID_LEN], number[AE_CA_OWN_SERIAL], hash[20];
	struct ae_tbs tbs;
	int rc;

	positive(number, serial);
	rc = ae_tbs_root(&tbs, k, s->hash, s->name,
	    (struct ae_der){ number, sizeof(number) }, not_before, not_after,
	    keyid, e);
	if (rc != AE_OK)
		return rc;
	own_exts(&tbs.x, s, hash);
	return ae_tbs_sign(der, &tbs, k, e);
}

int
ae_ca_own_request(struct ae_wr *der, const struct ae_ca_own *s,
    const struct ae_key *k, struct ae_err *e)
{
	struct ae_csr_spec spec = { .subject = s->name, .hash = s->hash };
	uint8_t keyid[AE_KEY_ID_LEN], hash[20];
	int rc = ae_key_id(keyid, k, e);

	if (rc != AE_OK)
		return rc;
	own_exts(&spec.x, s, hash);
	spec.x.template_name = SUBCA;
	spec.x.ski = (struct ae_der){ keyid, sizeof(keyid) };
	return ae_csr_build(der, &spec, k, e);
}

/* May a CA like this be issued under that one? */
static int
check_request(
    const struct ae_ca_issue *s, const struct ae_csr *csr, struct ae_err *e)
{
	const struct ae_key_policy policy = {
		.rsa_min = RSA_MIN, .rsa_max = RSA_MAX, .ec_min = EC_MIN
	};
	const struct ae_cert *ca = s->issuer;
	int rc = ae_csr_verify(csr, e);

	if (rc != AE_OK)
		return rc;
	if (!csr->x.has_basic_constraints || !csr->x.ca)
		return refuse(e, "the request is not for a CA's certificate");
	if (ae_name_is_empty(csr->subject))
		return refuse(e, "the request has no name");
	if (ae_name_equal(csr->subject, ca->subject))
		return refuse(
		    e, "the request has the name of the issuer itself");
	if (ae_cert_has_key(ca, csr->key))
		return refuse(
		    e, "the request has the key of the issuer itself");
	if (!ca->x.ca)
		return refuse(e, "the issuer is no CA");
	if (ca->x.path_len == 0)
		return refuse(
		    e, "the issuer may not issue to CAs (path length 0)");
	if (ca->x.path_len > 0 && s->path_len >= ca->x.path_len)
		return refuse(
		    e, "a path length that the issuer's does not leave");
	if (s->not_after > ca->not_after)
		return refuse(e, "it would outlive the issuer");
	return ae_key_check(csr->key, &policy, e);
}

int
ae_ca_own_issue(struct ae_wr *der, const struct ae_ca_issue *s,
    const struct ae_csr *csr, const uint8_t serial[AE_CA_OWN_SERIAL],
    struct ae_err *e)
{
	uint8_t ski[AE_KEY_ID_LEN], aki[AE_KEY_ID_LEN];
	uint8_t number[AE_CA_OWN_SERIAL];
	struct ae_tbs t = { .serial = { number, sizeof(number) },
		.sigalg = ae_key_sigalg(s->key, s->hash),
		.issuer = s->issuer->subject,
		.subject = csr->subject,
		.not_before = s->not_before,
		.not_after = s->not_after,
		.spki = csr->spki };
	int path_len = s->path_len, rc = check_request(s, csr, e);

	positive(number, serial);
	/* One below the issuer's when nothing else is said. */
	if (path_len < 0 && s->issuer->x.path_len > 0)
		path_len = s->issuer->x.path_len - 1;
	ca_exts(&t.x, path_len);
	t.x.has_ca_version = csr->x.has_ca_version;
	t.x.ca_version = csr->x.ca_version;
	t.x.previous_cert_hash = csr->x.previous_cert_hash;
	t.x.template_name = SUBCA;
	t.x.cdp = s->cdp;
	t.x.aia_issuers = s->aia;
	if (rc == AE_OK)
		rc = ae_key_id(ski, csr->key, e);
	if (rc == AE_OK)
		rc = ae_key_id(aki, s->key, e);
	t.x.ski = (struct ae_der){ ski, sizeof(ski) };
	t.x.aki = s->issuer->x.ski.len > 0
	    ? s->issuer->x.ski
	    : (struct ae_der){ aki, sizeof(aki) };
	return rc == AE_OK ? ae_tbs_sign(der, &t, s->key, e) : rc;
}

int
ae_ca_own_cross(struct ae_wr *der, const struct ae_cert *subject,
    const struct ae_cert *issuer, const struct ae_key *issuer_key,
    enum ae_hash hash, const uint8_t serial[AE_CA_OWN_SERIAL], int64_t now,
    struct ae_err *e)
{
	uint8_t number[AE_CA_OWN_SERIAL];
	struct ae_tbs t = { .serial = { number, sizeof(number) },
		.sigalg = ae_key_sigalg(issuer_key, hash),
		.issuer = issuer->subject,
		.subject = subject->subject,
		.spki = subject->spki };

	positive(number, serial);
	t.not_before = subject->not_before > issuer->not_before
	    ? subject->not_before
	    : issuer->not_before;
	t.not_after = subject->not_after < issuer->not_after
	    ? subject->not_after
	    : issuer->not_after;
	if (t.not_after <= now)
		return refuse(e, "one of both certificates has ended");
	ca_exts(&t.x, -1);
	t.x.template_name = CROSS_CA;
	t.x.ski = subject->x.ski;
	t.x.aki = issuer->x.ski;
	return ae_tbs_sign(der, &t, issuer_key, e);
}

/* ---- an answer ---- */

static const struct ae_cert *
issuer_of(const struct ae_ca_own_judge *j, const struct ae_cert *c)
{
	size_t i;

	for (i = 0; i < j->nabove; i++) {
		struct ae_key *k = NULL;
		bool is = ae_name_equal(j->above[i]->subject, c->issuer) &&
		    ae_key_from_spki(&k, j->above[i]->spki.p,
			j->above[i]->spki.len, NULL) == AE_OK &&
		    ae_cert_verify(c, k, NULL) == AE_OK;

		ae_key_free(k);
		if (is)
			return j->above[i];
	}
	return NULL;
}

/*
 * RFC 5280 4.2.1.9 counts the CAs between an issuer and the last certificate,
 * which will be one that we issue: so we count.
 */
static int
check_path(
    const struct ae_cert *c, const struct ae_ca_own_judge *j, struct ae_err *e)
{
	const struct ae_cert *up, *below = c;
	int between = 1, i;

	for (i = 0; i < DEPTH_MAX && !ae_cert_self_issued(below); i++) {
		up = issuer_of(j, below);
		if (up == NULL)
			return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
			    "its chain does not end at a root: give the "
			    "issuers above along");
		if (up->x.path_len >= 0 && up->x.path_len < between)
			return refuse(e,
			    "an issuer above leaves no room for what it would "
			    "issue (path length)");
		between++;
		below = up;
	}
	return AE_OK;
}

static int
check_itself(
    const struct ae_cert *c, const struct ae_ca_own_judge *j, struct ae_err *e)
{
	const uint16_t usage = AE_KU_KEY_CERT_SIGN | AE_KU_CRL_SIGN;

	if (!ae_cert_has_key(c, j->key))
		return refuse(e, "it is for another key");
	if (!ae_name_equal(c->subject, j->name))
		return refuse(e, "it is for another name");
	if (!c->x.has_basic_constraints || !c->x.ca)
		return refuse(e, "it is not a CA's certificate");
	if (c->x.has_key_usage && (c->x.key_usage & usage) != usage)
		return refuse(e, "it is not for signing certificates and CRLs");
	if (c->x.has_ca_version && c->x.ca_version != j->version)
		return refuse(e,
		    "it is for another place in the row of the "
		    "CA's certificates");
	if (c->sigalg.hash == AE_HASH_SHA1)
		return refuse(e, "it is signed with SHA-1");
	if (j->now > c->not_after)
		return refuse(e, "it has ended");
	return AE_OK;
}

int
ae_ca_own_judge(
    const struct ae_cert *c, const struct ae_ca_own_judge *j, struct ae_err *e)
{
	const struct ae_cert *anchors[DEPTH_MAX * 4];
	struct ae_verify v = { .anchors = anchors, .at = j->now };
	size_t i;
	int rc = check_itself(c, j, e);

	if (rc == AE_OK)
		rc = check_path(c, j, e);
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < j->nabove && v.nanchors < DEPTH_MAX * 4; i++)
		if (ae_cert_self_issued(j->above[i]))
			anchors[v.nanchors++] = j->above[i];
	v.others = (const struct ae_cert *const *)j->above;
	v.nothers = j->nabove;
	/* One for later is judged when it begins. */
	if (c->not_before > v.at)
		v.at = c->not_before;
	return ae_verify_chain(c, &v, e);
}
