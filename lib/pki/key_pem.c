/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Private keys as text: reading and writing PEM, and finding a key by URI.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pki/key_int.h"
#include "pki/nte.h"
#include "pki/ossl.h"

struct ask {
	const struct ae_secret *pass;
	bool asked;
};

/* OpenSSL wants the passphrase; it must never go to the terminal for it. */
static int
give_pass(char *buf, int size, int rwflag, void *arg)
{
	struct ask *ask = arg;

	(void)rwflag;
	ask->asked = true;
	if (ask->pass == NULL || ask->pass->p == NULL || size < 0 ||
	    ask->pass->len > (size_t)size)
		return -1;
	memcpy(buf, ask->pass->p, ask->pass->len);
	return (int)ask->pass->len;
}

int
ae_key_from_pem(struct ae_key **out, const void *pem, size_t len,
    const struct ae_secret *pass, struct ae_err *e)
{
	struct ask ask = { pass, false };
	EVP_PKEY *pkey;
	BIO *bio;

	if (len > AE_PKI_KEY_FILE_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "a key file of more than %u bytes", AE_PKI_KEY_FILE_MAX);
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio == NULL)
		return ae_fail_ossl(e, AE_ENOMEM, "reading a key");
	pkey = PEM_read_bio_PrivateKey(bio, NULL, give_pass, &ask);
	BIO_free(bio);
	if (pkey == NULL && ask.asked)
		return ae_fail_ossl(e, AE_EAUTH, "%s",
		    pass == NULL ? "the key is encrypted" : "passphrase");
	if (pkey == NULL)
		return ae_fail_ossl(e, AE_EPROTO, "no private key in PEM");
	ERR_clear_error();
	return ae_key_wrap_private(out, pkey, e);
}

int
ae_key_to_pem(struct ae_secret *out, const struct ae_key *k,
    const struct ae_secret *pass, struct ae_err *e)
{
	const EVP_CIPHER *cipher = pass != NULL ? EVP_aes_256_cbc() : NULL;
	BIO *bio = NULL;
	char *p = NULL;
	int rc = AE_OK;
	long n;

	if (!k->private)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a public key has no private half to write");
	if (k->ops != NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_HRESULT, NTE_BAD_KEY_STATE,
		    "a key made in a device never leaves it");
	if (pass != NULL && (pass->p == NULL || pass->len > PEM_BUFSIZE))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a passphrase is 0 to %d bytes", PEM_BUFSIZE);
	bio = BIO_new(BIO_s_secmem());
	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, cipher,
		pass != NULL ? (const char *)pass->p : NULL,
		pass != NULL ? (int)pass->len : 0, NULL, NULL) != 1 ||
	    (n = BIO_get_mem_data(bio, &p)) <= 0)
		rc = ae_fail_ossl(e, AE_EINTERNAL, "writing a key");
	else if (ae_secret_set(out, p, (size_t)n) != 0)
		rc = ae_fail_mem(e);
	BIO_free(bio);
	return rc;
}

static int
key_from_file(struct ae_key **out, const char *path,
    const struct ae_secret *pass, struct ae_err *e)
{
	struct ae_secret text = { NULL, 0 };
	struct stat st;
	FILE *f;
	size_t n = 0;
	int rc;

	f = fopen(path, "re");
	if (f == NULL && errno == ENOENT)
		return ae_fail(
		    e, AE_ENOTFOUND, AE_DOM_ERRNO, errno, "no file %s", path);
	if (f == NULL || fstat(fileno(f), &st) != 0) {
		rc = ae_fail_errno(e, errno, "open %s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > AE_PKI_KEY_FILE_MAX) {
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s is no file of at most %u bytes", path,
		    AE_PKI_KEY_FILE_MAX);
		goto out;
	}
	(void)setvbuf(f, NULL, _IONBF, 0);
	if (ae_secret_set(&text, NULL, (size_t)st.st_size) != 0) {
		rc = ae_fail_mem(e);
		goto out;
	}
	n = fread(text.p, 1, text.len, f);
	if (n != text.len)
		rc = ae_fail_errno(e, ferror(f) ? errno : EIO, "read %s", path);
	else if ((rc = ae_key_from_pem(out, text.p, text.len, pass, e)) !=
	    AE_OK)
		rc = ae_note(e, rc, "%s", path);
out:
	if (f != NULL)
		(void)fclose(f);
	ae_secret_done(&text);
	return rc;
}

int
ae_key_open(struct ae_key **out, const char *uri, const struct ae_secret *pass,
    struct ae_err *e)
{
	const char *path;

	if (strncmp(uri, "file:///", 8) == 0)
		path = uri + 7;
	else if (strncmp(uri, "file:/", 6) == 0 && uri[6] != '/')
		path = uri + 5;
	else
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a key is named by file:/path, not by %.64s", uri);
	return key_from_file(out, path, pass, e);
}
