/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of enroll/plan.h: what leaves the store, what becomes of requests
 * under way, what is about to expire – and that no pair that works is lost,
 * in thousands of worlds.
 */
#include "plan_world.h"

#include <string.h>

#include "torture.h"

#define YEAR (365 * DAY)

static void
expire(struct ae_inv_cert *c)
{
	c->not_before = NOW - YEAR;
	c->not_after = NOW - 1;
}

static void
expired_certificates_go(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.ncerts = 1;
	expire(&w->cert[0]);
	/* It is replaced in this run: only afterwards. */
	p = world_plan(w);
	assert_int_equal(p->nstore, 1);
	assert_ptr_equal(p->store[0].cert, &w->cert[0]);
	assert_int_equal(p->store[0].what, AE_PLAN_ARCHIVE);
	assert_ptr_equal(p->store[0].after, &p->items[0]);
	assert_string_equal(p->store[0].check, "existing.expired");
	/* Nothing replaces it: now. */
	w->ca.templates.n = 0;
	p = world_plan(w);
	assert_int_equal(p->nstore, 1);
	assert_null(p->store[0].after);
	/* A template that is gone does not keep it either. */
	w->cert[0].template_oid = "1.2.3";
	assert_int_equal(world_plan(w)->nstore, 1);
	/* What no template made is not ours to manage. */
	w->cert[0].template_oid = NULL;
	assert_int_equal(world_plan(w)->nstore, 0);
}

static void
bit_two_alone_cleans_up(void **state)
{
	static const struct {
		uint32_t policy;
		size_t n;
	} rows[] = { { 0, 0 }, { 1, 0 }, { 2, 1 }, { 4, 0 }, { 5, 0 }, { 6, 1 },
		{ 7, 1 }, { 0x8000, 0 }, { 0x8002, 0 }, { 0x8007, 0 } };
	struct world *w = *state;
	size_t i;

	w->in.have.ncerts = 1;
	w->cert[0].revocation = AE_INV_REVOKED;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		w->in.policy = rows[i].policy;
		assert_int_equal(world_plan(w)->nstore, rows[i].n);
	}
	w->in.manual = true;
	assert_int_equal(world_plan(w)->nstore, 0);
}

static void
revoked_certificates_go_at_once(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.ncerts = 1;
	w->cert[0].revocation = AE_INV_REVOKED;
	w->cert[0].revoked_why = "key compromise";
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	assert_int_equal(p->nstore, 1);
	assert_null(p->store[0].after);
	assert_string_equal(p->store[0].check, "existing.revoked");
	assert_non_null(strstr(p->store[0].text, "key compromise"));
	w->cert[0].revocation = AE_INV_HOLD;
	assert_int_equal(world_plan(w)->nstore, 0);
	w->cert[0].revocation = AE_INV_UNKNOWN;
	assert_int_equal(world_plan(w)->nstore, 0);
}

static void
deleting_is_for_signature_certificates(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.ncerts = 2;
	w->cert[1] = w->cert[0];
	w->cert[1].archived = true;
	expire(&w->cert[1]);
	assert_int_equal(world_plan(w)->nstore, 0);
	w->t.enrollment_flag |= AE_CT_REMOVE_INVALID_CERTIFICATE;
	p = world_plan(w);
	assert_int_equal(p->nstore, 1);
	assert_ptr_equal(p->store[0].cert, &w->cert[1]);
	assert_int_equal(p->store[0].what, AE_PLAN_DELETE);
	/* What may have encrypted something is kept for ever. */
	w->cert[1].encrypts = true;
	assert_int_equal(world_plan(w)->nstore, 0);
	w->cert[1].archived = false;
	p = world_plan(w);
	assert_int_equal(world_leaves(p, &w->cert[1])->what, AE_PLAN_ARCHIVE);
	/* An archived one that is neither expired nor revoked stays. */
	w->cert[1] = w->cert[0];
	w->cert[1].archived = true;
	assert_int_equal(world_plan(w)->nstore, 0);
	w->cert[1].revocation = AE_INV_REVOKED;
	assert_int_equal(world_plan(w)->store[0].what, AE_PLAN_DELETE);
}

static void
of_several_the_best_stays(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.ncerts = 3;
	w->cert[1] = w->cert[2] = w->cert[0];
	w->cert[1].not_before = NOW - DAY;
	w->cert[2].not_before = NOW - 90 * DAY;
	p = world_plan(w);
	assert_int_equal(p->nstore, 2);
	assert_non_null(world_leaves(p, &w->cert[0]));
	assert_null(world_leaves(p, &w->cert[1]));
	assert_string_equal(
	    world_leaves(p, &w->cert[2])->check, "use.multiple-candidates");
	/* The newest does not work: the next stays instead. */
	w->cert[1].has_key = false;
	p = world_plan(w);
	assert_null(world_leaves(p, &w->cert[0]));
	assert_non_null(world_leaves(p, &w->cert[1]));
}

static void
superseding(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;
	const struct ae_plan_store *s;

	w->in.ntemplates = 2;
	w->in.have.ncerts = 1;
	w->t2.supersedes = (struct ae_strv){ w->supersedes, 1 };
	/* The old one goes when the new one is installed. */
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_SKIP);
	assert_int_equal(ae_plan_decisive(&p->items[0])->event, 56);
	assert_int_equal(p->items[1].action, AE_PLAN_ENROLL);
	s = world_leaves(p, &w->cert[0]);
	assert_non_null(s);
	assert_ptr_equal(s->after, &p->items[1]);
	assert_string_equal(s->check, "existing.superseded-by-other");
	/* The new one is there: now. */
	w->in.have.ncerts = 2;
	w->cert[1] = w->cert[0];
	w->cert[1].name = "WorkstationV2/1";
	w->cert[1].template_oid = w->t2.oid;
	p = world_plan(w);
	assert_int_equal(p->items[1].action, AE_PLAN_KEEP);
	s = world_leaves(p, &w->cert[0]);
	assert_non_null(s);
	assert_null(s->after);
	/* … but on hold it does not work. */
	w->cert[1].revocation = AE_INV_HOLD;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_KEEP);
	assert_null(world_leaves(p, &w->cert[0]));
}

static void
superseded_by_what_cannot_be_had(void **state)
{
	struct world *w = *state;

	w->in.ntemplates = 2;
	w->in.have.ncerts = 1;
	w->t2.supersedes = (struct ae_strv){ w->supersedes, 1 };
	w->ca.templates.n = 1; /* not published */
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
	assert_int_equal(world_plan(w)->nstore, 0);
	w->ca.templates.n = 2;
	world_set_rights(&w->t2, 3);
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
	world_set_rights(&w->t2, 7);
	w->t2.name_flag = AE_CT_ENROLLEE_SUPPLIES_SUBJECT;
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
	w->t2.name_flag = 0;
	w->t2.flags = 0; /* for users */
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
	w->t2.flags = AE_CT_MACHINE_TYPE;
	w->in.policy = 6; /* nothing new is requested */
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
	w->in.policy = 7;
	assert_int_equal(world_item(w)->action, AE_PLAN_SKIP);
	/* Each the other's successor: the lists are ignored. */
	w->t.supersedes = (struct ae_strv){ w->back, 1 };
	assert_int_equal(world_item(w)->action, AE_PLAN_KEEP);
}

static const struct ae_plan_pending *
only_pending(const struct ae_plan *p)
{
	assert_int_equal(p->npending, 1);
	return &p->pending[0];
}

static void
pending_requests_are_asked_about(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.nrequests = 1;
	p = world_plan(w);
	assert_int_equal(only_pending(p)->what, AE_PLAN_FETCH);
	assert_ptr_equal(only_pending(p)->tmpl, &w->t);
	assert_string_equal(
	    only_pending(p)->check, "pending.awaiting-approval");
	/* It stands in the way of another. */
	assert_string_equal(
	    ae_plan_decisive(&p->items[0])->check, "existing.pending-request");
	/* Somebody who asks by hand asks again. */
	w->in.manual = true;
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	assert_int_equal(world_plan(w)->npending, 0);
	w->in.manual = false;
	/* Without bit 0x4 it waits, and is in the way just as well. */
	w->in.policy = 3;
	p = world_plan(w);
	assert_int_equal(p->npending, 0);
	assert_int_equal(p->items[0].action, AE_PLAN_SKIP);
	assert_true(world_has(&p->items[0], "pending.pickup-disabled"));
	w->in.policy = 4;
	assert_int_equal(only_pending(world_plan(w))->what, AE_PLAN_FETCH);
	w->in.policy = 0x8004;
	assert_int_equal(world_plan(w)->npending, 0);
}

static void
pending_too_long(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.nrequests = 1;
	w->request[0].submitted = NOW - 60LL * DAY;
	assert_int_equal(only_pending(world_plan(w))->what, AE_PLAN_FETCH);
	w->request[0].submitted--;
	p = world_plan(w);
	assert_int_equal(only_pending(p)->what, AE_PLAN_DROP);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	w->in.pending_max = 90LL * DAY;
	assert_int_equal(only_pending(world_plan(w))->what, AE_PLAN_FETCH);
	/* A clock that may be wrong drops nothing. */
	w->in.pending_max = 0;
	w->in.dc_now = NOW - YEAR;
	assert_int_equal(only_pending(world_plan(w))->what, AE_PLAN_FETCH);
}

static void
pending_at_a_ca_that_is_gone(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.nrequests = 1;
	w->request[0].ca_config = "ca9.lab.example\\Old CA";
	p = world_plan(w);
	assert_int_equal(p->npending, 0);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	assert_true(world_has(&p->items[0], "pending.ca-gone"));
}

static void
pending_of_a_template_that_is_gone(void **state)
{
	struct world *w = *state;

	w->in.have.nrequests = 1;
	w->request[0].template_oid = "1.2.3";
	assert_null(only_pending(world_plan(w))->tmpl);
	assert_int_equal(world_item(w)->action, AE_PLAN_ENROLL);
	/* By name when the OID is not known. */
	w->request[0].template_oid = NULL;
	w->request[0].template_cn = "WORKSTATION";
	assert_ptr_equal(only_pending(world_plan(w))->tmpl, &w->t);
}

static void
an_unanswered_request_is_sent_again(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.nrequests = 1;
	w->request[0].state = AE_INV_ASKED;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	assert_ptr_equal(p->items[0].resume, &w->request[0]);
	assert_int_equal(p->npending, 0);
	/* The certificate it would renew is not to be renewed (any more). */
	w->request[0].renews = w->cert[0].thumbprint;
	p = world_plan(w);
	assert_null(p->items[0].resume);
	assert_int_equal(only_pending(p)->what, AE_PLAN_DROP);
	assert_string_equal(only_pending(p)->check, "pending.obsolete");
	w->in.have.ncerts = 1;
	w->cert[0].not_before = NOW - 330 * DAY;
	w->cert[0].not_after = NOW + 35 * DAY;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_RENEW);
	assert_ptr_equal(p->items[0].resume, &w->request[0]);
	w->request[0].renews = "ff";
	assert_null(world_item(w)->resume);
	/* A certificate is there by now. */
	w->cert[0].not_before = NOW - DAY;
	w->cert[0].not_after = NOW + YEAR;
	assert_int_equal(only_pending(world_plan(w))->what, AE_PLAN_DROP);
	/* Of a template that is skipped now it is kept. */
	w->in.have.ncerts = 0;
	w->in.ncas = 0;
	assert_int_equal(world_plan(w)->npending, 0);
	/* By hand it is another request. */
	w->in.ncas = 1;
	w->in.manual = true;
	assert_null(world_item(w)->resume);
}

static void
of_two_unanswered_requests_the_newer(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.nrequests = 2;
	w->request[0].state = AE_INV_ASKED;
	w->request[1].state = AE_INV_MADE;
	w->request[1].submitted = NOW - 60;
	p = world_plan(w);
	assert_ptr_equal(p->items[0].resume, &w->request[1]);
	assert_ptr_equal(only_pending(p)->request, &w->request[0]);
	assert_int_equal(only_pending(p)->what, AE_PLAN_DROP);
}

/* Its answer was lost; he asks again by hand, and no run does it for him. */
static void
what_a_person_sent_is_left_alone(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.nrequests = 1;
	w->request[0].state = AE_INV_ASKED;
	w->request[0].automatic = false;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	assert_null(p->items[0].resume);
	assert_int_equal(p->npending, 0);
	/* Beside one of the run's own, even an older one. */
	w->in.have.nrequests = 2;
	w->request[1].state = AE_INV_ASKED;
	w->request[1].submitted = w->request[0].submitted - 60;
	p = world_plan(w);
	assert_ptr_equal(p->items[0].resume, &w->request[1]);
	assert_int_equal(p->npending, 0);
	/* Not obsolete when a certificate is there, but old one day. */
	w->in.have.nrequests = 1;
	w->in.have.ncerts = 1;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_KEEP);
	assert_int_equal(p->npending, 0);
	w->request[0].submitted = NOW - 61LL * DAY;
	assert_string_equal(
	    only_pending(world_plan(w))->check, "pending.too-old");
	/* What waits at a CA is fetched, whoever sent it. */
	w->in.have.ncerts = 0;
	w->request[0].submitted = NOW - 60;
	w->request[0].state = AE_INV_PENDING;
	assert_int_equal(only_pending(world_plan(w))->what, AE_PLAN_FETCH);
}

/* What a person carries to a CA is neither sent nor cleared away. */
static void
a_kept_request_is_left_alone(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.nrequests = 1;
	w->request[0].state = AE_INV_KEPT;
	w->request[0].ca_config = NULL;
	w->request[0].submitted = NOW - 90LL * DAY;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_ENROLL);
	assert_null(p->items[0].resume);
	assert_int_equal(p->npending, 0);
	w->request[0].submitted = NOW - 60;
	assert_null(world_item(w)->resume);
	/* Not even when a certificate of the template is there. */
	w->in.have.ncerts = 1;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_KEEP);
	assert_int_equal(p->npending, 0);
}

static void
expiry_is_announced(void **state)
{
	struct world *w = *state;
	const struct ae_plan *p;

	w->in.have.ncerts = 1;
	w->cert[0].not_before = 0;
	w->cert[0].not_after = NOW + 1000;
	w->cert[0].template_oid = NULL; /* any certificate of the store */
	w->cert[0].not_before = NOW - 8999;
	assert_int_equal(world_plan(w)->nexpiring, 0);
	w->cert[0].not_before = NOW - 9001;
	p = world_plan(w);
	assert_int_equal(p->nexpiring, 1);
	assert_null(p->expiring[0].unless);
	w->in.expiry_percent = 9;
	assert_int_equal(world_plan(w)->nexpiring, 0);
	w->in.expiry_percent = 100;
	assert_int_equal(world_plan(w)->nexpiring, 1);
	w->in.unwatched = true;
	assert_int_equal(world_plan(w)->nexpiring, 0);
	w->in.unwatched = false;
	w->in.policy_set = false; /* a policy of its own */
	w->in.policy = 0;
	assert_int_equal(world_plan(w)->nexpiring, 1);
	w->in.policy = 0x8000;
	w->in.policy_set = true;
	assert_int_equal(world_plan(w)->nexpiring, 0);
	w->in.policy = 7;
	w->cert[0].archived = true;
	assert_int_equal(world_plan(w)->nexpiring, 0);
	/* A renewal is tried first. */
	w->cert[0].archived = false;
	w->cert[0].template_oid = w->t.oid;
	w->t.overlap = 0;
	w->in.now = w->cert[0].not_after - 1;
	w->t.overlap = 600;
	w->in.dc_now = w->in.now;
	p = world_plan(w);
	assert_int_equal(p->items[0].action, AE_PLAN_RENEW);
	assert_ptr_equal(p->expiring[0].unless, &p->items[0]);
}

/* A small generator: the same worlds in every run. */
static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static bool
one_in(uint32_t *seed, uint32_t n)
{
	return next(seed) % n == 0;
}

static void
random_cert(struct world *w, struct ae_inv_cert *c, uint32_t *seed)
{
	static const int64_t ends[] = { -1, 1, 35, 200, 335, 700 };
	static const int64_t begins[] = { 1, 30, 330, 600 };

	*c = w->cert[0];
	c->name = "some/1";
	c->template_oid = one_in(seed, 2) ? w->t.oid : w->t2.oid;
	c->not_before = NOW - begins[next(seed) % 4] * DAY;
	c->not_after = NOW + ends[next(seed) % 6] * DAY;
	c->has_key = !one_in(seed, 6);
	c->trusted = !one_in(seed, 8);
	c->archived = one_in(seed, 5);
	c->encrypts = one_in(seed, 2);
	c->major = one_in(seed, 4) ? 99 : 100;
	c->revocation = (enum ae_inv_revocation)(
	    one_in(seed, 3) ? next(seed) % 4 : AE_INV_GOOD);
	if (one_in(seed, 8))
		c->sid = world_sid("S-1-5-21-9-9-9-9");
}

static bool
works(const struct ae_inv_cert *c)
{
	return c->has_key && c->trusted && !c->archived && c->not_after > NOW &&
	    c->revocation != AE_INV_REVOKED;
}

static void
random_world(struct world *w, uint32_t *seed)
{
	static const uint32_t policies[] = { 7, 7, 6, 2, 3, 1, 0, 0x8007 };
	struct ae_inv_cert first = w->cert[0], made[CERTS];
	size_t i;

	w->in.have.ncerts = next(seed) % (CERTS + 1);
	for (i = 0; i < w->in.have.ncerts; i++)
		random_cert(w, &made[i], seed);
	memcpy(w->cert, made, w->in.have.ncerts * sizeof(made[0]));
	if (w->in.have.ncerts == 0)
		w->cert[0] = first;
	w->in.ntemplates = 2;
	w->in.policy = policies[next(seed) % 8];
	w->t.enrollment_flag = one_in(seed, 4) ? 0 : AE_CT_AUTO_ENROLLMENT;
	w->t2.enrollment_flag = one_in(seed, 4) ? 0 : AE_CT_AUTO_ENROLLMENT;
	if (one_in(seed, 3))
		w->t.enrollment_flag |= AE_CT_REMOVE_INVALID_CERTIFICATE;
	if (one_in(seed, 2))
		w->t2.supersedes = (struct ae_strv){ w->supersedes, 1 };
	if (one_in(seed, 6))
		w->t.supersedes = (struct ae_strv){ w->back, 1 };
	w->ca.templates.n = next(seed) % 3;
	w->t2.name_flag = one_in(seed, 4) ? AE_CT_ENROLLEE_SUPPLIES_SUBJECT : 0;
	if (one_in(seed, 10))
		w->in.dc_now = NOW + YEAR;
}

/* Is a certificate that works left, when requests end as the bits say? */
static bool
left(const struct world *w, const struct ae_plan *p, const char *oid,
    const char *or_oid, unsigned ends_well)
{
	size_t i, k;

	for (i = 0; i < p->nitems; i++)
		if ((p->items[i].action == AE_PLAN_ENROLL ||
			p->items[i].action == AE_PLAN_RENEW) &&
		    (ends_well & (1u << i)) != 0 &&
		    (strcmp(p->items[i].tmpl->oid, oid) == 0 ||
			strcmp(p->items[i].tmpl->oid, or_oid) == 0))
			return true;
	for (i = 0; i < w->in.have.ncerts; i++) {
		const struct ae_inv_cert *c = &w->cert[i];
		bool gone = false;

		if (!works(c) ||
		    (strcmp(c->template_oid, oid) != 0 &&
			strcmp(c->template_oid, or_oid) != 0))
			continue;
		for (k = 0; k < p->nstore; k++)
			gone = gone ||
			    (p->store[k].cert == c &&
				(p->store[k].after == NULL ||
				    (ends_well &
					(1u << (p->store[k].after -
					     p->items))) != 0));
		if (!gone)
			return true;
	}
	return false;
}

/*
 * Whoever had a pair that works has one afterwards, of that template or of
 * the one that supersedes it, whether the CA answers or not.
 */
static void
no_working_pair_is_lost(void **state)
{
	uint32_t seed = 20261128;
	unsigned n, ends_well, had = 0, took = 0;
	size_t i;

	(void)state;
	for (n = 0; n < 20000; n++) {
		const struct ae_plan *p;
		struct world *w;
		void *v = NULL;

		assert_int_equal(world_setup(&v), 0);
		w = v;
		random_world(w, &seed);
		p = world_plan(w);
		took += p->nstore > 0;
		for (i = 0; i < w->in.have.ncerts; i++) {
			const char *oid = w->cert[i].template_oid;

			if (!works(&w->cert[i]))
				continue;
			had++;
			for (ends_well = 0; ends_well < 4; ends_well++)
				if (!left(w, p, oid,
					oid == w->t.oid &&
						w->t2.supersedes.n > 0
					    ? w->t2.oid
					    : oid == w->t2.oid &&
						w->t.supersedes.n > 0
					    ? w->t.oid
					    : oid,
					ends_well))
					fail_msg("world %u loses %s", n, oid);
		}
		/* Nothing leaves twice, nor without the bit for it. */
		for (i = 0; i < p->nstore; i++) {
			assert_true((p->may & AE_POLICY_MANAGE) != 0);
			assert_ptr_equal(
			    world_leaves(p, p->store[i].cert), &p->store[i]);
			assert_true(p->store[i].what != AE_PLAN_DELETE ||
			    !p->store[i].cert->encrypts);
		}
		(void)world_teardown(&v);
	}
	/* The generator does make worlds that matter. */
	assert_true(had > 10000);
	assert_true(took > 1000);
}

static bool
make(void *arg)
{
	struct world *w = arg;
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_plan *p;
	bool ok;

	ok = a != NULL && ae_plan_make(&p, &w->in, a, NULL) == AE_OK;
	ae_arena_free(a);
	return ok;
}

static void
out_of_memory(void **state)
{
	struct world *w = *state;

	w->in.ntemplates = 2;
	w->in.have.ncerts = 1;
	w->in.have.nrequests = 1;
	w->t2.supersedes = (struct ae_strv){ w->supersedes, 1 };
	world_set_rights(&w->t, 0);
	assert_true(ae_torture(make, w, 100, true) >= 2);
}

/* userCertificate: what nobody can use any more, and nothing else. */
static void
the_directory_is_cleaned_up(void **state)
{
	struct world *w = *state;
	struct ae_inv_cert *c = &w->published;
	const struct ae_plan *p;

	w->in.have.published = c;
	w->in.have.npublished = 1;
	*c = w->cert[0];
	c->has_key = false;
	assert_int_equal(world_plan(w)->nunpublish, 0);
	c->not_before = NOW - YEAR;
	c->not_after = NOW - DAY + 1;
	assert_int_equal(world_plan(w)->nunpublish, 0);
	c->not_after = NOW - DAY;
	p = world_plan(w);
	assert_int_equal(p->nunpublish, 1);
	assert_ptr_equal(p->unpublish[0].cert, c);
	assert_string_equal(p->unpublish[0].check, "existing.expired");
	c->not_after = NOW + DAY;
	c->revocation = AE_INV_REVOKED;
	c->revoked_at = NOW - 1;
	p = world_plan(w);
	assert_int_equal(p->nunpublish, 1);
	assert_string_equal(p->unpublish[0].check, "existing.revoked");
	/* Of a template that is gone as well. */
	c->template_oid = "1.2.3";
	assert_int_equal(world_plan(w)->nunpublish, 1);
	c->revocation = AE_INV_HOLD;
	assert_int_equal(world_plan(w)->nunpublish, 0);
	c->revocation = AE_INV_UNKNOWN;
	assert_int_equal(world_plan(w)->nunpublish, 0);
	c->revocation = AE_INV_REVOKED;
	c->template_oid = c->template_name = NULL;
	assert_int_equal(world_plan(w)->nunpublish, 0);
}

static void
only_where_policy_says_so(void **state)
{
	static const struct {
		uint32_t policy;
		size_t n;
	} rows[] = { { 0, 0 }, { 1, 0 }, { 2, 1 }, { 4, 0 }, { 5, 0 }, { 6, 1 },
		{ 7, 1 }, { 0x8000, 0 }, { 0x8002, 0 } };
	struct world *w = *state;
	size_t i;

	w->published = w->cert[0];
	w->published.revocation = AE_INV_REVOKED;
	w->in.have.published = &w->published;
	w->in.have.npublished = 1;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		w->in.policy = rows[i].policy;
		assert_int_equal(world_plan(w)->nunpublish, rows[i].n);
	}
	w->in.policy = 7;
	w->in.dc_now = NOW + 2 * DAY; /* whose clock is right? */
	assert_int_equal(world_plan(w)->nunpublish, 0);
	w->in.dc_now = 0;
	w->in.only = w->t.cn;
	assert_int_equal(world_plan(w)->nunpublish, 0);
	w->in.manual = true;
	assert_int_equal(world_plan(w)->nunpublish, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(expired_certificates_go),
		T(bit_two_alone_cleans_up),
		T(revoked_certificates_go_at_once),
		T(deleting_is_for_signature_certificates),
		T(of_several_the_best_stays),
		T(superseding),
		T(superseded_by_what_cannot_be_had),
		T(pending_requests_are_asked_about),
		T(pending_too_long),
		T(pending_at_a_ca_that_is_gone),
		T(pending_of_a_template_that_is_gone),
		T(an_unanswered_request_is_sent_again),
		T(of_two_unanswered_requests_the_newer),
		T(what_a_person_sent_is_left_alone),
		T(a_kept_request_is_left_alone),
		T(expiry_is_announced),
		cmocka_unit_test(no_working_pair_is_lost),
		T(out_of_memory),
		T(the_directory_is_cleaned_up),
		T(only_where_policy_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
