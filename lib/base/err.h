/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * How every function of ours fails: a small return code a program can act
 * on, and a struct ae_err that tells a person whose number it was and what
 * happened.  Nothing here allocates and nothing here logs.
 */
#ifndef AE_BASE_ERR_H
#define AE_BASE_ERR_H

#include <stdarg.h>
#include <stdint.h>

#define AE_MUST_CHECK __attribute__((warn_unused_result))
#define AE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* What a program can act on.  AE_OK is zero, everything else negative. */
enum ae_rc {
	AE_OK = 0,
	AE_ENOMEM = -1,	    /* allocation failed */
	AE_EPROTO = -2,	    /* the peer, or a file, broke its format */
	AE_ELIMIT = -3,	    /* well-formed, but larger than we accept */
	AE_EDENIED = -4,    /* somebody said no: rights, policy */
	AE_EREMOTE = -5,    /* the other side reported an error of its own */
	AE_ETIMEDOUT = -6,  /* a deadline passed */
	AE_EUNAVAIL = -7,   /* cannot be reached or used now; may work later */
	AE_EAUTH = -8,	    /* authentication failed */
	AE_ETRUST = -9,	    /* a signature, chain or identity did not verify */
	AE_ENOTFOUND = -10, /* what was asked for does not exist */
	AE_EINVAL = -11,    /* the caller's or admin's input makes no sense */
	AE_EIO = -12,	    /* local file, device or system call failed */
	AE_EINTERNAL = -13, /* our own bug, or a library misbehaving */
};

/* Whose number ae_err.code is. */
enum ae_dom {
	AE_DOM_NONE = 0,
	AE_DOM_ERRNO,	/* errno */
	AE_DOM_HRESULT, /* HRESULT or Win32 code in HRESULT form, MS-ERREF 2.1
			 */
	AE_DOM_RPC,	/* DCE/RPC fault status or reject reason */
	AE_DOM_GSS,	/* GSS major status; text holds the minor's */
	AE_DOM_KRB5,	/* krb5_error_code */
	AE_DOM_LDAP,	/* LDAP result code */
	AE_DOM_OPENSSL, /* ERR_get_error() value */
	AE_DOM_X509,	/* X509_V_ERR_* */
	AE_DOM_SQLITE,	/* extended result code */
	AE_DOM_PG,	/* SQLSTATE, its five characters as base 36 */
};

#define AE_ERR_TEXT_MAX 512

/*
 * The story of one failure.  Caller's storage; start from AE_ERR_INIT (a
 * zeroed struct is valid too).  text is NUL-terminated, is cut between UTF-8
 * characters, and holds no control characters unless a caller put them there.
 */
struct ae_err {
	enum ae_rc rc;
	enum ae_dom dom;
	int64_t code;
	char text[AE_ERR_TEXT_MAX];
};

#define AE_ERR_INIT         \
	{                   \
		.rc = AE_OK \
	}

/*
 * Record a failure at its origin and return rc.  e may be NULL.  The message
 * says what was being attempted and what was found; it has no trailing
 * newline and no "error:" prefix.
 */
int ae_fail(struct ae_err *e, enum ae_rc rc, enum ae_dom dom, int64_t code,
    const char *fmt, ...) AE_PRINTF(5, 6);

/* Like ae_fail with a va_list. */
int ae_vfail(struct ae_err *e, enum ae_rc rc, enum ae_dom dom, int64_t code,
    const char *fmt, va_list ap) AE_PRINTF(5, 0);

/*
 * Put "context: " before the text on the way up; rc is returned unchanged.
 * When the text is full its tail is cut, never its head.
 */
int ae_note(struct ae_err *e, int rc, const char *fmt, ...) AE_PRINTF(3, 4);

/* Out of memory; also the right call after a failed malloc. */
int ae_fail_mem(struct ae_err *e);

/* Like ae_fail with errno's number and text appended: "open x: No such..." */
int ae_fail_errno(struct ae_err *e, int err, const char *fmt, ...)
    AE_PRINTF(3, 4);

/*
 * Analyzers look at one file at a time and would have these return success
 * too.  They are told; the compiler is not in need of it.
 */
#if defined(__clang_analyzer__) || defined(__cppcheck__)
#define ae_fail(e, rc, ...) ((void)(ae_fail)(e, rc, __VA_ARGS__), (int)(rc))
#define ae_note(e, rc, ...) ((void)(ae_note)(e, rc, __VA_ARGS__), (rc))
#define ae_fail_mem(e) ((void)(ae_fail_mem)(e), (int)AE_ENOMEM)
#define ae_fail_errno(e, ...) \
	((void)(ae_fail_errno)(e, __VA_ARGS__), (int)AE_EIO)
#endif

/* "AE_EPROTO" and the like, for logs and tests; never NULL. */
const char *ae_rc_name(int rc);

/* "hresult", "ldap" and the like, for JSON; never NULL. */
const char *ae_dom_name(enum ae_dom dom);

#endif
