/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Moving a context: exported here, imported by this very program started
 * again with its fds, as the CA's processes do it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "realm.h"

#define HEADER_FIXED 32u /* of an export, before the name of the peer */
#define STUB 50

/* What goes over the socket: one sealed or signed PDU. */
struct message {
	uint8_t hdr[24], data[STUB], trailer[8], token[AE_GSS_SIG_MAX];
};

static struct ae_gss_pdu
pdu_of(struct message *m, const struct ae_gss_ctx *ctx)
{
	return (struct ae_gss_pdu){ m->hdr, sizeof(m->hdr), m->data,
		sizeof(m->data), m->trailer, sizeof(m->trailer), m->token,
		ae_gss_sig_len(ctx), true };
}

static int
put(struct ae_gss_ctx *ctx, int fd, uint8_t fill)
{
	struct message m = { 0 };
	struct ae_gss_pdu pdu = pdu_of(&m, ctx);

	memset(m.data, fill, sizeof(m.data));
	if (ae_gss_protect(ctx, &pdu, NULL) != AE_OK)
		return -1;
	return write(fd, &m, sizeof(m)) == (ssize_t)sizeof(m) ? 0 : -1;
}

static int
get(struct ae_gss_ctx *ctx, int fd)
{
	struct message m;
	struct ae_gss_pdu pdu = pdu_of(&m, ctx);

	if (recv(fd, &m, sizeof(m), MSG_WAITALL) != (ssize_t)sizeof(m) ||
	    ae_gss_unprotect(ctx, &pdu, NULL) != AE_OK)
		return -1;
	return m.data[STUB - 1];
}

/* The other process: import from fd 0, answer each message with its +1. */
static int
child(void)
{
	static uint8_t buf[AE_GSS_EXPORT_MAX];
	struct ae_gss_ctx *ctx = NULL;
	uint32_t len;
	int v;

	/* No keytab and no ticket is to be had here. */
	(void)setenv("KRB5_KTNAME", "/nonexistent", 1);
	(void)setenv("KRB5CCNAME", "/nonexistent", 1);
	if (recv(0, &len, sizeof(len), MSG_WAITALL) != sizeof(len) ||
	    len > sizeof(buf) || recv(0, buf, len, MSG_WAITALL) != (ssize_t)len)
		return 2;
	if (ae_gss_import(&ctx, buf, len, NULL) != AE_OK)
		return 3;
	if (strcmp(ae_gss_ctx_peer(ctx), CLIENT "@" REALM) != 0 ||
	    ae_gss_ctx_enctype(ctx) != 18 || !ae_gss_ctx_done(ctx))
		return 4;
	while ((v = get(ctx, 0)) >= 0)
		if (put(ctx, 0, (uint8_t)(v + 1)) != 0)
			return 5;
	ae_gss_ctx_free(ctx);
	return 0;
}

static pid_t
start(int *fd)
{
	char exe[] = "/proc/self/exe", role[] = "child";
	int sv[2];
	pid_t pid;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(sv[1], 0);
		(void)execv(exe, (char *[]){ exe, role, NULL });
		_exit(127);
	}
	(void)close(sv[1]);
	*fd = sv[0];
	return pid;
}

static void
move_and_talk(enum ae_gss_mech mech, enum ae_gss_level level, int before)
{
	struct pair p = pair_new(realm.client, realm.service, mech, level);
	struct ae_secret s = { 0 };
	int fd, local[2], status, i;
	struct ae_wr unused;
	bool done = false;
	uint32_t len;
	pid_t pid;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, local), 0);
	for (i = 0; i < before; i++) {
		assert_int_equal(put(p.init, local[0], (uint8_t)i), 0);
		assert_int_equal(get(p.acc, local[1]), i);
		assert_int_equal(put(p.acc, local[1], (uint8_t)(i + 1)), 0);
		assert_int_equal(get(p.init, local[0]), i + 1);
	}
	assert_int_equal(ae_gss_export(p.acc, &s, NULL), AE_OK);
	/* The original is spent. */
	assert_false(ae_gss_ctx_done(p.acc));
	assert_int_equal(put(p.acc, local[1], 1), -1);
	assert_int_equal(ae_gss_export(p.acc, &s, NULL), AE_EINVAL);
	ae_wr_init(&unused, 64);
	assert_int_equal(
	    ae_gss_step(p.acc, "x", 1, &unused, &done, NULL), AE_EAUTH);

	pid = start(&fd);
	len = (uint32_t)s.len;
	assert_int_equal(write(fd, &len, sizeof(len)), sizeof(len));
	assert_int_equal(write(fd, s.p, s.len), s.len);
	for (i = 0; i < 20; i++) {
		assert_int_equal(put(p.init, fd, (uint8_t)i), 0);
		assert_int_equal(get(p.init, fd), i + 1);
	}
	(void)close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(local[0]);
	(void)close(local[1]);
	ae_secret_done(&s);
	pair_done(&p);
}

static void
moves(void **state)
{
	(void)state;
	move_and_talk(AE_GSS_KRB5, AE_GSS_PRIVACY, 0);
	move_and_talk(AE_GSS_KRB5, AE_GSS_INTEGRITY, 3);
	move_and_talk(AE_GSS_SPNEGO, AE_GSS_PRIVACY, 4);
	move_and_talk(AE_GSS_SPNEGO, AE_GSS_INTEGRITY, 0);
}

/* Half-open contexts stay where they are. */
static void
unfinished(void **state)
{
	struct ae_gss_acceptor ac = { AE_GSS_KRB5, AE_GSS_PRIVACY };
	struct ae_gss_ctx *ctx = NULL;
	struct ae_secret s = { 0 };

	(void)state;
	assert_int_equal(
	    ae_gss_ctx_accept(&ctx, realm.service, &ac, NULL), AE_OK);
	assert_int_equal(ae_gss_export(ctx, &s, NULL), AE_EINVAL);
	assert_null(s.p);
	ae_gss_ctx_free(ctx);
}

/* Our own header is checked; behind it the library's parser is trusted. */
static void
not_ours(void **state)
{
	struct pair p =
	    pair_new(realm.client, realm.service, AE_GSS_KRB5, AE_GSS_PRIVACY);
	struct ae_gss_ctx *ctx = NULL;
	struct ae_secret s = { 0 };
	struct ae_err e = AE_ERR_INIT;
	size_t i, header;

	(void)state;
	assert_int_equal(ae_gss_export(p.acc, &s, NULL), AE_OK);
	for (i = 0; i < 8; i++) {
		s.p[i] ^= 0x80;
		assert_int_equal(
		    ae_gss_import(&ctx, s.p, s.len, &e), AE_EPROTO);
		s.p[i] ^= 0x80;
	}
	header = HEADER_FIXED + strlen(ae_gss_ctx_peer(p.acc));
	for (i = 0; i < header; i++)
		assert_int_equal(ae_gss_import(&ctx, s.p, i, &e), AE_EPROTO);
	assert_int_equal(ae_gss_import(&ctx, s.p, header, &e), AE_EINTERNAL);
	s.p[HEADER_FIXED] = 0; /* of the peer's name */
	assert_int_equal(ae_gss_import(&ctx, s.p, s.len, &e), AE_EPROTO);
	s.p[HEADER_FIXED] = (uint8_t)ae_gss_ctx_peer(p.acc)[0];
	assert_int_equal(
	    ae_gss_import(&ctx, s.p, AE_GSS_EXPORT_MAX + 1, &e), AE_ELIMIT);
	assert_null(ctx);
	/* and undamaged it is still good */
	assert_int_equal(ae_gss_import(&ctx, s.p, s.len, &e), AE_OK);
	assert_int_equal(ae_gss_ctx_level(ctx), AE_GSS_PRIVACY);
	ae_gss_ctx_free(ctx);
	ae_secret_done(&s);
	pair_done(&p);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),
		cmocka_unit_test(unfinished),
		cmocka_unit_test(not_ours),
	};

	if (argc == 2 && strcmp(argv[1], "child") == 0)
		return child();
	return cmocka_run_group_tests(tests, realm_setup, realm_teardown);
}
