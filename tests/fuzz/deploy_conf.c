/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: deploy.conf, and through it configuration files with groups.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "deploy/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char out[AE_DEPLOY_PATH_MAX];
	struct ae_deploy_conf c;
	size_t i, k, j;

	if (ae_deploy_conf_parse(&c, "f", (const char *)p, len, NULL) != AE_OK)
		return 0;
	for (i = 0; i < c.n; i++)
		for (k = 0; k < AE_DEPLOY_KINDS; k++)
			for (j = 0; j < c.v[i].targets[k].n; j++)
				if (!ae_deploy_expand(
					out, c.v[i].targets[k].v[j], "Web"))
					abort();
	ae_deploy_conf_done(&c);
	return 0;
}
