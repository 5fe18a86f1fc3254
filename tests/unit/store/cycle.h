/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a run does to the store for one certificate, and what must be true of
 * the store however that ended.  Key, request and certificate of a
 * generation are its number, so that what belongs together can be told.
 */
#ifndef AE_TESTS_STORE_CYCLE_H
#define AE_TESTS_STORE_CYCLE_H

#include <stdbool.h>

#define CYCLE_TMPL "Workstation"

/* What the one who watches is told: access("/power-mark/<number>"). */
enum cycle_mark {
	CYCLE_NONE,
	CYCLE_ASKED,	 /* from now on the CA may have issued */
	CYCLE_INSTALLED, /* the certificate was said to be installed */
	CYCLE_CLEARED,	 /* and the request to be gone */
	CYCLE_ARCHIVED,	 /* nothing is current any more */
};

/* A request is made, sent, answered, installed and removed. */
bool cycle_enroll(const char *dir, unsigned gen);
/* The current one is archived, and the ones before it are deleted. */
bool cycle_retire(const char *dir);

/*
 * NULL, or what is wrong: the pair in use must be whole, no key may be for
 * others to read, and none of generation may be lost once a CA may have
 * issued for it.  *gen is what is current, 0: nothing.
 */
const char *cycle_check(const char *dir, unsigned generation,
    enum cycle_mark reached, unsigned *gen);

/*
 * The next run: it installs what it finds a request for, and enrolls anew
 * when there is nothing.  NULL, or what went wrong.
 */
const char *cycle_go_on(const char *dir, unsigned gen);

#endif
