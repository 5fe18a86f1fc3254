/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Messages between processes, and a peer that does not keep to the table:
 * unknown type, wrong state, oversize, missing and surplus descriptors,
 * truncation, every mutation of a good stream.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "mutate.h"
#include "sys/ipcmsg.h"
#include "sys/ipcmsg_in.h"
#include "torture.h"

enum { M_HELLO = 1, M_BIG, M_FD, M_REFUSED, M_FREE, M_PAUSE };
enum { S_START = 1, S_OPEN = 2 };

struct fix {
	struct ae_loop *l;
	struct ae_ipc *c;
	int peer;
	unsigned hello, big, fds, closed;
	size_t biglen;
	uint32_t lastid;
	ino_t ino;
	struct ae_err why;
};

static int
on_hello(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct fix *f = arg;

	(void)e;
	f->hello++;
	f->lastid = m->id;
	ae_ipc_set_state(c, S_OPEN);
	return AE_OK;
}

static int
on_big(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct fix *f = arg;
	size_t i;

	(void)c;
	(void)e;
	f->big++;
	f->biglen = m->len;
	for (i = 0; i < m->len; i++)
		if (m->body[i] != (uint8_t)(i * 7))
			return AE_EPROTO;
	return AE_OK;
}

static int
on_fd(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct fix *f = arg;
	struct stat st;

	(void)c;
	(void)e;
	assert_true(m->fd >= 0);
	assert_int_equal(fstat(m->fd, &st), 0);
	f->ino = st.st_ino;
	f->fds++;
	return AE_OK;
}

static int
on_refused(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	(void)arg;
	(void)c;
	(void)m;
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "no such thing");
}

static int
on_free(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct fix *f = arg;

	(void)m;
	(void)e;
	ae_ipc_free(c);
	f->c = NULL;
	return AE_OK;
}

static int
on_pause(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	(void)arg;
	(void)m;
	(void)e;
	ae_ipc_pause(c, true);
	return AE_OK;
}

static const struct ae_ipc_row rows[] = {
	{ M_HELLO, 16, S_START | S_OPEN, false, on_hello },
	{ M_BIG, 3 * 1024 * 1024, S_OPEN, false, on_big },
	{ M_FD, 0, S_START | S_OPEN, true, on_fd },
	{ M_REFUSED, 0, S_START, false, on_refused },
	{ M_FREE, 0, S_START, false, on_free },
	{ M_PAUSE, 0, S_START | S_OPEN, false, on_pause },
	{ .handle = NULL },
};

static void
on_closed(void *arg, struct ae_ipc *c, const struct ae_err *why)
{
	struct fix *f = arg;

	f->closed++;
	f->why = *why;
	ae_ipc_free(c);
	f->c = NULL;
}

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	struct ae_err e = AE_ERR_INIT;
	int fd[2];

	*state = f;
	assert_int_equal(ae_loop_new(&f->l, &e), AE_OK);
	assert_int_equal(ae_ipc_pair(fd, &e), AE_OK);
	assert_int_equal(
	    ae_ipc_new(&f->c, f->l, fd[0], rows, on_closed, f, &e), AE_OK);
	f->peer = fd[1];
	return 0;
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	ae_ipc_free(f->c);
	if (f->peer >= 0)
		close(f->peer);
	ae_loop_free(f->l);
	free(f);
	return 0;
}

static void
turns(struct fix *f, int n)
{
	struct ae_err e = AE_ERR_INIT;

	while (n-- > 0)
		assert_int_equal(ae_loop_turn(f->l, 2, &e), AE_OK);
}

/* A raw header (and body of zeros) from the peer. */
static void
raw(struct fix *f, uint32_t type, uint32_t len, uint32_t flags, size_t body)
{
	uint8_t b[256] = { 0 };

	ae_ipc_header(b, type, 77, len, flags);
	assert_int_equal(
	    write(f->peer, b, AE_IPC_HEADER + body), AE_IPC_HEADER + body);
	turns(f, 4);
}

static void
cut(struct fix *f, const char *text)
{
	assert_int_equal(f->closed, 1);
	assert_int_equal(f->why.rc, AE_EPROTO);
	assert_non_null(strstr(f->why.text, text));
}

static void
good_message(void **state)
{
	struct fix *f = *state;

	raw(f, M_HELLO, 5, 0, 5);
	assert_int_equal(f->hello, 1);
	assert_int_equal(f->lastid, 77);
	assert_int_equal(f->closed, 0);
}

static void
unknown_type(void **state)
{
	raw(*state, 99, 0, 0, 0);
	cut(*state, "type 99 is not accepted");
}

static void
wrong_state(void **state)
{
	struct fix *f = *state;

	raw(f, M_BIG, 4, 0, 4);
	cut(f, "not accepted in state 0x1");
	assert_int_equal(f->big, 0);
}

static void
state_does_not_come_back(void **state)
{
	struct fix *f = *state;

	raw(f, M_HELLO, 0, 0, 0);
	raw(f, M_REFUSED, 0, 0, 0);
	cut(f, "not accepted in state 0x2");
}

/* Cut by the header alone: nothing is kept for a body that may not come. */
static void
oversize(void **state)
{
	raw(*state, M_HELLO, 17, 0, 0);
	cut(*state, "17 bytes, at most 16");
}

static void
absurd_length(void **state)
{
	raw(*state, M_HELLO, 0xffffffff, 0, 0);
	cut(*state, "at most 16");
}

static void
unknown_flag(void **state)
{
	raw(*state, M_HELLO, 0, 2, 0);
	cut(*state, "flags 0x2");
}

static void
descriptor_missing(void **state)
{
	raw(*state, M_FD, 0, AE_IPC_FLAG_FD, 0);
	cut(*state, "without its descriptor");
}

static void
descriptor_not_announced(void **state)
{
	raw(*state, M_FD, 0, 0, 0);
	cut(*state, "flags 0x0");
}

static void
handler_refuses(void **state)
{
	raw(*state, M_REFUSED, 0, 0, 0);
	cut(*state, "no such thing");
}

static void
handler_frees(void **state)
{
	struct fix *f = *state;

	raw(f, M_FREE, 0, 0, 0);
	assert_null(f->c);
	assert_int_equal(f->closed, 0);
}

static void
peer_closes(void **state)
{
	struct fix *f = *state;

	close(f->peer);
	f->peer = -1;
	turns(f, 2);
	assert_int_equal(f->closed, 1);
	assert_int_equal(f->why.rc, AE_EUNAVAIL);
}

/* What was sent before the end is still heard. */
static void
last_words(void **state)
{
	struct fix *f = *state;
	uint8_t b[2 * AE_IPC_HEADER];

	ae_ipc_header(b, M_HELLO, 1, 0, 0);
	ae_ipc_header(b + AE_IPC_HEADER, M_HELLO, 2, 0, 0);
	assert_int_equal(write(f->peer, b, sizeof(b)), sizeof(b));
	close(f->peer);
	f->peer = -1;
	turns(f, 4);
	assert_int_equal(f->hello, 2);
	assert_int_equal(f->closed, 1);
}

static void
half_a_message_then_end(void **state)
{
	struct fix *f = *state;

	raw(f, M_HELLO, 10, 0, 3);
	assert_int_equal(f->closed, 0);
	close(f->peer);
	f->peer = -1;
	turns(f, 3);
	assert_int_equal(f->hello, 0);
	assert_int_equal(f->closed, 1);
}

/* Nothing leaves before the cork, then all of it in one go. */
static void
corked(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	uint8_t b[256];

	ae_ipc_cork(f->c, true);
	assert_int_equal(ae_ipc_send(f->c, M_HELLO, 1, "x", 1, -1, &e), AE_OK);
	assert_int_equal(ae_ipc_send(f->c, M_HELLO, 2, "y", 1, -1, &e), AE_OK);
	turns(f, 2);
	assert_int_equal(recv(f->peer, b, sizeof(b), MSG_DONTWAIT), -1);
	assert_int_equal(ae_ipc_queued(f->c), 2 * (AE_IPC_HEADER + 1));
	ae_ipc_cork(f->c, false);
	assert_int_equal(ae_ipc_queued(f->c), 0);
	assert_int_equal(
	    recv(f->peer, b, sizeof(b), MSG_DONTWAIT), 2 * (AE_IPC_HEADER + 1));
	assert_int_equal(b[AE_IPC_HEADER], 'x');
	/* a peer that went away meanwhile is the loop's to tell */
	ae_ipc_cork(f->c, true);
	assert_int_equal(ae_ipc_send(f->c, M_HELLO, 3, "z", 1, -1, &e), AE_OK);
	close(f->peer);
	f->peer = -1;
	ae_ipc_cork(f->c, false);
	turns(f, 3);
	assert_int_equal(f->closed, 1);
}

static void
send_after_peer_is_gone(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;

	close(f->peer);
	f->peer = -1;
	/* Not told here: the loop tells. */
	assert_int_equal(ae_ipc_send(f->c, M_HELLO, 1, "x", 1, -1, &e), AE_OK);
	assert_int_equal(f->closed, 0);
	turns(f, 3);
	assert_int_equal(f->closed, 1);
}

static int
open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
surplus_descriptors(void **state)
{
	struct fix *f = *state;
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(6 * sizeof(int))];
	} ctl;
	uint8_t b[AE_IPC_HEADER];
	struct iovec iov = { b, sizeof(b) };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ctl.buf,
		.msg_controllen = sizeof(ctl.buf) };
	int i, j, fds[6], before = open_fds();

	for (i = 0; i < 6; i++)
		fds[i] = 0;
	memset(&ctl, 0, sizeof(ctl));
	ctl.h.cmsg_level = SOL_SOCKET;
	ctl.h.cmsg_type = SCM_RIGHTS;
	ctl.h.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&ctl.h), fds, sizeof(fds));
	ae_ipc_header(b, M_HELLO, 1, 0, 0);
	for (j = 0; j < 3 && f->closed == 0; j++) {
		(void)sendmsg(f->peer, &mh, MSG_NOSIGNAL);
		turns(f, 2);
	}
	cut(f, "more descriptors");
	/* None of them stayed open; the channel, its own and the timer's. */
	assert_true(open_fds() <= before);
}

/* Both ends ours: a body larger than the socket's buffer, and a descriptor. */
static void
large_body_and_descriptor(void **state)
{
	struct fix *f = *state;
	struct ae_ipc *p = NULL;
	struct fix other = { .l = f->l };
	struct ae_err e = AE_ERR_INIT;
	size_t len = 3 * 1024 * 1024, i;
	uint8_t *b = malloc(len);
	struct stat st;
	int null = open("/dev/null", O_RDWR);

	for (i = 0; i < len; i++)
		b[i] = (uint8_t)(i * 7);
	assert_int_equal(fstat(null, &st), 0);
	assert_int_equal(
	    ae_ipc_new(&p, f->l, f->peer, rows, on_closed, &other, &e), AE_OK);
	f->peer = -1;
	assert_int_equal(ae_ipc_send(p, M_HELLO, 9, NULL, 0, -1, &e), AE_OK);
	assert_int_equal(ae_ipc_send(p, M_BIG, 10, b, len, -1, &e), AE_OK);
	assert_int_equal(ae_ipc_send(p, M_FD, 11, NULL, 0, null, &e), AE_OK);
	assert_int_equal(ae_ipc_send_secret(p, M_BIG, 12, b, len, &e), AE_OK);
	assert_true(ae_ipc_queued(p) > 0);
	for (i = 0; i < 1000 && f->big < 2; i++)
		turns(f, 1);
	assert_int_equal(f->hello, 1);
	assert_int_equal(f->big, 2);
	assert_int_equal(f->biglen, len);
	assert_int_equal(f->fds, 1);
	assert_int_equal(f->ino, st.st_ino);
	assert_int_equal(ae_ipc_queued(p), 0);
	assert_int_equal(f->closed, 0);
	free(b);
	ae_ipc_free(p);
}

static void
queue_has_an_end(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	size_t len = 48 * 1024 * 1024;
	uint8_t *b = calloc(1, len);
	int null = open("/dev/null", O_RDWR);

	assert_int_equal(ae_ipc_send(f->c, 1, 1, b, len, -1, &e), AE_OK);
	assert_int_equal(ae_ipc_send(f->c, 1, 1, b, len, -1, &e), AE_OK);
	assert_int_equal(ae_ipc_send(f->c, 1, 1, b, len, null, &e), AE_ELIMIT);
	assert_int_equal(fcntl(null, F_GETFD), -1); /* closed all the same */
	free(b);
}

static void
pause_holds_what_is_buffered(void **state)
{
	struct fix *f = *state;
	uint8_t b[2 * AE_IPC_HEADER];

	ae_ipc_header(b, M_PAUSE, 1, 0, 0);
	ae_ipc_header(b + AE_IPC_HEADER, M_HELLO, 2, 0, 0);
	assert_int_equal(write(f->peer, b, sizeof(b)), sizeof(b));
	turns(f, 4);
	assert_int_equal(f->hello, 0);
	ae_ipc_pause(f->c, false);
	turns(f, 2);
	assert_int_equal(f->hello, 1);
}

/* ---- the frame decoder alone ---- */

static size_t
feed(struct ae_ipc_in *in, const uint8_t *p, size_t len, size_t step, int *rc)
{
	const struct ae_ipc_row *row = NULL;
	struct ae_ipc_msg m;
	struct ae_err e = AE_ERR_INIT;
	size_t n = 0, room, take;
	uint8_t *to;

	*rc = AE_OK;
	while (len > 0 && *rc == AE_OK) {
		to = ae_ipc_in_room(in, &room);
		if (to == NULL) {
			*rc = AE_ENOMEM;
			break;
		}
		take = len < step ? len : step;
		take = take < room ? take : room;
		memcpy(to, p, take);
		ae_ipc_in_add(in, take);
		p += take;
		len -= take;
		while ((*rc = ae_ipc_in_next(in, rows, S_START | S_OPEN, &row,
			    &m, &e)) == AE_OK &&
		    row != NULL) {
			assert_true(m.len <= row->max);
			n += m.len == 0 ? 1 : m.body[m.len - 1] * 0u + 1u;
		}
	}
	return n;
}

static size_t
stream(uint8_t *b)
{
	size_t n = 0;

	ae_ipc_header(b + n, M_HELLO, 1, 16, 0);
	memset(b + n + AE_IPC_HEADER, 0xa5, 16);
	n += AE_IPC_HEADER + 16;
	ae_ipc_header(b + n, M_BIG, 2, 40, 0);
	memset(b + n + AE_IPC_HEADER, 0x5a, 40);
	n += AE_IPC_HEADER + 40;
	ae_ipc_header(b + n, M_HELLO, 3, 0, 0);
	return n + AE_IPC_HEADER;
}

static void
any_cut_of_the_stream_is_the_same(void **state)
{
	uint8_t b[256];
	size_t len = stream(b), step;
	int rc;

	(void)state;
	for (step = 1; step <= len; step++) {
		struct ae_ipc_in in = { 0 };

		assert_int_equal(feed(&in, b, len, step, &rc), 3);
		assert_int_equal(rc, AE_OK);
		ae_ipc_in_done(&in);
	}
}

static void
mutation(const uint8_t *p, size_t len, void *arg)
{
	struct ae_ipc_in in = { 0 };
	int rc;

	(void)feed(&in, p, len, 13, &rc);
	*(size_t *)arg += rc < 0;
	ae_ipc_in_done(&in);
}

static void
mutations_are_refused(void **state)
{
	uint8_t b[256];
	size_t refused = 0, n;

	(void)state;
	n = ae_mutate(b, stream(b), mutation, &refused);
	assert_true(n > 1000);
	/* type, length and flags of three headers: most changes are caught */
	assert_true(refused > 300);
}

static bool
tortured(void *arg)
{
	struct ae_ipc_in in = { 0 };
	uint8_t b[256];
	int rc;
	size_t n = feed(&in, b, stream(b), 50, &rc);

	(void)arg;
	ae_ipc_in_done(&in);
	return rc == AE_OK && n == 3;
}

static void
without_memory(void **state)
{
	(void)state;
	assert_true(ae_torture(tortured, NULL, 10, true) >= 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(good_message),
		T(unknown_type),
		T(wrong_state),
		T(state_does_not_come_back),
		T(oversize),
		T(absurd_length),
		T(unknown_flag),
		T(descriptor_missing),
		T(descriptor_not_announced),
		T(handler_refuses),
		T(handler_frees),
		T(peer_closes),
		T(last_words),
		T(half_a_message_then_end),
		T(corked),
		T(send_after_peer_is_gone),
		T(surplus_descriptors),
		T(large_body_and_descriptor),
		T(queue_has_an_end),
		T(pause_holds_what_is_buffered),
		cmocka_unit_test(any_cut_of_the_stream_is_the_same),
		cmocka_unit_test(mutations_are_refused),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
