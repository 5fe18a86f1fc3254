/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * For the lab: a three-leg handshake with real tickets; the accepted context
 * says who its caller is, is moved (exported and imported) and seals a message
 * each way.  The caller is printed, one "name value" a line.
 *
 *	gss_caller krb5|spnego CLIENT_KEYTAB PRINCIPAL SERVICE_KEYTAB SPN
 */
#include <stdio.h>
#include <string.h>

#include "gss/caller.h"
#include "gss/cred.h"
#include "gss/ctx.h"

static const struct {
	uint8_t bit;
	const char *name;
} sources[] = {
	{ AE_CALLER_FROM_USER, "user" },
	{ AE_CALLER_FROM_PRIMARY, "primary" },
	{ AE_CALLER_FROM_GROUPS, "groups" },
	{ AE_CALLER_FROM_EXTRA, "extra" },
	{ AE_CALLER_FROM_RESOURCE, "resource" },
	{ AE_CALLER_FROM_WELL_KNOWN, "well-known" },
};

static int
shake(struct ae_gss_ctx *i, struct ae_gss_ctx *a, struct ae_err *e)
{
	bool idone = false, adone = false;
	struct ae_wr there, back;
	int rc = AE_OK;

	ae_wr_init(&there, AE_GSS_TOKEN_MAX);
	ae_wr_init(&back, AE_GSS_TOKEN_MAX);
	while (rc == AE_OK && !(idone && adone)) {
		ae_wr_reset(&there);
		rc = ae_gss_step(i, back.p, back.len, &there, &idone, e);
		ae_wr_reset(&back);
		if (rc == AE_OK && !adone)
			rc = ae_gss_step(
			    a, there.p, there.len, &back, &adone, e);
	}
	ae_wr_wipe(&there);
	ae_wr_wipe(&back);
	return rc;
}

static int
move(struct ae_gss_ctx **ctx, struct ae_err *e)
{
	struct ae_secret s = { 0 };
	int rc;

	rc = ae_gss_export(*ctx, &s, e);
	ae_gss_ctx_free(*ctx);
	*ctx = NULL;
	if (rc == AE_OK)
		rc = ae_gss_import(ctx, s.p, s.len, e);
	ae_secret_done(&s);
	return rc;
}

static int
one_message(struct ae_gss_ctx *from, struct ae_gss_ctx *to, struct ae_err *e)
{
	uint8_t hdr[24] = { 5 }, trailer[8] = { 0 }, data[48] = "message";
	uint8_t token[AE_GSS_SIG_MAX];
	struct ae_gss_pdu pdu = { hdr, sizeof(hdr), data, sizeof(data), trailer,
		sizeof(trailer), token, ae_gss_sig_len(from), true };
	int rc = ae_gss_protect(from, &pdu, e);

	return rc == AE_OK ? ae_gss_unprotect(to, &pdu, e) : rc;
}

static void
print(const struct ae_caller *c, const struct ae_gss_ctx *ctx)
{
	char sid[AE_SID_STR_MAX];
	size_t i, j;

	printf("principal %s\naccount %s\nnetbios %s\ndns_domain %s\n",
	    c->principal, c->account, c->netbios, c->dns_domain);
	printf("realm %s\nupn %s\nuac 0x%x\nauth_time %lld\n", c->realm,
	    c->upn != NULL ? c->upn : "-", c->uac, (long long)c->auth_time);
	printf("delegated %d\nenctype %d\nuser %s\n", c->delegated,
	    ae_gss_ctx_enctype(ctx), ae_sid_print(sid, &c->user));
	for (i = 0; i < c->nsids; i++) {
		printf("sid %s", ae_sid_print(sid, &c->sids[i]));
		for (j = 0; j < sizeof(sources) / sizeof(sources[0]); j++)
			if ((c->from[i] & sources[j].bit) != 0)
				printf(" %s", sources[j].name);
		printf("\n");
	}
}

static int
run(char **argv, struct ae_err *e)
{
	struct ae_gss_service sc = { .keytab = argv[4] };
	struct ae_gss_initiator ic = {
		.level = AE_GSS_PRIVACY, .target = argv[5], .dce = true
	};
	struct ae_gss_acceptor ac = { .level = AE_GSS_PRIVACY };
	struct ae_gss_cred *client = NULL, *service = NULL;
	struct ae_gss_ctx *i = NULL, *a = NULL;
	struct ae_caller *c = NULL;
	int rc;

	ic.mech = ac.mech =
	    strcmp(argv[1], "spnego") == 0 ? AE_GSS_SPNEGO : AE_GSS_KRB5;
	rc = ae_gss_cred_keytab(&client, argv[2], argv[3], "MEMORY:lab", e);
	if (rc == AE_OK)
		rc = ae_gss_cred_service(&service, &sc, e);
	if (rc == AE_OK)
		rc = ae_gss_ctx_initiate(&i, client, &ic, e);
	if (rc == AE_OK)
		rc = ae_gss_ctx_accept(&a, service, &ac, e);
	if (rc == AE_OK)
		rc = shake(i, a, e);
	if (rc == AE_OK)
		rc = ae_caller_get(&c, a, e);
	if (rc == AE_OK)
		rc = move(&a, e);
	if (rc == AE_OK)
		rc = one_message(i, a, e);
	if (rc == AE_OK)
		rc = one_message(a, i, e);
	if (rc == AE_OK)
		print(c, a);
	ae_caller_free(c);
	ae_gss_ctx_free(i);
	ae_gss_ctx_free(a);
	ae_gss_cred_free(client);
	ae_gss_cred_free(service);
	return rc;
}

int
main(int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;

	if (argc != 6) {
		(void)fprintf(stderr,
		    "usage: gss_caller krb5|spnego CLIENT_KEYTAB PRINCIPAL "
		    "SERVICE_KEYTAB SPN\n");
		return 2;
	}
	if (run(argv, &e) != AE_OK) {
		(void)fprintf(stderr, "%s: %s\n", ae_rc_name(e.rc), e.text);
		return 1;
	}
	return 0;
}
