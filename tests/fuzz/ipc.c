/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The door between our own processes: frames, and the log records in them.
 * The first byte sets the size of the pieces the stream arrives in.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sys/ipcmsg_in.h"
#include "sys/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static int
on_any(void *arg, struct ae_ipc *c, struct ae_ipc_msg *m, struct ae_err *e)
{
	(void)arg;
	(void)c;
	(void)m;
	(void)e;
	return AE_OK;
}

static const struct ae_ipc_row rows[] = {
	{ 1, 64, 1, false, on_any },
	{ 2, 200000, 1 | 2, false, on_any },
	{ 3, 4096, 2, false, on_any },
	{ 4, 0, 1, true, on_any },
	{ .handle = NULL },
};

static void
one(const struct ae_ipc_row *row, const struct ae_ipc_msg *m, uint32_t *state)
{
	struct ae_log_record r;
	struct ae_err e = AE_ERR_INIT;

	if (m->len > row->max)
		__builtin_trap();
	if (m->type == 2)
		*state = 2;
	if (m->type == 3 && ae_log_decode(&r, m->body, m->len, &e) == AE_OK &&
	    r.nfield > AE_LOG_FIELDS_MAX)
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_ipc_in in = { 0 };
	const struct ae_ipc_row *row = NULL;
	struct ae_ipc_msg m;
	struct ae_err e = AE_ERR_INIT;
	uint32_t state = 1;
	size_t step, take, room;
	uint8_t *to;
	int rc = AE_OK;

	if (len == 0)
		return 0;
	step = (size_t)*p++ + 1;
	len--;
	while (len > 0 && rc == AE_OK) {
		to = ae_ipc_in_room(&in, &room);
		if (to == NULL)
			break;
		take = len < step ? len : step;
		take = take < room ? take : room;
		memcpy(to, p, take);
		ae_ipc_in_add(&in, take);
		p += take;
		len -= take;
		while ((rc = ae_ipc_in_next(&in, rows, state, &row, &m, &e)) ==
			AE_OK &&
		    row != NULL)
			one(row, &m, &state);
	}
	ae_ipc_in_done(&in);
	return 0;
}
