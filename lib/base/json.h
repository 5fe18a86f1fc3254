/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * JSON as text, for what is large and only passed on: writing it without
 * building it first, and judging it without reading it.  jansson does the
 * rest.
 */
#ifndef AE_BASE_JSON_H
#define AE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wr.h"

/*
 * s as a JSON string, with its quotes.  What is not UTF-8 is escaped as
 * ae_str_quote does, so that a text without its meaning is still a text.
 */
void ae_json_put_str(struct ae_wr *w, const char *s);

/*
 * "name":"s", with a comma before it unless an object or a list has just
 * begun.
 */
void ae_json_put_member(struct ae_wr *w, const char *name, const char *s);
/* A comma, unless an object or a list has just begun or nothing is there. */
void ae_json_put_next(struct ae_wr *w);

/*
 * Is this one object and nothing else, on one line: may it stand in a line
 * of its own, or be opened to add members, without changing what is around
 * it?  What is inside the strings and between the brackets is for whoever
 * reads it.
 */
bool ae_json_is_line(const char *p, size_t len);

/*
 * Walking through an object's members or a list's elements without building
 * them.  Pieces are borrowed from the text: a value with its quotes or
 * brackets, a name without its quotes and with its escapes.
 */
struct ae_json_walk {
	const char *p, *end;
	bool object;
	bool more; /* nothing yet, or a comma */
	bool any;
};
struct ae_json_part {
	const char *name; /* NULL in a list */
	size_t name_len;
	const char *p;
	size_t len;
};

/* False: it is neither. */
bool ae_json_walk(struct ae_json_walk *w, const char *p, size_t len);
/* False: there is no more, or what follows is no JSON. */
bool ae_json_step(struct ae_json_walk *w, struct ae_json_part *out);
/* Was it walked to its very end? */
bool ae_json_ended(const struct ae_json_walk *w);
/* Is it the member of this (plain) name? */
bool ae_json_is(const struct ae_json_part *part, const char *name);

#endif
