/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside lib/dcom: the client's state, shared by the file that walks
 * through the steps and the file that builds requests and reads replies.
 */
#ifndef AE_DCOM_CALLING_H
#define AE_DCOM_CALLING_H

#include "base/arena.h"
#include "dcom/client.h"
#include "dcom/wire.h"

enum dcom_step {
	STEP_ALIVE_CONNECT,
	STEP_ALIVE,
	STEP_ACTIVATE_CONNECT,
	STEP_ACTIVATE,
	STEP_ACTIVATE_OLD,
	STEP_OBJECT_CONNECT,
	STEP_READY,
	STEP_QUERY,
	STEP_RELEASE,
	STEP_DONE,
	STEP_FAILED,
};

struct ae_dcom_client {
	enum dcom_step step;
	struct ae_err err;
	char host[AE_DCOM_CLIENT_HOST_MAX];
	char resolver_spn[AE_DCOM_CLIENT_HOST_MAX + 8];
	char object_spn[AE_DCOM_CLIENT_HOST_MAX + 8];
	struct ae_guid clsid, cid;
	enum ae_rpc_level activation_level, call_level;
	bool no_hint;
	uint32_t hint; /* 0: none yet */
	struct ae_dcom_proxy proxies[AE_DCOM_CLIENT_IIDS_MAX];
	size_t nproxies;
	/* What the object's connection is bound to: IRemUnknown first. */
	struct ae_rpc_syntax ifaces[1 + AE_DCOM_CLIENT_IIDS_MAX];
	size_t nifaces;
	bool alternatives;
	/* Learned on the way. */
	struct ae_dcom_version server, spoken;
	enum ae_rpc_auth_type auth_type;
	uint16_t port;
	uint64_t oxid;
	/* What the activation named, port and all; for whoever asks. */
	struct ae_dcom_seen seen[AE_DCOM_CLIENT_SEEN_MAX];
	size_t nseen;
	struct ae_guid rem_unknown;
	struct ae_wr stub; /* of the call that is wanted */
};

/* Build the call of a step into c->stub. */
typedef int dcom_build_fn(struct ae_dcom_client *c, struct ae_arena *a);
int dcom_build_nothing(struct ae_dcom_client *c, struct ae_arena *a);
int dcom_build_activate(struct ae_dcom_client *c, struct ae_arena *a);
int dcom_build_activate_old(struct ae_dcom_client *c, struct ae_arena *a);
int dcom_build_query(struct ae_dcom_client *c, struct ae_arena *a);
int dcom_build_release(struct ae_dcom_client *c, struct ae_arena *a);

/* What to speak with such a server. */
int dcom_negotiate(
    struct ae_dcom_client *c, const struct ae_dcom_version *server);

/* Take the answer of a step. */
struct dcom_answer {
	const uint8_t *stub;
	size_t len;
	bool big;
	struct ae_arena *a;
};
typedef int dcom_take_fn(struct ae_dcom_client *c, const struct dcom_answer *r);
int dcom_take_alive(struct ae_dcom_client *c, const struct dcom_answer *r);
int dcom_take_activate(struct ae_dcom_client *c, const struct dcom_answer *r);
int dcom_take_activate_old(
    struct ae_dcom_client *c, const struct dcom_answer *r);
int dcom_take_query(struct ae_dcom_client *c, const struct dcom_answer *r);
int dcom_take_release(struct ae_dcom_client *c, const struct dcom_answer *r);

#endif
