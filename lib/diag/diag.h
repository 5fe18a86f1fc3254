/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * diagnose: from what was seen (diag/facts.h) to the one cause.  A pure
 * function, as plan and decide are: it asks for nothing and reads no clock.
 *
 * A check is a row: its id, the fact it cannot do without, the checks that
 * would explain it, and a function that looks.  All rows are walked in the
 * order of stages.c.  A check that fails is a finding; one whose fact
 * was not seen is unknown.  A finding that another finding explains is its
 * consequence; the first that nothing explains is the root cause.  The words
 * about an id are in diag/text.h.
 */
#ifndef AE_DIAG_DIAG_H
#define AE_DIAG_DIAG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct ae_diag_seen;
struct ae_diag_stage;
struct ae_diag_walk;

struct ae_diag_check {
	const char *id;
	/* Path of the fact without which nothing can be said; NULL: none. */
	const char *fact;
	/*
	 * Whose failing explains a failure of this one, or why it could not
	 * be looked at: ids, or "net.*", separated by blanks; NULL: nobody's.
	 * Of two findings about different CAs or templates neither explains
	 * the other.
	 */
	const char *after;
	/* Looks, and calls ae_diag_say; or not: in order. */
	void (*judge)(struct ae_diag_walk *w);
};

enum ae_diag_verdict {
	AE_DIAG_FINE,
	AE_DIAG_FAIL,
	AE_DIAG_HARMLESS, /* looks like a cause and is none */
	AE_DIAG_UNKNOWN,
};
/* "fine", "fail", "harmless", "unknown" */
const char *ae_diag_verdict_name(enum ae_diag_verdict v);

#define AE_DIAG_NOBODY SIZE_MAX
#define AE_DIAG_FINDINGS_MAX 2000u

struct ae_diag_finding {
	const struct ae_diag_check *check;
	enum ae_diag_verdict verdict;
	char *subject; /* a template, or a CA as "host\\name"; NULL: neither */
	/* Values for the texts' {names}; see ae_diag_say. */
	json_t *args;
	/* What was seen; for UNKNOWN why it was not. */
	const struct ae_diag_seen *seen;
	/* The finding that explains this one, or AE_DIAG_NOBODY. */
	size_t cause;
};

struct ae_diag {
	/* All but FINE ones, in walk order. */
	struct ae_diag_finding *v;
	size_t n;
	size_t root;	/* AE_DIAG_NOBODY: no check failed */
	size_t nchecks; /* how many rows there are */
	size_t nfine; /* that found everything in order (ae_diag_verdict_of) */
	const struct ae_diag_stage *stages; /* that were walked */
};

/*
 * What became of a row: the gravest that it said.  One that said nothing
 * while something failed that would explain a failure of it saw nothing:
 * unknown, not fine.
 */
enum ae_diag_verdict ae_diag_verdict_of(
    const struct ae_diag *d, const struct ae_diag_check *row);

/* Walk all checks over facts.  AE_ENOMEM. */
int ae_diag_make(
    struct ae_diag **out, const json_t *facts, struct ae_err *e) AE_MUST_CHECK;
void ae_diag_free(struct ae_diag *d);

/*
 * The same for a CA on its own host (certsrv diagnose): other rows, other
 * facts, the same ids and words.
 */
int ae_diag_make_server(
    struct ae_diag **out, const json_t *facts, struct ae_err *e) AE_MUST_CHECK;

/* ---- the rows ---- */

struct ae_diag_stage {
	const char *name;	       /* "host", "policy", … */
	const struct ae_diag_check *v; /* ends with a NULL id */
};
/* In walk order; end with a NULL name. */
extern const struct ae_diag_stage ae_diag_stages[], ae_diag_server_stages[];

/* The row with this id; *stage (NULL: not wanted) is its stage. */
const struct ae_diag_check *ae_diag_find(
    const char *id, const struct ae_diag_stage **stage);

/* Does one of the blank-separated patterns ("net.*", "time.skew") fit? */
bool ae_diag_match(const char *patterns, const char *id);

/* ---- for the judges ---- */

const json_t *ae_diag_facts(const struct ae_diag_walk *w);
/* The row that is being judged. */
const struct ae_diag_check *ae_diag_row(const struct ae_diag_walk *w);
/* What failed so far, of the same or another row?  subject NULL: any. */
bool ae_diag_failed(
    const struct ae_diag_walk *w, const char *patterns, const char *subject);

/*
 * A finding about subject (NULL: none).  Of the row's sentences in the
 * catalogue the one named seen says what was seen: "" is "en.seen", "absent"
 * is "en.seen.absent", or [seen.absent] of frame.txt when the row has none.
 * args has the values of its {names} and of those of the other sentences:
 * strings, which may be foreign, whole numbers, and phrases that each language
 * has its own words for (ae_diag_phrase).  It is taken, as json_pack
 * made it (NULL: none); "subject" is added to it, and "category" in it
 * overrides the catalogue's.  With AE_DIAG_UNKNOWN the sentence says why it
 * could not be looked at.
 */
void ae_diag_say(struct ae_diag_walk *w, enum ae_diag_verdict verdict,
    const char *subject, json_t *args, const char *seen);

#endif
