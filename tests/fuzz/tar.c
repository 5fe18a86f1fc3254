/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/* Headers of a backup's archive: what is read can be written, and is the
 * same when it is read again. */
#include <assert.h>
#include <string.h>

#include "base/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t block[AE_TAR_BLOCK];
	struct ae_tar_entry t, again;
	bool end;

	for (; size >= AE_TAR_BLOCK;
	     data += AE_TAR_BLOCK, size -= AE_TAR_BLOCK) {
		if (ae_tar_get(&t, &end, data, NULL) != AE_OK || end)
			continue;
		assert(t.mode <= 0777 && ae_tar_fill(t.size) < AE_TAR_BLOCK);
		if (ae_tar_put(block, &t, NULL) != AE_OK)
			continue;
		assert(ae_tar_get(&again, &end, block, NULL) == AE_OK && !end);
		assert(strcmp(t.name, again.name) == 0);
		assert(t.size == again.size && t.mode == again.mode);
		assert(t.time == again.time);
	}
	return 0;
}
