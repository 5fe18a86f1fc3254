/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Scopes, links and GPOs for the tests of the choice and of what follows
 * from it.
 */
#ifndef AE_TEST_GPO_SCENE_H
#define AE_TEST_GPO_SCENE_H

#include "policy/gpo.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * A scene: scopes of one letter each with their links, GPOs that may be
 * applied by everybody.  A link is the GPO's letter, then '!' for enforced,
 * '-' for disabled.
 */
struct scope {
	enum ae_som_kind kind;
	bool blocks;
	const char *links;
};

/* CN={c},CN=Policies; heap. */
char *letter_dn(char c);
/* Everybody may so much, and with apply have the policy applied. */
struct ae_sd *open_sd(uint32_t rights, bool apply);
/* n scopes, and a GPO of version 1 for each letter. */
struct ae_gpos *scene(
    const struct scope *scopes, size_t n, const char *letters);
/* A user of no groups. */
struct ae_token *anybody(void);
/* The letters that apply, in order. */
void applied(const struct ae_gpos *g, char *out);

#endif
