/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Configuration files; see conf.h.
 */
#include "base/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LINE_MAX_LEN 4096
#define KEYS_MAX 256

struct parser {
	const struct ae_conf_key *top;	   /* the caller's table and struct */
	const struct ae_conf_group *group; /* may be NULL */
	const struct ae_conf_key *keys;	   /* those of the section we are in */
	const char *name;
	char section[64];
	unsigned line;
	bool seen[KEYS_MAX];	  /* of the table top */
	bool seen_here[KEYS_MAX]; /* of the group's */
	void *top_out;
	void *out;
	struct ae_err *e;
};

static int bad(struct parser *p, size_t column, const char *fmt, ...)
    AE_PRINTF(3, 4);

static int
bad(struct parser *p, size_t column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)ae_vfail(p->e, AE_EINVAL, AE_DOM_NONE, 0, fmt, ap);
	va_end(ap);
	return ae_note(p->e, AE_EINVAL, "%s:%u:%zu", p->name, p->line, column);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cut blanks off both ends in place; returns the new start. */
static char *
trim(char *s)
{
	size_t len;

	while (blank(*s))
		s++;
	len = strlen(s);
	while (len > 0 && blank(s[len - 1]))
		s[--len] = '\0';
	return s;
}

static int
parse_bool(bool *out, const char *v)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (ae_str_eq_nocase(v, yes[i]) || ae_str_eq_nocase(v, no[i])) {
			*out = ae_str_eq_nocase(v, yes[i]);
			return 0;
		}
	}
	return -1;
}

/* A non-negative number; *end is what follows it. */
static int
parse_num(int64_t *out, const char *v, char **end)
{
	if (*v < '0' || *v > '9')
		return -1;
	errno = 0;
	*out = strtoll(v, end, v[0] == '0' && v[1] == 'x' ? 16 : 10);
	return errno == 0 ? 0 : -1;
}

static int
parse_span(int64_t *out, const char *v)
{
	static const struct {
		const char *unit;
		int64_t len;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 },
		{ "d", 86400 }, { "w", 7 * 86400 }, { "y", 365 * 86400 } };
	int64_t n;
	char *end;
	size_t i;

	if (parse_num(&n, v, &end) != 0)
		return -1;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0)
			return __builtin_mul_overflow(n, units[i].len, out) ? -1
									    : 0;
	return -1;
}

static bool
in_bounds(const struct ae_conf_key *k, int64_t n)
{
	return (k->min == 0 && k->max == 0) || (n >= k->min && n <= k->max);
}

static int
store_number(
    struct parser *p, const struct ae_conf_key *k, size_t column, const char *v)
{
	void *field = (char *)p->out + k->offset;
	int64_t n;
	char *end;

	if (k->type == AE_CONF_SPAN) {
		if (parse_span(&n, v) != 0)
			return bad(p, column,
			    "'%s' wants a time span such as 90s, 10m, 8h, 7d, "
			    "2w or 1y",
			    k->key);
	} else if (parse_num(&n, v, &end) != 0 || *end != '\0' ||
	    n > UINT32_MAX) {
		return bad(p, column, "'%s' wants a whole number", k->key);
	}
	if (!in_bounds(k, n))
		return bad(p, column,
		    "'%s' must lie between %" PRId64 " and %" PRId64, k->key,
		    k->min, k->max);
	if (k->type == AE_CONF_SPAN)
		*(int64_t *)field = n;
	else
		*(uint32_t *)field = (uint32_t)n;
	return AE_OK;
}

static int
store_enum(
    struct parser *p, const struct ae_conf_key *k, size_t column, const char *v)
{
	char all[256] = "";
	size_t len = 0;
	int i;

	for (i = 0; k->words[i] != NULL; i++) {
		if (ae_str_eq_nocase(v, k->words[i])) {
			*(int *)(void *)((char *)p->out + k->offset) = i;
			return AE_OK;
		}
		if (len < sizeof(all))
			len += (size_t)snprintf(all + len, sizeof(all) - len,
			    "%s%s", i == 0 ? "" : ", ", k->words[i]);
	}
	return bad(p, column, "'%s' must be one of: %s", k->key, all);
}

static int
store(
    struct parser *p, const struct ae_conf_key *k, size_t column, const char *v)
{
	void *field = (char *)p->out + k->offset;
	char *copy;

	if (k->check != NULL && k->check(v, p->e) != AE_OK)
		return ae_note(p->e, AE_EINVAL, "%s:%u:%zu: '%s'", p->name,
		    p->line, column, k->key);
	switch (k->type) {
	case AE_CONF_STR:
		copy = strdup(v);
		if (copy == NULL)
			return ae_fail_mem(p->e);
		free(*(char **)field);
		*(char **)field = copy;
		return AE_OK;
	case AE_CONF_BOOL:
		if (parse_bool(field, v) != 0)
			return bad(p, column, "'%s' wants yes or no", k->key);
		return AE_OK;
	case AE_CONF_U32:
	case AE_CONF_SPAN:
		return store_number(p, k, column, v);
	case AE_CONF_ENUM:
		return store_enum(p, k, column, v);
	case AE_CONF_STRV:
		return ae_strv_add(field, v) ? AE_OK : ae_fail_mem(p->e);
	case AE_CONF_PAIRS:
		break; /* any_key */
	}
	return ae_fail(p->e, AE_EINTERNAL, AE_DOM_NONE, 0, "config key type");
}

/* A key that names something of the admin's. */
static int
any_key(struct parser *p, const struct ae_conf_key *k, size_t column,
    const char *key, const char *v)
{
	struct ae_strv *pairs = (void *)((char *)p->out + k->offset);
	char shown[80];
	size_t i;

	for (i = 0; i < pairs->n; i += 2)
		if (ae_str_eq_nocase(pairs->v[i], key))
			return bad(p, column, "'%s' is set a second time",
			    ae_str_quote(
				shown, sizeof(shown), key, strlen(key)));
	if (!ae_strv_add(pairs, key))
		return ae_fail_mem(p->e);
	if (ae_strv_add(pairs, v))
		return AE_OK;
	free(pairs->v[--pairs->n]); /* no half of a pair */
	return ae_fail_mem(p->e);
}

static bool
begins_group(const struct parser *p)
{
	size_t n = p->group == NULL ? 0 : strlen(p->group->prefix);

	return n > 0 && strncmp(p->section, p->group->prefix, n) == 0 &&
	    blank(p->section[n]);
}

static int
group_heading(struct parser *p)
{
	size_t n = strlen(p->group->prefix);

	p->keys = p->group->keys;
	memset(p->seen_here, 0, sizeof(p->seen_here));
	p->out =
	    p->group->begin(p->top_out, trim(p->section + n), p->line, p->e);
	if (p->out == NULL)
		return ae_note(p->e, p->e == NULL ? AE_EINVAL : p->e->rc,
		    "%s:%u:%zu", p->name, p->line, n + 3);
	p->section[n] = '\0';
	return AE_OK;
}

static int
heading(struct parser *p, char *s)
{
	size_t len = strlen(s), i;
	char shown[80];

	if (s[len - 1] != ']' || len - 2 >= sizeof(p->section) || len == 2)
		return bad(p, 1, "a section heading looks like [name]");
	memcpy(p->section, s + 1, len - 2);
	p->section[len - 2] = '\0';
	if (begins_group(p))
		return group_heading(p);
	p->keys = p->top;
	p->out = p->top_out;
	for (i = 0; p->keys[i].key != NULL; i++)
		if (strcmp(p->keys[i].section, p->section) == 0)
			return AE_OK;
	return bad(p, 1, "unknown section [%s]",
	    ae_str_quote(shown, sizeof(shown), p->section, len - 2));
}

static int
setting(struct parser *p, char *line, char *s)
{
	char *key = s, *eq = strchr(s, '='), *v;
	bool *seen = p->keys == p->top ? p->seen : p->seen_here;
	char shown[80];
	size_t i;

	if (eq == NULL)
		return bad(p, (size_t)(s - line) + 1, "expected 'key = value'");
	*eq = '\0';
	key = trim(key);
	v = trim(eq + 1);
	for (i = 0; i < KEYS_MAX && p->keys[i].key != NULL; i++) {
		const struct ae_conf_key *k = &p->keys[i];

		if (strcmp(k->section, p->section) != 0)
			continue;
		if (k->type == AE_CONF_PAIRS && *key != '\0')
			return any_key(p, k, (size_t)(key - line) + 1, key, v);
		if (strcmp(k->key, key) != 0)
			continue;
		if (seen[i] && k->type != AE_CONF_STRV)
			return bad(p, (size_t)(key - line) + 1,
			    "'%s' is set a second time", k->key);
		seen[i] = true;
		return store(p, k, (size_t)(v - line) + 1, v);
	}
	(void)ae_str_quote(shown, sizeof(shown), key, strlen(key));
	return bad(p, (size_t)(key - line) + 1, "unknown key '%s'%s%s%s", shown,
	    p->section[0] ? " in section [" : "", p->section,
	    p->section[0] ? "]" : "");
}

static int
one_line(struct parser *p, const char *text, size_t len)
{
	char line[LINE_MAX_LEN];
	char *s;

	p->line++;
	if (len >= sizeof(line))
		return bad(p, 1, "line longer than %d bytes", LINE_MAX_LEN - 1);
	if (memchr(text, '\0', len) != NULL)
		return bad(p, 1, "NUL byte in a text file");
	memcpy(line, text, len);
	line[len] = '\0';
	s = trim(line);
	if (*s == '\0' || *s == '#' || *s == ';')
		return AE_OK;
	return *s == '[' ? heading(p, s) : setting(p, line, s);
}

int
ae_conf_parse(void *out, const struct ae_conf_key *keys, const char *name,
    const char *text, size_t len, struct ae_err *e)
{
	return ae_conf_parse_groups(out, keys, NULL, name, text, len, e);
}

int
ae_conf_parse_groups(void *out, const struct ae_conf_key *keys,
    const struct ae_conf_group *group, const char *name, const char *text,
    size_t len, struct ae_err *e)
{
	struct parser p = { .top = keys,
		.group = group,
		.keys = keys,
		.name = name,
		.top_out = out,
		.out = out,
		.e = e };
	size_t off = 0;
	int rc = AE_OK;

	while (off < len && rc == AE_OK) {
		const char *nl = memchr(text + off, '\n', len - off);
		size_t n = nl == NULL ? len - off : (size_t)(nl - text) - off;

		rc = one_line(&p, text + off, n);
		off += n + 1;
	}
	return rc;
}

int
ae_conf_read(void *out, const struct ae_conf_key *keys, const char *path,
    struct ae_err *e)
{
	char *text = NULL;
	FILE *f = fopen(path, "re");
	size_t n;
	int rc;

	if (f == NULL) {
		rc = errno;
		(void)ae_fail_errno(e, rc, "open %s", path);
		return rc == ENOENT ? AE_ENOTFOUND : AE_EIO;
	}
	text = malloc(AE_CONF_FILE_MAX + 1);
	if (text == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	n = fread(text, 1, AE_CONF_FILE_MAX + 1, f);
	if (ferror(f))
		rc = ae_fail_errno(e, errno, "read %s", path);
	else if (n > AE_CONF_FILE_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s is larger than %u bytes", path, AE_CONF_FILE_MAX);
	else
		rc = ae_conf_parse(out, keys, path, text, n, e);
out:
	free(text);
	(void)fclose(f);
	return rc;
}

void
ae_conf_done(void *out, const struct ae_conf_key *keys)
{
	size_t i;

	for (i = 0; keys[i].key != NULL; i++) {
		void *field = (char *)out + keys[i].offset;

		if (keys[i].type == AE_CONF_STR) {
			free(*(char **)field);
			*(char **)field = NULL;
		} else if (keys[i].type == AE_CONF_STRV ||
		    keys[i].type == AE_CONF_PAIRS) {
			ae_strv_done(field);
		}
	}
}
