/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The life of a security context that a connection holds.
 */
#include "rpc/sec.h"

#include <stddef.h>

void
ae_rpc_sec_done(struct ae_rpc_sec *s)
{
	if (s->ops != NULL)
		s->ops->free(s->ctx);
	*s = (struct ae_rpc_sec){ .ops = NULL };
}
