/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenrolld: runs auto-enrollment at start, every eight hours, and when it
 * is asked to.  The daemon itself only keeps time and the control socket;
 * each run is a process of its own.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "control.h"
#include "driver.h"
#include "roles.h"
#include "sys/clock.h"
#include "sys/loop.h"

struct daemon {
	struct client c;
	struct ae_loop *loop;
	struct control *ctl;
	struct driver *driver;
	struct ae_source *term, *intr;
};

static void
on_report(void *arg, uint64_t run, const char *report, size_t len)
{
	struct daemon *d = arg;

	control_finish(d->ctl, run, report, len);
}

static void
on_stage(void *arg, const char *stage)
{
	struct daemon *d = arg;

	control_progress(d->ctl, stage);
}

static struct driver_answer
on_asked(void *arg, const struct control_request *q)
{
	struct daemon *d = arg;

	return driver_ask(d->driver, q->trigger, q->refresh);
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
		rc =
		    ae_loop_signal(&d->term, d->loop, SIGTERM, on_signal, d, e);
	if (rc == AE_OK)
		rc = ae_loop_signal(&d->intr, d->loop, SIGINT, on_signal, d, e);
	if (rc == AE_OK)
		rc = driver_new(
		    &d->driver, &d->c, d->loop, true, on_report, d, e);
	if (rc == AE_OK)
		rc = control_listen(&d->ctl, &d->c, d->loop, on_asked, d, e);
	if (rc == AE_OK) {
		ae_notify("READY=1");
		d->c.progress = on_stage;
		d->c.progress_arg = d;
		driver_go(d->driver);
		rc = ae_loop_run(d->loop, &code, e);
	}
	d->c.progress = NULL;
	driver_free(d->driver);
	control_free(d->ctl);
	ae_source_free(d->intr);
	ae_source_free(d->term);
	ae_loop_free(d->loop);
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
