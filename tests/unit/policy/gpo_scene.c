/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See gpo_scene.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpo_scene.h"

char *
letter_dn(char c)
{
	char *dn;

	assert_true(asprintf(&dn, "CN={%c},CN=Policies", c) > 0);
	return dn;
}

struct ae_sd *
open_sd(uint32_t rights, bool apply)
{
	const struct ae_sid everyone = { 1, 1, { 0 } };
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = ae_sd_new();

	assert_int_equal(
	    ae_sd_allow(sd, 0, rights, NULL, &everyone, &e), AE_OK);
	if (apply)
		assert_int_equal(
		    ae_sd_allow(sd, 0, AE_ACCESS_CONTROL,
			&ae_right_apply_group_policy, &everyone, &e),
		    AE_OK);
	return sd;
}

struct ae_gpos *
scene(const struct scope *scopes, size_t n, const char *letters)
{
	struct ae_gpos *g = calloc(1, sizeof(*g));
	struct ae_wr w;
	char *dn;
	const char *p;
	size_t i;

	g->soms = calloc(n + 1, sizeof(*g->soms));
	for (i = 0; i < n; i++) {
		struct ae_som *s = &g->soms[g->nsoms++];

		s->kind = scopes[i].kind;
		s->blocks = scopes[i].blocks;
		assert_true(asprintf(&s->dn, "scope %zu", i) > 0);
		ae_wr_init(&w, 10000);
		for (p = scopes[i].links; *p != '\0'; p++) {
			if (*p == '!' || *p == '-')
				continue;
			dn = letter_dn(*p);
			ae_wr_printf(&w, "[LDAP://%s;%d]", dn,
			    p[1] == '!'	      ? 2
				: p[1] == '-' ? 1
					      : 0);
			free(dn);
		}
		assert_int_equal(
		    ae_gplink_parse(&s->links, ae_wr_cstr(&w), NULL), AE_OK);
		ae_wr_done(&w);
	}
	g->gpos = calloc(strlen(letters) + 1, sizeof(*g->gpos));
	for (p = letters; *p != '\0'; p++) {
		struct ae_gpo *o = calloc(1, sizeof(*o));

		o->dn = letter_dn(*p);
		assert_true(asprintf(&o->name, "%c", *p) > 0);
		o->id.d1 = (uint32_t)*p;
		assert_true(asprintf(&o->path,
				"\\\\dom.test\\SysVol\\dom.test\\Policies\\"
				"{000000%02x-0000-0000-0000-000000000000}",
				(unsigned int)*p) > 0);
		o->version = 0x00010001;
		o->functionality = 2;
		o->computer_extensions = strdup(
		    "[{other}{x}][" AE_GPO_CSE_REGISTRY AE_GPO_TOOL_COMPUTER
		    "]");
		o->user_extensions =
		    strdup("[" AE_GPO_CSE_REGISTRY AE_GPO_TOOL_USER "]");
		o->sd = open_sd(AE_ACCESS_READ, true);
		g->gpos[g->ngpos++] = o;
	}
	return g;
}

struct ae_token *
anybody(void)
{
	const struct ae_sid user = { 5, 5, { 21, 1, 2, 3, 1104 } };
	struct ae_token *t = NULL;

	assert_int_equal(ae_token_new(&t, &user, NULL, 0, 0, NULL), AE_OK);
	return t;
}

void
applied(const struct ae_gpos *g, char *out)
{
	size_t i;

	for (i = 0; i < g->nchoices; i++)
		if (g->choices[i].verdict == AE_GPO_APPLIES)
			*out++ = g->choices[i].gpo->name[0];
	*out = '\0';
}
