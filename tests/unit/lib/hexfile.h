/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Vector files: hex text in tests/vectors, '#' starts a comment, white
 * space is ignored.  The first comment line says where the bytes are from.
 */
#ifndef AE_TEST_HEXFILE_H
#define AE_TEST_HEXFILE_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of tests/vectors/name; free() them.  Aborts when unreadable. */
uint8_t *ae_hexfile(const char *dir, const char *name, size_t *len);

#endif
