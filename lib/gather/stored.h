/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The inventory for plan(): stored certificates, read as far as plan weighs
 * them, and judged against the directory's roots.
 */
#ifndef AE_GATHER_STORED_H
#define AE_GATHER_STORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "enroll/inventory.h"
#include "gather/directory.h"

/* One certificate as the store holds it.  Borrowed for the call. */
struct ae_stored {
	const char *tmpl;
	unsigned number;
	bool current, has_key;
	const uint8_t *pem;
	size_t len;
};

/*
 * The store's certificates and those that the directory publishes for the
 * principal.  Everything in *out lives in a.  A certificate that does not
 * parse is left out: for plan it is not there.
 */
int ae_gather_inventory(struct ae_inventory *out, struct ae_arena *a,
    const struct ae_stored *v, size_t n, const struct ae_directory *d,
    int64_t now, struct ae_err *e) AE_MUST_CHECK;

#endif
