/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Hooks and services: programs of the administrator's, started without a
 * shell, told of the certificate by their environment.
 */
#ifndef AE_DEPLOY_HOOK_H
#define AE_DEPLOY_HOOK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "deploy/deploy.h"

#define AE_HOOK_OUTPUT_MAX 4096u

/*
 * Run "path word word" with the variables of env.  A hook that others could
 * change is AE_EDENIED, one that exits with another code than 0 AE_EIO, one
 * that takes longer than timeout seconds AE_ETIMEDOUT (it is killed).
 * *output is what it printed, bounded and safe to show; NULL: nothing.
 */
int ae_hook_run(const struct ae_deploy *d, const char *line,
    const struct ae_strv *env, int64_t timeout, struct ae_arena *a,
    const char **output, struct ae_err *e) AE_MUST_CHECK;

/*
 * The programs of hooks.d, sorted by name: letters, digits, '_' and '-'
 * only, as run-parts(8) has it.  No directory: none.
 */
int ae_hook_list(struct ae_strv *out, const struct ae_deploy *d,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Have a service read its files again: systemctl try-reload-or-restart where
 * systemd runs, "service NAME reload" elsewhere.  One that does not run is
 * not started.
 */
int ae_hook_reload(const struct ae_deploy *d, const char *service,
    struct ae_arena *a, const char **output, struct ae_err *e) AE_MUST_CHECK;

#endif
