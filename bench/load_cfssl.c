/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A client of "cfssl serve", the peer: POST /api/v1/cfssl/sign on a
 * connection that is kept open.  Knows as much HTTP as that needs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "load.h"

#define BUF_MAX 65536

struct load_client {
	struct load_options o;
	int fd;
	char buf[BUF_MAX], csr[BUF_MAX];
};

static int
cfssl_open(
    struct load_client **out, const struct load_options *o, struct ae_err *e)
{
	struct load_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ae_fail_mem(e);
	c->o = *o;
	c->fd = -1;
	*out = c;
	return AE_OK;
}

static void
cfssl_leave(struct load_client *c)
{
	(void)c; /* keep-alive: that is how its rate is quoted */
}

static void
cut(struct load_client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

static int
connection(struct load_client *c, struct ae_err *e)
{
	struct addrinfo hints = { .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM },
			*found = NULL;
	char port[8];
	int on = 1;

	if (c->fd >= 0)
		return AE_OK;
	(void)snprintf(port, sizeof(port), "%u", c->o.port);
	if (getaddrinfo(c->o.host, port, &hints, &found) != 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "%s: no address", c->o.host);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, found->ai_addr, found->ai_addrlen) < 0) {
		cut(c);
		freeaddrinfo(found);
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, errno,
		    "connecting to %s:%s", c->o.host, port);
	}
	freeaddrinfo(found);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return AE_OK;
}

/* The request in JSON, as PEM with escaped line ends. */
static size_t
body(struct load_client *c, const void *csr, size_t len)
{
	char *b64 = malloc(4 * ((len + 2) / 3) + 1);
	size_t n, i, k;

	if (b64 == NULL)
		abort();
	n = (size_t)EVP_EncodeBlock((unsigned char *)b64, csr, (int)len);
	k = (size_t)snprintf(c->csr, sizeof(c->csr),
	    "{\"certificate_request\":\"-----BEGIN CERTIFICATE "
	    "REQUEST-----\\n");
	for (i = 0; i < n; i += 64)
		k += (size_t)snprintf(
		    c->csr + k, sizeof(c->csr) - k, "%.64s\\n", b64 + i);
	k += (size_t)snprintf(c->csr + k, sizeof(c->csr) - k,
	    "-----END CERTIFICATE REQUEST-----\\n\"}");
	free(b64);
	return k;
}

static int
post(struct load_client *c, const void *csr, size_t len, struct ae_err *e)
{
	size_t n = body(c, csr, len), done = 0;
	int head = snprintf(c->buf, sizeof(c->buf),
	    "POST /api/v1/cfssl/sign HTTP/1.1\r\nHost: %s\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	    c->o.host, n);

	memcpy(c->buf + head, c->csr, n);
	n += (size_t)head;
	while (done < n) {
		ssize_t k = send(c->fd, c->buf + done, n - done, MSG_NOSIGNAL);

		if (k <= 0)
			return ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, errno,
			    "sending to cfssl");
		done += (size_t)k;
	}
	return AE_OK;
}

/* The body of the answer, in c->buf. */
static int
receive(struct load_client *c, char **text, struct ae_err *e)
{
	size_t n = 0, want = 0;
	char *end = NULL, *field;

	while (end == NULL || n < want) {
		ssize_t k = recv(c->fd, c->buf + n, sizeof(c->buf) - 1 - n, 0);

		if (k <= 0)
			return ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, errno,
			    "reading from cfssl");
		n += (size_t)k;
		c->buf[n] = '\0';
		if (end != NULL || (end = strstr(c->buf, "\r\n\r\n")) == NULL)
			continue;
		field = strcasestr(c->buf, "\nContent-Length:");
		if (field == NULL || field > end)
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "an answer without its length");
		want =
		    (size_t)(end + 4 - c->buf) + strtoul(field + 16, NULL, 10);
		if (want >= sizeof(c->buf))
			return ae_fail(
			    e, AE_ELIMIT, AE_DOM_NONE, 0, "a long answer");
	}
	*text = end + 4;
	return AE_OK;
}

static int
certificate(const char *text, struct ae_cert **out, struct ae_err *e)
{
	json_t *o = json_loads(text, 0, NULL);
	const char *pem = json_string_value(
	    json_object_get(json_object_get(o, "result"), "certificate"));
	struct ae_cert **v = NULL;
	size_t n = 0;
	int rc;

	if (pem == NULL)
		rc = ae_fail(
		    e, AE_EREMOTE, AE_DOM_NONE, 0, "cfssl: %.200s", text);
	else
		rc = ae_certs_read(&v, &n, 1, pem, strlen(pem), e);
	if (rc == AE_OK) {
		*out = v[0];
		free(v);
	}
	json_decref(o);
	return rc;
}

static int
cfssl_enroll(struct load_client *c, const void *csr, size_t len,
    struct load_answer *answer, struct ae_err *e)
{
	char *text = NULL;
	int rc = connection(c, e);

	if (rc == AE_OK)
		rc = post(c, csr, len, e);
	if (rc == AE_OK)
		rc = receive(c, &text, e);
	if (rc < 0) {
		cut(c);
		return rc;
	}
	answer->request_id = 0;
	return certificate(text, &answer->cert, e);
}

const struct load_kind load_cfssl = {
	.open = cfssl_open,
	.enroll = cfssl_enroll,
	.leave = cfssl_leave,
};
