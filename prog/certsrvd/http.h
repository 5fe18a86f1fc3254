/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the process that serves HTTP: CRLs and certificates of the CA from
 * files, OCSP for the ocsp process, figures for whoever watches the CA.  No
 * keys, no database; libmicrohttpd speaks the protocol and is seen in
 * http*.c alone.
 */
#ifndef CERTSRVD_HTTP_H
#define CERTSRVD_HTTP_H

#include <sys/types.h>

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_limit.h"
#include "metrics.h"
#include "pki/ocsp.h"
#include "role.h"

#define HTTP_WAITING_MAX 1024u /* requests that another process answers */

/* One connection, as far as its time is concerned. */
struct conn {
	struct conn *next, **at; /* of all of them */
	struct http *h;
	int fd;
	int64_t deadline; /* monotonic ms: then it is cut off */
};

/* A request; its answer may be a while away. */
struct req {
	struct http *h;
	struct conn *conn;
	struct MHD_Connection *c;
	struct ae_wr body; /* of a POST */
	bool too_large, limited;
	bool ocsp;     /* waits for ocsp, else for ca */
	uint32_t wait; /* the id it waits under; 0: it does not */
	bool suspended;
	struct MHD_Response *answer; /* there now */
	unsigned status;
	uint64_t size; /* of a large one */
};

/* A certificate of the CA, for /aia/. */
struct aia {
	char *path; /* "/aia/Example CA.crt" */
	struct ae_cert *cert;
};

struct http {
	struct proc *p;
	struct MHD_Daemon *site, *metrics; /* NULL: not served */
	struct ae_source *listen[8];
	struct ae_source *fd_site, *fd_metrics, *timer;
	size_t nsite; /* listening sockets of the site, the rest: metrics */
	struct conn *conns;
	struct req *waiting[HTTP_WAITING_MAX];
	int64_t wait_until[HTTP_WAITING_MAX];
	uint32_t attempts;
	struct limit *limit;
	struct aia *aia;
	size_t naia;
	struct metrics m;
	int64_t told; /* when the figures went to ca */
};

/* ---- http.c ---- */

/* Let it wait for an answer; the id to ask under, 0: too many do. */
uint32_t http_wait(struct req *r, bool ocsp);
/* The one that waits under this id, which it does no longer; or NULL. */
struct req *http_waited(struct http *h, uint32_t id);
/* Answer it with these bytes (copied) now, or when it goes on. */
int http_answer(struct req *r, unsigned status, const char *type, const void *p,
    size_t len, uint32_t max_age);
/* The same with a response of its own, of so many bytes. */
int http_response(
    struct req *r, unsigned status, struct MHD_Response *take, uint64_t len);
int http_refuse(struct req *r, unsigned status); /* with a word for people */
/* The answer is there: it goes on. */
void http_resume(struct req *r);

/* ---- http_site.c ---- */

int site_open(struct http *h, struct ae_err *e) AE_MUST_CHECK;
/* Answer a GET of the site, or of the figures. */
int site_get(struct req *r, const char *path);
int figures_get(struct req *r, const char *path);
int on_metrics_text(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);

/* ---- http_ocsp.c ---- */

#define OCSP_PATH "/ocsp"

/* Ask ocsp for an answer to this request. */
int ocsp_ask(struct req *r, const void *der, size_t len);
/* The request stands in the path, behind OCSP_PATH "/" (RFC 6960 A.1). */
int ocsp_get(struct req *r, const char *text);
/* No answer in time, or none to be had. */
void ocsp_later(struct req *r);
int on_ocsp_answer(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);

#endif
