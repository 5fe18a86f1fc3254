/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Mail and commands; see notify.h.
 */
#include "notify.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wr.h"
#include "sys/clock.h"
#include "sys/spawn.h"

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
wait_for(pid_t pid, const char *program, struct ae_err *e)
{
	int64_t until = ae_clock_mono_ms() + WAIT_MS;
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 &&
	    ae_clock_mono_ms() < until)
		(void)usleep(10000);
	if (got == 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		return ae_fail(e, AE_ETIMEDOUT, AE_DOM_NONE, 0,
		    "%s did not end in %d s and was killed", program,
		    WAIT_MS / 1000);
	}
	if (got < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "%s ended with status 0x%x", program, (unsigned)status);
	return AE_OK;
}

static int
run(const char *const *argv, const char *subject, const struct ae_wr *text,
    struct ae_err *e)
{
	static const char *const keep[] = { "AUTOENROLL_SUBJECT", NULL };
	int std[3] = { -1, -1, -1 }, rc;
	struct ae_spawn sp = { .path = argv[0],
		.argv = argv,
		.keep_env = keep,
		.std = std,
		.death_signal = SIGTERM };
	pid_t pid;

	if (!ae_wr_ok(text) || setenv("AUTOENROLL_SUBJECT", subject, 1) != 0)
		return ae_fail_mem(e);
	std[0] = as_file(text, e);
	if (std[0] < 0)
		return std[0];
	rc = ae_spawn(&pid, &sp, e);
	(void)close(std[0]);
	(void)unsetenv("AUTOENROLL_SUBJECT");
	return rc == AE_OK ? wait_for(pid, argv[0], e) : rc;
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
