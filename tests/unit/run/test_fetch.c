/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of run/fetch.h against web servers that are rude.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run/fetch.h"

#define BODY_MAX 1000
#define MS 1500

static struct ae_run_fetch *fetch;

/* A server that says this to whoever comes, and keeps what it was asked. */
struct server {
	pid_t pid;
	uint16_t port;
	int asked; /* to read from */
};

static void
serve(int fd, int out, const char *answer)
{
	char buf[4096];
	ssize_t n;
	int c;

	while ((c = accept(fd, NULL, NULL)) >= 0) {
		n = read(c, buf, sizeof(buf));
		if (n > 0)
			(void)!write(out, buf, (size_t)n);
		if (answer == NULL)
			(void)pause();
		(void)!write(c, answer, strlen(answer));
		(void)close(c);
	}
	_exit(0);
}

static struct server
start(const char *answer)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	struct server s;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), p[2];

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(pipe(p), 0);
	s.port = ntohs(a.sin_port);
	s.asked = p[0];
	s.pid = fork();
	if (s.pid == 0)
		serve(fd, p[1], answer);
	(void)close(fd);
	(void)close(p[1]);
	return s;
}

static void
stop(struct server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)close(s->asked);
}

/* What came of it; *status as fetch says. */
static int
get(const char *answer, struct ae_wr *body, long *status)
{
	struct server s = start(answer);
	struct ae_err e = AE_ERR_INIT;
	char url[64];
	int rc;

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/a", s.port);
	ae_wr_init(body, BODY_MAX);
	rc = ae_run_fetch_get(fetch, url, MS, body, status, &e);
	if (rc != AE_OK)
		assert_true(e.text[0] != '\0');
	stop(&s);
	return rc;
}

static void
what_is_there_is_had(void **state)
{
	struct ae_wr body;
	long status;

	(void)state;
	assert_int_equal(get("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
			     &body, &status),
	    AE_OK);
	assert_int_equal(status, 200);
	assert_string_equal(ae_wr_cstr(&body), "abc");
	ae_wr_done(&body);
}

static void
other_answers_are_told(void **state)
{
	struct ae_wr body;
	long status;

	(void)state;
	assert_int_equal(
	    get("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", &body, &status),
	    AE_EREMOTE);
	assert_int_equal(status, 404);
	ae_wr_done(&body);
	/* Not followed, wherever it leads. */
	assert_int_equal(get("HTTP/1.1 302 There\r\nLocation: file:///etc/"
			     "hostname\r\nContent-Length: 0\r\n\r\n",
			     &body, &status),
	    AE_EREMOTE);
	assert_int_equal(status, 302);
	assert_int_equal(body.len, 0);
	ae_wr_done(&body);
	assert_int_equal(get("SSH-2.0-x\r\n", &body, &status), AE_EPROTO);
	ae_wr_done(&body);
	assert_int_equal(get("", &body, &status), AE_EPROTO);
	ae_wr_done(&body);
}

static void
bounds_hold(void **state)
{
	char *big;
	struct timespec t, now;
	struct ae_wr body;
	long status;

	(void)state;
	assert_true(
	    asprintf(&big, "HTTP/1.1 200 OK\r\n\r\n%0*d", BODY_MAX + 1, 7) > 0);
	assert_int_equal(get(big, &body, &status), AE_ELIMIT);
	free(big);
	ae_wr_done(&body);
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	assert_int_equal(get(NULL, &body, &status), AE_ETIMEDOUT);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(now.tv_sec - t.tv_sec <= MS / 1000 + 5);
	ae_wr_done(&body);
}

static void
nobody_is_there(void **state)
{
	struct server s = start("");
	struct ae_wr body;
	char url[64];
	long status;

	(void)state;
	stop(&s); /* its port is free now */
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/a", s.port);
	ae_wr_init(&body, BODY_MAX);
	assert_int_equal(ae_run_fetch_get(fetch, url, MS, &body, &status, NULL),
	    AE_EUNAVAIL);
	assert_int_equal(status, 0);
	ae_wr_done(&body);
}

/* No name of ours, no program for what the URL says. */
static void
what_is_not_asked(void **state)
{
	static const char *const bad[] = { "", "file:///etc/passwd",
		"https://a/b", "ftp://a/b", "gopher://a/b", "http:///b",
		"http://u:p@h/", "http://h\\@x/", "http://a b/", "http://a/\n",
		"http://a/\xc3\xa4", "//a/b" };
	char longer[AE_RUN_URL_MAX + 8];
	struct ae_wr body;
	long status;
	size_t i;

	(void)state;
	ae_wr_init(&body, BODY_MAX);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ae_run_fetch_get(fetch, bad[i], MS, &body, &status, NULL) !=
		    AE_EINVAL)
			fail_msg("%s", bad[i]);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "http://", 7);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(ae_run_fetch_asks(longer));
	assert_true(ae_run_fetch_asks("HTTP://h:80/x?y#z"));
	ae_wr_done(&body);
}

static void
what_is_sent(void **state)
{
	struct server s = start("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	char url[64], sent[4096];
	struct ae_wr body;
	long status;
	ssize_t n;

	(void)state;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/a%%20b", s.port);
	ae_wr_init(&body, BODY_MAX);
	assert_int_equal(
	    ae_run_fetch_get(fetch, url, MS, &body, &status, NULL), AE_OK);
	n = read(s.asked, sent, sizeof(sent) - 1);
	assert_true(n > 0);
	sent[n] = '\0';
	assert_int_equal(strncmp(sent, "GET /a%20b HTTP/1.1\r\n", 21), 0);
	assert_null(strstr(sent, "Authorization"));
	assert_null(strstr(sent, "Cookie"));
	ae_wr_done(&body);
	stop(&s);
}

/* Who speaks no TLS is told as such. */
static void
no_certificate_is_shown(void **state)
{
	struct server s = start("220 mail\r\n");
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr pem;

	(void)state;
	ae_wr_init(&pem, BODY_MAX);
	assert_int_equal(
	    ae_run_fetch_shown(fetch, "127.0.0.1", s.port, MS, &pem, &e),
	    AE_EPROTO);
	assert_int_equal(pem.len, 0);
	ae_wr_done(&pem);
	stop(&s);
}

static int
begin(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)unsetenv("http_proxy");
	return ae_run_fetch_new(&fetch, NULL);
}

static int
end(void **state)
{
	(void)state;
	ae_run_fetch_free(fetch);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_had),
		cmocka_unit_test(other_answers_are_told),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(what_is_not_asked),
		cmocka_unit_test(what_is_sent),
		cmocka_unit_test(no_certificate_is_shown),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
