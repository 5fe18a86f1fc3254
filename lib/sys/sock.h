/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a library that opens its own connections does not do for them.
 */
#ifndef AE_SYS_SOCK_H
#define AE_SYS_SOCK_H

/*
 * A blocking read or write on fd fails with EAGAIN after this many seconds
 * without a byte.  Where the kernel refuses, nothing changes.
 */
void ae_sock_silence(int fd, unsigned seconds);

#endif
