/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The toy security provider; see fake.h.
 */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

int fake_live;

struct fake {
	uint8_t who;
	int leg;
	bool weak;
	uint32_t send_seq;
	uint32_t recv_seq;
	uint8_t send_key;
	uint8_t recv_key;
};

static struct fake *
fake_new(uint8_t who, uint8_t send_key, uint8_t recv_key)
{
	struct fake *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->who = who;
	f->send_key = send_key ^ who;
	f->recv_key = recv_key ^ who;
	fake_live++;
	return f;
}

static int
fake_step(void *ctx, const uint8_t *in, size_t len, struct ae_wr *out,
    bool *done, struct ae_err *e)
{
	struct fake *f = ctx;

	switch (f->leg++) {
	case 0:
		ae_wr_str(out, "hello");
		ae_wr_u8(out, f->who);
		return AE_OK;
	case 1:
		if (len != 5 || memcmp(in, "reply", 5) != 0)
			break;
		ae_wr_str(out, "last!");
		*done = true;
		return AE_OK;
	default:
		break;
	}
	return ae_fail(
	    e, AE_EAUTH, AE_DOM_NONE, 0, "not the token that is due");
}

static size_t
fake_token_len(void *ctx, enum ae_rpc_level level)
{
	struct fake *f = ctx;

	return f->weak && level == AE_RPC_LEVEL_PRIVACY ? 0 : FAKE_TOKEN;
}

static void
mix(uint32_t h[2], const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		h[0] = (h[0] ^ p[i]) * 16777619U;
		h[1] = (h[1] + p[i]) * 2654435761U;
	}
}

static void
checksum(uint8_t key, uint32_t seq, enum ae_rpc_level level, bool sign_header,
    const struct ae_rpc_sec_buf *b, uint8_t out[FAKE_TOKEN])
{
	uint32_t h[2] = { 2166136261U ^ key, seq };
	uint8_t lvl = (uint8_t)level;

	mix(h, &lvl, 1);
	if (sign_header)
		mix(h, b->header, b->header_len);
	mix(h, b->body, b->body_len);
	if (sign_header)
		mix(h, b->trailer, b->trailer_len);
	memset(out, 0xfa, FAKE_TOKEN);
	memcpy(out, &seq, 4);
	memcpy(out + 4, h, 8);
}

static void
cipher(uint8_t key, uint32_t seq, uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] ^= (uint8_t)(key + seq * 7 + i * 13 + 1);
}

static int
fake_protect(void *ctx, enum ae_rpc_level level, bool sign_header,
    const struct ae_rpc_sec_buf *b, struct ae_err *e)
{
	struct fake *f = ctx;
	uint8_t token[FAKE_TOKEN];

	if (b->token_len != FAKE_TOKEN)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0, "token room");
	checksum(f->send_key, f->send_seq, level, sign_header, b, token);
	memcpy(b->token, token, sizeof(token));
	if (level == AE_RPC_LEVEL_PRIVACY)
		cipher(f->send_key, f->send_seq, b->body, b->body_len);
	f->send_seq++;
	return AE_OK;
}

static int
fake_unprotect(void *ctx, enum ae_rpc_level level, bool sign_header,
    const struct ae_rpc_sec_buf *b, struct ae_err *e)
{
	struct fake *f = ctx;
	uint8_t token[FAKE_TOKEN];

	if (level == AE_RPC_LEVEL_PRIVACY)
		cipher(f->recv_key, f->recv_seq, b->body, b->body_len);
	checksum(f->recv_key, f->recv_seq, level, sign_header, b, token);
	f->recv_seq++;
	if (b->token_len != FAKE_TOKEN ||
	    memcmp(b->token, token, sizeof(token)) != 0)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0, "bad signature");
	return AE_OK;
}

static void
fake_free(void *ctx)
{
	free(ctx);
	fake_live--;
}

static const struct ae_rpc_sec_ops fake_ops = {
	.step = fake_step,
	.token_len = fake_token_len,
	.protect = fake_protect,
	.unprotect = fake_unprotect,
	.free = fake_free,
};

struct ae_rpc_sec
fake_initiator(uint8_t who)
{
	struct fake *f = fake_new(who, 0x11, 0x22);

	return (
	    struct ae_rpc_sec){ .ops = f == NULL ? NULL : &fake_ops, .ctx = f };
}

bool
fake_accept(int *state, const uint8_t *in, size_t len, uint8_t out[32],
    size_t *outlen, bool *done, struct ae_rpc_sec *sec, uint8_t *who)
{
	struct fake *f;

	*outlen = 0;
	*done = false;
	if (*state == 0) {
		if (len != 6 || memcmp(in, "hello", 5) != 0)
			return false;
		*state = 0x100 | in[5];
		memcpy(out, "reply", 5);
		*outlen = 5;
		return true;
	}
	if (len != 5 || memcmp(in, "last!", 5) != 0)
		return false;
	*who = (uint8_t)(*state & 0xff);
	f = fake_new(*who, 0x22, 0x11);
	if (f == NULL)
		return false;
	*sec = (struct ae_rpc_sec){ .ops = &fake_ops, .ctx = f };
	*done = true;
	return true;
}

void
fake_weaken(struct ae_rpc_sec *sec)
{
	((struct fake *)sec->ctx)->weak = true;
}
