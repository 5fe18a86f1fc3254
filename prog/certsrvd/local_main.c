/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * setup_local() as a program, for tests of certsrvd that have no directory
 * to set up.  Not installed: `certsrv setup` is the command, and its options
 * have the same names.
 *
 *	certsrv-local [OPTION...] NAME DNS-NAME KEY [UID-BASE [ROOT]]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "setup_local.h"

static bool
take(struct setup_local *s, int opt, const char **paths)
{
	switch (opt) {
	case 'S':
		s->subordinate = true;
		return true;
	case 't':
		s->key_type = optarg;
		return true;
	case 'P':
		s->passphrase_file = optarg;
		return true;
	case 'M':
		s->pkcs11_module = optarg;
		return true;
	case 'I':
		s->pkcs11_pin_file = optarg;
		return true;
	case 'W':
		paths[0] = optarg;
		s->pkcs11_paths = paths;
		return true;
	case 'C':
		s->tpm = optarg;
		return true;
	case 'B':
		s->db_server = optarg;
		return true;
	case 'Q':
		s->db_password_file = optarg;
		return true;
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "subordinate", no_argument, NULL, 'S' },
		{ "key-type", required_argument, NULL, 't' },
		{ "passphrase-file", required_argument, NULL, 'P' },
		{ "pkcs11-module", required_argument, NULL, 'M' },
		{ "pkcs11-pin-file", required_argument, NULL, 'I' },
		{ "pkcs11-path", required_argument, NULL, 'W' },
		{ "tpm", required_argument, NULL, 'C' },
		{ "database", required_argument, NULL, 'B' },
		{ "database-password-file", required_argument, NULL, 'Q' },
		{ 0 },
	};
	struct setup_local s = { .root = NULL };
	struct ae_err e = AE_ERR_INIT;
	const char *paths[2] = { NULL, NULL };
	unsigned made;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!take(&s, opt, paths))
			return 2;
	argc -= optind;
	argv += optind;
	if (argc < 3)
		return 2;
	s.name = argv[0];
	s.dns_name = argv[1];
	s.key = argv[2];
	if (argc > 3)
		s.uid_base = (uint32_t)strtoul(argv[3], NULL, 10);
	s.root = argc > 4 ? argv[4] : NULL;
	if (setup_local(&s, &made, &e) < 0) {
		(void)fprintf(stderr, "certsrv-local: %s\n", e.text);
		return 1;
	}
	return 0;
}
