/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Which function a role's process runs; see roles.h.
 */
#include "roles.h"

#include <string.h>

#include "control.h"
#include "deploy.h"
#include "runner.h"
#include "sys/spawn.h"

int
role_main(struct client *c, const char *role, struct ae_err *e)
{
	const int fd = AE_SPAWN_FD_FIRST;

	ae_process_name("autoenroll", role);
	if (strcmp(role, "policy") == 0)
		return role_policy(c, fd, e);
	if (strcmp(role, "key") == 0)
		return role_key(c, fd, e);
	if (strcmp(role, "net") == 0)
		return role_net(c, fd, e);
	if (strcmp(role, "run") == 0)
		return runner_main(c, fd, RUNNER_RUN, e);
	if (strcmp(role, "run-refresh") == 0)
		return runner_main(c, fd, RUNNER_REFRESH, e);
	if (strcmp(role, "check") == 0)
		return runner_main(c, fd, RUNNER_CHECK, e);
	if (strcmp(role, "deploy") == 0)
		return deploy_role(c);
	if (strncmp(role, CONTROL_POLKIT, strlen(CONTROL_POLKIT)) == 0)
		return control_polkit(role, e);
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "no role '%s'", role);
}
