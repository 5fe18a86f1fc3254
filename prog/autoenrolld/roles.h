/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The roles of the client, each the main function of a process.  fd is the
 * channel to the orchestrator.  They return the process's exit code.
 */
#ifndef AE_CLIENT_ROLES_H
#define AE_CLIENT_ROLES_H

#include "client.h"

/*
 * The process of the role of that name: the three below, and "run" and
 * "run-refresh", one whole run whose report goes to the descriptor.
 */
int role_main(struct client *c, const char *role, struct ae_err *e);

/* The directory and group policy: settings, snapshot, plan. No keys. */
int role_policy(const struct client *c, int fd, struct ae_err *e);

/* Keys, requests, acceptance, the store. No network. */
int role_key(const struct client *c, int fd, struct ae_err *e);

/* One CA at a time over DCOM, then ICPR. No files, no keys. */
int role_net(const struct client *c, int fd, struct ae_err *e);

#endif
