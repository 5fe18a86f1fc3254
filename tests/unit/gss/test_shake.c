/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Handshakes against a real KDC: what completes, and what must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gss/caller.h"
#include "realm.h"

static struct ae_gss_cred *client, *service;

static int
setup(void **state)
{
	(void)state;
	realm_up();
	client = realm_client();
	service = realm_service(false);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ae_gss_cred_free(client);
	ae_gss_cred_free(service);
	realm_down();
	return 0;
}

static const enum ae_gss_mech mechs[] = { AE_GSS_KRB5, AE_GSS_SPNEGO };

static void
completes(void **state)
{
	struct pair p;
	size_t m;
	int level;

	(void)state;
	for (m = 0; m < 2; m++)
		for (level = AE_GSS_CONNECT; level <= AE_GSS_PRIVACY; level++) {
			p = pair_new(client, service, mechs[m],
			    (enum ae_gss_level)level);
			/* SPNEGO's last word is the acceptor's. */
			assert_int_equal(p.legs, 2);
			assert_true(ae_gss_ctx_done(p.init));
			assert_true(ae_gss_ctx_done(p.acc));
			assert_string_equal(
			    ae_gss_ctx_peer(p.acc), CLIENT "@" REALM);
			assert_string_equal(
			    ae_gss_ctx_peer(p.init), SERVICE "@" REALM);
			assert_int_equal(ae_gss_ctx_enctype(p.acc), 18);
			assert_int_equal(ae_gss_ctx_enctype(p.init), 18);
			assert_int_equal(ae_gss_ctx_level(p.acc), level);
			assert_int_equal(ae_gss_ctx_mech(p.acc), mechs[m]);
			assert_true(ae_gss_ctx_expires(p.acc) > time(NULL));
			pair_done(&p);
		}
}

struct refusal {
	const char *name;
	struct ae_gss_initiator ic;
	enum ae_gss_level accept;
	const char *text; /* part of the reason */
};

static void
refuses(void **state)
{
	/* clang-format off */
	const struct refusal rows[] = {
		{ "two legs", { AE_GSS_KRB5, AE_GSS_PRIVACY, SERVICE, .dce = false }, AE_GSS_PRIVACY, "token" },
		{ "two legs, SPNEGO", { AE_GSS_SPNEGO, AE_GSS_PRIVACY, SERVICE, .dce = false }, AE_GSS_PRIVACY, "token" },
		{ "two legs, connect", { AE_GSS_KRB5, AE_GSS_CONNECT, SERVICE, .dce = false }, AE_GSS_CONNECT, "token" },
		{ "no confidentiality", { AE_GSS_KRB5, AE_GSS_INTEGRITY, SERVICE, .dce = true }, AE_GSS_PRIVACY, "flags" },
		{ "no confidentiality, SPNEGO", { AE_GSS_SPNEGO, AE_GSS_INTEGRITY, SERVICE, .dce = true }, AE_GSS_PRIVACY, "flags" },
		{ "other service", { AE_GSS_KRB5, AE_GSS_PRIVACY, SERVICE_CIFS, .dce = true }, AE_GSS_PRIVACY, "" },
		{ "other service, SPNEGO", { AE_GSS_SPNEGO, AE_GSS_PRIVACY, SERVICE_CIFS, .dce = true }, AE_GSS_PRIVACY, "" },
		{ "RC4 ticket", { AE_GSS_KRB5, AE_GSS_PRIVACY, SERVICE_RC4, .dce = true }, AE_GSS_PRIVACY, "" },
		{ "RC4 ticket, SPNEGO", { AE_GSS_SPNEGO, AE_GSS_PRIVACY, SERVICE_RC4, .dce = true }, AE_GSS_PRIVACY, "" },
	};
	/* clang-format on */
	struct pair p;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rc = pair_shake(
		    &p, client, service, &rows[i].ic, rows[i].accept);
		if (rc != AE_EAUTH || !p.acceptor_failed ||
		    strstr(p.e.text, rows[i].text) == NULL)
			fail_msg("%s: %d by %s: %s", rows[i].name, rc,
			    p.acceptor_failed ? "acceptor" : "initiator",
			    p.e.text);
		assert_false(ae_gss_ctx_done(p.acc));
		pair_done(&p);
	}
}

/*
 * Our initiator sets these flags, other clients need not: take some away from
 * what one side is told.
 */
static struct {
	OM_uint32 flags;
	int initiator; /* whose view */
} strip;

OM_uint32 __real_gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t cred,
    gss_ctx_id_t *ctx, gss_name_t target, gss_OID want, OM_uint32 asked,
    OM_uint32 life, gss_channel_bindings_t cb, gss_buffer_t in, gss_OID *mech,
    gss_buffer_t out, OM_uint32 *flags, OM_uint32 *lifetime);
OM_uint32 __wrap_gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t cred,
    gss_ctx_id_t *ctx, gss_name_t target, gss_OID want, OM_uint32 asked,
    OM_uint32 life, gss_channel_bindings_t cb, gss_buffer_t in, gss_OID *mech,
    gss_buffer_t out, OM_uint32 *flags, OM_uint32 *lifetime);
OM_uint32 __real_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *ctx,
    gss_cred_id_t cred, gss_buffer_t in, gss_channel_bindings_t cb,
    gss_name_t *src, gss_OID *mech, gss_buffer_t out, OM_uint32 *flags,
    OM_uint32 *lifetime, gss_cred_id_t *delegated);
OM_uint32 __wrap_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *ctx,
    gss_cred_id_t cred, gss_buffer_t in, gss_channel_bindings_t cb,
    gss_name_t *src, gss_OID *mech, gss_buffer_t out, OM_uint32 *flags,
    OM_uint32 *lifetime, gss_cred_id_t *delegated);

OM_uint32
__wrap_gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t cred,
    gss_ctx_id_t *ctx, gss_name_t target, gss_OID want, OM_uint32 asked,
    OM_uint32 life, gss_channel_bindings_t cb, gss_buffer_t in, gss_OID *mech,
    gss_buffer_t out, OM_uint32 *flags, OM_uint32 *lifetime)
{
	OM_uint32 major = __real_gss_init_sec_context(minor, cred, ctx, target,
	    want, asked, life, cb, in, mech, out, flags, lifetime);

	if (strip.initiator == 1)
		*flags &= ~strip.flags;
	return major;
}

OM_uint32
__wrap_gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *ctx,
    gss_cred_id_t cred, gss_buffer_t in, gss_channel_bindings_t cb,
    gss_name_t *src, gss_OID *mech, gss_buffer_t out, OM_uint32 *flags,
    OM_uint32 *lifetime, gss_cred_id_t *delegated)
{
	OM_uint32 major = __real_gss_accept_sec_context(minor, ctx, cred, in,
	    cb, src, mech, out, flags, lifetime, delegated);

	if (strip.initiator == 0)
		*flags &= ~strip.flags;
	return major;
}

static void
missing_flags(void **state)
{
	/* clang-format off */
	static const struct {
		enum ae_gss_level level;
		OM_uint32 flags;
		int initiator;
		bool fine;
	} rows[] = {
		{ AE_GSS_PRIVACY, GSS_C_CONF_FLAG, 0, false },
		{ AE_GSS_PRIVACY, GSS_C_CONF_FLAG, 1, false },
		{ AE_GSS_PRIVACY, GSS_C_INTEG_FLAG, 0, false },
		{ AE_GSS_INTEGRITY, GSS_C_CONF_FLAG, 0, true },
		{ AE_GSS_INTEGRITY, GSS_C_INTEG_FLAG, 0, true },
		{ AE_GSS_INTEGRITY, GSS_C_INTEG_FLAG, 1, false },
		{ AE_GSS_INTEGRITY, GSS_C_SEQUENCE_FLAG, 0, false },
		{ AE_GSS_PKT, GSS_C_REPLAY_FLAG, 0, false },
		{ AE_GSS_CONNECT, GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG, 0, true },
		{ AE_GSS_CONNECT, GSS_C_DCE_STYLE, 0, false },
		{ AE_GSS_CONNECT, GSS_C_MUTUAL_FLAG, 1, false },
	};
	/* clang-format on */
	struct ae_gss_initiator ic = { .target = SERVICE, .dce = true };
	struct pair p;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ic.mech = mechs[i % 2];
		ic.level = rows[i].level;
		strip.flags = rows[i].flags;
		strip.initiator = rows[i].initiator;
		rc = pair_shake(&p, client, service, &ic, rows[i].level);
		strip.flags = 0;
		assert_int_equal(rc, rows[i].fine ? AE_OK : AE_EAUTH);
		if (!rows[i].fine) {
			assert_int_equal(p.acceptor_failed, !rows[i].initiator);
			assert_non_null(strstr(p.e.text, "flags"));
		}
		pair_done(&p);
	}
}

static void
spn_unknown_service(void **state)
{
	struct ae_gss_initiator ic = { AE_GSS_KRB5, AE_GSS_PRIVACY,
		"host/nobody.ae.test", true, false };
	struct pair p;

	(void)state;
	assert_int_equal(
	    pair_shake(&p, client, service, &ic, AE_GSS_PRIVACY), AE_EAUTH);
	assert_false(p.acceptor_failed);
	assert_int_equal(p.e.dom, AE_DOM_KRB5);
	assert_non_null(strstr(p.e.text, "not found"));
	pair_done(&p);
}

/* With the administrator's consent an RC4 ticket is served. */
static void
enctype_rc4_only_where_it_is_allowed(void **state)
{
	struct ae_gss_initiator ic = { AE_GSS_KRB5, AE_GSS_PRIVACY, SERVICE_RC4,
		true, true };
	struct ae_gss_cred *lax = realm_service(true);
	struct pair p;

	(void)state;
	assert_int_equal(
	    pair_shake(&p, client, lax, &ic, AE_GSS_PRIVACY), AE_OK);
	/* The acceptor's subkey is what counts, and that is AES all the same.
	 */
	assert_int_equal(ae_gss_ctx_enctype(p.acc), 18);
	pair_done(&p);
	ae_gss_cred_free(lax);
}

static void
spn_listed_names(void **state)
{
	static const char *const only[] = { "HOST/CA1.AE.TEST" };
	static const char *const cifs[] = { "cifs/ca1.ae.test" };
	static const char *const other[] = { "host/ca2.ae.test",
		"host/ca1.ae.test.evil", "host/ca1.ae.tes", "host", "/", "" };
	struct ae_gss_service conf = {
		.keytab = realm_path("service.keytab"), .spns = only, .nspns = 1
	};
	struct ae_gss_initiator ic = { AE_GSS_SPNEGO, AE_GSS_PRIVACY, SERVICE,
		true, false };
	struct ae_gss_cred *c = NULL;
	struct pair p;

	(void)state;
	assert_int_equal(ae_gss_cred_service(&c, &conf, NULL), AE_OK);
	assert_int_equal(pair_shake(&p, client, c, &ic, AE_GSS_PRIVACY), AE_OK);
	pair_done(&p);
	ae_gss_cred_free(c);

	conf.spns = cifs;
	assert_int_equal(ae_gss_cred_service(&c, &conf, NULL), AE_OK);
	assert_int_equal(
	    pair_shake(&p, client, c, &ic, AE_GSS_PRIVACY), AE_EAUTH);
	assert_true(p.acceptor_failed);
	pair_done(&p);
	ae_gss_cred_free(c);

	conf.spns = other;
	conf.nspns = sizeof(other) / sizeof(other[0]);
	c = NULL;
	assert_int_equal(ae_gss_cred_service(&c, &conf, NULL), AE_ENOTFOUND);
	assert_null(c);
}

/* A ticket of MIT's KDC names nobody that AD knows: no identity from it. */
static void
cve_2020_25717_no_identity_without_logon_info(void **state)
{
	struct ae_caller *caller = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct pair p;
	size_t m;

	(void)state;
	for (m = 0; m < 2; m++) {
		p = pair_new(client, service, mechs[m], AE_GSS_PRIVACY);
		assert_int_equal(ae_caller_get(&caller, p.acc, &e), AE_EAUTH);
		assert_null(caller);
		assert_non_null(strstr(e.text, "logon"));
		/* The initiator's peer is a service, not a caller. */
		assert_int_equal(ae_caller_get(&caller, p.init, &e), AE_EAUTH);
		pair_done(&p);
	}
}

/* The tokens of one good exchange, for damaging. */
struct tokens {
	struct ae_wr leg[3];
};

static struct ae_gss_ctx *
acceptor(enum ae_gss_mech mech)
{
	struct ae_gss_acceptor ac = { .mech = mech, .level = AE_GSS_PRIVACY };
	struct ae_gss_ctx *ctx = NULL;

	assert_int_equal(ae_gss_ctx_accept(&ctx, service, &ac, NULL), AE_OK);
	return ctx;
}

static struct ae_gss_ctx *
initiator(enum ae_gss_mech mech)
{
	struct ae_gss_initiator ic = { mech, AE_GSS_PRIVACY, SERVICE, true,
		false };
	struct ae_gss_ctx *ctx = NULL;

	assert_int_equal(ae_gss_ctx_initiate(&ctx, client, &ic, NULL), AE_OK);
	return ctx;
}

static void
record(struct tokens *t, enum ae_gss_mech mech)
{
	struct ae_gss_ctx *i = initiator(mech), *a = acceptor(mech);
	bool done;
	int n;

	for (n = 0; n < 3; n++)
		ae_wr_init(&t->leg[n], AE_GSS_TOKEN_MAX);
	assert_int_equal(ae_gss_step(i, NULL, 0, &t->leg[0], &done, NULL), 0);
	assert_int_equal(
	    ae_gss_step(a, t->leg[0].p, t->leg[0].len, &t->leg[1], &done, NULL),
	    0);
	assert_false(done);
	assert_int_equal(
	    ae_gss_step(i, t->leg[1].p, t->leg[1].len, &t->leg[2], &done, NULL),
	    0);
	ae_gss_ctx_free(i);
	ae_gss_ctx_free(a);
}

static void
forget(struct tokens *t)
{
	int n;

	for (n = 0; n < 3; n++)
		ae_wr_done(&t->leg[n]);
}

/* An AP-REQ played again is answered, but its old third leg is refused. */
static void
replay_of_an_exchange(void **state)
{
	struct ae_gss_ctx *a;
	struct tokens t;
	struct ae_wr out;
	bool done = true;
	size_t m;

	(void)state;
	for (m = 0; m < 2; m++) {
		record(&t, mechs[m]);
		a = acceptor(mechs[m]);
		ae_wr_init(&out, AE_GSS_TOKEN_MAX);
		assert_int_equal(
		    ae_gss_step(a, t.leg[0].p, t.leg[0].len, &out, &done, NULL),
		    AE_OK);
		assert_false(done);
		ae_wr_reset(&out);
		assert_int_equal(
		    ae_gss_step(a, t.leg[2].p, t.leg[2].len, &out, &done, NULL),
		    AE_EAUTH);
		assert_false(done);
		assert_int_equal(out.len, 0);
		/* and it stays refused */
		assert_int_equal(
		    ae_gss_step(a, t.leg[2].p, t.leg[2].len, &out, &done, NULL),
		    AE_EAUTH);
		ae_wr_done(&out);
		ae_gss_ctx_free(a);
		forget(&t);
	}
}

/* The client, too, finds out when the server's proof is an old one. */
static void
replay_of_a_reply(void **state)
{
	struct ae_gss_ctx *i;
	struct tokens t;
	struct ae_wr out;
	bool done = true;
	size_t m;

	(void)state;
	for (m = 0; m < 2; m++) {
		record(&t, mechs[m]);
		i = initiator(mechs[m]);
		ae_wr_init(&out, AE_GSS_TOKEN_MAX);
		assert_int_equal(
		    ae_gss_step(i, NULL, 0, &out, &done, NULL), AE_OK);
		assert_int_equal(
		    ae_gss_step(i, t.leg[1].p, t.leg[1].len, &out, &done, NULL),
		    AE_EAUTH);
		assert_false(done);
		ae_wr_done(&out);
		ae_gss_ctx_free(i);
		forget(&t);
	}
}

/* First tokens cut short anywhere, or with one bit wrong in steps. */
static void
damaged_first_token(void **state)
{
	struct ae_gss_ctx *a;
	struct tokens t;
	struct ae_wr out;
	uint8_t *copy;
	bool done;
	size_t m, i;
	int rc;

	(void)state;
	for (m = 0; m < 2; m++) {
		record(&t, mechs[m]);
		ae_wr_init(&out, AE_GSS_TOKEN_MAX);
		for (i = 0; i < t.leg[0].len; i++) {
			/* exactly as long as the token, for the sanitizer */
			copy = malloc(i == 0 ? 1 : i);
			memcpy(copy, t.leg[0].p, i);
			a = acceptor(mechs[m]);
			done = false;
			assert_int_not_equal(
			    ae_gss_step(a, copy, i, &out, &done, NULL), AE_OK);
			assert_false(done);
			ae_gss_ctx_free(a);
			free(copy);
		}
		/*
		 * A flipped bit may go unseen in optional parts, but must
		 * never complete a context in one leg.
		 */
		copy = malloc(t.leg[0].len);
		memcpy(copy, t.leg[0].p, t.leg[0].len);
		for (i = 0; i < t.leg[0].len * 8; i += 5) {
			copy[i / 8] ^= (uint8_t)(1U << i % 8);
			a = acceptor(mechs[m]);
			done = false;
			ae_wr_reset(&out);
			rc = ae_gss_step(
			    a, copy, t.leg[0].len, &out, &done, NULL);
			assert_true(rc == AE_OK || out.len == 0);
			assert_false(done);
			ae_gss_ctx_free(a);
			copy[i / 8] ^= (uint8_t)(1U << i % 8);
		}
		free(copy);
		ae_wr_done(&out);
		forget(&t);
	}
}

static void
wrong_input(void **state)
{
	struct ae_gss_initiator ic = { AE_GSS_KRB5, AE_GSS_PRIVACY, SERVICE,
		true, false };
	struct ae_gss_acceptor ac = { AE_GSS_KRB5, AE_GSS_PRIVACY };
	struct ae_gss_ctx *ctx = NULL;
	struct ae_err e = AE_ERR_INIT;
	uint8_t *big = calloc(1, AE_GSS_TOKEN_MAX + 1);
	struct ae_wr out;
	bool done = false;

	(void)state;
	assert_int_equal(
	    ae_gss_ctx_initiate(&ctx, service, &ic, &e), AE_EINVAL);
	assert_int_equal(ae_gss_ctx_accept(&ctx, client, &ac, &e), AE_EINVAL);
	ic.mech = ac.mech = (enum ae_gss_mech)10; /* NTLM */
	assert_int_equal(ae_gss_ctx_initiate(&ctx, client, &ic, &e), AE_EINVAL);
	assert_int_equal(ae_gss_ctx_accept(&ctx, service, &ac, &e), AE_EINVAL);
	ic.mech = ac.mech = AE_GSS_SPNEGO;
	ic.level = ac.level = (enum ae_gss_level)7;
	assert_int_equal(ae_gss_ctx_initiate(&ctx, client, &ic, &e), AE_EINVAL);
	assert_int_equal(ae_gss_ctx_accept(&ctx, service, &ac, &e), AE_EINVAL);
	ac.level = (enum ae_gss_level)1;
	assert_int_equal(ae_gss_ctx_accept(&ctx, service, &ac, &e), AE_EINVAL);
	assert_null(ctx);

	ae_wr_init(&out, AE_GSS_TOKEN_MAX);
	ctx = acceptor(AE_GSS_SPNEGO);
	assert_int_equal(
	    ae_gss_step(ctx, big, AE_GSS_TOKEN_MAX + 1, &out, &done, &e),
	    AE_ELIMIT);
	ae_gss_ctx_free(ctx);
	ctx = acceptor(AE_GSS_SPNEGO);
	assert_int_equal(ae_gss_step(ctx, NULL, 0, &out, &done, &e), AE_EAUTH);
	ae_gss_ctx_free(ctx);
	/* NTLM NEGOTIATE, raw and in its SPNEGO wrapping's place */
	memcpy(big, "NTLMSSP\0\1\0\0\0", 12);
	ctx = acceptor(AE_GSS_SPNEGO);
	assert_int_equal(ae_gss_step(ctx, big, 40, &out, &done, &e), AE_EAUTH);
	ae_gss_ctx_free(ctx);
	assert_int_equal(out.len, 0);
	assert_false(done);
	free(big);
}

/* NegTokenInit that offers NTLMSSP alone: refused, not negotiated. */
static void
auth_type_ntlm_in_spnego(void **state)
{
	static const uint8_t token[] = { 0x60, 0x1a, 0x06, 0x06, 0x2b, 0x06,
		0x01, 0x05, 0x05, 0x02, 0xa0, 0x10, 0x30, 0x0e, 0xa0, 0x0c,
		0x30, 0x0a, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82,
		0x37, 0x02, 0x02, 0x0a };
	struct ae_gss_ctx *a = acceptor(AE_GSS_SPNEGO);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	bool done = false;

	(void)state;
	ae_wr_init(&out, AE_GSS_TOKEN_MAX);
	assert_int_equal(
	    ae_gss_step(a, token, sizeof(token), &out, &done, &e), AE_EAUTH);
	assert_false(done);
	ae_wr_done(&out);
	ae_gss_ctx_free(a);
}

/* Our own bound on a token to send. */
static void
no_room_for_the_reply(void **state)
{
	struct ae_gss_ctx *i = initiator(AE_GSS_KRB5);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr out;
	bool done = false;

	(void)state;
	ae_wr_init(&out, 16);
	assert_int_equal(ae_gss_step(i, NULL, 0, &out, &done, &e), AE_ELIMIT);
	ae_wr_done(&out);
	ae_gss_ctx_free(i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(missing_flags),
		cmocka_unit_test(spn_unknown_service),
		cmocka_unit_test(enctype_rc4_only_where_it_is_allowed),
		cmocka_unit_test(spn_listed_names),
		cmocka_unit_test(cve_2020_25717_no_identity_without_logon_info),
		cmocka_unit_test(replay_of_an_exchange),
		cmocka_unit_test(replay_of_a_reply),
		cmocka_unit_test(damaged_first_token),
		cmocka_unit_test(wrong_input),
		cmocka_unit_test(auth_type_ntlm_in_spnego),
		cmocka_unit_test(no_room_for_the_reply),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
