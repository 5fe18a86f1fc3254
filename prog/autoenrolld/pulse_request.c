/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One template: a key and a request, the CAs in their order, and what came
 * of it; see pulse_run.h.
 */
#include "pulse_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "enroll/request.h"
#include "wcce/hresult.h"
#include "wcce/request.h"

static int
new_request(struct run *r, const struct pulse_item *it, const uint8_t **der,
    size_t *len, struct ae_err *e)
{
	const struct ae_strv *lists[2] = { &r->o->dns, &r->o->upn };
	struct ae_rd answer;
	const uint8_t *p;
	struct ae_wr q;
	size_t i, j;
	int rc;

	ae_wr_init(&q, ROLE_BODY_MAX);
	ae_template_put(&q, it->tmpl);
	ae_wr_u32(&q, it->alg);
	ae_wr_u32(&q, it->bits);
	ae_wr_u8(&q, r->o->only == NULL);
	msg_put_str(&q, r->fqdn);
	msg_put_str(&q, r->principal);
	msg_put_str(&q, r->o->subject);
	for (i = 0; i < 2; i++) {
		ae_wr_u32(&q, (uint32_t)lists[i]->n);
		for (j = 0; j < lists[i]->n; j++)
			msg_put_str(&q, lists[i]->v[j]);
	}
	rc = peer_ask(r->key, ROLE_NEW, &q, PULSE_KEY_MS, &answer, e);
	ae_wr_done(&q);
	if (rc != AE_OK)
		return rc;
	p = msg_get_bytes(&answer, ROLE_BODY_MAX, len);
	if (p == NULL || !ae_rd_done(&answer))
		return pulse_nonsense(e, "key");
	*der = ae_arena_dup(r->a, p, *len);
	return *der == NULL ? ae_fail_mem(e) : AE_OK;
}

/* What one CA said about one request. */
struct verdict {
	uint32_t disposition; /* CR_DISP_* or an HRESULT */
	uint32_t request_id;
	const char *message; /* display text of the CA, may be NULL */
	const char *transport;
	const uint8_t *chain;
	size_t chain_len;
};

/* What the net role brought: see put_answer there. */
static int
read_verdict(struct run *r, struct verdict *v, struct ae_rd *in,
    json_t *attempts, struct ae_err *e)
{
	bool answered = ae_rd_u8(in) != 0;
	const uint8_t *p;
	struct ae_rd why = { 0 };
	json_t *tried;
	size_t n;

	if (answered) {
		v->disposition = ae_rd_u32(in);
		v->request_id = ae_rd_u32(in);
		v->message = msg_get_str(r->a, in, 4096);
		v->transport = msg_get_str(r->a, in, 64);
		p = msg_get_bytes(in, ROLE_BODY_MAX, &v->chain_len);
		v->chain =
		    p == NULL ? NULL : ae_arena_dup(r->a, p, v->chain_len);
	} else {
		p = msg_get_bytes(in, 4096, &n);
		ae_rd_init(&why, p, n);
	}
	p = msg_get_bytes(in, ROLE_BODY_MAX, &n);
	if (p == NULL || !ae_rd_done(in) || (answered && v->chain == NULL))
		return pulse_nonsense(e, "net");
	tried = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_array(tried))
		(void)json_array_extend(attempts, tried);
	json_decref(tried);
	if (answered)
		return AE_OK;
	msg_get_err(&why, e);
	return e->rc;
}

static int
ask_ca(struct run *r, const struct pulse_item *it, const struct pulse_ca *ca,
    const uint8_t *der, size_t len, struct verdict *v, json_t *attempts,
    struct ae_err *e)
{
	int64_t ms = r->c->ca_timeout * 1000;
	struct ae_rd answer;
	struct ae_wr q, attrs;
	int rc;

	ae_wr_init(&q, ROLE_BODY_MAX);
	ae_wr_init(&attrs, 4096);
	ae_enroll_request_attributes(&attrs, it->tmpl);
	msg_put_str(&q, ca->host);
	msg_put_str(&q, ca->cn);
	msg_put_str(&q, ae_wr_cstr(&attrs));
	ae_wr_u64(&q, (uint64_t)ms);
	msg_put_bytes(&q, der, len);
	rc = pulse_start_net(r, e);
	if (rc == AE_OK)
		rc = peer_ask(r->net, ROLE_REQUEST, &q, ms + 5000, &answer, e);
	ae_wr_done(&q);
	ae_wr_done(&attrs);
	if (rc != AE_OK)
		return rc;
	return read_verdict(r, v, &answer, attempts, e);
}

static int
install(struct run *r, const char *config, const struct verdict *v, json_t *res,
    struct ae_err *e)
{
	const char *names[] = { "thumbprint", "serial", "subject" };
	char when[AE_TIME_STR_MAX];
	struct ae_rd answer;
	uint32_t number;
	struct ae_wr q;
	size_t i;
	int rc;

	ae_wr_init(&q, ROLE_BODY_MAX);
	msg_put_bytes(&q, v->chain, v->chain_len);
	ae_sid_put(&q, &r->sid);
	ae_wr_bytes(&q, r->anchors, r->anchors_len);
	msg_put_str(&q, config);
	ae_wr_u32(&q, v->request_id);
	rc = peer_ask(r->key, ROLE_INSTALL, &q, PULSE_KEY_MS, &answer, e);
	ae_wr_done(&q);
	if (rc != AE_OK)
		return rc;
	number = ae_rd_u32(&answer);
	for (i = 0; i < 3; i++) {
		const char *s = msg_get_str(r->a, &answer, 16384);

		(void)json_object_set_new(
		    res, names[i], json_string(s == NULL ? "" : s));
	}
	(void)json_object_set_new(res, "not_before",
	    json_string(ae_time_print(when, (int64_t)ae_rd_u64(&answer))));
	(void)json_object_set_new(res, "not_after",
	    json_string(ae_time_print(when, (int64_t)ae_rd_u64(&answer))));
	(void)json_object_set_new(
	    res, "path", json_string(msg_get_str(r->a, &answer, 8192)));
	(void)json_object_set_new(
	    res, "number", json_integer((json_int_t)number));
	return ae_rd_done(&answer) ? AE_OK : pulse_nonsense(e, "key");
}

static void
set_code(json_t *res, uint32_t hr)
{
	char text[AE_HRESULT_STR_MAX];

	(void)ae_hresult_print(text, hr);
	(void)json_object_set_new(res, "hresult", json_integer((json_int_t)hr));
	(void)json_object_set_new(res, "hresult_text", json_string(text));
}

static void
outcome(json_t *res, const char *what, const char *message)
{
	(void)json_object_set_new(res, "outcome", json_string(what));
	if (message != NULL)
		(void)json_object_set_new(res, "message", json_string(message));
}

/* The CA answered: issued, pending or denied. */
static void
settle(struct run *r, const struct pulse_item *it, const char *config,
    const struct verdict *v, json_t *res)
{
	const char *tmpl = it->tmpl->cn;
	struct ae_err e = AE_ERR_INIT;
	char id[16], code[AE_HRESULT_STR_MAX + AE_ERR_TEXT_MAX];

	(void)snprintf(id, sizeof(id), "%" PRIu32, v->request_id);
	(void)json_object_set_new(res, "ca", json_string(config));
	(void)json_object_set_new(
	    res, "request_id", json_integer((json_int_t)v->request_id));
	if (v->transport != NULL)
		(void)json_object_set_new(
		    res, "transport", json_string(v->transport));
	if (v->disposition == AE_CR_DISP_ISSUED) {
		EVENT(r, AE_EVENT_CERTENROLL, 19, tmpl, config, id);
		if (install(r, config, v, res, &e) == AE_OK) {
			outcome(res, "issued", v->message);
			return;
		}
		(void)snprintf(code, sizeof(code), "0x%08" PRIx32 ": %s",
		    pulse_code_of(&e), e.text);
		EVENT(r, AE_EVENT_CERTENROLL, 50, tmpl, id, code);
		outcome(res, "failed", e.text);
		return;
	}
	if (v->disposition == AE_CR_DISP_UNDER_SUBMISSION) {
		EVENT(r, AE_EVENT_CERTENROLL, 21, tmpl, config, id);
		outcome(res, "pending", v->message);
		return;
	}
	set_code(res, v->disposition);
	(void)ae_hresult_print(code, v->disposition);
	EVENT(r, AE_EVENT_CERTENROLL, 13, tmpl, config, id, code);
	outcome(res, "denied", v->message);
}

void
pulse_request(struct run *r, const struct pulse_item *it)
{
	const char *tmpl = it->tmpl->cn, *config = "";
	json_t *res = json_object(), *attempts = json_array();
	struct ae_err e = AE_ERR_INIT;
	const uint8_t *der = NULL;
	struct verdict v = { 0 };
	char code[AE_HRESULT_STR_MAX];
	size_t len, i;
	int rc;

	(void)json_object_set_new(res, "template", json_string(tmpl));
	(void)json_object_set(res, "attempts", attempts);
	rc = new_request(r, it, &der, &len, &e);
	if (rc != AE_OK) {
		EVENT(r, AE_EVENT_CERTENROLL, 45, tmpl, e.text);
		outcome(res, "failed", e.text);
		goto out;
	}
	for (i = 0; i < it->ncas; i++) {
		config = ae_arena_printf(
		    r->a, "%s\\%s", it->cas[i].host, it->cas[i].cn);
		rc = ask_ca(r, it, &it->cas[i], der, len, &v, attempts, &e);
		if (rc == AE_OK)
			break;
		(void)json_array_append_new(attempts,
		    json_pack("{s:s, s:s}", "ca", config, "error", e.text));
		if (i + 1 < it->ncas)
			EVENT(r, AE_EVENT_CERTENROLL, 17, tmpl, config, e.text);
	}
	if (rc == AE_OK) {
		settle(r, it, config, &v, res);
	} else {
		set_code(res, pulse_code_of(&e));
		(void)ae_hresult_print(code, pulse_code_of(&e));
		EVENT(r, AE_EVENT_CERTENROLL, 13, tmpl, config, "0", code);
		outcome(res, "failed", e.text);
		(void)json_object_set_new(res, "error_class",
		    json_integer((json_int_t)client_exit_code(&e)));
	}
out:
	(void)json_array_append_new(r->results, res);
	json_decref(attempts);
}
