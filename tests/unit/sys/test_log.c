/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Log records: what a peer writes into them cannot break the line, and what
 * is not a record is refused.
 */
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "mutate.h"
#include "sys/log.h"

struct sent {
	uint8_t b[AE_LOG_RECORD_MAX];
	size_t len;
	unsigned n;
};

static void
capture(void *arg, const uint8_t *p, size_t len)
{
	struct sent *s = arg;

	memcpy(s->b, p, len);
	s->len = len;
	s->n++;
}

static const struct ae_log_record sample = {
	.level = AE_LOG_WARNING,
	.text = "denied \"x\"\nForged: line",
	.field = { { "AE_REQUEST_ID", "17" }, { "AE_TEMPLATE", "a\x1b[2Jb" } },
	.nfield = 2,
};

static void
remote_round_trip(void **state)
{
	struct sent s = { .n = 0 };
	struct ae_log *g = ae_log_new_remote(capture, &s);
	struct ae_log_record r;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	ae_log_write(g, &sample);
	assert_int_equal(s.n, 1);
	assert_int_equal(ae_log_decode(&r, s.b, s.len, &e), AE_OK);
	assert_int_equal(r.level, AE_LOG_WARNING);
	assert_string_equal(r.text, sample.text);
	assert_int_equal(r.nfield, 2);
	assert_string_equal(r.field[0].key, "AE_REQUEST_ID");
	assert_string_equal(r.field[0].value, "17");
	ae_log_free(g);
}

static void
level_filters(void **state)
{
	struct sent s = { .n = 0 };
	struct ae_log *g = ae_log_new_remote(capture, &s);

	(void)state;
	ae_log_printf(g, AE_LOG_DEBUG, "quiet %d", 1);
	assert_int_equal(s.n, 0);
	ae_log_set_level(g, AE_LOG_DEBUG);
	ae_log_printf(g, AE_LOG_DEBUG, "loud %d", 1);
	assert_int_equal(s.n, 1);
	ae_log_set_level(g, AE_LOG_ERROR);
	ae_log_printf(g, AE_LOG_WARNING, "no");
	assert_int_equal(s.n, 1);
	ae_log_free(g);
}

static void
f26_too_large_is_counted_not_sent(void **state)
{
	struct sent s = { .n = 0 };
	struct ae_log *g = ae_log_new_remote(capture, &s);
	struct ae_log_record r = sample;
	char *big = malloc(20001);

	(void)state;
	memset(big, 'x', 20000);
	big[20000] = '\0';
	r.field[1].value = big;
	ae_log_write(g, &r);
	assert_int_equal(s.n, 0);
	assert_int_equal(ae_log_lost(g), 1);
	free(big);
	ae_log_free(g);
}

/* A journal that stands still, and one that is there again. */
static void
f26_a_journal_that_hangs_is_not_waited_for(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval soon = { .tv_sec = 2 };
	char out[AE_LOG_RECORD_MAX] = "";
	struct ae_log *g;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), i;
	ssize_t n;

	(void)state;
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/ae-journal-%d",
	    (int)getpid());
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	g = ae_log_new_at("prog", false, at.sun_path);
	assert_true(ae_log_is_journal(g));
	alarm(20); /* it would wait for ever */
	for (i = 0; i < 5000; i++)
		ae_log_write(g, &sample);
	alarm(0);
	assert_true(ae_log_lost(g) > 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	n = recv(fd, out, sizeof(out) - 1, 0);
	assert_true(n > 0);
	assert_string_equal(out,
	    "MESSAGE=denied \"x\"\\x0aForged: line\nPRIORITY=4\n"
	    "SYSLOG_IDENTIFIER=prog\nAE_REQUEST_ID=17\n"
	    "AE_TEMPLATE=a\\x1b[2Jb\n");
	while (recv(fd, out, sizeof(out), MSG_DONTWAIT) > 0)
		;
	/* it reads again: the line, and how many there were not */
	ae_log_write(g, &sample);
	assert_true(recv(fd, out, sizeof(out), 0) > 0);
	memset(out, 0, sizeof(out));
	assert_true(recv(fd, out, sizeof(out) - 1, 0) > 0);
	assert_non_null(strstr(out, " lines were not written"));
	ae_log_free(g);
	close(fd);
	unlink(at.sun_path);
}

static void
f26_a_full_pipe_is_not_waited_for(void **state)
{
	struct ae_log *g = ae_log_new("prog", true);
	int p[2], keep = dup(2), i;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(dup2(p[1], 2), 2);
	alarm(20);
	for (i = 0; i < 5000; i++)
		ae_log_write(g, &sample);
	alarm(0);
	assert_int_equal(dup2(keep, 2), 2);
	assert_true(ae_log_lost(g) > 0);
	close(p[0]);
	close(p[1]);
	close(keep);
	ae_log_free(g);
}

/* stderr: one line, whatever the peer put into it */
static void
one_line_on_stderr(void **state)
{
	struct ae_log *g = ae_log_new("prog", true);
	char out[512] = "";
	int p[2], keep = dup(2);
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(dup2(p[1], 2), 2);
	ae_log_write(g, &sample);
	assert_int_equal(dup2(keep, 2), 2);
	n = read(p[0], out, sizeof(out) - 1);
	assert_true(n > 0);
	assert_string_equal(out,
	    "<4>prog: denied \"x\"\\x0aForged: line AE_REQUEST_ID=17 "
	    "AE_TEMPLATE=a\\x1b[2Jb\n");
	close(p[0]);
	close(p[1]);
	close(keep);
	ae_log_free(g);
}

/* The same as JSON: quotes, control characters, what is not UTF-8 */
static void
json_on_stderr(void **state)
{
	const struct ae_log_record r = { .level = AE_LOG_WARNING,
		.role = "ca",
		.text = "a \"b\"\n{\\}",
		.field = { { "AE_EVENT", "53" }, { "AE_SUBJECT", "\xff" } },
		.nfield = 2 };
	static const char end[] =
	    "\"priority\":4,\"program\":\"x\",\"role\":"
	    "\"ca\",\"text\":\"a \\\"b\\\"\\\\x0a{\\\\}\","
	    "\"AE_EVENT\":\"53\",\"AE_SUBJECT\":"
	    "\"(not UTF-8)\"}\n";
	struct ae_log *g = ae_log_new("x", true);
	int keep = dup(2), p[2];
	char buf[1024];
	ssize_t n;

	(void)state;
	ae_log_set_json(g, true);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(dup2(p[1], 2), 2);
	ae_log_write(g, &r);
	assert_int_equal(dup2(keep, 2), 2);
	n = read(p[0], buf, sizeof(buf) - 1);
	assert_true(n > (ssize_t)sizeof(end));
	buf[n] = '\0';
	assert_memory_equal(buf, "{\"time\":\"", 9);
	assert_string_equal(buf + n - (sizeof(end) - 1), end);
	(void)close(keep);
	(void)close(p[0]);
	(void)close(p[1]);
	ae_log_free(g);
}

static void
refuse(const char *bytes, size_t len)
{
	struct ae_log_record r;
	struct ae_err e = AE_ERR_INIT;

	assert_int_equal(
	    ae_log_decode(&r, (const uint8_t *)bytes, len, &e), AE_EPROTO);
}

static void
not_records(void **state)
{
	(void)state;
	refuse("", 0);
	refuse("\x04", 1);
	refuse("\x04\x00", 2);
	refuse("\x04\x00text", 6);	  /* no end */
	refuse("\x02\x00text", 7);	  /* level too low */
	refuse("\x08\x00text", 7);	  /* level too high */
	refuse("\x04\x19text", 7);	  /* 25 fields */
	refuse("\x04\x00text\0more", 12); /* trailing bytes */
	refuse("\x04\x01t\0KEY", 8);	  /* no value */
	refuse("\x04\x01t\0key\0v", 10);  /* lower case key */
	refuse("\x04\x01t\0_PID\0v", 11); /* the journal's own namespace */
	refuse("\x04\x01t\0A=B\0v", 10);  /* a second '=' */
	refuse("\x04\x01t\0\0v", 7);	  /* empty key */
}

static void
mutation(const uint8_t *p, size_t len, void *arg)
{
	struct ae_log_record r;
	struct ae_err e = AE_ERR_INIT;
	size_t i, sum = 0;

	if (ae_log_decode(&r, p, len, &e) == AE_OK)
		for (i = 0; i < r.nfield; i++)
			sum +=
			    strlen(r.field[i].key) + strlen(r.field[i].value);
	*(size_t *)arg += sum;
}

static void
mutations(void **state)
{
	struct sent s = { .n = 0 };
	struct ae_log *g = ae_log_new_remote(capture, &s);
	size_t sum = 0;

	(void)state;
	ae_log_write(g, &sample);
	assert_true(ae_mutate(s.b, s.len, mutation, &sum) > 500);
	assert_true(sum > 0);
	ae_log_free(g);
}

static void
f26_rate_is_bounded(void **state)
{
	struct ae_log_rate l = { .burst = 3, .interval_ms = 1000 };
	unsigned dropped = 9, ok = 0, i;

	(void)state;
	for (i = 0; i < 10; i++)
		ok += ae_log_rate_ok(&l, 5000 + i, &dropped);
	assert_int_equal(ok, 3);
	assert_int_equal(dropped, 0);
	assert_true(ae_log_rate_ok(&l, 6000, &dropped));
	assert_int_equal(dropped, 7);
	assert_true(ae_log_rate_ok(&l, 6001, &dropped));
	assert_int_equal(dropped, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remote_round_trip),
		cmocka_unit_test(level_filters),
		cmocka_unit_test(f26_too_large_is_counted_not_sent),
		cmocka_unit_test(f26_a_journal_that_hangs_is_not_waited_for),
		cmocka_unit_test(f26_a_full_pipe_is_not_waited_for),
		cmocka_unit_test(one_line_on_stderr),
		cmocka_unit_test(json_on_stderr),
		cmocka_unit_test(not_records),
		cmocka_unit_test(mutations),
		cmocka_unit_test(f26_rate_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
