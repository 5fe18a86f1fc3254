/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The command line: a table of commands, each in a file of its own.
 */
#ifndef AE_CLI_CLI_H
#define AE_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "../autoenrolld/client.h"

struct cli {
	struct client c;
	bool json; /* --json */
};

/*
 * A command gets its own name as argv[0] and returns the exit code of
 * enum client_exit.
 */
typedef int cli_fn(struct cli *cli, int argc, char **argv);

struct cli_command {
	const char *name;
	cli_fn *run;
	const char *summary; /* one line for the list */
	const char *help;    /* usage, options, examples */
};

extern const struct cli_command cli_commands[]; /* ends with a NULL name */

/*
 * --user: from now on for the user who runs this, not for the machine.  On
 * failure cli is as it was.
 */
int cli_for_user(struct cli *cli, struct ae_err *e) AE_MUST_CHECK;

/* What a run did after it installed: deployment and system trust. */
void cli_print_after(const struct cli *cli, const json_t *report);

/* Say "autoenroll: …" with the story of e and give the exit code for it. */
int cli_fail(const struct cli *cli, const struct ae_err *e);

/* A usage error: message and where to read more; EXIT_USAGE. */
int cli_usage(const char *command, const char *fmt, ...) AE_PRINTF(2, 3);

/* Print JSON, indented, and a newline. */
void cli_print_json(const json_t *j);

/* Peer-chosen text, safe for a terminal; a static buffer of four rotates. */
const char *cli_safe(const char *s);

cli_fn cmd_pulse, cmd_enroll, cmd_request, cmd_install, cmd_submit,
    cmd_retrieve, cmd_templates, cmd_groups, cmd_store, cmd_policy, cmd_ca,
    cmd_log, cmd_events, cmd_status, cmd_key, cmd_task, cmd_deploy, cmd_trust,
    cmd_explain, cmd_diagnose;

#endif
