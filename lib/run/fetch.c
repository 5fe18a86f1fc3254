/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One GET, one handshake; see fetch.h.
 */
#include "run/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "run/libcurl.h"

/* Of the whole, so that a second address can be tried as well. */
#define CONNECT_SHARE 2

struct ae_run_fetch {
	struct ae_run_curl lib;
	CURL *curl;
	char said[CURL_ERROR_SIZE]; /* by libcurl of the last failure */
};

int
ae_run_fetch_new(struct ae_run_fetch **out, struct ae_err *e)
{
	struct ae_run_fetch *f = calloc(1, sizeof(*f));
	int rc;

	if (f == NULL)
		return ae_fail_mem(e);
	rc = ae_run_curl_load(&f->lib, e);
	if (rc == AE_OK) {
		f->curl = f->lib.curl_easy_init();
		if (f->curl == NULL)
			rc = ae_fail_mem(e);
	}
	if (rc == AE_OK)
		*out = f;
	else
		ae_run_fetch_free(f);
	return rc;
}

void
ae_run_fetch_free(struct ae_run_fetch *f)
{
	if (f == NULL)
		return;
	if (f->curl != NULL)
		f->lib.curl_easy_cleanup(f->curl);
	free(f);
}

bool
ae_run_fetch_asks(const char *url)
{
	static const char scheme[] = "http://";
	size_t len = strnlen(url, AE_RUN_URL_MAX), host, i;

	if (len == AE_RUN_URL_MAX ||
	    strncasecmp(url, scheme, sizeof(scheme) - 1) != 0)
		return false;
	for (i = 0; i < len; i++)
		if (url[i] <= ' ' || url[i] > '~')
			return false;
	url += sizeof(scheme) - 1;
	host = strcspn(url, "/?#");
	return host > 0 && memchr(url, '@', host) == NULL &&
	    memchr(url, '\\', host) == NULL;
}

static size_t
on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct ae_wr *w = arg;

	ae_wr_bytes(w, p, size * n);
	return ae_wr_ok(w) ? size * n : 0; /* 0: break off */
}

static int
why(struct ae_run_fetch *f, CURLcode code, const struct ae_wr *w,
    struct ae_err *e)
{
	enum ae_rc rc = AE_EPROTO;

	if (code == CURLE_WRITE_ERROR && ae_wr_full(w))
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the answer is longer than %zu bytes", w->max);
	if (code == CURLE_OPERATION_TIMEDOUT)
		rc = AE_ETIMEDOUT;
	else if (code == CURLE_COULDNT_RESOLVE_HOST ||
	    code == CURLE_COULDNT_CONNECT ||
	    code == CURLE_COULDNT_RESOLVE_PROXY)
		rc = AE_EUNAVAIL;
	return ae_fail(e, rc, AE_DOM_NONE, (int64_t)code, "%s",
	    f->said[0] != '\0' ? f->said : f->lib.curl_easy_strerror(code));
}

/* What both kinds of call have in common. */
static void
prepare(struct ae_run_fetch *f, const char *url, int64_t ms)
{
	const struct ae_run_curl *l = &f->lib;

	l->curl_easy_reset(f->curl); /* connections are kept */
	f->said[0] = '\0';
	(void)l->curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, f->said);
	(void)l->curl_easy_setopt(f->curl, CURLOPT_URL, url);
	(void)l->curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
	(void)l->curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS, (long)ms);
	(void)l->curl_easy_setopt(
	    f->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(ms / CONNECT_SHARE));
	(void)l->curl_easy_setopt(f->curl, CURLOPT_FOLLOWLOCATION, 0L);
}

int
ae_run_fetch_get(struct ae_run_fetch *f, const char *url, int64_t ms,
    struct ae_wr *body, long *status, struct ae_err *e)
{
	const struct ae_run_curl *l = &f->lib;
	CURLcode code;

	*status = 0;
	if (!ae_run_fetch_asks(url))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "only http:// addresses are asked");
	prepare(f, url, ms);
	(void)l->curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "http");
	(void)l->curl_easy_setopt(f->curl, CURLOPT_USERAGENT, "autoenroll");
	(void)l->curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	(void)l->curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, body);
	code = l->curl_easy_perform(f->curl);
	(void)l->curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, status);
	if (code != CURLE_OK)
		return why(f, code, body, e);
	if (*status != 200)
		return ae_fail(e, AE_EREMOTE, AE_DOM_NONE, *status,
		    "HTTP status %ld", *status);
	return AE_OK;
}

/* "Cert:-----BEGIN…": of what libcurl tells about the first certificate. */
static bool
put_first(struct ae_wr *pem, const struct curl_certinfo *info)
{
	const struct curl_slist *s;

	if (info == NULL || info->num_of_certs < 1)
		return false;
	for (s = info->certinfo[0]; s != NULL; s = s->next)
		if (strncmp(s->data, "Cert:", 5) == 0) {
			ae_wr_str(pem, s->data + 5);
			return ae_wr_ok(pem);
		}
	return false;
}

int
ae_run_fetch_shown(struct ae_run_fetch *f, const char *address, uint16_t port,
    int64_t ms, struct ae_wr *pem, struct ae_err *e)
{
	const struct ae_run_curl *l = &f->lib;
	struct curl_certinfo *info = NULL;
	char url[128];
	CURLcode code;

	(void)snprintf(url, sizeof(url),
	    strchr(address, ':') == NULL ? "https://%s:%u/"
					 : "https://[%s]:%u/",
	    address, port);
	prepare(f, url, ms);
	(void)l->curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "https");
	(void)l->curl_easy_setopt(f->curl, CURLOPT_PROXY, "");
	(void)l->curl_easy_setopt(f->curl, CURLOPT_CONNECT_ONLY, 1L);
	(void)l->curl_easy_setopt(f->curl, CURLOPT_CERTINFO, 1L);
	/* It is looked at, and nothing is told to it. */
	(void)l->curl_easy_setopt(f->curl, CURLOPT_SSL_VERIFYPEER, 0L);
	(void)l->curl_easy_setopt(f->curl, CURLOPT_SSL_VERIFYHOST, 0L);
	code = l->curl_easy_perform(f->curl);
	if (code != CURLE_OK)
		return why(f, code, pem, e);
	code = l->curl_easy_getinfo(f->curl, CURLINFO_CERTINFO, &info);
	if (code != CURLE_OK || !put_first(pem, info))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "no certificate was shown");
	return AE_OK;
}
