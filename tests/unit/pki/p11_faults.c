/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A PKCS#11 library that is SoftHSM, except that the next calls go wrong the
 * way AE_P11_FAULT says: "CALL RV COUNT" answers RV instead, "flip" damages
 * each signature.  For test_keydev.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

static CK_FUNCTION_LIST faulty;
static CK_FUNCTION_LIST *real;

/* What to answer to this call; CKR_OK: what the token does. */
static CK_RV
fault(const char *call)
{
	const char *s = getenv("AE_P11_FAULT");
	char name[64], next[96];
	unsigned long rv;
	unsigned count;

	if (s == NULL || sscanf(s, "%63s %lx %u", name, &rv, &count) != 3 ||
	    strcmp(name, call) != 0 || count == 0)
		return CKR_OK;
	(void)snprintf(next, sizeof(next), "%s %lx %u", name, rv, count - 1);
	(void)setenv("AE_P11_FAULT", next, 1);
	return rv;
}

static CK_RV
sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG len, CK_BYTE_PTR sig,
    CK_ULONG_PTR siglen)
{
	const char *s = getenv("AE_P11_FAULT");
	CK_RV rv = fault("C_Sign");

	/* The operation is ended all the same. */
	if (rv != CKR_OK) {
		(void)real->C_Sign(session, data, len, sig, siglen);
		return rv;
	}
	rv = real->C_Sign(session, data, len, sig, siglen);
	if (rv == CKR_OK && s != NULL && strcmp(s, "flip") == 0)
		sig[*siglen / 2] ^= 0x10;
	return rv;
}

static CK_RV
sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR m, CK_OBJECT_HANDLE key)
{
	CK_RV rv = fault("C_SignInit");

	return rv != CKR_OK ? rv : real->C_SignInit(session, m, key);
}

static CK_RV
find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR t, CK_ULONG n)
{
	CK_RV rv = fault("C_FindObjectsInit");

	return rv != CKR_OK ? rv : real->C_FindObjectsInit(session, t, n);
}

static CK_RV
generate(CK_SESSION_HANDLE session, CK_MECHANISM_PTR m, CK_ATTRIBUTE_PTR pub,
    CK_ULONG npub, CK_ATTRIBUTE_PTR priv, CK_ULONG npriv,
    CK_OBJECT_HANDLE_PTR a, CK_OBJECT_HANDLE_PTR b)
{
	CK_RV rv = fault("C_GenerateKeyPair");

	return rv != CKR_OK
	    ? rv
	    : real->C_GenerateKeyPair(session, m, pub, npub, priv, npriv, a, b);
}

static CK_RV
open_session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR arg, CK_NOTIFY notify,
    CK_SESSION_HANDLE_PTR session)
{
	CK_RV rv = fault("C_OpenSession");

	return rv != CKR_OK
	    ? rv
	    : real->C_OpenSession(slot, flags, arg, notify, session);
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out)
{
	void *lib = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
	CK_RV (*get)(CK_FUNCTION_LIST_PTR_PTR);

	if (lib == NULL)
		return CKR_GENERAL_ERROR;
	*(void **)(void *)&get = dlsym(lib, "C_GetFunctionList");
	if (get == NULL || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	faulty = *real;
	faulty.C_Sign = sign;
	faulty.C_SignInit = sign_init;
	faulty.C_FindObjectsInit = find_init;
	faulty.C_GenerateKeyPair = generate;
	faulty.C_OpenSession = open_session;
	*out = &faulty;
	return CKR_OK;
}
