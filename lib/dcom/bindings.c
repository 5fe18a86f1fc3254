/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * DUALSTRINGARRAY, MS-DCOM 2.2.19: from and to 16-bit units.
 */
#include "dcom/objref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"

#define RESERVED 0xffffU

/* A place in the units; bad is sticky as in a reader. */
struct units {
	const uint16_t *v;
	size_t n;
	size_t at;
	bool bad;
};

static uint16_t
next(struct units *u)
{
	if (u->at >= u->n) {
		u->bad = true;
		return 0;
	}
	return u->v[u->at++];
}

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_HRESULT, AE_DCOM_E_INVALID_OBJREF,
	    "bindings: %s", what);
}

/* The string up to its NUL; NULL with e filled. */
static char *
string(struct units *u, struct ae_arena *a, struct ae_err *e)
{
	uint8_t text[2 * AE_DCOM_BINDING_TEXT_MAX];
	size_t n = 0;
	uint16_t c;
	char *s;

	while ((c = next(u)) != 0) {
		if (n == AE_DCOM_BINDING_TEXT_MAX) {
			bad(e, "a string is too long");
			return NULL;
		}
		text[2 * n] = (uint8_t)c;
		text[2 * n + 1] = (uint8_t)(c >> 8);
		n++;
	}
	if (u->bad || !ae_utf16_valid(text, n)) {
		bad(e, "a string does not end, or is not UTF-16");
		return NULL;
	}
	s = ae_utf16_to_utf8(a, text, n);
	if (s == NULL)
		ae_fail_mem(e);
	return s;
}

/* "host[port]" in place; false when the port is none. */
static bool
split(char *s, uint16_t *port)
{
	char *open = strchr(s, '['), *end;
	unsigned long v;

	*port = 0;
	if (open == NULL)
		return true;
	if (open[1] < '1' || open[1] > '9')
		return false;
	v = strtoul(open + 1, &end, 10);
	if (v > 65535 || strcmp(end, "]") != 0)
		return false;
	*port = (uint16_t)v;
	*open = '\0';
	return true;
}

static int
get_strings(struct units *u, struct ae_dcom_binding *v, size_t *n,
    struct ae_arena *a, struct ae_err *e)
{
	uint16_t tower;
	char *s;

	while ((tower = next(u)) != 0) {
		s = string(u, a, e);
		if (s == NULL)
			return e->rc;
		if (*n == AE_DCOM_BINDINGS_MAX)
			return bad(e, "too many");
		v[*n] = (struct ae_dcom_binding){ .tower = tower, .host = s };
		if (tower == AE_DCOM_TOWER_TCP && !split(s, &v[*n].port))
			return bad(e, "a TCP endpoint that is no port");
		(*n)++;
	}
	return u->bad ? bad(e, "the strings do not end") : AE_OK;
}

static int
get_security(struct units *u, struct ae_dcom_security *v, size_t *n,
    struct ae_arena *a, struct ae_err *e)
{
	uint16_t service;
	char *s;

	while ((service = next(u)) != 0) {
		(void)next(u); /* Reserved */
		s = string(u, a, e);
		if (s == NULL)
			return e->rc;
		if (*n == AE_DCOM_BINDINGS_MAX)
			return bad(e, "too many");
		v[*n] =
		    (struct ae_dcom_security){ .service = service, .spn = s };
		(*n)++;
	}
	return u->bad ? bad(e, "the security bindings do not end") : AE_OK;
}

int
ae_dcom_bindings_get(struct ae_dcom_bindings *out,
    const struct ae_dcom_dsa *dsa, struct ae_arena *a, struct ae_err *e)
{
	struct ae_err unheard = AE_ERR_INIT;
	struct ae_dcom_security *security;
	struct ae_dcom_binding *strings;
	struct ae_dcom_bindings b = { 0 };
	struct units u = { .v = dsa->units, .n = dsa->security };
	int rc;

	e = e != NULL ? e : &unheard;
	if (dsa->security > dsa->entries)
		return bad(e, "the security offset points outside");
	strings = ae_arena_array(a, AE_DCOM_BINDINGS_MAX, sizeof(*strings));
	security = ae_arena_array(a, AE_DCOM_BINDINGS_MAX, sizeof(*security));
	if (strings == NULL || security == NULL)
		return ae_fail_mem(e);
	/* An array of no units at all: nothing is bound. */
	rc = u.n == 0 ? AE_OK : get_strings(&u, strings, &b.nstrings, a, e);
	u = (struct units){
		.v = dsa->units, .n = dsa->entries, .at = dsa->security
	};
	if (rc == AE_OK && u.at < u.n)
		rc = get_security(&u, security, &b.nsecurity, a, e);
	if (rc != AE_OK)
		return rc;
	b.strings = strings;
	b.security = security;
	*out = b;
	return AE_OK;
}

static bool
put_string(struct ae_wr *w, const char *s)
{
	bool ok = ae_utf16_put(w, s);

	ae_wr_u16(w, 0);
	return ok;
}

static bool
put_binding(struct ae_wr *w, const struct ae_dcom_binding *b, bool port)
{
	char text[AE_DCOM_BINDING_TEXT_MAX];
	int n;

	if (port && b->port != 0)
		n = snprintf(
		    text, sizeof(text), "%s[%u]", b->host, (unsigned)b->port);
	else
		n = snprintf(text, sizeof(text), "%s", b->host);
	ae_wr_u16(w, b->tower);
	return n >= 0 && (size_t)n < sizeof(text) && put_string(w, text);
}

static bool
put_all(struct ae_wr *w, const struct ae_dcom_bindings *b, bool ports,
    size_t *security)
{
	size_t i;

	for (i = 0; i < b->nstrings; i++)
		if (!put_binding(w, &b->strings[i], ports))
			return false;
	if (b->nstrings == 0)
		ae_wr_u16(w, 0); /* the empty STRINGBINDING */
	ae_wr_u16(w, 0);
	*security = w->len / 2;
	for (i = 0; i < b->nsecurity; i++) {
		ae_wr_u16(w, b->security[i].service);
		ae_wr_u16(w, RESERVED);
		if (!put_string(w, b->security[i].spn))
			return false;
	}
	if (b->nsecurity == 0)
		ae_wr_u16(w, 0);
	ae_wr_u16(w, 0);
	return true;
}

int
ae_dcom_bindings_put(struct ae_dcom_dsa *out, const struct ae_dcom_bindings *b,
    bool ports, struct ae_arena *a, struct ae_err *e)
{
	size_t i, security = 0;
	uint16_t *units = NULL;
	struct ae_wr w;
	bool fits;
	int rc;

	ae_wr_init(&w, 2 * AE_DCOM_DSA_MAX);
	fits = put_all(&w, b, ports, &security);
	if (!fits || ae_wr_full(&w))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "bindings: a name is not UTF-8, or all are too long");
	else if (!ae_wr_ok(&w) ||
	    (units = ae_arena_array(a, w.len / 2, 2)) == NULL)
		rc = ae_fail_mem(e);
	else
		rc = AE_OK;
	if (rc == AE_OK) {
		for (i = 0; i < w.len / 2; i++)
			units[i] = (uint16_t)(w.p[2 * i] |
			    (unsigned)w.p[2 * i + 1] << 8);
		out->entries = (uint16_t)(w.len / 2);
		out->security = (uint16_t)security;
		out->units = units;
	}
	ae_wr_done(&w);
	return rc;
}
