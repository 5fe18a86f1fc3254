/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See fixture.h.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/name.h"
#include "pki/oid.h"
#include "pki/tbs.h"

#define MUST(x)                                                              \
	do {                                                                 \
		if (!(x)) {                                                  \
			fprintf(stderr, "fixture: %s: %s\n", #x, f->e.text); \
			abort();                                             \
		}                                                            \
	} while (0)

static void
make_ca(struct fx *f)
{
	const struct ae_name_part parts[] = { { "DC", "com" },
		{ "DC", "example" }, { "CN", "Example CA" } };
	static const uint8_t serial[] = { 0x11, 0x22 };
	struct ae_tbs tbs;
	struct ae_wr name, cert;

	MUST(ae_key_generate(&f->ca_key, AE_KEY_EC, 256, &f->e) == AE_OK);
	MUST(ae_key_generate(&f->key, AE_KEY_EC, 256, &f->e) == AE_OK);
	ae_wr_init(&name, 1024);
	ae_wr_init(&cert, 8192);
	MUST(ae_name_encode(&name, parts, 3, &f->e) == AE_OK);
	MUST(ae_tbs_root(&tbs, f->ca_key, AE_HASH_SHA256,
		 (struct ae_der){ name.p, name.len },
		 (struct ae_der){ serial, sizeof(serial) }, FX_NOW - 86400,
		 FX_NOW + INT64_C(3650) * 86400, f->ca_ski, &f->e) == AE_OK);
	MUST(ae_tbs_sign(&cert, &tbs, f->ca_key, &f->e) == AE_OK);
	MUST(ae_cert_parse(&f->ca_cert, cert.p, cert.len, &f->e) == AE_OK);
	ae_wr_done(&name);
	ae_wr_done(&cert);
}

static void
make_caller(struct fx *f)
{
	static const char *const more[] = { "S-1-1-0", "S-1-5-2", "S-1-5-11" };
	struct ae_caller *c = &f->caller;
	size_t i;

	MUST(ae_sid_parse(&f->user, "S-1-5-21-1-2-3-1104"));
	MUST(ae_sid_parse(&f->computers, "S-1-5-21-1-2-3-515"));
	MUST(ae_sid_parse(&f->admins, "S-1-5-21-1-2-3-512"));
	*c = (struct ae_caller){
		.user = f->user, .sids = f->sids, .from = f->from
	};
	f->sids[c->nsids++] = f->user;
	f->sids[c->nsids++] = f->computers;
	for (i = 0; i < 3; i++)
		MUST(ae_sid_parse(&f->sids[c->nsids++], more[i]));
	ae_sid_sort(f->sids, c->nsids);
	(void)ae_sid_parse(&c->domain_sid, "S-1-5-21-1-2-3");
	c->account = strcpy(f->account, "PC1$");
	c->netbios = strcpy(f->netbios, "EXAMPLE");
	c->dns_domain = strcpy(f->domain, "example.com");
	c->realm = strcpy(f->realm, "EXAMPLE.COM");
	c->principal = strcpy(f->principal, "PC1$@EXAMPLE.COM");
}

static struct ae_sd *
make_sd(struct fx *f, uint32_t mask, const struct ae_guid *right)
{
	struct ae_sd *sd = ae_sd_new();

	MUST(sd != NULL);
	MUST(ae_sd_allow(sd, 0, mask, right, &f->computers, &f->e) == AE_OK);
	MUST(ae_sd_allow(sd, 0, AE_ACCESS_FULL, NULL, &f->admins, &f->e) ==
	    AE_OK);
	return sd;
}

static void
set_text(char **p, const char *s)
{
	free(*p);
	*p = s == NULL ? NULL : strdup(s);
}

static void
clear_template(struct ae_template *t)
{
	free(t->cn);
	free(t->oid);
	free(t->algorithms.asymmetric);
	free(t->key_usage.p);
	ae_strv_done(&t->ekus);
	ae_strv_done(&t->application_policies);
	ae_strv_done(&t->certificate_policies);
	ae_strv_done(&t->critical_extensions);
	ae_sd_free(t->sd);
	*t = (struct ae_template){ 0 };
}

static void
make_template(
    struct fx *f, struct ae_template *t, const char *cn, const char *oid)
{
	set_text(&t->cn, cn);
	set_text(&t->oid, oid);
	t->schema_version = 2;
	t->revision = 100;
	t->minor_revision = 3;
	t->flags = AE_CT_MACHINE_TYPE;
	t->name_flag = AE_CT_SAN_DNS | AE_CT_SUBJECT_DNS_AS_CN;
	t->enrollment_flag = AE_CT_AUTO_ENROLLMENT;
	t->min_key_size = 256;
	t->max_issuing_depth = 0;
	t->validity = 365 * 86400;
	t->overlap = 42 * 86400;
	t->key_usage.p = malloc(2);
	MUST(t->key_usage.p != NULL);
	t->key_usage.p[0] = AE_KU_DIGITAL_SIGNATURE;
	t->key_usage.p[1] = 0;
	t->key_usage.len = 2;
	MUST(ae_strv_add(&t->ekus, AE_OID_EKU_CLIENT_AUTH));
	MUST(ae_strv_add(&t->ekus, AE_OID_EKU_SERVER_AUTH));
	MUST(ae_strv_add(&t->application_policies, AE_OID_EKU_CLIENT_AUTH));
	MUST(ae_strv_add(&t->application_policies, AE_OID_EKU_SERVER_AUTH));
	MUST(ae_strv_add(&t->critical_extensions, AE_OID_KEY_USAGE));
	t->sd = make_sd(f, AE_ACCESS_CONTROL, &ae_right_enroll);
}

static void
make_config(struct fx *f)
{
	struct ae_ca_config *c = &f->cfg;
	const struct ae_sd *old = c->sd;
	struct ae_sd *sd = make_sd(f, AE_CA_RIGHT_ENROLL, NULL);

	/* no generic or standard rights there: these are a CA's own */
	ae_sd_remove(sd, 1);
	MUST(ae_sd_allow(sd, 0, AE_CA_RIGHT_OFFICER | AE_CA_RIGHT_ENROLL, NULL,
		 &f->admins, &f->e) == AE_OK);
	(void)old;
	ae_strv_done(&c->any_host_names);
	ae_strv_done(&c->cdp_urls);
	ae_strv_done(&c->aia_urls);
	ae_strv_done(&c->ocsp_urls);
	*c = (struct ae_ca_config){ .name = "Example CA",
		.dns_name = "ca1.example.com",
		.cert = f->ca_cert,
		.sd = sd,
		.max_validity = 2 * 365 * 86400,
		.clock_skew = AE_CA_SKEW_DEFAULT,
		.repeat_window = AE_CA_REPEAT_WINDOW_DEFAULT,
		.serial_instance = 0x1f,
		.request_disposition = AE_REQDISP_ISSUE,
		.sigalg = ae_key_sigalg(f->ca_key, AE_HASH_SHA256),
		.rsa_bits_min = 2048,
		.rsa_bits_max = 4096 };
	/* what those who do not ask about ESC17 want */
	MUST(ae_strv_add(&c->any_host_names, "*"));
	MUST(ae_strv_add(&c->cdp_urls, "http://ca1.example.com/ca.crl"));
	MUST(ae_strv_add(&c->aia_urls, "http://ca1.example.com/ca.crt"));
}

static void
clear(struct fx *f)
{
	union {
		const struct ae_sd *c;
		struct ae_sd *v;
	} sd = { .c = f->cfg.sd };

	clear_template(&f->t);
	clear_template(&f->other);
	ae_strv_done(&f->published);
	ae_sd_free(sd.v);
	f->cfg.sd = NULL;
	ae_strv_done(&f->cfg.any_host_names);
	ae_strv_done(&f->cfg.cdp_urls);
	ae_strv_done(&f->cfg.aia_urls);
	ae_strv_done(&f->cfg.ocsp_urls);
}

bool
fx_begin(struct fx *f)
{
	memset(f, 0, sizeof(*f));
	f->a = ae_arena_new(1 << 20);
	MUST(f->a != NULL);
	make_ca(f);
	ae_wr_init(&f->csr, 1 << 17);
	fx_reset(f);
	return true;
}

void
fx_end(struct fx *f)
{
	clear(f);
	ae_wr_done(&f->csr);
	ae_cert_free(f->ca_cert);
	ae_key_free(f->ca_key);
	ae_key_free(f->key);
	ae_arena_free(f->a);
}

void
fx_reset(struct fx *f)
{
	size_t i;

	clear(f);
	make_caller(f);
	make_template(f, &f->t, "Workstation", "1.3.6.1.4.1.311.21.8.1.2.3");
	make_template(f, &f->other, "Other", "1.3.6.1.4.1.311.21.8.1.2.4");
	MUST(ae_strv_add(&f->published, "Workstation"));
	MUST(ae_strv_add(&f->published, "Other"));
	make_config(f);
	f->templates[0] = &f->t;
	f->templates[1] = &f->other;
	f->set = (struct ae_ca_templates){
		.v = f->templates, .n = 2, .published = &f->published
	};
	f->answers = (struct ae_ca_answers){ .answered = AE_CA_ASK_REQUESTER |
		    AE_CA_ASK_DNS_OWNERS | AE_CA_ASK_ROW_SAME |
		    AE_CA_ASK_ROW_ID | AE_CA_ASK_ROW_SERIAL,
		.requester = { .found = true,
		    .is_computer = true,
		    .sid = f->user,
		    .guid = { 1, 2, 3, { 4, 5, 6, 7, 8, 9, 10, 11 } },
		    .dn = "CN=PC1,CN=Computers,DC=example,DC=com",
		    .cn = "PC1",
		    .dns_host_name = "pc1.example.com",
		    .mail = "pc1@example.com",
		    .upn = "PC1$@example.com",
		    .domain_dns = "example.com",
		    .domain_netbios = "EXAMPLE" } };
	f->row = (struct ae_db_request){ .id = 42,
		.disp = AE_DB_ISSUED,
		.sid = "S-1-5-21-1-2-3-1104",
		.attrs = "CertificateTemplate:Workstation",
		.message = "Issued",
		.cert = (const uint8_t *)"certificate",
		.cert_len = 11,
		.submitted = FX_NOW - 60,
		.resolved = FX_NOW - 60,
		.not_after = FX_NOW + 86400 };
	for (i = 0; i < sizeof(f->random); i++)
		f->random[i] = (uint8_t)(0xa0 + i);
	f->csr_spec = (struct ae_csr_spec){ .hash = AE_HASH_SHA256 };
	f->rq = (struct ae_wcce_request){ .iface = AE_WCCE_ICERTPASSAGE,
		.call = AE_WCCE_CALL_REQUEST,
		.authority = "Example CA",
		.attributes = "CertificateTemplate:Workstation" };
	f->in = (struct ae_ca_input){ .request = &f->rq,
		.caller = &f->caller,
		.templates = &f->set,
		.config = &f->cfg,
		.answers = &f->answers,
		.now = FX_NOW,
		.random = f->random };
	fx_csr(f);
}

void
fx_csr_with(struct fx *f, const struct ae_key *k)
{
	ae_wr_reset(&f->csr);
	MUST(ae_csr_build(&f->csr, &f->csr_spec, k, &f->e) == AE_OK);
	f->rq.csr = (struct ae_wcce_blob){ f->csr.p, f->csr.len };
}

void
fx_csr(struct fx *f)
{
	fx_csr_with(f, f->key);
}

void
fx_decide(struct fx *f)
{
	ae_arena_reset(f->a);
	MUST(ae_ca_decide(&f->d, &f->in, f->a, &f->e) == AE_OK);
}

const struct ae_ca_reason *
fx_stop(const struct fx *f)
{
	return &f->d.reasons[f->d.nreasons - 1];
}

bool
fx_has_reason(const struct fx *f, const char *check)
{
	size_t i;

	for (i = 0; i < f->d.nreasons; i++)
		if (strcmp(f->d.reasons[i].check, check) == 0)
			return true;
	return false;
}
