/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's requests and what it believes of the replies.  A reply gives
 * versions, the authentication service, a port, and interface pointers of
 * the exporter it names; hosts and principal names in it are not used.
 */
#include "dcom/calling.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "dcom/actprops.h"
#include "dcom/objref.h"

#define QUERY_REFS 5
#define IMPERSONATE 2

static int
hresult(struct ae_err *e, uint32_t hr)
{
	enum ae_rc rc = hr == AE_DCOM_E_ACCESSDENIED || hr == 5 ? AE_EDENIED
	    : hr == AE_DCOM_E_CLASSNOTREG			? AE_ENOTFOUND
								: AE_EREMOTE;

	return ae_fail(
	    e, rc, AE_DOM_HRESULT, hr, "the server answers 0x%08x", hr);
}

static int
bad(struct ae_dcom_client *c, const char *what)
{
	return ae_fail(&c->err, AE_EPROTO, AE_DOM_NONE, 0,
	    "the reply makes no sense: %s", what);
}

static struct ae_dcom_this
this_of(const struct ae_dcom_client *c)
{
	return (struct ae_dcom_this){ .version = c->spoken, .cid = c->cid };
}

void
ae_dcom_client_call_begin(const struct ae_dcom_client *c, struct ae_wr *w)
{
	ae_wr_u16(w, c->spoken.major);
	ae_wr_u16(w, c->spoken.minor);
	ae_wr_u32(w, 0); /* flags */
	ae_wr_u32(w, 0); /* reserved */
	ae_guid_put(w, &c->cid);
	ae_wr_u32(w, 0); /* extensions: NULL */
}

int
ae_dcom_client_answer(const uint8_t *stub, size_t len, bool big_endian,
    const uint8_t **args, size_t *args_len, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(1u << 19);
	struct ae_dcom_that that;
	size_t used = 0;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	rc = ae_ndr_decode(
	    &ae_dcom_that_type, &that, stub, len, big_endian, a, &used, e);
	ae_arena_free(a);
	if (rc != AE_OK)
		return rc;
	if (used % 8 != 0 && used != len)
		return ae_fail(e, AE_EPROTO, AE_DOM_RPC, AE_NDR_BAD_STUB_DATA,
		    "ORPC reply: results that are not aligned");
	*args = stub + used;
	*args_len = len - used;
	return AE_OK;
}

/* Answers may have bytes after them, MS-DCOM 3.1.1.5.4 note 47. */
static int
decode(struct ae_dcom_client *c, const struct ae_ndr_type *t, void *out,
    const struct dcom_answer *r)
{
	size_t used;

	return ae_ndr_decode(
	    t, out, r->stub, r->len, r->big, r->a, &used, &c->err);
}

int
dcom_build_nothing(struct ae_dcom_client *c, struct ae_arena *a)
{
	(void)c;
	(void)a;
	return AE_OK;
}

/* MS-DCOM 1.7: the lower of both; 5.3 and 5.5 never were. */
int
dcom_negotiate(struct ae_dcom_client *c, const struct ae_dcom_version *server)
{
	uint16_t minor = server->minor;

	if (server->major != AE_DCOM_MAJOR || minor < 1)
		return ae_fail(&c->err, AE_EUNAVAIL, AE_DOM_HRESULT,
		    AE_DCOM_E_VERSION_MISMATCH,
		    "the server speaks COM version %u.%u",
		    (unsigned)server->major, (unsigned)server->minor);
	if (minor > AE_DCOM_MINOR)
		minor = AE_DCOM_MINOR;
	if (minor == 3 || minor == 5)
		minor--;
	c->server = *server;
	c->spoken = (struct ae_dcom_version){ AE_DCOM_MAJOR, minor };
	return AE_OK;
}

int
dcom_take_alive(struct ae_dcom_client *c, const struct dcom_answer *r)
{
	struct ae_dcom_alive2_out out;
	struct ae_dcom_bindings b;
	size_t i;
	int rc;

	rc = decode(c, &ae_dcom_alive2_out_type, &out, r);
	if (rc == AE_OK && out.status != 0)
		rc = hresult(&c->err, out.status);
	if (rc == AE_OK)
		rc = dcom_negotiate(c, &out.version);
	if (rc != AE_OK || out.bindings == NULL)
		return rc;
	rc = ae_dcom_bindings_get(&b, out.bindings, r->a, &c->err);
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < b.nsecurity; i++) {
		if (b.security[i].service != AE_RPC_AUTH_SPNEGO &&
		    b.security[i].service != AE_RPC_AUTH_KRB5)
			continue;
		c->auth_type = (enum ae_rpc_auth_type)b.security[i].service;
		break;
	}
	return AE_OK;
}

/* The IIDs as an array for NDR. */
static struct ae_guid *
iids(struct ae_dcom_client *c, struct ae_arena *a)
{
	struct ae_guid *v = ae_arena_array(a, c->nproxies, sizeof(*v));
	size_t i;

	if (v == NULL) {
		ae_fail_mem(&c->err);
		return NULL;
	}
	for (i = 0; i < c->nproxies; i++)
		v[i] = c->proxies[i].iid;
	return v;
}

int
dcom_build_activate(struct ae_dcom_client *c, struct ae_arena *a)
{
	struct ae_dcom_create_instance_in in = { .this = this_of(c) };
	struct ae_dcom_props_in props = {
		.clsid = c->clsid, .iids = iids(c, a), .niids = c->nproxies
	};

	if (props.iids == NULL)
		return c->err.rc;
	in.props = ae_dcom_props_in_put(&props, &c->spoken, a, &c->err);
	if (in.props == NULL)
		return c->err.rc;
	return ae_ndr_encode(
	    &ae_dcom_create_instance_in_type, &in, &c->stub, &c->err);
}

int
dcom_build_activate_old(struct ae_dcom_client *c, struct ae_arena *a)
{
	uint16_t tcp = AE_DCOM_TOWER_TCP;
	struct ae_dcom_remote_activation_in in = { .this = this_of(c),
		.clsid = c->clsid,
		.imp_level = IMPERSONATE,
		.n = (uint32_t)c->nproxies,
		.iids = iids(c, a),
		.nprotseqs = 1,
		.protseqs = &tcp };

	if (in.iids == NULL)
		return c->err.rc;
	return ae_ndr_encode(
	    &ae_dcom_remote_activation_in_type, &in, &c->stub, &c->err);
}

static void
keep_seen(struct ae_dcom_client *c, const struct ae_dcom_binding *b)
{
	struct ae_dcom_seen *s;

	if (c->nseen == AE_DCOM_CLIENT_SEEN_MAX)
		return;
	s = &c->seen[c->nseen++];
	(void)snprintf(s->host, sizeof(s->host), "%s", b->host);
	s->port = b->port;
}

/* The exporter's TCP port: at the name we dialled if it is listed. */
static int
choose_port(
    struct ae_dcom_client *c, const struct ae_dcom_dsa *dsa, struct ae_arena *a)
{
	struct ae_dcom_bindings b;
	size_t i;
	int rc;

	if (dsa == NULL)
		return bad(c, "no bindings");
	rc = ae_dcom_bindings_get(&b, dsa, a, &c->err);
	if (rc != AE_OK)
		return rc;
	c->port = 0;
	c->nseen = 0;
	for (i = 0; i < b.nstrings; i++)
		if (b.strings[i].tower == AE_DCOM_TOWER_TCP &&
		    b.strings[i].port != 0)
			keep_seen(c, &b.strings[i]);
	for (i = 0; i < b.nstrings; i++) {
		if (b.strings[i].tower != AE_DCOM_TOWER_TCP ||
		    b.strings[i].port == 0)
			continue;
		if (ae_str_eq_nocase(b.strings[i].host, c->host)) {
			c->port = b.strings[i].port;
			return AE_OK;
		}
		if (c->port == 0)
			c->port = b.strings[i].port;
	}
	return c->port != 0 ? AE_OK : bad(c, "no TCP port to call at");
}

/* One interface pointer of an activation. */
static int
take_proxy(struct ae_dcom_client *c, struct ae_dcom_proxy *p,
    const struct ae_dcom_mip *m, struct ae_arena *a)
{
	struct ae_dcom_objref o;
	int rc;

	if (m == NULL)
		return bad(c, "success without an interface pointer");
	rc = ae_dcom_objref_decode(&o, m->data, m->len, a, &c->err);
	if (rc != AE_OK)
		return rc;
	if (o.kind == AE_DCOM_OBJREF_CUSTOM || !ae_guid_equal(&o.iid, &p->iid))
		return bad(c, "not the interface that was asked for");
	if (o.std.oxid != c->oxid)
		return bad(c, "an object of another exporter");
	p->hresult = 0;
	p->ipid = o.std.ipid;
	p->refs = o.std.refs;
	return AE_OK;
}

/* Nobody is bound to what he will not call. */
static void
choose_proxy(struct ae_dcom_client *c)
{
	struct ae_dcom_proxy *p = c->proxies;

	while (p->hresult != 0)
		p++;
	p->iface = 1;
	c->ifaces[1].uuid = p->iid;
	c->nifaces = 2;
}

/* What both ways of activation give; n is at most what was asked for. */
static int
take_objects(struct ae_dcom_client *c, const struct ae_guid *v,
    const uint32_t *results, struct ae_dcom_mip *const *objrefs, size_t n,
    struct ae_arena *a)
{
	bool any = false;
	size_t i;
	int rc;

	if (n != c->nproxies)
		return bad(c, "another number of interfaces");
	for (i = 0; i < n; i++) {
		struct ae_dcom_proxy *p = &c->proxies[i];

		if (v != NULL && !ae_guid_equal(&v[i], &p->iid))
			return bad(c, "interfaces in another order");
		p->hresult = results[i];
		if (results[i] != 0)
			continue;
		rc = take_proxy(c, p, objrefs[i], a);
		if (rc != AE_OK)
			return rc;
		any = true;
	}
	if (!any)
		return hresult(&c->err, c->proxies[0].hresult);
	if (c->alternatives)
		choose_proxy(c);
	return AE_OK;
}

/* The server's hint raises the level, and never lowers it. */
static void
take_hint(struct ae_dcom_client *c, uint32_t hint)
{
	c->hint = hint;
	if (!c->no_hint && hint > (uint32_t)c->call_level &&
	    hint <= AE_RPC_LEVEL_PRIVACY)
		c->call_level = (enum ae_rpc_level)hint;
}

int
dcom_take_activate(struct ae_dcom_client *c, const struct dcom_answer *r)
{
	struct ae_dcom_props_reply reply;
	struct ae_dcom_activate_out out;
	int rc;

	rc = decode(c, &ae_dcom_activate_out_type, &out, r);
	if (rc == AE_OK && out.hresult != 0)
		rc = hresult(&c->err, out.hresult);
	if (rc == AE_OK)
		rc = ae_dcom_props_reply_get(&reply, out.props, r->a, &c->err);
	if (rc == AE_OK)
		rc = dcom_negotiate(c, &reply.scm.version);
	if (rc == AE_OK)
		rc = choose_port(c, reply.scm.bindings, r->a);
	if (rc != AE_OK)
		return rc;
	c->oxid = reply.scm.oxid;
	c->rem_unknown = reply.scm.rem_unknown;
	take_hint(c, reply.scm.authn_hint);
	return take_objects(c, reply.out.iids, reply.out.results,
	    reply.out.objrefs, reply.out.n, r->a);
}

int
dcom_take_activate_old(struct ae_dcom_client *c, const struct dcom_answer *r)
{
	struct ae_dcom_remote_activation_out out;
	int rc;

	rc = decode(c, &ae_dcom_remote_activation_out_type, &out, r);
	if (rc == AE_OK && out.status != 0)
		rc = hresult(&c->err, out.status);
	if (rc == AE_OK && out.hresult != 0)
		rc = hresult(&c->err, out.hresult);
	if (rc == AE_OK && out.n != out.nresults)
		rc = bad(c, "results do not match interfaces");
	if (rc == AE_OK)
		rc = dcom_negotiate(c, &out.version);
	if (rc == AE_OK)
		rc = choose_port(c, out.bindings, r->a);
	if (rc != AE_OK)
		return rc;
	c->oxid = out.oxid;
	c->rem_unknown = out.rem_unknown;
	take_hint(c, out.authn_hint);
	return take_objects(c, NULL, out.results, out.objrefs, out.n, r->a);
}

/* The interfaces still missing, on any that is there. */
int
dcom_build_query(struct ae_dcom_client *c, struct ae_arena *a)
{
	struct ae_dcom_rem_qi_in in = { .this = this_of(c),
		.refs = QUERY_REFS };
	size_t i;

	in.iids = ae_arena_array(a, c->nproxies, sizeof(*in.iids));
	if (in.iids == NULL)
		return ae_fail_mem(&c->err);
	for (i = 0; i < c->nproxies; i++) {
		if (c->proxies[i].hresult == 0)
			in.ipid = c->proxies[i].ipid;
		else
			in.iids[in.n++] = c->proxies[i].iid;
	}
	return ae_ndr_encode(&ae_dcom_rem_qi_in_type, &in, &c->stub, &c->err);
}

int
dcom_take_query(struct ae_dcom_client *c, const struct dcom_answer *r)
{
	struct ae_dcom_rem_qi_out out;
	size_t i, j = 0;
	int rc;

	rc = decode(c, &ae_dcom_rem_qi_out_type, &out, r);
	if (rc == AE_OK && out.hresult != 0)
		rc = hresult(&c->err, out.hresult);
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < c->nproxies; i++) {
		struct ae_dcom_proxy *p = &c->proxies[i];

		if (p->hresult == 0)
			continue;
		if (j == out.n)
			return bad(c, "fewer results than interfaces");
		p->hresult = out.results[j].hresult;
		p->ipid = out.results[j].std.ipid;
		p->refs = out.results[j].std.refs;
		if (p->hresult == 0 && out.results[j].std.oxid != c->oxid)
			return bad(c, "an object of another exporter");
		j++;
	}
	return AE_OK;
}

int
dcom_build_release(struct ae_dcom_client *c, struct ae_arena *a)
{
	struct ae_dcom_refs_in in = { .this = this_of(c) };
	size_t i;

	in.refs = ae_arena_array(a, c->nproxies, sizeof(*in.refs));
	if (in.refs == NULL)
		return ae_fail_mem(&c->err);
	for (i = 0; i < c->nproxies; i++) {
		if (c->proxies[i].hresult != 0)
			continue;
		in.refs[in.n++] =
		    (struct ae_dcom_ref){ .ipid = c->proxies[i].ipid,
			    .public_refs = c->proxies[i].refs };
	}
	return ae_ndr_encode(&ae_dcom_refs_in_type, &in, &c->stub, &c->err);
}

int
dcom_take_release(struct ae_dcom_client *c, const struct dcom_answer *r)
{
	struct ae_dcom_orpc_out out;

	return decode(c, &ae_dcom_orpc_out_type, &out, r);
}
