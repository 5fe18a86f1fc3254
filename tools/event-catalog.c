/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The client's events as others want them: the journal's message catalogue,
 * the table of doc/events.md, or a list for tools/check-catalog.
 */
#include <stdio.h>
#include <string.h>

#include "enroll/event.h"

/* The text with its parameters as the journal's fields, or as names. */
static void
put_text(const struct ae_event_def *d, bool fields)
{
	char name[AE_EVENT_NAME_MAX];
	const char *s, *pct;
	size_t i;

	for (s = d->text; (pct = strchr(s, '%')) != NULL; s = pct + 2) {
		(void)printf("%.*s", (int)(pct - s), s);
		if (!ae_event_param(name, d, (size_t)(pct[1] - '1')))
			continue;
		if (!fields) {
			(void)printf("*%s*", name);
			continue;
		}
		(void)printf("@AE_");
		for (i = 0; name[i] != '\0'; i++)
			(void)putchar(
			    name[i] == '_' ? '_' : name[i] - 'a' + 'A');
		(void)putchar('@');
	}
	(void)printf("%s", s);
}

static void
catalog(void)
{
	static const char head[] =
	    "# SPDX-License-Identifier: Apache-2.0\n"
	    "# The events of autoenroll for journalctl --catalog.  Made by\n"
	    "# tools/check-catalog --write from lib/enroll/event_table.c.\n";
	char id[AE_EVENT_MESSAGE_ID_MAX];
	const struct ae_event_def *d;
	size_t i;

	(void)fputs(head, stdout);
	for (i = 0; (d = ae_event_row(i)) != NULL; i++) {
		if (d->absent != NULL)
			continue;
		ae_event_message_id(id, d);
		(void)printf("\n-- %s\nSubject: %s %u (%s)\n"
			     "Defined-By: autoenroll\n"
			     "Documentation: man:autoenroll(8)\n\n",
		    id, ae_event_source_short(d->source), (unsigned)d->id,
		    ae_event_level_name(d->level));
		put_text(d, true);
		(void)printf("\n\nWhat to do: %s\n",
		    d->remedy == NULL ? "nothing." : d->remedy);
	}
}

static void
row(const struct ae_event_def *d, const char *last)
{
	(void)printf("| %s | %u | %s | ", ae_event_source_short(d->source),
	    (unsigned)d->id, ae_event_level_name(d->level));
	put_text(d, false);
	(void)printf(" | %s |\n", last);
}

static void
markdown(void)
{
	const struct ae_event_def *d;
	size_t i;

	(void)printf("| source | id | level | message | what to do |\n"
		     "|---|---|---|---|---|\n");
	for (i = 0; (d = ae_event_row(i)) != NULL; i++)
		if (d->absent == NULL)
			row(d, d->remedy == NULL ? "–" : d->remedy);
	(void)printf("\nWindows has these as well; this client does not "
		     "write them:\n\n"
		     "| source | id | level | message | why not here |\n"
		     "|---|---|---|---|---|\n");
	for (i = 0; (d = ae_event_row(i)) != NULL; i++)
		if (d->absent != NULL)
			row(d, d->absent);
}

static void
list(void)
{
	const struct ae_event_def *d;
	size_t i;

	for (i = 0; (d = ae_event_row(i)) != NULL; i++)
		(void)printf("%s %u %s\n", ae_event_source_short(d->source),
		    (unsigned)d->id, d->absent == NULL ? "written" : "absent");
}

int
main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "catalog") == 0)
		catalog();
	else if (strcmp(what, "markdown") == 0)
		markdown();
	else if (strcmp(what, "list") == 0)
		list();
	else
		return 2;
	return 0;
}
