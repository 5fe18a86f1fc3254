/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Enrollment service objects from directory entries (MS-WCCE 2.2.2.11.2).
 */
#include "ad/enrollment_service.h"

#include <stdlib.h>
#include <string.h>

#include "ad/fields.h"

const char *const ae_enrollment_service_attrs[] = {
	"cn",
	"displayName",
	"dNSHostName",
	"cACertificateDN",
	"flags",
	"certificateTemplates",
	"cACertificate",
	"msPKI-Enrollment-Servers",
	"msPKI-Site-Name",
	"nTSecurityDescriptor",
	"whenChanged",
	"uSNChanged",
	NULL,
};

#define AT(field) offsetof(struct ae_enrollment_service, field)

/* clang-format off */
static const struct ae_field fields[] = {
	{ "dn",                       AE_FIELD_STR,     AT(dn), true },
	{ "cn",                       AE_FIELD_STR,     AT(cn) },
	{ "displayName",              AE_FIELD_STR,     AT(display_name) },
	{ "dNSHostName",              AE_FIELD_STR,     AT(dns_host_name) },
	{ "cACertificateDN",          AE_FIELD_STR,     AT(ca_certificate_dn) },
	{ "flags",                    AE_FIELD_U32,     AT(flags) },
	{ "certificateTemplates",     AE_FIELD_STRV,    AT(templates) },
	{ "cACertificate",            AE_FIELD_OCTETSV, AT(ca_certificates) },
	{ "msPKI-Enrollment-Servers", AE_FIELD_STRV,    AT(enrollment_servers) },
	{ "msPKI-Site-Name",          AE_FIELD_STRV,    AT(sites) },
	{ "nTSecurityDescriptor",     AE_FIELD_OCTETS,  AT(sd_raw) },
	{ "whenChanged",              AE_FIELD_TIME,    AT(when_changed) },
	{ "uSNChanged",               AE_FIELD_U64,     AT(usn_changed) },
	{ NULL },
};
/* clang-format on */

static struct ae_enrollment_service *
service_new(void)
{
	struct ae_enrollment_service *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->when_changed = INT64_MAX;
	return s;
}

void
ae_enrollment_service_free(struct ae_enrollment_service *s)
{
	if (s == NULL)
		return;
	ae_fields_done(s, fields);
	ae_sd_free(s->sd);
	free(s);
}

static int
complete(struct ae_enrollment_service *s, struct ae_err *e)
{
	if (s->cn == NULL || s->cn[0] == '\0' || s->dn == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "cn: missing");
	if (s->sd_raw.len == 0)
		return AE_OK;
	return ae_sd_parse(&s->sd, s->sd_raw.p, s->sd_raw.len, e);
}

int
ae_enrollment_service_decode(struct ae_enrollment_service **out,
    const struct ae_entry *entry, struct ae_err *e)
{
	struct ae_enrollment_service *s = service_new();
	const char *dn = entry->dn != NULL ? entry->dn : "";
	char name[128];
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	s->dn = strdup(dn);
	if (s->dn == NULL)
		rc = ae_fail_mem(e);
	else if ((rc = ae_fields_decode(s, fields, entry, e)) == AE_OK)
		rc = complete(s, e);
	if (rc != AE_OK) {
		ae_enrollment_service_free(s);
		return ae_note(e, rc, "enrollment service %s",
		    ae_str_quote(name, sizeof(name), dn, strlen(dn)));
	}
	*out = s;
	return AE_OK;
}

void
ae_enrollment_service_put(
    struct ae_wr *w, const struct ae_enrollment_service *s)
{
	ae_fields_put(w, s, fields);
}

int
ae_enrollment_service_get(
    struct ae_enrollment_service **out, struct ae_rd *r, struct ae_err *e)
{
	struct ae_enrollment_service *s = service_new();
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	if ((rc = ae_fields_get(s, fields, r, e)) != AE_OK ||
	    (rc = complete(s, e)) != AE_OK) {
		ae_enrollment_service_free(s);
		return ae_note(e, rc, "enrollment service");
	}
	*out = s;
	return AE_OK;
}

bool
ae_enrollment_service_offers(
    const struct ae_enrollment_service *s, const char *template_cn)
{
	return ae_strv_has_nocase(&s->templates, template_cn);
}
