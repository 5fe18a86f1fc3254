/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files of the CA as setup and renewal write them: whole or not at all, for
 * the user of the process that reads them.
 */
#ifndef CERTSRVD_SETUP_FILES_H
#define CERTSRVD_SETUP_FILES_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pki/cert.h"
#include "proto.h"

#define CA_CERT_PATH "/etc/certsrv/ca.pem"
#define CA_CHAIN_PATH "/etc/certsrv/chain.pem"
#define CA_CROSS_PATH "/etc/certsrv/cross.pem"
/* A request to an issuer above, and the URI of its key when that is new. */
#define CA_REQUEST_PATH "/etc/certsrv/ca.req"
#define CA_REQUEST_KEY_PATH "/etc/certsrv/ca.req.key"

bool setup_exists(const char *path);

/* The directory of path, made when missing, open. */
int setup_open_dir(
    const char *path, mode_t mode, int *fd, struct ae_err *e) AE_MUST_CHECK;

/* Replace path; (uid_t)-1: as it comes. */
int setup_write(const char *path, mode_t dir_mode, const void *p, size_t len,
    mode_t mode, uid_t uid, gid_t gid, struct ae_err *e) AE_MUST_CHECK;

/* The user of a process: by number above uid_base, or by name. */
int setup_owner(uint32_t uid_base, enum role role, const char *user, uid_t *uid,
    gid_t *gid, struct ae_err *e) AE_MUST_CHECK;
#define SETUP_KEY_USER "_certsrv-sign"
#define SETUP_DB_USER "_certsrv-db"

/* Certificates as PEM, for everybody to read. */
int setup_write_certs(const char *path, struct ae_cert *const *v, size_t n,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Put "key = value" into section [ca] of the configuration, below the last
 * line of that key, or right below the heading; everything else stays as it
 * is, byte by byte.  A line that is there already is not put there twice.
 */
int setup_conf_add(const char *conf, const char *key, const char *value,
    struct ae_err *e) AE_MUST_CHECK;

#endif
