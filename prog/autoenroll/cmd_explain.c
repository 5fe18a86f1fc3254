/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll explain: what a code, an event, a check or a message means.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/utf16.h"
#include "cli.h"
#include "diag/code.h"
#include "diag/explain.h"

#define TEXT_MAX (1u << 20)
#define WHAT_MAX (1u << 20) /* arguments are shorter */

/* UTF-16, from a Windows clipboard or file, of either order. */
static void
narrow(struct ae_wr *w)
{
	struct ae_arena *a = ae_arena_new(WHAT_MAX);
	size_t units = w->len / 2, mark, i;
	bool big = w->p[0] == 0xfe || (w->p[0] == 0 && w->p[1] != 0);
	char *text = NULL;
	uint8_t low;

	for (i = 0; big && i < units; i++) {
		low = w->p[2 * i];
		w->p[2 * i] = w->p[2 * i + 1];
		w->p[2 * i + 1] = low;
	}
	mark = w->p[0] == 0xff && w->p[1] == 0xfe;
	if (a != NULL)
		text = ae_utf16_to_utf8(a, w->p + 2 * mark, units - mark);
	if (text != NULL) {
		ae_wr_reset(w);
		ae_wr_str(w, text);
	}
	ae_arena_free(a);
}

/* What is longer than a message can be is looked at as far as it goes. */
static void
read_stdin(struct ae_wr *w)
{
	uint8_t buf[4096];
	size_t n;

	while (w->len < AE_DIAG_SCAN_MAX &&
	    (n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		ae_wr_bytes(w, buf, n);
	if (w->len > 2 && memchr(w->p, 0, w->len) != NULL)
		narrow(w);
}

static int
explain(struct cli *cli, const struct ae_wr *what, enum ae_diag_lang lang)
{
	json_t *j = ae_diag_explain((const char *)what->p, what->len, lang);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	bool known;

	if (j == NULL) {
		(void)ae_fail_mem(&e);
		return cli_fail(cli, &e);
	}
	known = json_is_true(json_object_get(j, "known"));
	if (cli->json) {
		cli_print_json(j);
	} else {
		ae_wr_init(&w, TEXT_MAX);
		ae_diag_explain_text(&w, j, lang);
		(void)fputs(ae_wr_cstr(&w) == NULL ? "" : ae_wr_cstr(&w),
		    known ? stdout : stderr);
		ae_wr_done(&w);
	}
	json_decref(j);
	return known ? EXIT_OK : EXIT_NOT_FOUND;
}

/*
 * Options may come anywhere; "-2147023174" is none, which is why getopt is
 * not asked.  Returns EXIT_OK, with the words in what.
 */
static int
parse(struct cli *cli, struct ae_wr *what, enum ae_diag_lang *lang, int argc,
    char **argv)
{
	bool options = true;
	const char *name;
	int i;

	for (i = 1; i < argc; i++) {
		if (!options || strncmp(argv[i], "--", 2) != 0) {
			ae_wr_printf(
			    what, "%s%s", what->len == 0 ? "" : " ", argv[i]);
			continue;
		}
		name = argv[i] + 2;
		if (*name == '\0') {
			options = false;
		} else if (strcmp(name, "json") == 0) {
			cli->json = true;
		} else if (strncmp(name, "lang=", 5) == 0 ||
		    (strcmp(name, "lang") == 0 && i + 1 < argc)) {
			name = name[4] == '=' ? name + 5 : argv[++i];
			if (!ae_diag_lang_find(lang, name))
				return cli_usage("explain",
				    "there is no language '%s'",
				    cli_safe(name));
		} else {
			return cli_usage(
			    "explain", "unknown option %s", cli_safe(argv[i]));
		}
	}
	return EXIT_OK;
}

int
cmd_explain(struct cli *cli, int argc, char **argv)
{
	enum ae_diag_lang lang = ae_diag_lang_pick(
	    getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"));
	struct ae_wr what;
	int code;

	ae_wr_init(&what, WHAT_MAX);
	code = parse(cli, &what, &lang, argc, argv);
	if (code == EXIT_OK && what.len == 0 && isatty(STDIN_FILENO))
		code =
		    cli_usage("explain", "what? a code, an event, a message");
	if (code == EXIT_OK &&
	    (what.len == 0 || (what.len == 1 && what.p[0] == '-'))) {
		ae_wr_reset(&what);
		read_stdin(&what);
	}
	if (code == EXIT_OK)
		code = explain(cli, &what, lang);
	ae_wr_done(&what);
	return code;
}
