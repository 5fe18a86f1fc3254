/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrvd: options, and which of its processes this one is.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "parent.h"
#include "role.h"

static _Noreturn void
usage(void)
{
	(void)fputs(
	    "usage: certsrvd [-dfn] [--config FILE] [--root DIR]\n", stderr);
	exit(2);
}

static unsigned
number(const char *s, unsigned max)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s == '\0' || *end != '\0' || v > max)
		usage();
	return (unsigned)v;
}

/* -n: is the configuration good? */
static int
check(const struct parent_options *o)
{
	struct conf c;
	struct ae_err e = AE_ERR_INIT;
	int rc = conf_read(&c, o->root, o->config, &e);

	if (rc < 0)
		(void)fprintf(stderr, "certsrvd: %s\n", e.text);
	conf_done(&c);
	return rc < 0 ? 1 : 0;
}

int
main(int argc, char **argv)
{
	enum { O_ROOT = 256, O_CONFIG, O_ROLE, O_INDEX, O_LISTEN, O_SEED };
	static const struct option longs[] = {
		{ "root", required_argument, NULL, O_ROOT },
		{ "config", required_argument, NULL, O_CONFIG },
		{ "foreground", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'n' },
		{ "debug", no_argument, NULL, 'd' },
		/* how the parent starts the others; not for people */
		{ "role", required_argument, NULL, O_ROLE },
		{ "index", required_argument, NULL, O_INDEX },
		{ "listen", required_argument, NULL, O_LISTEN },
		{ "seed", required_argument, NULL, O_SEED },
		{ NULL, 0, NULL, 0 },
	};
	struct parent_options o = { .root = NULL };
	struct role_args r = { .role = ROLE_PARENT };
	bool check_only = false;
	int c;

	while ((c = getopt_long(argc, argv, "dfn", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			o.debug = true;
			break;
		case 'f':
			o.foreground = true;
			break;
		case 'n':
			check_only = true;
			break;
		case O_ROOT:
			o.root = optarg;
			break;
		case O_CONFIG:
			o.config = optarg;
			break;
		case O_ROLE:
			r.role = role_find(optarg);
			if (r.role == ROLE_COUNT)
				usage();
			break;
		case O_INDEX:
			r.index = (uint8_t)number(optarg, WORKERS_MAX - 1);
			break;
		case O_LISTEN:
			r.nlisten = number(optarg, 8);
			break;
		case O_SEED:
			r.seed = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
	if (r.role != ROLE_PARENT) {
		r.root = o.root;
		r.config = o.config;
		return role_main(&r);
	}
	return check_only ? check(&o) : parent_main(&o);
}
