/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A service's keytab: the keys we take from it, the names it makes us serve,
 * and whether a ticket carries one of them.
 */
#include <stdio.h>
#include <string.h>

#include "gss/cred_int.h"
#include "gss/status.h"

/*
 * The service classes RPC clients ask tickets for.  AD takes rpc and rpcss
 * for aliases of host (sPNMappings), so the keytab does not list them.
 */
static const char *const classes[] = { "host", "rpc", "rpcss",
	"RestrictedKrbHost" };

#define SPN_MAX 512

static int
add_host(struct ae_strv *l, const char *host, size_t len, struct ae_err *e)
{
	char spn[SPN_MAX];
	size_t i;
	int n;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		n = snprintf(
		    spn, sizeof(spn), "%s/%.*s", classes[i], (int)len, host);
		if (n < 0 || (size_t)n >= sizeof(spn))
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "service name of %zu characters", len);
		if (ae_strv_has_nocase(l, spn))
			continue;
		if (!ae_strv_add(l, spn))
			return ae_fail_mem(e);
	}
	return AE_OK;
}

/* Only service/host keys say which hosts we are; "CA1$" says nothing. */
static int
add_principal(struct ae_strv *l, krb5_const_principal p, struct ae_err *e)
{
	if (p->length != 2 || p->data[1].length == 0 ||
	    p->data[1].length > SPN_MAX ||
	    memchr(p->data[1].data, '\0', p->data[1].length) != NULL)
		return AE_OK;
	return add_host(l, p->data[1].data, p->data[1].length, e);
}

static bool
wanted(krb5_enctype enctype, bool allow_rc4)
{
	switch (enctype) {
	case ENCTYPE_AES128_CTS_HMAC_SHA1_96:
	case ENCTYPE_AES256_CTS_HMAC_SHA1_96:
	case ENCTYPE_AES128_CTS_HMAC_SHA256_128:
	case ENCTYPE_AES256_CTS_HMAC_SHA384_192:
		return true;
	case ENCTYPE_ARCFOUR_HMAC:
		return allow_rc4;
	default:
		return false;
	}
}

/* Copy the wanted keys; without RC4 keys no RC4 ticket can be read. */
static int
copy_keys(struct ae_strv *hosts, krb5_keytab to, krb5_context k,
    krb5_keytab from, const struct ae_gss_service *conf, struct ae_err *e)
{
	krb5_keytab_entry entry;
	krb5_error_code code, put = 0;
	krb5_kt_cursor cursor;
	size_t copied = 0;
	int rc = AE_OK;

	code = krb5_kt_start_seq_get(k, from, &cursor);
	if (code != 0)
		return ae_gss_fail_krb5(
		    e, AE_EIO, k, code, "keytab %s", conf->keytab);
	while (rc == AE_OK && put == 0 &&
	    (code = krb5_kt_next_entry(k, from, &entry, &cursor)) == 0) {
		if (wanted(entry.key.enctype, conf->allow_rc4)) {
			put = krb5_kt_add_entry(k, to, &entry);
			rc = add_principal(hosts, entry.principal, e);
			copied++;
		}
		krb5_free_keytab_entry_contents(k, &entry);
	}
	(void)krb5_kt_end_seq_get(k, from, &cursor);
	if (rc != AE_OK)
		return rc;
	if (put != 0 || code != KRB5_KT_END)
		return ae_gss_fail_krb5(e, AE_EIO, k, put != 0 ? put : code,
		    "reading keytab %s", conf->keytab);
	if (copied == 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "keytab %s: no key of an allowed type", conf->keytab);
	return AE_OK;
}

int
ae_gss_keytab_load(struct ae_gss_keytab *out, const char *name,
    const struct ae_gss_service *conf, struct ae_err *e)
{
	struct ae_gss_keytab t = { 0 };
	krb5_keytab from = NULL;
	krb5_error_code code;
	size_t i;
	int rc;

	code = krb5_init_context(&t.k);
	if (code == 0)
		code = krb5_kt_resolve(t.k, conf->keytab, &from);
	if (code == 0)
		code = krb5_kt_resolve(t.k, name, &t.kt);
	if (code != 0) {
		rc = ae_gss_fail_krb5(
		    e, AE_EIO, t.k, code, "keytab %s", conf->keytab);
		goto out;
	}
	rc = copy_keys(&t.spns, t.kt, t.k, from, conf, e);
	if (rc == AE_OK && conf->spns != NULL) {
		ae_strv_done(&t.spns);
		for (i = 0; i < conf->nspns && rc == AE_OK; i++)
			if (!ae_strv_add(&t.spns, conf->spns[i]))
				rc = ae_fail_mem(e);
	}
	if (rc == AE_OK && t.spns.n == 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "keytab %s: no service/host key", conf->keytab);
out:
	if (from != NULL)
		(void)krb5_kt_close(t.k, from);
	if (rc == AE_OK)
		*out = t;
	else
		ae_gss_keytab_done(&t);
	return rc;
}

void
ae_gss_keytab_done(struct ae_gss_keytab *t)
{
	ae_strv_done(&t->spns);
	if (t->kt != NULL)
		(void)krb5_kt_close(t->k, t->kt);
	if (t->k != NULL)
		krb5_free_context(t->k);
	*t = (struct ae_gss_keytab){ 0 };
}

bool
ae_gss_cred_serves(const struct ae_gss_cred *c, const char *name)
{
	const char *at = strrchr(name, '@');
	size_t len = at == NULL ? strlen(name) : (size_t)(at - name);
	size_t i;

	for (i = 0; i < c->spns.n; i++)
		if (strlen(c->spns.v[i]) == len &&
		    strncasecmp(c->spns.v[i], name, len) == 0)
			return true;
	return false;
}
