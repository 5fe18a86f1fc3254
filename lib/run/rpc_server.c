/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Connections of a server: a slot table, the list of those that have not
 * authenticated, and the pump that moves one connection on.
 */
#include "run/rpc_server.h"

#include <sys/socket.h>

#include <arpa/inet.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/tcp.h"

#define LISTENERS_MAX 8
#define ACCEPT_BURST 16	 /* connections taken in one turn */
#define ACCEPT_PAUSE 100 /* ms without accepting when out of descriptors */
#define READ_MAX 16384
#define READ_BURST 4 /* reads of one connection in one turn */

/* Connections that have not authenticated, oldest first. */
struct anon {
	struct ae_run_conn *prev, *next;
};

struct ae_run_conn {
	struct ae_run_server *s;
	struct ae_rpc_conn *rpc;
	struct ae_source *io, *timer;
	int fd;
	uint32_t id;
	unsigned events; /* what io waits for */
	bool anon;
	bool pumping, again;
	bool dead; /* to be closed when the pump is left */
	bool eof;  /* the peer will send nothing more */
	bool full; /* it sent more than there is room for now */
	struct ae_err why;
	struct anon link;
	int64_t active;	  /* last byte either way */
	int64_t progress; /* last time output shrank or was empty */
	int64_t armed;	  /* when timer is due */
	uint8_t ip[16];
	size_t iplen;
	char iptext[INET6_ADDRSTRLEN];
	char peer[INET6_ADDRSTRLEN + 8];
};

struct listener {
	struct ae_run_server *s;
	struct ae_source *io;
	int fd;
};

struct ae_run_server {
	struct ae_loop *loop;
	struct ae_rpc_server *rpc;
	struct ae_run_limits lim;
	const struct ae_run_server_ops *ops;
	void *arg;
	struct listener listener[LISTENERS_MAX];
	size_t nlisteners;
	struct ae_source *resume; /* accepting again */
	int reserve;		  /* a descriptor kept for the last one */
	struct ae_run_conn **slot;
	uint16_t *generation;
	size_t nconns, next_slot;
	struct anon anons; /* next: oldest, prev: newest */
	size_t nanons;
	bool closing;
};

static void pump(struct ae_run_conn *c);

static const struct ae_run_limits defaults = {
	.max_conns = 12000,
	.max_anon_per_ip = 32,
	.max_anon = 1024,
	.anon_idle_ms = 60 * 1000,
	.write_ms = 30 * 1000,
	.max_output = 256 * 1024,
};

static uint64_t
now_of(const struct ae_run_server *s)
{
	return (uint64_t)ae_loop_now(s->loop);
}

/* ---- the list of anonymous connections ---- */

static void
anon_add(struct ae_run_conn *c)
{
	struct ae_run_server *s = c->s;

	c->anon = true;
	c->link.next = NULL;
	c->link.prev = s->anons.prev;
	if (s->anons.prev != NULL)
		s->anons.prev->link.next = c;
	else
		s->anons.next = c;
	s->anons.prev = c;
	s->nanons++;
}

static void
anon_remove(struct ae_run_conn *c)
{
	struct ae_run_server *s = c->s;

	if (!c->anon)
		return;
	c->anon = false;
	if (c->link.prev != NULL)
		c->link.prev->link.next = c->link.next;
	else
		s->anons.next = c->link.next;
	if (c->link.next != NULL)
		c->link.next->link.prev = c->link.prev;
	else
		s->anons.prev = c->link.prev;
	s->nanons--;
}

static size_t
anon_from(const struct ae_run_server *s, const uint8_t *ip, size_t len)
{
	const struct ae_run_conn *c;
	size_t n = 0;

	for (c = s->anons.next; c != NULL; c = c->link.next)
		n += c->iplen == len && memcmp(c->ip, ip, len) == 0;
	return n;
}

/* ---- one connection ---- */

static void
conn_free(struct ae_run_conn *c)
{
	struct ae_run_server *s = c->s;

	anon_remove(c);
	ae_source_free(c->io);
	ae_source_free(c->timer);
	if (c->rpc != NULL)
		ae_rpc_conn_free(c->rpc);
	if (c->fd >= 0)
		(void)close(c->fd);
	if (s->slot[c->id & 0xffff] == c) {
		s->slot[c->id & 0xffff] = NULL;
		s->nconns--;
	}
	free(c);
}

static void
conn_close(struct ae_run_conn *c)
{
	struct ae_run_server *s = c->s;

	s->ops->closed(s->arg, c, &c->why);
	conn_free(c);
}

static void
dispatch(struct ae_run_conn *c, const struct ae_rpc_event *ev)
{
	struct ae_run_server *s = c->s;

	switch (ev->type) {
	case AE_RPC_EVENT_AUTH:
		s->ops->auth(s->arg, c, &ev->u.auth);
		break;
	case AE_RPC_EVENT_CALL:
		s->ops->call(s->arg, c, &ev->u.call);
		break;
	case AE_RPC_EVENT_CANCEL:
		if (s->ops->cancel != NULL)
			s->ops->cancel(s->arg, c, ev->u.cancel);
		break;
	case AE_RPC_EVENT_AUTH_GONE:
		s->ops->auth_gone(s->arg, c, ev->u.gone.auth, ev->u.gone.name);
		break;
	case AE_RPC_EVENT_CLOSED:
		if (c->why.rc == AE_OK)
			c->why = ev->u.closed;
		break;
	}
}

/* Write what there is.  False: the socket failed. */
static bool
write_out(struct ae_run_conn *c)
{
	const uint8_t *p;
	size_t len;
	ssize_t n;

	for (;;) {
		p = ae_rpc_conn_output(c->rpc, &len);
		if (len == 0) {
			c->progress = ae_loop_now(c->s->loop);
			return true;
		}
		n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0)
			return false;
		ae_rpc_conn_sent(c->rpc, (size_t)n, now_of(c->s));
		c->progress = c->active = ae_loop_now(c->s->loop);
	}
}

/*
 * The earliest of the protocol's deadline and our own two.  One that moved
 * away, as they do with each PDU, is found out when the timer is due.
 */
static void
rearm(struct ae_run_conn *c, size_t outlen)
{
	const struct ae_run_limits *lim = &c->s->lim;
	uint64_t d = ae_rpc_conn_deadline(c->rpc);
	int64_t at = d > (uint64_t)INT64_MAX ? AE_LOOP_NEVER : (int64_t)d;

	if (c->anon && c->active + lim->anon_idle_ms < at)
		at = c->active + lim->anon_idle_ms;
	if (outlen > 0 && c->progress + lim->write_ms < at)
		at = c->progress + lim->write_ms;
	if (at >= c->armed)
		return;
	c->armed = at;
	ae_source_set_timer(c->timer, at);
}

/*
 * Who waits for our answer sends nothing: only a peer that sends when there
 * is no room for it is not listened to.
 */
static void
interest(struct ae_run_conn *c)
{
	size_t outlen;
	unsigned ev = 0;

	(void)ae_rpc_conn_output(c->rpc, &outlen);
	if (outlen > 0)
		ev |= AE_LOOP_OUT;
	c->full = c->full && ae_rpc_conn_room(c->rpc) == 0;
	if (!c->eof && !c->full && outlen < c->s->lim.max_output)
		ev |= AE_LOOP_IN;
	if (ev != c->events) {
		c->events = ev;
		ae_source_set_events(c->io, ev);
	}
	rearm(c, outlen);
}

/*
 * Move on: events to the owner, output to the socket, until neither is
 * left.  The owner may answer from inside its callback; that call only
 * marks that another round is needed.  c may be gone afterwards.
 */
static void
pump(struct ae_run_conn *c)
{
	struct ae_rpc_event ev;

	if (c->pumping) {
		c->again = true;
		return;
	}
	c->pumping = true;
	do {
		c->again = false;
		while (ae_rpc_conn_event(c->rpc, &ev))
			dispatch(c, &ev);
		if (!c->dead && !write_out(c)) {
			(void)ae_fail_errno(&c->why, errno, "sending");
			ae_rpc_conn_eof(c->rpc, now_of(c->s));
			c->dead = true;
			c->again = true; /* contexts that are gone now */
		}
	} while (c->again);
	c->pumping = false;
	if (c->dead || ae_rpc_conn_finished(c->rpc))
		conn_close(c);
	else
		interest(c);
}

/* The connection ends here; pump tells the owner. */
static void
kill_conn(struct ae_run_conn *c, enum ae_rc rc, const char *why)
{
	if (c->why.rc == AE_OK)
		(void)ae_fail(&c->why, rc, AE_DOM_NONE, 0, "%s", why);
	ae_rpc_conn_eof(c->rpc, now_of(c->s));
	c->dead = true;
}

static void
read_in(struct ae_run_conn *c)
{
	uint8_t buf[READ_MAX];
	size_t room, i;
	ssize_t n;

	for (i = 0; i < READ_BURST && !c->dead; i++) {
		room = ae_rpc_conn_room(c->rpc);
		if (room == 0) {
			c->full = true;
			return;
		}
		if (room > sizeof(buf))
			room = sizeof(buf);
		n = recv(c->fd, buf, room, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			kill_conn(c, AE_EUNAVAIL, "connection reset");
			return;
		}
		if (n == 0) {
			c->eof = true;
			ae_rpc_conn_eof(c->rpc, now_of(c->s));
			return;
		}
		c->active = ae_loop_now(c->s->loop);
		ae_rpc_conn_feed(c->rpc, buf, (size_t)n, now_of(c->s));
		if ((size_t)n < room)
			return;
	}
}

static void
on_io(void *arg, int fd, unsigned events)
{
	struct ae_run_conn *c = arg;

	(void)fd;
	if ((events & AE_LOOP_IN) != 0)
		read_in(c);
	else if ((events & AE_LOOP_HUP) != 0)
		kill_conn(c, AE_EUNAVAIL, "connection reset");
	pump(c);
}

static void
on_timer(void *arg)
{
	struct ae_run_conn *c = arg;
	int64_t now = ae_loop_now(c->s->loop);
	size_t outlen;

	c->armed = AE_LOOP_NEVER;
	(void)ae_rpc_conn_output(c->rpc, &outlen);
	if (c->anon && now >= c->active + c->s->lim.anon_idle_ms)
		kill_conn(c, AE_ETIMEDOUT, "idle without authentication");
	else if (outlen > 0 && now >= c->progress + c->s->lim.write_ms)
		kill_conn(c, AE_ETIMEDOUT, "does not take its answers");
	else
		ae_rpc_conn_tick(c->rpc, (uint64_t)now);
	pump(c);
}

/* ---- taking in ---- */

static int
take_slot(struct ae_run_conn *c)
{
	struct ae_run_server *s = c->s;
	size_t i, n = s->lim.max_conns;

	for (i = 0; i < n; i++) {
		size_t k = (s->next_slot + i) % n;

		if (s->slot[k] != NULL)
			continue;
		s->generation[k]++;
		s->slot[k] = c;
		s->next_slot = k + 1;
		s->nconns++;
		c->id = (uint32_t)s->generation[k] << 16 | (uint32_t)k;
		return 0;
	}
	return -1;
}

/* A free place, if need be by ending the oldest that is not authenticated. */
static const char *
make_room(struct ae_run_server *s, const uint8_t *ip, size_t len)
{
	if (anon_from(s, ip, len) >= s->lim.max_anon_per_ip)
		return "too many unauthenticated connections from this address";
	if (s->nanons < s->lim.max_anon && s->nconns < s->lim.max_conns)
		return NULL;
	if (s->anons.next == NULL)
		return "too many connections";
	if (s->anons.next->pumping)
		return "too many connections";
	kill_conn(s->anons.next, AE_ELIMIT, "made room for a newer connection");
	pump(s->anons.next);
	return NULL;
}

static int
take_in(struct ae_run_server *s, int take_fd, const uint8_t *peer,
    size_t peer_len, uint16_t port, struct ae_err *e)
{
	struct ae_run_conn *c;
	const char *full;
	int rc;

	assert(peer_len <= sizeof(c->ip));
	full = s->closing ? "shutting down" : make_room(s, peer, peer_len);
	if (full != NULL) {
		(void)close(take_fd);
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0, "%s", full);
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		(void)close(take_fd);
		return ae_fail_mem(e);
	}
	c->s = s;
	c->fd = take_fd;
	if (take_slot(c) < 0) {
		(void)close(take_fd);
		free(c);
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "too many connections");
	}
	if (peer_len > 0)
		memcpy(c->ip, peer, peer_len);
	c->iplen = peer_len;
	(void)snprintf(c->iptext, sizeof(c->iptext), "local");
	if (peer_len == 4 || peer_len == 16)
		(void)inet_ntop(peer_len == 4 ? AF_INET : AF_INET6, c->ip,
		    c->iptext, sizeof(c->iptext));
	(void)snprintf(c->peer, sizeof(c->peer), "%s:%u", c->iptext, port);
	c->active = c->progress = ae_loop_now(s->loop);
	c->armed = AE_LOOP_NEVER;
	anon_add(c);
	c->events = AE_LOOP_IN;
	rc = ae_loop_fd(&c->io, s->loop, take_fd, AE_LOOP_IN, on_io, c, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&c->timer, s->loop, on_timer, c, e);
	if (rc == AE_OK) {
		c->rpc = ae_rpc_conn_new(s->rpc, peer, peer_len, now_of(s));
		if (c->rpc == NULL)
			rc = ae_fail_mem(e);
	}
	if (rc < 0) {
		conn_free(c);
		return rc;
	}
	interest(c);
	return AE_OK;
}

int
ae_run_server_adopt(struct ae_run_server *s, int take_fd, const uint8_t *peer,
    size_t peer_len, struct ae_err *e)
{
	ae_run_tcp_options(take_fd);
	return take_in(s, take_fd, peer, peer_len, 0, e);
}

static void
accept_pause(struct ae_run_server *s, bool pause)
{
	size_t i;

	for (i = 0; i < s->nlisteners; i++)
		ae_source_set_events(s->listener[i].io, pause ? 0 : AE_LOOP_IN);
	if (pause)
		ae_source_set_timer(
		    s->resume, ae_loop_now(s->loop) + ACCEPT_PAUSE);
}

static void
on_resume(void *arg)
{
	accept_pause(arg, false);
}

/*
 * Out of descriptors: give the one that waits a quick end with the reserve,
 * then leave the rest in the kernel's queue for a moment.
 */
static void
out_of_descriptors(struct listener *l)
{
	struct ae_run_server *s = l->s;
	int fd;

	if (s->reserve >= 0) {
		(void)close(s->reserve);
		/* cppcheck-suppress nullPointer ; accept(2) allows it */
		fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			(void)close(fd);
		s->reserve = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
		s->ops->refused(s->arg, "?", "out of descriptors");
	}
	accept_pause(s, true);
}

static void
accept_one(struct ae_run_server *s, int fd, const struct sockaddr_storage *ss)
{
	struct ae_err e = AE_ERR_INIT;
	uint8_t ip[16] = { 0 };
	char text[INET6_ADDRSTRLEN] = "?";
	uint16_t port;
	size_t len = ae_run_tcp_addr(ss, ip, &port);

	if (take_in(s, fd, ip, len, port, &e) == AE_OK)
		return;
	if (len > 0)
		(void)inet_ntop(ss->ss_family, ip, text, sizeof(text));
	s->ops->refused(s->arg, text, e.text);
}

static void
on_listener(void *arg, int fd, unsigned events)
{
	struct listener *l = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	int i, conn;

	(void)events;
	for (i = 0; i < ACCEPT_BURST; i++) {
		len = sizeof(ss);
		memset(&ss, 0, sizeof(ss));
		conn = accept4(fd, (struct sockaddr *)&ss, &len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (conn >= 0) {
			accept_one(l->s, conn, &ss);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			out_of_descriptors(l);
		/* EAGAIN, or a connection that was given up meanwhile */
		return;
	}
}

/* ---- the server ---- */

static void
fill_limits(struct ae_run_limits *l, const struct ae_run_limits *in)
{
	*l = defaults;
	if (in == NULL)
		return;
	if (in->max_conns != 0)
		l->max_conns = in->max_conns < 65535 ? in->max_conns : 65535;
	if (in->max_anon_per_ip != 0)
		l->max_anon_per_ip = in->max_anon_per_ip;
	if (in->max_anon != 0)
		l->max_anon = in->max_anon;
	if (in->anon_idle_ms != 0)
		l->anon_idle_ms = in->anon_idle_ms;
	if (in->write_ms != 0)
		l->write_ms = in->write_ms;
	if (in->max_output != 0)
		l->max_output = in->max_output;
}

int
ae_run_server_new(struct ae_run_server **out, struct ae_loop *l,
    struct ae_rpc_server *rpc, const struct ae_run_limits *limits,
    const struct ae_run_server_ops *ops, void *arg, struct ae_err *e)
{
	struct ae_run_server *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return ae_fail_mem(e);
	s->loop = l;
	s->rpc = rpc;
	s->ops = ops;
	s->arg = arg;
	s->reserve = -1;
	fill_limits(&s->lim, limits);
	s->slot = calloc(s->lim.max_conns, sizeof(struct ae_run_conn *));
	s->generation = calloc(s->lim.max_conns, sizeof(*s->generation));
	rc = s->slot == NULL || s->generation == NULL
	    ? ae_fail_mem(e)
	    : ae_loop_timer(&s->resume, l, on_resume, s, e);
	if (rc < 0) {
		ae_run_server_free(s);
		return rc;
	}
	*out = s;
	return AE_OK;
}

static void
stop_listening(struct ae_run_server *s)
{
	while (s->nlisteners > 0) {
		struct listener *l = &s->listener[--s->nlisteners];

		ae_source_free(l->io);
		(void)close(l->fd);
	}
}

void
ae_run_server_free(struct ae_run_server *s)
{
	size_t i;

	if (s == NULL)
		return;
	stop_listening(s);
	for (i = 0; s->slot != NULL && i < s->lim.max_conns; i++)
		if (s->slot[i] != NULL)
			conn_free(s->slot[i]);
	ae_source_free(s->resume);
	if (s->reserve >= 0)
		(void)close(s->reserve);
	free(s->slot);
	free(s->generation);
	free(s);
}

int
ae_run_server_listen(struct ae_run_server *s, int take_fd, struct ae_err *e)
{
	struct listener *l = &s->listener[s->nlisteners];
	int rc;

	if (s->nlisteners == LISTENERS_MAX) {
		(void)close(take_fd);
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "too many listeners");
	}
	l->s = s;
	l->fd = take_fd;
	/* Once for all connections rather than six system calls for each. */
	ae_run_tcp_options(take_fd);
	rc =
	    ae_loop_fd(&l->io, s->loop, take_fd, AE_LOOP_IN, on_listener, l, e);
	if (rc < 0) {
		(void)close(take_fd);
		return rc;
	}
	if (s->reserve < 0)
		s->reserve = fcntl(take_fd, F_DUPFD_CLOEXEC, 0);
	s->nlisteners++;
	return AE_OK;
}

void
ae_run_server_shutdown(struct ae_run_server *s)
{
	size_t i;

	s->closing = true;
	stop_listening(s);
	for (i = 0; i < s->lim.max_conns; i++) {
		struct ae_run_conn *c = s->slot[i];

		if (c == NULL)
			continue;
		ae_rpc_conn_shutdown(c->rpc, now_of(s));
		pump(c);
	}
}

void
ae_run_server_drop_all(struct ae_run_server *s, const char *why)
{
	size_t i;

	for (i = 0; i < s->lim.max_conns; i++)
		if (s->slot[i] != NULL)
			ae_run_conn_drop(s->slot[i], why);
}

size_t
ae_run_server_conns(const struct ae_run_server *s)
{
	return s->nconns;
}

uint32_t
ae_run_conn_id(const struct ae_run_conn *c)
{
	return c->id;
}

struct ae_run_conn *
ae_run_server_conn(struct ae_run_server *s, uint32_t id)
{
	size_t k = id & 0xffff;

	if (k >= s->lim.max_conns || s->slot[k] == NULL || s->slot[k]->id != id)
		return NULL;
	return s->slot[k];
}

const char *
ae_run_conn_peer(const struct ae_run_conn *c)
{
	return c->peer;
}

const char *
ae_run_conn_ip(const struct ae_run_conn *c)
{
	return c->iptext;
}

void
ae_run_conn_local_ip(const struct ae_run_conn *c, uint8_t ip[4])
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint8_t b[16];
	uint16_t port;

	memset(ip, 0, 4);
	memset(&ss, 0, sizeof(ss));
	if (getsockname(c->fd, (struct sockaddr *)&ss, &len) == 0 &&
	    ae_run_tcp_addr(&ss, b, &port) == 4)
		memcpy(ip, b, 4);
}

void
ae_run_conn_auth_done(
    struct ae_run_conn *c, uint32_t auth, struct ae_rpc_auth_result *r)
{
	if (r->status == AE_RPC_AUTH_COMPLETE)
		anon_remove(c);
	ae_rpc_conn_auth_done(c->rpc, auth, r, now_of(c->s));
	pump(c);
}

void
ae_run_conn_reply(
    struct ae_run_conn *c, uint32_t call, const uint8_t *stub, size_t len)
{
	ae_rpc_conn_reply(c->rpc, call, stub, len, now_of(c->s));
	pump(c);
}

void
ae_run_conn_fault(struct ae_run_conn *c, uint32_t call, uint32_t status)
{
	ae_rpc_conn_fault(c->rpc, call, status, now_of(c->s));
	pump(c);
}

void
ae_run_conn_drop(struct ae_run_conn *c, const char *why)
{
	kill_conn(c, AE_EDENIED, why);
	c->armed = 0;
	ae_source_set_timer(c->timer, 0);
}
