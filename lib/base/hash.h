/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A 64-bit hash for spreading and for noticing change, where nobody gains
 * anything by a collision.  Not a cryptographic one.
 */
#ifndef AE_BASE_HASH_H
#define AE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define AE_HASH_INIT 0xcbf29ce484222325u

/* Take in len bytes; h begins as AE_HASH_INIT. */
uint64_t ae_hash(uint64_t h, const void *p, size_t len);

/* Without this, inputs that differ in their last byte stay neighbours. */
uint64_t ae_hash_finish(uint64_t h);

#endif
