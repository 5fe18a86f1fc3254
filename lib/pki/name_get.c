/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading distinguished names: printing, looking up, comparing.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "pki/name.h"
#include "pki/ossl.h"

static int
decode(X509_NAME **out, struct ae_der name, struct ae_err *e)
{
	if (name.len > AE_PKI_NAME_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a name of %zu bytes", name.len);
	return ae_item_decode(out, ASN1_ITEM_rptr(X509_NAME), name, "name", e);
}

int
ae_name_print(char **out, struct ae_der name, struct ae_err *e)
{
	X509_NAME *nm = NULL;
	char *p = NULL, *text;
	BIO *bio;
	int rc;
	long n;

	rc = decode(&nm, name, e);
	if (rc != AE_OK)
		return rc;
	bio = BIO_new(BIO_s_mem());
	if (bio == NULL ||
	    X509_NAME_print_ex(bio, nm, 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0) {
		rc = ae_fail_ossl(e, AE_EPROTO, "printing a name");
		goto out;
	}
	n = BIO_get_mem_data(bio, &p);
	text = malloc((size_t)n + 1);
	if (text == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	if (n > 0)
		memcpy(text, p, (size_t)n);
	text[n] = '\0';
	*out = text;
out:
	BIO_free(bio);
	X509_NAME_free(nm);
	return rc;
}

static int
to_utf8(char **out, const ASN1_STRING *s, struct ae_err *e)
{
	unsigned char *u = NULL;
	char *text = NULL;
	int n, rc = AE_OK;

	n = ASN1_STRING_to_UTF8(&u, s);
	if (n < 0)
		return ae_fail_ossl(e, AE_EPROTO, "a name's value");
	if (memchr(u, 0, (size_t)n) != NULL)
		rc = ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "a name's value holds a NUL");
	else if ((text = strndup((char *)u, (size_t)n)) == NULL)
		rc = ae_fail_mem(e);
	else
		*out = text;
	OPENSSL_free(u);
	return rc;
}

int
ae_name_get(char **out, struct ae_der name, const char *type, struct ae_err *e)
{
	const char *oid = ae_name_type_oid(type);
	X509_NAME *nm = NULL;
	ASN1_OBJECT *o;
	int at = -1, next = -1, rc;

	o = oid == NULL ? NULL : OBJ_txt2obj(oid, 1);
	if (o == NULL)
		return ae_fail_ossl(
		    e, AE_EINVAL, "not a name's attribute: %.32s", type);
	rc = decode(&nm, name, e);
	if (rc != AE_OK)
		goto out;
	while ((next = X509_NAME_get_index_by_OBJ(nm, o, next)) >= 0)
		at = next;
	if (at < 0)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "the name has no %.32s", type);
	else
		rc = to_utf8(out,
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(nm, at)), e);
out:
	X509_NAME_free(nm);
	ASN1_OBJECT_free(o);
	return rc;
}

static int
list_part(struct ae_name_part *out, X509_NAME_ENTRY *entry, struct ae_arena *a,
    struct ae_err *e)
{
	char *value = NULL;
	int rc = to_utf8(&value, X509_NAME_ENTRY_get_data(entry), e);

	if (rc != AE_OK)
		return rc;
	out->type = ae_arena_oid(a, X509_NAME_ENTRY_get_object(entry));
	out->value = ae_arena_strdup(a, value);
	free(value);
	return out->type == NULL || out->value == NULL ? ae_fail_arena(a, e)
						       : AE_OK;
}

int
ae_name_list(struct ae_name_part **out, size_t *n, struct ae_der name,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_name_part *v = NULL;
	X509_NAME *nm = NULL;
	int i, count, rc;

	*n = 0;
	if (ae_name_is_empty(name)) {
		*out = NULL;
		return AE_OK;
	}
	rc = decode(&nm, name, e);
	if (rc != AE_OK)
		return rc;
	count = X509_NAME_entry_count(nm);
	if (count > AE_NAME_PARTS_MAX)
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a name of %d attributes", count);
	else if ((v = ae_arena_array(a, (size_t)count, sizeof(*v))) == NULL)
		rc = ae_fail_arena(a, e);
	for (i = 0; v != NULL && i < count && rc == AE_OK; i++)
		rc = list_part(&v[i], X509_NAME_get_entry(nm, i), a, e);
	X509_NAME_free(nm);
	if (rc == AE_OK) {
		*out = v;
		*n = (size_t)count;
	}
	return rc;
}

bool
ae_name_equal(struct ae_der a, struct ae_der b)
{
	X509_NAME *na = NULL, *nb = NULL;
	bool same;

	if (ae_der_equal(a, b))
		return true;
	same = decode(&na, a, NULL) == AE_OK && decode(&nb, b, NULL) == AE_OK &&
	    X509_NAME_cmp(na, nb) == 0;
	X509_NAME_free(na);
	X509_NAME_free(nb);
	return same;
}

bool
ae_name_is_empty(struct ae_der name)
{
	return name.p == NULL || (name.len == 2 && name.p[1] == 0);
}
