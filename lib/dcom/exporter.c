/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The exporter: made from its configuration, and the table that leads from
 * interface and opnum to level, input and method.
 */
#include "dcom/exporter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dcom/export.h"
#include "dcom/objref.h"

#define CALL_CEILING (1u << 20)	  /* decoded request and its reply */
#define CONFIG_CEILING (1u << 18) /* bindings */
#define HOSTS_MAX 16

/* clang-format off */
#define OLE { 0xc0, 0, 0, 0, 0, 0, 0, 0x46 }

const struct ae_rpc_iface ae_dcom_object_exporter_iface = {
	.name = "IObjectExporter", .nops = 6, .min_level = AE_RPC_LEVEL_NONE,
	.id.uuid = { 0x99fcfec4, 0x5260, 0x101b, { 0xbb, 0xcb, 0x00, 0xaa, 0x00, 0x21, 0x34, 0x7a } },
};
const struct ae_rpc_iface ae_dcom_activation_iface = {
	.name = "IActivation", .nops = 1, .min_level = AE_RPC_LEVEL_NONE,
	.id.uuid = { 0x4d9f4ab8, 0x7d1c, 0x11cf, { 0x86, 0x1e, 0x00, 0x20, 0xaf, 0x6e, 0x7c, 0x57 } },
};
const struct ae_rpc_iface ae_dcom_scm_iface = {
	.name = "IRemoteSCMActivator", .nops = 5, .min_level = AE_RPC_LEVEL_NONE,
	.id.uuid = { 0x000001a0, 0, 0, OLE },
};
const struct ae_rpc_iface ae_dcom_rem_unknown_iface = {
	.name = "IRemUnknown", .nops = 6, .min_level = AE_RPC_LEVEL_NONE,
	.id.uuid = { 0x00000131, 0, 0, OLE },
};
const struct ae_rpc_iface ae_dcom_rem_unknown2_iface = {
	.name = "IRemUnknown2", .nops = 7, .min_level = AE_RPC_LEVEL_NONE,
	.id.uuid = { 0x00000143, 0, 0, OLE },
};
const struct ae_rpc_iface ae_dcom_class_factory_iface = {
	.name = "IClassFactory", .nops = 5, .min_level = AE_RPC_LEVEL_NONE,
	.id.uuid = { 0x00000001, 0, 0, OLE },
};

enum need { ANYBODY, ACTIVATION, CALL };

static const struct method {
	const struct ae_rpc_iface *iface;
	uint16_t opnum;
	enum need need; /* level */
	bool orpc;      /* the input begins with ORPCTHIS, the object is an IPID */
	const struct ae_ndr_type *in; /* NULL: no parameters */
	uint32_t (*answer)(struct dcom_call *c);
} methods[] = {
#define OX &ae_dcom_object_exporter_iface
	{ OX, AE_DCOM_OP_RESOLVE_OXID, ACTIVATION, false, &ae_dcom_resolve_in_type, dcom_resolve_oxid },
	{ OX, AE_DCOM_OP_SIMPLE_PING, ACTIVATION, false, &ae_dcom_simple_ping_in_type, dcom_simple_ping },
	{ OX, AE_DCOM_OP_COMPLEX_PING, ACTIVATION, false, &ae_dcom_complex_ping_in_type, dcom_complex_ping },
	{ OX, AE_DCOM_OP_SERVER_ALIVE, ANYBODY, false, NULL, dcom_server_alive },
	{ OX, AE_DCOM_OP_RESOLVE_OXID2, ACTIVATION, false, &ae_dcom_resolve_in_type, dcom_resolve_oxid2 },
	{ OX, AE_DCOM_OP_SERVER_ALIVE2, ANYBODY, false, NULL, dcom_server_alive2 },
#define AC &ae_dcom_activation_iface
	{ AC, AE_DCOM_OP_REMOTE_ACTIVATION, ACTIVATION, false, &ae_dcom_remote_activation_in_type, dcom_remote_activation },
#define SC &ae_dcom_scm_iface
	{ SC, AE_DCOM_OP_GET_CLASS_OBJECT, ACTIVATION, false, &ae_dcom_get_class_in_type, dcom_get_class_object },
	{ SC, AE_DCOM_OP_CREATE_INSTANCE, ACTIVATION, false, &ae_dcom_create_instance_in_type, dcom_create_instance },
#define RU &ae_dcom_rem_unknown_iface
	{ RU, AE_DCOM_OP_REM_QUERY_INTERFACE, CALL, true, &ae_dcom_rem_qi_in_type, dcom_rem_query_interface },
	{ RU, AE_DCOM_OP_REM_ADD_REF, CALL, true, &ae_dcom_refs_in_type, dcom_rem_add_ref },
	{ RU, AE_DCOM_OP_REM_RELEASE, CALL, true, &ae_dcom_refs_in_type, dcom_rem_release },
#define R2 &ae_dcom_rem_unknown2_iface
	{ R2, AE_DCOM_OP_REM_QUERY_INTERFACE, CALL, true, &ae_dcom_rem_qi_in_type, dcom_rem_query_interface },
	{ R2, AE_DCOM_OP_REM_ADD_REF, CALL, true, &ae_dcom_refs_in_type, dcom_rem_add_ref },
	{ R2, AE_DCOM_OP_REM_RELEASE, CALL, true, &ae_dcom_refs_in_type, dcom_rem_release },
	{ R2, AE_DCOM_OP_REM_QUERY_INTERFACE2, CALL, true, &ae_dcom_rem_qi2_in_type, dcom_rem_query_interface2 },
#define CF &ae_dcom_class_factory_iface
	{ CF, AE_DCOM_OP_FACTORY_CREATE, CALL, true, &ae_dcom_factory_create_in_type, dcom_factory_create },
	{ CF, AE_DCOM_OP_FACTORY_LOCK, CALL, true, &ae_dcom_factory_lock_in_type, dcom_factory_lock },
};
/* clang-format on */

static const struct method *
find_method(const struct ae_rpc_call *call)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].opnum == call->opnum &&
		    ae_rpc_syntax_equal(
			&methods[i].iface->id, &call->iface->id))
			return &methods[i];
	return NULL;
}

uint32_t
dcom_fault(const struct ae_err *e)
{
	if (e->rc == AE_ENOMEM)
		return AE_DCOM_E_OUTOFMEMORY;
	return e->code != 0 ? (uint32_t)e->code : AE_RPC_FAULT_BAD_STUB_DATA;
}

uint32_t
dcom_reply(struct dcom_call *c, const struct ae_ndr_type *t, const void *v)
{
	if (ae_ndr_encode(t, v, c->out, c->e) == AE_OK)
		return 0;
	return AE_DCOM_E_OUTOFMEMORY;
}

/* MS-DCOM 3.1.1.5.4 note 40: who answers which of the two. */
static uint32_t
check_level(const struct ae_dcom_exporter *x, const struct method *m,
    const struct ae_rpc_call *call, struct ae_err *e)
{
	enum ae_rpc_level least = m->need == ANYBODY ? AE_RPC_LEVEL_NONE
	    : m->need == ACTIVATION		     ? x->activation_level
						     : x->call_level;

	if (call->level >= least && (m->need == ANYBODY || call->sid != NULL))
		return 0;
	ae_fail(e, AE_EDENIED, AE_DOM_RPC, AE_RPC_FAULT_ACCESS_DENIED,
	    "%s opnum %u at level %s", call->iface->name, (unsigned)call->opnum,
	    ae_rpc_level_name(call->level));
	return m->need == CALL ? AE_DCOM_E_ACCESSDENIED
			       : AE_RPC_FAULT_ACCESS_DENIED;
}

/* Decode, check the envelope, answer. */
static uint32_t
run(struct dcom_call *c, const struct method *m)
{
	size_t used, object, slot;
	uint32_t fault;
	void *in = NULL;

	if (m->in != NULL) {
		in = ae_arena_alloc(c->a, m->in->size);
		if (in == NULL)
			return AE_DCOM_E_OUTOFMEMORY;
		/* Old clients append octets, MS-DCOM 3.2.4.2. */
		if (ae_ndr_decode(m->in, in, c->rpc->stub, c->rpc->stub_len,
			c->rpc->big_endian, c->a, &used, c->e) != AE_OK)
			return dcom_fault(c->e);
	}
	c->in = in;
	if (m->orpc) {
		/* All of them begin with it. */
		fault = dcom_envelope(c->x, c->rpc,
		    (const struct ae_dcom_this *)in, &object, &slot, c->e);
		if (fault != 0)
			return fault;
	}
	return m->answer(c);
}

uint32_t
ae_dcom_exporter_call(struct ae_dcom_exporter *x,
    const struct ae_rpc_call *call, bool may_activate, uint64_t now,
    struct ae_wr *out, struct ae_err *e)
{
	const struct method *m = find_method(call);
	struct ae_err unheard = AE_ERR_INIT;
	struct dcom_call c = { .x = x,
		.rpc = call,
		.may_activate = may_activate,
		.now = now,
		.out = out,
		.e = e != NULL ? e : &unheard };
	uint32_t fault;

	if (m == NULL) {
		ae_fail(e, AE_EPROTO, AE_DOM_RPC, AE_RPC_FAULT_OP_RNG_ERROR,
		    "%s has no opnum %u", call->iface->name,
		    (unsigned)call->opnum);
		return AE_RPC_FAULT_OP_RNG_ERROR;
	}
	fault = check_level(x, m, call, e);
	if (fault != 0)
		return fault;
	c.a = ae_arena_new(CALL_CEILING);
	if (c.a == NULL) {
		ae_fail_mem(e);
		return AE_DCOM_E_OUTOFMEMORY;
	}
	fault = run(&c, m);
	ae_arena_free(c.a);
	return fault;
}

/* All hosts with SPNEGO and Kerberos, as MS-DCOM 2.2.19 has it. */
static int
make_bindings(struct ae_dcom_exporter *x,
    const struct ae_dcom_exporter_config *config, struct ae_err *e)
{
	const char *spn = config->spn != NULL ? config->spn : "";
	const struct ae_dcom_security security[] = {
		{ AE_RPC_AUTH_SPNEGO, spn },
		{ AE_RPC_AUTH_KRB5, spn },
	};
	struct ae_dcom_binding strings[HOSTS_MAX];
	struct ae_dcom_bindings b = { strings, config->nhosts, security, 2 };
	size_t i;
	int rc;

	for (i = 0; i < config->nhosts; i++)
		strings[i] =
		    (struct ae_dcom_binding){ .tower = AE_DCOM_TOWER_TCP,
			    .host = config->hosts[i],
			    .port = config->port };
	rc = ae_dcom_bindings_put(&x->bindings, &b, true, x->arena, e);
	if (rc == AE_OK)
		rc = ae_dcom_bindings_put(&x->resolver, &b, false, x->arena, e);
	return rc;
}

static int
check_config(const struct ae_dcom_exporter_config *config, struct ae_err *e)
{
	size_t i;

	if (config->nhosts == 0 || config->nhosts > HOSTS_MAX ||
	    config->port == 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "an exporter has 1 to %d hosts and a port", HOSTS_MAX);
	if (config->nclasses == 0 || config->nclasses > AE_DCOM_CLASSES_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "an exporter has 1 to %d classes", AE_DCOM_CLASSES_MAX);
	for (i = 0; i < config->nclasses; i++)
		if (config->classes[i].niids > AE_DCOM_CLASS_IIDS_MAX)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "a class has at most %d interfaces",
			    AE_DCOM_CLASS_IIDS_MAX);
	return AE_OK;
}

int
ae_dcom_exporter_new(struct ae_dcom_exporter **out,
    const struct ae_dcom_exporter_config *config, struct ae_err *e)
{
	struct ae_dcom_exporter *x;
	int rc = check_config(config, e);

	if (rc != AE_OK)
		return rc;
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return ae_fail_mem(e);
	x->arena = ae_arena_new(CONFIG_CEILING);
	dcom_ids_init(x, config->seed);
	memcpy(x->classes, config->classes,
	    config->nclasses * sizeof(x->classes[0]));
	x->nclasses = config->nclasses;
	x->activation_level = config->activation_level != 0
	    ? config->activation_level
	    : AE_RPC_LEVEL_INTEGRITY;
	x->call_level =
	    config->call_level != 0 ? config->call_level : AE_RPC_LEVEL_PRIVACY;
	x->noping = config->noping;
	x->max_sets = config->max_sets != 0 ? config->max_sets : 4096;
	x->max_caller_sets =
	    config->max_caller_sets != 0 ? config->max_caller_sets : 16;
	rc = x->arena == NULL ? ae_fail_mem(e) : make_bindings(x, config, e);
	if (rc != AE_OK) {
		ae_dcom_exporter_free(x);
		return rc;
	}
	*out = x;
	return AE_OK;
}

void
ae_dcom_exporter_free(struct ae_dcom_exporter *x)
{
	if (x == NULL)
		return;
	ae_arena_free(x->arena);
	free(x->sets);
	free(x);
}
