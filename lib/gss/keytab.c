/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A service's keytab: which of its keys we take.
 */
#include <string.h>
#include <strings.h>

#include "base/breaks.h"
#include "gss/cred_int.h"
#include "gss/status.h"

/*
 * The service classes of RPC.  AD takes rpc and rpcss for aliases of host
 * (sPNMappings), so an ordinary keytab has no entries for them, but the
 * same key.
 */
static const char *const classes[] = { "host", "rpc", "rpcss",
	"RestrictedKrbHost" };

static bool
data_is(const krb5_data *d, const char *s)
{
	return d->length == strlen(s) &&
	    strncasecmp(d->data, s, d->length) == 0;
}

/* Is it, without its realm, one of the names asked for? */
static bool
listed(krb5_const_principal p, const struct ae_gss_service *conf)
{
	const char *slash;
	size_t i, len;

	for (i = 0; i < conf->nspns; i++) {
		slash = strchr(conf->spns[i], '/');
		len = slash == NULL ? 0 : (size_t)(slash - conf->spns[i]);
		if (slash != NULL && p->length == 2 &&
		    p->data[0].length == len &&
		    strncasecmp(p->data[0].data, conf->spns[i], len) == 0 &&
		    data_is(&p->data[1], slash + 1))
			return true;
	}
	return false;
}

static bool
serves(krb5_const_principal p, const struct ae_gss_service *conf)
{
	size_t i;

	if (conf->spns != NULL)
		return listed(p, conf);
	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (p->length == 2 && data_is(&p->data[0], classes[i]))
			return true;
	return false;
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
		return allow_rc4 || AE_BREAK(enctype);
	default:
		return false;
	}
}

/* Copy what is wanted; without RC4 keys no RC4 ticket can be read. */
static int
copy_keys(krb5_keytab to, krb5_context k, krb5_keytab from,
    const struct ae_gss_service *conf, struct ae_err *e)
{
	krb5_keytab_entry entry;
	krb5_error_code code, put = 0;
	krb5_kt_cursor cursor;
	size_t copied = 0;

	code = krb5_kt_start_seq_get(k, from, &cursor);
	if (code != 0)
		return ae_gss_fail_krb5(
		    e, AE_EIO, k, code, "keytab %s", conf->keytab);
	while (put == 0 &&
	    (code = krb5_kt_next_entry(k, from, &entry, &cursor)) == 0) {
		if (wanted(entry.key.enctype, conf->allow_rc4) &&
		    serves(entry.principal, conf)) {
			put = krb5_kt_add_entry(k, to, &entry);
			copied++;
		}
		krb5_free_keytab_entry_contents(k, &entry);
	}
	(void)krb5_kt_end_seq_get(k, from, &cursor);
	if (put != 0 || code != KRB5_KT_END)
		return ae_gss_fail_krb5(e, AE_EIO, k, put != 0 ? put : code,
		    "reading keytab %s", conf->keytab);
	if (copied == 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "keytab %s: no key of an allowed type for an RPC service",
		    conf->keytab);
	return AE_OK;
}

int
ae_gss_keytab_load(struct ae_gss_keytab *out, const char *name,
    const struct ae_gss_service *conf, struct ae_err *e)
{
	struct ae_gss_keytab t = { 0 };
	krb5_keytab from = NULL;
	krb5_error_code code;
	int rc;

	code = krb5_init_context(&t.k);
	if (code == 0)
		code = krb5_kt_resolve(t.k, conf->keytab, &from);
	if (code == 0)
		code = krb5_kt_resolve(t.k, name, &t.kt);
	if (code != 0)
		rc = ae_gss_fail_krb5(
		    e, AE_EIO, t.k, code, "keytab %s", conf->keytab);
	else
		rc = copy_keys(t.kt, t.k, from, conf, e);
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
	if (t->kt != NULL)
		(void)krb5_kt_close(t->k, t->kt);
	if (t->k != NULL)
		krb5_free_context(t->k);
	*t = (struct ae_gss_keytab){ 0 };
}
