/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Rows to what getopt wants; see options.h.
 */
#include "options.h"

#include <assert.h>

static bool
put(const struct cli_option *o, void *arg)
{
	if (o->text != NULL)
		*o->text = optarg;
	if (o->flag != NULL)
		*o->flag = true;
	if (o->list != NULL)
		return ae_strv_add(o->list, optarg);
	return o->take == NULL || o->take(arg, optarg);
}

bool
cli_options(
    int argc, char **argv, const struct cli_option *v, size_t n, void *arg)
{
	struct option rows[CLI_OPTIONS_MAX + 1] = { 0 };
	char letters[2 * CLI_OPTIONS_MAX + 1];
	size_t i, at = 0;
	int opt;

	assert(n <= CLI_OPTIONS_MAX);
	for (i = 0; i < n; i++) {
		rows[i].name = v[i].name;
		rows[i].has_arg = v[i].argument;
		rows[i].val = (int)(256 + i);
		if (v[i].letter == '\0')
			continue;
		letters[at++] = v[i].letter;
		if (v[i].argument == required_argument)
			letters[at++] = ':';
	}
	letters[at] = '\0';
	while ((opt = getopt_long(argc, argv, letters, rows, NULL)) != -1) {
		for (i = 0; i < n; i++)
			if (opt == (int)(256 + i) ||
			    (v[i].letter != '\0' && opt == v[i].letter))
				break;
		if (i == n || !put(&v[i], arg))
			return false;
	}
	return true;
}
