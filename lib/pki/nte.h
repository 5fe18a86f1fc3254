/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What Windows' key providers answer, MS-ERREF 2.1 and the SDK: the numbers
 * that people search for when a key cannot be made.  Failures of keys carry
 * them as AE_DOM_HRESULT.
 */
#ifndef AE_PKI_NTE_H
#define AE_PKI_NTE_H

#define NTE_BAD_KEY 0x80090003	     /* not usable for this */
#define NTE_BAD_SIGNATURE 0x80090006 /* what was signed is wrong */
#define NTE_BAD_ALGID 0x80090008     /* algorithm not known */
#define NTE_BAD_FLAGS 0x80090009     /* size or attribute refused */
#define NTE_BAD_KEY_STATE 0x8009000b /* cannot be exported */
#define NTE_NO_KEY 0x8009000d	     /* no key of that name */
#define NTE_NO_MEMORY 0x8009000e     /* device full */
#define NTE_EXISTS 0x8009000f	     /* a key of that name is there */
#define NTE_PERM 0x80090010	     /* the device says no */
#define NTE_NOT_FOUND 0x80090011
#define NTE_BAD_PROVIDER 0x80090013	  /* the library is not one */
#define NTE_BAD_KEYSET 0x80090016	  /* the key is lost or damaged */
#define NTE_PROV_TYPE_NOT_DEF 0x80090017  /* no counterpart here */
#define NTE_PROVIDER_DLL_FAIL 0x8009001d  /* the library does not load */
#define NTE_PROV_DLL_NOT_FOUND 0x8009001e /* there is no such library */
#define NTE_FAIL 0x80090020
#define NTE_SILENT_CONTEXT 0x80090022 /* wants somebody at a keypad */
#define NTE_TOKEN_KEYSET_STORAGE_FULL 0x80090023
#define NTE_NOT_SUPPORTED 0x80090029
#define NTE_DEVICE_NOT_READY 0x80090030
#define NTE_INCORRECT_PASSWORD 0x80090033 /* PIN */
#define NTE_DEVICE_NOT_FOUND 0x80090035

#endif
