/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the folder: the shape of a policy file as tables (schema.c), which
 * load.c walks, and what is made of an object when it is complete (finish.c).
 */
#ifndef AE_RULES_LOAD_INT_H
#define AE_RULES_LOAD_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "rules/rules.h"

enum ae_rules_kind {
	KIND_BOOL = 1, /* bool */
	KIND_NUMBER,   /* int64_t, not negative */
	KIND_TEXT,     /* const char *, as written */
	KIND_WORD,     /* const char *, white space around it dropped */
	KIND_TIME,     /* int64_t */
	KIND_VERSION,  /* int64_t, AE_RULES_FIRMWARE */
	KIND_ENUM,     /* int */
	KIND_FLAGS,    /* uint32_t, a bit for each <string> */
	KIND_STRINGS,  /* struct ae_rules_strings, <string> each */
	KIND_LIST,     /* { T *v; size_t n; } of type, named item each */
	KIND_OBJECT,   /* T *, made when it is there */
};

/* A value that is spelled: of an enum, or the bit of a set. */
struct ae_rules_word {
	const char *word; /* NULL ends */
	int value;
};

struct ae_rules_type;

struct ae_rules_element {
	const char *name; /* NULL ends */
	enum ae_rules_kind kind;
	size_t offset;
	const struct ae_rules_word *words;
	const struct ae_rules_type *type;
	const char *item;
};

struct ae_rules_loading {
	struct ae_rules *rules;
	struct ae_arena *a;
	struct ae_err *e;
};

struct ae_rules_type {
	size_t size;
	const void *initial; /* what an empty one is; NULL: zeros */
	const struct ae_rules_element *elements;
	/* it is complete: does it make sense?  AE_EINVAL */
	int (*finish)(struct ae_rules_loading *l, void *object);
};

extern const struct ae_rules_type ae_rules_type_policy;

int ae_rules_finish_pattern(struct ae_rules_loading *l, void *object);
int ae_rules_finish_subject(struct ae_rules_loading *l, void *object);
int ae_rules_finish_attribute(struct ae_rules_loading *l, void *object);
int ae_rules_finish_outbound(struct ae_rules_loading *l, void *object);
int ae_rules_finish_extension(struct ae_rules_loading *l, void *object);
int ae_rules_finish_directory(struct ae_rules_loading *l, void *object);
int ae_rules_finish_policy(struct ae_rules_loading *l, void *object);

#endif
