/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files of GPOs: what to fetch, what is kept; see files.h.
 */
#include "policy/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define CACHED_MAX (2u * AE_GPO_MAX)

void
ae_policy_cache_done(struct ae_policy_cache *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->v[i].data);
	free(c->v);
	memset(c, 0, sizeof(*c));
}

static struct ae_policy_cached *
find(const struct ae_policy_cache *c, const struct ae_guid *id, bool user)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->v[i].user == user && ae_guid_equal(&c->v[i].id, id))
			return &c->v[i];
	return NULL;
}

const struct ae_policy_cached *
ae_policy_cache_find(
    const struct ae_policy_cache *c, const struct ae_guid *id, bool user)
{
	return find(c, id, user);
}

void
ae_policy_cache_keep(struct ae_policy_cache *c, const struct ae_gpos *g)
{
	size_t i = 0, j;

	while (i < c->n) {
		for (j = 0; j < g->ngpos; j++)
			if (ae_guid_equal(&g->gpos[j]->id, &c->v[i].id))
				break;
		if (j < g->ngpos || c->v[i].user != g->user) {
			i++;
			continue;
		}
		free(c->v[i].data);
		c->n--;
		memmove(&c->v[i], &c->v[i + 1], (c->n - i) * sizeof(*c->v));
	}
}

void
ae_policy_cache_put(struct ae_wr *w, const struct ae_policy_cache *c)
{
	size_t i;

	ae_wr_u32(w, (uint32_t)c->n);
	for (i = 0; i < c->n; i++) {
		ae_guid_put(w, &c->v[i].id);
		ae_wr_u8(w, c->v[i].user);
		ae_wr_u8(w, c->v[i].present);
		ae_wr_u32(w, c->v[i].version);
		ae_wr_u32(w, c->v[i].file_version);
		ae_wr_u32(w, (uint32_t)c->v[i].len);
		ae_wr_bytes(w, c->v[i].data, c->v[i].len);
	}
}

static int
get_cached(struct ae_policy_cached *v, struct ae_rd *r, struct ae_err *e)
{
	uint8_t user, present;
	uint32_t len;

	v->id = ae_guid_get(r);
	user = ae_rd_u8(r);
	present = ae_rd_u8(r);
	v->version = ae_rd_u32(r);
	v->file_version = ae_rd_u32(r);
	len = ae_rd_u32(r);
	if (!ae_rd_ok(r) || user > 1 || present > 1 || len > AE_POL_FILE_MAX ||
	    len > ae_rd_left(r))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "policy cache: malformed");
	v->user = user != 0;
	v->present = present != 0;
	v->data = malloc(len != 0 ? len : 1);
	if (v->data == NULL)
		return ae_fail_mem(e);
	v->len = len;
	ae_rd_copy(r, v->data, len);
	return AE_OK;
}

int
ae_policy_cache_get(
    struct ae_policy_cache *out, struct ae_rd *r, struct ae_err *e)
{
	struct ae_policy_cache c = { 0 };
	uint32_t n = ae_rd_u32(r);
	int rc = AE_OK;

	if (!ae_rd_ok(r) || n > CACHED_MAX || n > ae_rd_left(r))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "policy cache: malformed");
	c.v = calloc(n != 0 ? n : 1, sizeof(*c.v));
	if (c.v == NULL)
		return ae_fail_mem(e);
	while (rc == AE_OK && c.n < n)
		rc = get_cached(&c.v[c.n++], r, e);
	if (rc != AE_OK) {
		ae_policy_cache_done(&c);
		return rc;
	}
	*out = c;
	return AE_OK;
}

/* The half of a version that a principal's kind sees. */
static uint32_t
half(uint32_t version, bool user)
{
	return user ? version >> 16 : version & 0xffff;
}

static bool
fresh(const struct ae_policy_cache *c, const struct ae_gpo *g, bool user)
{
	const struct ae_policy_cached *v = find(c, &g->id, user);

	/*
	 * SYSVOL replicates by itself: while its version is another one than
	 * the directory's, the file is not the final one.
	 */
	return v != NULL && half(v->version, user) == half(g->version, user) &&
	    half(v->file_version, user) == half(g->version, user);
}

/* gPCFileSysPath must be where GPOs are: \\x\sysvol\<domain>\Policies\{id} */
static bool
path_is_ours(const struct ae_gpo *g, const char *domain)
{
	char want[512], id[AE_GUID_STR_MAX];
	const char *p = g->path;
	int n;

	if (p == NULL || strncmp(p, "\\\\", 2) != 0 ||
	    (p = strchr(p + 2, '\\')) == NULL)
		return false;
	n = snprintf(want, sizeof(want), "\\sysvol\\%s\\Policies\\{%s}", domain,
	    ae_guid_print(id, &g->id));
	return n > 0 && (size_t)n < sizeof(want) && ae_str_eq_nocase(p, want);
}

static int
add_file(struct ae_sysvol_request *q, const struct ae_guid *id,
    const char *rest, struct ae_err *e)
{
	char guid[AE_GUID_STR_MAX];
	size_t i;

	(void)ae_guid_print(guid, id);
	for (i = 0; guid[i] != '\0'; i++)
		if (guid[i] >= 'a' && guid[i] <= 'f')
			guid[i] = (char)(guid[i] - 'a' + 'A');
	if (asprintf(&q->files[q->n].path, "{%s}\\%s", guid, rest) < 0) {
		q->files[q->n].path = NULL;
		return ae_fail_mem(e);
	}
	q->n++;
	return AE_OK;
}

/* A GPO that is linked twice is read once. */
static bool
asked(const struct ae_gpos *g, const size_t *of, size_t n,
    const struct ae_gpo *gpo)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (g->choices[of[i]].gpo == gpo)
			return true;
	return false;
}

static int
request(struct ae_sysvol_request *q, size_t *of, struct ae_gpos *g,
    const struct ae_policy_cache *c, const char *domain, struct ae_err *e)
{
	struct ae_gpo_choice *ch;
	size_t i;
	int rc;

	for (i = 0; i < g->nchoices; i++) {
		ch = &g->choices[i];
		if (ch->verdict != AE_GPO_APPLIES)
			continue;
		if (!path_is_ours(ch->gpo, domain)) {
			ch->verdict = AE_GPO_MALFORMED;
			ch->detail = strdup("gPCFileSysPath is not where "
					    "group policies are");
			if (ch->detail == NULL)
				return ae_fail_mem(e);
			continue;
		}
		if (fresh(c, ch->gpo, g->user) ||
		    asked(g, of, q->n / 2, ch->gpo))
			continue;
		if (q->n + 2 > AE_SYSVOL_FILES_MAX)
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "more than %u policy files", AE_SYSVOL_FILES_MAX);
		of[q->n / 2] = i;
		if ((rc = add_file(q, &ch->gpo->id, "GPT.INI", e)) != AE_OK ||
		    (rc = add_file(q, &ch->gpo->id,
			 g->user ? "User\\Registry.pol"
				 : "Machine\\Registry.pol",
			 e)) != AE_OK)
			return rc;
	}
	return AE_OK;
}

int
ae_policy_request(struct ae_sysvol_request *out, size_t **of, struct ae_gpos *g,
    const struct ae_policy_cache *c, const char *server, const char *domain,
    struct ae_err *e)
{
	struct ae_sysvol_request q = { .op = AE_SYSVOL_READ };
	size_t *map;
	int rc;

	q.server = strdup(server);
	q.domain = strdup(domain);
	q.files = calloc(2 * g->nchoices + 2, sizeof(*q.files));
	map = calloc(g->nchoices + 1, sizeof(*map));
	if (q.server == NULL || q.domain == NULL || q.files == NULL ||
	    map == NULL)
		rc = ae_fail_mem(e);
	else
		rc = request(&q, map, g, c, domain, e);
	if (rc != AE_OK) {
		ae_sysvol_request_done(&q);
		free(map);
		return rc;
	}
	*out = q;
	*of = map;
	return AE_OK;
}

static const enum ae_rc status_rc[] = {
	[AE_SYSVOL_OK] = AE_OK,
	[AE_SYSVOL_NOT_FOUND] = AE_OK,
	[AE_SYSVOL_DENIED] = AE_EDENIED,
	[AE_SYSVOL_UNAVAILABLE] = AE_EUNAVAIL,
	[AE_SYSVOL_TOO_LARGE] = AE_ELIMIT,
	[AE_SYSVOL_REFUSED] = AE_EINTERNAL,
	[AE_SYSVOL_FAILED] = AE_EIO,
};

static int
check(const struct ae_sysvol_file *f, const struct ae_gpo *g, const char *what,
    struct ae_err *e)
{
	enum ae_rc rc =
	    f->status <= AE_SYSVOL_FAILED ? status_rc[f->status] : AE_EPROTO;

	if (rc == AE_OK)
		return AE_OK;
	return ae_fail(e, rc, AE_DOM_ERRNO, f->error,
	    "SYSVOL: %s of GPO %s: %s%s%s", what, g->name,
	    ae_sysvol_status_text(f->status), f->error != 0 ? ": " : "",
	    f->error != 0 ? strerrordesc_np((int)f->error) : "");
}

int
ae_policy_take(struct ae_policy_cache *c, const struct ae_gpos *g,
    const size_t *of, struct ae_sysvol_reply *r, struct ae_err *e)
{
	struct ae_sysvol_file *ini, *pol;
	struct ae_policy_cached *v;
	const struct ae_gpo *gpo;
	size_t i;
	int rc;

	for (i = 0; i + 1 < r->n; i += 2) {
		gpo = g->choices[of[i / 2]].gpo;
		ini = &r->files[i];
		pol = &r->files[i + 1];
		if ((rc = check(ini, gpo, "GPT.INI", e)) != AE_OK ||
		    (rc = check(pol, gpo, "Registry.pol", e)) != AE_OK)
			return rc;
		if ((v = find(c, &gpo->id, g->user)) == NULL) {
			v = reallocarray(c->v, c->n + 1, sizeof(*v));
			if (v == NULL)
				return ae_fail_mem(e);
			c->v = v;
			v = &c->v[c->n++];
			memset(v, 0, sizeof(*v));
		}
		free(v->data);
		v->id = gpo->id;
		v->user = g->user;
		v->version = gpo->version;
		v->file_version = 0;
		(void)ae_gpt_ini_version(&v->file_version, ini->data, ini->len);
		v->present = pol->status == AE_SYSVOL_OK;
		v->data = pol->data;
		v->len = pol->len;
		pol->data = NULL;
		pol->len = 0;
	}
	return AE_OK;
}

/* The next line without its end and outer blanks; NULL: none left. */
static const char *
next_line(const char **p, const char *end, size_t *len)
{
	const char *s = *p, *nl;

	if (s == end)
		return NULL;
	nl = s;
	while (nl < end && *nl != '\n' && *nl != '\r')
		nl++;
	*p = nl < end ? nl + 1 : end;
	while (s < nl && (*s == ' ' || *s == '\t'))
		s++;
	while (nl > s && (nl[-1] == ' ' || nl[-1] == '\t'))
		nl--;
	*len = (size_t)(nl - s);
	return s;
}

bool
ae_gpt_ini_version(uint32_t *out, const void *p, size_t len)
{
	static const char section[] = "[General]", key[] = "Version";
	const char *s = p, *end, *line;
	bool inside = false;
	uint64_t v;
	size_t n, i;

	if (len == 0)
		return false;
	end = s + len;
	while ((line = next_line(&s, end, &n)) != NULL) {
		if (n > 0 && line[0] == '[') {
			inside = n == sizeof(section) - 1 &&
			    strncasecmp(line, section, n) == 0;
			continue;
		}
		if (!inside || n <= sizeof(key) - 1 ||
		    strncasecmp(line, key, sizeof(key) - 1) != 0)
			continue;
		for (i = sizeof(key) - 1;
		     i < n && (line[i] == ' ' || line[i] == '\t'); i++)
			;
		if (i == n || line[i++] != '=')
			continue;
		while (i < n && (line[i] == ' ' || line[i] == '\t'))
			i++;
		for (v = 0; i < n && line[i] >= '0' && line[i] <= '9' &&
		     v <= UINT32_MAX;
		     i++)
			v = v * 10 + (uint64_t)(line[i] - '0');
		if (i != n || v > UINT32_MAX)
			return false;
		*out = (uint32_t)v;
		return true;
	}
	return false;
}

void
ae_gpt_ini_put(struct ae_wr *w, uint32_t version, const char *name)
{
	ae_wr_printf(w, "[General]\r\nVersion=%u\r\ndisplayName=%s\r\n",
	    (unsigned int)version, name);
}
