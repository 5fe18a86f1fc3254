/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process that serves HTTP, as far as it is about connections: accepted
 * within limits, given to libmicrohttpd, cut off when they take too long.
 * A client has ten seconds for a whole request, however slowly its bytes
 * come, and a time for the answer that grows with its size.
 */
#include "http.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/sandbox.h"

#define REQUEST_MS 10000 /* for a request, and between two */
#define SEND_MS 30000	 /* for an answer ... */
#define SEND_RATE 16	 /* ... and a second for so many KiB of it */
#define WAIT_MS 8000	 /* for the process that knows the answer */
#define SWEEP_MS 500
#define POOL (24u * 1024u) /* memory of one connection */
#define ACCEPTS 64	   /* in one turn */

static struct MHD_Daemon *
daemon_of(const struct http *h, size_t listening)
{
	return listening < h->nsite ? h->site : h->metrics;
}

/* ---- going on ---- */

static void
arm(struct http *h, int64_t now)
{
	struct MHD_Daemon *const both[] = { h->site, h->metrics };
	int64_t at = now + SWEEP_MS;
	MHD_UNSIGNED_LONG_LONG ms;
	size_t i;

	for (i = 0; i < 2; i++)
		if (both[i] != NULL &&
		    MHD_get_timeout(both[i], &ms) == MHD_YES &&
		    now + (int64_t)ms < at)
			at = now + (int64_t)ms;
	ae_source_set_timer(h->timer, at);
}

static void
run(struct http *h)
{
	if (h->site != NULL)
		(void)MHD_run(h->site);
	if (h->metrics != NULL)
		(void)MHD_run(h->metrics);
	arm(h, ae_clock_mono_ms());
}

static void
on_epoll(void *arg, int fd, unsigned events)
{
	(void)fd;
	(void)events;
	run(arg);
}

/* ---- those that wait for an answer from another process ---- */

uint32_t
http_wait(struct req *r, bool ocsp)
{
	struct http *h = r->h;
	const uint32_t n = HTTP_WAITING_MAX;
	uint32_t i, at;

	for (i = 0; i < n; i++) {
		at = ++h->attempts % n;
		if (h->attempts == 0 || h->waiting[at] != NULL)
			continue;
		h->waiting[at] = r;
		h->wait_until[at] = ae_clock_mono_ms() + WAIT_MS;
		r->wait = h->attempts;
		r->ocsp = ocsp;
		return r->wait;
	}
	return 0;
}

struct req *
http_waited(struct http *h, uint32_t id)
{
	struct req **at = &h->waiting[id % HTTP_WAITING_MAX], *r = *at;

	if (r == NULL || r->wait != id)
		return NULL; /* it was given up */
	*at = NULL;
	r->wait = 0;
	return r;
}

void
http_resume(struct req *r)
{
	if (r->suspended) {
		r->suspended = false;
		MHD_resume_connection(r->c);
		ae_source_set_timer(r->h->timer, 0);
	}
}

/* What waits is told that there is no answer now. */
static void
give_up(struct http *h, int64_t now, enum role gone)
{
	size_t i;

	for (i = 0; i < HTTP_WAITING_MAX; i++) {
		struct req *r = h->waiting[i];

		if (r == NULL ||
		    (now < h->wait_until[i] &&
			gone != (r->ocsp ? ROLE_OCSP : ROLE_CA)))
			continue;
		(void)http_waited(h, r->wait);
		if (r->ocsp)
			ocsp_later(r);
		else
			(void)http_refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE);
		http_resume(r);
	}
}

/* ---- answers ---- */

/* Queued when the request is being handled, kept when it waits. */
static int
deliver(struct req *r, unsigned status, struct MHD_Response *take)
{
	struct MHD_Response *old = r->answer;

	if (old != NULL)
		MHD_destroy_response(old);
	r->answer = take;
	r->status = status;
	return take != NULL;
}

static void
put_max_age(struct MHD_Response *p, uint32_t max_age)
{
	char text[80];

	if (max_age > 0)
		(void)snprintf(text, sizeof(text),
		    "max-age=%u, public, no-transform, must-revalidate",
		    max_age);
	else
		(void)snprintf(text, sizeof(text), "no-store");
	(void)MHD_add_response_header(p, MHD_HTTP_HEADER_CACHE_CONTROL, text);
}

int
http_answer(struct req *r, unsigned status, const char *type, const void *p,
    size_t len, uint32_t max_age)
{
	union {
		const void *c;
		void *p;
	} bytes = { .c = p };
	struct MHD_Response *a = MHD_create_response_from_buffer(
	    len, bytes.p, MHD_RESPMEM_MUST_COPY);

	if (a == NULL)
		return deliver(r, 0, NULL);
	(void)MHD_add_response_header(a, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	put_max_age(a, max_age);
	return deliver(r, status, a);
}

int
http_response(
    struct req *r, unsigned status, struct MHD_Response *take, uint64_t len)
{
	r->size = len;
	return deliver(r, status, take);
}

int
http_refuse(struct req *r, unsigned status)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%u %s\n", status,
	    MHD_get_reason_phrase_for(status));

	/* RFC 9110 15.4.5: that one has no content */
	if (status == MHD_HTTP_NOT_MODIFIED)
		n = 0;
	return http_answer(
	    r, status, "text/plain", text, n > 0 ? (size_t)n : 0, 0);
}

/* ---- requests ---- */

static void
allow_sending(struct req *r, uint64_t len)
{
	if (r->conn != NULL)
		r->conn->deadline = ae_clock_mono_ms() + SEND_MS +
		    (int64_t)(len / SEND_RATE); /* KiB a second: B a ms */
}

static enum MHD_Result
send_answer(struct req *r)
{
	struct MHD_Response *a = r->answer;
	enum MHD_Result ok;

	if (a == NULL)
		return MHD_NO; /* no memory for one: the connection ends */
	ok = MHD_queue_response(r->c, r->status, a);
	MHD_destroy_response(a);
	r->answer = NULL;
	return ok;
}

/* Whole: answered at once, or when the answer comes. */
static enum MHD_Result
finish(struct req *r)
{
	allow_sending(r, r->size);
	if (r->wait != 0) {
		r->suspended = true;
		MHD_suspend_connection(r->c);
		return MHD_YES;
	}
	return send_answer(r);
}

static bool
is(const char *method, const char *what)
{
	return strcmp(method, what) == 0;
}

static bool
allowed(struct req *r)
{
	const union MHD_ConnectionInfo *i =
	    MHD_get_connection_info(r->c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (i != NULL && i->client_addr != NULL &&
	    limit_take(r->h->limit, i->client_addr, ae_clock_mono_ms()))
		return true;
	r->h->m.v[M_HTTP_REFUSED]++;
	return false;
}

/* The beginning of a request: headers, no body yet. */
static struct req *
begin(struct http *h, struct MHD_Connection *c)
{
	struct req *r = calloc(1, sizeof(*r));
	const union MHD_ConnectionInfo *i;

	if (r == NULL)
		return NULL;
	r->h = h;
	r->c = c;
	i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	r->conn = i != NULL ? i->socket_context : NULL;
	ae_wr_init(&r->body, AE_OCSP_REQUEST_MAX);
	return r;
}

/* A part of a body, or after the last one the whole request. */
static enum MHD_Result
post(struct req *r, const char *path, const char *data, size_t *len)
{
	if (*len > 0) {
		if (r->body.len + *len > AE_OCSP_REQUEST_MAX)
			r->too_large = true;
		else
			ae_wr_bytes(&r->body, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (!is(path, OCSP_PATH) && !is(path, OCSP_PATH "/"))
		(void)http_refuse(r, MHD_HTTP_NOT_FOUND);
	else if (r->too_large)
		(void)http_refuse(r, MHD_HTTP_CONTENT_TOO_LARGE);
	else
		(void)ocsp_ask(r, r->body.p, r->body.len);
	return finish(r);
}

static enum MHD_Result
handle(void *arg, struct MHD_Connection *c, const char *path,
    const char *method, const char *version, const char *data, size_t *len,
    void **state)
{
	struct http *h = arg;
	struct req *r = *state;
	const bool get = is(method, "GET") || is(method, "HEAD");

	(void)version;
	if (r == NULL) {
		*state = r = begin(h, c);
		if (r == NULL)
			return MHD_NO;
		r->limited = !allowed(r);
		return MHD_YES;
	}
	if (r->answer != NULL) /* it has waited for it */
		return send_answer(r);
	if (is(method, "POST") && !r->limited)
		return post(r, path, data, len);
	if (*len > 0) { /* nobody wants it, but it has to come to its end */
		*len = 0;
		return MHD_YES;
	}
	if (r->limited)
		(void)http_refuse(r, MHD_HTTP_TOO_MANY_REQUESTS);
	else if (get)
		(void)site_get(r, path);
	else
		(void)http_refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED);
	return finish(r);
}

static enum MHD_Result
handle_metrics(void *arg, struct MHD_Connection *c, const char *path,
    const char *method, const char *version, const char *data, size_t *len,
    void **state)
{
	struct http *h = arg;
	struct req *r = *state;

	(void)version;
	(void)data;
	if (r == NULL) {
		*state = r = begin(h, c);
		return r != NULL ? MHD_YES : MHD_NO;
	}
	if (*len > 0) {
		*len = 0;
		return MHD_YES;
	}
	if (r->answer != NULL)
		return send_answer(r);
	if (is(method, "GET") || is(method, "HEAD"))
		(void)figures_get(r, path);
	else
		(void)http_refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED);
	return finish(r);
}

static void
completed(void *arg, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode how)
{
	struct req *r = *state;

	(void)arg;
	(void)c;
	(void)how;
	if (r == NULL)
		return;
	if (r->wait != 0)
		(void)http_waited(r->h, r->wait);
	if (r->answer != NULL)
		MHD_destroy_response(r->answer);
	if (r->conn != NULL) /* for the next one */
		r->conn->deadline = ae_clock_mono_ms() + REQUEST_MS;
	ae_wr_done(&r->body);
	free(r);
	*state = NULL;
}

/* ---- connections ---- */

static void
conn_begin(struct http *h, struct MHD_Connection *c, void **context)
{
	const union MHD_ConnectionInfo *i =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct conn *n = calloc(1, sizeof(*n));

	*context = n;
	if (n == NULL || i == NULL) {
		/* Nobody would cut it off: it goes at once. */
		if (i != NULL)
			(void)shutdown(i->connect_fd, SHUT_RDWR);
		free(n);
		*context = NULL;
		return;
	}
	n->h = h;
	n->fd = i->connect_fd;
	n->deadline = ae_clock_mono_ms() + REQUEST_MS;
	n->next = h->conns;
	n->at = &h->conns;
	if (n->next != NULL)
		n->next->at = &n->next;
	h->conns = n;
	h->m.v[M_HTTP_CONNECTIONS]++;
}

static void
conn_end(struct http *h, struct conn *n)
{
	*n->at = n->next;
	if (n->next != NULL)
		n->next->at = n->at;
	h->m.v[M_HTTP_CONNECTIONS]--;
	free(n);
}

static void
noticed(void *arg, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		conn_begin(arg, c, context);
	else if (*context != NULL)
		conn_end(arg, *context);
}

static void
sweep(struct http *h, int64_t now)
{
	struct conn *n;

	for (n = h->conns; n != NULL; n = n->next)
		if (now >= n->deadline) {
			n->deadline = INT64_MAX;
			h->m.v[M_HTTP_REFUSED]++;
			(void)shutdown(n->fd, SHUT_RDWR);
		}
	give_up(h, now, ROLE_COUNT);
}

static void
tell_figures(struct http *h, int64_t now)
{
	if (now < h->told + FIGURES_MS)
		return;
	h->told = now;
	figures_send(h->p, &h->m);
}

static void
on_timer(void *arg)
{
	struct http *h = arg;
	int64_t now = ae_clock_mono_ms();

	sweep(h, now);
	tell_figures(h, now);
	run(h);
}

static void
on_listen(void *arg, int fd, unsigned events)
{
	struct http *h = arg;
	struct sockaddr_storage from;
	socklen_t len;
	size_t i;
	int n, c;

	(void)events;
	for (i = 0; i < h->p->nlisten && h->p->listen[i] != fd; i++)
		;
	for (n = 0; n < ACCEPTS; n++) {
		len = sizeof(from);
		c = accept4(fd, (struct sockaddr *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c < 0)
			break;
		/* It closes the socket when it does not take it. */
		if (MHD_add_connection(daemon_of(h, i), c,
			(const struct sockaddr *)&from, len) != MHD_YES)
			h->m.v[M_HTTP_REFUSED]++;
	}
	run(h);
}

/* ---- life ---- */

static void log_mhd(void *arg, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
log_mhd(void *arg, const char *fmt, va_list ap)
{
	struct http *h = arg;
	char text[256];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\r\n")] = '\0';
	log_line(h->p, AE_LOG_DEBUG, "libmicrohttpd: %s", text);
}

static struct MHD_Daemon *
start_daemon(struct http *h, MHD_AccessHandlerCallback handler)
{
	const struct conf *c = &h->p->conf;

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
		MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
	    0, NULL, NULL, handler, h, MHD_OPTION_EXTERNAL_LOGGER, log_mhd, h,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->http_max_connections,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	    (unsigned)c->http_max_per_address,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL,
	    MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_COMPLETED, completed, h,
	    MHD_OPTION_NOTIFY_CONNECTION, noticed, h, MHD_OPTION_END);
}

static int
http_open(struct proc *p, struct ae_err *e)
{
	struct http *h = calloc(1, sizeof(*h));
	const struct conf *c = &p->conf;

	if (h == NULL)
		return ae_fail_mem(e);
	p->state = h;
	h->p = p;
	h->nsite = c->http_address.n;
	h->limit = limit_new(c->http_per_second, p->seed);
	if (h->limit == NULL)
		return ae_fail_mem(e);
	if (h->nsite > 0)
		h->site = start_daemon(h, handle);
	if (c->metrics_port != 0)
		h->metrics = start_daemon(h, handle_metrics);
	if ((h->nsite > 0 && h->site == NULL) ||
	    (c->metrics_port != 0 && h->metrics == NULL))
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "libmicrohttpd does not start");
	return site_open(h, e);
}

static int
watch_daemon(struct http *h, struct MHD_Daemon *d, struct ae_source **s,
    struct ae_err *e)
{
	const union MHD_DaemonInfo *i;

	if (d == NULL)
		return AE_OK;
	i = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
	if (i == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "libmicrohttpd has no epoll");
	return ae_loop_fd(
	    s, h->p->loop, i->epoll_fd, AE_LOOP_IN, on_epoll, h, e);
}

static int
http_start(struct proc *p, struct ae_err *e)
{
	struct http *h = p->state;
	size_t i;
	int rc = ae_loop_timer(&h->timer, p->loop, on_timer, h, e);

	for (i = 0; i < p->nlisten && rc == AE_OK; i++)
		rc = ae_loop_fd(&h->listen[i], p->loop, p->listen[i],
		    AE_LOOP_IN, on_listen, h, e);
	if (rc == AE_OK)
		rc = watch_daemon(h, h->site, &h->fd_site, e);
	if (rc == AE_OK)
		rc = watch_daemon(h, h->metrics, &h->fd_metrics, e);
	if (rc == AE_OK)
		ae_source_set_timer(h->timer, 0);
	return rc;
}

static void
peer_down(struct proc *p, struct peer *peer)
{
	give_up(p->state, 0, peer->role);
}

static const struct ae_ipc_row ocsp_rows[] = {
	{ MSG_OCSP_ANSWER, AE_OCSP_RESPONSE_MAX + 8, 1, false, on_ocsp_answer },
	{ .handle = NULL },
};

static const struct ae_ipc_row ca_rows[] = {
	{ MSG_METRICS_TEXT, MSG_METRICS_MAX, 1, false, on_metrics_text },
	{ .handle = NULL },
};

static const struct role_link links[] = {
	{ ROLE_OCSP, ocsp_rows },
	{ ROLE_CA, ca_rows },
	{ .rows = NULL },
};

const struct role_def role_http = {
	.role = ROLE_HTTP,
	.user = "_certsrv-http",
	.may = AE_MAY_ACCEPT | AE_MAY_READ_FILES,
	.max_memory = 512ULL * 1024 * 1024,
	.oom = 500,
	.links = links,
	.open = http_open,
	.start = http_start,
	.peer_down = peer_down,
};
