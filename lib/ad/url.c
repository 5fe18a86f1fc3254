/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * LDAP URLs; see url.h.
 */
#include "ad/url.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "ad/escape.h"
#include "base/hex.h"

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "LDAP URL: %s", what);
}

/* What stands before the next of these; *p is behind it, or at the end. */
static size_t
part(const char **from, const char **p, const char *ends)
{
	size_t len = strcspn(*p, ends);

	*from = *p;
	*p += len;
	if (**p != '\0')
		(*p)++;
	return len;
}

/* Undo %XX.  Control characters are in no name that we would read. */
static bool
decode(char *out, size_t max, const char *p, size_t len)
{
	char digits[3] = "";
	uint8_t byte;
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		byte = (uint8_t)p[i];
		if (byte == '%') {
			if (len - i < 3)
				return false;
			memcpy(digits, p + i + 1, 2);
			if (!ae_hex_decode(&byte, 1, digits))
				return false;
			i += 2;
		}
		if (byte < 0x20 || byte == 0x7f || n + 1 >= max)
			return false;
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return true;
}

/* The host without its port. */
static bool
read_host(struct ae_ad_url *u, const char *p, size_t len)
{
	const char *colon = memchr(p, ':', len);

	return decode(u->host, sizeof(u->host), p,
		   colon == NULL ? len : (size_t)(colon - p)) &&
	    (u->host[0] == '\0' || ae_ad_dns_ok(u->host));
}

/* The first and only attribute, as RFC 4512 2.5 spells a short name. */
static bool
read_attr(struct ae_ad_url *u, const char *p, size_t len)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-";
	size_t n = 0;

	while (n < len && p[n] != ';')
		n++;
	if (n == 0 || memchr(p, ',', len) != NULL ||
	    !decode(u->attr, sizeof(u->attr), p, n))
		return false;
	return u->attr[strspn(u->attr, letters)] == '\0';
}

int
ae_ad_url_parse(struct ae_ad_url *out, const char *url, struct ae_err *e)
{
	static const char scheme[] = "ldap://";
	struct ae_ad_url u = { "" };
	const char *p = url + sizeof(scheme) - 1, *from;
	size_t len;

	if (strnlen(url, AE_AD_URL_MAX) == AE_AD_URL_MAX)
		return bad(e, "too long");
	if (strncasecmp(url, scheme, sizeof(scheme) - 1) != 0)
		return bad(e, "it does not begin with ldap://");
	len = part(&from, &p, "/");
	if (!read_host(&u, from, len))
		return bad(e, "the host is no name");
	len = part(&from, &p, "?");
	if (!decode(u.dn, sizeof(u.dn), from, len) || u.dn[0] == '\0')
		return bad(e, "it names no object");
	len = part(&from, &p, "?");
	if (!read_attr(&u, from, len))
		return bad(e, "it does not name one attribute");
	len = part(&from, &p, "?");
	if (len > 0 && (len != 4 || strncasecmp(from, "base", 4) != 0))
		return bad(e, "it is about more than one object");
	(void)part(&from, &p, "?");
	if (memchr(p, '!', strlen(p)) != NULL)
		return bad(e, "it wants an extension");
	*out = u;
	return AE_OK;
}
