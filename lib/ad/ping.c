/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Decoding NETLOGON_SAM_LOGON_RESPONSE_EX; see ping.h.
 */
#include "ad/ping.h"

#include <string.h>

#include "base/rd.h"
#include "base/utf16.h"

#define SAM_LOGON_RESPONSE_EX 23u
#define SAM_PAUSE_RESPONSE_EX 24u
#define SAM_USER_UNKNOWN_EX 25u
#define LABELS_MAX 128

/*
 * A name compressed as in RFC 1035 section 4.1.4; pointers count from the
 * start of the answer and may only point back (MS-ADTS 6.3.7).
 */
static bool
get_name(struct ae_rd *r, char out[AE_AD_NAME_MAX])
{
	size_t n = 0, labels = 0, resume = 0, from, to;
	bool jumped = false;
	const uint8_t *p;
	uint8_t len;

	for (;;) {
		from = r->off;
		len = ae_rd_u8(r);
		if (!ae_rd_ok(r) || ++labels > LABELS_MAX)
			return false;
		if (len == 0)
			break;
		if ((len & 0xc0) == 0xc0) {
			to = (size_t)(len & 0x3f) << 8 | ae_rd_u8(r);
			if (!ae_rd_ok(r) || to >= from)
				return false;
			if (!jumped)
				resume = r->off;
			jumped = true;
			ae_rd_seek(r, to);
			continue;
		}
		p = (len & 0xc0) == 0 ? ae_rd_take(r, len) : NULL;
		if (p == NULL || memchr(p, '\0', len) != NULL ||
		    n + len + 2 > AE_AD_NAME_MAX)
			return false;
		if (n != 0)
			out[n++] = '.';
		memcpy(out + n, p, len);
		n += len;
	}
	if (jumped)
		ae_rd_seek(r, resume);
	out[n] = '\0';
	return ae_utf8_valid(out);
}

int
ae_ad_ping_decode(
    struct ae_ad_ping *out, const void *p, size_t len, struct ae_err *e)
{
	struct ae_ad_ping a = { 0 };
	char user[AE_AD_NAME_MAX];
	uint16_t opcode;
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	opcode = ae_rd_u16(&r);
	ae_rd_skip(&r, 2);
	a.flags = ae_rd_u32(&r);
	a.domain_guid = ae_guid_get(&r);
	if (!ae_rd_ok(&r))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "LDAP ping: truncated");
	if (opcode != SAM_LOGON_RESPONSE_EX && opcode != SAM_USER_UNKNOWN_EX)
		return ae_fail(e,
		    opcode == SAM_PAUSE_RESPONSE_EX ? AE_EUNAVAIL : AE_EPROTO,
		    AE_DOM_NONE, opcode, "LDAP ping: answer of kind %u",
		    opcode);
	if (!get_name(&r, a.forest) || !get_name(&r, a.domain) ||
	    !get_name(&r, a.host) || !get_name(&r, a.netbios_domain) ||
	    !get_name(&r, a.netbios_host) || !get_name(&r, user) ||
	    !get_name(&r, a.dc_site) || !get_name(&r, a.client_site))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "LDAP ping: malformed name");
	/* What follows (address, version, tokens) says nothing new. */
	*out = a;
	return AE_OK;
}
