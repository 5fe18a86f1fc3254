/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The table of keys and what a value must look like; see conf.h.
 */
#include "deploy/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"

#define HOOK_TIMEOUT 60

static const char *const kind_names[AE_DEPLOY_KINDS] = {
	[AE_DEPLOY_CERT] = "cert",
	[AE_DEPLOY_CHAIN] = "chain",
	[AE_DEPLOY_FULLCHAIN] = "fullchain",
	[AE_DEPLOY_KEY] = "key",
	[AE_DEPLOY_BUNDLE] = "bundle",
	[AE_DEPLOY_PKCS12] = "pkcs12",
	[AE_DEPLOY_NSS] = "nss",
	[AE_DEPLOY_NM] = "nm-connection",
};

const char *
ae_deploy_kind_name(enum ae_deploy_kind k)
{
	return kind_names[k];
}

bool
ae_deploy_kind_has_key(enum ae_deploy_kind k)
{
	return k == AE_DEPLOY_KEY || k == AE_DEPLOY_BUNDLE ||
	    k == AE_DEPLOY_PKCS12 || k == AE_DEPLOY_NSS;
}

static int
refuse(struct ae_err *e, const char *why)
{
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "%s", why);
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

/* "." or ".." as a component. */
static bool
has_dots(const char *path)
{
	const char *p;

	for (p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/'))
		if (p[1] == '.' &&
		    (p[2] == '/' || p[2] == '\0' ||
			(p[2] == '.' && (p[3] == '/' || p[3] == '\0'))))
			return true;
	return false;
}

static int
check_path(const char *v, struct ae_err *e)
{
	size_t len = strlen(v), i;

	if (v[0] != '/' || len < 2 || v[len - 1] == '/')
		return refuse(e, "an absolute path is wanted");
	/* Room for the longest template in place of each %T. */
	if (len > AE_DEPLOY_PATH_MAX / 2)
		return refuse(e, "the path is too long");
	if (has_control(v) || has_dots(v))
		return refuse(e,
		    "'.', '..' and control characters have no "
		    "place in a path");
	for (i = 0; i < len; i++)
		if (v[i] == '%' && v[++i] != 'T' && v[i] != '%')
			return refuse(e,
			    "after '%' comes T, the template's "
			    "name, or another '%'");
	return AE_OK;
}

/* Words without a shell: the first is a path, quotes mean nothing. */
static int
check_hook(const char *v, struct ae_err *e)
{
	char path[AE_DEPLOY_PATH_MAX];
	size_t n = strcspn(v, " \t");

	if (n >= sizeof(path))
		return refuse(e, "the path is too long");
	memcpy(path, v, n);
	path[n] = '\0';
	return check_path(path, e);
}

static int
check_mode(const char *v, struct ae_err *e)
{
	size_t len = strlen(v);

	if (len < 3 || len > 4 || strspn(v, "01234567") != len ||
	    (len == 4 && v[0] != '0'))
		return refuse(e, "a mode is three octal digits, such as 0640");
	if ((v[len - 1] & 2) != 0)
		return refuse(e, "a file that everybody may write");
	return AE_OK;
}

static int
check_service(const char *v, struct ae_err *e)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@:";

	if (v[0] == '-' || v[0] == '.' || v[0] == '\0' || strlen(v) > 255 ||
	    strspn(v, ok) != strlen(v))
		return refuse(e, "this is not the name of a service");
	return AE_OK;
}

static int
check_account(const char *v, struct ae_err *e)
{
	if (v[0] == '\0' || v[0] == '-' || strlen(v) > 255 || has_control(v) ||
	    strpbrk(v, ":/ ") != NULL)
		return refuse(e, "this is not the name of an account");
	return AE_OK;
}

/* What goes into other programs' files and argument lists. */
static int
check_text(const char *v, struct ae_err *e)
{
	if (v[0] == '\0' || v[0] == '-' || strlen(v) > 255 || has_control(v))
		return refuse(e,
		    "1 to 255 characters, no control characters, "
		    "not beginning with '-'");
	return AE_OK;
}

static const char *const nm_types[] = { "ethernet", "wifi", NULL };

/* clang-format off */
#define AT(field) offsetof(struct ae_deploy_section, field)
#define TARGET(name, kind) \
	{ "template", name, AE_CONF_STRV, AT(targets[kind]), .check = check_path }
static const struct ae_conf_key section_keys[] = {
	TARGET("cert", AE_DEPLOY_CERT),
	TARGET("chain", AE_DEPLOY_CHAIN),
	TARGET("fullchain", AE_DEPLOY_FULLCHAIN),
	TARGET("key", AE_DEPLOY_KEY),
	TARGET("bundle", AE_DEPLOY_BUNDLE),
	TARGET("pkcs12", AE_DEPLOY_PKCS12),
	TARGET("nss", AE_DEPLOY_NSS),
	TARGET("nm-connection", AE_DEPLOY_NM),
	{ "template", "owner", AE_CONF_STR, AT(owner), .check = check_account },
	{ "template", "group", AE_CONF_STR, AT(group), .check = check_account },
	{ "template", "mode", AE_CONF_STR, AT(mode_text), .check = check_mode },
	{ "template", "selinux-context", AE_CONF_STR, AT(selinux), .check = check_text },
	{ "template", "pkcs12-password-file", AE_CONF_STR, AT(p12_password_file), .check = check_path },
	{ "template", "pkcs12-name", AE_CONF_STR, AT(p12_name), .check = check_text },
	{ "template", "nss-password-file", AE_CONF_STR, AT(nss_password_file), .check = check_path },
	{ "template", "nss-name", AE_CONF_STR, AT(nss_name), .check = check_text },
	{ "template", "pre-hook", AE_CONF_STRV, AT(pre_hooks), .check = check_hook },
	{ "template", "post-hook", AE_CONF_STRV, AT(post_hooks), .check = check_hook },
	{ "template", "hook-timeout", AE_CONF_SPAN, AT(hook_timeout), 1, 3600 },
	{ "template", "reload", AE_CONF_STRV, AT(reload), .check = check_service },
	{ "template", "nm-type", AE_CONF_ENUM, AT(nm_type), .words = nm_types },
	{ "template", "nm-ssid", AE_CONF_STR, AT(nm_ssid), .check = check_text },
	{ "template", "nm-identity", AE_CONF_STR, AT(nm_identity), .check = check_text },
	{ "template", "nm-server", AE_CONF_STR, AT(nm_server), .check = check_text },
	{ 0 },
};

static const struct ae_conf_key no_keys[] = { { 0 } };
/* clang-format on */

static bool
template_ok(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strlen(name) <= 64 &&
	    !has_control(name) && strpbrk(name, "/\\\"") == NULL;
}

static void *
begin(void *out, const char *name, unsigned line, struct ae_err *e)
{
	struct ae_deploy_conf *c = out;
	struct ae_deploy_section *v, *s;

	if (!template_ok(name)) {
		(void)refuse(e, "this is not the name of a template");
		return NULL;
	}
	if (c->n == AE_DEPLOY_SECTIONS_MAX) {
		(void)ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d sections", AE_DEPLOY_SECTIONS_MAX);
		return NULL;
	}
	v = realloc(c->v, (c->n + 1) * sizeof(*v));
	if (v == NULL) {
		(void)ae_fail_mem(e);
		return NULL;
	}
	c->v = v;
	s = &v[c->n];
	memset(s, 0, sizeof(*s));
	s->line = line;
	s->hook_timeout = HOOK_TIMEOUT;
	s->tmpl = strdup(name);
	if (s->tmpl == NULL) {
		(void)ae_fail_mem(e);
		return NULL;
	}
	c->n++;
	return s;
}

/* "%T" and not "%%T". */
static bool
names_template(const char *path)
{
	for (; *path != '\0'; path++)
		if (*path == '%' && *++path == 'T')
			return true;
	return false;
}

/* What no single line shows. */
static int
check_section(struct ae_deploy_section *s, struct ae_err *e)
{
	bool every = strcmp(s->tmpl, "*") == 0;
	size_t k, i;

	if (s->targets[AE_DEPLOY_PKCS12].n > 0 && s->p12_password_file == NULL)
		return refuse(e, "pkcs12 needs pkcs12-password-file");
	if (s->targets[AE_DEPLOY_NM].n > 0 && s->nm_type == 1 &&
	    s->nm_ssid == NULL)
		return refuse(e, "nm-type = wifi needs nm-ssid");
	for (k = 0; every && k < AE_DEPLOY_KINDS; k++)
		for (i = 0; i < s->targets[k].n; i++)
			if (!names_template(s->targets[k].v[i]))
				return refuse(e,
				    "a target of [template *] "
				    "needs %T in its path, or "
				    "templates would overwrite "
				    "each other");
	if (s->mode_text == NULL)
		return AE_OK;
	s->has_mode = true;
	s->mode = (mode_t)strtoul(s->mode_text, NULL, 8);
	for (k = 0; (s->mode & 7) != 0 && k < AE_DEPLOY_KINDS; k++)
		if (s->targets[k].n > 0 &&
		    ae_deploy_kind_has_key((enum ae_deploy_kind)k))
			return refuse(e,
			    "with this mode everybody could read "
			    "the private key");
	return AE_OK;
}

int
ae_deploy_conf_parse(struct ae_deploy_conf *out, const char *name,
    const char *text, size_t len, struct ae_err *e)
{
	static const struct ae_conf_group group = {
		.prefix = "template",
		.keys = section_keys,
		.begin = begin,
	};
	struct ae_deploy_conf c = { 0 };
	size_t i;
	int rc;

	rc = ae_conf_parse_groups(&c, no_keys, &group, name, text, len, e);
	for (i = 0; rc == AE_OK && i < c.n; i++) {
		rc = check_section(&c.v[i], e);
		if (rc != AE_OK)
			rc = ae_note(e, rc, "%s:%u:1", name, c.v[i].line);
	}
	if (rc != AE_OK) {
		ae_deploy_conf_done(&c);
		return rc;
	}
	*out = c;
	return AE_OK;
}

void
ae_deploy_conf_done(struct ae_deploy_conf *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		ae_conf_done(&c->v[i], section_keys);
		free(c->v[i].tmpl);
	}
	free(c->v);
	c->v = NULL;
	c->n = 0;
}

bool
ae_deploy_section_for(const struct ae_deploy_section *s, const char *tmpl)
{
	return strcmp(s->tmpl, "*") == 0 || ae_str_eq_nocase(s->tmpl, tmpl);
}

bool
ae_deploy_expand(
    char out[AE_DEPLOY_PATH_MAX], const char *path, const char *tmpl)
{
	size_t n = 0, len = strlen(tmpl);

	for (; *path != '\0'; path++) {
		const char *from = path;
		size_t add = 1;

		if (*path == '%' && *++path == 'T') {
			from = tmpl;
			add = len;
		}
		if (n + add >= AE_DEPLOY_PATH_MAX || *path == '\0')
			return false;
		memcpy(out + n, from, add);
		n += add;
	}
	out[n] = '\0';
	return true;
}
