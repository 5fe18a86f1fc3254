/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a CA's answer asks for: installed when issued, left waiting when
 * pending, forgotten when denied; see pulse_run.h.
 */
#include "pulse_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"
#include "pki/der.h"
#include "wcce/hresult.h"
#include "wcce/request.h"

void
pulse_set_code(json_t *res, uint32_t hr)
{
	char text[AE_HRESULT_STR_MAX];

	(void)ae_hresult_print(text, hr);
	(void)json_object_set_new(res, "hresult", json_integer((json_int_t)hr));
	(void)json_object_set_new(res, "hresult_text", json_string(text));
}

void
pulse_outcome(json_t *res, const char *what, const char *message)
{
	(void)json_object_set_new(res, "outcome", json_string(what));
	if (message != NULL)
		(void)json_object_set_new(res, "message", client_text(message));
}

void
pulse_failed(json_t *res, const char *stage, const struct ae_err *e)
{
	(void)json_object_set_new(res, "stage", json_string(stage));
	(void)json_object_set_new(res, "why",
	    json_pack("{s:s, s:s, s:I}", "rc", ae_rc_name(e->rc), "domain",
		ae_dom_name(e->dom), "code", (json_int_t)e->code));
	(void)json_object_set_new(
	    res, "error_class", json_integer((json_int_t)client_exit_code(e)));
	pulse_outcome(res, "failed", e->text);
}

static void
tell_installed(struct run *r, const struct pulse_settling *s, const json_t *res)
{
	const char *names[] = { "thumbprint", "subject", "not_after" }, *v[3];
	size_t i;

	for (i = 0; i < 3; i++)
		v[i] = json_string_value(json_object_get(res, names[i]));
	LIFECYCLE(r, 1006, s->tmpl->cn, v[0], v[1], v[2]);
	if (s->renews != NULL && s->renews[0] != '\0')
		LIFECYCLE(r, 1001, s->tmpl->cn, v[0], v[1], v[2], s->renews);
}

int
pulse_install(struct run *r, const struct pulse_settling *s, const void *answer,
    size_t len, uint32_t request_id, json_t *res, bool *refused,
    struct ae_err *e)
{
	const char *names[] = { "thumbprint", "serial", "subject" };
	char when[AE_TIME_STR_MAX];
	uint32_t number;
	struct ae_rd in;
	struct ae_wr q;
	size_t i;
	int rc;

	*refused = len > AE_PKI_RESPONSE_MAX;
	if (*refused)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the answer has %zu bytes, at most %u are looked at", len,
		    AE_PKI_RESPONSE_MAX);
	ae_wr_init(&q, ROLE_BODY_MAX);
	msg_put_bytes(&q, answer, len);
	ae_wr_u8(&q, !s->other_person);
	if (!s->other_person) {
		ae_sid_put(&q, &r->sid);
		msg_put_str(&q, r->dns);
		msg_put_str(&q, r->upn);
	}
	ae_wr_bytes(&q, r->anchors, r->anchors_len);
	msg_put_str(&q, s->config);
	ae_wr_u32(&q, request_id);
	rc = peer_ask(r->key, ROLE_INSTALL, &q, PULSE_KEY_MS, &in, e);
	ae_wr_done(&q);
	if (rc != AE_OK)
		return rc;
	*refused = ae_rd_u8(&in) != 0;
	if (*refused) {
		msg_get_err(&in, e);
		return e->rc;
	}
	number = ae_rd_u32(&in);
	for (i = 0; i < 3; i++) {
		const char *text = msg_get_str(r->a, &in, 16384);

		(void)json_object_set_new(
		    res, names[i], json_string(text == NULL ? "" : text));
	}
	(void)json_object_set_new(res, "not_before",
	    json_string(ae_time_print(when, (int64_t)ae_rd_u64(&in))));
	(void)json_object_set_new(res, "not_after",
	    json_string(ae_time_print(when, (int64_t)ae_rd_u64(&in))));
	(void)json_object_set_new(
	    res, "path", json_string(msg_get_str(r->a, &in, 8192)));
	(void)json_object_set_new(
	    res, "number", json_integer((json_int_t)number));
	if (!ae_rd_done(&in))
		return pulse_nonsense(e, "key");
	tell_installed(r, s, res);
	return AE_OK;
}

static void
issued(struct run *r, const struct pulse_settling *s,
    const struct pulse_verdict *v, const char *id, json_t *res)
{
	struct ae_err e = AE_ERR_INIT, ignored = AE_ERR_INIT;
	char code[AE_HRESULT_STR_MAX + AE_ERR_TEXT_MAX];
	bool refused;

	if (s->retrieved)
		EVENT(r, AE_EVENT_CERTENROLL, 14, s->tmpl->cn, s->config, id);
	else
		EVENT(r, AE_EVENT_CERTENROLL, s->renew ? 20 : 19, s->tmpl->cn,
		    s->config, id);
	if (pulse_install(r, s, v->chain, v->chain_len, v->request_id, res,
		&refused, &e) == AE_OK) {
		if (s->same_key)
			EVENT(r, AE_EVENT_CERTENROLL, 29, s->tmpl->cn);
		pulse_outcome(res, "issued", v->message);
		return;
	}
	if (!refused)
		(void)ae_note(&e, e.rc,
		    "the CA issued it, but it could not be installed; it is "
		    "kept for the next run");
	(void)snprintf(code, sizeof(code), "0x%08" PRIx32 ": %s",
	    pulse_code_of(&e), e.text);
	if (s->retrieved)
		EVENT(r, AE_EVENT_CERTENROLL, 31, s->tmpl->cn, code);
	else
		EVENT(r, AE_EVENT_CERTENROLL, 50, s->tmpl->cn, id, code);
	pulse_failed(res, "install", &e);
	/*
	 * A refused answer would be refused again: the request is given up.
	 * When it is our own disk, memory or store that failed it stays, and
	 * is sent again next time.
	 */
	if (!refused && !s->retrieved)
		(void)json_object_set_new(res, "sent_again", json_true());
	if (refused && pulse_drop(r, s->tmpl->cn, s->number, &ignored) != AE_OK)
		pulse_outcome(res, "failed", ignored.text);
}

static void
pending(struct run *r, const struct pulse_settling *s,
    const struct pulse_verdict *v, const char *id, json_t *res)
{
	struct ae_err e = AE_ERR_INIT;

	if (s->retrieved) {
		EVENT(r, AE_EVENT_CERTENROLL, 32, s->tmpl->cn, s->config);
		pulse_outcome(res, "pending", v->message);
		return;
	}
	if (v->request_id == 0) { /* nobody could ever ask for it */
		pulse_outcome(res, "failed",
		    pulse_drop(r, s->tmpl->cn, s->number, &e) == AE_OK
			? "the CA says that the request is pending, and gives "
			  "it no number"
			: e.text);
		return;
	}
	EVENT(r, AE_EVENT_CERTENROLL, s->renew ? 22 : 21, s->tmpl->cn,
	    s->config, id);
	if (pulse_mark(r, AE_STORE_PENDING, s->config, v->request_id, &e) ==
	    AE_OK)
		pulse_outcome(res, "pending", v->message);
	else
		pulse_outcome(res, "failed", e.text);
}

static void
denied(struct run *r, const struct pulse_settling *s,
    const struct pulse_verdict *v, const char *id, json_t *res)
{
	uint32_t hr = v->disposition == AE_CR_DISP_DENIED
	    ? 0x80094014u /* CERTSRV_E_ADMIN_DENIED_REQUEST */
	    : v->disposition;
	struct ae_err e = AE_ERR_INIT;
	char code[AE_HRESULT_STR_MAX];

	pulse_set_code(res, hr);
	(void)ae_hresult_print(code, hr);
	if (s->retrieved)
		EVENT(r, AE_EVENT_CERTENROLL, 9, s->tmpl->cn, s->config, id);
	else if (s->renew)
		EVENT(r, AE_EVENT_CERTENROLL, 16, s->tmpl->cn, s->config, id,
		    s->renews, code);
	else
		EVENT(r, AE_EVENT_CERTENROLL, 13, s->tmpl->cn, s->config, id,
		    code);
	if (pulse_drop(r, s->tmpl->cn, s->number, &e) == AE_OK)
		pulse_outcome(res, "denied", v->message);
	else
		pulse_outcome(res, "denied", e.text);
}

void
pulse_settle(struct run *r, const struct pulse_settling *s,
    const struct pulse_verdict *v, json_t *res)
{
	char id[16];

	(void)snprintf(id, sizeof(id), "%" PRIu32, v->request_id);
	(void)json_object_set_new(res, "ca", json_string(s->config));
	(void)json_object_set_new(
	    res, "request_id", json_integer((json_int_t)v->request_id));
	if (v->transport != NULL)
		(void)json_object_set_new(
		    res, "transport", json_string(v->transport));
	if (v->disposition == AE_CR_DISP_ISSUED ||
	    v->disposition == AE_CR_DISP_ISSUED_OUT_OF_BAND)
		issued(r, s, v, id, res);
	else if (v->disposition == AE_CR_DISP_UNDER_SUBMISSION)
		pending(r, s, v, id, res);
	else
		denied(r, s, v, id, res);
}
