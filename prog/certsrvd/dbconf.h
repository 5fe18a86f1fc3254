/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How the database of a configuration is opened.  Shared by certsrvd and
 * certsrv.
 */
#ifndef CERTSRVD_DBCONF_H
#define CERTSRVD_DBCONF_H

#include "base/secret.h"
#include "conf.h"
#include "db/db.h"

/*
 * The password of the database's server: from password-file, or the
 * credential "database-password" of systemd, or none (empty).  AE_EDENIED: a
 * file that others may read.
 */
int dbconf_password(const struct conf *c, struct ae_secret *out,
    struct ae_err *e) AE_MUST_CHECK;
/* As a string; NULL: none. */
const char *dbconf_text(const struct ae_secret *s);

/*
 * For tools that root runs: as the user of the process that has the
 * database, whom the server knows.  Of opt the path and the password are
 * filled in.
 */
int dbconf_open(struct ae_db **out, const struct conf *c,
    struct ae_db_options *opt, struct ae_err *e) AE_MUST_CHECK;

#endif
