/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * setup_local() as a program, for tests of certsrvd that have no directory
 * to set up.  Not installed: `certsrv setup` is the command.
 *
 *	certsrv-local NAME DNS-NAME KEY-TYPE [UID-BASE [ROOT]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "setup_local.h"

int
main(int argc, char **argv)
{
	struct setup_local s = { .root = argc > 5 ? argv[5] : NULL };
	struct ae_err e = AE_ERR_INIT;
	unsigned made;

	if (argc < 4)
		return 2;
	s.name = argv[1];
	s.dns_name = argv[2];
	s.key = argv[3];
	if (argc > 4)
		s.uid_base = (uint32_t)strtoul(argv[4], NULL, 10);
	if (setup_local(&s, &made, &e) < 0) {
		(void)fprintf(stderr, "certsrv-local: %s\n", e.text);
		return 1;
	}
	return 0;
}
