/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Every shape of row: once around, its bytes written out by hand, and what
 * each refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "tables.h"
#include "torture.h"

static struct ae_arena *arena;

/* Decodes hand-written bytes; the message of a refusal stays in err. */
static struct ae_err err;

static int
decode(const struct ae_ndr_type *t, void *out, const void *p, size_t len)
{
	err = (struct ae_err)AE_ERR_INIT;
	return ae_ndr_decode(t, out, p, len, false, arena, NULL, &err);
}

#define DECODE(t, out, bytes) decode((t), (out), (bytes), sizeof(bytes) - 1)

static void
assert_zoo(const struct zoo *a, const struct zoo *b)
{
	assert_int_equal(a->a, b->a);
	assert_int_equal(a->b, b->b);
	assert_int_equal(a->color, b->color);
	assert_true(ae_guid_equal(&a->id, &b->id));
	assert_memory_equal(a->fixed, b->fixed, sizeof(a->fixed));
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->label, b->label);
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->bytes, b->bytes, a->n);
	assert_memory_equal(a->words, b->words, a->n * 2);
	assert_int_equal(a->nvarying, b->nvarying);
	assert_memory_equal(a->varying, b->varying, a->nvarying);
	assert_int_equal(a->ntexts, b->ntexts);
	assert_string_equal(a->texts[0], b->texts[0]);
	assert_null(a->texts[1]);
	assert_string_equal(a->texts[2], b->texts[2]);
	assert_int_equal(a->choice.inner->items[1], b->choice.inner->items[1]);
	assert_int_equal(a->nlist, b->nlist);
	assert_int_equal(a->list[0].items[0], b->list[0].items[0]);
	assert_null(a->list[1].items);
	assert_int_equal(a->list[2].items[1], b->list[2].items[1]);
	assert_int_equal(a->ext_size, b->ext_size);
	assert_memory_equal(a->ext, b->ext, a->ext_size);
	assert_int_equal(*a->again, *b->again);
	assert_int_equal(*a->same, *b->same);
	assert_string_equal(a->secret, b->secret);
	assert_int_equal(a->tail_head.kind, b->tail_head.kind);
	assert_int_equal(a->ntail, b->ntail);
	assert_memory_equal(a->tail, b->tail, a->ntail * 2);
}

static void
zoo_round_trip(void **state)
{
	struct ae_wr w, again;
	struct zoo z;

	(void)state;
	ae_wr_init(&w, 4096);
	ae_wr_init(&again, 4096);
	assert_int_equal(
	    ae_ndr_encode(&zoo_type, zoo_sample(), &w, &err), AE_OK);
	assert_int_equal(decode(&zoo_type, &z, w.p, w.len), AE_OK);
	assert_zoo(&z, zoo_sample());
	assert_int_equal(ae_ndr_encode(&zoo_type, &z, &again, &err), AE_OK);
	assert_int_equal(again.len, w.len);
	assert_memory_equal(again.p, w.p, w.len);
	ae_wr_done(&w);
	ae_wr_done(&again);
}

static void
tolerate(const uint8_t *p, size_t len, void *arg)
{
	const struct ae_ndr_type *t = arg;
	struct ae_arena *a = ae_arena_new(8192);
	struct zoo z;
	struct ae_wr w;
	int big;

	ae_wr_init(&w, 65536);
	for (big = 0; big < 2; big++) {
		if (ae_ndr_decode(t, &z, p, len, big, a, NULL, NULL) != AE_OK)
			continue;
		assert_int_equal(ae_ndr_encode(t, &z, &w, NULL), AE_OK);
		ae_wr_reset(&w);
		assert_int_equal(ae_ndr_print(t, &z, &w, NULL), AE_OK);
		ae_wr_reset(&w);
	}
	ae_wr_done(&w);
	ae_arena_free(a);
}

static void
zoo_mutated(void **state)
{
	struct ae_ndr_type t = zoo_type;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 4096);
	assert_int_equal(
	    ae_ndr_encode(&zoo_type, zoo_sample(), &w, &err), AE_OK);
	assert_int_equal(ae_mutate(w.p, w.len, tolerate, &t), 13 * w.len);
	ae_wr_done(&w);
}

static bool
round_trip(void *arg)
{
	struct ae_arena *a = ae_arena_new(65536);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	struct zoo z;
	int rc;

	(void)arg;
	if (a == NULL)
		return false;
	ae_wr_init(&w, 4096);
	rc = ae_ndr_pickle(&zoo_type, zoo_sample(), &w, &e);
	if (rc == AE_OK)
		rc = ae_ndr_unpickle(&zoo_type, &z, w.p, w.len, a, NULL, &e);
	if (rc == AE_OK) {
		ae_wr_reset(&w);
		rc = ae_ndr_print(&zoo_type, &z, &w, &e);
	}
	if (rc != AE_OK)
		assert_int_equal(rc, AE_ENOMEM);
	ae_wr_done(&w);
	ae_arena_free(a);
	return rc == AE_OK;
}

static void
zoo_torture(void **state)
{
	(void)state;
	assert_true(ae_torture(round_trip, NULL, 200, true) > 5);
}

/* The referents of C706 14.3.12.3, in order, byte for byte. */
static void
order_of_referents(void **state)
{
	static const char bytes[] = "\x05\x00\x00\x00" /* v */
				    "\x00\x00\x02\x00" /* next */
				    "\x06\x00\x00\x00"
				    "\x04\x00\x02\x00"
				    "\x07\x00\x00\x00"
				    "\x00\x00\x00\x00";
	struct node n;
	struct ae_wr w;

	(void)state;
	assert_int_equal(DECODE(&node_type, &n, bytes), AE_OK);
	assert_int_equal(n.next->next->v, 7);
	assert_null(n.next->next->next);
	ae_wr_init(&w, 100);
	assert_int_equal(ae_ndr_encode(&node_type, &n, &w, &err), AE_OK);
	assert_int_equal(w.len, sizeof(bytes) - 1);
	assert_memory_equal(w.p, bytes, w.len);
	ae_wr_done(&w);
}

/* Two towers whose referents have no pointers come after both ids. */
struct pair {
	struct node first, second;
};

/* clang-format off */
static const struct ae_ndr_type pair = AE_NDR_STRUCT("pair",
    struct pair, 4,
	AE_NDR_FIELD(struct pair, first, &node_type),
	AE_NDR_FIELD(struct pair, second, &node_type));
/* clang-format on */

static void
siblings_before_cousins(void **state)
{
	static const char bytes[] =
	    "\x01\x00\x00\x00\x11\x00\x00\x00"	/* first */
	    "\x02\x00\x00\x00\x22\x00\x00\x00"	/* second */
	    "\x0a\x00\x00\x00\x33\x00\x00\x00"	/* first's next */
	    "\x0b\x00\x00\x00\x00\x00\x00\x00"	/* ... and its next */
	    "\x0c\x00\x00\x00\x00\x00\x00\x00"; /* second's next */
	struct pair p;

	(void)state;
	assert_int_equal(ae_ndr_lint(&pair, &err), AE_OK);
	assert_int_equal(DECODE(&pair, &p, bytes), AE_OK);
	assert_int_equal(p.first.next->v, 10);
	assert_int_equal(p.first.next->next->v, 11);
	assert_int_equal(p.second.next->v, 12);
}

static void
too_deep(void **state)
{
	uint32_t list[2 * 200];
	struct node n;
	size_t i;

	(void)state;
	for (i = 0; i < 200; i++) {
		list[2 * i] = 1;
		list[2 * i + 1] = i == 199 ? 0 : 4;
	}
	assert_int_equal(decode(&node_type, &n, list, sizeof(list)), AE_ELIMIT);
	assert_non_null(strstr(err.text, "deeper"));
	/* Our own loop ends too. */
	n.v = 1;
	n.next = &n;
	{
		struct ae_wr w;

		ae_wr_init(&w, 65536);
		assert_int_equal(
		    ae_ndr_encode(&node_type, &n, &w, &err), AE_EINVAL);
		assert_int_equal(w.len, 0);
		ae_wr_done(&w);
	}
}

/* A conformant struct: count first, and it has to agree. */
static void
cve_2012_1182_conformant_struct(void **state)
{
	struct tower t;

	(void)state;
	assert_int_equal(DECODE(&tower_type, &t, "\3\0\0\0\3\0\0\0abc"), AE_OK);
	assert_int_equal(t.length, 3);
	assert_memory_equal(t.octets, "abc", 3);
	assert_int_equal(DECODE(&tower_type, &t, "\0\0\0\0\0\0\0\0"), AE_OK);
	assert_int_equal(t.length, 0);
	assert_non_null(t.octets);

	assert_int_equal(
	    DECODE(&tower_type, &t, "\4\0\0\0\3\0\0\0abcd"), AE_EPROTO);
	assert_int_equal(err.code, AE_NDR_BAD_STUB_DATA);
	assert_int_equal(
	    DECODE(&tower_type, &t, "\3\0\0\0\3\0\0\0ab"), AE_EPROTO);
	assert_int_equal(
	    DECODE(&tower_type, &t, "\3\0\0\0\3\0\0\0abcd"), AE_EPROTO);
	assert_non_null(strstr(err.text, "1 bytes too many"));
	assert_int_equal(
	    DECODE(&tower_type, &t, "\xd1\7\0\0\xd1\7\0\0abc"), AE_ELIMIT);
	assert_int_equal(err.code, AE_NDR_INVALID_BOUND);
	assert_int_equal(
	    DECODE(&tower_type, &t, "\xff\xff\xff\xff\xff\xff\xff\xff"),
	    AE_ELIMIT);
}

static void
trailing_bytes_by_choice(void **state)
{
	struct tower t;
	size_t used = 99;

	(void)state;
	assert_int_equal(ae_ndr_decode(&tower_type, &t, "\1\0\0\0\1\0\0\0axx",
			     11, false, arena, &used, &err),
	    AE_OK);
	assert_int_equal(used, 9);
}

static void
failure_leaves_out_alone(void **state)
{
	struct tower t = { 77, NULL };

	(void)state;
	assert_int_equal(DECODE(&tower_type, &t, "\3\0\0\0\3\0\0"), AE_EPROTO);
	assert_int_equal(t.length, 77);
}

struct text {
	char *wide, *narrow;
};

/* clang-format off */
static const struct ae_ndr_type text_params = AE_NDR_PARAMS("text", struct text,
	AE_NDR_STRING(struct text, wide, AE_NDR_UNIQUE, AE_NDR_STR16, 4, .min = 2),
	AE_NDR_STRING(struct text, narrow, AE_NDR_VAL, AE_NDR_STR8, 4));
/* clang-format on */

#define NARROW "\2\0\0\0\0\0\0\0\2\0\0\0b\0"
#define ID "\1\0\0\0"

static void
strings(void **state)
{
	struct text t;

	(void)state;
	assert_int_equal(ae_ndr_lint(&text_params, &err), AE_OK);
	assert_int_equal(DECODE(&text_params, &t, "\0\0\0\0" NARROW), AE_OK);
	assert_null(t.wide);
	assert_string_equal(t.narrow, "b");
	assert_int_equal(DECODE(&text_params, &t,
			     ID "\4\0\0\0\0\0\0\0\2\0\0\0\xac\x20\0\0" NARROW),
	    AE_OK);
	assert_string_equal(t.wide, "\xe2\x82\xac");
}

static void
strings_refused(void **state)
{
	static const struct {
		const char *what;
		int rc;
		size_t len;
		const char *bytes;
	} bad[] = {
#define B(what, rc, s) { what, rc, sizeof(s) - 1, s }
		B("unterminated", AE_EPROTO,
		    ID "\2\0\0\0\0\0\0\0\2\0\0\0a\0b\0" NARROW),
		B("NUL inside", AE_EPROTO,
		    ID "\3\0\0\0\0\0\0\0\3\0\0\0a\0\0\0\0\0\0\0" NARROW),
		B("lone surrogate", AE_EPROTO,
		    ID "\2\0\0\0\0\0\0\0\2\0\0\0\0\xd8\0\0" NARROW),
		B("no units at all", AE_EPROTO,
		    ID "\2\0\0\0\0\0\0\0\0\0\0\0" NARROW),
		B("offset", AE_EPROTO,
		    ID "\3\0\0\0\1\0\0\0\2\0\0\0a\0\0\0" NARROW),
		B("more than its maximum", AE_EPROTO,
		    ID "\1\0\0\0\0\0\0\0\2\0\0\0a\0\0\0" NARROW),
		B("more than the row's", AE_ELIMIT,
		    ID "\5\0\0\0\0\0\0\0\5\0\0\0a\0a\0a\0a\0\0\0\0\0" NARROW),
		B("less than the row's", AE_ELIMIT,
		    ID "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0" NARROW),
		B("ends early", AE_EPROTO, ID "\3\0\0\0\0\0\0\0\3\0\0\0a\0a"),
		B("narrow: no UTF-8", AE_EPROTO,
		    "\0\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0\xe4\0"),
		B("narrow: NUL inside", AE_EPROTO,
		    "\0\0\0\0\3\0\0\0\0\0\0\0\3\0\0\0a\0\0"),
		B("narrow: unterminated", AE_EPROTO,
		    "\0\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0ab"),
	};
	struct text t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (decode(&text_params, &t, bad[i].bytes, bad[i].len) !=
		    bad[i].rc)
			fail_msg("%s: %s", bad[i].what, err.text);
}

struct counted {
	uint32_t n;
	uint8_t *p;
	uint16_t *q;
	uint32_t range;
};

/* clang-format off */
static const struct ae_ndr_type counted = AE_NDR_STRUCT("counted",
    struct counted, 4,
	AE_NDR_ARRAY(struct counted, p, AE_NDR_UNIQUE, AE_NDR_CONF, &ae_ndr_u8, n, 8),
	AE_NDR_FIELD(struct counted, n, &ae_ndr_u32),
	AE_NDR_ARRAY(struct counted, q, AE_NDR_UNIQUE, AE_NDR_CONFVAR, &ae_ndr_u16, n, 8),
	AE_NDR_FIELD(struct counted, range, &ae_ndr_u32, .min = 3, .max = 5));
/* clang-format on */

static void
cve_2012_1182_null_array_with_a_count(void **state)
{
	static const char good[] = ID "\2\0\0\0" ID "\4\0\0\0"
				      "\2\0\0\0ab\0\0"
				      "\3\0\0\0\0\0\0\0\2\0\0\0\1\0\2\0";
	struct counted c;
	struct ae_wr w;

	(void)state;
	assert_int_equal(ae_ndr_lint(&counted, &err), AE_OK);
	assert_int_equal(DECODE(&counted, &c, good), AE_OK);
	assert_int_equal(c.q[1], 2);
	assert_int_equal(DECODE(&counted, &c,
			     "\0\0\0\0\2\0\0\0" ID "\4\0\0\0"
			     "\3\0\0\0\0\0\0\0\2\0\0\0\1\0\2\0"),
	    AE_EPROTO);
	assert_non_null(strstr(err.text, "NULL"));
	assert_int_equal(
	    DECODE(&counted, &c, "\0\0\0\0\0\0\0\0\0\0\0\0\6\0\0\0"),
	    AE_ELIMIT);
	/* And from our side. */
	c = (struct counted){ .n = 1, .range = 3 };
	ae_wr_init(&w, 100);
	assert_int_equal(ae_ndr_encode(&counted, &c, &w, &err), AE_EINVAL);
	c = (struct counted){ .range = 6 };
	assert_int_equal(ae_ndr_encode(&counted, &c, &w, &err), AE_EINVAL);
	c = (struct counted){ .n = 9, .range = 3, .p = c.p };
	assert_int_equal(ae_ndr_encode(&counted, &c, &w, &err), AE_EINVAL);
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
}

static const struct ae_ndr_type loop;
/* clang-format off */
static const struct ae_ndr_type loop = AE_NDR_STRUCT("loop",
    struct node, 4,
	AE_NDR_FIELD(struct node, v, &ae_ndr_u32),
	AE_NDR_PTR(struct node, next, AE_NDR_FULL, &loop));
static const struct ae_ndr_type two = AE_NDR_PARAMS("two", struct pair,
	AE_NDR_FIELD(struct pair, first, &loop),
	AE_NDR_FIELD(struct pair, second, &loop));
/* clang-format on */

static void
full_pointers(void **state)
{
	struct pair p;

	(void)state;
	/* first.next and second.next are the same node. */
	assert_int_equal(DECODE(&two, &p,
			     "\1\0\0\0\x0a\0\0\0\2\0\0\0\0\0\0\0"
			     "\3\0\0\0\x0a\0\0\0"),
	    AE_OK);
	assert_ptr_equal(p.first.next, p.second.next);
	assert_int_equal(p.second.next->v, 2);
	/* A node that is its own successor. */
	assert_int_equal(DECODE(&two, &p,
			     "\1\0\0\0\x0a\0\0\0\2\0\0\0\x0a\0\0\0"
			     "\3\0\0\0\0\0\0\0"),
	    AE_EPROTO);
	assert_non_null(strstr(err.text, "cycle"));
}

static void
union_discriminants(void **state)
{
	struct lsa_policy_out out;

	(void)state;
	assert_int_equal(
	    DECODE(&lsa_policy_out, &out, ID "\x0a\0\0\0\5\0\0\0"), AE_OK);
	assert_int_equal(out.level, 10);
	assert_int_equal(out.status, 5);
	assert_int_equal(DECODE(&lsa_policy_out, &out,
			     ID "\x09\0\0\0\1\0\0\0\0\0\0\0\5\0\0\0"),
	    AE_OK);
	assert_int_equal(out.policy->modified, 1);
	assert_int_equal(
	    DECODE(&lsa_policy_out, &out, ID "\x0b\0\0\0\5\0\0\0"), AE_EPROTO);
	assert_non_null(strstr(err.text, "no arm 11"));
}

static void
cve_2012_1182_disagreeing_discriminant(void **state)
{
	struct zoo z = *zoo_sample();
	size_t i, wrong = 0;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 4096);
	assert_int_equal(ae_ndr_encode(&zoo_type, &z, &w, &err), AE_OK);
	for (i = 0; i + 4 < w.len; i += 2) {
		if (memcmp(w.p + i, "\x4d\0\x4d\0", 4) != 0)
			continue;
		w.p[i] = 0x4e;
		assert_int_equal(decode(&zoo_type, &z, w.p, w.len), AE_EPROTO);
		assert_non_null(strstr(err.text, "announced"));
		wrong++;
	}
	assert_int_equal(wrong, 1);
	ae_wr_done(&w);
}

static void
cve_2012_1182_ceiling_of_the_arena(void **state)
{
	struct ae_arena *small = ae_arena_new(512);
	struct ae_wr w;
	struct zoo z;

	(void)state;
	ae_wr_init(&w, 4096);
	assert_int_equal(
	    ae_ndr_encode(&zoo_type, zoo_sample(), &w, &err), AE_OK);
	assert_int_equal(
	    ae_ndr_decode(&zoo_type, &z, w.p, w.len, false, small, NULL, &err),
	    AE_ELIMIT);
	ae_wr_done(&w);
	/* A writer that is too small. */
	ae_wr_init(&w, 64);
	assert_int_equal(
	    ae_ndr_encode(&zoo_type, zoo_sample(), &w, &err), AE_ELIMIT);
	assert_int_equal(w.len, 0);
	ae_wr_done(&w);
	ae_arena_free(small);
}

static void
pickles(void **state)
{
	static const char good[] = "\1\x10\x08\0\xcc\xcc\xcc\xcc\x10\0\0\0\0\0"
				   "\0\0\3\0\0\0\3\0\0\0abc\0\0\0\0\0";
	static const char big[] = "\1\0\0\x08\xcc\xcc\xcc\xcc\0\0\0\x10\0\0"
				  "\0\0\0\0\0\3\0\0\0\3abc\0\0\0\0\0";
	char bad[sizeof(good)];
	size_t i, used = 0;
	struct tower t;
	struct ae_wr w;

	(void)state;
	assert_int_equal(ae_ndr_unpickle(&tower_type, &t, good,
			     sizeof(good) - 1, arena, NULL, &err),
	    AE_OK);
	ae_wr_init(&w, 100);
	assert_int_equal(ae_ndr_pickle(&tower_type, &t, &w, &err), AE_OK);
	assert_int_equal(w.len, sizeof(good) - 1);
	assert_memory_equal(w.p, good, w.len);
	ae_wr_done(&w);
	assert_int_equal(ae_ndr_unpickle(&tower_type, &t, big, sizeof(big) - 1,
			     arena, NULL, &err),
	    AE_OK);
	assert_int_equal(t.length, 3);
	/* Bytes after it, and whether they matter. */
	assert_int_equal(ae_ndr_unpickle(&tower_type, &t, good, sizeof(good),
			     arena, NULL, &err),
	    AE_EPROTO);
	assert_int_equal(ae_ndr_unpickle(&tower_type, &t, good, sizeof(good),
			     arena, &used, &err),
	    AE_OK);
	assert_int_equal(used, 32);
	/* Version, byte order, header length, body length, truncation. */
	for (i = 0; i < 12; i++) {
		if (i >= 4 && i < 8)
			continue; /* filler */
		memcpy(bad, good, sizeof(bad));
		bad[i] = (char)(bad[i] + 3);
		assert_int_equal(ae_ndr_unpickle(&tower_type, &t, bad,
				     sizeof(bad) - 1, arena, &used, &err),
		    AE_EPROTO);
	}
	for (i = 0; i < sizeof(good) - 1; i++)
		assert_int_equal(ae_ndr_unpickle(&tower_type, &t, good, i,
				     arena, &used, &err),
		    AE_EPROTO);
}

static void
sids(void **state)
{
	static const char domain[] = ID "\5\0\0\0\0\0\0\0\0\0\0\0" ID;
	char bytes[64];
	struct lsa_policy_out out;
	size_t len = sizeof(domain) - 1;

	(void)state;
	memcpy(bytes, domain, len);
	memcpy(bytes + len, "\1\0\0\0\1\1\0\0\0\0\0\5\x12\0\0\0\7\0\0\0", 20);
	assert_int_equal(decode(&lsa_policy_out, &out, bytes, len + 20), AE_OK);
	assert_null(out.policy->domain.name);
	assert_int_equal(out.policy->domain.sid->sub[0], 18);
	assert_int_equal(out.status, 7);
	/* Another count before it than inside; another revision. */
	bytes[len] = 2;
	assert_int_equal(
	    decode(&lsa_policy_out, &out, bytes, len + 20), AE_EPROTO);
	bytes[len] = 1;
	bytes[len + 4] = 2;
	assert_int_equal(
	    decode(&lsa_policy_out, &out, bytes, len + 20), AE_EPROTO);
	bytes[len + 4] = 1;
	bytes[len] = bytes[len + 5] = 16;
	assert_int_equal(
	    decode(&lsa_policy_out, &out, bytes, len + 20), AE_EPROTO);
	/* A length that does not fit its buffer pointer. */
	bytes[len] = bytes[len + 5] = 1;
	bytes[8] = 2;
	assert_int_equal(
	    decode(&lsa_policy_out, &out, bytes, len + 20), AE_EPROTO);
}

static int
setup(void **state)
{
	(void)state;
	arena = ae_arena_new(1 << 20);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ae_arena_free(arena);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(zoo_round_trip),
		T(zoo_mutated),
		T(zoo_torture),
		T(order_of_referents),
		T(siblings_before_cousins),
		T(too_deep),
		T(cve_2012_1182_conformant_struct),
		T(trailing_bytes_by_choice),
		T(failure_leaves_out_alone),
		T(strings),
		T(strings_refused),
		T(cve_2012_1182_null_array_with_a_count),
		T(full_pointers),
		T(union_discriminants),
		T(cve_2012_1182_disagreeing_discriminant),
		T(cve_2012_1182_ceiling_of_the_arena),
		T(pickles),
		T(sids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
