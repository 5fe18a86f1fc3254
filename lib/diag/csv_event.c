/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Rows as events; see csv_event.h.
 */
#include "diag/csv_event.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define FOLDED_MAX 1024 /* of a message, to tell whose it is */

/* ---- columns ---- */

enum column { TIME, ID, LEVEL, MESSAGE, PROVIDER, HOST };

/*
 * Get-WinEvent's names and Get-EventLog's; and, folded, those of the Event
 * Viewer's "Save as CSV" in three languages.
 */
static const struct {
	const char *name;
	enum column column;
	bool viewer;
} column_names[] = {
	{ "timecreated", TIME, false },
	{ "id", ID, false },
	{ "leveldisplayname", LEVEL, false },
	{ "message", MESSAGE, false },
	{ "providername", PROVIDER, false },
	{ "machinename", HOST, false },
	{ "timegenerated", TIME, false },
	{ "eventid", ID, false },
	{ "entrytype", LEVEL, false },
	{ "source", PROVIDER, false },
	{ "level", LEVEL, false },
	{ "date and time", TIME, true },
	{ "event id", ID, true },
	{ "date et heure", TIME, true },
	{ "id de l'evenement", ID, true },
	{ "niveau", LEVEL, true },
	{ "datum und uhrzeit", TIME, true },
	{ "ereignis-id", ID, true },
	{ "ebene", LEVEL, true },
	{ "quelle", PROVIDER, true },
};

int
ae_diag_csv_columns(struct ae_diag_csv_columns *out,
    const struct ae_diag_csv_row *row, struct ae_err *e)
{
	static const size_t none = SIZE_MAX;
	size_t *const at[] = { [TIME] = &out->time,
		[ID] = &out->id,
		[LEVEL] = &out->level,
		[MESSAGE] = &out->message,
		[PROVIDER] = &out->provider,
		[HOST] = &out->host };
	char folded[32];
	bool viewer = false;
	size_t i, k;

	*out =
	    (struct ae_diag_csv_columns){ none, none, none, none, none, none };
	for (i = 0; i < row->n; i++) {
		(void)ae_diag_fold(folded, sizeof(folded), row->field[i],
		    strlen(row->field[i]));
		for (k = 0; k < sizeof(column_names) / sizeof(column_names[0]);
		     k++) {
			if (strcmp(folded, column_names[k].name) != 0 ||
			    *at[column_names[k].column] != none)
				continue;
			*at[column_names[k].column] = i;
			viewer |= column_names[k].viewer;
		}
	}
	/* The Event Viewer has no name for the message, which comes last. */
	if (viewer && out->message == none)
		out->message = row->n;
	if (out->id == none || out->message == none)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "line %zu: no columns Id and Message: this is no export "
		    "of events as 'Get-WinEvent … | Select-Object "
		    "TimeCreated,Id,LevelDisplayName,Message | Export-Csv' "
		    "makes it",
		    row->line);
	return AE_OK;
}

static const char *
field(const struct ae_diag_csv_row *row, size_t at)
{
	return at < row->n ? row->field[at] : "";
}

/* At most size - 1 bytes, not cut inside a character. */
static void
copy(char *out, size_t size, const char *s, size_t len)
{
	if (len >= size)
		len = size - 1;
	while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
		len--;
	memcpy(out, s, len);
	out[len] = '\0';
}

/* ---- levels ---- */

static unsigned
level_of(const char *s)
{
	static const struct {
		const char *name;
		unsigned level;
	} names[] = { { "error", 2 }, { "erreur", 2 }, { "fehler", 2 },
		{ "critical", 2 }, { "critique", 2 }, { "kritisch", 2 },
		{ "warning", 3 }, { "avertissement", 3 }, { "warnung", 3 },
		{ "information", 4 }, { "informationen", 4 },
		{ "informations", 4 }, { "2", 2 }, { "3", 3 }, { "4", 4 },
		{ "1", 2 }, { "0", 4 } };
	char folded[32];
	size_t i;

	(void)ae_diag_fold(folded, sizeof(folded), s, strlen(s));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(folded, names[i].name) == 0)
			return names[i].level;
	return 0;
}

/* ---- whose ---- */

static bool
has_any(const char *folded, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strstr(folded, *words) != NULL)
			return true;
	return false;
}

/*
 * DOMAIN\name near the beginning of a message.  What has a dot before the
 * backslash is HOST\CA.
 */
static void
account_of(struct ae_diag_ev *ev, const char *message)
{
	const char *slash = strchr(message, '\\'), *p, *end;

	if (slash == NULL || slash - message > 200)
		return;
	for (p = slash; p > message && strchr(" \t\r\n\"'(", p[-1]) == NULL;
	     p--)
		;
	end = slash + 1 + strcspn(slash + 1, " \t\r\n\"':;,()");
	if (p == slash || end == slash + 1 ||
	    memchr(p, '.', (size_t)(slash - p)) != NULL)
		return;
	copy(ev->account, sizeof(ev->account), p, (size_t)(end - p));
	ev->whose = end[-1] == '$' ? AE_DIAG_FOR_MACHINE : AE_DIAG_FOR_USER;
}

static void
whose(struct ae_diag_ev *ev, const char *folded, const char *message)
{
	static const char *const machine[] = { "local system", "systeme local",
		"lokales system", "lokalen system", "lokale system",
		"lokalem system", NULL };

	if (has_any(folded, machine))
		ev->whose = AE_DIAG_FOR_MACHINE;
	else
		account_of(ev, message);
}

/* ---- sources ---- */

/* Where no words help: the more frequent of those that share a number. */
static const char *
source_by_number(const struct ae_diag_ev *ev)
{
	bool someone = ev->whose != AE_DIAG_FOR_UNKNOWN;

	switch (ev->event.id) {
	case 1:
		return ev->level == 2 ? "AE" : "CSC";
	case 2:
	case 3:
		return someone ? "AE" : "CSC";
	case 4:
	case 5:
		return someone ? "AE" : "CE";
	case 6:
		return ev->coded ? "AE" : "CE";
	case 15:
		return ev->coded ? "AE" : "CE";
	case 64:
		return ev->level == 3 ? "AE" : "CE";
	default:
		return ev->event.id < 100 ? "CE"
		    : ev->event.id < 1000 ? "CSC"
					  : "Lifecycle";
	}
}

static const char *
source_of(const struct ae_diag_ev *ev, const char *folded)
{
	static const char *const ae[] = { "automatic certificate enrollment",
		"inscription automatique", "automatische zertifikatregistr",
		"automatischen zertifikatregistr", "automatische registrierung",
		NULL };
	static const char *const csc[] = { "certificate services client",
		"client des services de certificats",
		"client de services de certificats", "zertifikatdienstclient",
		"zertifikatdiensteclient", "zertifikatdienste-client", NULL };
	static const char *const ce[] = { "certificate enrollment for",
		"inscription de certificat", "inscription du certificat",
		"zertifikatregistrierung", NULL };
	const char *colon = strstr(folded, ": ");

	if (has_any(folded, ae))
		return "AE";
	if (has_any(folded, csc))
		return "CSC";
	if (has_any(folded, ce))
		return "CE";
	/* Our own: "EXAMPLE\pc1$: no template …". */
	if (ev->whose != AE_DIAG_FOR_UNKNOWN && colon != NULL &&
	    colon - folded < (ptrdiff_t)sizeof(ev->account))
		return "CE";
	return source_by_number(ev);
}

/* ---- templates ---- */

static bool
in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	    ((unsigned char)c & 0x80) != 0;
}

/* Blanks and quotes of three languages; how many bytes. */
static size_t
quotes(const char *s)
{
	static const char *const marks[] = { " ", "\"", "'", "\xc2\xa0",
		"\xc2\xab", "\xc2\xbb", "\xe2\x80\x9c", "\xe2\x80\x9d",
		"\xe2\x80\x9e", "\xe2\x80\x9f", "\xe2\x80\x98", "\xe2\x80\x99",
		"\xe2\x80\xaf" };
	size_t n = 0, i = 0, len;

	while (i < sizeof(marks) / sizeof(marks[0])) {
		len = strlen(marks[i]);
		if (strncmp(s + n, marks[i], len) == 0) {
			n += len;
			i = 0;
		} else {
			i++;
		}
	}
	return n;
}

/* The name after before, when after follows it. */
static bool
between(char *out, const char *s, const char *before, const char *after)
{
	const char *p = s, *name, *end;

	while ((p = strcasestr(p, before)) != NULL) {
		p += strlen(before);
		name = p + quotes(p);
		for (end = name; quotes(end) == 0 &&
		     (in_name(*end) ||
			 (*end == '.' && in_name(end[1]) && end > name));
		     end++)
			;
		if (end > name && end - name < AE_DIAG_EV_TEMPLATE_MAX &&
		    strncasecmp(end + quotes(end), after, strlen(after)) == 0) {
			copy(out, AE_DIAG_EV_TEMPLATE_MAX, name,
			    (size_t)(end - name));
			return true;
		}
	}
	return false;
}

static void
template_of(struct ae_diag_ev *ev, const char *message)
{
	static const struct {
		const char *before, *after;
	} shapes[] = {
		{ " for a ", "certificate" },
		{ " for an ", "certificate" },
		{ " for the ", "certificate" },
		{ " a ", "certificate" },
		{ "template: ", "" },
		{ "mod\xc3\xa8le\xc2\xa0: ", "" },
		{ "mod\xc3\xa8le : ", "" },
		{ "vorlage: ", "" },
		{ " certificat ", "" },
		{ " zertifikat \"", "" },
		{ " zertifikat \xe2\x80\x9e", "" },
		{ " zertifikat vom typ ", "" },
		{ " certificate template ", "" },
		{ " of template ", "" },
		{ " for template ", "" },
		{ " template ", "" },
	};
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (between(ev->template, message, shapes[i].before,
			shapes[i].after))
			return;
}

/* ---- codes ---- */

/* The last code of a message is its own: others may be quoted before it. */
static void
code_of(struct ae_diag_ev *ev, const char *message, size_t len)
{
	struct ae_diag_mention m[AE_DIAG_MENTIONS_MAX];
	size_t n, i;

	n = ae_diag_scan(m, message, len);
	for (i = n; i-- > 0;) {
		if (m[i].kind != AE_DIAG_A_CODE ||
		    m[i].code.space != AE_DIAG_HRESULT ||
		    (m[i].words && ev->coded))
			continue;
		if (m[i].code.value < 2)
			continue;
		ev->code = m[i].code.value;
		if (!m[i].words) {
			ev->coded = true;
			return;
		}
	}
	ev->coded = ev->coded || ev->code != 0;
}

bool
ae_diag_csv_event(struct ae_diag_ev *out,
    const struct ae_diag_csv_columns *cols, const struct ae_diag_csv_row *row)
{
	const char *id = field(row, cols->id), *provider, *time;
	char folded[FOLDED_MAX], *end;
	unsigned long number;

	id += strspn(id, " ");
	number = strtoul(id, &end, 10);
	if (end == id || *end != '\0' || *id == '-' || number > 65535)
		return false;
	*out = (struct ae_diag_ev){ .line = row->line,
		.message = field(row, cols->message) };
	out->event.id = (unsigned)number;
	time = field(row, cols->time);
	copy(out->time, sizeof(out->time), time, strlen(time));
	out->level = level_of(field(row, cols->level));
	copy(out->host, sizeof(out->host), field(row, cols->host),
	    strlen(field(row, cols->host)));
	(void)ae_diag_fold(
	    folded, sizeof(folded), out->message, strlen(out->message));
	whose(out, folded, out->message);
	if (out->level != 4 || number == 4)
		code_of(out, out->message, strlen(out->message));
	provider = field(row, cols->provider);
	out->event.source = ae_diag_source_find(provider, strlen(provider));
	if (out->event.source == NULL)
		out->event.source = source_of(out, folded);
	if (strcmp(out->event.source, "CE") == 0)
		template_of(out, out->message);
	return true;
}

/* ---- times ---- */

struct stamp {
	unsigned long n[7];
	size_t count;
};

static void
read_stamp(struct stamp *out, const char *s)
{
	char folded[AE_DIAG_EV_TIME_MAX + 8];
	const char *p = folded;
	char *end;

	*out = (struct stamp){ .count = 0 };
	(void)ae_diag_fold(folded, sizeof(folded), s, strlen(s));
	while (*p != '\0' && out->count < 7) {
		if (*p < '0' || *p > '9') {
			p++;
			continue;
		}
		out->n[out->count++] = strtoul(p, &end, 10);
		p = end;
	}
	if (out->count >= 5 && out->n[3] == 12 &&
	    (strstr(folded, "am") != NULL || strstr(folded, "pm") != NULL))
		out->n[3] = 0;
	if (out->count >= 5 && strstr(folded, "pm") != NULL)
		out->n[3] += 12;
}

static int
compare(const struct stamp *a, const struct stamp *b, const size_t order[7])
{
	size_t i;

	for (i = 0; i < 7; i++) {
		unsigned long x = a->n[order[i]], y = b->n[order[i]];

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

int
ae_diag_csv_time_cmp(const char *a, const char *b)
{
	static const size_t iso[7] = { 0, 1, 2, 3, 4, 5, 6 };
	static const size_t month_first[7] = { 2, 0, 1, 3, 4, 5, 6 };
	static const size_t day_first[7] = { 2, 1, 0, 3, 4, 5, 6 };
	struct stamp x, y;
	int by_month;

	read_stamp(&x, a);
	read_stamp(&y, b);
	if (x.count < 5 || y.count < 5)
		return 0;
	if (x.n[0] > 999)
		return y.n[0] > 999 ? compare(&x, &y, iso) : 0;
	by_month = compare(&x, &y, month_first);
	return by_month == compare(&x, &y, day_first) ? by_month : 0;
}
