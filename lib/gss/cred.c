/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Credentials as the library holds them; see cred.h.
 */
#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gss/cred_int.h"
#include "gss/status.h"

#define RENEW_MARGIN 600 /* seconds, promised in cred.h */

/* RFC 4178 */
static gss_OID_desc spnego_oid = { 6,
	(void *)(uintptr_t) "\x2b\x06\x01\x05"
			    "\x05\x02" };

/*
 * The acceptor chooses the enctype of the message keys from what the client
 * lists.  The SHA-2 types (RFC 8009) are left out: Heimdal lists them, but
 * Samba then takes the signature of any AES key to be 28 bytes long and signs
 * an auth_length that is not the one it sends.
 */
static krb5_enctype aes_only[] = { ENCTYPE_AES256_CTS_HMAC_SHA1_96,
	ENCTYPE_AES128_CTS_HMAC_SHA1_96 };

static int
acquire(gss_cred_id_t *out, enum ae_gss_mech mech, gss_cred_usage_t usage,
    const gss_key_value_set_desc *store, struct ae_err *e)
{
	gss_OID_desc krb5 = *gss_mech_krb5;
	gss_OID_set_desc krb5_set = { 1, &krb5 };
	gss_OID_set_desc spnego_set = { 1, &spnego_oid };
	gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
	OM_uint32 major, minor, ignored;

	major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
	    mech == AE_GSS_SPNEGO ? &spnego_set : &krb5_set, usage, store,
	    &cred, NULL, NULL);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(e, AE_EAUTH, major, minor,
		    "credential from %s", store->elements[0].value);
	/* Left to itself, SPNEGO offers whatever is installed: NTLM too. */
	if (mech == AE_GSS_SPNEGO) {
		major = gss_set_neg_mechs(&minor, cred, &krb5_set);
		if (major != GSS_S_COMPLETE) {
			(void)gss_release_cred(&ignored, &cred);
			return ae_gss_fail(e, AE_EINTERNAL, major, minor,
			    "restricting SPNEGO to Kerberos");
		}
	}
	*out = cred;
	return AE_OK;
}

static void
release(struct ae_gss_cred *c)
{
	OM_uint32 minor;

	if (c->krb5 != GSS_C_NO_CREDENTIAL)
		(void)gss_release_cred(&minor, &c->krb5);
	if (c->spnego != GSS_C_NO_CREDENTIAL)
		(void)gss_release_cred(&minor, &c->spnego);
}

/* Both mechanisms' handles, replacing older ones only when all went well. */
static int
acquire_both(struct ae_gss_cred *c, gss_cred_usage_t usage,
    const gss_key_value_set_desc *store, struct ae_err *e)
{
	struct ae_gss_cred fresh = { 0 };
	int rc;

	rc = c->warm == NULL ? ae_gss_warm_new(&c->warm, e) : AE_OK;
	if (rc == AE_OK)
		rc = acquire(&fresh.krb5, AE_GSS_KRB5, usage, store, e);
	if (rc == AE_OK)
		rc = acquire(&fresh.spnego, AE_GSS_SPNEGO, usage, store, e);
	if (rc != AE_OK) {
		release(&fresh);
		return rc;
	}
	release(c);
	c->krb5 = fresh.krb5;
	c->spnego = fresh.spnego;
	return AE_OK;
}

static int
restrict_to_aes(gss_cred_id_t cred, struct ae_err *e)
{
	OM_uint32 major, minor;

	major = gss_krb5_set_allowable_enctypes(
	    &minor, cred, sizeof(aes_only) / sizeof(aes_only[0]), aes_only);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(e, AE_EINTERNAL, major, minor,
		    "restricting the service to AES");
	return AE_OK;
}

/* Take the keys and names of the file that is there now. */
static int
load_service(struct ae_gss_cred *c, const struct stat *st, struct ae_err *e)
{
	char name[64];
	gss_key_value_element_desc kv[] = {
		{ "keytab", name },
		{ "rcache", c->conf.rcache },
	};
	gss_key_value_set_desc store = { 2, kv };
	struct ae_gss_keytab t;
	int rc;

	(void)snprintf(
	    name, sizeof(name), "MEMORY:ae-%p-%u", (void *)c, c->generation++);
	rc = ae_gss_keytab_load(&t, name, &c->conf, e);
	if (rc != AE_OK)
		return rc;
	rc = acquire_both(c, GSS_C_ACCEPT, &store, e);
	if (rc == AE_OK)
		c->seen = *st;
	/* The credential has the in-memory keytab open by now. */
	ae_gss_keytab_done(&t);
	if (rc == AE_OK && !c->conf.allow_rc4)
		rc = restrict_to_aes(c->krb5, e);
	if (rc == AE_OK && !c->conf.allow_rc4)
		rc = restrict_to_aes(c->spnego, e);
	return rc;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int
ae_gss_cred_reload(struct ae_gss_cred *c, struct ae_err *e)
{
	struct stat st;

	if (stat(c->conf.keytab, &st) != 0)
		return ae_fail(e, errno == ENOENT ? AE_ENOTFOUND : AE_EIO,
		    AE_DOM_ERRNO, errno, "keytab %s: %s", c->conf.keytab,
		    strerror(errno));
	if (c->krb5 != GSS_C_NO_CREDENTIAL && same_file(&st, &c->seen))
		return AE_OK;
	return load_service(c, &st, e);
}

static int
copy_conf(
    struct ae_gss_cred *c, const struct ae_gss_service *conf, struct ae_err *e)
{
	size_t i;

	c->conf = *conf;
	c->keytab = strdup(conf->keytab);
	c->ccache = strdup(conf->rcache != NULL ? conf->rcache : "none:");
	if (c->keytab == NULL || c->ccache == NULL)
		return ae_fail_mem(e);
	c->conf.keytab = c->keytab;
	c->conf.rcache = c->ccache;
	for (i = 0; conf->spns != NULL && i < conf->nspns; i++)
		if (!ae_strv_add(&c->only, conf->spns[i]))
			return ae_fail_mem(e);
	if (conf->spns != NULL)
		c->conf.spns = (const char *const *)c->only.v;
	return AE_OK;
}

int
ae_gss_cred_service(struct ae_gss_cred **out, const struct ae_gss_service *conf,
    struct ae_err *e)
{
	struct ae_gss_cred *c;
	int rc;

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ae_fail_mem(e);
	c->service = true;
	c->expires = INT64_MAX;
	rc = copy_conf(c, conf, e);
	if (rc == AE_OK)
		rc = ae_gss_cred_reload(c, e);
	if (rc == AE_OK)
		*out = c;
	else
		ae_gss_cred_free(c);
	return rc;
}

/* Fill in whose credential it is and how long it lasts. */
static int
inquire(struct ae_gss_cred *c, struct ae_err *e)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	gss_name_t name = GSS_C_NO_NAME;
	OM_uint32 major, minor, lifetime;
	char *copy;
	int rc = AE_OK;

	major = gss_inquire_cred(&minor, c->krb5, &name, &lifetime, NULL, NULL);
	if (major == GSS_S_COMPLETE && name != GSS_C_NO_NAME)
		major = gss_display_name(&minor, name, &text, NULL);
	if (major != GSS_S_COMPLETE || text.value == NULL) {
		rc = ae_gss_fail(e, AE_EAUTH, major, minor, "credential in %s",
		    c->ccache != NULL ? c->ccache : "the default cache");
		goto out;
	}
	if (lifetime == 0) {
		rc = ae_fail(e, AE_EAUTH, AE_DOM_GSS, GSS_S_CREDENTIALS_EXPIRED,
		    "ticket of %.*s has expired", (int)text.length,
		    (const char *)text.value);
		goto out;
	}
	copy = strndup(text.value, text.length);
	if (copy == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	free(c->principal);
	c->principal = copy;
	c->expires =
	    lifetime == GSS_C_INDEFINITE ? INT64_MAX : time(NULL) + lifetime;
out:
	(void)gss_release_buffer(&minor, &text);
	(void)gss_release_name(&minor, &name);
	return rc;
}

/*
 * MIT's initiator announces integrity and confidentiality whether they were
 * asked for or not.  Samba takes the flags for the level: told "sealed", it
 * makes room for a sealing token at level INTEGRITY and faults.
 */
static int
announce_as_asked(gss_cred_id_t *cred, struct ae_err *e)
{
	gss_buffer_desc none = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major = gss_set_cred_option(
	    &minor, cred, (gss_OID)GSS_KRB5_CRED_NO_CI_FLAGS_X, &none);
	if (major != GSS_S_COMPLETE)
		return ae_gss_fail(e, AE_EINTERNAL, major, minor,
		    "taking flags off the credential");
	return AE_OK;
}

/* (Re)load the client credential from its cache. */
static int
load(struct ae_gss_cred *c, struct ae_err *e)
{
	gss_key_value_element_desc kv = { "ccache", c->ccache };
	gss_key_value_set_desc store = { 1, &kv };
	int rc;

	if (c->seen_tickets == NULL)
		c->seen_tickets = calloc(1, sizeof(*c->seen_tickets));
	if (c->seen_tickets == NULL)
		return ae_fail_mem(e);
	ae_gss_seen_forget(c->seen_tickets);
	rc = acquire_both(c, GSS_C_INITIATE, &store, e);
	if (rc == AE_OK)
		rc = announce_as_asked(&c->krb5, e);
	if (rc == AE_OK)
		rc = announce_as_asked(&c->spnego, e);
	return rc == AE_OK ? inquire(c, e) : rc;
}

/* The name of the process's default cache, resolved once. */
static char *
default_ccache(struct ae_err *e)
{
	krb5_context k = NULL;
	krb5_error_code code;
	const char *name;
	char *copy = NULL;

	code = krb5_init_context(&k);
	if (code != 0) {
		(void)ae_gss_fail_krb5(
		    e, AE_EIO, NULL, code, "default credential cache");
		return NULL;
	}
	name = krb5_cc_default_name(k);
	if (name == NULL || (copy = strdup(name)) == NULL)
		(void)ae_fail_mem(e);
	krb5_free_context(k);
	return copy;
}

int
ae_gss_cred_ccache(
    struct ae_gss_cred **out, const char *ccache, struct ae_err *e)
{
	struct ae_gss_cred *c;
	struct ae_err ours = AE_ERR_INIT;
	int rc;

	if (e == NULL)
		e = &ours;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ae_fail_mem(e);
	if (ccache == NULL)
		c->ccache = default_ccache(e);
	else if ((c->ccache = strdup(ccache)) == NULL)
		(void)ae_fail_mem(e);
	rc = c->ccache == NULL ? (int)e->rc : load(c, e);
	if (rc == AE_OK)
		*out = c;
	else
		ae_gss_cred_free(c);
	return rc;
}

int
ae_gss_cred_keytab(struct ae_gss_cred **out, const char *keytab,
    const char *principal, const char *ccache, struct ae_err *e)
{
	struct ae_gss_cred *c;
	int rc;

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ae_fail_mem(e);
	c->keytab = strdup(keytab);
	c->ccache = strdup(ccache);
	c->principal = strdup(principal);
	if (c->keytab == NULL || c->ccache == NULL || c->principal == NULL)
		rc = ae_fail_mem(e);
	else
		rc = ae_gss_tgt_obtain(
		    keytab, principal, ccache, time(NULL) + RENEW_MARGIN, e);
	if (rc == AE_OK)
		rc = load(c, e);
	if (rc == AE_OK)
		*out = c;
	else
		ae_gss_cred_free(c);
	return rc;
}

int
ae_gss_cred_refresh(struct ae_gss_cred *c, struct ae_err *e)
{
	int64_t now = time(NULL);
	int rc;

	if (c->service)
		return ae_gss_cred_reload(c, e);
	if (c->keytab == NULL) {
		if (c->expires > now)
			return AE_OK;
		return ae_fail(e, AE_EAUTH, AE_DOM_GSS,
		    GSS_S_CREDENTIALS_EXPIRED, "ticket of %s has expired",
		    c->principal);
	}
	if (c->expires > now + RENEW_MARGIN)
		return AE_OK;
	rc = ae_gss_tgt_obtain(
	    c->keytab, c->principal, c->ccache, now + RENEW_MARGIN, e);
	return rc == AE_OK ? load(c, e) : rc;
}

int
ae_gss_cred_default(const struct ae_gss_cred *c, struct ae_err *e)
{
	OM_uint32 major, minor;

	if (c != NULL && c->service)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a service's credential is no default");
	major =
	    gss_krb5_ccache_name(&minor, c != NULL ? c->ccache : NULL, NULL);
	if (GSS_ERROR(major))
		return ae_gss_fail(
		    e, AE_EINTERNAL, major, minor, "setting the default cache");
	return AE_OK;
}

const char *
ae_gss_cred_principal(const struct ae_gss_cred *c)
{
	return c->principal;
}

int64_t
ae_gss_cred_expires(const struct ae_gss_cred *c)
{
	return c->expires;
}

gss_cred_id_t
ae_gss_cred_handle(const struct ae_gss_cred *c, enum ae_gss_mech mech)
{
	return mech == AE_GSS_SPNEGO ? c->spnego : c->krb5;
}

void
ae_gss_cred_free(struct ae_gss_cred *c)
{
	if (c == NULL)
		return;
	release(c);
	ae_gss_warm_free(c->warm);
	ae_gss_seen_forget(c->seen_tickets);
	free(c->seen_tickets);
	ae_strv_done(&c->only);
	free(c->principal);
	free(c->ccache);
	free(c->keytab);
	free(c);
}
