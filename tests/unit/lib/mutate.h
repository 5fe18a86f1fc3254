/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A deterministic mutator for decoders: each bit flipped, each byte set to
 * 0x00, 0x7f, 0x80 and 0xff, each truncation.  The input is handed over in
 * an allocation of exactly its length, so that the address sanitizer sees
 * every read past the end.
 */
#ifndef AE_TEST_MUTATE_H
#define AE_TEST_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Must not crash, hang or leak; its verdict is not looked at. */
typedef void ae_mutate_fn(const uint8_t *p, size_t len, void *arg);

/* Runs fn on every mutation of p; returns how many there were. */
size_t ae_mutate(const uint8_t *p, size_t len, ae_mutate_fn *fn, void *arg);

#endif
