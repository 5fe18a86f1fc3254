/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One template: a key and a request, or those of an earlier run whose
 * answer was lost, and the CAs in their order; see pulse_run.h.
 */
#include "pulse_run.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "enroll/request.h"
#include "wcce/hresult.h"
#include "wcce/request.h"

/* The request in hand. */
struct hand {
	unsigned number;
	const uint8_t *der;
	size_t len;
	const char *renews; /* a thumbprint, or "" */
	bool archival;
	bool no_exchange;  /* no CA gave its exchange certificate */
	bool in_doubt;	   /* a CA may know it already */
	const char *at_ca; /* which, when in doubt */
};

static bool
is_renewal(const struct pulse_item *it)
{
	return it->action == AE_PLAN_RENEW;
}

/* "host\\name"; NULL: out of memory. */
static const char *
config_of(struct run *r, const struct pulse_ca *ca)
{
	return ae_arena_printf(r->a, "%s\\%s", ca->host, ca->cn);
}

/* The key goes along, encrypted to one CA: no other can read the request. */
static bool
is_sealed(const struct pulse_item *it)
{
	return (it->tmpl->private_key_flag &
		   AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL) != 0 &&
	    !it->same_key;
}

/* The exchange certificate of the first CA, for a key that is archived. */
static int
put_exchange(struct run *r, const struct pulse_item *it, struct ae_wr *q,
    struct ae_err *e)
{
	const struct pulse_ca *ca = &it->cas[0];
	int64_t ms = r->c->ca_timeout * 1000;
	const uint8_t *p = NULL;
	struct ae_rd in;
	struct ae_wr ask;
	size_t len = 0;
	int rc = AE_OK;

	if (is_sealed(it) && it->ncas > 0) {
		ae_wr_init(&ask, 4096);
		msg_put_str(&ask, ca->host);
		msg_put_str(&ask, ca->cn);
		ae_wr_u64(&ask, (uint64_t)ms);
		rc = pulse_start_net(r, e);
		if (rc == AE_OK)
			rc = peer_ask(
			    r->net, ROLE_EXCHANGE, &ask, ms + 5000, &in, e);
		ae_wr_done(&ask);
		if (rc != AE_OK) {
			/* It may be the process that hangs, not the CA. */
			peer_stop(r->net);
			r->net = NULL;
			return rc;
		}
		p = msg_get_bytes(&in, AE_PKI_CERT_MAX, &len);
		if (p == NULL || len == 0)
			return pulse_nonsense(e, "net");
	}
	msg_put_bytes(q, p, len);
	msg_put_str(q, it->ncas > 0 ? ca->cn : NULL);
	ae_wr_bytes(q, r->anchors, r->anchors_len);
	return AE_OK;
}

static int
new_request(struct run *r, const struct pulse_item *it, struct hand *h,
    struct ae_err *e)
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
	msg_put_str(&q, is_renewal(it) ? it->have : NULL);
	ae_wr_u8(&q, it->same_key);
	msg_put_str(&q, it->signer);
	msg_put_str(&q, r->o->requester);
	msg_put_str(&q, r->o->friendly);
	msg_put_bytes(&q, r->o->key, r->o->key_len);
	h->archival = is_sealed(it);
	rc = put_exchange(r, it, &q, e);
	h->no_exchange = rc != AE_OK;
	if (rc == AE_OK)
		rc = peer_ask(r->key, ROLE_NEW, &q, PULSE_KEY_MS, &answer, e);
	ae_wr_wipe(&q);
	if (rc != AE_OK)
		return rc;
	h->number = ae_rd_u32(&answer);
	h->renews = msg_get_str(r->a, &answer, 64);
	p = msg_get_bytes(&answer, ROLE_BODY_MAX, &h->len);
	if (p == NULL || !ae_rd_done(&answer))
		return pulse_nonsense(e, "key");
	h->der = ae_arena_dup(r->a, p, h->len);
	return h->der == NULL ? ae_fail_mem(e) : AE_OK;
}

bool
pulse_asks_for_its_own(const struct pulse_options *o)
{
	return o->subject != NULL || o->dns.n > 0 || o->upn.n > 0 ||
	    o->renew != NULL || o->requester != NULL || o->key_len > 0 ||
	    o->keep;
}

static bool
is_at(struct run *r, const struct pulse_item *it, const char *config)
{
	const char *mine;
	size_t i;

	for (i = 0; i < it->ncas; i++) {
		mine = config_of(r, &it->cas[i]);
		if (mine != NULL && ae_str_eq_nocase(mine, config))
			return true;
	}
	return false;
}

/*
 * Only a key that is gone, or a file that is none, makes a request worthless.
 * A device that is away comes back, and what fails here is no fault of its.
 */
static bool
key_is_lost(const struct ae_err *why)
{
	return why->rc == AE_ENOTFOUND || why->rc == AE_EPROTO;
}

/* One of them into the hand; AE_ENOTFOUND: it is of no use any more. */
static int
take_up(struct run *r, const struct pulse_item *it, const struct pulse_open *o,
    struct hand *h, struct ae_err *e)
{
	bool asked = o->meta.state == AE_STORE_ASKED;
	int rc;

	/* Whom a sealed key that nobody was asked about is for, none knows. */
	if (o->meta.archival && !asked)
		return AE_ENOTFOUND;
	rc = pulse_load(r, it->tmpl, o->number, &h->der, &h->len, e);
	if (rc != AE_OK)
		return key_is_lost(e) ? AE_ENOTFOUND
				      : ae_note(e, rc,
					    "request %s, made earlier, is kept "
					    "until its key can be used",
					    o->name);
	h->number = o->number;
	h->renews = o->meta.renews;
	h->archival = o->meta.archival;
	h->in_doubt = asked;
	h->at_ca = asked ? o->meta.ca_config : NULL;
	return AE_OK;
}

/*
 * What an earlier run left without an answer is sent again as the same
 * bytes: a CA that issued already can answer with that certificate.  One with
 * a sealed key is for the CA that was asked.  AE_OK with h->number 0: there
 * is none.
 */
static int
resume_request(struct run *r, const struct pulse_item *it, struct hand *h,
    struct ae_err *e)
{
	const char *name = it->resume;
	struct pulse_open *o;
	int rc;

	while (!pulse_asks_for_its_own(r->o) &&
	    (o = pulse_find_open(r, name, it->tmpl->cn)) != NULL) {
		name = NULL;
		if (!pulse_may_resume(r, o))
			continue;
		o->settled = true;
		if (o->meta.archival && o->meta.state == AE_STORE_ASKED &&
		    !is_at(r, it, o->meta.ca_config))
			continue;
		rc = take_up(r, it, o, h, e);
		if (rc != AE_ENOTFOUND)
			return rc;
		*e = (struct ae_err)AE_ERR_INIT;
		/* Without its key, or a CA to read it, it is of no use. */
		if (pulse_drop(r, o->tmpl, o->number, e) != AE_OK)
			return e->rc;
	}
	return AE_OK;
}

/* What the net role brought: see put_answer there. */
static int
read_verdict(struct run *r, struct pulse_verdict *v, struct ae_rd *in,
    json_t *attempts, struct ae_err *e)
{
	bool answered = ae_rd_u8(in) != 0;
	struct ae_rd why = { 0 };
	const uint8_t *p;
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
		v->in_doubt = ae_rd_u8(in) != 0;
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

int
pulse_ask(struct run *r, const char *config, const struct pulse_question *q,
    struct pulse_verdict *v, json_t *attempts, struct ae_err *e)
{
	const char *slash = config == NULL ? NULL : strchr(config, '\\');
	int64_t ms = r->c->ca_timeout * 1000;
	struct ae_rd answer;
	struct ae_wr w;
	int rc;

	*v = (struct pulse_verdict){ 0 };
	if (slash == NULL)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "the request does not say which CA it is for");
	rc = pulse_start_net(r, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_init(&w, ROLE_BODY_MAX);
	msg_put_bytes(&w, config, (size_t)(slash - config));
	msg_put_str(&w, slash + 1);
	ae_wr_u64(&w, (uint64_t)ms);
	msg_put_str(&w, q->attributes);
	ae_wr_u32(&w, q->request_id);
	ae_wr_u8(&w, q->full);
	msg_put_bytes(&w, q->der, q->len);
	rc = peer_ask(r->net, ROLE_REQUEST, &w, ms + 5000, &answer, e);
	ae_wr_done(&w);
	if (rc == AE_OK)
		return read_verdict(r, v, &answer, attempts, e);
	/* The process itself is gone or hangs: nobody knows what it sent. */
	v->in_doubt = true;
	peer_stop(r->net);
	r->net = NULL;
	return rc;
}

/*
 * The CAs in the plan's order, as "host\\name"; one that may know the
 * request already comes first, and is the only one that can open a sealed
 * key.  The array ends with NULL.
 */
static const char **
order_cas(struct run *r, const struct pulse_item *it, const struct hand *h)
{
	const char **v = ae_arena_array(r->a, it->ncas + 2, sizeof(*v));
	size_t i, n = 0;

	for (i = 0; v != NULL && i < it->ncas; i++) {
		const char *config = config_of(r, &it->cas[i]);

		if (config == NULL)
			return NULL;
		if (h->at_ca != NULL && ae_str_eq_nocase(config, h->at_ca)) {
			memmove(v + 1, v, n * sizeof(*v));
			v[0] = config;
		} else {
			v[n] = config;
		}
		n++;
	}
	if (v != NULL && h->archival && n > 1)
		v[1] = NULL;
	return v;
}

/* One CA; the request is marked as asked there before it is sent. */
static int
ask_one(struct run *r, const char *config, const struct pulse_question *q,
    struct pulse_verdict *v, json_t *attempts, struct ae_err *e)
{
	int rc;

	*v = (struct pulse_verdict){ 0 };
	rc = pulse_mark(r, AE_STORE_ASKED, config, 0, e);
	if (rc == AE_OK)
		rc = pulse_ask(r, config, q, v, attempts, e);
	if (rc != AE_OK)
		(void)json_array_append_new(attempts,
		    json_pack("{s:s, s:o}", "ca", config, "error",
			client_text(e->text)));
	return rc;
}

static void
tell_next(struct run *r, const struct pulse_item *it, const char *config,
    const struct ae_err *why)
{
	EVENT(r, AE_EVENT_CERTENROLL, is_renewal(it) ? 18 : 17, it->tmpl->cn,
	    config, why->text);
}

/* AE_OK: *config answered.  Each CA that did not is in attempts. */
static int
ask_all(struct run *r, const struct pulse_item *it, struct hand *h,
    const char **config, struct pulse_verdict *v, json_t *attempts,
    struct ae_err *e)
{
	struct pulse_question q = {
		.der = h->der, .len = h->len, .full = h->archival
	};
	const char **cas = order_cas(r, it, h);
	struct ae_wr attrs;
	int rc;
	size_t i;

	if (cas == NULL)
		return ae_fail_mem(e);
	ae_wr_init(&attrs, 4096);
	ae_enroll_request_attributes(&attrs, it->tmpl);
	q.attributes = ae_wr_cstr(&attrs);
	rc = cas[0] != NULL ? AE_OK
			    : ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
				  "no CA issues this template");
	for (i = 0; cas[i] != NULL; i++) {
		*config = cas[i];
		rc = ask_one(r, cas[i], &q, v, attempts, e);
		h->in_doubt = h->in_doubt || v->in_doubt;
		if (rc == AE_OK || v->in_doubt)
			break;
		if (cas[i + 1] != NULL)
			tell_next(r, it, cas[i], e);
	}
	ae_wr_done(&attrs);
	return rc;
}

/*
 * A request for each CA, until one takes its own: a key of its own, too, as
 * what is sealed for one CA must not be known to another.
 */
static int
ask_sealed(struct run *r, const struct pulse_item *it, struct hand *h,
    const char **config, struct pulse_verdict *v, json_t *attempts,
    struct ae_err *e)
{
	size_t i;
	int rc;

	for (i = 0;; i++) {
		struct pulse_item one = *it;

		one.cas[0] = it->cas[i];
		one.ncas = 1;
		*h = (struct hand){ 0 };
		*config = config_of(r, one.cas);
		if (*config == NULL)
			return ae_fail_mem(e);
		rc = new_request(r, &one, h, e);
		if (rc != AE_OK)
			(void)json_array_append_new(attempts,
			    json_pack(
				"{s:s, s:s}", "ca", *config, "error", e->text));
		else if (!r->o->keep)
			rc = ask_all(r, &one, h, config, v, attempts, e);
		if (rc == AE_OK || h->in_doubt || i + 1 == it->ncas)
			return rc;
		tell_next(r, it, *config, e);
		if (h->number != 0 &&
		    pulse_drop(r, it->tmpl->cn, h->number, e) != AE_OK)
			return e->rc;
	}
}

/* h->number 0: it failed before there was a request. */
static int
make_and_ask(struct run *r, const struct pulse_item *it, struct hand *h,
    const char **config, struct pulse_verdict *v, json_t *attempts,
    struct ae_err *e)
{
	int rc = resume_request(r, it, h, e);

	if (rc == AE_OK && h->number == 0) {
		if (is_sealed(it) && it->ncas > 0)
			return ask_sealed(r, it, h, config, v, attempts, e);
		rc = new_request(r, it, h, e);
	}
	if (rc == AE_OK && !r->o->keep)
		rc = ask_all(r, it, h, config, v, attempts, e);
	return rc;
}

static void
nobody_answered(struct run *r, const struct pulse_item *it,
    const struct hand *h, const char *config, const struct ae_err *why,
    json_t *res)
{
	struct ae_err e = AE_ERR_INIT;
	char code[AE_HRESULT_STR_MAX];

	pulse_set_code(res, pulse_code_of(why));
	(void)ae_hresult_print(code, pulse_code_of(why));
	if (it->ncas > 0)
		EVENT(r, AE_EVENT_CERTENROLL, 82, "ldap:", it->tmpl->cn, code);
	if (is_renewal(it))
		EVENT(r, AE_EVENT_CERTENROLL, 16, it->tmpl->cn, config, "0",
		    h->renews, code);
	else
		EVENT(r, AE_EVENT_CERTENROLL, 13, it->tmpl->cn, config, "0",
		    code);
	pulse_outcome(res, "failed", why->text);
	(void)json_object_set_new(res, "error_class",
	    json_integer((json_int_t)client_exit_code(why)));
	/* A request that no CA can know is of no use to the next run. */
	if (h->in_doubt)
		(void)json_object_set_new(res, "sent_again", json_true());
	else if (pulse_drop(r, it->tmpl->cn, h->number, &e) != AE_OK)
		pulse_outcome(res, "failed", e.text);
}

/* It is kept, with its key, for somebody to carry to a CA by hand. */
static void
hand_out(struct run *r, const struct hand *h, json_t *res)
{
	struct ae_err e = AE_ERR_INIT;

	/* From here on no run sends it or clears it away. */
	if (pulse_mark(r, AE_STORE_KEPT, "", 0, &e) != AE_OK) {
		pulse_outcome(res, "failed", e.text);
		return;
	}
	pulse_outcome(res, "made", NULL);
	(void)json_object_set_new(
	    res, "number", json_integer((json_int_t)h->number));
	if (r->o->keep_der != NULL)
		ae_wr_bytes(r->o->keep_der, h->der, h->len);
}

static void
carry_out(
    struct run *r, const struct pulse_item *it, json_t *res, json_t *attempts)
{
	struct pulse_settling s = { .tmpl = it->tmpl,
		.config = "",
		.renew = is_renewal(it),
		.same_key = is_renewal(it) && it->same_key,
		.other_person = r->o->requester != NULL };
	struct pulse_verdict v = { 0 };
	struct ae_err e = AE_ERR_INIT;
	struct hand h = { 0 };
	int rc = make_and_ask(r, it, &h, &s.config, &v, attempts, &e);

	if (rc != AE_OK && h.number == 0) {
		EVENT(r, AE_EVENT_CERTENROLL, 45, it->tmpl->cn, e.text);
		pulse_failed(res, h.no_exchange ? "exchange" : "request", &e);
		return;
	}
	if (r->o->keep) {
		hand_out(r, &h, res);
		return;
	}
	s.number = h.number;
	s.renews = h.renews;
	if (rc == AE_OK)
		pulse_settle(r, &s, &v, res);
	else
		nobody_answered(r, it, &h, s.config, &e, res);
}

bool
pulse_request(struct run *r, const struct pulse_item *it)
{
	const struct pulse_open *o;
	json_t *res, *attempts;
	const char *outcome;
	size_t i;

	/* Never a second request beside one that waits at a CA.  A run of
	 * its own has that from the plan. */
	for (i = 0; r->o->only != NULL && i < r->nopen; i++) {
		o = &r->open[i];
		if (o->meta.state == AE_STORE_PENDING &&
		    ae_str_eq_nocase(o->tmpl, it->tmpl->cn) &&
		    !pulse_asks_for_its_own(r->o))
			return false;
	}
	res = json_object();
	attempts = json_array();
	(void)json_object_set_new(res, "template", json_string(it->tmpl->cn));
	(void)json_object_set(res, "attempts", attempts);
	if (is_renewal(it))
		(void)json_object_set_new(res, "renews", json_string(it->have));
	carry_out(r, it, res, attempts);
	json_decref(attempts);
	(void)json_array_append_new(r->results, res);
	outcome = json_string_value(json_object_get(res, "outcome"));
	return outcome != NULL && strcmp(outcome, "issued") == 0;
}
