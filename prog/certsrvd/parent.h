/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The parent: reads the configuration, opens the listening sockets, starts
 * the others, joins them by socketpairs, writes their log, starts the dead
 * again.  It parses no byte from outside.
 */
#ifndef CERTSRVD_PARENT_H
#define CERTSRVD_PARENT_H

#include <stdbool.h>

struct parent_options {
	const char *root;   /* NULL: / */
	const char *config; /* NULL: CONF_PATH below root */
	bool foreground;    /* log to stderr */
	bool debug;
};

/* The program's exit status. */
int parent_main(const struct parent_options *o);

#endif
