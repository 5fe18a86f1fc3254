/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The certificate store of a principal on disk:
 *
 *   my/<template>/<number>/{key,cert,chain,fullchain}.pem, meta.json,
 *                          archived.json (when and why, if it was)
 *   my/<template>/current -> <number>
 *   request/<template>/<number>/    see request.h
 *   trust/{roots,intermediates,ntauth}.pem
 *
 * A certificate and its key are switched together: they are written whole
 * into a directory of their own, flushed, and only then does the symlink
 * "current" point there.  Consumers read …/current/key.pem and so on; that
 * is the stable contract.  What "current" does not point to is archived and
 * stays.
 *
 * One writer at a time holds the store's lock.  Template names are file
 * names here: only those ae_store_name_ok accepts can have a place.
 */
#ifndef AE_STORE_STORE_H
#define AE_STORE_STORE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define AE_STORE_NAME_MAX 64
#define AE_STORE_FRIENDLY_MAX 255
#define AE_STORE_FILE_MAX (256u * 1024u)
#define AE_STORE_ENTRIES_MAX 4096

struct ae_store;
struct ae_store_draft;

/* What is written beside a certificate, as meta.json. */
struct ae_store_meta {
	char template_oid[128]; /* empty: unknown */
	char ca_config[256];	/* "host\\CA name" the answer came from */
	uint32_t request_id;
	int64_t installed; /* when */
	bool exportable;   /* the template lets its key leave */
	char friendly_name[AE_STORE_FRIENDLY_MAX + 1]; /* empty: none */
};

/* One certificate of the store. */
struct ae_store_entry {
	char tmpl[AE_STORE_NAME_MAX + 1];
	unsigned number;
	bool current;
	bool has_key; /* a key file is there; whether it fits is pki's word */
	uint8_t *cert_pem; /* NUL-terminated */
	size_t cert_len;
	struct ae_store_meta meta;
	int64_t archived; /* when; 0: not known, or not archived */
	char why[128];	  /* it was archived */
};

struct ae_store_list {
	struct ae_store_entry *v;
	size_t n;
};

/*
 * Open the store below dir (its parent must exist).  For writing, missing
 * directories are made (0755; versions with keys hold key.pem 0600), the
 * lock is taken – AE_EUNAVAIL when another process holds it – and drafts
 * that a killed writer left are removed.
 */
int ae_store_open(struct ae_store **out, const char *dir, bool write,
    struct ae_err *e) AE_MUST_CHECK;
void ae_store_free(struct ae_store *s);

/* Everything in the store, by template and ascending number. */
int ae_store_list(struct ae_store *s, struct ae_store_list *out,
    struct ae_err *e) AE_MUST_CHECK;
void ae_store_list_done(struct ae_store_list *l);

/*
 * Start a new version for a template with its private key (PEM, mode 0600).
 * Nothing is visible before ae_store_commit.  Freeing a draft removes it.
 */
int ae_store_draft_new(struct ae_store_draft **out, struct ae_store *s,
    const char *tmpl, const void *key_pem, size_t key_len,
    struct ae_err *e) AE_MUST_CHECK;
void ae_store_draft_free(struct ae_store_draft *d);

/*
 * Mode and owner of the draft's key file, 0600 of who runs before; (uid_t)-1
 * and (gid_t)-1 leave what is.
 */
int ae_store_draft_own(struct ae_store_draft *d, mode_t mode, uid_t uid,
    gid_t gid, struct ae_err *e) AE_MUST_CHECK;

/*
 * Complete the draft and make it current: certificate, chain (without the
 * certificate itself; may be empty) and meta are written and flushed, the
 * directory gets its number, "current" is switched.  After AE_OK the new
 * pair is current and durable; after failure the old one still is.
 * *number may be NULL.
 */
int ae_store_commit(struct ae_store_draft *d, const void *cert_pem,
    size_t cert_len, const void *chain_pem, size_t chain_len,
    const struct ae_store_meta *meta, unsigned *number,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Archive one certificate: it stays, with a note of when and why, and is
 * "current" no more if it was.  AE_ENOTFOUND when the template has nothing.
 */
int ae_store_archive(struct ae_store *s, const char *tmpl, unsigned number,
    int64_t when, const char *why, struct ae_err *e) AE_MUST_CHECK;

/* Remove one certificate with its key.  AE_OK also when it is gone. */
int ae_store_delete(struct ae_store *s, const char *tmpl, unsigned number,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Replace trust/<name>.pem atomically when the content differs; *changed
 * says whether it did.  name: "roots", "intermediates", "ntauth".
 */
int ae_store_trust_write(struct ae_store *s, const char *name, const void *pem,
    size_t len, bool *changed, struct ae_err *e) AE_MUST_CHECK;

/* The content, NUL-terminated, to free(); AE_ENOTFOUND when there is none. */
int ae_store_trust_read(struct ae_store *s, const char *name, uint8_t **pem,
    size_t *len, struct ae_err *e) AE_MUST_CHECK;

/* 1 to 64 letters, digits, '-', '_', '.', ' ', not starting with '.'. */
bool ae_store_name_ok(const char *tmpl);

#endif
