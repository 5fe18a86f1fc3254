/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Status with context; see err.h for the contract.
 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#if defined(__clang_analyzer__) || defined(__cppcheck__)
#undef ae_fail
#undef ae_note
#undef ae_fail_mem
#undef ae_fail_errno
#endif

static const char *const rc_names[] = {
	[-AE_OK] = "AE_OK",
	[-AE_ENOMEM] = "AE_ENOMEM",
	[-AE_EPROTO] = "AE_EPROTO",
	[-AE_ELIMIT] = "AE_ELIMIT",
	[-AE_EDENIED] = "AE_EDENIED",
	[-AE_EREMOTE] = "AE_EREMOTE",
	[-AE_ETIMEDOUT] = "AE_ETIMEDOUT",
	[-AE_EUNAVAIL] = "AE_EUNAVAIL",
	[-AE_EAUTH] = "AE_EAUTH",
	[-AE_ETRUST] = "AE_ETRUST",
	[-AE_ENOTFOUND] = "AE_ENOTFOUND",
	[-AE_EINVAL] = "AE_EINVAL",
	[-AE_EIO] = "AE_EIO",
	[-AE_EINTERNAL] = "AE_EINTERNAL",
};

static const char *const dom_names[] = {
	[AE_DOM_NONE] = "none",
	[AE_DOM_ERRNO] = "errno",
	[AE_DOM_HRESULT] = "hresult",
	[AE_DOM_RPC] = "rpc",
	[AE_DOM_GSS] = "gss",
	[AE_DOM_KRB5] = "krb5",
	[AE_DOM_LDAP] = "ldap",
	[AE_DOM_OPENSSL] = "openssl",
	[AE_DOM_X509] = "x509",
	[AE_DOM_SQLITE] = "sqlite",
	[AE_DOM_PG] = "postgresql",
};

/* How much of p, cut after len bytes, is whole UTF-8 characters. */
static size_t
whole(const char *p, size_t len)
{
	size_t at = len, need;
	uint8_t lead;

	while (at > 0 && len - at < 3 && ((uint8_t)p[at - 1] & 0xc0) == 0x80)
		at--;
	if (at == 0)
		return len;
	lead = (uint8_t)p[--at];
	need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	return len - at < need ? at : len;
}

int
ae_vfail(struct ae_err *e, enum ae_rc rc, enum ae_dom dom, int64_t code,
    const char *fmt, va_list ap)
{
	int n;

	if (e == NULL)
		return rc;
	e->rc = rc;
	e->dom = dom;
	e->code = code;
	n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	if (n < 0)
		e->text[0] = '\0';
	else if ((size_t)n >= sizeof(e->text))
		e->text[whole(e->text, sizeof(e->text) - 1)] = '\0';
	return rc;
}

int
ae_fail(struct ae_err *e, enum ae_rc rc, enum ae_dom dom, int64_t code,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)ae_vfail(e, rc, dom, code, fmt, ap);
	va_end(ap);
	return rc;
}

int
ae_note(struct ae_err *e, int rc, const char *fmt, ...)
{
	char head[AE_ERR_TEXT_MAX];
	size_t room, tail;
	va_list ap;
	int n;

	if (e == NULL)
		return rc;
	va_start(ap, fmt);
	n = vsnprintf(head, sizeof(head) - 2, fmt, ap);
	va_end(ap);
	if (n < 0)
		return rc;
	if ((size_t)n > sizeof(head) - 3)
		n = (int)whole(head, sizeof(head) - 3);
	memcpy(head + n, ": ", 2);
	n += 2;
	room = sizeof(e->text) - 1 - (size_t)n;
	tail = strnlen(e->text, sizeof(e->text) - 1);
	if (tail > room)
		tail = whole(e->text, room);
	memmove(e->text + n, e->text, tail);
	memcpy(e->text, head, (size_t)n);
	e->text[(size_t)n + tail] = '\0';
	return rc;
}

int
ae_fail_mem(struct ae_err *e)
{
	return ae_fail(e, AE_ENOMEM, AE_DOM_ERRNO, ENOMEM, "out of memory");
}

int
ae_fail_errno(struct ae_err *e, int err, const char *fmt, ...)
{
	char why[128];
	size_t len;
	va_list ap;
	int n;

	if (e == NULL)
		return AE_EIO;
	va_start(ap, fmt);
	(void)ae_vfail(e, AE_EIO, AE_DOM_ERRNO, err, fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	n = snprintf(e->text + len, sizeof(e->text) - len, ": %s",
	    strerror_r(err, why, sizeof(why)));
	if (n >= 0 && len + (size_t)n >= sizeof(e->text))
		e->text[whole(e->text, sizeof(e->text) - 1)] = '\0';
	return AE_EIO;
}

const char *
ae_rc_name(int rc)
{
	size_t i = rc <= 0 ? (size_t)-rc : sizeof(rc_names);

	if (i >= sizeof(rc_names) / sizeof(rc_names[0]) || rc_names[i] == NULL)
		return "AE_UNKNOWN";
	return rc_names[i];
}

const char *
ae_dom_name(enum ae_dom dom)
{
	size_t i = (size_t)dom;

	if (i >= sizeof(dom_names) / sizeof(dom_names[0]))
		return "unknown";
	return dom_names[i];
}
