/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See url.h.
 */
#include "ca/url.h"

#include <ctype.h>
#include <string.h>

#include "base/wr.h"

#define URL_MAX 4096

enum var { HOST, SHORT_HOST, CA, CONFIG, CA_SHORT, DELTA, CRL, AUTHORITY };

static const struct {
	const char *token;
	enum var var;
} vars[] = {
	{ "%10", CRL },
	{ "%11", AUTHORITY },
	{ "%1", HOST },
	{ "%2", SHORT_HOST },
	{ "%3", CA },
	{ "%6", CONFIG },
	{ "%7", CA_SHORT },
	{ "%9", DELTA },
};

/* What may stand in a URL as it is (RFC 3986 2.2, 2.3), but "?" and "#". */
static bool
is_plain(char c)
{
	return isalnum((unsigned char)c) || strchr("-._~:/,=()!$&'*+;@", c);
}

static void
put_encoded(struct ae_wr *w, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (is_plain(s[i]))
			ae_wr_u8(w, (uint8_t)s[i]);
		else
			ae_wr_printf(w, "%%%02X", (unsigned char)s[i]);
}

static void
put_var(struct ae_wr *w, enum var var, const struct ae_ca_url_vars *v)
{
	switch (var) {
	case HOST:
		put_encoded(w, v->dns_name, strlen(v->dns_name));
		break;
	case SHORT_HOST:
		put_encoded(w, v->dns_name, strcspn(v->dns_name, "."));
		break;
	case CA:
		put_encoded(w, v->ca_name, strlen(v->ca_name));
		break;
	case CONFIG:
		put_encoded(w, v->config_dn, strlen(v->config_dn));
		break;
	case CA_SHORT:
		put_encoded(w, v->ca_short, strlen(v->ca_short));
		break;
	case DELTA: /* "+" in the name of a delta CRL only */
		break;
	case CRL:
		ae_wr_str(w,
		    "?certificateRevocationList?base?"
		    "objectClass=cRLDistributionPoint");
		break;
	case AUTHORITY:
		ae_wr_str(w,
		    "?cACertificate?base?objectClass=certificationAuthority");
		break;
	}
}

/* The variable that begins at s; -1: none does. */
static int
find(const char *s)
{
	size_t i, n;

	for (i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
		n = strlen(vars[i].token);
		if (strncmp(s, vars[i].token, n) == 0 &&
		    !isxdigit((unsigned char)s[n]))
			return (int)i;
	}
	return -1;
}

int
ae_ca_url_expand(struct ae_strv *out, const struct ae_ca_url_vars *v,
    const char *url, struct ae_err *e)
{
	struct ae_wr w;
	const char *s;
	int i, rc = AE_OK;

	ae_wr_init(&w, URL_MAX);
	for (s = url; *s != '\0' && rc == AE_OK; s++) {
		i = find(s);
		if (i < 0 && *s == ' ') {
			ae_wr_str(&w, "%20");
		} else if (i < 0) {
			ae_wr_u8(&w, (uint8_t)*s);
		} else if (vars[i].var == CONFIG && v->config_dn == NULL) {
			rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
			    "the directory's configuration is not known yet");
		} else {
			put_var(&w, vars[i].var, v);
			s += strlen(vars[i].token) - 1;
		}
	}
	if (rc == AE_OK && ae_wr_full(&w))
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a URL of more than %d bytes", URL_MAX);
	else if (rc == AE_OK &&
	    (ae_wr_cstr(&w) == NULL || !ae_strv_add(out, ae_wr_cstr(&w))))
		rc = ae_fail_mem(e);
	ae_wr_done(&w);
	return rc;
}
