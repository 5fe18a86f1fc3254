/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the parts of 'autoenroll diagnose' share.
 */
#ifndef AE_CLI_DIAGNOSE_H
#define AE_CLI_DIAGNOSE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"
#include "cli.h"
#include "diag/text.h"

struct diagnose {
	const char *template, *ca, *html;
	const char *whose; /* --user NAME: another's; NULL: one's own */
	bool user;
	bool from_csv; /* the rest of the words are files */
	struct ae_strv hosts;
	enum ae_diag_lang lang;
	bool live; /* make a request */
	bool verbose;
};

/*
 * From now on, and for good, this process is that user: uid, groups, home,
 * runtime directory and, as far as his processes tell, his ticket.  Only
 * root can.  AE_ENOTFOUND: there is no such user.
 */
int diagnose_become(const char *name, struct ae_err *e) AE_MUST_CHECK;

/*
 * The same run on other machines by ssh, all at once: a report for each, in
 * their order; one that did not come is { "host", "error" }.
 */
int diagnose_hosts(
    json_t **reports, const struct diagnose *o, struct ae_err *e) AE_MUST_CHECK;

/* One line for each of several reports. */
void diagnose_print_hosts(const json_t *reports);

#endif
