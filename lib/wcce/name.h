/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Names of a CA: the sanitized name and its short form (MS-WCCE 3.1.1.4.1.1),
 * which are object and file names where the common name cannot be one, and
 * the configuration string "host\CA" that tools and event texts show.
 */
#ifndef AE_WCCE_NAME_H
#define AE_WCCE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/*
 * The sanitized form of a UTF-8 name: characters that cannot stand in file
 * and directory names become '!' and four hex digits of a UTF-16 unit.
 * NULL: not UTF-8, or out of memory.
 */
char *ae_wcce_sanitize(struct ae_arena *a, const char *name);

/*
 * The short form, at most 57 characters: what is longer than 51 is cut (never
 * inside a "!xxxx") and ends in '-' and a five-digit checksum of what was
 * cut (MS-WCCE 3.1.1.4.1.1.1).  NULL as above.
 */
char *ae_wcce_sanitize_short(struct ae_arena *a, const char *name);

/*
 * pwszAuthority names the CA called name: the name itself, its sanitized or
 * short sanitized form, ignoring ASCII case (MS-WCCE 3.2.1.4.2.1.1).
 * asked NULL or "" is right only when empty_ok.
 */
bool ae_wcce_authority_matches(
    const char *name, const char *asked, bool empty_ok);

/* "ca1.example.com\Example CA".  NULL when out of memory. */
char *ae_wcce_config_string(
    struct ae_arena *a, const char *dns_name, const char *ca_name);

#endif
