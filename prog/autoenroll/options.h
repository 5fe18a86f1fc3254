/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Options of a command as rows: each with the place its value goes to.
 */
#ifndef AE_CLI_OPTIONS_H
#define AE_CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define CLI_OPTIONS_MAX 32

/* One of the places is set; which, says what becomes of the value. */
struct cli_option {
	const char *name;
	int argument; /* required_argument or no_argument */
	char letter;  /* 0: there is none */
	const char **text;
	bool *flag;
	struct ae_strv *list; /* may be given several times */
	bool (*take)(void *arg, const char *value); /* false: no such value */
};

/*
 * Take them all; optind is then behind them.  False: an option that is not
 * there (getopt has said so), a value that cannot be, no memory.
 */
bool cli_options(
    int argc, char **argv, const struct cli_option *v, size_t n, void *arg);

#endif
