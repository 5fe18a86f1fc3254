/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Configuration files: "key = value" lines under [section] headings, '#'
 * and ';' comments on lines of their own.  A table says which keys exist and
 * where their values go, so an unknown key, a wrong value or a second
 * setting is an error with file, line and column.
 */
#ifndef AE_BASE_CONF_H
#define AE_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define AE_CONF_FILE_MAX (256u * 1024u)

enum ae_conf_type {
	AE_CONF_STR,   /* char *, heap, replaces and frees what was there */
	AE_CONF_BOOL,  /* bool: yes/no, true/false, on/off, 1/0 */
	AE_CONF_U32,   /* uint32_t within [min, max], decimal or 0x hex */
	AE_CONF_SPAN,  /* int64_t seconds: 90, 90s, 10m, 8h, 7d, 2w, 1y */
	AE_CONF_ENUM,  /* int: index of the value in words */
	AE_CONF_STRV,  /* struct ae_strv, one string a line, key repeats */
	AE_CONF_PAIRS, /* struct ae_strv: key, value, key, value …; a row whose
			  key is "*" and takes every key of its section, each
			  once, compared without case */
};

/* One key.  Tables end with a row whose key is NULL. */
struct ae_conf_key {
	const char *section; /* "" before any heading */
	const char *key;
	enum ae_conf_type type;
	size_t offset;		  /* into the caller's struct */
	int64_t min, max;	  /* for U32 and SPAN; both 0: no bounds */
	const char *const *words; /* for ENUM, ends with NULL */
	/* May refuse a value before it is stored; e gets line and column. */
	int (*check)(const char *value, struct ae_err *e);
};

/*
 * Headings of the form [prefix NAME], which may come many times: each begins
 * an object of its own, filled by its own table.  The section of the rows of
 * that table is the prefix.
 */
struct ae_conf_group {
	const char *prefix;
	const struct ae_conf_key *keys;
	/*
	 * The object that the keys below this heading are stored in; it must
	 * stay where it is until the next call.  NULL: refused, e says why.
	 */
	void *(*begin)(
	    void *out, const char *name, unsigned line, struct ae_err *e);
};

/*
 * Parse len bytes of text named name (for messages) into *out by the rows of
 * keys.  Keys not set keep what *out held, so fill defaults first.  On
 * failure e->text begins "name:line:column: " and *out may be partly set;
 * release it as after success.
 */
int ae_conf_parse(void *out, const struct ae_conf_key *keys, const char *name,
    const char *text, size_t len, struct ae_err *e) AE_MUST_CHECK;

/* The same for a file that has such headings too. */
int ae_conf_parse_groups(void *out, const struct ae_conf_key *keys,
    const struct ae_conf_group *group, const char *name, const char *text,
    size_t len, struct ae_err *e) AE_MUST_CHECK;

/* Read a file and parse it.  AE_ENOTFOUND when there is none. */
int ae_conf_read(void *out, const struct ae_conf_key *keys, const char *path,
    struct ae_err *e) AE_MUST_CHECK;

/* Free what STR, STRV and PAIRS rows own. */
void ae_conf_done(void *out, const struct ae_conf_key *keys);

#endif
