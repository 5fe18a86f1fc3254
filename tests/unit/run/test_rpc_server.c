/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The server driver against clients that are many, slow, silent, rude or
 * gone.  The bytes are written by hand; nothing here authenticates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/rpc_server.h"
#include "torture.h"

#define REPLY_LEN 900000u

enum { OP_ECHO, OP_HOLD, OP_LARGE, OP_DROP };

static const struct ae_rpc_iface iface = {
	.name = "test",
	.id = { .uuid = { .d1 = 0x12345678 }, .major = 1 },
	.nops = 4,
	.min_level = AE_RPC_LEVEL_NONE,
};

struct fix {
	struct ae_loop *l;
	struct ae_rpc_server *rpc;
	struct ae_run_server *s;
	int port;
	unsigned closed, refused, calls;
	struct ae_err why;
	char reason[128];
	uint32_t held_conn, held_call;
	uint8_t *large;
};

/* ---- the owner ---- */

static void
on_auth(void *arg, struct ae_run_conn *c, const struct ae_rpc_auth_event *ev)
{
	struct ae_rpc_auth_result r = { .status = AE_RPC_AUTH_FAILED };

	(void)arg;
	ae_run_conn_auth_done(c, ev->auth, &r);
}

static void
on_call(void *arg, struct ae_run_conn *c, const struct ae_rpc_call *call)
{
	struct fix *f = arg;

	f->calls++;
	switch (call->opnum) {
	case OP_ECHO:
		ae_run_conn_reply(c, call->call, call->stub, call->stub_len);
		break;
	case OP_LARGE:
		ae_run_conn_reply(c, call->call, f->large, REPLY_LEN);
		break;
	case OP_DROP:
		ae_run_conn_drop(c, "told to");
		break;
	default:
		f->held_conn = ae_run_conn_id(c);
		f->held_call = call->call;
	}
}

static void
on_gone(void *arg, struct ae_run_conn *c, uint32_t auth, uint64_t name)
{
	(void)arg;
	(void)c;
	(void)auth;
	(void)name;
}

static void
on_closed(void *arg, struct ae_run_conn *c, const struct ae_err *why)
{
	struct fix *f = arg;

	(void)c;
	f->closed++;
	f->why = *why;
}

static void
on_refused(void *arg, const char *peer, const char *reason)
{
	struct fix *f = arg;

	(void)peer;
	f->refused++;
	(void)snprintf(f->reason, sizeof(f->reason), "%s", reason);
}

static const struct ae_run_server_ops ops = { on_auth, on_call, NULL, on_gone,
	on_closed, on_refused };

/* ---- set up ---- */

static void
start(struct fix *f, const struct ae_run_limits *lim, uint32_t bind_ms)
{
	struct ae_rpc_server_config rc = { .limits.bind_ms = bind_ms };
	struct ae_err e = AE_ERR_INIT;
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	int fd = -1;

	f->rpc = ae_rpc_server_new(&rc);
	assert_non_null(f->rpc);
	assert_int_equal(ae_rpc_server_add(f->rpc, &iface, &e), AE_OK);
	assert_int_equal(
	    ae_run_server_new(&f->s, f->l, f->rpc, lim, &ops, f, &e), AE_OK);
	assert_int_equal(ae_run_tcp_listen(&fd, "127.0.0.1", 0, &e), AE_OK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	f->port = ntohs(in.sin_port);
	assert_int_equal(ae_run_server_listen(f->s, fd, &e), AE_OK);
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	struct ae_err e = AE_ERR_INIT;

	assert_non_null(f);
	*state = f;
	f->large = calloc(1, REPLY_LEN);
	return f->large == NULL ? -1 : ae_loop_new(&f->l, &e);
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	ae_run_server_free(f->s);
	if (f->rpc != NULL)
		ae_rpc_server_free(f->rpc);
	ae_loop_free(f->l);
	free(f->large);
	free(f);
	return 0;
}

static void
turns(struct fix *f, int ms)
{
	struct ae_err e = AE_ERR_INIT;
	int64_t end = ae_loop_now(f->l) + ms;

	do
		assert_int_equal(ae_loop_turn(f->l, 5, &e), AE_OK);
	while (ae_loop_now(f->l) < end);
}

/* ---- the clients ---- */

static int
dial(struct fix *f)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)f->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	turns(f, 10);
	return fd;
}

static bool
ended(int fd)
{
	char c[4096];
	ssize_t n;

	while ((n = recv(fd, c, sizeof(c), MSG_DONTWAIT)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}

/* C706 12.6.4.3: bind with one context, interface and NDR. */
static const uint8_t bind_pdu[72] = { 5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0,
	1, 0, 0, 0, 0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0,
	0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
	0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00,
	0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0 };

static void
say(struct fix *f, int fd, const void *p, size_t len)
{
	assert_int_equal(send(fd, p, len, MSG_NOSIGNAL), len);
	turns(f, 10);
}

static void
request(struct fix *f, int fd, uint8_t call, uint8_t opnum)
{
	uint8_t pdu[28] = { 5, 0, 0, 3, 0x10, 0, 0, 0, 28, 0, 0, 0, call, 0, 0,
		0, 4, 0, 0, 0, 0, 0, opnum, 0, 'p', 'i', 'n', 'g' };

	say(f, fd, pdu, sizeof(pdu));
}

static int
bound(struct fix *f)
{
	uint8_t ack[128];
	int fd = dial(f);

	say(f, fd, bind_pdu, sizeof(bind_pdu));
	assert_true(recv(fd, ack, sizeof(ack), MSG_DONTWAIT) > 24);
	assert_int_equal(ack[2], 12);
	return fd;
}

/* ---- tests ---- */

static void
a_call_is_answered(void **state)
{
	struct fix *f = *state;
	uint8_t got[64];
	int fd;

	start(f, NULL, 0);
	fd = bound(f);
	request(f, fd, 2, OP_ECHO);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 28);
	assert_memory_equal(got + 24, "ping", 4);
	assert_int_equal(ae_run_server_conns(f->s), 1);
	close(fd);
	turns(f, 20);
	assert_int_equal(ae_run_server_conns(f->s), 0);
	assert_int_equal(f->closed, 1);
}

static void
an_answer_may_come_later(void **state)
{
	struct fix *f = *state;
	struct ae_run_conn *c;
	uint8_t got[64];
	int fd;

	start(f, NULL, 0);
	fd = bound(f);
	request(f, fd, 2, OP_HOLD);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
	c = ae_run_server_conn(f->s, f->held_conn);
	assert_non_null(c);
	assert_string_equal(ae_run_conn_ip(c), "127.0.0.1");
	ae_run_conn_reply(c, f->held_call, (const uint8_t *)"late", 4);
	turns(f, 10);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 28);
	assert_memory_equal(got + 24, "late", 4);
	close(fd);
	turns(f, 20);
	/* its number does not find another one in its place */
	fd = bound(f);
	assert_null(ae_run_server_conn(f->s, f->held_conn));
	assert_null(ae_run_server_conn(f->s, 0xffffffff));
	close(fd);
}

static void
noise_ends_the_connection(void **state)
{
	struct fix *f = *state;
	int fd;

	start(f, NULL, 0);
	fd = dial(f);
	say(f, fd, "GET / HTTP/1.0\r\nHost: example\r\n\r\n", 33);
	turns(f, 20);
	assert_true(ended(fd));
	assert_int_equal(f->why.rc, AE_EPROTO);
	assert_int_equal(ae_run_server_conns(f->s), 0);
	close(fd);
}

static void
f13_silence_before_the_bind(void **state)
{
	struct fix *f = *state;
	int fd;

	start(f, NULL, 60);
	fd = dial(f);
	assert_false(ended(fd));
	turns(f, 150);
	assert_true(ended(fd));
	assert_int_equal(ae_run_server_conns(f->s), 0);
	close(fd);
}

/* One byte now and then does not move the deadline. */
static void
f13_drops_do_not_help(void **state)
{
	struct fix *f = *state;
	int fd, i;

	start(f, NULL, 80);
	fd = dial(f);
	for (i = 0; i < 12 && f->closed == 0; i++)
		say(f, fd, bind_pdu + i, 1);
	turns(f, 60);
	assert_true(ended(fd));
	close(fd);
}

static void
anonymous_silence(void **state)
{
	static const struct ae_run_limits lim = { .anon_idle_ms = 300 };
	struct fix *f = *state;
	int fd;

	start(f, &lim, 0);
	fd = bound(f);
	turns(f, 600);
	assert_true(ended(fd));
	assert_int_equal(f->why.rc, AE_ETIMEDOUT);
	close(fd);
}

static void
f13_one_address_has_its_share(void **state)
{
	static const struct ae_run_limits lim = { .max_anon_per_ip = 3 };
	struct fix *f = *state;
	int fd[5], i, gone = 0;

	start(f, &lim, 0);
	for (i = 0; i < 5; i++)
		fd[i] = dial(f);
	for (i = 0; i < 5; i++)
		gone += ended(fd[i]);
	assert_int_equal(gone, 2);
	assert_false(ended(fd[0])); /* those that are in stay in */
	assert_int_equal(f->refused, 2);
	assert_non_null(strstr(f->reason, "from this address"));
	assert_int_equal(ae_run_server_conns(f->s), 3);
	for (i = 0; i < 5; i++)
		close(fd[i]);
}

static int
adopt(struct fix *f, uint8_t last, int *other)
{
	uint8_t ip[4] = { 192, 0, 2, last };
	struct ae_err e = AE_ERR_INIT;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
	    0);
	*other = fd[1];
	return ae_run_server_adopt(f->s, fd[0], ip, 4, &e);
}

static void
the_oldest_makes_room(void **state)
{
	static const struct ae_run_limits lim = { .max_anon = 3 };
	struct fix *f = *state;
	int fd[5];
	uint8_t i;

	start(f, &lim, 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(adopt(f, i, &fd[i]), AE_OK);
	turns(f, 10);
	assert_true(ended(fd[0]));
	assert_true(ended(fd[1]));
	assert_false(ended(fd[2]));
	assert_false(ended(fd[4]));
	assert_int_equal(f->closed, 2);
	assert_int_equal(f->why.rc, AE_ELIMIT);
	for (i = 0; i < 5; i++)
		close(fd[i]);
}

static void
a_full_house(void **state)
{
	static const struct ae_run_limits lim = { .max_conns = 2 };
	struct fix *f = *state;
	int fd[3];
	uint8_t i;

	start(f, &lim, 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(adopt(f, i, &fd[i]), AE_OK);
	turns(f, 10);
	assert_int_equal(ae_run_server_conns(f->s), 2);
	assert_true(ended(fd[0]));
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

/* A client that asks and does not read: we stop reading, then end it. */
static void
answers_nobody_reads(void **state)
{
	static const struct ae_run_limits lim = { .write_ms = 150,
		.max_output = 4096 };
	struct fix *f = *state;
	int fd, i, small = 4096;

	start(f, &lim, 0);
	fd = bound(f);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (i = 0; i < 40 && f->closed == 0; i++)
		request(f, fd, (uint8_t)(i + 2), OP_LARGE);
	assert_true(f->calls < 40); /* the rest was not even read */
	turns(f, 400);
	assert_int_equal(f->closed, 1);
	assert_int_equal(f->why.rc, AE_ETIMEDOUT);
	assert_non_null(strstr(f->why.text, "does not take"));
	close(fd);
}

static void
dropped_inside_a_call(void **state)
{
	struct fix *f = *state;
	int fd;

	start(f, NULL, 0);
	fd = bound(f);
	request(f, fd, 2, OP_DROP);
	turns(f, 20);
	assert_true(ended(fd));
	assert_int_equal(f->closed, 1);
	assert_string_equal(f->why.text, "told to");
	close(fd);
}

static void
gone_with_a_call_in_hand(void **state)
{
	struct fix *f = *state;
	int fd;

	start(f, NULL, 0);
	fd = bound(f);
	request(f, fd, 2, OP_HOLD);
	close(fd);
	turns(f, 20);
	assert_int_equal(f->closed, 1);
	assert_null(ae_run_server_conn(f->s, f->held_conn));
}

static void
shutdown_answers_first(void **state)
{
	struct fix *f = *state;
	uint8_t got[64];
	int idle, busy;

	start(f, NULL, 0);
	idle = bound(f);
	busy = bound(f);
	request(f, busy, 2, OP_HOLD);
	ae_run_server_shutdown(f->s);
	turns(f, 20);
	assert_true(ended(idle));
	assert_int_equal(ae_run_server_conns(f->s), 1);
	ae_run_conn_reply(ae_run_server_conn(f->s, f->held_conn), f->held_call,
	    (const uint8_t *)"last", 4);
	turns(f, 20);
	assert_int_equal(recv(busy, got, sizeof(got), MSG_DONTWAIT), 28);
	assert_true(ended(busy));
	assert_int_equal(ae_run_server_conns(f->s), 0);
	close(idle);
	close(busy);
}

static void
all_at_once(void **state)
{
	struct fix *f = *state;
	int a, b;

	start(f, NULL, 0);
	a = bound(f);
	b = dial(f);
	ae_run_server_drop_all(f->s, "enough");
	turns(f, 20);
	assert_true(ended(a));
	assert_true(ended(b));
	assert_int_equal(f->closed, 2);
	close(a);
	close(b);
}

/* Out of descriptors: no spinning, a quick end for some, service afterwards. */
static void
f17_out_of_descriptors(void **state)
{
	struct fix *f = *state;
	struct rlimit old, few;
	int fd[12], i, served, top;

	start(f, NULL, 0);
	for (i = 0; i < 12; i++)
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
	top = dup(0);
	close(top);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)top + 4; /* room for four more */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (i = 0; i < 12; i++) {
		struct sockaddr_in in = { .sin_family = AF_INET,
			.sin_port = htons((uint16_t)f->port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		assert_int_equal(
		    connect(fd[i], (struct sockaddr *)&in, sizeof(in)), 0);
	}
	turns(f, 60);
	assert_true(f->refused >= 1);
	assert_string_equal(f->reason, "out of descriptors");
	served = (int)ae_run_server_conns(f->s);
	assert_in_range(served, 1, 6);
	for (i = 0; i < 12; i++)
		close(fd[i]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	turns(f, 250);
	i = bound(f); /* accepting goes on */
	close(i);
}

static void
bad_addresses(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	int fd = -1, second = -1;
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	(void)state;
	assert_int_equal(ae_run_tcp_listen(&fd, "localhost", 0, &e), AE_EINVAL);
	assert_int_equal(ae_run_tcp_listen(&fd, "", 0, &e), AE_EINVAL);
	assert_int_equal(ae_run_tcp_listen(&fd, "192.0.2.77", 0, &e), AE_EIO);
	assert_int_equal(fd, -1);
	assert_int_equal(ae_run_tcp_listen(&fd, "127.0.0.1", 0, &e), AE_OK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(
	    ae_run_tcp_listen(&second, "127.0.0.1", ntohs(in.sin_port), &e),
	    AE_EIO);
	close(fd);
}

static bool
tortured(void *arg)
{
	struct fix *f = arg;
	struct ae_err e = AE_ERR_INIT;
	struct ae_run_server *s = NULL;
	uint8_t ip[4] = { 1, 2, 3, 4 };
	int fd[2];
	bool ok;

	if (ae_run_server_new(&s, f->l, f->rpc, NULL, &ops, f, &e) < 0)
		return false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	ok = ae_run_server_adopt(s, fd[0], ip, 4, &e) == AE_OK;
	close(fd[1]);
	ae_run_server_free(s);
	return ok;
}

static void
without_memory(void **state)
{
	struct fix *f = *state;

	start(f, NULL, 0);
	assert_true(ae_torture(tortured, f, 200, true) > 3);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_call_is_answered),
		T(an_answer_may_come_later),
		T(noise_ends_the_connection),
		T(f13_silence_before_the_bind),
		T(f13_drops_do_not_help),
		T(anonymous_silence),
		T(f13_one_address_has_its_share),
		T(the_oldest_makes_room),
		T(a_full_house),
		T(answers_nobody_reads),
		T(dropped_inside_a_call),
		T(gone_with_a_call_in_hand),
		T(shutdown_answers_first),
		T(all_at_once),
		T(f17_out_of_descriptors),
		cmocka_unit_test(bad_addresses),
		T(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
