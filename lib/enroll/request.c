/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests; see request.h.
 */
#include "enroll/request.h"

#include <stdlib.h>
#include <string.h>

#include "pki/csr.h"
#include "pki/name.h"
#include "pki/request.h"

/* RequestClientInfo's ClientId, MS-WCCE 2.2.2.7.4 and its note. */
#define CLIENT_AUTOENROLL 6u
#define CLIENT_EOBO 8u
#define CLIENT_CERTREQ 9u

/* The version we name in OS_VERSION: any "major.minor.build.platform". */
#define OS_VERSION "10.0.20348.2"

static void
template_extensions(struct ae_exts *x, const struct ae_template *t)
{
	if (t->schema_version < 2 || t->oid == NULL) {
		x->template_name = t->cn;
	} else {
		x->template_oid = t->oid;
		x->has_template_major = x->has_template_minor = true;
		x->template_major = t->revision;
		x->template_minor = t->minor_revision;
	}
	x->eku = t->ekus;
	x->app_policies = t->application_policies;
	x->cert_policies = t->certificate_policies;
	x->critical = t->critical_extensions;
	if (t->key_usage.len > 0) {
		x->has_key_usage = true;
		x->key_usage = t->key_usage.p[0];
		if (t->key_usage.len > 1)
			x->key_usage |= (uint16_t)(t->key_usage.p[1] << 8);
	}
}

static int
alternative_names(struct ae_exts *x, struct ae_san **out,
    const struct ae_wanted_names *n, struct ae_err *e)
{
	size_t i, total = n->dns.n + n->upn.n;
	struct ae_san *v;

	if (total == 0)
		return AE_OK;
	if (total > AE_EXT_LIST_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d names", AE_EXT_LIST_MAX);
	v = calloc(total, sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n->dns.n; i++)
		v[i] =
		    (struct ae_san){ .type = AE_SAN_DNS, .text = n->dns.v[i] };
	for (i = 0; i < n->upn.n; i++)
		v[n->dns.n + i] =
		    (struct ae_san){ .type = AE_SAN_UPN, .text = n->upn.v[i] };
	x->sans = *out = v;
	x->nsans = total;
	return AE_OK;
}

enum ae_hash
ae_enroll_request_hash(const struct ae_template *t)
{
	const char *name = t->algorithms.hash;

	if (name != NULL && ae_str_eq_nocase(name, "SHA384"))
		return AE_HASH_SHA384;
	if (name != NULL && ae_str_eq_nocase(name, "SHA512"))
		return AE_HASH_SHA512;
	return AE_HASH_SHA256; /* SHA-1 in a template is not obeyed */
}

/* What goes around the PKCS#10, if anything. */
static int
wrap(struct ae_wr *w, const struct ae_request_input *in,
    const struct ae_wr *p10, struct ae_err *e)
{
	struct ae_pair requester = { "requestername", in->requester };
	struct ae_request_spec s = {
		.pkcs10 = { p10->p, p10->len },
		.key = in->key,
		.hash = ae_enroll_request_hash(in->tmpl),
		.pss = (in->tmpl->private_key_flag &
			   AE_CT_REQUIRE_ALTERNATE_SIGNATURE) != 0,
		.reginfo = &requester,
		.nreginfo = in->requester != NULL ? 1 : 0,
		.old_key = in->old.key,
		.old_cert = in->old.cert,
		.agent_key = in->agent.key,
		.agent_cert = in->agent.cert,
		.archived_key = in->archived_key,
	};

	if (in->tmpl->schema_version >= 2 || in->agent.cert != NULL ||
	    in->archived_key.p != NULL)
		return ae_request_build_cmc(w, &s, e);
	if (in->old.cert != NULL)
		return ae_request_build_cms(w, &s, e);
	ae_wr_bytes(w, p10->p, p10->len);
	return AE_OK;
}

static uint32_t
client_id(const struct ae_request_input *in)
{
	if (in->requester != NULL)
		return CLIENT_EOBO;
	return in->automatic ? CLIENT_AUTOENROLL : CLIENT_CERTREQ;
}

/*
 * MS-WCCE 3.1.2.4.2.2.2.10: a template whose names come from the old
 * certificate gets them with the renewal; so does one that wants them
 * supplied when nobody supplied any.
 */
static void
old_names(struct ae_csr_spec *csr, const struct ae_request_input *in)
{
	const uint32_t supplied = AE_CT_OLD_CERT_SUPPLIES_SUBJECT |
	    AE_CT_ENROLLEE_SUPPLIES_SUBJECT | AE_CT_ENROLLEE_SUPPLIES_SAN;

	if (in->old.cert == NULL || (in->tmpl->name_flag & supplied) == 0)
		return;
	if (csr->subject.p == NULL)
		csr->subject = in->old.cert->subject;
	if (csr->x.nsans == 0) {
		csr->x.sans = in->old.cert->x.sans;
		csr->x.nsans = in->old.cert->x.nsans;
	}
}

int
ae_enroll_request_build(
    struct ae_wr *w, const struct ae_request_input *in, struct ae_err *e)
{
	const struct ae_template *t = in->tmpl;
	struct ae_csr_spec csr = { 0 };
	struct ae_san *sans = NULL;
	struct ae_wr subject, p10;
	int rc = AE_OK;

	ae_wr_init(&subject, AE_PKI_NAME_MAX);
	ae_wr_init(&p10, AE_PKI_REQUEST_MAX);
	csr.os_version = OS_VERSION;
	csr.client.client_id = client_id(in);
	csr.client.machine = in->machine;
	csr.client.user = in->user;
	csr.client.process = in->process;
	csr.hash = ae_enroll_request_hash(t);
	csr.pss =
	    (t->private_key_flag & AE_CT_REQUIRE_ALTERNATE_SIGNATURE) != 0;
	csr.ms_extensions = true;
	template_extensions(&csr.x, t);
	if (in->old.cert != NULL)
		csr.renewal_cert = in->old.cert->der;
	if (in->names.subject != NULL) {
		rc = ae_name_from_text(&subject, in->names.subject, e);
		if (rc != AE_OK)
			goto out;
		csr.subject = (struct ae_der){ subject.p, subject.len };
	}
	rc = alternative_names(&csr.x, &sans, &in->names, e);
	if (rc != AE_OK)
		goto out;
	old_names(&csr, in);
	rc = ae_csr_build(&p10, &csr, in->key, e);
	if (rc == AE_OK)
		rc = wrap(w, in, &p10, e);
	if (rc == AE_OK && !ae_wr_ok(w))
		rc = ae_fail_mem(e);
out:
	free(sans);
	ae_wr_done(&p10);
	ae_wr_done(&subject);
	return rc == AE_OK
	    ? AE_OK
	    : ae_note(e, rc, "building the request for %s", t->cn);
}

void
ae_enroll_request_attributes(struct ae_wr *w, const struct ae_template *t)
{
	ae_wr_printf(w, "CertificateTemplate:%s", t->cn);
}
