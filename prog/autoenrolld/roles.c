/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Which function a role's process runs; see roles.h.
 */
#include "roles.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pulse.h"
#include "sys/spawn.h"

/* One run for the daemon: the report goes to descriptor 3. */
static int
run_role(struct client *c, int fd, bool refresh, struct ae_err *e)
{
	struct pulse_options o = { .refresh = refresh };
	json_t *report = NULL;
	FILE *f = fdopen(fd, "w");
	int rc;

	if (f == NULL)
		return ae_fail_errno(e, errno, "open the report");
	rc = pulse_run(c, &o, &report, e);
	if (report != NULL)
		(void)json_dumpf(report, f, JSON_COMPACT);
	json_decref(report);
	(void)fclose(f);
	return rc == AE_OK ? EXIT_OK : EXIT_FINDING;
}

int
role_main(struct client *c, const char *role, struct ae_err *e)
{
	const int fd = AE_SPAWN_FD_FIRST;

	if (strcmp(role, "policy") == 0)
		return role_policy(c, fd, e);
	if (strcmp(role, "key") == 0)
		return role_key(c, fd, e);
	if (strcmp(role, "net") == 0)
		return role_net(c, fd, e);
	if (strcmp(role, "run") == 0 || strcmp(role, "run-refresh") == 0)
		return run_role(c, fd, strcmp(role, "run") != 0, e);
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "no role '%s'", role);
}
