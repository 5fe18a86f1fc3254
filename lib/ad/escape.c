/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Escaping; see escape.h.
 */
#include "ad/escape.h"

#include <string.h>
#include <strings.h>

void
ae_ad_put_filter_value(struct ae_wr *w, const void *p, size_t len)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < len; i++) {
		if (b[i] < 0x20 || b[i] >= 0x7f || b[i] == '(' || b[i] == ')' ||
		    b[i] == '*' || b[i] == '\\')
			ae_wr_printf(w, "\\%02x", (unsigned int)b[i]);
		else
			ae_wr_u8(w, b[i]);
	}
}

void
ae_ad_put_dn_value(struct ae_wr *w, const char *s)
{
	size_t i, len = strlen(s);

	for (i = 0; i < len; i++) {
		if ((uint8_t)s[i] < 0x20 || s[i] == 0x7f)
			ae_wr_printf(w, "\\%02x", (unsigned int)(uint8_t)s[i]);
		else if (strchr(",+\"\\<>;=", s[i]) != NULL ||
		    (i == 0 && (s[i] == ' ' || s[i] == '#')) ||
		    (i == len - 1 && s[i] == ' '))
			ae_wr_printf(w, "\\%c", s[i]);
		else
			ae_wr_u8(w, (uint8_t)s[i]);
	}
}

/* The end of the RDN that begins at s: a comma that is not escaped. */
static const char *
rdn_end(const char *s)
{
	for (; *s != '\0' && *s != ','; s++)
		if (*s == '\\' && s[1] != '\0')
			s++;
	return s;
}

const char *
ae_ad_dn_parent(const char *dn)
{
	const char *end = rdn_end(dn);

	return *end == ',' ? end + 1 : NULL;
}

bool
ae_ad_dns_ok(const char *name)
{
	size_t i, label = 0;

	for (i = 0; name[i] != '\0'; i++) {
		if (name[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!((name[i] >= 'a' && name[i] <= 'z') ||
			(name[i] >= 'A' && name[i] <= 'Z') ||
			(name[i] >= '0' && name[i] <= '9') || name[i] == '-' ||
			name[i] == '_') ||
		    ++label > 63)
			return false;
	}
	return label > 0 && i <= 253;
}

bool
ae_ad_dn_to_dns(char *out, size_t outlen, const char *dn)
{
	size_t n = 0, len;
	const char *end;
	bool ends = false;

	if (outlen == 0)
		return false;
	for (; dn != NULL; dn = *end == ',' ? end + 1 : NULL) {
		end = rdn_end(dn);
		/* Domain components are the tail of the DN or nothing. */
		if (strncasecmp(dn, "DC=", 3) != 0) {
			if (ends)
				return false;
			continue;
		}
		len = (size_t)(end - dn) - 3;
		if (n + len + 2 > outlen)
			return false;
		if (ends)
			out[n++] = '.';
		memcpy(out + n, dn + 3, len);
		n += len;
		ends = true;
	}
	out[n] = '\0';
	return ends && ae_ad_dns_ok(out);
}
