/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Security contexts for DCE/RPC (MS-RPCE 2.2.1.1.7, MS-KILE 3.4.5.1): the
 * handshake of either side as a step function, protection of RPC PDUs, and
 * moving a finished context to another process.  Bytes in, bytes out; no
 * sockets (an initiator may ask the KDC for a service ticket in its first
 * step, which blocks as long as krb5.conf allows).
 */
#ifndef AE_GSS_CTX_H
#define AE_GSS_CTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/wr.h"

struct ae_gss_cred;
struct ae_gss_ctx;

/* The values are auth_type's on the wire, MS-RPCE 2.2.1.1.7. */
enum ae_gss_mech {
	AE_GSS_SPNEGO = 9,
	AE_GSS_KRB5 = 16,
};

/*
 * The values are auth_level's on the wire, MS-RPCE 2.2.1.1.8.  CALL and PKT
 * are protected exactly like INTEGRITY.
 */
enum ae_gss_level {
	AE_GSS_CONNECT = 2,
	AE_GSS_CALL = 3,
	AE_GSS_PKT = 4,
	AE_GSS_INTEGRITY = 5,
	AE_GSS_PRIVACY = 6,
};

#define AE_GSS_TOKEN_MAX 65535 /* one handshake token; PACs can be large */
#define AE_GSS_SIG_MAX 128     /* ae_gss_sig_len is never larger */
#define AE_GSS_EXPORT_MAX (1024 * 1024)

struct ae_gss_initiator {
	enum ae_gss_mech mech;
	enum ae_gss_level level;
	const char *target; /* "host/ca1.example.com", copied */
	/*
	 * True for RPC.  False makes an ordinary two-leg exchange for other
	 * protocols, without ae_gss_protect.
	 */
	bool dce;
	bool allow_rc4; /* accept message protection with RC4 */
};

struct ae_gss_acceptor {
	enum ae_gss_mech mech;
	enum ae_gss_level level; /* what the client's bind claims */
};

/*
 * A fresh context.  cred is used during the handshake and must live until it
 * is done; conf is copied.  Fails with AE_EINVAL when the level or mechanism
 * is none of the above or cred is for the other side.
 */
int ae_gss_ctx_initiate(struct ae_gss_ctx **out, struct ae_gss_cred *cred,
    const struct ae_gss_initiator *conf, struct ae_err *e) AE_MUST_CHECK;
int ae_gss_ctx_accept(struct ae_gss_ctx **out, struct ae_gss_cred *cred,
    const struct ae_gss_acceptor *conf, struct ae_err *e) AE_MUST_CHECK;

void ae_gss_ctx_free(struct ae_gss_ctx *ctx);

/*
 * One leg.  in is the peer's token (NULL, 0 for the initiator's first step);
 * what is to be sent is appended to out, and must be sent whenever it is not
 * empty, also when *done.  *done: the context is complete and was checked:
 *
 *   both       the mechanism is Kerberos; message keys are AES unless RC4 is
 *              allowed; integrity and confidentiality as the level needs
 *   initiator  mutual authentication
 *   acceptor   DCE style (a client that is through after two legs is
 *              refused), the client is not anonymous
 *
 * AE_EAUTH on any failure of the exchange or check; AE_EUNAVAIL when the
 * initiator's KDC does not answer.  The context can then only be freed, out
 * is as it was.  AE_ELIMIT: a token over AE_GSS_TOKEN_MAX.
 */
int ae_gss_step(struct ae_gss_ctx *ctx, const void *in, size_t inlen,
    struct ae_wr *out, bool *done, struct ae_err *e) AE_MUST_CHECK;

bool ae_gss_ctx_done(const struct ae_gss_ctx *ctx);

/* The rest is for contexts that are done. */

enum ae_gss_level ae_gss_ctx_level(const struct ae_gss_ctx *ctx);
enum ae_gss_mech ae_gss_ctx_mech(const struct ae_gss_ctx *ctx);

/* The other side's principal, "PC1$@EXAMPLE.COM".  For logs only. */
const char *ae_gss_ctx_peer(const struct ae_gss_ctx *ctx);

/* Kerberos enctype number of the message keys (18: AES256-SHA1). */
int ae_gss_ctx_enctype(const struct ae_gss_ctx *ctx);

/*
 * When the client's ticket ends.  Messages are not refused from then on:
 * who keeps connections for long must look.
 */
int64_t ae_gss_ctx_expires(const struct ae_gss_ctx *ctx);

/*
 * Protection of one PDU.  On the wire: hdr | data | trailer | token, where
 * data is stub and auth padding (and verification trailer) and trailer is
 * the 8-byte sec_trailer.  hdr and trailer must be in their final form,
 * frag_length and auth_length included, because they are signed with header
 * signing (MS-RPCE 3.3.1.5.2.2); they are never changed.
 */
struct ae_gss_pdu {
	const uint8_t *hdr;
	size_t hdrlen; /* 24, or 40 with an object UUID */
	uint8_t *data; /* in place */
	size_t datalen;
	const uint8_t *trailer;
	size_t trailerlen;
	uint8_t *token;
	size_t tokenlen;  /* protect: exactly ae_gss_sig_len() */
	bool header_sign; /* negotiated at bind */
};

/* Length of every PDU's token: 0 at level CONNECT. Constant per context. */
size_t ae_gss_sig_len(const struct ae_gss_ctx *ctx);

/*
 * Level PRIVACY: encrypts data, all else signed.  INTEGRITY, PKT, CALL: signs.
 * CONNECT: does nothing.  Fills token.  Each call uses one sequence number:
 * PDUs must go out in the order they were protected.
 */
int ae_gss_protect(struct ae_gss_ctx *ctx, const struct ae_gss_pdu *pdu,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Verifies, and decrypts data in place.  Any tokenlen is safe.  Damage,
 * replay, a gap, old or unsealed messages: AE_EAUTH, data is unspecified and
 * the context refuses all further use: close the connection.
 */
int ae_gss_unprotect(struct ae_gss_ctx *ctx, const struct ae_gss_pdu *pdu,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Move a finished context to another process of the same build: keys, names,
 * PAC and sequence numbers (before or after messages).  *out holds session
 * keys: private channel only, ae_secret_done after use.  On success ctx can
 * only be freed.  Importing twice would reuse sequence numbers: don't.
 */
int ae_gss_export(struct ae_gss_ctx *ctx, struct ae_secret *out,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The other half.  Needs no keytab and no cache, but KRB5_CONFIG must name
 * the same, readable file.  p must come from ae_gss_export: the library's
 * parser is not safe against bytes from an enemy, and whoever writes them
 * can claim any identity.
 */
int ae_gss_import(struct ae_gss_ctx **out, const void *p, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * Read now, and keep, what ae_gss_import takes from files: krb5.conf and the
 * list of mechanisms.  While it is held, contexts can be imported in a
 * sandbox that cannot open files any more.
 */
struct ae_gss_warm;
int ae_gss_warm_new(struct ae_gss_warm **out, struct ae_err *e) AE_MUST_CHECK;
void ae_gss_warm_free(struct ae_gss_warm *w);

#endif
