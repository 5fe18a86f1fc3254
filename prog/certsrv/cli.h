/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv's command line: a table of commands, each in a file of its own,
 * and what they share.
 */
#ifndef CERTSRV_CLI_H
#define CERTSRV_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "conf.h"

/* Exit codes, the same in all our programs. */
enum cli_exit {
	EXIT_OK = 0,
	EXIT_FINDING = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_LOCAL = 4,
	EXIT_DIRECTORY = 5,
	EXIT_NETWORK = 6,
	EXIT_AUTH = 7,
	EXIT_DENIED = 8,
	EXIT_PENDING = 9,
	EXIT_TRUST = 10,
};

struct cli {
	const char *root;   /* --root, or NULL */
	const char *config; /* --config, or NULL */
	const char *ca;	    /* --ca HOST\\NAME, or NULL: the one here */
	bool json;	    /* --json */
	bool have_conf;
	struct conf conf; /* after cli_conf */
};

/* A command gets its own name as argv[0]; returns an exit code. */
typedef int cli_fn(struct cli *cli, int argc, char **argv);

struct cli_command {
	const char *name;
	cli_fn *run;
	const char *summary; /* one line for the list */
	const char *help;    /* usage, options, examples */
	bool remote;	     /* it can be asked of a CA on another host */
	const char *role;    /* who may, on the CA's host; NULL: root */
};

extern const struct cli_command cli_commands[]; /* ends with a NULL name */

/* Read the configuration, once.  Commands that set a CA up do without. */
int cli_conf(struct cli *cli, struct ae_err *e) AE_MUST_CHECK;

/* Say "certsrv: …" with the story of e and give the exit code for it. */
int cli_fail(const struct cli *cli, const struct ae_err *e);

/* A usage error and where to read more; EXIT_USAGE. */
int cli_usage(const char *command, const char *fmt, ...) AE_PRINTF(2, 3);

/* Print JSON, indented, and a newline; takes the reference. */
void cli_print_json(json_t *j);

/* Text somebody else chose, safe for a terminal; NULL is "-".  A static
 * buffer of four rotates. */
const char *cli_safe(const char *s);

/* JSON of a string that may be NULL or no UTF-8; of a time (0: null). */
json_t *cli_json_text(const char *s);
json_t *cli_json_time(int64_t t);

/*
 * The process id of the certsrvd that serves this root; 0: none runs.
 * cli_signal sends it a signal: false with nothing done when none runs.
 */
int cli_daemon(const struct cli *cli);
bool cli_signal(const struct cli *cli, int signo);

cli_fn cmd_ca, cmd_key, cmd_root, cmd_setup, cmd_request, cmd_template,
    cmd_permission, cmd_crl, cmd_db;
cli_fn cmd_audit, cmd_revoke, cmd_recover, cmd_agent, cmd_officer,
    cmd_attestation, cmd_explain, cmd_policy, cmd_ping, cmd_diagnose,
    cmd_status, cmd_backup, cmd_restore;

/*
 * Try the CA's keys, as the user who signs: an object for each into list,
 * with "uri", "works" and "error".  Needs root.
 */
int key_test_all(struct cli *cli, json_t *list, size_t *broken,
    struct ae_err *e) AE_MUST_CHECK;

/* "request approve" and "request deny"; an exit code. */
int request_decide(struct cli *cli, bool approve, int64_t id);

#endif
