/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The orchestrator of one run; see pulse.h.
 */
#include "pulse.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ad/template.h"
#include "base/time.h"
#include "enroll/event.h"
#include "enroll/keyspec.h"
#include "enroll/request.h"
#include "eventlog.h"
#include "gather/sysvol.h"
#include "gss/cred.h"
#include "role.h"
#include "store/store.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "wcce/hresult.h"
#include "wcce/request.h"

#define PLAN_MS 60000
#define KEY_MS 60000
#define ITEMS_MAX 512
#define CAS_MAX 32
#define CONTEXT "Local system"

struct ca {
	const char *host, *cn;
};

struct item {
	struct ae_template *tmpl;
	uint32_t alg, bits;
	struct ca cas[CAS_MAX];
	size_t ncas;
};

struct run {
	struct client *c;
	const struct pulse_options *o;
	struct ae_arena *a;
	struct peer *policy, *key, *net;
	char fqdn[256];
	char principal[256];
	json_t *results;

	/* what the policy role answered */
	bool enabled;
	struct ae_sid sid;
	const uint8_t *anchors; /* two encoded lists, passed on unread */
	size_t anchors_len;
	struct item *items;
	size_t nitems;
	const char **archive;
	size_t narchive;
};

static void
event(struct run *r, enum ae_event_source source, unsigned id,
    const char *const *more, size_t nmore)
{
	const char *params[AE_EVENT_PARAMS_MAX] = { CONTEXT };
	size_t i;

	if (r->o->dry_run)
		return;
	for (i = 0; i < nmore && i + 1 < AE_EVENT_PARAMS_MAX; i++)
		params[i + 1] = more[i];
	eventlog_write(r->c, source, id, params, i + 1);
}

#define EVENT(r, source, id, ...)                                  \
	event(r, source, id, (const char *const[]){ __VA_ARGS__ }, \
	    sizeof((const char *const[]){ __VA_ARGS__ }) /         \
		sizeof(const char *))

static void
role_told_event(void *arg, unsigned source, unsigned id,
    const char *const *params, size_t nparams)
{
	struct run *r = arg;

	if (!r->o->dry_run)
		eventlog_write(
		    r->c, (enum ae_event_source)source, id, params, nparams);
}

/* A ticket for the roles, readable by the user they run as. */
static int
get_ticket(struct run *r, struct ae_err *e)
{
	struct ae_gss_cred *cred = NULL;
	char name[4096 + 8];
	struct passwd *pw;
	int rc;

	rc = ae_file_mkdirs(r->c->run_dir, 0755, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(name, sizeof(name), "FILE:%s", r->c->ccache);
	rc = ae_gss_cred_keytab(&cred, r->c->keytab, r->principal, name, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "getting a ticket for %s", r->principal);
	(void)snprintf(r->principal, sizeof(r->principal), "%s",
	    ae_gss_cred_principal(cred)); /* with its realm */
	ae_gss_cred_free(cred);
	pw = getpwnam(r->c->user);
	if (pw != NULL && chown(r->c->ccache, pw->pw_uid, pw->pw_gid) != 0)
		return ae_fail_errno(e, errno, "chown %s", r->c->ccache);
	if (setenv("KRB5CCNAME", name, 1) != 0)
		return ae_fail_mem(e);
	return AE_OK;
}

static int
start_policy(struct run *r, struct ae_err *e)
{
	static const char *const keep[] = { "KRB5CCNAME", "KRB5_CONFIG",
		"LDAPCONF", NULL };
	struct peer_conf conf = { .c = r->c,
		.role = "policy",
		.keep_env = keep,
		.event = role_told_event,
		.arg = r };

	return peer_start(&r->policy, &conf, e);
}

static int
start_key(struct run *r, struct ae_err *e)
{
	struct peer_conf conf = {
		.c = r->c, .role = "key", .event = role_told_event, .arg = r
	};

	return peer_start(&r->key, &conf, e);
}

static int
start_net(struct run *r, struct ae_err *e)
{
	static const char *const keep[] = { "KRB5CCNAME", "KRB5_CONFIG", NULL };
	struct peer_conf conf = { .c = r->c,
		.role = "net",
		.keep_env = keep,
		.event = role_told_event,
		.arg = r };

	return r->net != NULL ? AE_OK : peer_start(&r->net, &conf, e);
}

static int
nonsense(struct ae_err *e, const char *who)
{
	return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
	    "the %s process answered nonsense", who);
}

static int
read_item(struct run *r, struct item *it, struct ae_rd *in, struct ae_err *e)
{
	uint32_t n, i;
	int rc;

	rc = ae_template_get(&it->tmpl, in, e);
	if (rc != AE_OK)
		return rc;
	it->alg = ae_rd_u32(in);
	it->bits = ae_rd_u32(in);
	n = ae_rd_u32(in);
	if (n > CAS_MAX)
		ae_rd_fail(in);
	for (i = 0; i < n && ae_rd_ok(in); i++) {
		it->cas[i].host = msg_get_str(r->a, in, 512);
		it->cas[i].cn = msg_get_str(r->a, in, 512);
		if (it->cas[i].host == NULL || it->cas[i].cn == NULL)
			ae_rd_fail(in);
	}
	it->ncas = n;
	return ae_rd_ok(in) ? AE_OK : nonsense(e, "policy");
}

/* The three PEM texts of the anchors go to the key role unread. */
static int
read_plan(struct run *r, struct ae_rd *in, struct ae_wr *pems, json_t *report,
    struct ae_err *e)
{
	const uint8_t *p;
	json_t *explained;
	uint32_t n, i;
	size_t len;
	int rc;

	r->enabled = ae_rd_u8(in) != 0;
	r->sid = ae_sid_get(in);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	if (p != NULL)
		ae_wr_bytes(pems, p, len);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	r->anchors = p == NULL ? NULL : ae_arena_dup(r->a, p, len);
	r->anchors_len = len;
	n = ae_rd_u32(in);
	if (n > ITEMS_MAX || !ae_rd_ok(in))
		return nonsense(e, "policy");
	r->items = ae_arena_array(r->a, n, sizeof(*r->items));
	if (r->items == NULL || r->anchors == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++) {
		rc = read_item(r, &r->items[i], in, e);
		if (rc != AE_OK)
			return rc;
		r->nitems++;
	}
	n = ae_rd_u32(in);
	if (n > ITEMS_MAX || !ae_rd_ok(in))
		return nonsense(e, "policy");
	r->archive = ae_arena_array(r->a, n, sizeof(*r->archive));
	if (r->archive == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n; i++)
		r->archive[r->narchive++] =
		    msg_get_str(r->a, in, AE_STORE_NAME_MAX);
	p = msg_get_bytes(in, ROLE_BODY_MAX, &len);
	if (p == NULL || !ae_rd_done(in))
		return nonsense(e, "policy");
	explained =
	    json_loadb((const char *)p, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(explained)) {
		json_decref(explained);
		return nonsense(e, "policy");
	}
	(void)json_object_update(report, explained);
	json_decref(explained);
	return AE_OK;
}

/* The files of group policy that the last runs did not leave us. */
static int
fetch_policy(struct run *r, struct ae_wr *reply, struct ae_err *e)
{
	const struct ae_gather_sysvol how = { .program = r->c->helper,
		.ccache = getenv("KRB5CCNAME") };
	const uint8_t *frame;
	uint8_t *cache = NULL;
	struct ae_rd answer;
	struct ae_wr q;
	size_t len = 0;
	int rc;

	ae_wr_init(&q, ROLE_BODY_MAX);
	msg_put_str(&q, r->principal);
	if (r->o->refresh ||
	    ae_file_read(&cache, &len, r->c->policy_cache, ROLE_BODY_MAX / 2,
		NULL) != AE_OK)
		len = 0;
	msg_put_bytes(&q, cache, len);
	free(cache);
	rc = peer_ask(r->policy, ROLE_SETTINGS, &q, PLAN_MS, &answer, e);
	ae_wr_done(&q);
	if (rc != AE_OK)
		return rc;
	frame = msg_get_bytes(&answer, ROLE_BODY_MAX, &len);
	if (frame == NULL || !ae_rd_done(&answer))
		return nonsense(e, "policy");
	if (len == 0)
		return AE_OK;
	ae_wr_init(&q, ROLE_BODY_MAX);
	ae_wr_bytes(&q, frame, len);
	rc = ae_wr_ok(&q) ? ae_gather_sysvol_frame(reply, &how, &q, false, e)
			  : ae_fail_mem(e);
	ae_wr_done(&q);
	return rc;
}

static int
make_plan(struct run *r, json_t *report, struct ae_err *e)
{
	struct ae_wr q, pems, none, files;
	const uint8_t *cache;
	struct ae_rd answer;
	size_t len;
	int rc;

	ae_wr_init(&none, 1);
	ae_wr_init(&q, ROLE_BODY_MAX);
	ae_wr_init(&pems, ROLE_BODY_MAX);
	ae_wr_init(&files, ROLE_BODY_MAX / 2);
	rc = fetch_policy(r, &files, e);
	if (rc == AE_OK)
		rc =
		    peer_ask(r->key, ROLE_INVENTORY, &none, KEY_MS, &answer, e);
	if (rc != AE_OK)
		goto out;
	msg_put_str(&q, r->o->only);
	msg_put_str(&q, r->o->show);
	msg_put_str(&q, r->o->ca);
	msg_put_bytes(&q, files.p, files.len);
	msg_put_bytes(&q, answer.p, answer.len);
	rc = peer_ask(r->policy, ROLE_PLAN, &q, PLAN_MS, &answer, e);
	if (rc != AE_OK)
		goto out;
	cache = msg_get_bytes(&answer, ROLE_BODY_MAX, &len);
	if (cache != NULL && len > 0 && !r->o->dry_run)
		rc = ae_file_write(r->c->policy_cache, cache, len, 0644, e);
	if (rc == AE_OK)
		rc = read_plan(r, &answer, &pems, report, e);
	if (rc == AE_OK && !r->o->dry_run && pems.len > 0)
		rc = peer_ask(r->key, ROLE_TRUST, &pems, KEY_MS, &answer, e);
out:
	ae_wr_done(&q);
	ae_wr_done(&pems);
	ae_wr_done(&files);
	return rc;
}

static int
new_request(struct run *r, const struct item *it, const uint8_t **der,
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
	rc = peer_ask(r->key, ROLE_NEW, &q, KEY_MS, &answer, e);
	ae_wr_done(&q);
	if (rc != AE_OK)
		return rc;
	p = msg_get_bytes(&answer, ROLE_BODY_MAX, len);
	if (p == NULL || !ae_rd_done(&answer))
		return nonsense(e, "key");
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
		return nonsense(e, "net");
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
ask_ca(struct run *r, const struct item *it, const struct ca *ca,
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
	rc = start_net(r, e);
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
	rc = peer_ask(r->key, ROLE_INSTALL, &q, KEY_MS, &answer, e);
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
	return ae_rd_done(&answer) ? AE_OK : nonsense(e, "key");
}

static void
set_code(json_t *res, uint32_t hr)
{
	char text[AE_HRESULT_STR_MAX];

	(void)ae_hresult_print(text, hr);
	(void)json_object_set_new(res, "hresult", json_integer((json_int_t)hr));
	(void)json_object_set_new(res, "hresult_text", json_string(text));
}

/* The code a failure on this side stands for in events. */
static uint32_t
code_of(const struct ae_err *e)
{
	if (e->dom == AE_DOM_HRESULT)
		return (uint32_t)e->code;
	switch (e->rc) {
	case AE_EUNAVAIL:
	case AE_ETIMEDOUT:
		return AE_HR_RPC_S_SERVER_UNAVAILABLE;
	case AE_EAUTH:
	case AE_EDENIED:
		return AE_HR_E_ACCESSDENIED;
	case AE_ETRUST:
		return 0x800b0109; /* CERT_E_UNTRUSTEDROOT */
	default:
		return AE_HR_E_FAIL;
	}
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
settle(struct run *r, const struct item *it, const char *config,
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
		    code_of(&e), e.text);
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

static void
one_item(struct run *r, const struct item *it)
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
		set_code(res, code_of(&e));
		(void)ae_hresult_print(code, code_of(&e));
		EVENT(r, AE_EVENT_CERTENROLL, 13, tmpl, config, "0", code);
		outcome(res, "failed", e.text);
		(void)json_object_set_new(res, "error_class",
		    json_integer((json_int_t)client_exit_code(&e)));
	}
out:
	(void)json_array_append_new(r->results, res);
	json_decref(attempts);
}

static void
archive_old(struct run *r)
{
	struct ae_rd answer;
	struct ae_wr q;
	size_t i, done = 0;

	for (i = 0; i < r->narchive; i++) {
		ae_wr_init(&q, 4096);
		msg_put_str(&q, r->archive[i]);
		if (peer_ask(r->key, ROLE_ARCHIVE, &q, KEY_MS, &answer, NULL) ==
		    AE_OK)
			done++;
		ae_wr_done(&q);
	}
	if (done > 0)
		EVENT(r, AE_EVENT_CERTENROLL, 10, NULL);
}

static int
work(struct run *r, json_t *report, struct ae_err *e)
{
	size_t i;
	int rc;

	rc = client_fqdn(r->fqdn, sizeof(r->fqdn), e);
	if (rc == AE_OK)
		rc = client_principal(
		    r->c, r->principal, sizeof(r->principal), e);
	if (rc == AE_OK)
		rc = start_key(r, e);
	if (rc == AE_OK)
		rc = get_ticket(r, e);
	if (rc == AE_OK)
		rc = start_policy(r, e);
	if (rc == AE_OK)
		rc = make_plan(r, report, e);
	if (rc != AE_OK || r->o->dry_run)
		return rc;
	for (i = 0; i < r->nitems; i++)
		one_item(r, &r->items[i]);
	archive_old(r);
	return AE_OK;
}

static void
finish(struct run *r)
{
	size_t i;

	peer_stop(r->net);
	peer_stop(r->policy);
	peer_stop(r->key);
	for (i = 0; i < r->nitems; i++)
		ae_template_free(r->items[i].tmpl);
	ae_arena_free(r->a);
}

int
pulse_run(struct client *c, const struct pulse_options *o, json_t **report,
    struct ae_err *e)
{
	struct run r = { .c = c, .o = o };
	char when[AE_TIME_STR_MAX], code[16];
	json_t *rep;
	int rc;

	r.a = ae_arena_new(64u * 1024u * 1024u);
	r.results = json_array();
	rep = json_pack("{s:s, s:s, s:O}", "context", "machine", "started",
	    ae_time_print(when, ae_clock_now()), "results", r.results);
	if (r.a == NULL || rep == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	event(&r, AE_EVENT_AUTOENROLLMENT, 2, NULL, 0);
	rc = work(&r, rep, e);
	if (rc != AE_OK) {
		(void)snprintf(code, sizeof(code), "0x%08" PRIx32, code_of(e));
		EVENT(&r, AE_EVENT_AUTOENROLLMENT, 6, code, e->text);
		(void)json_object_set_new(rep, "error", json_string(e->text));
	}
	/* The policy role told 4 and what follows it when policy is on. */
	if (rc == AE_OK && r.enabled)
		event(&r, AE_EVENT_AUTOENROLLMENT, 5, NULL, 0);
	if (rc == AE_OK)
		event(&r, AE_EVENT_AUTOENROLLMENT, 3, NULL, 0);
	if (!o->dry_run)
		eventlog_write(c, AE_EVENT_CSC, 2, NULL, 0);
	(void)json_object_set_new(
	    rep, "finished", json_string(ae_time_print(when, ae_clock_now())));
out:
	finish(&r);
	json_decref(r.results);
	if (report != NULL)
		*report = rep;
	else
		json_decref(rep);
	return rc;
}

int
pulse_exit_code(const json_t *report)
{
	const json_t *res;
	int code = EXIT_OK;
	size_t i;

	json_array_foreach(json_object_get(report, "results"), i, res)
	{
		const char *what =
		    json_string_value(json_object_get(res, "outcome"));
		json_int_t class =
		    json_integer_value(json_object_get(res, "error_class"));

		if (what == NULL || strcmp(what, "issued") == 0)
			continue;
		if (strcmp(what, "denied") == 0)
			return EXIT_DENIED;
		if (strcmp(what, "pending") == 0)
			code = code == EXIT_OK ? EXIT_PENDING : code;
		else
			code = class > 0 ? (int)class : EXIT_FINDING;
	}
	return code;
}
