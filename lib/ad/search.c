/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Searches: pages, ranges of values, and copying what came into an arena.
 */
#include "ad/ad.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ad/ldap_int.h"
#include "base/str.h"

#define ATTRS_MAX 256u
#define RANGES_MAX 1000 /* rounds for one attribute */
#define EMPTY_PAGES_MAX 100

int
ae_ad_sd_flags(struct ae_ad *ad, LDAPControl **out, int flags, struct ae_err *e)
{
	struct berval *v = NULL;
	BerElement *ber;
	int code = LDAP_NO_MEMORY;

	ber = ad->lib.ber_alloc_t(LBER_USE_DER);
	if (ber != NULL && ad->lib.ber_printf(ber, "{i}", flags) >= 0 &&
	    ad->lib.ber_flatten(ber, &v) == 0)
		code = ad->lib.ldap_control_create(
		    AE_AD_OID_SD_FLAGS, 1, v, 1, out);
	ad->lib.ber_bvfree(v);
	ad->lib.ber_free(ber, 1);
	return code == LDAP_SUCCESS ? AE_OK : ae_fail_mem(e);
}

/* Growing in an arena: the old array stays behind until the arena goes. */
struct grow {
	struct ae_arena *arena;
	struct ae_entry *v;
	size_t n, cap;
};

/* "member;range=0-1499" becomes "member"; *next is 1500, or 0: complete. */
static bool
split_range(char *name, unsigned long *next)
{
	char *p, *end;

	*next = 0;
	p = strchr(name, ';');
	if (p == NULL || strncasecmp(p, ";range=", 7) != 0)
		return true;
	*p = '\0';
	p += 7;
	(void)strtoul(p, &end, 10);
	if (end == p || *end != '-')
		return false;
	p = end + 1;
	if (strcmp(p, "*") == 0)
		return true;
	*next = strtoul(p, &end, 10);
	if (end == p || *end != '\0' || *next >= 100000000)
		return false;
	(*next)++;
	return true;
}

static int
copy_values(struct ae_ad *ad, LDAPMessage *m, const char *wire_name,
    struct ae_arena *a, struct ae_value **v, size_t *n, struct ae_err *e)
{
	struct berval **vals =
	    ad->lib.ldap_get_values_len(ad->ld, m, wire_name);
	size_t i,
	    more =
		vals != NULL ? (size_t)ad->lib.ldap_count_values_len(vals) : 0;
	struct ae_value *all;
	int rc = AE_OK;

	all = ae_arena_array(a, *n + more + 1, sizeof(*all));
	if (all == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	if (*n != 0)
		memcpy(all, *v, *n * sizeof(*all));
	for (i = 0; i < more; i++) {
		/* strndup: len bytes, NULs among them, and a NUL behind. */
		char *p = ae_arena_alloc(a, vals[i]->bv_len + 1);

		if (p == NULL) {
			rc = ae_fail_mem(e);
			goto out;
		}
		if (vals[i]->bv_len != 0)
			memcpy(p, vals[i]->bv_val, vals[i]->bv_len);
		all[*n + i].p = (const uint8_t *)p;
		all[*n + i].len = vals[i]->bv_len;
	}
	*v = all;
	*n += more;
out:
	ad->lib.ldap_value_free_len(vals);
	return rc;
}

/* The rest of an attribute that came in part, MS-ADTS 3.1.1.3.1.3.3. */
static int
fetch_ranges(struct ae_ad *ad, const char *dn, const char *name,
    unsigned long next, struct ae_arena *a, struct ae_value **v, size_t *n,
    struct ae_err *e)
{
	char *want, *wire, *attrs[2] = { NULL, NULL };
	LDAPMessage *result, *m;
	BerElement *ber;
	int rounds, code, rc = AE_OK;
	unsigned long from;

	for (rounds = 0; next != 0 && rc == AE_OK; rounds++) {
		if (rounds == RANGES_MAX)
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "%s: values without end", name);
		if (asprintf(&want, "%s;range=%lu-*", name, next) < 0)
			return ae_fail_mem(e);
		attrs[0] = want;
		result = NULL;
		ber = NULL;
		wire = NULL;
		from = next;
		next = 0;
		code = ad->lib.ldap_search_ext_s(ad->ld, dn, LDAP_SCOPE_BASE,
		    "(objectClass=*)", attrs, 0, NULL, NULL, &ad->timeout, 1,
		    &result);
		if (code != LDAP_SUCCESS)
			rc = ae_ad_fail(ad, code, e, "values of %s", name);
		else if ((m = ad->lib.ldap_first_entry(ad->ld, result)) !=
			NULL &&
		    (wire = ad->lib.ldap_first_attribute(ad->ld, m, &ber)) !=
			NULL) {
			rc = copy_values(ad, m, wire, a, v, n, e);
			if (rc == AE_OK &&
			    (!split_range(wire, &next) ||
				!ae_str_eq_nocase(wire, name) ||
				(next != 0 && next <= from)))
				rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
				    "%s: nonsense for a range of values", name);
		}
		ad->lib.ldap_memfree(wire);
		ad->lib.ber_free(ber, 0);
		(void)ad->lib.ldap_msgfree(result);
		free(want);
	}
	return rc;
}

static int
copy_attr(struct ae_ad *ad, LDAPMessage *m, const char *dn, char *wire,
    struct ae_arena *a, struct ae_attr *out, struct ae_err *e)
{
	struct ae_value *v = NULL;
	unsigned long next;
	size_t n = 0;
	int rc;

	if ((rc = copy_values(ad, m, wire, a, &v, &n, e)) != AE_OK)
		return rc;
	if (!split_range(wire, &next))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "an attribute with a nonsensical range");
	if ((rc = fetch_ranges(ad, dn, wire, next, a, &v, &n, e)) != AE_OK)
		return rc;
	out->name = ae_arena_strdup(a, wire);
	out->v = v;
	out->n = n;
	return out->name != NULL ? AE_OK : ae_fail_mem(e);
}

static int
copy_entry(struct ae_ad *ad, LDAPMessage *m, struct ae_arena *a,
    struct ae_entry *out, struct ae_err *e)
{
	struct ae_attr *attrs;
	BerElement *ber = NULL;
	char *dn, *wire;
	int rc = AE_OK;

	dn = ad->lib.ldap_get_dn(ad->ld, m);
	out->dn = ae_arena_strdup(a, dn != NULL ? dn : "");
	ad->lib.ldap_memfree(dn);
	attrs = ae_arena_array(a, ATTRS_MAX, sizeof(*attrs));
	if (out->dn == NULL || attrs == NULL)
		return ae_fail_mem(e);
	for (wire = ad->lib.ldap_first_attribute(ad->ld, m, &ber);
	     wire != NULL && rc == AE_OK;
	     wire = ad->lib.ldap_next_attribute(ad->ld, m, ber)) {
		/* An empty "member" beside "member;range=0-1499". */
		if (out->n == ATTRS_MAX)
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %u attributes", ATTRS_MAX);
		else
			rc = copy_attr(
			    ad, m, out->dn, wire, a, &attrs[out->n], e);
		ad->lib.ldap_memfree(wire);
		if (rc != AE_OK)
			break;
		if (attrs[out->n].n != 0)
			out->n++;
	}
	ad->lib.ber_free(ber, 0);
	out->attrs = attrs;
	return rc;
}

static int
add_entry(struct ae_ad *ad, struct grow *g, LDAPMessage *m, size_t max,
    struct ae_err *e)
{
	struct ae_entry *v;

	if (g->n == max)
		return ae_fail(e, AE_ELIMIT, AE_DOM_LDAP,
		    LDAP_SIZELIMIT_EXCEEDED, "more than %zu entries", max);
	if (g->n == g->cap) {
		g->cap = g->cap != 0 ? 2 * g->cap : 16;
		v = ae_arena_array(g->arena, g->cap, sizeof(*v));
		if (v == NULL)
			return ae_fail_mem(e);
		if (g->n != 0)
			memcpy(v, g->v, g->n * sizeof(*v));
		g->v = v;
	}
	return copy_entry(ad, m, g->arena, &g->v[g->n++], e);
}

static bool
wants_sd(const char *const *attrs)
{
	for (; attrs != NULL && *attrs != NULL; attrs++)
		if (ae_str_eq_nocase(*attrs, "nTSecurityDescriptor"))
			return true;
	return false;
}

int
ae_ad_search_send(struct ae_ad *ad, const struct ae_ad_query *q,
    struct berval *cookie, int *id, struct ae_err *e)
{
	static const int scopes[] = { [AE_AD_BASE] = LDAP_SCOPE_BASE,
		[AE_AD_ONE] = LDAP_SCOPE_ONELEVEL,
		[AE_AD_SUB] = LDAP_SCOPE_SUBTREE };
	LDAPControl *send[3] = { NULL };
	char *attrs[ATTRS_MAX + 1];
	int code, rc;
	size_t n, i;

	if ((rc = ae_ad_is_up(ad, e)) != AE_OK)
		return rc;
	/* libldap's prototype is not const; it does not write there. */
	for (n = 0; q->attrs != NULL && q->attrs[n] != NULL; n++) {
		if (n == ATTRS_MAX)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "too many attributes asked for");
		memcpy(&attrs[n], &q->attrs[n], sizeof(attrs[n]));
	}
	attrs[n] = NULL;
	n = 0;
	if (q->scope != AE_AD_BASE) {
		code = ad->lib.ldap_create_page_control(
		    ad->ld, AE_AD_PAGE, cookie, 1, &send[0]);
		if (code != LDAP_SUCCESS)
			return ae_ad_fail(ad, code, e, "page control");
		n++;
	}
	/* Owner 1, group 2, DACL 4. */
	if (wants_sd(q->attrs))
		rc = ae_ad_sd_flags(ad, &send[n], 7, e);
	if (rc == AE_OK) {
		code =
		    ad->lib.ldap_search_ext(ad->ld, q->base, scopes[q->scope],
			q->filter != NULL ? q->filter : "(objectClass=*)",
			q->attrs != NULL ? attrs : NULL, 0, send, NULL,
			&ad->timeout, 0, id);
		if (code != LDAP_SUCCESS)
			rc = ae_ad_fail(ad, code, e, "search at %s", ad->host);
		else
			ad->sent = *id;
	}
	for (i = 0; i < 2; i++)
		ad->lib.ldap_control_free(send[i]);
	return rc;
}

/* All of one message's answer, as ldap_search_ext_s waits for it. */
static int
receive(struct ae_ad *ad, int id, LDAPMessage **result)
{
	int code = LDAP_OTHER, parsed;
	struct timeval timeout = ad->timeout;

	if (ad->lib.ldap_result(ad->ld, id, LDAP_MSG_ALL, &timeout, result) <=
	    0) {
		(void)ad->lib.ldap_get_option(
		    ad->ld, LDAP_OPT_RESULT_CODE, &code);
		if (code == LDAP_TIMEOUT)
			(void)ad->lib.ldap_abandon_ext(ad->ld, id, NULL, NULL);
		return code == LDAP_SUCCESS ? LDAP_OTHER : code;
	}
	parsed = ad->lib.ldap_parse_result(
	    ad->ld, *result, &code, NULL, NULL, NULL, NULL, 0);
	return parsed != LDAP_SUCCESS ? parsed : code;
}

/* The cookie of the next page, out of the answer to this one. */
static int
next_cookie(struct ae_ad *ad, LDAPMessage *result, struct berval *cookie,
    struct ae_err *e)
{
	LDAPControl **got = NULL, *paged;
	int code, code2, rc = AE_OK;
	ber_int_t estimate;

	code = ad->lib.ldap_parse_result(
	    ad->ld, result, &code2, NULL, NULL, NULL, &got, 0);
	if (code != LDAP_SUCCESS)
		return ae_ad_fail(ad, code, e, "search at %s", ad->host);
	paged = ad->lib.ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, got, NULL);
	if (paged != NULL &&
	    (code = ad->lib.ldap_parse_pageresponse_control(
		 ad->ld, paged, &estimate, cookie)) != LDAP_SUCCESS)
		rc = ae_ad_fail(ad, code, e, "page control");
	ad->lib.ldap_controls_free(got);
	return rc;
}

/* Send it and wait for it, or take what is under way. */
static int
exchange(struct ae_ad *ad, const struct ae_ad_query *q, struct berval *cookie,
    LDAPMessage **result, struct ae_err *e)
{
	int id = cookie == NULL ? ae_ad_ahead_take(ad, q) : -1;
	int code = LDAP_OTHER, rc;

	if (id >= 0)
		code = receive(ad, id, result);
	if (code == LDAP_SUCCESS)
		return AE_OK;
	/* What the server refused among others it may not by itself; what is
	 * below 0 libldap says, of the connection. */
	if (id < 0 || (code > 0 && code != LDAP_NO_SUCH_OBJECT)) {
		(void)ad->lib.ldap_msgfree(*result);
		*result = NULL;
		rc = ae_ad_search_send(ad, q, cookie, &id, e);
		if (rc != AE_OK)
			return rc;
		code = receive(ad, id, result);
	}
	return code == LDAP_SUCCESS
	    ? AE_OK
	    : ae_ad_fail(ad, code, e, "search at %s", ad->host);
}

/* One page.  cookie goes in and comes out; empty: there are no more. */
static int
page(struct ae_ad *ad, const struct ae_ad_query *q, struct grow *g,
    struct berval *cookie, struct ae_err *e)
{
	size_t max = q->max != 0 ? q->max : AE_AD_ENTRIES_MAX;
	LDAPMessage *result = NULL, *m;
	int rc;

	rc =
	    exchange(ad, q, cookie->bv_val == NULL ? NULL : cookie, &result, e);
	if (rc == AE_OK)
		for (m = ad->lib.ldap_first_entry(ad->ld, result);
		     m != NULL && rc == AE_OK;
		     m = ad->lib.ldap_next_entry(ad->ld, m))
			rc = add_entry(ad, g, m, max, e);
	ad->lib.ber_memfree(cookie->bv_val);
	memset(cookie, 0, sizeof(*cookie));
	if (rc == AE_OK && q->scope != AE_AD_BASE)
		rc = next_cookie(ad, result, cookie, e);
	(void)ad->lib.ldap_msgfree(result);
	return rc;
}

int
ae_ad_search(struct ae_ad *ad, const struct ae_ad_query *q,
    struct ae_entries *out, struct ae_err *e)
{
	struct berval cookie = { 0, NULL };
	struct grow g = { 0 };
	size_t before, empty = 0;
	int rc = AE_OK;

	g.arena = ae_arena_new(AE_AD_RESULT_MAX);
	if (g.arena == NULL)
		return ae_fail_mem(e);
	ae_ad_ahead_note(ad, q);
	do {
		before = g.n;
		rc = page(ad, q, &g, &cookie, e);
		/* Empty pages are legal, but a DC must get on some time. */
		if (rc == AE_OK && g.n == before && ++empty > EMPTY_PAGES_MAX)
			rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "search: only empty pages");
	} while (rc == AE_OK && cookie.bv_len != 0);
	ad->lib.ber_memfree(cookie.bv_val);
	if (rc != AE_OK) {
		if (rc == AE_ENOMEM && ae_arena_full(g.arena))
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %u bytes of answer", AE_AD_RESULT_MAX);
		ae_arena_free(g.arena);
		return ae_note(
		    e, rc, "%s", q->base[0] != '\0' ? q->base : "rootDSE");
	}
	out->arena = g.arena;
	out->v = g.v;
	out->n = g.n;
	return AE_OK;
}

static int
read_one(struct ae_ad *ad, const char *dn, const char *const *attrs, bool fresh,
    struct ae_entries *out, struct ae_err *e)
{
	struct ae_ad_query q = { .base = dn,
		.scope = AE_AD_BASE,
		.attrs = attrs,
		.max = 1,
		.fresh = fresh };
	struct ae_entries l = { 0 };
	int rc;

	if ((rc = ae_ad_search(ad, &q, &l, e)) != AE_OK)
		return rc;
	if (l.n != 1) {
		ae_entries_done(&l);
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_LDAP,
		    LDAP_NO_SUCH_OBJECT, "%s: no entry", dn);
	}
	*out = l;
	return AE_OK;
}

int
ae_ad_read(struct ae_ad *ad, const char *dn, const char *const *attrs,
    struct ae_entries *out, struct ae_err *e)
{
	return read_one(ad, dn, attrs, false, out, e);
}

int
ae_ad_usn(struct ae_ad *ad, uint64_t *usn, struct ae_err *e)
{
	static const char *const attrs[] = { "highestCommittedUSN", NULL };
	struct ae_entries l = { 0 };
	int rc;

	if ((rc = read_one(ad, "", attrs, true, &l, e)) != AE_OK)
		return rc;
	rc = ae_entry_u64(&l.v[0], attrs[0], usn, e);
	ae_entries_done(&l);
	if (rc == AE_ENOTFOUND)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "rootDSE: no highestCommittedUSN");
	return rc;
}

int
ae_ad_time(struct ae_ad *ad, int64_t *now, struct ae_err *e)
{
	static const char *const attrs[] = { "currentTime", NULL };
	struct ae_entries l = { 0 };
	int rc;

	if ((rc = read_one(ad, "", attrs, true, &l, e)) != AE_OK)
		return rc;
	rc = ae_entry_time(&l.v[0], attrs[0], now, e);
	ae_entries_done(&l);
	if (rc == AE_ENOTFOUND)
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "rootDSE: no currentTime");
	return rc;
}
