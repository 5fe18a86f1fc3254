/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A PKCS#11 token: its library, finding it among the slots, the session and
 * the login.  The PIN is tried once: a token counts wrong ones and locks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "pki/nte.h"
#include "pki/p11_int.h"

#define SLOTS_MAX 256

/* clang-format off */
static const struct {
	CK_RV rv;
	enum ae_rc rc;
	uint32_t nte;
	bool lost; /* a new session may help */
	const char *text;
} answers[] = {
	{ CKR_HOST_MEMORY, AE_ENOMEM, NTE_NO_MEMORY, false, "out of memory" },
	{ CKR_DEVICE_REMOVED, AE_EUNAVAIL, NTE_DEVICE_NOT_READY, true, "the token was removed" },
	{ CKR_TOKEN_NOT_PRESENT, AE_EUNAVAIL, NTE_DEVICE_NOT_READY, true, "the token is not there" },
	{ CKR_TOKEN_NOT_RECOGNIZED, AE_EUNAVAIL, NTE_DEVICE_NOT_READY, true, "the token is not recognized" },
	{ CKR_DEVICE_ERROR, AE_EUNAVAIL, NTE_DEVICE_NOT_READY, true, "the token does not work" },
	{ CKR_SLOT_ID_INVALID, AE_EUNAVAIL, NTE_DEVICE_NOT_READY, true, "the slot is gone" },
	{ CKR_SESSION_HANDLE_INVALID, AE_EUNAVAIL, NTE_DEVICE_NOT_READY, true, "the session was lost" },
	{ CKR_SESSION_CLOSED, AE_EUNAVAIL, NTE_DEVICE_NOT_READY, true, "the session was closed" },
	{ CKR_USER_NOT_LOGGED_IN, AE_EAUTH, NTE_SILENT_CONTEXT, true, "the token wants a PIN" },
	{ CKR_OBJECT_HANDLE_INVALID, AE_ENOTFOUND, NTE_BAD_KEYSET, true, "the key is gone" },
	{ CKR_KEY_HANDLE_INVALID, AE_ENOTFOUND, NTE_BAD_KEYSET, true, "the key is gone" },
	{ CKR_CRYPTOKI_NOT_INITIALIZED, AE_EUNAVAIL, NTE_DEVICE_NOT_READY, true, "the library was reset" },
	{ CKR_DEVICE_MEMORY, AE_EUNAVAIL, NTE_TOKEN_KEYSET_STORAGE_FULL, false, "the token is full" },
	{ CKR_PIN_INCORRECT, AE_EAUTH, NTE_INCORRECT_PASSWORD, false, "the token refused the PIN" },
	{ CKR_PIN_INVALID, AE_EAUTH, NTE_INCORRECT_PASSWORD, false, "the token refused the PIN" },
	{ CKR_PIN_LEN_RANGE, AE_EAUTH, NTE_INCORRECT_PASSWORD, false, "the token refused the PIN's length" },
	{ CKR_PIN_EXPIRED, AE_EAUTH, NTE_INCORRECT_PASSWORD, false, "the PIN has expired" },
	{ CKR_PIN_LOCKED, AE_EAUTH, NTE_INCORRECT_PASSWORD, false, "the PIN is locked" },
	{ CKR_USER_PIN_NOT_INITIALIZED, AE_EAUTH, NTE_INCORRECT_PASSWORD, false, "the token has no PIN yet" },
	{ CKR_MECHANISM_INVALID, AE_EUNAVAIL, NTE_NOT_SUPPORTED, false, "the token does not know the mechanism" },
	{ CKR_MECHANISM_PARAM_INVALID, AE_EUNAVAIL, NTE_NOT_SUPPORTED, false, "the token does not know the mechanism" },
	{ CKR_KEY_SIZE_RANGE, AE_EUNAVAIL, NTE_NOT_SUPPORTED, false, "the token does not make keys of this size" },
	{ CKR_CURVE_NOT_SUPPORTED, AE_EUNAVAIL, NTE_NOT_SUPPORTED, false, "the token does not know the curve" },
	{ CKR_DOMAIN_PARAMS_INVALID, AE_EUNAVAIL, NTE_NOT_SUPPORTED, false, "the token does not know the curve" },
	{ CKR_FUNCTION_NOT_SUPPORTED, AE_EUNAVAIL, NTE_NOT_SUPPORTED, false, "the token does not do this" },
	{ CKR_TOKEN_WRITE_PROTECTED, AE_EDENIED, NTE_PERM, false, "the token is write-protected" },
	{ CKR_ATTRIBUTE_READ_ONLY, AE_EDENIED, NTE_PERM, false, "the token says no" },
	{ CKR_KEY_FUNCTION_NOT_PERMITTED, AE_EDENIED, NTE_BAD_KEY, false, "the key is not for this" },
	{ CKR_KEY_TYPE_INCONSISTENT, AE_EDENIED, NTE_BAD_KEY, false, "the key is of another kind" },
};
/* clang-format on */

int
ae_p11_fail(struct ae_err *e, CK_RV rv, const char *what)
{
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].rv == rv)
			return ae_fail(e, answers[i].rc, AE_DOM_HRESULT,
			    answers[i].nte, "%s: %s (CKR 0x%lx)", what,
			    answers[i].text, rv);
	return ae_fail(e, AE_EUNAVAIL, AE_DOM_HRESULT, NTE_FAIL,
	    "%s: the token failed: %s (CKR 0x%lx)", what, p11_kit_strerror(rv),
	    rv);
}

/* Tokens that were torn out tend to answer with a general failure. */
bool
ae_p11_lost(CK_RV rv)
{
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].rv == rv)
			return answers[i].lost;
	return rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED;
}

static int
parse_token_uri(P11KitUri *uri, const char *text, struct ae_err *e)
{
	int r = p11_kit_uri_parse(text, P11_KIT_URI_FOR_TOKEN, uri);

	if (r != P11_KIT_URI_OK)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the token's URI is not like pkcs11:token=NAME (%s)",
		    p11_kit_uri_message(r));
	if (p11_kit_uri_get_pin_value(uri) != NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a PIN has no place in the token's URI; it goes into a "
		    "file of its own");
	return AE_OK;
}

int
ae_p11_new(
    struct ae_p11 **out, const struct ae_keydev_conf *conf, struct ae_err *e)
{
	struct ae_p11 *p;
	int rc;

	if (conf->token == NULL || conf->module == NULL)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_HRESULT,
		    NTE_DEVICE_NOT_FOUND, "no PKCS#11 token is configured");
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return ae_fail_mem(e);
	p->conf = conf;
	p->uri = p11_kit_uri_new();
	rc = p->uri == NULL ? ae_fail_mem(e)
			    : parse_token_uri(p->uri, conf->token, e);
	if (rc == AE_OK) {
		p->f = p11_kit_module_load(conf->module, 0);
		if (p->f == NULL)
			rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_HRESULT,
			    NTE_PROVIDER_DLL_FAIL, "PKCS#11 library %s: %s",
			    conf->module, p11_kit_message());
	}
	if (rc != AE_OK) {
		ae_p11_free(p);
		return rc;
	}
	*out = p;
	return AE_OK;
}

void
ae_p11_free(struct ae_p11 *p)
{
	if (p == NULL)
		return;
	ae_p11_drop(p);
	if (p->initialized)
		(void)p11_kit_module_finalize(p->f);
	if (p->f != NULL)
		p11_kit_module_release(p->f);
	p11_kit_uri_free(p->uri);
	free(p);
}

void
ae_p11_drop(struct ae_p11 *p)
{
	if (p->session != 0)
		(void)p->f->C_CloseSession(p->session);
	p->session = 0;
	p->logged_in = false;
}

bool
ae_p11_pin_refused(const struct ae_p11 *p)
{
	return p->refused;
}

const char *
ae_p11_name(const struct ae_p11 *p)
{
	return p->name;
}

/* Text of a fixed width, filled up with blanks. */
static void
put_padded(struct ae_wr *w, const unsigned char *s, size_t len)
{
	char shown[160];

	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\0'))
		len--;
	ae_wr_str(w, ae_str_quote(shown, sizeof(shown), (const char *)s, len));
}

static void
remember_name(struct ae_p11 *p)
{
	const char *text;
	struct ae_wr w;

	ae_wr_init(&w, 512);
	put_padded(&w, p->token.model, sizeof(p->token.model));
	ae_wr_str(&w, " (token ");
	put_padded(&w, p->token.label, sizeof(p->token.label));
	ae_wr_str(&w, ", serial ");
	put_padded(&w, p->token.serial_number, sizeof(p->token.serial_number));
	ae_wr_str(&w, ")");
	text = ae_wr_cstr(&w);
	(void)snprintf(p->name, sizeof(p->name), "%s", text ? text : "token");
	ae_wr_done(&w);
}

static int
find_slot(struct ae_p11 *p, struct ae_err *e)
{
	ck_slot_id_t slots[SLOTS_MAX];
	unsigned long n = SLOTS_MAX, i;
	CK_RV rv;

	rv = p->f->C_GetSlotList(1, slots, &n);
	if (rv != CKR_OK)
		return ae_p11_fail(e, rv, "looking for the token");
	for (i = 0; i < n; i++) {
		if (p->f->C_GetTokenInfo(slots[i], &p->token) != CKR_OK ||
		    (p->token.flags & CKF_TOKEN_INITIALIZED) == 0 ||
		    !p11_kit_uri_match_token_info(p->uri, &p->token))
			continue;
		p->slot = slots[i];
		remember_name(p);
		return AE_OK;
	}
	return ae_fail(e, AE_EUNAVAIL, AE_DOM_HRESULT, NTE_DEVICE_NOT_READY,
	    "no token matches %s (%lu with a token in it)", p->conf->token, n);
}

/*
 * SoftHSM and others list the tokens they found when they were initialized:
 * one that came back is only seen by starting the library again.
 */
static int
find_again(struct ae_p11 *p, struct ae_err *e)
{
	CK_RV rv;

	if (p->initialized)
		(void)p11_kit_module_finalize(p->f);
	rv = p11_kit_module_initialize(p->f);
	p->initialized = rv == CKR_OK;
	if (rv != CKR_OK)
		return ae_p11_fail(e, rv, "starting the PKCS#11 library");
	return find_slot(p, e);
}

static bool
wrong_pin(CK_RV rv)
{
	return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID ||
	    rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_LOCKED;
}

static int
pin_failed(struct ae_p11 *p, CK_RV rv, struct ae_err *e)
{
	p->refused = wrong_pin(rv);
	return ae_p11_fail(e, rv, "logging in to the token");
}

static int
no_login(struct ae_err *e, uint32_t nte, const char *why)
{
	return ae_fail(e, AE_EAUTH, AE_DOM_HRESULT, nte,
	    "logging in to the token: %s", why);
}

/* CKF_USER_PIN_FINAL_TRY is somebody else's last chance, not ours. */
static int
login(struct ae_p11 *p, struct ae_err *e)
{
	const struct ae_secret *pin = p->conf->pin;
	unsigned long flags;
	CK_RV rv;

	if (p->f->C_GetTokenInfo(p->slot, &p->token) != CKR_OK)
		p->token.flags = 0;
	flags = p->token.flags;
	if (p->logged_in || (flags & CKF_LOGIN_REQUIRED) == 0)
		return AE_OK;
	if ((flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0)
		return no_login(e, NTE_SILENT_CONTEXT,
		    "it wants somebody at its own keypad");
	if (p->conf->pin_refused != NULL)
		return no_login(
		    e, NTE_INCORRECT_PASSWORD, p->conf->pin_refused);
	if (p->refused)
		return no_login(e, NTE_INCORRECT_PASSWORD,
		    "it refused the PIN before; not tried again");
	if ((flags & (CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)) != 0)
		return no_login(e, NTE_INCORRECT_PASSWORD,
		    (flags & CKF_USER_PIN_LOCKED) != 0
			? "the PIN is locked"
			: "one more wrong PIN locks it; not tried");
	if (pin == NULL || pin->len == 0)
		return no_login(e, NTE_SILENT_CONTEXT,
		    "it wants a PIN and no pin-file is configured");
	if (p->conf->login_begin != NULL &&
	    !p->conf->login_begin(p->conf->login_arg))
		return no_login(e, NTE_INCORRECT_PASSWORD,
		    "it refused the PIN before; not tried again");
	rv = p->f->C_Login(p->session, CKU_USER, pin->p, pin->len);
	if (p->conf->login_end != NULL)
		p->conf->login_end(p->conf->login_arg, wrong_pin(rv));
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return pin_failed(p, rv, e);
	p->logged_in = true;
	return AE_OK;
}

int
ae_p11_session(struct ae_p11 *p, bool want_login, struct ae_err *e)
{
	struct ck_session_info info;
	CK_RV rv;
	int rc;

	if (p->session != 0 &&
	    p->f->C_GetSessionInfo(p->session, &info) != CKR_OK)
		ae_p11_drop(p);
	if (p->session == 0) {
		rc = p->initialized ? find_slot(p, NULL) : AE_EUNAVAIL;
		if (rc != AE_OK)
			rc = find_again(p, e);
		if (rc != AE_OK)
			return rc;
		rv = p->f->C_OpenSession(p->slot,
		    CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
		    &p->session);
		if (rv != CKR_OK) {
			p->session = 0;
			return ae_p11_fail(e, rv, "opening the token");
		}
		p->logged_in = false;
		p->session_no++;
	}
	return want_login ? login(p, e) : AE_OK;
}

int
ae_p11_ready(struct ae_p11 *p, struct ae_err *e)
{
	return ae_p11_session(p, true, e);
}
