/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Ping sets, MS-DCOM 3.1.2.5.1.2 and 3.1.2.5.1.3.  Our objects do not die
 * for want of pings, so a set keeps nothing alive; clients that ping must
 * find the sets they made all the same.  A set belongs to the caller who
 * made it: for others it does not exist.
 */
#include "dcom/export.h"

#include <stdlib.h>
#include <string.h>

#define PING_PERIOD_MS 120000u
#define EXPIRY_MS (3 * PING_PERIOD_MS) /* 3.1.2.2 */

struct dcom_set {
	uint64_t id;
	struct ae_sid owner;
	uint64_t pinged;
	uint32_t objects; /* a bit each: there are OBJECTS_MAX of them */
	uint16_t sequence;
};

_Static_assert(OBJECTS_MAX <= 32, "a set has a bit for each object");

static void
expire(struct ae_dcom_exporter *x, uint64_t now)
{
	size_t i = 0;

	while (i < x->nsets) {
		if (now - x->sets[i].pinged > EXPIRY_MS)
			x->sets[i] = x->sets[--x->nsets];
		else
			i++;
	}
}

size_t
ae_dcom_exporter_sets(struct ae_dcom_exporter *x, uint64_t now)
{
	expire(x, now);
	return x->nsets;
}

static struct dcom_set *
find(struct dcom_call *c, uint64_t id)
{
	struct ae_dcom_exporter *x = c->x;
	size_t i;

	for (i = 0; i < x->nsets; i++)
		if (x->sets[i].id == id &&
		    ae_sid_equal(&x->sets[i].owner, c->rpc->sid))
			return &x->sets[i];
	return NULL;
}

/* A new set; NULL when there are too many. */
static struct dcom_set *
new_set(struct dcom_call *c)
{
	struct ae_dcom_exporter *x = c->x;
	struct dcom_set *grown;
	size_t i, cap, owned = 0;

	for (i = 0; i < x->nsets; i++)
		if (ae_sid_equal(&x->sets[i].owner, c->rpc->sid))
			owned++;
	if (owned >= x->max_caller_sets || x->nsets >= x->max_sets)
		return NULL;
	if (x->nsets == x->sets_cap) {
		cap = x->sets_cap == 0 ? 16 : 2 * x->sets_cap;
		grown = realloc(x->sets, cap * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		x->sets = grown;
		x->sets_cap = cap;
	}
	x->sets[x->nsets] =
	    (struct dcom_set){ .id = x->next_set++, .owner = *c->rpc->sid };
	return &x->sets[x->nsets++];
}

uint32_t
dcom_simple_ping(struct dcom_call *c)
{
	const struct ae_dcom_simple_ping_in *in = c->in;
	struct ae_dcom_status_out out = { 0 };
	struct dcom_set *s;

	expire(c->x, c->now);
	s = find(c, in->set);
	if (s == NULL)
		out.status = AE_DCOM_OR_INVALID_SET;
	else
		s->pinged = c->now;
	return dcom_reply(c, &ae_dcom_status_out_type, &out);
}

/* Add and remove; OR_INVALID_OID when strict and one is not ours. */
static uint32_t
change(struct dcom_call *c, struct dcom_set *s, bool strict)
{
	const struct ae_dcom_complex_ping_in *in = c->in;
	size_t i, object;

	for (i = 0; i < in->nadd; i++) {
		if (dcom_find_oid(c->x, in->add[i], &object))
			s->objects |= 1u << object;
		else if (strict)
			return AE_DCOM_OR_INVALID_OID;
	}
	for (i = 0; i < in->ndel; i++)
		if (dcom_find_oid(c->x, in->del[i], &object))
			s->objects &= ~(1u << object);
	s->pinged = c->now;
	s->sequence = in->sequence;
	return 0;
}

uint32_t
dcom_complex_ping(struct dcom_call *c)
{
	const struct ae_dcom_complex_ping_in *in = c->in;
	struct ae_dcom_complex_ping_out out = { .set = in->set };
	struct dcom_set *s;

	expire(c->x, c->now);
	s = in->set == 0 ? new_set(c) : find(c, in->set);
	if (s == NULL)
		out.status = in->set == 0 ? AE_DCOM_OUT_OF_RESOURCES
					  : AE_DCOM_OR_INVALID_SET;
	else if (s->sequence > in->sequence)
		out.status = 0; /* late; no further action */
	else
		out.status = change(c, s, in->set != 0);
	if (s != NULL)
		out.set = s->id;
	return dcom_reply(c, &ae_dcom_complex_ping_out_type, &out);
}
