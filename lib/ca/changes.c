/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See changes.h.
 */
#include "ca/changes.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "ad/sd.h"
#include "base/breaks.h"
#include "base/hex.h"

#define AT(field) offsetof(struct ae_template, field)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* clang-format off */
static const struct {
	const char *name;
	size_t at;
	bool bits;
} numbers[] = {
	{ "flags", AT(flags), true },
	{ "msPKI-Certificate-Name-Flag", AT(name_flag), true },
	{ "msPKI-Enrollment-Flag", AT(enrollment_flag), true },
	{ "msPKI-Private-Key-Flag", AT(private_key_flag), true },
	{ "msPKI-RA-Signature", AT(ra_signature), false },
	{ "msPKI-Minimal-Key-Size", AT(min_key_size), false },
	{ "msPKI-Template-Schema-Version", AT(schema_version), false },
	{ "pKIMaxIssuingDepth", AT(max_issuing_depth), false },
	{ "msPKI-Key-Usage", AT(algorithms.key_usage), true },
};

static const struct {
	const char *name;
	size_t at;
} spans[] = {
	{ "pKIExpirationPeriod", AT(validity) },
	{ "pKIOverlapPeriod", AT(overlap) },
};

static const struct {
	const char *name;
	size_t at;
} texts[] = {
	{ "msPKI-Cert-Template-OID", AT(oid) },
	{ "msPKI-Asymmetric-Algorithm", AT(algorithms.asymmetric) },
	{ "msPKI-Hash-Algorithm", AT(algorithms.hash) },
};

static const struct {
	const char *name;
	size_t at;
} lists[] = {
	{ "pKIExtendedKeyUsage", AT(ekus) },
	{ "pKICriticalExtensions", AT(critical_extensions) },
	{ "msPKI-Certificate-Application-Policy", AT(application_policies) },
	{ "msPKI-Certificate-Policy", AT(certificate_policies) },
	{ "msPKI-RA-Policies", AT(ra_policies) },
	{ "msPKI-RA-Application-Policies", AT(ra_application_policies) },
};
/* clang-format on */

static void
begin(struct ae_wr *w, size_t *n, const char *name)
{
	ae_wr_printf(w, "%s%s", (*n)++ > 0 ? "; " : "", name);
}

static void
compare_numbers(struct ae_wr *w, size_t *n, const struct ae_template *then,
    const struct ae_template *now)
{
	uint32_t a, b;
	size_t i;

	for (i = 0; i < COUNT(numbers); i++) {
		memcpy(&a, (const char *)then + numbers[i].at, sizeof(a));
		memcpy(&b, (const char *)now + numbers[i].at, sizeof(b));
		if (a == b)
			continue;
		begin(w, n, numbers[i].name);
		if (numbers[i].bits)
			ae_wr_printf(
			    w, " 0x%08" PRIx32 " -> 0x%08" PRIx32, a, b);
		else
			ae_wr_printf(w, " %" PRId32 " -> %" PRId32, (int32_t)a,
			    (int32_t)b);
	}
}

static void
compare_spans(struct ae_wr *w, size_t *n, const struct ae_template *then,
    const struct ae_template *now)
{
	int64_t a, b;
	size_t i;

	for (i = 0; i < COUNT(spans); i++) {
		memcpy(&a, (const char *)then + spans[i].at, sizeof(a));
		memcpy(&b, (const char *)now + spans[i].at, sizeof(b));
		if (a == b)
			continue;
		begin(w, n, spans[i].name);
		ae_wr_printf(
		    w, " %" PRId64 "h -> %" PRId64 "h", a / 3600, b / 3600);
	}
}

static void
compare_texts(struct ae_wr *w, size_t *n, const struct ae_template *then,
    const struct ae_template *now)
{
	const char *a, *b;
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		memcpy(&a, (const char *)then + texts[i].at, sizeof(a));
		memcpy(&b, (const char *)now + texts[i].at, sizeof(b));
		a = a == NULL ? "(none)" : a;
		b = b == NULL ? "(none)" : b;
		if (strcmp(a, b) == 0)
			continue;
		begin(w, n, texts[i].name);
		ae_wr_printf(w, " %s -> %s", a, b);
	}
}

/* Bits of the KeyUsage extension, as bytes. */
static void
compare_key_usage(struct ae_wr *w, size_t *n, const struct ae_octets *then,
    const struct ae_octets *now)
{
	char a[2 * 16 + 1] = "", b[2 * 16 + 1] = "";

	if (then->len == now->len &&
	    (then->len == 0 || memcmp(then->p, now->p, then->len) == 0))
		return;
	ae_hex_encode(a, then->p, then->len > 16 ? 16 : then->len);
	ae_hex_encode(b, now->p, now->len > 16 ? 16 : now->len);
	begin(w, n, "pKIKeyUsage");
	ae_wr_printf(w, " %s -> %s", a, b);
}

/* What of a is not in b; how many. */
static size_t
missing(struct ae_wr *w, const struct ae_strv *a, const struct ae_strv *b,
    const char *sign)
{
	size_t i, n = 0;

	for (i = 0; i < a->n; i++) {
		if (ae_strv_has(b, a->v[i]))
			continue;
		n++;
		if (w != NULL)
			ae_wr_printf(w, " %s%s", sign, a->v[i]);
	}
	return n;
}

static void
compare_lists(struct ae_wr *w, size_t *n, const struct ae_template *then,
    const struct ae_template *now)
{
	const struct ae_strv *a, *b;
	size_t i;

	for (i = 0; i < COUNT(lists); i++) {
		a = (const void *)((const char *)then + lists[i].at);
		b = (const void *)((const char *)now + lists[i].at);
		if (missing(NULL, a, b, "") + missing(NULL, b, a, "") == 0)
			continue;
		begin(w, n, lists[i].name);
		(void)missing(w, a, b, "-");
		(void)missing(w, b, a, "+");
	}
}

static bool
same_ace(const struct ae_ace *a, const struct ae_ace *b)
{
	return a->type == b->type && a->flags == b->flags &&
	    a->mask == b->mask && a->has_object == b->has_object &&
	    (!a->has_object || ae_guid_equal(&a->object, &b->object)) &&
	    ae_sid_equal(&a->sid, &b->sid);
}

static void
put_aces(struct ae_wr *w, const struct ae_sd *a, const struct ae_sd *b,
    const char *sign)
{
	char sid[AE_SID_STR_MAX];
	size_t i, j;

	for (i = 0; a != NULL && i < a->dacl.n; i++) {
		const struct ae_ace *ace = &a->dacl.v[i];

		for (j = 0; b != NULL && j < b->dacl.n; j++)
			if (same_ace(ace, &b->dacl.v[j]))
				break;
		if (b == NULL || j == b->dacl.n)
			ae_wr_printf(w, " %s%s(%s 0x%08" PRIx32 ")", sign,
			    ae_sid_print(sid, &ace->sid),
			    ace->type == AE_ACE_ALLOWED ||
				    ace->type == AE_ACE_ALLOWED_OBJECT
				? "allow"
				: "deny",
			    ace->mask);
	}
}

static void
compare_sd(struct ae_wr *w, size_t *n, const struct ae_sd *then,
    const struct ae_sd *now)
{
	char a[AE_SID_STR_MAX], b[AE_SID_STR_MAX];

	if (then == now ||
	    (then != NULL && now != NULL && ae_sd_equal(then, now)))
		return;
	begin(w, n, "nTSecurityDescriptor");
	if (then != NULL && now != NULL && then->has_owner && now->has_owner &&
	    !ae_sid_equal(&then->owner, &now->owner))
		ae_wr_printf(w, " owner %s -> %s",
		    ae_sid_print(a, &then->owner),
		    ae_sid_print(b, &now->owner));
	put_aces(w, then, now, "-");
	put_aces(w, now, then, "+");
}

size_t
ae_ca_template_changes(struct ae_wr *w, const struct ae_template *then,
    const struct ae_template *now)
{
	size_t n = 0;

	if (AE_BREAK(esc4_changes))
		return 0;
	compare_numbers(w, &n, then, now);
	compare_spans(w, &n, then, now);
	compare_texts(w, &n, then, now);
	compare_key_usage(w, &n, &then->key_usage, &now->key_usage);
	compare_lists(w, &n, then, now);
	compare_sd(w, &n, then->sd, now->sd);
	return n;
}
