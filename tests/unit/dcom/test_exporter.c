/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The exporter, asked by impacket's requests and by our own tables: what it
 * grants, what it refuses and with which number, and its ping sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dcom/actprops.h"
#include "dcom/exporter.h"
#include "dcom/objref.h"
#include "dcom/wire.h"
#include "fixture.h"
#include "hexfile.h"
#include "mutate.h"
#include "torture.h"

static struct ae_dcom_exporter *x;
static struct ae_arena *arena;
static struct ae_wr reply;
static struct ae_err err;

/* What a test changes about a call before it is made. */
static enum ae_rpc_level level;
static const struct ae_sid *sid;
static struct ae_guid object;
static bool may_activate;
static uint64_t now;

static struct ae_rpc_call
prepare(const struct ae_rpc_iface *iface, uint16_t opnum, const uint8_t *p,
    size_t len)
{
	struct ae_rpc_call call = fixture_call(iface, opnum, p, len);

	call.level = level;
	if (level == AE_RPC_LEVEL_NONE)
		call.sid = NULL;
	else if (sid != NULL)
		call.sid = sid;
	call.object = object;
	call.has_object = !ae_guid_is_nil(&object);
	err = (struct ae_err)AE_ERR_INIT;
	ae_wr_reset(&reply);
	return call;
}

static uint32_t
call_raw(const struct ae_rpc_iface *iface, uint16_t opnum, const uint8_t *p,
    size_t len)
{
	const struct ae_rpc_call call = prepare(iface, opnum, p, len);

	return ae_dcom_exporter_call(x, &call, may_activate, now, &reply, &err);
}

/* Encode in, call, decode out; the fault. */
static uint32_t
call(const struct ae_rpc_iface *iface, uint16_t opnum,
    const struct ae_ndr_type *tin, const void *in,
    const struct ae_ndr_type *tout, void *out)
{
	struct ae_rpc_call prepared;
	struct ae_wr w;
	uint32_t fault;

	ae_wr_init(&w, 1 << 17);
	if (tin != NULL && ae_ndr_encode(tin, in, &w, &err) != AE_OK)
		fail_msg("%s", err.text);
	prepared = prepare(iface, opnum, w.p, w.len);
	fault = ae_dcom_exporter_call(
	    x, &prepared, may_activate, now, &reply, &err);
	ae_wr_done(&w);
	if (fault == 0)
		fixture_decode(tout, out, &reply, arena);
	else
		fixture_blank(tout, out);
	return fault;
}

static uint32_t
call_vector(const struct ae_rpc_iface *iface, uint16_t opnum, const char *name)
{
	size_t len;
	uint8_t *p = ae_hexfile(AE_VECTORS, name, &len);
	uint32_t fault = call_raw(iface, opnum, p, len);

	free(p);
	return fault;
}

static const struct ae_dcom_this this57 = { .version = { 5, 7 } };

/* The properties of the last reply of IRemoteSCMActivator. */
static struct ae_dcom_props_reply
take_props(void)
{
	struct ae_dcom_activate_out out = { 0 };
	struct ae_dcom_props_reply props;

	assert_int_equal(ae_ndr_decode(&ae_dcom_activate_out_type, &out,
			     reply.p, reply.len, false, arena, NULL, &err),
	    AE_OK);
	assert_int_equal(out.hresult, 0);
	if (ae_dcom_props_reply_get(&props, out.props, arena, &err) != AE_OK)
		fail_msg("%s", err.text);
	return props;
}

static uint32_t
take_hresult(void)
{
	struct ae_dcom_activate_out out = { 0 };

	assert_int_equal(ae_ndr_decode(&ae_dcom_activate_out_type, &out,
			     reply.p, reply.len, false, arena, NULL, &err),
	    AE_OK);
	assert_null(out.props);
	return out.hresult;
}

static void
assert_standard(const struct ae_dcom_mip *m, const struct ae_guid *iid)
{
	struct ae_dcom_bindings b;
	struct ae_dcom_objref o;
	struct ae_guid ipid = ae_dcom_exporter_ipid(x, 0, 0);

	assert_int_equal(
	    ae_dcom_objref_decode(&o, m->data, m->len, arena, NULL), AE_OK);
	assert_int_equal(o.kind, AE_DCOM_OBJREF_STANDARD);
	assert_true(ae_guid_equal(&o.iid, iid));
	assert_int_equal(o.std.oxid, ae_dcom_exporter_oxid(x));
	assert_int_equal(o.std.refs, 5);
	assert_int_equal(o.std.flags, 0);
	assert_int_not_equal(o.std.oid, o.std.oxid);
	if (ae_guid_equal(iid, &fixture_iid))
		assert_true(ae_guid_equal(&o.std.ipid, &ipid));
	/* The resolver's bindings have no endpoints. */
	assert_int_equal(
	    ae_dcom_bindings_get(&b, &o.resolver, arena, NULL), AE_OK);
	assert_string_equal(b.strings[0].host, FIXTURE_HOST);
	assert_int_equal(b.strings[0].port, 0);
}

static void
create_instance(void **state)
{
	struct ae_dcom_props_reply p;
	struct ae_dcom_bindings b;
	struct ae_guid ru = ae_dcom_exporter_rem_unknown(x);

	(void)state;
	assert_int_equal(call_vector(&ae_dcom_scm_iface, 4,
			     "dcom-impacket-create-instance.hex"),
	    0);
	p = take_props();
	assert_int_equal(p.scm.oxid, ae_dcom_exporter_oxid(x));
	assert_true(ae_guid_equal(&p.scm.rem_unknown, &ru));
	assert_int_equal(p.scm.authn_hint, AE_RPC_LEVEL_PRIVACY);
	assert_int_equal(p.scm.version.minor, 7);
	assert_int_equal(
	    ae_dcom_bindings_get(&b, p.scm.bindings, arena, NULL), AE_OK);
	assert_int_equal(b.nstrings, 2);
	assert_string_equal(b.strings[0].host, FIXTURE_HOST);
	assert_int_equal(b.strings[0].port, FIXTURE_PORT);
	assert_int_equal(b.security[0].service, AE_RPC_AUTH_SPNEGO);
	assert_int_equal(b.security[1].service, AE_RPC_AUTH_KRB5);
	assert_string_equal(b.security[0].spn, "host/" FIXTURE_HOST);
	assert_int_equal(p.out.n, 1);
	assert_int_equal(p.out.results[0], 0);
	assert_standard(p.out.objrefs[0], &fixture_iid);
}

/* Impacket asks the factory for ICertRequestD, which it is not. */
static void
get_class_object(void **state)
{
	struct ae_dcom_get_class_in in = { .this = this57 };
	struct ae_dcom_props_in props = { .clsid = fixture_clsid,
		.iids = &ae_dcom_iid_class_factory,
		.niids = 1 };
	struct ae_dcom_activate_out out = { 0 };
	struct ae_dcom_props_reply p;

	(void)state;
	assert_int_equal(call_vector(&ae_dcom_scm_iface, 3,
			     "dcom-impacket-get-class-object.hex"),
	    0);
	assert_int_equal(take_hresult(), AE_DCOM_E_NOINTERFACE);
	in.props = ae_dcom_props_in_put(&props, &this57.version, arena, &err);
	assert_int_equal(call(&ae_dcom_scm_iface, 3, &ae_dcom_get_class_in_type,
			     &in, &ae_dcom_activate_out_type, &out),
	    0);
	p = take_props();
	assert_standard(p.out.objrefs[0], &ae_dcom_iid_class_factory);
}

/* A create-instance of ours; the HRESULT, 0 leaves the reply to be read. */
static uint32_t
activate(const struct ae_guid *clsid, const struct ae_guid *iids, size_t n,
    uint16_t minor)
{
	struct ae_dcom_create_instance_in in = { .this = this57 };
	struct ae_dcom_props_in props = {
		.clsid = *clsid, .iids = iids, .niids = n
	};
	struct ae_dcom_activate_out out = { 0 };

	in.this.version.minor = minor;
	in.props = ae_dcom_props_in_put(&props, &this57.version, arena, &err);
	assert_non_null(in.props);
	assert_int_equal(
	    call(&ae_dcom_scm_iface, 4, &ae_dcom_create_instance_in_type, &in,
		&ae_dcom_activate_out_type, &out),
	    0);
	assert_int_equal(out.hresult == 0, out.props != NULL);
	return out.hresult;
}

static void
activation_answers(void **state)
{
	const struct ae_guid iids[] = { fixture_iid2, { .d1 = 5 },
		ae_dcom_iid_unknown };
	struct ae_dcom_create_instance_in none = { .this = this57 };
	struct ae_dcom_activate_out out = { 0 };
	struct ae_dcom_props_reply p;

	(void)state;
	assert_int_equal(activate(&fixture_clsid, iids, 3, 6), 0);
	p = take_props();
	assert_int_equal(p.out.n, 3);
	assert_int_equal(p.out.results[0], 0);
	assert_int_equal(p.out.results[1], AE_DCOM_E_NOINTERFACE);
	assert_null(p.out.objrefs[1]);
	assert_int_equal(p.out.results[2], 0);
	assert_standard(p.out.objrefs[0], &fixture_iid2);

	assert_int_equal(
	    activate(&fixture_iid, iids, 3, 7), AE_DCOM_E_CLASSNOTREG);
	assert_int_equal(
	    activate(&fixture_clsid, iids + 1, 1, 7), AE_DCOM_E_NOINTERFACE);
	assert_int_equal(
	    activate(&fixture_clsid, iids, 1, 8), AE_DCOM_E_VERSION_MISMATCH);
	assert_int_equal(
	    activate(&fixture_clsid, iids, 1, 3), AE_DCOM_E_VERSION_MISMATCH);
	may_activate = false;
	assert_int_equal(
	    activate(&fixture_clsid, iids, 1, 7), AE_DCOM_E_ACCESSDENIED);
	may_activate = true;
	assert_int_equal(
	    call(&ae_dcom_scm_iface, 4, &ae_dcom_create_instance_in_type, &none,
		&ae_dcom_activate_out_type, &out),
	    0);
	assert_int_equal(out.hresult, AE_DCOM_E_INVALID_OBJREF);
}

static void
remote_activation(void **state)
{
	uint16_t tcp = 7;
	struct ae_guid iids[] = { fixture_iid, { .d1 = 1 } };
	char name[] = "\\\\evil\\share\\file";
	struct ae_dcom_remote_activation_in in = { .this = this57,
		.clsid = fixture_clsid,
		.n = 2,
		.iids = iids,
		.nprotseqs = 1,
		.protseqs = &tcp };
	struct ae_dcom_remote_activation_out out = { 0 };
#define RA(in, out)                                                            \
	call(&ae_dcom_activation_iface, 0, &ae_dcom_remote_activation_in_type, \
	    in, &ae_dcom_remote_activation_out_type, out)

	(void)state;
	assert_int_equal(call_vector(&ae_dcom_activation_iface, 0,
			     "dcom-impacket-remote-activation.hex"),
	    0);
	assert_int_equal(RA(&in, &out), 0);
	assert_int_equal(out.hresult, 0);
	assert_int_equal(out.status, 0);
	assert_int_equal(out.oxid, ae_dcom_exporter_oxid(x));
	assert_int_equal(out.n, 2);
	assert_int_equal(out.results[1], AE_DCOM_E_NOINTERFACE);
	assert_standard(out.objrefs[0], &fixture_iid);

	in.mode = 0xffffffff;
	assert_int_equal(RA(&in, &out), 0);
	assert_int_equal(out.hresult, AE_DCOM_E_NOINTERFACE);
	assert_int_equal(out.results[0], 0); /* 3.1.2.5.2.3.1 */
	assert_null(out.bindings);
	in.mode = 0;
	in.name = name;
	assert_int_equal(RA(&in, &out), 0);
	assert_int_equal(out.hresult, AE_DCOM_E_NOINTERFACE);
	in.name = NULL;
	in.clsid.d1 = 0;
	assert_int_equal(RA(&in, &out), 0);
	assert_int_equal(out.hresult, AE_DCOM_E_CLASSNOTREG);
	in.this.version.major = 6;
	assert_int_equal(RA(&in, &out), 0);
	assert_int_equal(out.status, AE_DCOM_E_VERSION_MISMATCH);
	assert_null(out.objrefs[0]);
}

static void
levels(void **state)
{
	static const struct {
		const struct ae_rpc_iface *iface;
		uint16_t opnum;
		enum ae_rpc_level level;
		uint32_t fault;
	} rows[] = {
		{ &ae_dcom_object_exporter_iface, 3, 1, 0 },
		{ &ae_dcom_object_exporter_iface, 5, 1, 0 },
		{ &ae_dcom_object_exporter_iface, 0, 1, 5 },
		{ &ae_dcom_object_exporter_iface, 1, 4, 5 },
		{ &ae_dcom_object_exporter_iface, 2, 4, 5 },
		{ &ae_dcom_object_exporter_iface, 4, 2, 5 },
		{ &ae_dcom_activation_iface, 0, 4, 5 },
		{ &ae_dcom_scm_iface, 3, 4, 5 },
		{ &ae_dcom_scm_iface, 4, 4, 5 },
		{ &ae_dcom_scm_iface, 4, 5, AE_RPC_FAULT_BAD_STUB_DATA },
		{ &ae_dcom_scm_iface, 0, 6, AE_RPC_FAULT_OP_RNG_ERROR },
		{ &ae_dcom_rem_unknown_iface, 0, 6, AE_RPC_FAULT_OP_RNG_ERROR },
		{ &ae_dcom_rem_unknown_iface, 3, 5, AE_DCOM_E_ACCESSDENIED },
		{ &ae_dcom_rem_unknown2_iface, 6, 5, AE_DCOM_E_ACCESSDENIED },
		{ &ae_dcom_class_factory_iface, 3, 5, AE_DCOM_E_ACCESSDENIED },
		{ &ae_dcom_rem_unknown_iface, 3, 6,
		    AE_RPC_FAULT_BAD_STUB_DATA },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		level = rows[i].level;
		if (call_raw(rows[i].iface, rows[i].opnum, (const uint8_t *)"",
			0) != rows[i].fault)
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void
alive_and_resolve(void **state)
{
	uint16_t tcp = 7;
	struct ae_dcom_resolve_in in = {
		.oxid = ae_dcom_exporter_oxid(x), .n = 1, .protseqs = &tcp
	};
	struct ae_dcom_alive2_out alive = { 0 };
	struct ae_dcom_resolve_out out = { 0 };
	struct ae_dcom_status_out status = { 0 };
	struct ae_dcom_bindings b;

	(void)state;
	level = AE_RPC_LEVEL_NONE;
	assert_int_equal(call(&ae_dcom_object_exporter_iface, 3, NULL, NULL,
			     &ae_dcom_status_out_type, &status),
	    0);
	assert_int_equal(status.status, 0);
	assert_int_equal(call(&ae_dcom_object_exporter_iface, 5, NULL, NULL,
			     &ae_dcom_alive2_out_type, &alive),
	    0);
	assert_int_equal(alive.version.minor, 7);
	assert_int_equal(
	    ae_dcom_bindings_get(&b, alive.bindings, arena, NULL), AE_OK);
	assert_int_equal(b.strings[0].port, 0);
	level = AE_RPC_LEVEL_INTEGRITY;
	assert_int_equal(
	    call(&ae_dcom_object_exporter_iface, 4, &ae_dcom_resolve_in_type,
		&in, &ae_dcom_resolve2_out_type, &out),
	    0);
	assert_int_equal(out.status, 0);
	assert_int_equal(out.version.major, 5);
	assert_int_equal(
	    ae_dcom_bindings_get(&b, out.bindings, arena, NULL), AE_OK);
	assert_int_equal(b.strings[1].port, FIXTURE_PORT);
	assert_int_equal(
	    call(&ae_dcom_object_exporter_iface, 0, &ae_dcom_resolve_in_type,
		&in, &ae_dcom_resolve_out_type, &out),
	    0);
	assert_int_equal(out.authn_hint, AE_RPC_LEVEL_PRIVACY);
	in.oxid++;
	assert_int_equal(
	    call(&ae_dcom_object_exporter_iface, 4, &ae_dcom_resolve_in_type,
		&in, &ae_dcom_resolve2_out_type, &out),
	    0);
	assert_int_equal(out.status, AE_DCOM_OR_INVALID_OXID);
	assert_null(out.bindings);
}

/* ComplexPing; the status, *set is in and out. */
static uint32_t
complex_ping(uint64_t *set, uint16_t sequence, uint64_t add, uint64_t del)
{
	struct ae_dcom_complex_ping_in in = { .set = *set,
		.sequence = sequence,
		.nadd = add != 0,
		.ndel = del != 0,
		.add = add != 0 ? &add : NULL,
		.del = del != 0 ? &del : NULL };
	struct ae_dcom_complex_ping_out out = { 0 };

	assert_int_equal(call(&ae_dcom_object_exporter_iface, 2,
			     &ae_dcom_complex_ping_in_type, &in,
			     &ae_dcom_complex_ping_out_type, &out),
	    0);
	*set = out.set;
	return out.status;
}

static uint32_t
simple_ping(uint64_t set)
{
	struct ae_dcom_simple_ping_in in = { set };
	struct ae_dcom_status_out out = { 0 };

	assert_int_equal(call(&ae_dcom_object_exporter_iface, 1,
			     &ae_dcom_simple_ping_in_type, &in,
			     &ae_dcom_status_out_type, &out),
	    0);
	return out.status;
}

static void
f12_pings(void **state)
{
	uint64_t oid = ae_dcom_exporter_oxid(x) + 2, set = 0, unknown = 4711;

	(void)state;
	assert_int_equal(complex_ping(&set, 1, oid, 0), 0);
	assert_int_not_equal(set, 0);
	assert_int_equal(complex_ping(&set, 2, 0, oid), 0);
	assert_int_equal(complex_ping(&set, 3, 99, 0), AE_DCOM_OR_INVALID_OID);
	/* A late one is heard and does nothing. */
	assert_int_equal(complex_ping(&set, 1, 99, 0), 0);
	assert_int_equal(
	    complex_ping(&unknown, 1, oid, 0), AE_DCOM_OR_INVALID_SET);
	assert_int_equal(simple_ping(4711), AE_DCOM_OR_INVALID_SET);
	/* Three periods without a ping. */
	now += 360000;
	assert_int_equal(simple_ping(set), 0);
	now += 360000;
	assert_int_equal(simple_ping(set), 0);
	now += 360001;
	assert_int_equal(simple_ping(set), AE_DCOM_OR_INVALID_SET);
	assert_int_equal(ae_dcom_exporter_sets(x, now), 0);
}

static void
f12_ping_bounds(void **state)
{
	static const struct ae_sid other = {
		.authority = 5, .nsubs = 1, .sub = { 18 }
	};
	uint64_t sets[6], set;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		sets[i] = 0;
		assert_int_equal(complex_ping(&sets[i], 1, 0, 0), 0);
	}
	set = 0;
	assert_int_equal(complex_ping(&set, 1, 0, 0), AE_DCOM_OUT_OF_RESOURCES);
	assert_int_equal(set, 0);
	/* Another caller has his own, and not those. */
	sid = &other;
	assert_int_equal(simple_ping(sets[0]), AE_DCOM_OR_INVALID_SET);
	for (i = 3; i < 5; i++) {
		sets[i] = 0;
		assert_int_equal(complex_ping(&sets[i], 1, 0, 0), 0);
	}
	set = 0;
	assert_int_equal(/* five in all */
	    complex_ping(&set, 1, 0, 0), AE_DCOM_OUT_OF_RESOURCES);
	now += 360001;
	assert_int_equal(complex_ping(&set, 1, 0, 0), 0);
	assert_int_equal(ae_dcom_exporter_sets(x, now), 1);
}

static void
rem_unknown(void **state)
{
	struct ae_guid iids[] = { fixture_iid2, { .d1 = 7 } };
	struct ae_dcom_ref refs[2] = { { .public_refs = 1 },
		{ .ipid.d1 = 1, .public_refs = 0xffffffff } };
	struct ae_dcom_rem_qi_in qi = { .this = this57,
		.ipid = ae_dcom_exporter_ipid(x, 0, 0),
		.refs = 3,
		.n = 2,
		.iids = iids };
	struct ae_dcom_rem_qi2_in qi2 = {
		.this = this57, .ipid = qi.ipid, .n = 2, .iids = iids
	};
	struct ae_dcom_refs_in refs_in = {
		.this = this57, .n = 2, .refs = refs
	};
	struct ae_guid ipid2 = ae_dcom_exporter_ipid(x, 0, 1);
	struct ae_dcom_rem_qi_out qo = { 0 };
	struct ae_dcom_rem_qi2_out qo2 = { 0 };
	struct ae_dcom_add_ref_out ao = { 0 };
	struct ae_dcom_orpc_out ro = { 0 };
#define QI()                                                              \
	call(&ae_dcom_rem_unknown_iface, 3, &ae_dcom_rem_qi_in_type, &qi, \
	    &ae_dcom_rem_qi_out_type, &qo)
#define QI2()                                                                \
	call(&ae_dcom_rem_unknown2_iface, 6, &ae_dcom_rem_qi2_in_type, &qi2, \
	    &ae_dcom_rem_qi2_out_type, &qo2)

	(void)state;
	object = ae_dcom_exporter_rem_unknown(x);
	assert_int_equal(QI(), 0);
	assert_int_equal(qo.n, 2);
	assert_int_equal(qo.results[0].hresult, 0);
	assert_int_equal(qo.results[0].std.refs, 3);
	assert_true(ae_guid_equal(&qo.results[0].std.ipid, &ipid2));
	assert_int_equal(qo.results[1].hresult, AE_DCOM_E_NOINTERFACE);
	assert_int_equal(QI2(), 0);
	assert_int_equal(qo2.results[1], AE_DCOM_E_NOINTERFACE);
	assert_standard(qo2.objrefs[0], &fixture_iid2);
	assert_null(qo2.objrefs[1]);
	refs[0].ipid = ipid2;
	assert_int_equal(
	    call(&ae_dcom_rem_unknown_iface, 4, &ae_dcom_refs_in_type, &refs_in,
		&ae_dcom_add_ref_out_type, &ao),
	    0);
	assert_int_equal(ao.n, 2);
	assert_int_equal(ao.results[0], 0);
	assert_int_equal(ao.results[1], AE_DCOM_E_OBJNOTREG);
	assert_int_equal(
	    call(&ae_dcom_rem_unknown_iface, 5, &ae_dcom_refs_in_type, &refs_in,
		&ae_dcom_orpc_out_type, &ro),
	    0);
	assert_int_equal(ro.hresult, 0);
	/* An IPID that is not ours, to be queried. */
	qi.ipid.d4[7] ^= 1;
	qi2.ipid = qi.ipid;
	assert_int_equal(QI(), 0);
	assert_int_equal(qo.hresult, AE_DCOM_E_INVALID_OBJECT);
	assert_null(qo.results);
	assert_int_equal(QI2(), 0);
	assert_int_equal(qo2.hresult, AE_DCOM_E_INVALID_OBJECT);
	/* And to be called. */
	object.d1++; /* IRemUnknown2's slot: the same object */
	assert_int_equal(QI(), 0);
	object.d1 += 2;
	assert_int_equal(QI(), AE_DCOM_E_DISCONNECTED);
	object = (struct ae_guid){ 0 };
	assert_int_equal(QI(), AE_DCOM_E_DISCONNECTED);
	object = ipid2;
	assert_int_equal(QI(), AE_DCOM_E_DISCONNECTED);
	object = ae_dcom_exporter_rem_unknown(x);
	qi.this.flags = 1;
	assert_int_equal(QI(), AE_DCOM_E_INVALID_HEADER);
	qi.this.version.minor = 9;
	assert_int_equal(QI(), AE_DCOM_E_VERSION_MISMATCH);
}

static void
class_factory(void **state)
{
	struct ae_dcom_factory_create_in in = { .this = this57,
		.iid = fixture_iid };
	struct ae_dcom_factory_create_out out = { 0 };
	struct ae_dcom_factory_lock_in lock = { .this = this57, .lock = 1 };
	struct ae_dcom_orpc_out locked = { 0 };
	struct ae_guid iid = ae_dcom_iid_class_factory;
	struct ae_dcom_get_class_in get = { .this = this57 };
	struct ae_dcom_props_in props = {
		.clsid = fixture_clsid, .iids = &iid, .niids = 1
	};
	struct ae_dcom_activate_out got = { 0 };
	struct ae_dcom_props_reply p;
	struct ae_dcom_objref o;
#define CREATE()                                                               \
	call(&ae_dcom_class_factory_iface, 3, &ae_dcom_factory_create_in_type, \
	    &in, &ae_dcom_factory_create_out_type, &out)

	(void)state;
	get.props = ae_dcom_props_in_put(&props, &this57.version, arena, &err);
	assert_int_equal(call(&ae_dcom_scm_iface, 3, &ae_dcom_get_class_in_type,
			     &get, &ae_dcom_activate_out_type, &got),
	    0);
	p = take_props();
	assert_int_equal(ae_dcom_objref_decode(&o, p.out.objrefs[0]->data,
			     p.out.objrefs[0]->len, arena, NULL),
	    AE_OK);
	object = o.std.ipid;
	assert_int_equal(CREATE(), 0);
	assert_standard(out.object, &fixture_iid);
	in.iid.d1 = 0;
	assert_int_equal(CREATE(), 0);
	assert_int_equal(out.hresult, AE_DCOM_E_NOINTERFACE);
	assert_null(out.object);
	assert_int_equal(
	    call(&ae_dcom_class_factory_iface, 4, &ae_dcom_factory_lock_in_type,
		&lock, &ae_dcom_orpc_out_type, &locked),
	    0);
	/* The factory's object is not a certificate request. */
	object = ae_dcom_exporter_ipid(x, 0, 0);
	assert_int_equal(CREATE(), AE_DCOM_E_DISCONNECTED);
}

/* The application's side: open the envelope. */
static uint32_t
open_call(const struct ae_rpc_iface *iface, const char *p, size_t len,
    struct ae_dcom_orpc *out)
{
	struct ae_rpc_call c = fixture_call(iface, 3, (const uint8_t *)p, len);

	c.level = level;
	c.object = object;
	c.has_object = true;
	err = (struct ae_err)AE_ERR_INIT;
	return ae_dcom_exporter_open(x, &c, out, &err);
}

static void
application_calls(void **state)
{
#define THIS(minor, flags)      \
	"\5\0" minor "\0" flags \
	"\0\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
	static const char good[] = THIS("\7", "\0") "\0\0\0\0args";
	static const char ext[] =
	    THIS("\7", "\0") "\1\0\0\0"
			     "\0\0\0\0\0\0\0\0\0\0\0\0args";
	struct ae_dcom_orpc o;
	struct ae_wr w;

	(void)state;
	object = ae_dcom_exporter_ipid(x, 0, 1);
	assert_int_equal(
	    open_call(&fixture_iface2, good, sizeof(good) - 1, &o), 0);
	assert_int_equal(o.class, 0);
	assert_int_equal(o.iid, 1);
	assert_int_equal(o.args_len, 4);
	assert_memory_equal(o.args, "args", 4);
	assert_true(ae_guid_equal(&o.cid, &fixture_cid));
	assert_int_equal(open_call(&fixture_iface2, good, 32, &o), 0);
	assert_int_equal(o.args_len, 0);
	/* The other interface's IPID on this one's presentation context. */
	assert_int_equal(open_call(&fixture_iface, good, sizeof(good) - 1, &o),
	    AE_DCOM_E_DISCONNECTED);
	object.d2 ^= 1;
	assert_int_equal(open_call(&fixture_iface2, good, sizeof(good) - 1, &o),
	    AE_DCOM_E_DISCONNECTED);
	object = ae_dcom_exporter_ipid(x, 0, 1);
	assert_int_equal(
	    open_call(&fixture_iface2, THIS("\7", "\1") "\0\0\0\0", 32, &o),
	    AE_DCOM_E_INVALID_HEADER);
	assert_int_equal(
	    open_call(&fixture_iface2, THIS("\x08", "\0") "\0\0\0\0", 32, &o),
	    AE_DCOM_E_VERSION_MISMATCH);
	assert_int_equal(open_call(&fixture_iface2, good, 31, &o),
	    AE_RPC_FAULT_BAD_STUB_DATA);
	/* Extensions that leave the arguments at an odd place. */
	assert_int_equal(open_call(&fixture_iface2, ext, sizeof(ext) - 1, &o),
	    AE_DCOM_E_INVALID_HEADER);
	level = AE_RPC_LEVEL_INTEGRITY;
	assert_int_equal(open_call(&fixture_iface2, good, sizeof(good) - 1, &o),
	    AE_RPC_FAULT_ACCESS_DENIED);
	ae_wr_init(&w, 100);
	ae_dcom_reply_begin(&w);
	assert_int_equal(w.len, 8);
	ae_wr_done(&w);
}

/* Two processes with one seed agree; another seed names other objects. */
static void
identity(void **state)
{
	struct ae_dcom_exporter *y = fixture_exporter(), *z = NULL;
	static const char *const host[] = { "h" };
	struct ae_dcom_class class = { .clsid = fixture_clsid };
	struct ae_dcom_exporter_config config = { .seed = "another",
		.hosts = host,
		.nhosts = 1,
		.port = 1,
		.classes = &class,
		.nclasses = 1 };
	struct ae_guid a, b;

	(void)state;
	a = ae_dcom_exporter_ipid(x, 0, 0);
	b = ae_dcom_exporter_ipid(y, 0, 0);
	assert_true(ae_guid_equal(&a, &b));
	assert_int_equal(ae_dcom_exporter_oxid(x), ae_dcom_exporter_oxid(y));
	assert_int_equal(ae_dcom_exporter_new(&z, &config, NULL), AE_OK);
	b = ae_dcom_exporter_ipid(z, 0, 0);
	assert_false(ae_guid_equal(&a, &b));
	assert_int_not_equal(
	    ae_dcom_exporter_oxid(x), ae_dcom_exporter_oxid(z));
	ae_dcom_exporter_free(y);
	ae_dcom_exporter_free(z);
	config.port = 0;
	assert_int_equal(ae_dcom_exporter_new(&z, &config, NULL), AE_EINVAL);
	config.port = 1;
	config.nhosts = 0;
	assert_int_equal(ae_dcom_exporter_new(&z, &config, NULL), AE_EINVAL);
	config.nhosts = 1;
	config.nclasses = 0;
	assert_int_equal(ae_dcom_exporter_new(&z, &config, NULL), AE_EINVAL);
	config.nclasses = 1;
	class.niids = AE_DCOM_CLASS_IIDS_MAX + 1;
	assert_int_equal(ae_dcom_exporter_new(&z, &config, NULL), AE_EINVAL);
}

static uint16_t mutate_opnum;

static void
answer(const uint8_t *p, size_t len, void *arg)
{
	const struct ae_rpc_iface *const *iface = arg;

	if (call_raw(*iface, mutate_opnum, p, len) != 0)
		assert_int_equal(reply.len, 0);
}

static void
mutated(void **state)
{
	static const struct {
		const struct ae_rpc_iface *iface;
		uint16_t opnum;
		const char *name;
	} rows[] = {
		{ &ae_dcom_scm_iface, 4, "dcom-impacket-create-instance.hex" },
		{ &ae_dcom_activation_iface, 0,
		    "dcom-impacket-remote-activation.hex" },
		{ &ae_dcom_object_exporter_iface, 2,
		    "dcom-impacket-complex-ping.hex" },
		{ &ae_dcom_rem_unknown_iface, 3,
		    "dcom-impacket-rem-query-interface.hex" },
	};
	size_t i, len;
	uint8_t *p;

	(void)state;
	object = ae_dcom_exporter_rem_unknown(x);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ae_rpc_iface *iface = rows[i].iface;

		p = ae_hexfile(AE_VECTORS, rows[i].name, &len);
		mutate_opnum = rows[i].opnum;
		assert_int_equal(ae_mutate(p, len, answer, &iface), 13 * len);
		free(p);
	}
}

struct stub {
	uint8_t *p;
	size_t len;
};

static bool
make_and_ask(void *arg)
{
	struct ae_dcom_exporter *y = fixture_exporter();
	const struct stub *stub = arg;
	struct ae_rpc_call c;
	struct ae_wr w;
	uint32_t fault;
	bool ok;

	if (y == NULL)
		return false;
	c = fixture_call(&ae_dcom_scm_iface, 4, stub->p, stub->len);
	ae_wr_init(&w, 1 << 17);
	fault = ae_dcom_exporter_call(y, &c, true, 0, &w, NULL);
	ok = fault == 0 && w.len > 100;
	ae_wr_done(&w);
	ae_dcom_exporter_free(y);
	return ok;
}

static void
torture(void **state)
{
	struct stub stub;

	(void)state;
	stub.p = ae_hexfile(
	    AE_VECTORS, "dcom-impacket-create-instance.hex", &stub.len);
	assert_true(ae_torture(make_and_ask, &stub, 300, true) > 5);
	free(stub.p);
}

static int
setup(void **state)
{
	(void)state;
	x = fixture_exporter();
	arena = ae_arena_new(1 << 20);
	ae_wr_init(&reply, 1 << 18);
	level = AE_RPC_LEVEL_PRIVACY;
	sid = NULL;
	object = (struct ae_guid){ 0 };
	may_activate = true;
	now = 1000;
	return x == NULL || arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ae_wr_done(&reply);
	ae_arena_free(arena);
	ae_dcom_exporter_free(x);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(create_instance),
		T(get_class_object),
		T(activation_answers),
		T(remote_activation),
		T(levels),
		T(alive_and_resolve),
		T(f12_pings),
		T(f12_ping_bounds),
		T(rem_unknown),
		T(class_factory),
		T(application_calls),
		T(identity),
		T(mutated),
		T(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
