/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The exporter behind a pipe, for witness.py: each line of input is an
 * interface UUID, an opnum, an object UUID or "-", and the stub in hex; each
 * line of output is the reply's stub in hex, or "fault" and its number.
 * Before that, the exporter's OXID.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "fixture.h"

#define LINE_MAX_LEN 65536

static void
answer(struct ae_dcom_exporter *x, const struct ae_rpc_call *call)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr reply;
	uint32_t fault;
	size_t i;

	ae_wr_init(&reply, 1 << 17);
	fault = ae_dcom_exporter_call(x, call, true, 0, &reply, &e);
	if (fault != 0)
		printf("fault %#x %s\n", fault, e.text);
	for (i = 0; fault == 0 && i < reply.len; i++)
		printf("%02x", reply.p[i]);
	if (fault == 0)
		printf("\n");
	fflush(stdout);
	ae_wr_done(&reply);
}

int
main(void)
{
	struct ae_dcom_exporter *x = fixture_exporter();
	static char line[LINE_MAX_LEN], stub[LINE_MAX_LEN];
	static uint8_t bytes[LINE_MAX_LEN / 2];
	char iface[40], object[40];
	struct ae_rpc_call call;
	struct ae_guid guid;
	unsigned opnum;
	int fields;

	if (x == NULL)
		return 1;
	printf("%" PRIu64 "\n", ae_dcom_exporter_oxid(x));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		stub[0] = '\0';
		fields = sscanf(
		    line, "%39s %u %39s %65535s", iface, &opnum, object, stub);
		if (fields < 3 || !ae_guid_parse(&guid, iface) ||
		    fixture_find(&guid) == NULL ||
		    !ae_hex_decode(bytes, strlen(stub) / 2, stub))
			return 2;
		call = fixture_call(fixture_find(&guid), (uint16_t)opnum, bytes,
		    strlen(stub) / 2);
		call.has_object = ae_guid_parse(&call.object, object);
		answer(x, &call);
	}
	ae_dcom_exporter_free(x);
	return 0;
}
