/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * policy.conf, read and edited; see local.h.
 */
#include "policy/local.h"

#include <stddef.h>
#include <string.h>

#include "base/conf.h"

/* clang-format off */
#define HALF(section, half) \
	{ section, "ae-policy", AE_CONF_U32, offsetof(struct ae_local_policy, half.ae_policy), 0, 0xffff }, \
	{ section, "expiry-percent", AE_CONF_U32, offsetof(struct ae_local_policy, half.expiry_percent), 0, 100 }, \
	{ section, "log-level", AE_CONF_U32, offsetof(struct ae_local_policy, half.log_level), 0, 5 }, \
	{ section, "max-pending-days", AE_CONF_U32, offsetof(struct ae_local_policy, half.pending_days), 1, 3650 }, \
	{ section, "store", AE_CONF_STRV, offsetof(struct ae_local_policy, half.stores) }

static const struct ae_conf_key local_keys[] = {
	HALF("computer", computer),
	HALF("user", user),
	{ 0 },
};
/* clang-format on */

void
ae_local_policy_init(struct ae_local_policy *l)
{
	const struct ae_local_half unset = { AE_LOCAL_UNSET, AE_LOCAL_UNSET,
		AE_LOCAL_UNSET, AE_LOCAL_UNSET, { NULL, 0 } };

	l->computer = unset;
	l->user = unset;
}

void
ae_local_policy_done(struct ae_local_policy *l)
{
	ae_conf_done(l, local_keys);
}

int
ae_local_policy_parse(struct ae_local_policy *out, const char *name,
    const char *text, size_t len, struct ae_err *e)
{
	struct ae_local_policy l;
	int rc;

	ae_local_policy_init(&l);
	rc = ae_conf_parse(&l, local_keys, name, text, len, e);
	if (rc != AE_OK)
		ae_local_policy_done(&l);
	else
		*out = l;
	return rc;
}

int
ae_local_policy_read(
    struct ae_local_policy *out, const char *path, struct ae_err *e)
{
	struct ae_local_policy l;
	int rc;

	ae_local_policy_init(&l);
	rc = ae_conf_read(&l, local_keys, path, e);
	if (rc != AE_OK && rc != AE_ENOTFOUND) {
		ae_local_policy_done(&l);
		return rc;
	}
	*out = l;
	return AE_OK;
}

/* clang-format off */
static const struct {
	const char *registry, *key;
	bool list;
} names[] = {
	{ "AEPolicy",                    "ae-policy",      false },
	{ "OfflineExpirationPercent",    "expiry-percent", false },
	{ "OfflineExpirationStoreNames", "store",          true },
	{ "LogLevel",                    "log-level",      false },
	{ "MaxPendingRequestDays",       "max-pending-days", false },
};
/* clang-format on */

const char *
ae_local_key(const char *registry, bool *list)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ae_str_eq_nocase(names[i].registry, registry)) {
			*list = names[i].list;
			return names[i].key;
		}
	return NULL;
}

/* A line of the file, without its end. */
struct line {
	const char *p;
	size_t len;
};

static bool
next(struct line *l, const char **p, const char *end)
{
	const char *nl;

	if (*p == end)
		return false;
	nl = memchr(*p, '\n', (size_t)(end - *p));
	l->p = *p;
	l->len = (size_t)((nl != NULL ? nl : end) - *p);
	*p = nl != NULL ? nl + 1 : end;
	return true;
}

static struct line
trimmed(struct line l)
{
	while (l.len > 0 && (l.p[0] == ' ' || l.p[0] == '\t')) {
		l.p++;
		l.len--;
	}
	while (l.len > 0 && strchr(" \t\r", l.p[l.len - 1]) != NULL)
		l.len--;
	return l;
}

static bool
is_heading(struct line l, const char *section)
{
	size_t n = strlen(section);

	l = trimmed(l);
	return l.len == n + 2 && l.p[0] == '[' && l.p[n + 1] == ']' &&
	    memcmp(l.p + 1, section, n) == 0;
}

static bool
is_setting(struct line l, const char *key)
{
	size_t n = strlen(key);

	l = trimmed(l);
	if (l.len <= n || memcmp(l.p, key, n) != 0)
		return false;
	l.p += n;
	l.len -= n;
	l = trimmed(l);
	return l.len > 0 && l.p[0] == '=';
}

static void
put_values(
    struct ae_wr *out, const char *key, const char *const *values, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		ae_wr_printf(out, "%s = %s\n", key, values[i]);
}

/*
 * The new lines take the place of the first old one, or stand behind the
 * last line of the section that is not blank.
 */
void
ae_local_edit(struct ae_wr *out, const char *text, size_t len,
    const char *section, const char *key, const char *const *values, size_t n)
{
	const char *p, *end = text + len;
	const char *at = NULL; /* where they go: before the line that starts */
	bool inside = false, found = false;
	struct line l;

	for (p = text; next(&l, &p, end);) {
		struct line t = trimmed(l);

		if (t.len > 0 && t.p[0] == '[')
			inside = is_heading(l, section);
		if (!inside || found)
			continue;
		found = is_setting(l, key);
		if (found)
			at = l.p;
		else if (t.len > 0)
			at = p;
	}
	inside = false;
	for (p = text; next(&l, &p, end);) {
		if (l.p == at)
			put_values(out, key, values, n);
		if (l.len > 0 && trimmed(l).len > 0 && trimmed(l).p[0] == '[')
			inside = is_heading(l, section);
		if (inside && is_setting(l, key))
			continue;
		ae_wr_bytes(out, l.p, l.len);
		ae_wr_str(out, "\n");
	}
	if (at == end && len > 0)
		put_values(out, key, values, n);
	if (at == NULL && n > 0) {
		ae_wr_printf(out, "%s[%s]\n", len > 0 ? "\n" : "", section);
		put_values(out, key, values, n);
	}
}
