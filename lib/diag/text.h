/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The words of diagnose and explain: for every check id what is wrong, what
 * should be, how it is put right and by whom, in every language there is.
 * The sentences are in lib/diag/catalogue, one file for each part of the
 * walk; tools/diag-catalog makes the table from them and refuses what is
 * incomplete.  Nothing here looks at a system.
 */
#ifndef AE_DIAG_TEXT_H
#define AE_DIAG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wr.h"

enum ae_diag_lang {
	AE_DIAG_EN,
	AE_DIAG_FR,
	AE_DIAG_LANGS,
};

/* Which sentence of a check. */
enum ae_diag_say {
	AE_DIAG_CAUSE,	  /* what is wrong */
	AE_DIAG_EXPECTED, /* what it should be */
	AE_DIAG_FIX,	  /* what to change; commands stand in `backquotes` */
	AE_DIAG_SAYS,
};

/* Who can put it right; several bits when it may be one or another. */
enum ae_diag_who {
	AE_DIAG_USER = 1 << 0,
	AE_DIAG_HOST = 1 << 1, /* the administrator of this machine */
	AE_DIAG_AD = 1 << 2,
	AE_DIAG_NETWORK = 1 << 3,
	AE_DIAG_CA = 1 << 4,
};

/* Whose number a code is. */
enum ae_diag_space {
	AE_DIAG_HRESULT, /* Win32 codes in their HRESULT form, too */
	AE_DIAG_KRB,	 /* the error code of RFC 4120 */
	AE_DIAG_LDAP,	 /* the result code of RFC 4511 */
};

struct ae_diag_code {
	enum ae_diag_space space;
	uint32_t value;
};

/* An event that Windows logs: "CE", 47.  The sources are ae_diag_sources. */
struct ae_diag_event {
	const char *source;
	unsigned id;
};

/*
 * What a check saw, or why it could not look: "seen" of its entry, or one of
 * several, "seen.absent", whose name is "absent".
 */
struct ae_diag_seen {
	const char *name; /* "" for the plain one */
	const char *say[AE_DIAG_LANGS];
};

/* A command of the fix that can be carried out as it stands. */
struct ae_diag_command {
	/*
	 * Whose shell it is for: "account", the one that it is about (root
	 * for a computer); "host", root on this host; "ca", root on the CA's
	 * host with an AD administrator's ticket; "dc", root on a controller.
	 */
	const char *where;
	/* Only for a finding that knows this placeholder; NULL: for any. */
	const char *when;
	const char *run; /* with placeholders */
};

struct ae_diag_text {
	const char *id;	      /* "template.no-enroll-right" */
	const char *category; /* "N", or several: "N/D", the usual one first */
	unsigned who;	      /* bits of enum ae_diag_who */
	const struct ae_diag_event *events;
	size_t nevents;
	const struct ae_diag_code *codes;
	size_t ncodes;
	const char *const *see; /* ids that it is easily taken for */
	size_t nsee;
	/* One after the other; none when no command alone puts it right. */
	const struct ae_diag_command *commands;
	size_t ncommands;
	const char *say[AE_DIAG_LANGS][AE_DIAG_SAYS];
	const struct ae_diag_seen *seen;
	size_t nseen;
};

/* The catalogue in the order of the walk. */
extern const struct ae_diag_text ae_diag_texts[];
extern const size_t ae_diag_ntexts;

/* NULL when there is no such check. */
const struct ae_diag_text *ae_diag_text_find(const char *id);

/* Its place in the walk; the number of checks when it has none. */
size_t ae_diag_text_order(const struct ae_diag_text *t);

/*
 * The sentence of this name about the check, or the one that all checks
 * share: "seen.absent" of frame.txt.  NULL when there is neither.
 */
const struct ae_diag_seen *ae_diag_seen_find(const char *id, const char *name);

/* What a placeholder stands for here: "template", "Workstation". */
struct ae_diag_arg {
	const char *name;
	const char *value; /* NULL: not known */
};

/* No value is shown longer than this. */
#define AE_DIAG_VALUE_MAX 256

/*
 * Append what others chose, at most max bytes of it, so that neither a
 * terminal nor the direction of writing obeys it.
 */
void ae_diag_put_safe(struct ae_wr *w, const char *s, size_t max);

/*
 * Append s with its placeholders filled in.  "{template}" without a value
 * becomes "<template>"; a piece in brackets, "[ {template}]", is left out
 * when a placeholder in it has no value.  Values are shown with what a
 * terminal would obey, and what is not UTF-8, as \xNN, and cut with "…" at
 * AE_DIAG_VALUE_MAX; between backquotes, where a command stands, they are
 * quoted for a shell.  Escaping for JSON or HTML is the caller's.
 */
void ae_diag_fill(struct ae_wr *w, const char *s,
    const struct ae_diag_arg *args, size_t nargs);

/* One sentence of a check, filled in. */
void ae_diag_text_render(struct ae_wr *w, const struct ae_diag_text *t,
    enum ae_diag_lang lang, enum ae_diag_say which,
    const struct ae_diag_arg *args, size_t nargs);

/* Has what the command is for only a value? */
bool ae_diag_command_fits(const struct ae_diag_command *c,
    const struct ae_diag_arg *args, size_t nargs);

/*
 * A command, filled in as between backquotes.  False, and nothing is written:
 * a value is not known, or is none that should stand in a command: cut, with
 * what a terminal would obey, or one that a program takes for an option
 * ({user} is "--user" where the account is a person, and our own).
 */
bool ae_diag_command_render(struct ae_wr *w, const struct ae_diag_command *c,
    const struct ae_diag_arg *args, size_t nargs);

/* The names of the bits, with ", " between: "AD administrator". */
void ae_diag_who_render(struct ae_wr *w, enum ae_diag_lang lang, unsigned who);

/* ---- the sentences around: titles of categories, headings ---- */

/*
 * By key, "category.N", "seen", "unknown-because"; the key itself when
 * there is no such sentence, so that a report is never without words.
 */
const char *ae_diag_frame(enum ae_diag_lang lang, const char *key);

/* The same for one of a group of words, "verdict", "fail"; name itself when
 * there is none. */
const char *ae_diag_word(
    enum ae_diag_lang lang, const char *group, const char *name);

/*
 * A text that there is in English alone – of Windows, of the catalogue of
 * events – so that a reader of another language sees that it is quoted; cut at
 * the buffer, which may be what is returned.
 */
#define AE_DIAG_ENGLISH_MAX 2048
const char *ae_diag_in_english(
    char buf[AE_DIAG_ENGLISH_MAX], const char *english, enum ae_diag_lang lang);

/* What checks share, its name without "seen.". */
extern const struct ae_diag_seen ae_diag_shared[];
extern const size_t ae_diag_nshared;

struct ae_diag_frame {
	const char *key;
	const char *say[AE_DIAG_LANGS];
};
extern const struct ae_diag_frame ae_diag_frames[];
extern const size_t ae_diag_nframes;

/* ---- languages ---- */

/* "en", "fr". */
const char *ae_diag_lang_name(enum ae_diag_lang lang);

/*
 * "fr", "fr_CH.UTF-8", "FR": the language of that name.  False when there
 * is none, *out is untouched.
 */
bool ae_diag_lang_find(enum ae_diag_lang *out, const char *name);

/*
 * As the locale says: the first of the three that is set and not empty
 * counts, English when it is none of ours.  Each may be NULL.
 */
enum ae_diag_lang ae_diag_lang_pick(
    const char *lc_all, const char *lc_messages, const char *lang);

#endif
