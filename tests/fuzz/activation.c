/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The exporter's calls.  First byte: which interface, byte order, anonymous
 * or not; second byte: opnum; the rest is the stub.  The object is the
 * Remote Unknown.  A fault leaves no reply behind.
 */
#include <stdint.h>
#include <stdlib.h>

#include "fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static const struct ae_rpc_iface *const ifaces[] = {
	&ae_dcom_object_exporter_iface, &ae_dcom_activation_iface,
	&ae_dcom_scm_iface, &ae_dcom_rem_unknown_iface,
	&ae_dcom_rem_unknown2_iface, &ae_dcom_class_factory_iface,
	&fixture_iface
};

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_dcom_exporter *x;
	struct ae_dcom_orpc orpc;
	struct ae_rpc_call call;
	struct ae_wr reply;

	if (len < 2)
		return 0;
	x = fixture_exporter();
	if (x == NULL)
		return 0;
	call = fixture_call(
	    ifaces[(p[0] & 0x0f) % (sizeof(ifaces) / sizeof(ifaces[0]))], p[1],
	    p + 2, len - 2);
	call.big_endian = p[0] & 0x80;
	if (p[0] & 0x40) {
		call.level = AE_RPC_LEVEL_NONE;
		call.sid = NULL;
	}
	call.has_object = true;
	call.object = ae_dcom_exporter_rem_unknown(x);
	ae_wr_init(&reply, 1 << 20);
	if (call.iface == &fixture_iface) {
		call.object = ae_dcom_exporter_ipid(x, 0, 0);
		(void)!ae_dcom_exporter_open(x, &call, &orpc, NULL);
	} else if (ae_dcom_exporter_call(
		       x, &call, !(p[0] & 0x20), 0, &reply, NULL) != 0 &&
	    reply.len != 0) {
		abort();
	}
	ae_wr_done(&reply);
	ae_dcom_exporter_free(x);
	return 0;
}
