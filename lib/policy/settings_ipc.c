/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Settings between our own processes, and their release.
 */
#include "policy/settings.h"

#include <stdlib.h>
#include <string.h>

#include "ad/fields.h"
#include "base/utf16.h"

#define LIST_MAX 8192u

#define GPO_AT(field) offsetof(struct ae_settings_gpo, field)
#define SERVER_AT(field) offsetof(struct ae_policy_server, field)
#define AT(field) offsetof(struct ae_settings, field)

/* clang-format off */
static const struct ae_field gpo_fields[] = {
	{ "name",        AE_FIELD_STR, GPO_AT(name) },
	{ "dn",          AE_FIELD_STR, GPO_AT(dn) },
	{ "scope",       AE_FIELD_STR, GPO_AT(scope) },
	{ "detail",      AE_FIELD_STR, GPO_AT(detail) },
	{ "wmi_filter",  AE_FIELD_STR, GPO_AT(wmi_filter) },
	{ "scope_kind",  AE_FIELD_U32, GPO_AT(scope_kind) },
	{ "verdict",     AE_FIELD_U32, GPO_AT(verdict) },
	{ "enforced",    AE_FIELD_U32, GPO_AT(enforced) },
	{ "loopback",    AE_FIELD_U32, GPO_AT(loopback) },
	{ "version",     AE_FIELD_U32, GPO_AT(version) },
	{ NULL },
};

static const struct ae_field server_fields[] = {
	{ "key",           AE_FIELD_STR, SERVER_AT(key) },
	{ "url",           AE_FIELD_STR, SERVER_AT(url) },
	{ "policy_id",     AE_FIELD_STR, SERVER_AT(policy_id) },
	{ "friendly_name", AE_FIELD_STR, SERVER_AT(friendly_name) },
	{ "flags",         AE_FIELD_U32, SERVER_AT(flags) },
	{ "auth_flags",    AE_FIELD_U32, SERVER_AT(auth_flags) },
	{ "cost",          AE_FIELD_U32, SERVER_AT(cost) },
	{ "gpo",           AE_FIELD_U32, SERVER_AT(gpo) },
	{ "verdict",       AE_FIELD_U32, SERVER_AT(verdict) },
	{ NULL },
};

static const struct ae_field fields[] = {
	{ "AEPolicy",                    AE_FIELD_U32,  AT(ae_policy) },
	{ "OfflineExpirationPercent",    AE_FIELD_U32,  AT(expiry_percent) },
	{ "LogLevel",                    AE_FIELD_U32,  AT(log_level) },
	{ "OfflineExpirationStoreNames", AE_FIELD_STRV, AT(expiry_stores) },
	{ "MaxPendingRequestDays",       AE_FIELD_U32,  AT(pending_days) },
	{ "UserPolicyMode",              AE_FIELD_U32,  AT(loopback) },
	{ "by_computer",                 AE_FIELD_STR,  AT(by_computer) },
	{ "servers_default",             AE_FIELD_STR,  AT(servers_default) },
	{ "servers_flags",               AE_FIELD_U32,  AT(servers_flags) },
	{ NULL },
};

/* Where each setting comes from. */
static const size_t origins[] = { AT(ae_policy_from), AT(expiry_percent_from),
	AT(expiry_stores_from), AT(log_level_from), AT(pending_days_from),
	AT(loopback_from) };
/* clang-format on */

#define NORIGINS (sizeof(origins) / sizeof(origins[0]))

void
ae_settings_free(struct ae_settings *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->ngpos; i++)
		ae_fields_done(&s->gpos[i], gpo_fields);
	free(s->gpos);
	for (i = 0; i < s->nservers; i++)
		ae_fields_done(&s->servers[i], server_fields);
	free(s->servers);
	ae_fields_done(s, fields);
	free(s);
}

void
ae_settings_put(struct ae_wr *w, const struct ae_settings *s)
{
	const struct ae_setting *from;
	size_t i;

	ae_wr_u8(w, s->user);
	ae_fields_put(w, s, fields);
	for (i = 0; i < NORIGINS; i++) {
		from = (const void *)((const char *)s + origins[i]);
		ae_wr_u32(w, from->source);
		ae_wr_u32(w, (uint32_t)from->gpo);
	}
	ae_wr_u32(w, (uint32_t)s->ngpos);
	for (i = 0; i < s->ngpos; i++)
		ae_fields_put(w, &s->gpos[i], gpo_fields);
	ae_wr_u32(w, (uint32_t)s->nservers);
	for (i = 0; i < s->nservers; i++)
		ae_fields_put(w, &s->servers[i], server_fields);
}

static int
bad(struct ae_err *e)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "settings: malformed");
}

/* n records of size bytes each; *count grows as they become releasable. */
static int
get_list(void **v, size_t *count, size_t size, const struct ae_field *rows,
    struct ae_rd *r, struct ae_err *e)
{
	uint32_t n = ae_rd_u32(r);
	int rc = AE_OK;

	if (!ae_rd_ok(r) || n > LIST_MAX || n > ae_rd_left(r))
		return bad(e);
	*v = calloc(n != 0 ? n : 1, size);
	if (*v == NULL)
		return ae_fail_mem(e);
	while (rc == AE_OK && *count < n)
		rc = ae_fields_get((char *)*v + (*count)++ * size, rows, r, e);
	return rc;
}

static int
get(struct ae_settings *s, struct ae_rd *r, struct ae_err *e)
{
	struct ae_setting *from;
	uint32_t source;
	uint8_t user = ae_rd_u8(r);
	void *list = NULL;
	size_t i;
	int rc;

	if (user > 1)
		return bad(e);
	s->user = user != 0;
	if ((rc = ae_fields_get(s, fields, r, e)) != AE_OK)
		return rc;
	for (i = 0; i < NORIGINS; i++) {
		from = (void *)((char *)s + origins[i]);
		source = ae_rd_u32(r);
		from->gpo = ae_rd_u32(r);
		if (source > AE_SETTING_OWN)
			return bad(e);
		from->source = (enum ae_setting_source)source;
	}
	rc = get_list(&list, &s->ngpos, sizeof(*s->gpos), gpo_fields, r, e);
	s->gpos = list;
	if (rc != AE_OK)
		return rc;
	list = NULL;
	rc = get_list(
	    &list, &s->nservers, sizeof(*s->servers), server_fields, r, e);
	s->servers = list;
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < s->ngpos; i++)
		if (s->gpos[i].name == NULL || s->gpos[i].dn == NULL ||
		    s->gpos[i].scope == NULL ||
		    s->gpos[i].verdict > AE_GPO_FILE_BAD ||
		    s->gpos[i].scope_kind > AE_SOM_SITE)
			return bad(e);
	for (i = 0; i < s->nservers; i++)
		if (s->servers[i].key == NULL ||
		    s->servers[i].gpo >= s->ngpos ||
		    s->servers[i].verdict > AE_SERVER_LIST_OFF)
			return bad(e);
	if (s->loopback > AE_LOOPBACK_REPLACE)
		return bad(e);
	for (i = 0; i < NORIGINS; i++) {
		from = (void *)((char *)s + origins[i]);
		if (from->source == AE_SETTING_GPO && from->gpo >= s->ngpos)
			return bad(e);
	}
	return AE_OK;
}

int
ae_settings_get(struct ae_settings **out, struct ae_rd *r, struct ae_err *e)
{
	struct ae_settings *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	if ((rc = get(s, r, e)) != AE_OK) {
		ae_settings_free(s);
		return rc;
	}
	*out = s;
	return AE_OK;
}

#define LAST_MAGIC UINT32_C(0x324c5041) /* "APL2" */
#define NAME_MAX_LEN 1024u

static void
put_name(struct ae_wr *w, const char *s)
{
	ae_wr_u16(w, (uint16_t)strlen(s));
	ae_wr_str(w, s);
}

static int
get_name(char **out, struct ae_rd *r, struct ae_err *e)
{
	uint16_t len = ae_rd_u16(r);
	const uint8_t *p = len > NAME_MAX_LEN ? NULL : ae_rd_take(r, len);

	if (p == NULL || memchr(p, '\0', len) != NULL)
		return bad(e);
	*out = calloc(1, len + 1u); /* p does not end with a NUL */
	if (*out == NULL)
		return ae_fail_mem(e);
	memcpy(*out, p, len);
	return ae_utf8_valid(*out) ? AE_OK : bad(e);
}

void
ae_policy_last_put(struct ae_wr *w, const struct ae_policy_last *l)
{
	ae_wr_u32(w, LAST_MAGIC);
	ae_wr_u64(w, (uint64_t)l->read_at);
	put_name(w, l->dc);
	put_name(w, l->principal);
	ae_settings_put(w, l->settings);
}

int
ae_policy_last_get(
    struct ae_policy_last *out, struct ae_rd *r, struct ae_err *e)
{
	struct ae_policy_last l = { 0 };
	int rc;

	if (ae_rd_u32(r) != LAST_MAGIC)
		return bad(e);
	l.read_at = (int64_t)ae_rd_u64(r);
	rc = get_name(&l.dc, r, e);
	if (rc == AE_OK)
		rc = get_name(&l.principal, r, e);
	if (rc == AE_OK)
		rc = ae_settings_get(&l.settings, r, e);
	if (rc == AE_OK && !ae_rd_done(r))
		rc = bad(e);
	if (rc != AE_OK) {
		ae_policy_last_done(&l);
		return rc;
	}
	*out = l;
	return AE_OK;
}

void
ae_policy_last_done(struct ae_policy_last *l)
{
	free(l->dc);
	free(l->principal);
	ae_settings_free(l->settings);
	memset(l, 0, sizeof(*l));
}
