/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What HTTP serves: CRLs as they lie in their directory, the CA's
 * certificates as they were at the start, figures as ca has them.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ca/cacerts.h"
#include "cafile.h"
#include "http.h"

#define CRL_PATH "/crl/"
#define AIA_PATH "/aia/"
#define AIA_MAX_AGE 86400u
#define NAME_MAX_LEN 200u

/* "/aia/Example CA.crt", of later certificates "/aia/Example CA(2).crt". */
static int
one_certificate(struct http *h, const struct ae_ca_cert *c, struct ae_err *e)
{
	struct aia *a = &h->aia[h->naia];
	char suffix[AE_CA_SUFFIX_MAX], *p;

	if (asprintf(&a->path, AIA_PATH "%s%s.crt", h->p->conf.name,
		ae_ca_suffix(suffix, c->index)) < 0) {
		a->path = NULL;
		return ae_fail_mem(e);
	}
	for (p = a->path + strlen(AIA_PATH); *p != '\0'; p++)
		if (*p == '/')
			*p = '_';
	a->cert = ae_cert_dup(c->cert);
	if (a->cert == NULL)
		return ae_fail_mem(e);
	h->naia++;
	return AE_OK;
}

int
site_open(struct http *h, struct ae_err *e)
{
	struct cafile f;
	size_t i;
	int rc = cafile_read(&f, &h->p->conf, false, e);

	if (rc < 0)
		return rc;
	h->aia = calloc(f.list.n, sizeof(*h->aia));
	if (h->aia == NULL)
		rc = ae_fail_mem(e);
	for (i = 0; i < f.list.n && rc == AE_OK; i++)
		rc = one_certificate(h, &f.list.v[i], e);
	cafile_done(&f);
	if (rc == AE_OK && !proc_allow_read(h->p, h->p->conf.crl_dir))
		rc = ae_fail_mem(e);
	return rc;
}

/* ---- CRLs ---- */

/* A name that parent may have given a CRL. */
static bool
crl_name(const char *s)
{
	const size_t n = strlen(s);

	return n > 4 && n <= NAME_MAX_LEN && s[0] != '.' &&
	    strchr(s, '/') == NULL && strcmp(s + n - 4, ".crl") == 0;
}

static bool
unchanged(struct req *r, const char *tag)
{
	const char *have = MHD_lookup_connection_value(
	    r->c, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);

	return have != NULL && strcmp(have, tag) == 0;
}

static int
serve_file(struct req *r, int take_fd, const struct stat *st)
{
	struct MHD_Response *a;
	char tag[64], date[64];
	struct tm tm;

	(void)snprintf(tag, sizeof(tag), "\"%llx-%llx-%llx\"",
	    (unsigned long long)st->st_ino, (unsigned long long)st->st_mtime,
	    (unsigned long long)st->st_size);
	if (unchanged(r, tag)) {
		(void)close(take_fd);
		return http_refuse(r, MHD_HTTP_NOT_MODIFIED);
	}
	a = MHD_create_response_from_fd64((uint64_t)st->st_size, take_fd);
	if (a == NULL) {
		(void)close(take_fd);
		return http_refuse(r, MHD_HTTP_INTERNAL_SERVER_ERROR);
	}
	(void)MHD_add_response_header(
	    a, MHD_HTTP_HEADER_CONTENT_TYPE, "application/pkix-crl");
	(void)MHD_add_response_header(a, MHD_HTTP_HEADER_ETAG, tag);
	(void)MHD_add_response_header(
	    a, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	if (gmtime_r(&st->st_mtime, &tm) != NULL &&
	    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		(void)MHD_add_response_header(
		    a, MHD_HTTP_HEADER_LAST_MODIFIED, date);
	return http_response(r, MHD_HTTP_OK, a, (uint64_t)st->st_size);
}

static int
serve_crl(struct req *r, const char *name)
{
	char *path = NULL;
	struct stat st;
	int fd;

	r->h->m.v[M_HTTP_CRL]++;
	if (!crl_name(name))
		return http_refuse(r, MHD_HTTP_NOT_FOUND);
	if (asprintf(&path, "%s/%s", r->h->p->conf.crl_dir, name) < 0)
		return http_refuse(r, MHD_HTTP_INTERNAL_SERVER_ERROR);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	free(path);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return serve_file(r, fd, &st);
	if (fd >= 0)
		(void)close(fd);
	return http_refuse(r, MHD_HTTP_NOT_FOUND);
}

/* ---- certificates ---- */

static int
serve_certificate(struct req *r, const char *path)
{
	const struct http *h = r->h;
	size_t i;

	r->h->m.v[M_HTTP_AIA]++;
	for (i = 0; i < h->naia; i++)
		if (strcmp(h->aia[i].path, path) == 0)
			return http_answer(r, MHD_HTTP_OK,
			    "application/pkix-cert", h->aia[i].cert->der.p,
			    h->aia[i].cert->der.len, AIA_MAX_AGE);
	return http_refuse(r, MHD_HTTP_NOT_FOUND);
}

static bool
below(const char *path, const char *prefix)
{
	return strncmp(path, prefix, strlen(prefix)) == 0;
}

int
site_get(struct req *r, const char *path)
{
	if (below(path, CRL_PATH))
		return serve_crl(r, path + strlen(CRL_PATH));
	if (below(path, AIA_PATH))
		return serve_certificate(r, path);
	if (below(path, OCSP_PATH "/"))
		return ocsp_get(r, path + strlen(OCSP_PATH "/"));
	r->h->m.v[M_HTTP_OTHER]++;
	return http_refuse(r, MHD_HTTP_NOT_FOUND);
}

/* ---- figures ---- */

int
figures_get(struct req *r, const char *path)
{
	struct peer *ca = peer_of(r->h->p, ROLE_CA, 0);
	struct ae_wr w;
	bool ok;

	if (strcmp(path, "/metrics") != 0)
		return http_refuse(r, MHD_HTTP_NOT_FOUND);
	ae_wr_init(&w, METRICS_BYTES);
	metrics_put(&w, &r->h->m);
	ok =
	    http_wait(r, false) != 0 && peer_send(ca, MSG_METRICS, r->wait, &w);
	ae_wr_done(&w);
	if (ok)
		return AE_OK;
	if (r->wait != 0)
		(void)http_waited(r->h, r->wait);
	return http_refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE);
}

int
on_metrics_text(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct req *r = http_waited(peer->p->state, m->id);

	(void)ipc;
	(void)e;
	if (r == NULL)
		return AE_OK;
	(void)http_answer(r, MHD_HTTP_OK,
	    "text/plain; version=0.0.4; charset=utf-8", m->body, m->len, 0);
	http_resume(r);
	return AE_OK;
}
