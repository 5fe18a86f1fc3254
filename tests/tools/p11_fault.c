/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A PKCS#11 library around SoftHSM that fails when told to: a file FAULT
 * beside the tokens holds one word,
 *
 *	removed   the token is not there: no slot has it, sessions are lost
 *	session   the next signature finds its session gone, and the file, too
 *	slow      every signature takes three seconds
 *	flip      signatures come out with one bit wrong
 *
 * and every login is noted in LOGINS with its result.
 */
#define CRYPTOKI_GNU 1
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REAL "/usr/lib/softhsm/libsofthsm2.so"
#define DIR "/var/lib/softhsm/"
#define FAULT DIR "fault"
#define LOGINS DIR "logins"

static CK_FUNCTION_LIST *real, mine;

static bool
fault(const char *word)
{
	char text[32] = "";
	int fd = open(FAULT, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return n > 0 && strncmp(text, word, strlen(word)) == 0;
}

static CK_RV
get_slot_list(unsigned char present, ck_slot_id_t *list, unsigned long *n)
{
	if (fault("removed")) {
		*n = 0;
		return CKR_OK;
	}
	return real->C_GetSlotList(present, list, n);
}

static CK_RV
get_session_info(ck_session_handle_t s, struct ck_session_info *info)
{
	return fault("removed") ? CKR_DEVICE_REMOVED
				: real->C_GetSessionInfo(s, info);
}

static CK_RV
login(ck_session_handle_t s, ck_user_type_t user, unsigned char *pin,
    unsigned long len)
{
	CK_RV rv = real->C_Login(s, user, pin, len);
	int fd = open(LOGINS, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0) {
		(void)dprintf(fd, "0x%lx\n", rv);
		(void)close(fd);
	}
	return rv;
}

static CK_RV
sign_init(ck_session_handle_t s, struct ck_mechanism *m, ck_object_handle_t key)
{
	if (fault("removed"))
		return CKR_DEVICE_REMOVED;
	if (fault("session")) {
		(void)unlink(FAULT);
		(void)real->C_CloseSession(s);
		return CKR_SESSION_HANDLE_INVALID;
	}
	return real->C_SignInit(s, m, key);
}

static CK_RV
sign(ck_session_handle_t s, unsigned char *data, unsigned long len,
    unsigned char *out, unsigned long *n)
{
	CK_RV rv;

	if (fault("removed"))
		return CKR_DEVICE_REMOVED;
	if (fault("slow"))
		(void)sleep(3);
	rv = real->C_Sign(s, data, len, out, n);
	if (rv == CKR_OK && fault("flip") && *n > 0)
		out[*n / 2] ^= 1;
	return rv;
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **out)
{
	CK_RV (*get)(CK_FUNCTION_LIST **);
	void *lib = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);

	if (lib == NULL)
		return CKR_GENERAL_ERROR;
	*(void **)&get = dlsym(lib, "C_GetFunctionList");
	if (get == NULL || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	mine = *real;
	mine.C_GetSlotList = get_slot_list;
	mine.C_GetSessionInfo = get_session_info;
	mine.C_Login = login;
	mine.C_SignInit = sign_init;
	mine.C_Sign = sign;
	*out = &mine;
	return CKR_OK;
}
