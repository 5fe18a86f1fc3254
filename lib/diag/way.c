/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Where the way to a CA ends; see way.h.
 */
#include "diag/way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* RFC 4120 7.5.9 */
#define KDC_S_PRINCIPAL_UNKNOWN 7
#define KDC_PRINCIPAL_NOT_UNIQUE 8
#define KDC_POLICY 12
#define KDC_ETYPE_NOSUPP 14
#define KRB_AP_SKEW 37
#define KRB_AP_MODIFIED 41
#define KRB5_FIRST INT64_C(-1765328384)

/* MS-ERREF, MS-DCOM 2.2.10 and EPM's own status */
#define E_ACCESSDENIED 0x80070005u
#define E_INVALIDARG 0x80070057u
#define REGDB_E_CLASSNOTREG 0x80040154u
#define CO_E_SERVER_EXEC_FAILURE 0x80080005u
#define RPC_E_CALL_REJECTED 0x80010001u
#define RPC_E_SECURITY 0x80010118u
#define RPC_E_ACCESS_DENIED 0x8001011bu
#define RPC_E_REMOTE_DISABLED 0x8001011cu
#define CERTSRV_E_SERVER_SUSPENDED 0x80094006u
#define CERTSRV_E_NO_DB_SESSIONS 0x8009400fu
#define CERTSRV_E_ENROLL_DENIED 0x80094011u
#define RPC_ACCESS_DENIED 5
#define RPC_SEC_PKG_ERROR 0x721
#define RPC_SERVER_TOO_BUSY 0x1c010014
#define EPT_NOT_REGISTERED 0x6d9u

const json_t *
ae_diag_way_to(const json_t *facts, const char *transport, const char *config)
{
	const json_t *way;
	size_t i;

	json_array_foreach(ae_fact(facts, transport), i, way)
	{
		if (ae_fact_is(way, "config", config))
			return way;
	}
	return NULL;
}

bool
ae_diag_answers(const json_t *facts, const char *config)
{
	const json_t *dcom = ae_diag_way_to(facts, "dcom", config),
		     *icpr = ae_diag_way_to(facts, "icpr", config);

	return ae_fact_yes(dcom, "ok") || ae_fact_yes(icpr, "ok");
}

bool
ae_diag_is_unsealed_refused(const json_t *facts, const char *config)
{
	struct ae_diag_end x;

	return ae_fact_yes(ae_diag_way_to(facts, "dcom", config), "ok") &&
	    ae_diag_end_read(
		&x, facts, NULL, ae_diag_way_to(facts, "integrity", config)) &&
	    ((strcmp(x.domain, "rpc") == 0 && x.code == RPC_ACCESS_DENIED) ||
		(uint32_t)x.code == E_ACCESSDENIED);
}

static bool
offers(const json_t *ca, const char *cn)
{
	return ae_diag_lists(json_object_get(ca, "templates"), cn);
}

bool
ae_diag_needs_ca(const json_t *facts, const json_t *ca)
{
	const json_t *item, *other;
	const char *cn;
	size_t i, k;
	bool spare;

	json_array_foreach(ae_fact(facts, "plan.plan"), i, item)
	{
		cn = ae_fact_text(item, "template");
		if (!ae_diag_is_ours(facts, item) || !offers(ca, cn))
			continue;
		spare = false;
		json_array_foreach(ae_fact(facts, "ad.cas"), k, other)
		{
			spare |= offers(other, cn) &&
			    ae_diag_answers(
				facts, ae_fact_text(other, "config"));
		}
		if (!spare)
			return true;
	}
	return ae_fact(facts, "plan.plan") == NULL;
}

/* ---- where a way ends ---- */

/* The stage that failed; NULL: none did. */
static const json_t *
end_of(const json_t *way)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(way, "stages"), i, s)
	{
		if (ae_fact_str(s, "error") != NULL)
			return s;
	}
	return NULL;
}

static bool
ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && strcmp(s + n - t, tail) == 0;
}

bool
ae_diag_end_read(struct ae_diag_end *x, const json_t *facts, const json_t *ca,
    const json_t *way)
{
	*x = (struct ae_diag_end){
		.facts = facts, .ca = ca, .way = way, .code = -1, .krb = -1
	};
	if (way == NULL || ae_fact_yes(way, "ok"))
		return false;
	x->stage = end_of(way);
	x->kind = ae_fact_text(x->stage, "stage");
	x->what = ae_fact_text(x->stage, "what");
	x->rc = ae_fact_text(x->stage != NULL ? x->stage : way,
	    x->stage != NULL ? "rc" : "error.rc");
	x->domain = ae_fact_text(x->stage != NULL ? x->stage : way,
	    x->stage != NULL ? "domain" : "error.domain");
	if (!ae_fact_int(&x->code, x->stage, "code"))
		(void)ae_fact_int(&x->code, way, "error.code");
	if (x->code >= KRB5_FIRST && x->code < KRB5_FIRST + 128)
		x->krb = x->code - KRB5_FIRST;
	return x->stage != NULL || ae_fact(way, "error") != NULL;
}

/* ---- what fits ---- */

static bool
is_late(const struct ae_diag_end *x)
{
	return strcmp(x->rc, "AE_ETIMEDOUT") == 0;
}

static size_t
owners(const struct ae_diag_end *x)
{
	return json_array_size(json_object_get(x->ca, "spn_owners"));
}

static bool
is_kind(const struct ae_diag_end *x, const char *kind)
{
	return strcmp(x->kind, kind) == 0;
}

static bool
is_name(const struct ae_diag_end *x)
{
	return is_kind(x, "name");
}

/* Somebody else's address, or a machine that cannot open its ticket. */
static bool
is_wrong_ip(const struct ae_diag_end *x)
{
	return ae_fact_str(x->way, "same_as") != NULL;
}

static bool
is_epm(const struct ae_diag_end *x)
{
	return is_kind(x, "connect") && ends_with(x->what, ":135");
}

/*
 * Refused is what a host says on whose port nobody listens, and what a
 * firewall may say in its place.  Where the CA's own port is refused as well,
 * the service is not there.
 */
static bool
is_all_refused(const struct ae_diag_end *x)
{
	const json_t *one;
	int64_t port;
	size_t i;

	if (!is_epm(x) || is_late(x))
		return false;
	json_array_foreach(json_object_get(x->way, "beside"), i, one)
	{
		if (ae_fact_int(&port, one, "port") && port == AE_DIAG_CA_PORT)
			return ae_fact_is(one, "state", "refused");
	}
	return false;
}

static bool
is_port(const struct ae_diag_end *x)
{
	return is_kind(x, "connect") && !ends_with(x->what, ":135");
}

static int64_t
port_of(const struct ae_diag_end *x)
{
	const char *p = strrchr(x->what, ':');

	return p == NULL ? -1 : strtol(p + 1, NULL, 10);
}

/* Windows' dynamic range begins at 49152: below it somebody chose it. */
static bool
is_fixed_port(const struct ae_diag_end *x)
{
	return is_port(x) && port_of(x) > 0 && port_of(x) < 49152;
}

static bool
is_address(const char *s)
{
	return s[0] != '\0' && strspn(s, "0123456789.") == strlen(s);
}

/*
 * The activation names addresses, and the one we went to is not among them.
 * A name says nothing: it is looked up anew.
 */
static bool
is_nat(const struct ae_diag_end *x)
{
	const json_t *one;
	const char *host;
	size_t i, len, addresses = 0;

	if (!is_port(x) && !(is_kind(x, "bind") && x->krb < 0))
		return false;
	json_array_foreach(json_object_get(x->way, "bindings"), i, one)
	{
		host = ae_fact_text(one, "host");
		len = strlen(host);
		if (!is_address(host))
			continue;
		addresses++;
		if (strncmp(x->what, host, len) == 0 && x->what[len] == ':')
			return false;
	}
	return addresses > 0;
}

static bool
is_numeric_host(const struct ae_diag_end *x)
{
	return x->krb == KDC_S_PRINCIPAL_UNKNOWN &&
	    is_address(ae_fact_text(x->ca, "host"));
}

static bool
is_alias(const struct ae_diag_end *x)
{
	const char *real = ae_fact_str(x->way, "canonical");

	return (x->krb == KDC_S_PRINCIPAL_UNKNOWN ||
		   x->krb == KRB_AP_MODIFIED) &&
	    real != NULL &&
	    !ae_str_eq_nocase(real, ae_fact_text(x->ca, "host"));
}

static bool
is_spn_missing(const struct ae_diag_end *x)
{
	return x->krb == KDC_S_PRINCIPAL_UNKNOWN && owners(x) < 2;
}

static bool
is_auth_failure(const struct ae_diag_end *x)
{
	return x->krb == KRB_AP_MODIFIED || strcmp(x->rc, "AE_EAUTH") == 0 ||
	    (strcmp(x->domain, "rpc") == 0 && x->code == RPC_ACCESS_DENIED);
}

static bool
is_spn_duplicate(const struct ae_diag_end *x)
{
	return owners(x) > 1 &&
	    (x->krb == KDC_PRINCIPAL_NOT_UNIQUE ||
		x->krb == KDC_S_PRINCIPAL_UNKNOWN || is_auth_failure(x));
}

static bool
is_enctype(const struct ae_diag_end *x)
{
	return x->krb == KDC_ETYPE_NOSUPP;
}

/* The forest is another one when the realm of the CA's host is. */
static bool
is_policy(const struct ae_diag_end *x)
{
	return x->krb == KDC_POLICY;
}

static bool
is_foreign(const struct ae_diag_end *x)
{
	const char *host = strchr(ae_fact_text(x->ca, "host"), '.');
	const char *realm = ae_fact_text(x->facts, "host.realm");

	return is_policy(x) && host != NULL &&
	    !ae_str_eq_nocase(host + 1, realm);
}

#define PROTECTED_USERS "-525"

static bool
is_protected(const struct ae_diag_end *x)
{
	const json_t *sid;
	size_t i;

	if (!is_policy(x))
		return false;
	json_array_foreach(ae_fact(x->facts, "krb.groups"), i, sid)
	{
		if (json_is_string(sid) &&
		    ends_with(json_string_value(sid), PROTECTED_USERS))
			return true;
	}
	return false;
}

static bool
is_call(const struct ae_diag_end *x, uint32_t code)
{
	return is_kind(x, "call") && (uint32_t)x->code == code;
}

static bool
is_code(const struct ae_diag_end *x, uint32_t code)
{
	return (uint32_t)x->code == code && strcmp(x->domain, "rpc") != 0;
}

static bool
is_stopped(const struct ae_diag_end *x)
{
	return is_code(x, REGDB_E_CLASSNOTREG) ||
	    is_code(x, CO_E_SERVER_EXEC_FAILURE) ||
	    is_call(x, EPT_NOT_REGISTERED) || is_all_refused(x);
}

static bool
is_rpc(const struct ae_diag_end *x, int64_t status)
{
	return strcmp(x->domain, "rpc") == 0 && x->code == status;
}

/* A status of RPC itself comes from the logon, an HRESULT from COM. */
static bool
is_network_logon(const struct ae_diag_end *x)
{
	return is_rpc(x, RPC_ACCESS_DENIED) &&
	    (is_kind(x, "bind") ||
		strcmp(x->what, "RemoteCreateInstance") == 0);
}

/* The same CA asked with the two levels the other way round. */
static const json_t *
other_levels(const struct ae_diag_end *x)
{
	return ae_diag_way_to(
	    x->facts, "integrity", ae_fact_text(x->ca, "config"));
}

static bool
is_activation(const char *what)
{
	return strcmp(what, "RemoteCreateInstance") == 0 ||
	    strcmp(what, "RemoteActivation") == 0;
}

/* Did this way get as far as calls of the CA's own interface? */
static bool
is_activated(const json_t *way)
{
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(way, "stages"), i, s)
	{
		if (is_activation(ae_fact_text(s, "what")))
			return ae_fact_str(s, "error") == NULL;
	}
	return false;
}

/* Was the last connection on the way made for sealed calls? */
static bool
is_sealed(const struct ae_diag_end *x)
{
	const json_t *s;
	bool sealed = false;
	size_t i;

	json_array_foreach(json_object_get(x->way, "stages"), i, s)
	{
		if (ae_fact_is(s, "stage", "bind"))
			sealed = ends_with(ae_fact_text(s, "what"), " privacy");
	}
	return sealed;
}

static bool
is_call_refused(const struct ae_diag_end *x)
{
	return is_rpc(x, RPC_ACCESS_DENIED) && is_kind(x, "call") &&
	    strncmp(x->what, "ICert", 5) == 0;
}

static bool
is_privacy(const struct ae_diag_end *x)
{
	return is_call_refused(x) && !is_sealed(x);
}

/* Activated at integrity it is refused, at privacy it is not. */
static bool
is_activation_level(const struct ae_diag_end *x)
{
	return is_activation(x->what) && is_activated(other_levels(x)) &&
	    (is_rpc(x, RPC_ACCESS_DENIED) || is_code(x, E_ACCESSDENIED) ||
		is_code(x, RPC_E_SECURITY));
}

/*
 * What is only signed is answered, and what is sealed is lost, cut or refused:
 * nobody who takes requests wants it so, but something that reads them does.
 */
static bool
is_sealed_in_vain(const struct ae_diag_end *x)
{
	return ae_fact_yes(other_levels(x), "ok") &&
	    (is_kind(x, "bind") || is_kind(x, "call")) &&
	    (is_late(x) || strcmp(x->rc, "AE_EUNAVAIL") == 0 ||
		is_call_refused(x));
}

static bool
is_unauthenticated(const struct ae_diag_end *x)
{
	return is_rpc(x, RPC_ACCESS_DENIED) &&
	    (strncmp(x->what, "ServerAlive", 11) == 0 ||
		strstr(x->what, "anonymous") != NULL);
}

static bool
is_integrity(const struct ae_diag_end *x)
{
	return is_code(x, RPC_E_SECURITY);
}

static bool
is_disabled(const struct ae_diag_end *x)
{
	return is_code(x, RPC_E_REMOTE_DISABLED);
}

static bool
is_limits(const struct ae_diag_end *x)
{
	return is_code(x, RPC_E_ACCESS_DENIED);
}

static bool
is_group(const struct ae_diag_end *x)
{
	return (is_code(x, E_ACCESSDENIED) && is_activation(x->what)) ||
	    is_call_refused(x);
}

static bool
is_sec_pkg(const struct ae_diag_end *x)
{
	return is_rpc(x, RPC_SEC_PKG_ERROR);
}

/* It could not open the ticket: with the key it has, that is another's. */
static bool
is_checksum(const struct ae_diag_end *x)
{
	return is_kind(x, "bind") &&
	    (strcmp(x->rc, "AE_EAUTH") == 0 || x->krb >= 0) &&
	    x->krb != KRB_AP_SKEW;
}

static bool
is_enroll_denied(const struct ae_diag_end *x)
{
	return is_code(x, CERTSRV_E_ENROLL_DENIED);
}

/* Refused by its interface of COM, and not by the other one. */
static bool
is_interface(const struct ae_diag_end *x)
{
	return (is_code(x, E_ACCESSDENIED) || is_enroll_denied(x)) &&
	    (x->what[0] == '\0' || strncmp(x->what, "ICert", 5) == 0);
}

static bool
is_name_mismatch(const struct ae_diag_end *x)
{
	return is_code(x, E_INVALIDARG);
}

static bool
is_suspended(const struct ae_diag_end *x)
{
	return is_code(x, CERTSRV_E_SERVER_SUSPENDED);
}

static bool
is_busy(const struct ae_diag_end *x)
{
	return is_code(x, CERTSRV_E_NO_DB_SESSIONS) ||
	    is_rpc(x, RPC_SERVER_TOO_BUSY) || is_code(x, RPC_E_CALL_REJECTED);
}

/* A connection stands, small messages pass, and a large one does not. */
static bool
is_mtu(const struct ae_diag_end *x)
{
	return is_late(x) && (is_kind(x, "bind") || is_kind(x, "call")) &&
	    strstr(x->what, "anonymous") == NULL;
}

static bool
is_cut(const struct ae_diag_end *x)
{
	return strcmp(x->rc, "AE_EUNAVAIL") == 0 &&
	    (is_kind(x, "bind") || is_kind(x, "call"));
}

/* In this order: the first that fits is the cause. */
/* clang-format off */
static const struct {
	const char *id;
	bool (*is)(const struct ae_diag_end *x);
} causes[] = {
	{ "dns.ca-name-unresolvable", is_name },
	{ "auth.ntlm-only-blocked", is_numeric_host },
	{ "dns.ca-name-wrong-ip", is_wrong_ip },
	{ "net.nat-oxid-binding", is_nat },
	{ "net.ca-service-stopped", is_stopped },
	{ "net.epm-unreachable", is_epm },
	{ "net.fixed-port-mismatch", is_fixed_port },
	{ "net.dynamic-ports-blocked", is_port },
	{ "auth.spn-duplicate", is_spn_duplicate },
	{ "dns.alias", is_alias },
	{ "auth.spn-missing", is_spn_missing },
	{ "auth.enctype", is_enctype },
	{ "auth.selective-authentication", is_foreign },
	{ "auth.protected-users", is_protected },
	{ "auth.silo", is_policy },
	{ "dcom.restrict-unauth-gpo", is_unauthenticated },
	{ "dcom.integrity-required", is_activation_level },
	{ "net.proxy-inspection", is_sealed_in_vain },
	{ "auth.network-logon-denied", is_network_logon },
	{ "rpc.privacy-required", is_privacy },
	{ "dcom.integrity-required", is_integrity },
	{ "dcom.disabled", is_disabled },
	{ "dcom.limits", is_limits },
	{ "dcom.access-group-empty", is_group },
	{ "rpc.sec-pkg-error", is_sec_pkg },
	{ "rpc.invalid-checksum", is_checksum },
	{ "ca.interface-flags", is_interface },
	{ "ca.name-mismatch", is_name_mismatch },
	{ "ca.suspended", is_suspended },
	{ "ca.busy", is_busy },
	{ "net.mtu-fragment", is_mtu },
	{ "net.proxy-inspection", is_cut },
};
/* clang-format on */

const char *
ae_diag_end_cause(const struct ae_diag_end *x)
{
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].is(x))
			return causes[i].id;
	return NULL;
}
