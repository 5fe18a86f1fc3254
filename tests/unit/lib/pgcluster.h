/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A PostgreSQL of one's own: made by initdb in a directory below /tmp, run by
 * an unprivileged user, reached by a Unix socket alone, gone with the test.
 */
#ifndef AE_TEST_PGCLUSTER_H
#define AE_TEST_PGCLUSTER_H

#include <stdbool.h>

struct pgcluster;

/*
 * NULL: it could not be made, and stderr says why.  It does not sync: what is
 * tested here is killed, and the machine stays up.
 */
struct pgcluster *pgcluster_new(void);
void pgcluster_free(struct pgcluster *c);

/* A new and empty database; its URI, good until the next one is made. */
const char *pgcluster_database(struct pgcluster *c);
/* Statements in the newest database, as its owner; false: one failed. */
bool pgcluster_sql(struct pgcluster *c, const char *sql);

/* Stop it as a power failure would, start it again, stop and go on. */
void pgcluster_crash(struct pgcluster *c);
bool pgcluster_start(struct pgcluster *c);
void pgcluster_signal(struct pgcluster *c, int sig); /* to all its processes */

#endif
