/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenrolld: runs auto-enrollment at start, every eight hours, and when it
 * is asked to.  The daemon itself only keeps time and the control socket;
 * each run is a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "control.h"
#include "pulse.h"
#include "roles.h"
#include "sys/clock.h"
#include "sys/loop.h"
#include "sys/spawn.h"

struct daemon {
	struct client c;
	struct ae_loop *loop;
	struct control *ctl;
	struct ae_source *timer, *child, *pipe, *term, *intr;
	pid_t pid; /* of the run under way, 0: none */
	int report_fd;
	char *report;
	size_t len;
	bool again, refresh; /* asked for while one was under way */
};

static void start_run(struct daemon *d, bool refresh);

static void
next_run(struct daemon *d)
{
	ae_source_set_timer(
	    d->timer, ae_loop_now(d->loop) + d->c.interval * 1000);
}

static void
on_report(void *arg, int fd, unsigned events)
{
	struct daemon *d = arg;
	char *p;
	ssize_t n;

	(void)events;
	p = realloc(d->report, d->len + 65536 + 1);
	if (p == NULL)
		return;
	d->report = p;
	n = read(fd, p + d->len, 65536);
	if (n <= 0 || d->len + (size_t)n > CONTROL_REPORT_MAX) {
		ae_source_free(d->pipe);
		d->pipe = NULL;
		return;
	}
	d->len += (size_t)n;
}

static void
on_run_end(void *arg, pid_t pid, int status)
{
	static const char lost[] =
	    "{\"error\": \"the run ended without a report\"}\n";
	struct daemon *d = arg;
	bool refresh = d->refresh, again = d->again;

	(void)pid;
	while (d->pipe != NULL) /* what is still in the pipe */
		on_report(d, d->report_fd, AE_LOOP_IN);
	(void)close(d->report_fd);
	ae_source_free(d->child);
	d->child = NULL;
	d->pid = 0;
	if (status != 0)
		ae_log_printf(d->c.log, AE_LOG_WARNING,
		    "the run ended with status 0x%x", status);
	if (d->len > 0)
		control_finish(d->ctl, d->report, d->len);
	else
		control_finish(d->ctl, lost, sizeof(lost) - 1);
	free(d->report);
	d->report = NULL;
	d->len = 0;
	d->again = d->refresh = false;
	if (again)
		start_run(d, refresh);
}

static void
start_run(struct daemon *d, bool refresh)
{
	const char *argv[] = { "autoenrolld", "--role",
		refresh ? "run-refresh" : "run", "--root", d->c.root, NULL };
	static const char *const keep[] = { "KRB5_CONFIG", "LDAPCONF", NULL };
	struct ae_err e = AE_ERR_INIT;
	int fds[2];
	struct ae_spawn sp = { .argv = argv,
		.keep_env = keep,
		.nfds = 1,
		.death_signal = SIGTERM };

	next_run(d);
	/* One run serves everybody who asked before it read anything; who
	 * asks for fresh policy later gets another. */
	if (d->pid != 0) {
		d->again = d->again || refresh;
		d->refresh = d->refresh || refresh;
		return;
	}
	if (pipe2(fds, O_CLOEXEC) != 0) {
		ae_log_printf(d->c.log, AE_LOG_ERROR, "cannot start a run: %s",
		    strerror(errno));
		return;
	}
	sp.fds = &fds[1];
	if (ae_spawn(&d->pid, &sp, &e) != AE_OK) {
		ae_log_printf(
		    d->c.log, AE_LOG_ERROR, "cannot start a run: %s", e.text);
		d->pid = 0;
		(void)close(fds[0]);
		(void)close(fds[1]);
		return;
	}
	(void)close(fds[1]);
	d->report_fd = fds[0];
	if (ae_loop_fd(&d->pipe, d->loop, fds[0], AE_LOOP_IN, on_report, d,
		&e) != AE_OK ||
	    ae_loop_child(&d->child, d->loop, d->pid, on_run_end, d, &e) !=
		AE_OK)
		ae_log_printf(
		    d->c.log, AE_LOG_ERROR, "cannot watch the run: %s", e.text);
}

static void
on_timer(void *arg)
{
	start_run(arg, false);
}

static void
on_asked(void *arg, bool refresh)
{
	start_run(arg, refresh);
}

static void
on_signal(void *arg, int signo)
{
	struct daemon *d = arg;

	(void)signo;
	ae_loop_exit(d->loop, EXIT_OK);
}

static int
serve(struct daemon *d, struct ae_err *e)
{
	int rc, code = EXIT_LOCAL;

	rc = ae_loop_new(&d->loop, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&d->timer, d->loop, on_timer, d, e);
	if (rc == AE_OK)
		rc =
		    ae_loop_signal(&d->term, d->loop, SIGTERM, on_signal, d, e);
	if (rc == AE_OK)
		rc = ae_loop_signal(&d->intr, d->loop, SIGINT, on_signal, d, e);
	if (rc == AE_OK)
		rc = control_listen(&d->ctl, &d->c, d->loop, on_asked, d, e);
	if (rc == AE_OK) {
		ae_notify("READY=1");
		start_run(d, false); /* Windows': at start-up */
		rc = ae_loop_run(d->loop, &code, e);
	}
	if (d->pid > 0)
		(void)kill(d->pid, SIGTERM);
	control_free(d->ctl);
	ae_source_free(d->pipe);
	ae_source_free(d->child);
	ae_source_free(d->intr);
	ae_source_free(d->term);
	ae_source_free(d->timer);
	ae_loop_free(d->loop);
	free(d->report);
	return rc == AE_OK ? code : EXIT_LOCAL;
}

static const char usage[] =
    "usage: autoenrolld [-f] [--root DIR]\n"
    "\n"
    "Gets and renews this machine's certificates from Active Directory: at\n"
    "start, every eight hours, and when 'autoenroll pulse' asks.\n"
    "\n"
    "  -f          stay in the foreground, log to standard error\n"
    "  --root DIR  take all paths below DIR\n";

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "role", required_argument, NULL, 'R' },
		{ "as-user", no_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	const char *root = getenv("AUTOENROLL_ROOT"), *role = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct daemon d = { 0 };
	bool foreground = false, user = false;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
		switch (opt) {
		case 'r':
			root = optarg;
			break;
		case 'R':
			role = optarg;
			break;
		case 'u': /* of a role of a user's run */
			user = true;
			break;
		case 'f':
			foreground = true;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_OK;
		case 'V':
			(void)printf("autoenrolld %s\n", AE_VERSION);
			return EXIT_OK;
		default:
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (client_init(&d.c, root, user, &e) != AE_OK) {
		(void)fprintf(stderr, "autoenrolld: %s\n", e.text);
		return client_exit_code(&e);
	}
	d.c.log = ae_log_new("autoenrolld", foreground);
	code = role != NULL ? role_main(&d.c, role, &e) : serve(&d, &e);
	if (e.rc != AE_OK) {
		if (d.c.log != NULL)
			ae_log_printf(d.c.log, AE_LOG_ERROR, "%s%s%s",
			    role == NULL ? "" : role, role == NULL ? "" : ": ",
			    e.text);
		code = code > 0 ? code : client_exit_code(&e);
	}
	client_done(&d.c);
	return code;
}
