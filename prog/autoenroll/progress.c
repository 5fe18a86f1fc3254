/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Progress for people; see progress.h.
 */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The stages of a run (client_progress) in words. */
static const struct {
	const char *stage, *text;
} words[] = {
	{ "directory",
	    "asking the directory who we are and which policy applies" },
	{ "policy check", "looking whether policy has changed" },
	{ "inventory", "looking through the store" },
	{ "plan", "reading templates and permissions" },
	{ "trust", "taking over the directory's CA certificates" },
	{ "key", "making a key" },
	{ "request", "asking the CA" },
	{ "install", "checking the answer and installing it" },
	{ "archive", "archiving what is old" },
};

static void
show(void *arg, const char *stage)
{
	static const char *last;
	size_t i;

	(void)arg;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].stage, stage) != 0)
			continue;
		if (last != words[i].text)
			(void)fprintf(stderr, "... %s\n", words[i].text);
		last = words[i].text;
		return;
	}
}

void
progress_begin(struct cli *cli, bool quiet, bool verbose)
{
	if (verbose || (!quiet && !cli->json && isatty(STDERR_FILENO)))
		cli->c.progress = show;
}
