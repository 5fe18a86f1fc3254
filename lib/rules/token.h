/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Variables in what is written into certificates: {ad:mail}, {sdn:commonName}.
 */
#ifndef AE_RULES_TOKEN_H
#define AE_RULES_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum ae_rules_source {
	AE_RULES_AD,  /* attribute of the mapped object */
	AE_RULES_YK,  /* of the YubiKey's attestation */
	AE_RULES_SDN, /* of the requested subject */
	AE_RULES_SAN, /* of the requested alternative names */
};

struct ae_rules_token {
	const char *start; /* its brace */
	size_t len;	   /* up to and with the closing one */
	enum ae_rules_source source;
	const char *source_name; /* "ad" */
	const char *name;
	size_t name_len;
};

/* The first variable in s; false: none.  Other braces are plain text. */
bool ae_rules_token_next(struct ae_rules_token *out, const char *s);

#endif
