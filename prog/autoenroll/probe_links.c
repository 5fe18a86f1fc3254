/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of addresses: where the certificates of each CA's chain, and this
 * account's own, say that their issuer's certificate (AIA) and revocation list
 * (CDP) are.  They are sorted by server, so that each of them is asked by one
 * process; nothing is asked here.
 *
 *   "links": { "servers": [ { "server": "http://host:port" | "ldap" | "none",
 *       "addresses": [ { "url", "use": "aia" | "cdp", "cert", "issuer": as
 *           probe_put_der has it, "issuer" null when nobody knows him,
 *           "thumbprint", "subject", "own": bool, "ca": its name, "template",
 *           "path" } ] } ], "more": number that was passed over }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/str.h"
#include "diag/facts.h"
#include "pki/name.h"
#include "probe_pki.h"
#include "run/fetch.h"
#include "store/store.h"

#define SERVERS_MAX 15u /* and "none" */
#define ADDRESSES_MAX 32u
#define CERTS_MAX 64u
#define SHOWN_MAX 1024u

/* A certificate that has addresses, and whose it is. */
struct link {
	struct ae_cert *cert;
	const char *ca, *tmpl; /* one of them is "" */
	char path[512];
};

struct links {
	struct probe *p;
	struct link v[CERTS_MAX];
	size_t n;
	json_t *servers;
	size_t addresses, more;
};

/* ---- the certificates ---- */

struct ae_cert *
probe_get_der(const char *hex)
{
	size_t len = hex == NULL ? 0 : strlen(hex) / 2;
	struct ae_cert *c = NULL;
	uint8_t *der;

	if (len == 0 || len > AE_PKI_CERT_MAX)
		return NULL;
	der = malloc(len);
	if (der != NULL && ae_hex_decode(der, len, hex) &&
	    ae_cert_parse(&c, der, len, NULL) != AE_OK)
		c = NULL;
	free(der);
	return c;
}

static bool
is_known(const struct links *l, const struct ae_cert *c)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (ae_der_equal(l->v[i].cert->der, c->der))
			return true;
	return false;
}

/* cert is taken. */
static struct link *
add_cert(struct links *l, struct ae_cert *cert)
{
	struct link *one;

	if (cert == NULL || l->n == CERTS_MAX || is_known(l, cert)) {
		ae_cert_free(cert);
		return NULL;
	}
	one = &l->v[l->n++];
	*one = (struct link){ .cert = cert, .ca = "", .tmpl = "" };
	return one;
}

static void
add_chains(struct links *l)
{
	const json_t *ca, *hex;
	struct link *one;
	size_t i, k;

	json_array_foreach(ae_fact(l->p->facts, "ad.cas"), i, ca)
	{
		json_array_foreach(ae_fact(ca, "chain.certs"), k, hex)
		{
			one =
			    add_cert(l, probe_get_der(json_string_value(hex)));
			if (one != NULL)
				one->ca = ae_fact_text(ca, "name");
		}
	}
}

static void
add_own(struct links *l, const struct ae_store_list *store)
{
	const char *dir = l->p->cli->c.state_dir;
	struct ae_cert **v = NULL;
	struct link *one;
	size_t i, n;

	for (i = 0; i < store->n; i++) {
		n = 0;
		if (!store->v[i].current ||
		    (l->p->only != NULL &&
			!ae_str_eq_nocase(l->p->only, store->v[i].tmpl)) ||
		    ae_certs_read(&v, &n, 1, store->v[i].cert_pem,
			store->v[i].cert_len, NULL) != AE_OK)
			continue;
		one = add_cert(l, ae_cert_dup(v[0]));
		ae_certs_free(v, n);
		if (one == NULL)
			continue;
		one->tmpl = store->v[i].tmpl;
		(void)snprintf(one->path, sizeof(one->path), "%s/my/%s/current",
		    dir, one->tmpl);
	}
}

static const struct ae_cert *
issuer_of(const struct links *l, const struct ae_cert *c)
{
	struct ae_key *key;
	bool found;
	size_t i;

	for (i = 0; i < l->n; i++) {
		const struct ae_cert *up = l->v[i].cert;

		key = NULL;
		found = ae_name_equal(up->subject, c->issuer) &&
		    ae_key_from_spki(&key, up->spki.p, up->spki.len, NULL) ==
			AE_OK &&
		    ae_cert_verify(c, key, NULL) == AE_OK;
		ae_key_free(key);
		if (found)
			return up;
	}
	return NULL;
}

/* ---- their addresses, by server ---- */

/*
 * Of an address from a certificate, that is, of anything at all.  Which
 * directory an LDAP address means is looked at when it is read.
 */
static void
server_of(char out[SHOWN_MAX], const char *url)
{
	size_t scheme = strlen("http://"), i;

	if (strnlen(url, SHOWN_MAX) < SHOWN_MAX && ae_run_fetch_asks(url)) {
		(void)snprintf(out, SHOWN_MAX, "http://%.*s",
		    (int)strcspn(url + scheme, "/?#"), url + scheme);
		for (i = 0; out[i] != '\0'; i++)
			if (out[i] >= 'A' && out[i] <= 'Z')
				out[i] = (char)(out[i] + ('a' - 'A'));
	} else if (strncasecmp(url, "ldap://", 7) == 0) {
		(void)snprintf(out, SHOWN_MAX, "ldap");
	} else {
		(void)snprintf(out, SHOWN_MAX, "none");
	}
}

/* "addresses" of it; NULL: there are too many. */
static json_t *
addresses_of(struct links *l, const char *server)
{
	json_t *one, *list;
	size_t i;

	json_array_foreach(l->servers, i, one)
	{
		if (ae_fact_is(one, "server", server))
			return json_object_get(one, "addresses");
	}
	if (json_array_size(l->servers) >= SERVERS_MAX &&
	    strcmp(server, "none") != 0)
		return NULL;
	list = json_array();
	one = json_pack(
	    "{s:o, s:o}", "server", client_text(server), "addresses", list);
	return json_array_append_new(l->servers, one) == 0 ? list : NULL;
}

static void
put_hex(json_t *j, const char *name, const struct ae_cert *c)
{
	json_t *list = json_array();

	if (c != NULL)
		probe_put_der(list, c);
	(void)json_object_set(j, name, json_array_get(list, 0));
	json_decref(list);
}

static void
put_address(
    struct links *l, const struct link *one, const char *use, const char *url)
{
	char server[SHOWN_MAX], thumb[41], *subject = NULL;
	uint8_t sha1[20];
	json_t *list, *j;

	server_of(server, url);
	list = addresses_of(l, server);
	if (list == NULL || l->addresses == ADDRESSES_MAX) {
		l->more++;
		return;
	}
	l->addresses++;
	ae_cert_sha1(sha1, one->cert);
	ae_hex_encode(thumb, sha1, sizeof(sha1));
	if (ae_name_print(&subject, one->cert->subject, NULL) != AE_OK)
		subject = NULL;
	j = json_pack("{s:s, s:s, s:b, s:s, s:s, s:s}", "use", use,
	    "thumbprint", thumb, "own", one->tmpl[0] != '\0', "ca", one->ca,
	    "template", one->tmpl, "path", one->path);
	(void)json_object_set_new(j, "url", client_text(url));
	(void)json_object_set_new(
	    j, "subject", client_text(subject == NULL ? "" : subject));
	put_hex(j, "cert", one->cert);
	put_hex(j, "issuer", issuer_of(l, one->cert));
	(void)json_array_append_new(list, j);
	free(subject);
}

static void
put_all(struct links *l, const struct link *one)
{
	const struct ae_exts *x = &one->cert->x;
	size_t i;

	if (ae_cert_self_issued(one->cert))
		return; /* nobody looks there for a root's */
	for (i = 0; i < x->aia_issuers.n; i++)
		put_address(l, one, "aia", x->aia_issuers.v[i]);
	for (i = 0; i < x->cdp.n; i++)
		put_address(l, one, "cdp", x->cdp.v[i]);
}

int
probe_links(struct probe *p, struct ae_err *e)
{
	struct links l = { .p = p, .servers = json_array() };
	struct ae_store_list store = { 0 };
	struct ae_store *s = NULL;
	size_t i;

	probe_doing(p, "links", NULL);
	add_chains(&l);
	if (ae_store_open(&s, p->cli->c.state_dir, false, NULL) == AE_OK &&
	    ae_store_list(s, &store, NULL) == AE_OK)
		add_own(&l, &store);
	for (i = 0; i < l.n; i++)
		put_all(&l, &l.v[i]);
	probe_set(p, "servers", l.servers);
	probe_set(p, "more", json_integer((json_int_t)l.more));
	for (i = 0; i < l.n; i++)
		ae_cert_free(l.v[i].cert);
	ae_store_list_done(&store);
	ae_store_free(s);
	(void)e;
	return AE_OK;
}
