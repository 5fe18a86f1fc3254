/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Protection of PDUs: what comes out comes in again, and nothing else does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "realm.h"

#define HDR 24
#define TRL 8
#define STUB_MAX 6000

/* A PDU with room; every part an allocation of its own, for the sanitizer. */
struct packet {
	uint8_t *hdr, *data, *trailer, *token;
	struct ae_gss_pdu pdu;
};

static uint8_t *
filled(size_t n, uint8_t seed)
{
	uint8_t *p = malloc(n == 0 ? 1 : n);
	size_t i;

	assert_non_null(p);
	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(seed + i * 7);
	return p;
}

static struct packet
packet_new(const struct ae_gss_ctx *ctx, size_t hdrlen, size_t datalen,
    bool header_sign)
{
	size_t tokenlen = ae_gss_sig_len(ctx);
	struct packet p = { filled(hdrlen, 5), filled(datalen, 9),
		filled(TRL, 10), filled(tokenlen, 0), { 0 } };

	p.pdu = (struct ae_gss_pdu){ p.hdr, hdrlen, p.data, datalen, p.trailer,
		TRL, p.token, tokenlen, header_sign };
	return p;
}

static void
packet_done(struct packet *p)
{
	free(p->hdr);
	free(p->data);
	free(p->trailer);
	free(p->token);
}

static bool
is_plain(const struct packet *p)
{
	uint8_t *want = filled(p->pdu.datalen, 9);
	bool same = memcmp(p->data, want, p->pdu.datalen) == 0;

	free(want);
	return same;
}

static const enum ae_gss_mech mechs[] = { AE_GSS_KRB5, AE_GSS_SPNEGO };
static const enum ae_gss_level levels[] = { AE_GSS_CALL, AE_GSS_PKT,
	AE_GSS_INTEGRITY, AE_GSS_PRIVACY };
static const size_t sizes[] = { 0, 1, 5, 15, 16, 17, 100, 5840 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
one_way(struct ae_gss_ctx *from, struct ae_gss_ctx *to, size_t hdrlen,
    size_t datalen, bool header_sign)
{
	struct packet p = packet_new(from, hdrlen, datalen, header_sign);
	uint8_t *hdr = filled(hdrlen, 5), *trailer = filled(TRL, 10);
	bool sealed = ae_gss_ctx_level(from) == AE_GSS_PRIVACY;
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(ae_gss_protect(from, &p.pdu, &e), AE_OK);
	if (datalen >= 15)
		assert_int_equal(is_plain(&p), !sealed);
	assert_int_equal(ae_gss_unprotect(to, &p.pdu, &e), AE_OK);
	assert_true(is_plain(&p));
	assert_memory_equal(p.hdr, hdr, hdrlen);
	assert_memory_equal(p.trailer, trailer, TRL);
	packet_done(&p);
	free(hdr);
	free(trailer);
}

static void
round_trips(void **state)
{
	struct pair p;
	size_t m, l, s;
	int sign;

	(void)state;
	for (m = 0; m < COUNT(mechs); m++)
		for (l = 0; l < COUNT(levels); l++) {
			p = pair_new(
			    realm.client, realm.service, mechs[m], levels[l]);
			assert_int_equal(ae_gss_sig_len(p.init),
			    levels[l] == AE_GSS_PRIVACY ? 76 : 28);
			assert_int_equal(
			    ae_gss_sig_len(p.acc), ae_gss_sig_len(p.init));
			for (s = 0; s < COUNT(sizes); s++)
				for (sign = 0; sign < 2; sign++) {
					one_way(p.init, p.acc, HDR, sizes[s],
					    sign != 0);
					one_way(p.acc, p.init, HDR, sizes[s],
					    sign != 0);
					one_way(p.init, p.acc, 40, sizes[s],
					    sign != 0);
				}
			pair_done(&p);
		}
}

/* Level CONNECT authenticates and protects nothing. */
static void
connect_level(void **state)
{
	struct pair p = pair_new(
	    realm.client, realm.service, AE_GSS_SPNEGO, AE_GSS_CONNECT);
	struct packet k = packet_new(p.init, HDR, 100, true);

	(void)state;
	assert_int_equal(ae_gss_sig_len(p.init), 0);
	assert_int_equal(ae_gss_protect(p.init, &k.pdu, NULL), AE_OK);
	assert_true(is_plain(&k));
	assert_int_equal(ae_gss_unprotect(p.acc, &k.pdu, NULL), AE_OK);
	packet_done(&k);
	pair_done(&p);
}

/* Protect one, damage it with fn(k, arg), and see it refused for good. */
typedef void damage_fn(struct packet *k, size_t bit);

static void
flip_hdr(struct packet *k, size_t bit)
{
	k->hdr[bit / 8 % HDR] ^= (uint8_t)(1U << bit % 8);
}

static void
flip_data(struct packet *k, size_t bit)
{
	k->data[bit / 8 % k->pdu.datalen] ^= (uint8_t)(1U << bit % 8);
}

static void
flip_trailer(struct packet *k, size_t bit)
{
	k->trailer[bit / 8 % TRL] ^= (uint8_t)(1U << bit % 8);
}

static void
flip_token(struct packet *k, size_t bit)
{
	k->token[bit / 8 % k->pdu.tokenlen] ^= (uint8_t)(1U << bit % 8);
}

static void
shorten_token(struct packet *k, size_t bit)
{
	k->pdu.tokenlen = bit % k->pdu.tokenlen;
	k->token = realloc(k->token, k->pdu.tokenlen + 1);
	k->pdu.token = k->token;
}

static void
lengthen_token(struct packet *k, size_t bit)
{
	size_t more = 1 + bit % 40;

	k->token = realloc(k->token, k->pdu.tokenlen + more);
	assert_non_null(k->token);
	memset(k->token + k->pdu.tokenlen, 0, more);
	k->pdu.token = k->token;
	k->pdu.tokenlen += more;
}

static void
shorten_data(struct packet *k, size_t bit)
{
	k->pdu.datalen = bit % k->pdu.datalen;
}

static void
other_header_sign(struct packet *k, size_t bit)
{
	(void)bit;
	k->pdu.header_sign = !k->pdu.header_sign;
}

static void
expect_refused(enum ae_gss_mech mech, enum ae_gss_level level, bool sign,
    damage_fn *fn, size_t bit)
{
	struct pair p = pair_new(realm.client, realm.service, mech, level);
	struct packet good = packet_new(p.init, HDR, 40, sign);
	struct packet k = packet_new(p.init, HDR, 40, sign);
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(ae_gss_protect(p.init, &k.pdu, NULL), AE_OK);
	assert_int_equal(ae_gss_protect(p.init, &good.pdu, NULL), AE_OK);
	fn(&k, bit);
	assert_int_equal(ae_gss_unprotect(p.acc, &k.pdu, &e), AE_EAUTH);
	assert_true(e.text[0] != '\0');
	/* The context is finished: also for a good message, also for ours. */
	assert_false(ae_gss_ctx_done(p.acc));
	assert_int_equal(ae_gss_unprotect(p.acc, &good.pdu, &e), AE_EAUTH);
	assert_int_equal(ae_gss_protect(p.acc, &good.pdu, &e), AE_EAUTH);
	packet_done(&k);
	packet_done(&good);
	pair_done(&p);
}

static void
cve_2024_37370_damage(void **state)
{
	/* clang-format off */
	static const struct {
		damage_fn *fn;
		size_t bits, step;
		bool signed_only; /* means something with header signing only */
	} rows[] = {
		{ flip_hdr, HDR * 8, 37, true },
		{ flip_trailer, TRL * 8, 13, true },
		{ flip_data, 40 * 8, 61, false },
		{ flip_token, 28 * 8, 11, false },
		{ shorten_token, 28, 3, false },
		{ lengthen_token, 40, 13, false },
		{ shorten_data, 40, 13, false },
		{ other_header_sign, 1, 1, false },
	};
	/* clang-format on */
	size_t r, l, bit;
	int sign;

	(void)state;
	for (r = 0; r < COUNT(rows); r++)
		for (l = 2; l < COUNT(levels); l++)
			for (sign = rows[r].signed_only; sign < 2; sign++)
				for (bit = 0; bit < rows[r].bits;
				     bit += rows[r].step)
					expect_refused(mechs[bit % 2],
					    levels[l], sign != 0, rows[r].fn,
					    bit);
}

static void
replay_skip_and_old(void **state)
{
	struct packet k[3], copy;
	struct pair p;
	size_t l, i;
	int how;

	(void)state;
	for (l = 2; l < COUNT(levels); l++)
		for (how = 0; how < 3; how++) {
			p = pair_new(realm.client, realm.service, AE_GSS_KRB5,
			    levels[l]);
			for (i = 0; i < 3; i++) {
				k[i] = packet_new(p.init, HDR, 32, true);
				assert_int_equal(
				    ae_gss_protect(p.init, &k[i].pdu, NULL), 0);
			}
			copy = packet_new(p.init, HDR, 32, true);
			memcpy(copy.data, k[0].data, 32);
			memcpy(copy.token, k[0].token, k[0].pdu.tokenlen);
			if (how == 0) { /* skipped */
				assert_int_equal(
				    ae_gss_unprotect(p.acc, &k[1].pdu, NULL),
				    AE_EAUTH);
			} else if (how == 1) { /* played again at once */
				assert_int_equal(
				    ae_gss_unprotect(p.acc, &k[0].pdu, NULL),
				    AE_OK);
				assert_int_equal(
				    ae_gss_unprotect(p.acc, &copy.pdu, NULL),
				    AE_EAUTH);
			} else { /* and later */
				for (i = 0; i < 3; i++)
					assert_int_equal(ae_gss_unprotect(p.acc,
							     &k[i].pdu, NULL),
					    AE_OK);
				assert_int_equal(
				    ae_gss_unprotect(p.acc, &copy.pdu, NULL),
				    AE_EAUTH);
			}
			for (i = 0; i < 3; i++)
				packet_done(&k[i]);
			packet_done(&copy);
			pair_done(&p);
		}
}

/* What one side sent does not pass as the other's. */
static void
reflection(void **state)
{
	struct packet k;
	struct pair p;
	size_t l;

	(void)state;
	for (l = 2; l < COUNT(levels); l++) {
		p = pair_new(
		    realm.client, realm.service, AE_GSS_KRB5, levels[l]);
		k = packet_new(p.init, HDR, 32, true);
		assert_int_equal(ae_gss_protect(p.init, &k.pdu, NULL), AE_OK);
		assert_int_equal(
		    ae_gss_unprotect(p.init, &k.pdu, NULL), AE_EAUTH);
		packet_done(&k);
		pair_done(&p);
	}
}

/* Two contexts of one client have keys of their own. */
static void
other_context(void **state)
{
	struct pair p =
	    pair_new(realm.client, realm.service, AE_GSS_KRB5, AE_GSS_PRIVACY);
	struct pair q =
	    pair_new(realm.client, realm.service, AE_GSS_KRB5, AE_GSS_PRIVACY);
	struct packet k = packet_new(p.init, HDR, 32, true);

	(void)state;
	assert_int_equal(ae_gss_protect(p.init, &k.pdu, NULL), AE_OK);
	assert_int_equal(ae_gss_unprotect(q.acc, &k.pdu, NULL), AE_EAUTH);
	packet_done(&k);
	pair_done(&p);
	pair_done(&q);
}

/* A message of level 5 is none at level 6 and the other way round. */
static void
other_level(void **state)
{
	struct ae_gss_initiator ic = { AE_GSS_KRB5, AE_GSS_PRIVACY, SERVICE,
		true, false };
	struct packet k;
	struct pair p;

	(void)state;
	assert_int_equal(
	    pair_shake(&p, realm.client, realm.service, &ic, AE_GSS_INTEGRITY),
	    AE_OK);
	k = packet_new(p.init, HDR, 32, true);
	assert_int_equal(ae_gss_protect(p.init, &k.pdu, NULL), AE_OK);
	k.pdu.tokenlen = ae_gss_sig_len(p.acc);
	assert_int_equal(ae_gss_unprotect(p.acc, &k.pdu, NULL), AE_EAUTH);
	packet_done(&k);
	pair_done(&p);

	assert_int_equal(
	    pair_shake(&p, realm.client, realm.service, &ic, AE_GSS_INTEGRITY),
	    AE_OK);
	k = packet_new(p.acc, HDR, 32, true);
	assert_int_equal(ae_gss_protect(p.acc, &k.pdu, NULL), AE_OK);
	assert_int_equal(ae_gss_unprotect(p.init, &k.pdu, NULL), AE_EAUTH);
	packet_done(&k);
	pair_done(&p);
}

static void
not_yet_and_no_room(void **state)
{
	struct ae_gss_acceptor ac = { AE_GSS_KRB5, AE_GSS_PRIVACY };
	struct pair p =
	    pair_new(realm.client, realm.service, AE_GSS_KRB5, AE_GSS_PRIVACY);
	struct packet k = packet_new(p.init, HDR, 32, true);
	struct ae_gss_ctx *fresh = NULL;

	(void)state;
	assert_int_equal(
	    ae_gss_ctx_accept(&fresh, realm.service, &ac, NULL), AE_OK);
	assert_int_equal(ae_gss_protect(fresh, &k.pdu, NULL), AE_EAUTH);
	assert_int_equal(ae_gss_unprotect(fresh, &k.pdu, NULL), AE_EAUTH);
	ae_gss_ctx_free(fresh);
	/* A wrong size is our own mistake; the context stays good. */
	k.pdu.tokenlen--;
	assert_int_equal(ae_gss_protect(p.init, &k.pdu, NULL), AE_EINVAL);
	k.pdu.tokenlen++;
	assert_int_equal(ae_gss_protect(p.init, &k.pdu, NULL), AE_OK);
	assert_int_equal(ae_gss_unprotect(p.acc, &k.pdu, NULL), AE_OK);
	packet_done(&k);
	pair_done(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(connect_level),
		cmocka_unit_test(cve_2024_37370_damage),
		cmocka_unit_test(replay_skip_and_old),
		cmocka_unit_test(reflection),
		cmocka_unit_test(other_context),
		cmocka_unit_test(other_level),
		cmocka_unit_test(not_yet_and_no_room),
	};

	return cmocka_run_group_tests(tests, realm_setup, realm_teardown);
}
