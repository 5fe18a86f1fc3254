/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A security provider for tests: three legs like Kerberos in DCE style,
 * sequence numbers, a checksum over what is signed, a toy cipher.
 */
#ifndef AE_TEST_RPC_FAKE_H
#define AE_TEST_RPC_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/sec.h"

#define FAKE_TOKEN 16

/* For clients: who is a number that the server side gets to know. */
struct ae_rpc_sec fake_initiator(uint8_t who);

/*
 * The acceptor's side of one leg.  state starts at 0 and is kept by the
 * caller between legs.  Returns false when the token is not the one that is
 * due; otherwise out (32 bytes) is the answer, *done tells whether it
 * stands, and then *sec is the finished context and *who the client.
 */
bool fake_accept(int *state, const uint8_t *in, size_t len, uint8_t out[32],
    size_t *outlen, bool *done, struct ae_rpc_sec *sec, uint8_t *who);

/* A finished context that cannot seal. */
void fake_weaken(struct ae_rpc_sec *sec);

/* Contexts alive, to find leaks of ownership. */
extern int fake_live;

#endif
