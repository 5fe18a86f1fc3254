/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * B7 (a), (b): access checks with the code that the CA runs: a descriptor
 * parsed once, a token made once.
 *
 *	b7_access SECONDS		one JSON line for each case
 *
 * "naive" is what one would write first: each ACE's SID compared with each of
 * the token's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ad/sd.h"

#define TEMPLATES 200

static struct ae_sid sids[1024];
static struct ae_token *token;
static struct ae_sd *sd[TEMPLATES];
static size_t nsids;

static double
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct ae_sid
sid_of(uint32_t rid)
{
	const struct ae_sid s = { .authority = 5,
		.nsubs = 5,
		.sub = { 21, 1004336348, 1177238915, 682003330, rid } };

	return s;
}

static void
must(int rc)
{
	if (rc != AE_OK)
		abort();
}

/* ACEs for others, and the one that lets the caller enroll last; or none. */
static struct ae_sd *
descriptor(unsigned naces, bool allows)
{
	struct ae_sd *d = ae_sd_new();
	struct ae_sid owner = sid_of(512), mine = sid_of(5000);

	if (d == NULL)
		abort();
	ae_sd_set_owner(d, &owner);
	for (unsigned i = 0; i + 1 < naces; i++) {
		struct ae_sid other = sid_of(900000 + i);

		must(ae_sd_allow(
		    d, 0, AE_ACCESS_CONTROL, &ae_right_enroll, &other, NULL));
	}
	if (!allows)
		mine.sub[4] = 899999;
	must(ae_sd_allow(
	    d, 0, AE_ACCESS_CONTROL, &ae_right_enroll, &mine, NULL));
	return d;
}

static void
caller(size_t n)
{
	nsids = n;
	for (size_t i = 0; i < n; i++)
		sids[i] = sid_of((uint32_t)(5000 + i));
	ae_token_free(token);
	token = NULL;
	must(ae_token_exact(&token, sids, n, NULL));
}

static bool
naive(const struct ae_sd *d)
{
	for (size_t i = 0; i < d->dacl.n; i++) {
		const struct ae_ace *a = &d->dacl.v[i];

		if (!a->has_object ||
		    memcmp(&a->object, &ae_right_enroll, sizeof(a->object)) !=
			0)
			continue;
		for (size_t k = 0; k < nsids; k++)
			if (ae_sid_equal(&a->sid, &sids[k]))
				return a->type == AE_ACE_ALLOWED_OBJECT;
	}
	return false;
}

static bool
ours(const struct ae_sd *d)
{
	return ae_sd_can_enroll(d, token);
}

/* Nanoseconds for all of n descriptors, the least of rounds. */
static double
measure(bool (*check)(const struct ae_sd *), size_t n, bool want, double s)
{
	double end = now_ns() + s * 1e9, best = 1e18, t;
	unsigned times = n == 1 && s > 0.01 ? 1000 : 10;

	do {
		t = now_ns();
		for (unsigned r = 0; r < times; r++)
			for (size_t i = 0; i < n; i++)
				if (check(sd[i]) != want)
					abort();
		t = (now_ns() - t) / times;
		if (t < best)
			best = t;
	} while (now_ns() < end);
	return best;
}

static void
print(const char *what, const char *impl, unsigned naces, double ns)
{
	(void)printf("{\"bench\": \"B7\", \"impl\": \"%s\", \"what\": \"%s\", "
		     "\"aces\": %u, \"sids\": %zu, \"ns\": %.1f}\n",
	    impl, what, naces, nsids, ns);
}

int
main(int argc, char **argv)
{
	static const struct {
		unsigned aces;
		size_t sids;
	} cases[] = { { 8, 64 }, { 12, 256 }, { 16, 1024 } };
	double s = argc > 1 ? atof(argv[1]) : 1;

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		caller(cases[c].sids);
		for (int yes = 0; yes < 2; yes++) {
			const char *what = yes ? "allowed" : "refused";

			sd[0] = descriptor(cases[c].aces, yes == 1);
			print(what, "autoenroll", cases[c].aces,
			    measure(ours, 1, yes == 1, s));
			print(what, "naive", cases[c].aces,
			    measure(naive, 1, yes == 1, s));
			ae_sd_free(sd[0]);
		}
	}
	caller(256);
	for (size_t i = 0; i < TEMPLATES; i++)
		sd[i] = descriptor(12, true);
	print("200 templates", "autoenroll", 12,
	    measure(ours, TEMPLATES, true, s));
	for (size_t i = 0; i < TEMPLATES; i++)
		ae_sd_free(sd[i]);
	ae_token_free(token);
	return 0;
}
