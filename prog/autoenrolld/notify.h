/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Telling a person: mail by a sendmail-compatible program, or any command,
 * as autoenroll.conf's [notify] says.
 */
#ifndef AE_CLIENT_NOTIFY_H
#define AE_CLIENT_NOTIFY_H

#include "client.h"

/*
 * Send text (UTF-8, lines) under a subject.  The command finds text on its
 * standard input, and AUTOENROLL_SUBJECT in its environment.  No shell is
 * involved; one that does not end within half a minute is killed, and with
 * it what it started.
 * What fails goes to the log.  Nothing is done for a user's run: the
 * configuration is the machine's.
 */
void notify_send(const struct client *c, const char *subject, const char *text);

#endif
