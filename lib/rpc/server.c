/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the connections of one process share: interfaces, limits, counters.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/server_impl.h"

static const struct ae_rpc_limits defaults = {
	.max_frag = AE_RPC_FRAG_MAX,
	.max_stub = 1024 * 1024,
	.max_reply = 1024 * 1024,
	.max_calls = 64,
	.max_fragments = 2048,
	.max_contexts = 64,
	.max_sec_contexts = 16,
	.max_auth_legs = 8,
	.max_token = 48 * 1024,
	.max_groups = 16384,
	.max_handles = 64,
	.bind_ms = 10 * 1000,
	.partial_ms = 30 * 1000,
	.idle_ms = 15 * 60 * 1000,
	.close_ms = 5 * 1000,
};

#define DEFAULT(l, member)                             \
	do {                                           \
		if ((l)->member == 0)                  \
			(l)->member = defaults.member; \
	} while (0)

static void
limits_fill(struct ae_rpc_limits *l)
{
	DEFAULT(l, max_frag);
	DEFAULT(l, max_stub);
	DEFAULT(l, max_reply);
	DEFAULT(l, max_calls);
	DEFAULT(l, max_fragments);
	DEFAULT(l, max_contexts);
	DEFAULT(l, max_sec_contexts);
	DEFAULT(l, max_auth_legs);
	DEFAULT(l, max_token);
	DEFAULT(l, max_groups);
	DEFAULT(l, max_handles);
	DEFAULT(l, bind_ms);
	DEFAULT(l, partial_ms);
	DEFAULT(l, idle_ms);
	DEFAULT(l, close_ms);
	if (l->max_frag > AE_RPC_FRAG_MAX)
		l->max_frag = AE_RPC_FRAG_MAX;
	if (l->max_frag < AE_RPC_FRAG_MIN)
		l->max_frag = AE_RPC_FRAG_MIN;
}

struct ae_rpc_server *
ae_rpc_server_new(const struct ae_rpc_server_config *config)
{
	struct ae_rpc_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->config = *config;
	s->config.sec_addr[sizeof(s->config.sec_addr) - 1] = '\0';
	limits_fill(&s->config.limits);
	memcpy(&s->next_group, config->seed, sizeof(s->next_group));
	return s;
}

void
ae_rpc_server_free(struct ae_rpc_server *s)
{
	if (s == NULL)
		return;
	assert(s->nconns == 0 && s->groups == NULL);
	free(s->ifaces);
	free(s);
}

int
ae_rpc_server_add(
    struct ae_rpc_server *s, const struct ae_rpc_iface *i, struct ae_err *e)
{
	const struct ae_rpc_iface **v;

	if (ae_rpc_server_find(s, &i->id) != NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "interface %s is registered twice", i->name);
	v = reallocarray(s->ifaces, s->nifaces + 1, sizeof(*s->ifaces));
	if (v == NULL)
		return ae_fail_mem(e);
	v[s->nifaces++] = i;
	s->ifaces = v;
	return AE_OK;
}

const struct ae_rpc_iface *
ae_rpc_server_iface(const struct ae_rpc_server *s, size_t n)
{
	return n < s->nifaces ? s->ifaces[n] : NULL;
}

/*
 * C706 12.6.3.1: the server's major version must be the client's, its minor
 * not lower.
 */
const struct ae_rpc_iface *
ae_rpc_server_find(
    const struct ae_rpc_server *s, const struct ae_rpc_syntax *id)
{
	size_t i;

	for (i = 0; i < s->nifaces; i++)
		if (ae_guid_equal(&s->ifaces[i]->id.uuid, &id->uuid) &&
		    s->ifaces[i]->id.major == id->major &&
		    s->ifaces[i]->id.minor >= id->minor)
			return s->ifaces[i];
	return NULL;
}

void
ae_rpc_server_stats(const struct ae_rpc_server *s, struct ae_rpc_stats *out)
{
	*out = s->stats;
}
