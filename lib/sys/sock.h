/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a library that opens its own connections does not do for them.
 */
#ifndef AE_SYS_SOCK_H
#define AE_SYS_SOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A blocking read or write on fd fails with EAGAIN after this many seconds
 * without a byte.  Where the kernel refuses, nothing changes.
 */
void ae_sock_silence(int fd, unsigned seconds);

/*
 * Until fd can be read (or, with write, read or written), for at most ms;
 * false: it could not in that time.
 */
bool ae_sock_wait(int fd, bool write, int64_t ms);

#endif
