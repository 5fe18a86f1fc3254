/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The pool of requests: made once, before anything is measured.  A record is
 * a length (four bytes, little endian) and a DER PKCS#10.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "pki/name.h"

static int
one(struct ae_wr *w, size_t number, const struct ae_key *k, struct ae_err *e)
{
	char cn[32];
	struct ae_name_part part = { "CN", cn };
	struct ae_csr_spec spec = { .hash = AE_HASH_SHA256 };
	struct ae_wr name;
	int rc;

	(void)snprintf(cn, sizeof(cn), "load %zu", number);
	ae_wr_init(&name, 256);
	rc = ae_name_encode(&name, &part, 1, e);
	spec.subject = (struct ae_der){ name.p, name.len };
	if (rc == AE_OK)
		rc = ae_csr_build(w, &spec, k, e);
	ae_wr_done(&name);
	return rc;
}

static int
write_all(FILE *f, size_t count, struct ae_key **key, unsigned nkeys,
    struct ae_err *e)
{
	struct ae_wr w;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < count && rc == AE_OK; i++) {
		uint8_t len[4];

		ae_wr_init(&w, AE_PKI_REQUEST_MAX);
		rc = one(&w, i, key[i % nkeys], e);
		if (rc == AE_OK) {
			len[0] = (uint8_t)w.len;
			len[1] = (uint8_t)(w.len >> 8);
			len[2] = len[3] = 0;
			if (fwrite(len, 4, 1, f) != 1 ||
			    fwrite(w.p, w.len, 1, f) != 1)
				rc = ae_fail_errno(e, errno, "writing");
		}
		ae_wr_done(&w);
	}
	return rc;
}

int
pool_make(const char *path, size_t count, unsigned nkeys, struct ae_err *e)
{
	struct ae_key **key = calloc(nkeys, sizeof(struct ae_key *));
	FILE *f = fopen(path, "we");
	unsigned i;
	int rc = AE_OK;

	if (key == NULL || f == NULL) {
		rc = ae_fail_errno(e, errno, "%s", path);
		if (f != NULL)
			(void)fclose(f);
		free(key);
		return rc;
	}
	for (i = 0; i < nkeys && rc == AE_OK; i++)
		rc = ae_key_generate(&key[i], AE_KEY_RSA, 2048, e);
	if (rc == AE_OK)
		rc = write_all(f, count, key, nkeys, e);
	if (fclose(f) != 0 && rc == AE_OK)
		rc = ae_fail_errno(e, errno, "%s", path);
	for (i = 0; i < nkeys; i++)
		ae_key_free(key[i]);
	free(key);
	return rc;
}

static size_t
record_len(const uint8_t *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
}

static int
map(const char *path, const uint8_t **p, size_t *len, struct ae_err *e)
{
	struct stat st;
	void *m;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return ae_fail_errno(e, errno, "%s", path);
	m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (m == MAP_FAILED)
		return ae_fail_errno(e, errno, "%s", path);
	*p = m;
	*len = (size_t)st.st_size;
	return AE_OK;
}

/* Whose turn it is: keys up to where the first comes again. */
static int
read_keys(struct pool *p, struct ae_err *e)
{
	struct ae_csr *q = NULL;
	size_t i;
	int rc;

	for (i = 0; i < p->n; i++) {
		rc = ae_csr_parse(&q, p->at[i], p->len[i], e);
		if (rc < 0)
			return rc;
		if (i > 0 && ae_key_same_public(q->key, p->key[0])) {
			ae_csr_free(q);
			break;
		}
		if (p->nkeys == POOL_KEYS_MAX) {
			ae_csr_free(q);
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "a pool of more than %d keys", POOL_KEYS_MAX);
		}
		p->key[p->nkeys++] = ae_key_ref(q->key);
		ae_csr_free(q);
	}
	return AE_OK;
}

int
pool_open(struct pool *p, const char *path, struct ae_err *e)
{
	const uint8_t *m = NULL;
	size_t len = 0, at, room = 0;
	int rc = map(path, &m, &len, e);

	if (rc < 0)
		return rc;
	memset(p, 0, sizeof(*p));
	for (at = 0; at + 4 <= len; at += 4 + record_len(m + at))
		room++;
	p->at = calloc(room, sizeof(*p->at));
	p->len = calloc(room, sizeof(*p->len));
	if (p->at == NULL || p->len == NULL)
		return ae_fail_mem(e);
	for (at = 0; at + 4 <= len; at += 4 + record_len(m + at)) {
		if (record_len(m + at) > len - at - 4)
			break;
		p->at[p->n] = m + at + 4;
		p->len[p->n++] = record_len(m + at);
	}
	return read_keys(p, e);
}

int
ca_key_read(struct ae_key **out, const char *path, struct ae_err *e)
{
	static uint8_t buf[65536];
	struct ae_cert **v = NULL;
	FILE *f = fopen(path, "re");
	size_t n = 0, len;
	int rc;

	if (f == NULL)
		return ae_fail_errno(e, errno, "%s", path);
	len = fread(buf, 1, sizeof(buf), f);
	(void)fclose(f);
	rc = ae_certs_read(&v, &n, 1, buf, len, e);
	if (rc == AE_OK)
		rc = ae_key_from_spki(out, v[0]->spki.p, v[0]->spki.len, e);
	ae_certs_free(v, n);
	return rc;
}
