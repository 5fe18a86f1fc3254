/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probes: each looks at one thing, in a process of its own and with a
 * deadline, and tells what it saw as facts (diag/facts.h).  A probe that
 * crashes or hangs costs what it would have seen, nothing else.  None of them
 * changes anything, here, in the directory or at a CA.
 */
#ifndef AE_CLI_PROBE_H
#define AE_CLI_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli.h"

/* No diagnosis takes longer, whatever the network does. */
#define PROBE_ALL_MS 28000

struct probe {
	struct cli *cli;     /* this process's own to change */
	const char *ca;	     /* --ca; NULL: every one */
	const char *only;    /* --template; NULL: every one */
	bool live;	     /* --live: make a request */
	bool other;	     /* --user NAME: root looks for him */
	const json_t *facts; /* of the probes that ended before */
	const json_t *about; /* of a row with each: its element */
	json_t *mine;	     /* what this one saw so far */
	const char *dir;     /* private, for tickets; removed at the end */
	int out;
};

struct probe_row {
	const char *name;
	/* Facts of earlier probes it cannot do without, separated by blanks;
	 * NULL: none. */
	const char *needs;
	/* Once for each element of this list, at the same time; the facts are
	 * a list then.  NULL: once. */
	const char *each;
	int64_t ms; /* the longest it may take */
	/* False with *e: it failed; what it saw before stays a fact. */
	int (*run)(struct probe *p, struct ae_err *e);
};
extern const struct probe_row probe_rows[]; /* ends with a NULL name */

/* All rows, each as soon as what it needs is there.  *facts is new. */
int probe_all(json_t **facts, struct probe *p, struct ae_err *e) AE_MUST_CHECK;

/* ---- for the probes ---- */

/* What is being done now, [doing.<what>] of the catalogue: the story when that
 * never ends.  about: a host, an account; NULL: nothing.  Tells, too. */
void probe_doing(struct probe *p, const char *what, const char *about);
/* A fact; j is taken. */
void probe_set(struct probe *p, const char *name, json_t *j);
/* So many more round trips of this kind, "ldap" or "rpc", were made. */
void probe_asked(struct probe *p, const char *kind, unsigned int n);
/* { "rc", "domain", "code", "text" } of a failure, "kdc_error" with it when
 * a KDC answered. */
json_t *probe_error(const struct ae_err *e);
/* The FILE: cache that the probes share, "krb" fills it; a static buffer. */
const char *probe_ccache(const struct probe *p);
/* Milliseconds since start, of ae_clock_mono_ms or finer. */
double probe_ms(int64_t start_us);
int64_t probe_now_us(void);

/* Of a way to a CA that ended, in the probe of that way: what else there is
 * to see of the host. */
void probe_beside(struct probe *p);
/* Of the host: a user's session and home. */
void probe_session(struct probe *p);
/* Of other programs: SSSD. */
void probe_sssd(struct probe *p);

int probe_host(struct probe *p, struct ae_err *e);
int probe_keys(struct probe *p, struct ae_err *e);
int probe_store(struct probe *p, struct ae_err *e);
int probe_dc(struct probe *p, struct ae_err *e);
int probe_krb(struct probe *p, struct ae_err *e);
int probe_ad(struct probe *p, struct ae_err *e);
int probe_plan(struct probe *p, struct ae_err *e);
int probe_replica(struct probe *p, struct ae_err *e);
int probe_gpo(struct probe *p, struct ae_err *e);
int probe_dcom(struct probe *p, struct ae_err *e);
int probe_icpr(struct probe *p, struct ae_err *e);
int probe_integrity(struct probe *p, struct ae_err *e);
int probe_last(struct probe *p, struct ae_err *e);
int probe_live(struct probe *p, struct ae_err *e);
int probe_pending(struct probe *p, struct ae_err *e);
int probe_links(struct probe *p, struct ae_err *e);
int probe_fetch(struct probe *p, struct ae_err *e);
int probe_denials(struct probe *p, struct ae_err *e);
int probe_served(struct probe *p, struct ae_err *e);
int probe_foreign(struct probe *p, struct ae_err *e);

#endif
