/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the subcommands of "certsrv template" share.
 */
#ifndef CERTSRV_TEMPLATE_H
#define CERTSRV_TEMPLATE_H

#include "session.h"

/* argv[0] is the subcommand's name; returns an exit code. */
typedef int template_fn(
    struct cli *cli, struct session *s, int argc, char **argv);

template_fn template_show, template_diff, template_new, template_set;
template_fn template_delete, template_grant, template_revoke;
template_fn template_export, template_import;
template_fn template_pin, template_pins;
/* This one does without a session. */
int template_unpin(struct cli *cli, int argc, char **argv);

/* The template of this name or OID; NULL after a message. */
const struct ae_template *template_named(
    struct cli *cli, struct session *s, const char *name);

/* Templates of LDIF files, checked: free each and the array. */
int template_read_file(struct ae_template ***out, size_t *n, const char *path,
    struct ae_err *e) AE_MUST_CHECK;

/* The permissions on lines or as JSON. */
void template_print_acl(struct session *s, const struct ae_sd *sd);
json_t *template_json_acl(struct session *s, const struct ae_sd *sd);

#endif
