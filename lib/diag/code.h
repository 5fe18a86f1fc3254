/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Codes and events: picking them out of what somebody pastes, in whatever
 * language it is written, and what they mean for the checks.
 */
#ifndef AE_DIAG_CODE_H
#define AE_DIAG_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "diag/text.h"
#include "enroll/event.h"

/* ---- meanings: lib/diag/catalogue/codes.txt ---- */

/* A question that tells causes apart, and the cause when it is answered so. */
struct ae_diag_ask {
	const char *id;
	const char *say[AE_DIAG_LANGS];
};

struct ae_diag_meaning {
	const char *key; /* "0x800706ba", "KRB 7", "CE 47", "nothing-happens",
			    or a check's id, which has phrases alone */
	const char *symbol;		/* NULL: the table of HRESULTs has it */
	const char *say[AE_DIAG_LANGS]; /* NULL for a check's id */
	const struct ae_diag_ask *asks; /* in the order in which to ask */
	size_t nasks;
	const char *const *phrases; /* folded; "*" is anything */
	size_t nphrases;
};
extern const struct ae_diag_meaning ae_diag_meanings[];
extern const size_t ae_diag_nmeanings;

#define AE_DIAG_KEY_MAX 32

/* "0x800706ba", "KRB 7", "LDAP 49". */
const char *ae_diag_code_key(
    char out[AE_DIAG_KEY_MAX], const struct ae_diag_code *code);

/* NULL when there is none. */
const struct ae_diag_meaning *ae_diag_meaning_find(const char *key);

/* "RPC_S_SERVER_UNAVAILABLE"; NULL when the code has no name here. */
const char *ae_diag_code_symbol(const struct ae_diag_code *code);

/*
 * The checks that a code or an event (source "CE" and so on; NULL: any) may
 * stand for, in the order of the walk; those that the questions lead to, in
 * the order of the questions, when there are questions.  At most max.
 */
size_t ae_diag_code_checks(const struct ae_diag_text **out, size_t max,
    const struct ae_diag_code *code);
size_t ae_diag_event_checks(const struct ae_diag_text **out, size_t max,
    const struct ae_diag_event *event);

/* ---- sources of events ---- */

/*
 * "CE" for "CertEnroll", "Microsoft-Windows-…-CertEnroll", "ce"; NULL when it
 * is the name of no source.
 */
const char *ae_diag_source_find(const char *name, size_t len);

/* "Microsoft-Windows-CertificationAuthority" for "CA"; NULL: no such. */
const char *ae_diag_source_name(const char *source);

/* The row of the client's own catalogue, NULL when it has none. */
const struct ae_event_def *ae_diag_event_def(const struct ae_diag_event *ev);

/* ---- picking out ---- */

enum ae_diag_kind {
	AE_DIAG_A_CODE,
	AE_DIAG_AN_EVENT, /* source NULL: it was not named */
	AE_DIAG_A_CHECK,
};

struct ae_diag_mention {
	enum ae_diag_kind kind;
	struct ae_diag_code code;
	struct ae_diag_event event;
	const struct ae_diag_text *check;
	bool words; /* told by a sentence, not by a number or a name */
};

#define AE_DIAG_MENTIONS_MAX 16
#define AE_DIAG_SCAN_MAX 65536 /* bytes of a message that are looked at */

/*
 * Every code, symbol, event, check id and known sentence in s, each once, in
 * the order in which they come, sentences last; at most
 * AE_DIAG_MENTIONS_MAX.  s is any bytes.
 */
size_t ae_diag_scan(struct ae_diag_mention out[AE_DIAG_MENTIONS_MAX],
    const char *s, size_t len);

/*
 * Like ae_diag_scan when s is one word that somebody asks about: a plain
 * number is a Win32 code and an event then.
 */
size_t ae_diag_scan_word(struct ae_diag_mention out[AE_DIAG_MENTIONS_MAX],
    const char *s, size_t len);

/*
 * Lower case without accents of Western Europe, runs of blanks as one space:
 * how sentences are compared.  Writes at most outlen - 1 bytes and a NUL;
 * returns their number.
 */
size_t ae_diag_fold(char *out, size_t outlen, const char *s, size_t len);

/* Does folded contain the phrase, "*" standing for up to 200 bytes? */
bool ae_diag_phrase_in(const char *folded, const char *phrase);

#endif
