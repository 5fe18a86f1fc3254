/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * IP addresses and networks as text, without sockets: for names in
 * certificates and rules about them.
 */
#ifndef AE_BASE_IP_H
#define AE_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AE_IP_STR_MAX 46

/* 4 or 16 bytes of an address. */
struct ae_ip {
	uint8_t p[16];
	size_t len;
};

/* A network in CIDR notation, "10.0.0.0/8". */
struct ae_ip_net {
	struct ae_ip ip;
	unsigned bits;
};

/*
 * Dotted decimal of four parts without leading zeros, or IPv6 (RFC 4291
 * 2.2, the dotted tail included) without a zone.  False: *out untouched.
 */
bool ae_ip_parse(struct ae_ip *out, const char *s);
bool ae_ip_net_parse(struct ae_ip_net *out, const char *s);

/* The same family, and the leading bits equal. */
bool ae_ip_in_net(const struct ae_ip *ip, const struct ae_ip_net *net);

/* RFC 5952 text; "?" for what is neither 4 nor 16 bytes.  Returns out. */
const char *ae_ip_print(char out[AE_IP_STR_MAX], const uint8_t *p, size_t len);

#endif
