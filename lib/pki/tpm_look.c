/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Two commands of TPM 2.0 (TCG TPM 2.0 Library, part 3), by hand; see
 * tpm_look.h.
 */
#include "pki/tpm_look.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "base/wr.h"

#define LIBRARY "libtss2-tctildr.so.0"
#define ANSWER_MAX 4096u
#define HEADER 10u
#define BLOCK (-1)

/* Part 2: tags, commands, capabilities, properties, algorithms. */
#define ST_NO_SESSIONS 0x8001
#define CC_GET_CAPABILITY UINT32_C(0x17a)
#define CC_TEST_PARMS UINT32_C(0x18a)
#define CAP_TPM_PROPERTIES UINT32_C(6)
#define PT_PERMANENT UINT32_C(0x200)
#define PERMANENT_IN_LOCKOUT UINT32_C(0x200)
#define PT_LOCKOUT_COUNTER UINT32_C(0x20e)
#define PT_MAX_AUTH_FAIL UINT32_C(0x20f)
#define PT_LOCKOUT_INTERVAL UINT32_C(0x210)
#define PROPERTIES 0x20u
#define ALG_RSA 0x0001
#define ALG_NULL 0x0010
#define ALG_ECC 0x0023

/* A response code of a parameter (format one), less which one it was. */
#define RC_FORMAT_ONE UINT32_C(0x080)
#define RC_ERROR UINT32_C(0x03f)

/* clang-format off */
static const struct {
	const char *name;
	uint16_t type, bits_or_curve;
} kinds[] = {
	{ "RSA:2048", ALG_RSA, 2048 },
	{ "RSA:3072", ALG_RSA, 3072 },
	{ "RSA:4096", ALG_RSA, 4096 },
	{ "P256",     ALG_ECC, 0x0003 },
	{ "P384",     ALG_ECC, 0x0004 },
	{ "P521",     ALG_ECC, 0x0005 },
};
/* clang-format on */
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

/* TSS2_TCTI_CONTEXT_COMMON_V1 of the TCTI specification; its beginning. */
struct tcti {
	uint64_t magic, version;
	uint32_t (*transmit)(struct tcti *t, size_t len, const uint8_t *p);
	uint32_t (*receive)(
	    struct tcti *t, size_t *len, uint8_t *p, int32_t timeout);
};

struct loader {
	void *library;
	uint32_t (*open)(const char *name, struct tcti **t);
	void (*close)(struct tcti **t);
};

const char *
ae_tpm_kind(size_t i)
{
	return i < NKINDS ? kinds[i].name : NULL;
}

static bool
take_header(uint32_t *code, struct ae_rd *r, size_t len)
{
	uint16_t tag = ae_rd_u16(r);
	uint32_t size = ae_rd_u32(r);

	*code = ae_rd_u32(r);
	return ae_rd_ok(r) && tag == ST_NO_SESSIONS && size == len;
}

bool
ae_tpm_take_properties(struct ae_tpm_seen *out, const void *p, size_t len)
{
	struct ae_tpm_seen seen = { 0 };
	uint32_t code, n, i, property, value;
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	r.big = true;
	if (!take_header(&code, &r, len) || code != 0)
		return false;
	(void)ae_rd_u8(&r); /* there are more */
	if (ae_rd_u32(&r) != CAP_TPM_PROPERTIES)
		return false;
	n = ae_rd_u32(&r);
	if (n > ae_rd_left(&r) / 8)
		return false;
	for (i = 0; i < n; i++) {
		property = ae_rd_u32(&r);
		value = ae_rd_u32(&r);
		switch (property) {
		case PT_PERMANENT:
			seen.locked = (value & PERMANENT_IN_LOCKOUT) != 0;
			break;
		case PT_LOCKOUT_COUNTER:
			seen.failures = value;
			break;
		case PT_MAX_AUTH_FAIL:
			seen.max_failures = value;
			break;
		case PT_LOCKOUT_INTERVAL:
			seen.interval = value;
			break;
		default:
			break;
		}
	}
	if (!ae_rd_done(&r))
		return false;
	*out = seen;
	return true;
}

/*
 * A parameter is refused for its value (RC_VALUE, RC_KEY_SIZE, RC_CURVE, RC_
 * ASYMMETRIC and others of format one).  Anything else is no verdict.
 */
bool
ae_tpm_take_verdict(bool *yes, const void *p, size_t len)
{
	uint32_t code;
	struct ae_rd r;

	ae_rd_init(&r, p, len);
	r.big = true;
	if (!take_header(&code, &r, len) || len != HEADER ||
	    (code != 0 &&
		((code & RC_FORMAT_ONE) == 0 || (code & RC_ERROR) == 0)))
		return false;
	*yes = code == 0;
	return true;
}

static void
put_properties(struct ae_wr *w)
{
	ae_wr_u16(w, ST_NO_SESSIONS);
	ae_wr_u32(w, HEADER + 12);
	ae_wr_u32(w, CC_GET_CAPABILITY);
	ae_wr_u32(w, CAP_TPM_PROPERTIES);
	ae_wr_u32(w, PT_PERMANENT);
	ae_wr_u32(w, PROPERTIES);
}

/* TPMT_PUBLIC_PARMS: no symmetric algorithm, no scheme of its own. */
static void
put_kind(struct ae_wr *w, size_t kind)
{
	bool rsa = kinds[kind].type == ALG_RSA;

	ae_wr_u16(w, ST_NO_SESSIONS);
	ae_wr_u32(w, HEADER + (rsa ? 12 : 10));
	ae_wr_u32(w, CC_TEST_PARMS);
	ae_wr_u16(w, kinds[kind].type);
	ae_wr_u16(w, ALG_NULL);
	ae_wr_u16(w, ALG_NULL);
	ae_wr_u16(w, kinds[kind].bits_or_curve);
	if (rsa)
		ae_wr_u32(w, 0); /* the usual exponent */
	else
		ae_wr_u16(w, ALG_NULL); /* no key derivation */
}

static int
load(struct loader *l, struct ae_err *e)
{
	*l = (struct loader){ .library =
				  dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) };
	if (l->library != NULL) {
		*(void **)&l->open =
		    dlsym(l->library, "Tss2_TctiLdr_Initialize");
		*(void **)&l->close =
		    dlsym(l->library, "Tss2_TctiLdr_Finalize");
	}
	if (l->open != NULL && l->close != NULL)
		return AE_OK;
	if (l->library != NULL)
		(void)dlclose(l->library);
	return ae_fail(
	    e, AE_EUNAVAIL, AE_DOM_NONE, 0, "%s is not installed", LIBRARY);
}

/* One command and its answer; *len of the answer. */
static int
exchange(struct tcti *t, const struct ae_wr *w, uint8_t *answer, size_t *len,
    struct ae_err *e)
{
	uint32_t code;

	*len = ANSWER_MAX;
	code = t->transmit(t, w->len, w->p);
	if (code == 0)
		code = t->receive(t, len, answer, BLOCK);
	return code == 0 && *len <= ANSWER_MAX
	    ? AE_OK
	    : ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, code,
		  "the TPM does not answer (0x%08x)", (unsigned)code);
}

static int
ask(struct ae_tpm_seen *out, bool *makes, size_t n, struct tcti *t,
    struct ae_err *e)
{
	uint8_t answer[ANSWER_MAX];
	struct ae_wr w;
	size_t i, len;
	int rc;

	ae_wr_init(&w, 64);
	w.big = true;
	put_properties(&w);
	rc = exchange(t, &w, answer, &len, e);
	if (rc == AE_OK && !ae_tpm_take_properties(out, answer, len))
		rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "what answers there is no TPM 2.0");
	for (i = 0; rc == AE_OK && i < n && i < NKINDS; i++) {
		ae_wr_reset(&w);
		put_kind(&w, i);
		rc = exchange(t, &w, answer, &len, e);
		if (rc == AE_OK && !ae_tpm_take_verdict(&makes[i], answer, len))
			rc = ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "the TPM does not say whether it makes %s keys",
			    kinds[i].name);
	}
	ae_wr_done(&w);
	return rc;
}

int
ae_tpm_look(struct ae_tpm_seen *out, bool *makes, size_t n, const char *tcti,
    struct ae_err *e)
{
	struct tcti *t = NULL;
	struct loader l;
	uint32_t code;
	int rc;

	/* What it would say on stderr is in our errors. */
	(void)setenv("TSS2_LOG", "all+NONE", 0);
	rc = load(&l, e);
	if (rc != AE_OK)
		return rc;
	code = l.open(tcti, &t);
	if (code != 0 || t == NULL || t->transmit == NULL || t->receive == NULL)
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, code,
		    "the TPM cannot be opened (0x%08x)", (unsigned)code);
	else
		rc = ask(out, makes, n, t, e);
	if (t != NULL)
		l.close(&t);
	(void)dlclose(l.library);
	return rc;
}
