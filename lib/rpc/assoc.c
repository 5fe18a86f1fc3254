/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Association groups and the context handles that live in them (MS-RPCE
 * 3.3.1.5.7, C706 6.1.6).  A group ends with its last connection, and its
 * handles with it.  A handle belongs to the interface and the caller that
 * made it: connections of somebody else may share the group, but not the
 * handle (CVE-2021-3738).
 */
#include <stdlib.h>
#include <string.h>

#include "base/breaks.h"
#include "rpc/server_impl.h"

struct handle {
	struct handle *next;
	struct ae_guid uuid;
	const struct ae_rpc_iface *iface;
	bool anonymous;
	struct ae_sid sid;
	_Alignas(max_align_t) uint8_t data[AE_RPC_HANDLE_DATA];
};

static struct ae_rpc_group *
find(const struct ae_rpc_server *s, uint32_t id, const uint8_t *peer,
    size_t peer_len)
{
	struct ae_rpc_group *g;

	for (g = s->groups; g != NULL; g = g->next)
		if (g->id == id && g->peer_len == peer_len &&
		    memcmp(g->peer, peer, peer_len) == 0)
			return g;
	return NULL;
}

static struct ae_rpc_group *
make(struct ae_rpc_server *s, uint32_t id, const uint8_t *peer, size_t peer_len,
    int *rc)
{
	struct ae_rpc_group *g;

	if (s->ngroups >= s->config.limits.max_groups) {
		*rc = AE_ELIMIT;
		return NULL;
	}
	g = calloc(1, sizeof(*g));
	if (g == NULL) {
		*rc = AE_ENOMEM;
		return NULL;
	}
	g->id = id;
	memcpy(g->peer, peer, peer_len);
	g->peer_len = peer_len;
	g->next = s->groups;
	s->groups = g;
	s->ngroups++;
	return g;
}

struct ae_rpc_group *
ae_rpc_group_join(struct ae_rpc_server *s, uint32_t id, const uint8_t *peer,
    size_t peer_len, int *rc)
{
	struct ae_rpc_group *g = NULL;

	if (id != 0) {
		g = find(s, id, peer, peer_len);
		if (g == NULL && !s->config.adopt_groups) {
			*rc = AE_ENOTFOUND;
			return NULL;
		}
	} else {
		do
			id = s->next_group++;
		while (id == 0 || find(s, id, peer, peer_len) != NULL);
	}
	if (g == NULL)
		g = make(s, id, peer, peer_len, rc);
	if (g != NULL)
		g->refs++;
	return g;
}

void
ae_rpc_group_leave(struct ae_rpc_server *s, struct ae_rpc_group *g)
{
	struct ae_rpc_group **link;
	struct handle *h;

	if (g == NULL || --g->refs > 0)
		return;
	while ((h = g->handles) != NULL) {
		g->handles = h->next;
		free(h);
	}
	for (link = &s->groups; *link != g; link = &(*link)->next)
		;
	*link = g->next;
	s->ngroups--;
	free(g);
}

/* Where the handle hangs; *link is NULL when this caller has none such. */
static struct handle **
handle_link(const struct ae_rpc_call *call, const struct ae_rpc_handle *h)
{
	struct handle **link, *x;

	for (link = &call->assoc->handles; (x = *link) != NULL;
	     link = &x->next) {
		if (!ae_guid_equal(&x->uuid, &h->uuid))
			continue;
		if (x->iface == call->iface &&
		    x->anonymous == (call->sid == NULL) &&
		    (x->anonymous || AE_BREAK(cve_2021_3738_sid) ||
			ae_sid_equal(&x->sid, call->sid)))
			break;
	}
	return link;
}

void *
ae_rpc_handle_new(struct ae_rpc_server *s, const struct ae_rpc_call *call,
    struct ae_rpc_handle *out)
{
	struct ae_rpc_group *g = call->assoc;
	uint64_t n = ++s->next_handle;
	struct handle *h;
	struct ae_rd r;

	if (g->nhandles >= s->config.limits.max_handles)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	/* Unique by the counter, and of this process by the seed. */
	ae_rd_init(&r, s->config.seed, sizeof(s->config.seed));
	h->uuid = ae_guid_get(&r);
	h->uuid.d1 ^= (uint32_t)n;
	h->uuid.d2 ^= (uint16_t)(n >> 32);
	h->uuid.d3 ^= (uint16_t)(n >> 48);
	h->iface = call->iface;
	h->anonymous = call->sid == NULL;
	if (call->sid != NULL)
		h->sid = *call->sid;
	h->next = g->handles;
	g->handles = h;
	g->nhandles++;
	*out = (struct ae_rpc_handle){ .uuid = h->uuid };
	return h->data;
}

void *
ae_rpc_handle_get(struct ae_rpc_server *s, const struct ae_rpc_call *call,
    const struct ae_rpc_handle *h)
{
	struct handle *x = *handle_link(call, h);

	(void)s;
	return x == NULL ? NULL : x->data;
}

bool
ae_rpc_handle_close(struct ae_rpc_server *s, const struct ae_rpc_call *call,
    const struct ae_rpc_handle *h)
{
	struct handle **link = handle_link(call, h), *x = *link;

	(void)s;
	if (x == NULL)
		return false;
	*link = x->next;
	call->assoc->nhandles--;
	free(x);
	return true;
}
