/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Addresses as bytes: of a text, and of a host by its name.
 */
#ifndef AE_SYS_ADDRESS_H
#define AE_SYS_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#define AE_ADDRESS_MAX 16

struct ae_address {
	uint8_t p[AE_ADDRESS_MAX];
	size_t len; /* 4: IPv4, 16: IPv6, 0: none */
};

/* "192.0.2.1", "2001:db8::1"; len 0 for anything else. */
struct ae_address ae_address_parse(const char *text);

/* Those that the resolver knows for a host, at most max; it may take as long
 * as the resolver does. */
size_t ae_address_lookup(struct ae_address *out, size_t max, const char *host);

#endif
