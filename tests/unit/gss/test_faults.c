/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A whole life of a pair of contexts, again and again, with one allocation
 * or one call of the library failing each time: nothing leaks, nothing
 * crashes, and nothing is claimed to have worked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <string.h>

#include "realm.h"
#include "torture.h"

static int
setup(void **state)
{
	(void)state;
	realm_up();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	realm_down();
	return 0;
}

/* ---- the library's calls, the n-th failing ---- */

static unsigned int calls, fail_call;

static bool
fails(OM_uint32 *minor)
{
	if (++calls != fail_call)
		return false;
	*minor = 0;
	return true;
}

/* clang-format off */
#define WRAP(name, params, args)					\
	OM_uint32 __real_##name params;					\
	OM_uint32 __wrap_##name params;					\
	OM_uint32 __wrap_##name params					\
	{								\
		return fails(minor) ? GSS_S_FAILURE : __real_##name args;	\
	}

WRAP(gss_acquire_cred_from,
    (OM_uint32 *minor, gss_name_t n, OM_uint32 t, gss_OID_set m, gss_cred_usage_t u,
	gss_const_key_value_set_t s, gss_cred_id_t *c, gss_OID_set *a, OM_uint32 *r),
    (minor, n, t, m, u, s, c, a, r))
WRAP(gss_set_neg_mechs, (OM_uint32 *minor, gss_cred_id_t c, const gss_OID_set m),
    (minor, c, m))
WRAP(gss_set_cred_option, (OM_uint32 *minor, gss_cred_id_t *c, const gss_OID o, const gss_buffer_t v),
    (minor, c, o, v))
WRAP(gss_krb5_set_allowable_enctypes, (OM_uint32 *minor, gss_cred_id_t c, OM_uint32 n, int32_t *v),
    (minor, c, n, v))
WRAP(gss_inquire_cred, (OM_uint32 *minor, gss_cred_id_t c, gss_name_t *n, OM_uint32 *l,
	gss_cred_usage_t *u, gss_OID_set *m), (minor, c, n, l, u, m))
WRAP(gss_import_name, (OM_uint32 *minor, gss_buffer_t b, gss_OID t, gss_name_t *n),
    (minor, b, t, n))
WRAP(gss_display_name, (OM_uint32 *minor, gss_name_t n, gss_buffer_t b, gss_OID *t),
    (minor, n, b, t))
WRAP(gss_inquire_sec_context_by_oid, (OM_uint32 *minor, const gss_ctx_id_t c, const gss_OID o,
	gss_buffer_set_t *s), (minor, c, o, s))
WRAP(gss_wrap_iov_length, (OM_uint32 *minor, gss_ctx_id_t c, int f, gss_qop_t q, int *s,
	gss_iov_buffer_desc *v, int n), (minor, c, f, q, s, v, n))
WRAP(gss_wrap_iov, (OM_uint32 *minor, gss_ctx_id_t c, int f, gss_qop_t q, int *s,
	gss_iov_buffer_desc *v, int n), (minor, c, f, q, s, v, n))
WRAP(gss_unwrap_iov, (OM_uint32 *minor, gss_ctx_id_t c, int *s, gss_qop_t *q,
	gss_iov_buffer_desc *v, int n), (minor, c, s, q, v, n))
WRAP(gss_export_sec_context, (OM_uint32 *minor, gss_ctx_id_t *c, gss_buffer_t b),
    (minor, c, b))
WRAP(gss_import_sec_context, (OM_uint32 *minor, gss_buffer_t b, gss_ctx_id_t *c),
    (minor, b, c))
/* clang-format on */

/* ---- a life ---- */

static int
shake(struct pair *p, enum ae_gss_mech mech)
{
	struct ae_gss_initiator ic = { .mech = mech,
		.level = AE_GSS_PRIVACY,
		.target = SERVICE,
		.dce = true };
	struct ae_gss_service sc = { .keytab = realm_path("service.keytab") };
	struct ae_gss_cred *client = NULL, *service = NULL;
	int rc;

	*p = (struct pair){ .legs = 0 };
	rc = ae_gss_cred_keytab(&client, realm_path("client.keytab"), CLIENT,
	    "MEMORY:faults", &p->e);
	if (rc == AE_OK)
		rc = ae_gss_cred_service(&service, &sc, &p->e);
	if (rc == AE_OK)
		rc = pair_shake(p, client, service, &ic, AE_GSS_PRIVACY);
	ae_gss_cred_free(client);
	ae_gss_cred_free(service);
	return rc;
}

static int
move(struct pair *p)
{
	struct ae_secret s = { 0 };
	struct ae_gss_ctx *moved = NULL;
	int rc;

	rc = ae_gss_export(p->acc, &s, &p->e);
	if (rc == AE_OK)
		rc = ae_gss_import(&moved, s.p, s.len, &p->e);
	if (rc == AE_OK) {
		ae_gss_ctx_free(p->acc);
		p->acc = moved;
	}
	ae_secret_done(&s);
	return rc;
}

static int
message(struct pair *p)
{
	uint8_t hdr[24] = { 5 }, trailer[8] = { 0 }, data[32] = "message";
	uint8_t token[AE_GSS_SIG_MAX];
	struct ae_gss_pdu pdu = { hdr, sizeof(hdr), data, sizeof(data), trailer,
		sizeof(trailer), token, ae_gss_sig_len(p->init), true };
	int rc;

	rc = ae_gss_protect(p->init, &pdu, &p->e);
	return rc == AE_OK ? ae_gss_unprotect(p->acc, &pdu, &p->e) : rc;
}

static bool
life(void *arg)
{
	struct pair p;
	int rc;

	rc = shake(&p, *(const enum ae_gss_mech *)arg);
	if (rc == AE_OK)
		rc = move(&p);
	if (rc == AE_OK)
		rc = message(&p);
	/* A failure is told, with a reason. */
	if (rc != AE_OK)
		assert_true(p.e.rc != AE_OK && p.e.text[0] != '\0');
	pair_done(&p);
	return rc == AE_OK;
}

static void
allocations(void **state)
{
	enum ae_gss_mech mechs[] = { AE_GSS_KRB5, AE_GSS_SPNEGO };
	size_t i;

	(void)state;
	fail_call = 0;
	for (i = 0; i < 2; i++) {
		assert_true(life(&mechs[i]));
		assert_true(ae_torture(life, &mechs[i], 300, true) > 8);
	}
}

static void
library_calls(void **state)
{
	enum ae_gss_mech mechs[] = { AE_GSS_KRB5, AE_GSS_SPNEGO };
	unsigned int n;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		calls = fail_call = 0;
		assert_true(life(&mechs[i]));
		n = calls;
		assert_true(n > 20);
		for (fail_call = 1; fail_call <= n; fail_call++) {
			calls = 0;
			if (life(&mechs[i]))
				fail_msg("call %u failed unnoticed", fail_call);
		}
		fail_call = 0;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations),
		cmocka_unit_test(library_calls),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
