/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Mail and commands; see notify.h.
 */
#include "notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/wr.h"
#include "sys/exec.h"

#define WAIT_MS 30000
#define ARGS_MAX 32
#define TEXT_MAX (1024u * 1024u)

/* Something to read from, that nobody has to keep filling. */
static int
as_file(const struct ae_wr *w, struct ae_err *e)
{
	int fd = memfd_create("autoenroll-notify", MFD_CLOEXEC);

	if (fd < 0)
		return ae_fail_errno(e, errno, "make a file of the message");
	if (write(fd, w->p, w->len) != (ssize_t)w->len ||
	    lseek(fd, 0, SEEK_SET) != 0) {
		(void)close(fd);
		return ae_fail_errno(e, errno, "write the message");
	}
	return fd;
}

static int
run(const char *const *argv, const char *subject, const struct ae_wr *text,
    struct ae_err *e)
{
	const char *env[] = { NULL, NULL };
	struct ae_exec x = {
		.path = argv[0], .argv = argv, .env = env, .timeout_ms = WAIT_MS
	};
	int input, status = 0, rc;
	struct ae_wr var;

	if (!ae_wr_ok(text))
		return ae_fail_mem(e);
	input = as_file(text, e);
	if (input < 0)
		return input;
	x.input = &input;
	ae_wr_init(&var, TEXT_MAX);
	ae_wr_printf(&var, "AUTOENROLL_SUBJECT=%s", subject);
	env[0] = ae_wr_cstr(&var);
	rc = ae_wr_ok(&var) ? ae_exec_run(&x, &status, e) : ae_fail_mem(e);
	if (rc == AE_OK && status != 0)
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "%s ended with status %d", argv[0], status);
	ae_wr_done(&var);
	(void)close(input);
	return rc;
}

static int
by_mail(const struct client *c, const char *subject, const char *text,
    struct ae_err *e)
{
	const char *argv[] = { c->sendmail, "-i", "--", c->notify_mail, NULL };
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, TEXT_MAX);
	ae_wr_printf(&w,
	    "To: %s\nSubject: %s\nAuto-Submitted: auto-generated\n"
	    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: 8bit\n\n%s",
	    c->notify_mail, subject, text);
	rc = run(argv, subject, &w, e);
	ae_wr_done(&w);
	return rc;
}

static int
by_command(const struct client *c, const char *subject, const char *text,
    struct ae_err *e)
{
	char *copy = strdup(c->notify_command), *save = NULL, *word;
	const char *argv[ARGS_MAX + 1] = { NULL };
	struct ae_wr w;
	size_t n = 0;
	int rc;

	if (copy == NULL)
		return ae_fail_mem(e);
	for (word = strtok_r(copy, " \t", &save); word != NULL && n < ARGS_MAX;
	     word = strtok_r(NULL, " \t", &save))
		argv[n++] = word;
	ae_wr_init(&w, TEXT_MAX);
	ae_wr_str(&w, text);
	if (n == 0 || word != NULL || argv[0][0] != '/')
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the command of [notify] begins with a '/' and has at "
		    "most %d words",
		    ARGS_MAX);
	else
		rc = run(argv, subject, &w, e);
	ae_wr_done(&w);
	free(copy);
	return rc;
}

void
notify_send(const struct client *c, const char *subject, const char *text)
{
	struct ae_err e = AE_ERR_INIT;

	if (c->user)
		return;
	if (c->notify_mail != NULL && by_mail(c, subject, text, &e) != AE_OK &&
	    c->log != NULL)
		ae_log_printf(c->log, AE_LOG_WARNING, "mail to %s: %s",
		    c->notify_mail, e.text);
	e = (struct ae_err)AE_ERR_INIT;
	if (c->notify_command != NULL &&
	    by_command(c, subject, text, &e) != AE_OK && c->log != NULL)
		ae_log_printf(
		    c->log, AE_LOG_WARNING, "the notify command: %s", e.text);
}
