/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * IP addresses as text; see ip.h.
 */
#include "base/ip.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

#define GROUPS 8

/* A decimal number up to most, without leading zeros; moves the cursor. */
static bool
decimal(unsigned *out, const char **s, unsigned most)
{
	const char *p = *s;
	unsigned v = 0;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if ((v = v * 10 + (unsigned)(*p - '0')) > most)
			return false;
	*out = v;
	*s = p;
	return true;
}

static bool
parse4(uint8_t out[4], const char *s)
{
	unsigned v;
	size_t i;

	for (i = 0; i < 4; i++) {
		if ((i > 0 && *s++ != '.') || !decimal(&v, &s, 255))
			return false;
		out[i] = (uint8_t)v;
	}
	return *s == '\0';
}

/* One to four hex digits. */
static bool
group(unsigned *out, const char **s)
{
	unsigned n = 0, v = 0;
	uint8_t digit;
	char two[3] = "0";

	for (; n < 4; n++, (*s)++) {
		two[1] = **s;
		if (two[1] == '\0' || !ae_hex_decode(&digit, 1, two))
			break;
		v = v << 4 | digit;
	}
	*out = v;
	return n > 0;
}

static bool
parse6(uint8_t out[16], const char *s)
{
	uint8_t v[16] = { 0 };
	int gap = -1, n = 0; /* groups before the "::", groups so far */
	unsigned g;

	if (strncmp(s, "::", 2) == 0) {
		gap = 0;
		s += 2;
	}
	while (*s != '\0' && n < GROUPS) {
		if (n <= GROUPS - 2 && strchr(s, ':') == NULL &&
		    strchr(s, '.') != NULL) {
			if (!parse4(v + 2 * n, s))
				return false;
			n += 2;
			s = "";
			break;
		}
		if (!group(&g, &s))
			return false;
		v[2 * n] = (uint8_t)(g >> 8);
		v[2 * n + 1] = (uint8_t)g;
		n++;
		if (*s == '\0')
			break;
		if (*s++ != ':' || *s == '\0')
			return false;
		if (*s == ':') {
			if (gap >= 0)
				return false;
			gap = n;
			s++;
		}
	}
	if (*s != '\0' || (gap < 0) != (n == GROUPS))
		return false;
	memset(out, 0, 16);
	if (gap < 0)
		gap = n;
	memcpy(out, v, 2 * (size_t)gap);
	memcpy(out + 2 * (GROUPS - n + gap), v + 2 * (size_t)gap,
	    2 * (size_t)(n - gap));
	return true;
}

bool
ae_ip_parse(struct ae_ip *out, const char *s)
{
	struct ae_ip ip = { .len = 4 };

	if (!parse4(ip.p, s)) {
		ip.len = 16;
		if (!parse6(ip.p, s))
			return false;
	}
	*out = ip;
	return true;
}

bool
ae_ip_net_parse(struct ae_ip_net *out, const char *s)
{
	const char *slash = strchr(s, '/');
	struct ae_ip_net net;
	char ip[AE_IP_STR_MAX];

	if (slash == NULL || (size_t)(slash - s) >= sizeof(ip))
		return false;
	memcpy(ip, s, (size_t)(slash - s));
	ip[slash - s] = '\0';
	slash++;
	if (!ae_ip_parse(&net.ip, ip) ||
	    !decimal(&net.bits, &slash, (unsigned)net.ip.len * 8) ||
	    *slash != '\0')
		return false;
	*out = net;
	return true;
}

bool
ae_ip_in_net(const struct ae_ip *ip, const struct ae_ip_net *net)
{
	const size_t whole = net->bits / 8;
	const unsigned rest = net->bits % 8;
	const uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (ip->len != net->ip.len || memcmp(ip->p, net->ip.p, whole) != 0)
		return false;
	return rest == 0 || ((ip->p[whole] ^ net->ip.p[whole]) & mask) == 0;
}

const char *
ae_ip_print(char out[AE_IP_STR_MAX], const uint8_t *p, size_t len)
{
	unsigned g[GROUPS];
	size_t i, n, at = 0, run = 1, used = 0; /* the longest run of zeros */

	if (len == 4)
		(void)snprintf(
		    out, AE_IP_STR_MAX, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
	else
		(void)snprintf(out, AE_IP_STR_MAX, "?");
	if (len != 16)
		return out;
	for (i = 0; i < GROUPS; i++)
		g[i] = (unsigned)p[2 * i] << 8 | p[2 * i + 1];
	for (i = 0; i<GROUPS; i += n> 0 ? n : 1) {
		for (n = 0; i + n < GROUPS && g[i + n] == 0; n++)
			;
		if (n > run) {
			run = n;
			at = i;
		}
	}
	for (i = 0; i < GROUPS; i++) {
		if (run > 1 && i == at) {
			used +=
			    (size_t)snprintf(out + used, AE_IP_STR_MAX - used,
				"%s", at + run == GROUPS ? "::" : ":");
			i += run - 1;
			continue;
		}
		used += (size_t)snprintf(out + used, AE_IP_STR_MAX - used,
		    "%s%x", i == 0 ? "" : ":", g[i]);
	}
	return out;
}
