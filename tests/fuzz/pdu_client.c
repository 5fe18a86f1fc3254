/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A client's connection fed with a server's bytes.  The first byte: bit 0
 * authenticated, bit 1 without header signing, the rest how many bytes come
 * at once.
 */
#include <stdint.h>
#include <stdlib.h>

#include "fake.h"
#include "pair.h"
#include "rpc/epm.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

/* False: the connection is over. */
static bool
turn(struct ae_rpc_client *c)
{
	struct ae_rpc_client_event ev;
	struct ae_rpc_epm_entry x;
	struct ae_rpc_syntax id = echo_iface.id;
	uint32_t n;
	size_t len;

	while (ae_rpc_client_event(c, &ev)) {
		switch (ev.type) {
		case AE_RPC_CLIENT_BOUND:
			id.minor = 1;
			if (ae_rpc_client_alter(c, &id, &n, 0, NULL) != AE_OK)
				abort();
			break;
		case AE_RPC_CLIENT_REPLY:
			if (ae_rpc_epm_map_reply(&x, ev.stub, ev.stub_len,
				ev.big_endian, &id, NULL) == AE_OK &&
			    x.port == 0)
				abort();
			/* fall through */
		case AE_RPC_CLIENT_ALTERED:
		case AE_RPC_CLIENT_FAULT:
			if (ae_rpc_client_call(c, 0, 0, NULL,
				(const uint8_t *)"x", 1, &n, 0,
				NULL) == AE_ENOMEM)
				return false;
			break;
		case AE_RPC_CLIENT_CLOSED:
			return false;
		}
	}
	if (ae_rpc_client_output(c, &len) != NULL)
		ae_rpc_client_sent(c, len, 0);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_rpc_client_config g = { .max_reply = 65536 };
	struct ae_rpc_client *c;
	size_t n, off = 1, chunk;

	if (len == 0)
		return 0;
	if (p[0] & 1) {
		g.auth_type = AE_RPC_AUTH_KRB5;
		g.level = AE_RPC_LEVEL_PRIVACY;
		g.sec = fake_initiator('1');
		if (g.sec.ops == NULL)
			return 0;
	}
	g.no_header_sign = p[0] & 2;
	chunk = p[0] >> 2 == 0 ? 65536 : p[0] >> 2;
	c = ae_rpc_client_new(&g, 0);
	if (c == NULL ||
	    ae_rpc_client_bind(c, &echo_iface.id, 1, 0, NULL) != AE_OK)
		goto out;
	while (turn(c) && off < len && (n = ae_rpc_client_room(c)) > 0) {
		n = n < chunk ? n : chunk;
		n = n < len - off ? n : len - off;
		ae_rpc_client_feed(c, p + off, n, 0);
		off += n;
	}
	ae_rpc_client_eof(c, 0);
	(void)turn(c);
out:
	ae_rpc_client_free(c);
	if (fake_live != 0)
		abort();
	return 0;
}
