/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What this principal has already: the certificates of its store, as far as
 * plan() weighs them.  Filled by gather/, plain data, owned by the caller.
 */
#ifndef AE_ENROLL_INVENTORY_H
#define AE_ENROLL_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ae_inv_cert {
	const char *name;	   /* where it is: "Workstation/3" */
	const char *thumbprint;	   /* SHA-1 in lower-case hex */
	const char *template_oid;  /* from extension 311.21.7; NULL: absent */
	const char *template_name; /* from extension 311.20.2; NULL: absent */
	uint32_t major, minor;	   /* of the template, from 311.21.7 */
	int64_t not_before, not_after;
	bool has_key;  /* the private key is there and matches */
	bool archived; /* kept, but not current */
	bool trusted;  /* chains to an anchor now */
};

struct ae_inventory {
	const struct ae_inv_cert *certs;
	size_t ncerts;
};

#endif
