/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the load generator's kinds of client share: one enrollment of one
 * request, whoever answers it.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/err.h"
#include "pki/cert.h"
#include "pki/csr.h"

struct load_options {
	const char *way; /* "dcom", "icpr" or "cfssl" */
	const char *host;
	const char *authority;	/* CA name; not for cfssl */
	const char *keytab;	/* of the client's machine; not for cfssl */
	const char *principal;	/* the same */
	const char *attributes; /* "CertificateTemplate:Name" */
	uint16_t port;		/* cfssl only */
	bool keep;		/* one connection for all enrollments */
};

/* One client; each is a process of its own. */
struct load_client;

struct load_answer {
	struct ae_cert *cert; /* the caller's to free */
	uint32_t request_id;  /* 0: the peer has none */
};

/* The kinds. */
struct load_kind {
	int (*open)(struct load_client **out, const struct load_options *o,
	    struct ae_err *e);
	/*
	 * One enrollment.  AE_EUNAVAIL, AE_ETIMEDOUT, AE_EREMOTE: may be
	 * repeated; the request may or may not have been acted upon.
	 */
	int (*enroll)(struct load_client *c, const void *csr, size_t len,
	    struct load_answer *answer, struct ae_err *e);
	/* Connections end; part of a full enrollment. */
	void (*leave)(struct load_client *c);
};

extern const struct load_kind load_ca, load_cfssl;

/*
 * A file of requests, mapped, and the keys that they take turns with: a
 * client has its key and does not read it from its request.
 */
#define POOL_KEYS_MAX 64
struct pool {
	const uint8_t **at;
	size_t *len;
	size_t n;
	struct ae_key *key[POOL_KEYS_MAX]; /* of request i: i % nkeys */
	size_t nkeys;
};

/*
 * count PKCS#10 requests of nkeys RSA-2048 keys into path; each has a
 * subject of its own, hence bytes and a signature of its own.
 */
int pool_make(const char *path, size_t count, unsigned nkeys, struct ae_err *e);
int pool_open(struct pool *p, const char *path, struct ae_err *e);

/* The public key of the first certificate in a PEM file. */
int ca_key_read(struct ae_key **out, const char *path, struct ae_err *e);

#endif
