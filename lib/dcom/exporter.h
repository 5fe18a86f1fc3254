/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The serving side: object resolver and object exporter in one object.  It
 * answers activation, OXID resolution, pings and IRemUnknown, and opens the
 * ORPC envelope of calls to the application's interfaces.  No sockets, no
 * clock, no randomness; it never follows a binding or an object reference
 * that a client sent.
 *
 * The objects are stateless: one object and one class factory for each
 * class, alive as long as the exporter, the same for every client.  Their
 * identifiers are made from config.seed and their place in the tables, so
 * every process that was given the same config knows every IPID, and a
 * connection may land in any of them.  An IPID is a name and no capability:
 * who may call is decided by level and caller, for every call.
 *
 *	port 135:       add ae_dcom_object_exporter_iface, _activation_iface,
 *	                _scm_iface to the RPC server; ae_dcom_exporter_call().
 *	exporter port:  add ae_dcom_rem_unknown_iface, _rem_unknown2_iface,
 *	                _class_factory_iface; ae_dcom_exporter_call().
 *	                The application's interfaces: ae_dcom_exporter_open(),
 *	                then its own NDR, after ae_dcom_reply_begin().
 */
#ifndef AE_DCOM_EXPORTER_H
#define AE_DCOM_EXPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "base/wr.h"
#include "dcom/types.h"
#include "rpc/server.h"

#define AE_DCOM_CLASSES_MAX 8
#define AE_DCOM_CLASS_IIDS_MAX 8

/* min_level is NONE in all: the exporter checks levels, as config says. */
extern const struct ae_rpc_iface ae_dcom_object_exporter_iface;
extern const struct ae_rpc_iface ae_dcom_activation_iface;
extern const struct ae_rpc_iface ae_dcom_scm_iface;
extern const struct ae_rpc_iface ae_dcom_rem_unknown_iface;
extern const struct ae_rpc_iface ae_dcom_rem_unknown2_iface;
extern const struct ae_rpc_iface ae_dcom_class_factory_iface;

/* A class that can be activated.  IUnknown and the factory come by themselves.
 */
struct ae_dcom_class {
	struct ae_guid clsid;
	struct ae_guid iids[AE_DCOM_CLASS_IIDS_MAX];
	size_t niids;
};

/* Copied by _new.  Zero members take the default that is named. */
struct ae_dcom_exporter_config {
	/* Random, and the same in all processes that serve one port. */
	uint8_t seed[16];
	/* Names and addresses of this host, most preferred first. */
	const char *const *hosts;
	size_t nhosts;
	uint16_t port;	 /* of the exporter */
	const char *spn; /* in the security bindings; NULL: none */
	const struct ae_dcom_class *classes;
	size_t nclasses;
	enum ae_rpc_level activation_level; /* INTEGRITY */
	enum ae_rpc_level call_level;	    /* PRIVACY */
	bool noping; /* tell clients that pinging is not needed */
	/* Ping sets: in all, and for one caller. */
	uint32_t max_sets;	  /* 4096 */
	uint32_t max_caller_sets; /* 16 */
};

struct ae_dcom_exporter;

/* AE_EINVAL: no host, no port, no class, or too many of them. */
int ae_dcom_exporter_new(struct ae_dcom_exporter **out,
    const struct ae_dcom_exporter_config *config,
    struct ae_err *e) AE_MUST_CHECK;
void ae_dcom_exporter_free(struct ae_dcom_exporter *x);

/*
 * Answer one call on an interface of this room.  may_activate: what the
 * owner's permissions say of this caller; false makes activation answer
 * E_ACCESSDENIED.  now: milliseconds, for ping sets.  Returns 0 with the
 * reply's stub appended to out (which must be empty), or the fault status
 * to send; then e tells a log why.
 */
uint32_t ae_dcom_exporter_call(struct ae_dcom_exporter *x,
    const struct ae_rpc_call *call, bool may_activate, uint64_t now,
    struct ae_wr *out, struct ae_err *e);

/* An ORPC call to an interface of the application, its envelope opened. */
struct ae_dcom_orpc {
	size_t class;	     /* index in config.classes */
	size_t iid;	     /* index in its iids */
	struct ae_guid cid;  /* causality id, to find it in the caller's log */
	const uint8_t *args; /* what follows ORPCTHIS; aligned to 8 */
	size_t args_len;
};

/*
 * Check an ORPC call to an application's interface: object, level, version,
 * header.  Returns 0 and fills *out, or the fault status to send (MS-DCOM
 * 3.1.1.5.4: RPC_E_VERSION_MISMATCH, ERROR_ACCESS_DENIED,
 * RPC_E_INVALID_HEADER, RPC_E_DISCONNECTED), e filled.
 */
uint32_t ae_dcom_exporter_open(const struct ae_dcom_exporter *x,
    const struct ae_rpc_call *call, struct ae_dcom_orpc *out, struct ae_err *e);

/* Start the reply of an ORPC call: ORPCTHAT, 8 bytes.  out must be empty. */
void ae_dcom_reply_begin(struct ae_wr *out);

/* The interface pointer and identifiers of class's iid, for tests and logs. */
struct ae_guid ae_dcom_exporter_ipid(
    const struct ae_dcom_exporter *x, size_t class, size_t iid);
struct ae_guid ae_dcom_exporter_rem_unknown(const struct ae_dcom_exporter *x);
uint64_t ae_dcom_exporter_oxid(const struct ae_dcom_exporter *x);

/* Ping sets alive at now. */
size_t ae_dcom_exporter_sets(struct ae_dcom_exporter *x, uint64_t now);

#endif
