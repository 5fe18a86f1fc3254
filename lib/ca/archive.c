/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key archival, MS-WCCE 3.2.2.6.2.1.2.2 and .4.5.7: a private key belongs to
 * a request exactly when the template archives it, in a CMC, under the new
 * key's signature, with its hash.  Whether it opens and fits is the signer's
 * to say, who alone has the exchange key; he is asked last, about requests
 * that would be granted otherwise.
 */
#include <string.h>

#include "ca/work.h"
#include "pki/cert.h"

#define SECTION "MS-WCCE 3.2.2.6.2.1.2.2"
#define SECTION_FLAG "MS-WCCE 3.2.2.6.2.1.4.5.7"

static int
deny(struct ae_ca_work *w, uint32_t hr, const char *check, const char *section,
    const char *text)
{
	return ae_ca_stop(w, AE_CA_DENY, hr, check, section, "%s", text);
}

static bool
sent(const struct ae_ca_work *w)
{
	return w->req->has_archived_key ||
	    w->req->encrypted_key_hash.p != NULL ||
	    w->req->csr->encrypted_key_hash.p != NULL;
}

/*
 * The hash is of the whole message the key is in, by the algorithm the
 * request is signed with, or SHA-1: which one, its length tells.
 */
static bool
hash_fits(const struct ae_ca_work *w)
{
	static const enum ae_hash all[] = { AE_HASH_SHA1, AE_HASH_SHA256,
		AE_HASH_SHA384, AE_HASH_SHA512 };
	const struct ae_der *want = &w->req->encrypted_key_hash;
	const struct ae_der *key = &w->req->archived_key;
	uint8_t hash[AE_HASH_MAX];
	size_t i, n;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		n = ae_hash_bytes(hash, all[i], key->p, key->len);
		if (n == want->len && memcmp(hash, want->p, n) == 0)
			return true;
	}
	return false;
}

/* A same-key renewal: the key is in the archive already. */
static bool
exempt(const struct ae_ca_work *w)
{
	return w->renews != NULL &&
	    (w->t->private_key_flag & AE_CT_REQUIRE_SAME_KEY_RENEWAL) != 0;
}

int
ae_ca_check_archival(struct ae_ca_work *w)
{
	const bool wanted = w->t->schema_version > 1 &&
	    (w->t->private_key_flag & AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL) != 0;

	if (!wanted && sent(w))
		return deny(w, AE_HR_ARCHIVED_KEY_UNEXPECTED,
		    "deny.archive-unexpected", SECTION_FLAG,
		    "a private key came along that nobody asked for");
	if (!wanted || (exempt(w) && !sent(w)))
		return AE_CA_GO;
	if (!sent(w))
		return deny(w, AE_HR_ARCHIVED_KEY_REQUIRED,
		    "deny.archive-required", SECTION_FLAG,
		    "the template archives private keys, the request has "
		    "none");
	if (!w->cfg->archival)
		return deny(w, AE_HR_KEY_ARCHIVAL_NOT_CONFIGURED,
		    "deny.archive-not-configured", SECTION_FLAG,
		    "this CA archives no private keys: no key recovery agents "
		    "are configured");
	if (w->req->form != AE_REQUEST_CMC)
		return deny(w, AE_HR_CRYPT_E_INVALID_MSG_TYPE,
		    "deny.archive-form", SECTION,
		    "a private key for the archive comes in a CMC only");
	if (w->req->archived_key.p == NULL ||
	    w->req->encrypted_key_hash.p == NULL || !hash_fits(w))
		return deny(w, AE_HR_BAD_REQUEST_KEY_ARCHIVAL,
		    "deny.archive-form", SECTION,
		    "the encrypted key is not one attribute of the new key's "
		    "signer, or not the one whose hash was sent");
	w->d->request_flags |= AE_CR_FLG_VALIDENCRYPTEDKEYHASH;
	return AE_CA_GO;
}

int
ae_ca_check_archived(struct ae_ca_work *w)
{
	const struct ae_ca_answers *a = w->answers;
	int step;

	if (!(w->d->request_flags & AE_CR_FLG_VALIDENCRYPTEDKEYHASH))
		return AE_CA_GO;
	step = ae_ca_ask(w, AE_CA_ASK_ARCHIVE, SECTION);
	if (step != AE_CA_GO) {
		w->d->tbs = NULL; /* nothing is to be signed yet */
		w->d->tbs_len = 0;
		return step;
	}
	if (a->archive_hresult != 0) {
		w->prefix = "Error Archiving Private Key";
		w->d->tbs = NULL;
		w->d->tbs_len = 0;
		return ae_ca_stop(w, AE_CA_DENY, a->archive_hresult,
		    "deny.archive", SECTION, "%s",
		    a->archive_text == NULL ? "the key could not be archived"
					    : a->archive_text);
	}
	ae_ca_pass(w, "request.archived", SECTION,
	    "the private key is wrapped for the key recovery agents");
	return AE_CA_GO;
}
