/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Asking a CA: which failures lead to the next transport, which end it, and
 * that no submission is ever made twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "realm.h"
#include "run/ca_client.h"

static struct ae_gss_cred *client;
static struct ae_arena *arena;

static int
setup(void **state)
{
	(void)state;
	realm_up();
	client = realm_client();
	arena = ae_arena_new(AE_WCCE_ARENA_MAX);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ae_arena_free(arena);
	ae_gss_cred_free(client);
	realm_down();
	return 0;
}

static struct peer
start(enum peer_how how)
{
	return peer_start(how, PEER_NO_DCOM, realm_path("service.keytab"));
}

static struct peer
start_dcom(enum peer_how how, enum peer_dcom dcom)
{
	return peer_start(how, dcom, realm_path("service.keytab"));
}

static struct ae_run_ca_known *known; /* of the next asker */
static enum ae_rpc_level only_level;  /* likewise */

static struct ae_run_ca *
asker(const struct peer *p, bool no_dcom)
{
	struct ae_run_ca_config conf = { .host = "localhost",
		.known = known,
		.authority = "Test CA",
		.cred = client,
		.no_dcom = no_dcom,
		.only_level = only_level,
		.resolver_port = p->port,
		/* short only where waiting for it is the test */
		.call_ms = p->how == PEER_STALLS ? 1500 : 60000,
		.total_ms = 60000 };
	struct ae_run_ca *ca = NULL;

	assert_int_equal(ae_run_ca_new(&ca, &conf, NULL), AE_OK);
	return ca;
}

static const uint8_t csr[] = "not looked at here";

static struct ae_wcce_request
submission(void)
{
	return (struct ae_wcce_request){ .call = AE_WCCE_CALL_REQUEST,
		.flags = AE_CR_IN_PKCS10 | AE_CR_IN_FULLRESPONSE,
		.attributes = "CertificateTemplate:Machine",
		.csr = { csr, sizeof(csr) } };
}

static int
ask(struct ae_run_ca *ca, struct ae_wcce_request rq,
    struct ae_wcce_reply *reply, struct ae_err *e)
{
	*e = (struct ae_err)AE_ERR_INIT;
	return ae_run_ca_ask(ca, &rq, reply, arena, e);
}

static void
issued(void **state)
{
	struct peer p = start(PEER_ANSWERS);
	struct ae_run_ca *ca = asker(&p, true);
	const struct ae_run_attempt *at;
	struct ae_wcce_reply reply;
	struct ae_err e;
	size_t n, stages;

	(void)state;
	if (ask(ca, submission(), &reply, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(reply.request_id, 7);
	assert_int_equal(reply.disposition, AE_CR_DISP_ISSUED);
	assert_string_equal(reply.message, "fine");
	assert_int_equal(reply.cert.len, sizeof(csr));
	assert_memory_equal(reply.cert.p, csr, sizeof(csr));
	at = ae_run_ca_attempts(ca, &n);
	assert_int_equal(n, 1);
	assert_int_equal(at[0].transport, AE_RUN_ICPR);
	assert_int_equal(at[0].err.rc, AE_OK);
	stages = ae_run_ca_trace(ca)->n;
	assert_int_equal(at[0].first_stage + at[0].nstages, stages);
	/* the connection stands: one more question is one more call */
	assert_int_equal(ask(ca, submission(), &reply, &e), AE_OK);
	assert_int_equal(ae_run_ca_trace(ca)->n, 1);
	ae_run_ca_free(ca);
	assert_int_equal(peer_stop(&p), 2);
}

/* An HRESULT is an answer, not a failure to ask. */
static void
denied(void **state)
{
	struct peer p = start(PEER_DENIES);
	struct ae_run_ca *ca = asker(&p, true);
	struct ae_wcce_reply reply;
	struct ae_err e;

	(void)state;
	assert_int_equal(ask(ca, submission(), &reply, &e), AE_OK);
	assert_int_equal(reply.hresult, 0x80094011);
	ae_run_ca_free(ca);
	(void)peer_stop(&p);
}

/* This host does not speak DCOM: its error stays in front, ICPR answers. */
static void
falls_over(void **state)
{
	struct peer p = start(PEER_ANSWERS);
	struct ae_run_ca *ca = asker(&p, false);
	const struct ae_run_attempt *at;
	struct ae_wcce_reply reply;
	struct ae_err e;
	size_t n;

	(void)state;
	if (ask(ca, submission(), &reply, &e) != AE_OK)
		fail_msg("%s", e.text);
	at = ae_run_ca_attempts(ca, &n);
	assert_int_equal(n, 2);
	assert_int_equal(at[0].transport, AE_RUN_DCOM);
	assert_int_not_equal(at[0].err.rc, AE_OK);
	assert_true(at[0].err.text[0] != '\0');
	assert_int_equal(at[1].transport, AE_RUN_ICPR);
	assert_int_equal(at[1].err.rc, AE_OK);
	ae_run_ca_free(ca);
	assert_int_equal(peer_stop(&p), 1);
}

static void
both_fail(void **state)
{
	struct peer p = start(PEER_UNREGISTERED);
	struct ae_run_ca *ca = asker(&p, false);
	const struct ae_run_attempt *at;
	struct ae_wcce_reply reply;
	struct ae_err e;
	size_t n;
	int rc;

	(void)state;
	rc = ask(ca, submission(), &reply, &e);
	at = ae_run_ca_attempts(ca, &n);
	assert_int_equal(n, 2);
	assert_int_equal(rc, at[0].err.rc);
	assert_int_equal(e.code, at[0].err.code);
	assert_int_equal(at[1].err.rc, AE_ENOTFOUND);
	assert_non_null(strstr(e.text, "over dcom: "));
	assert_non_null(strstr(e.text, "over icpr: "));
	ae_run_ca_free(ca);
	assert_int_equal(peer_stop(&p), 0);
}

static void
lost_answers(void **state)
{
	static const struct {
		enum peer_how how;
		int rc; /* of a submission */
	} rows[] = {
		{ PEER_FAULTS_EARLY, AE_EDENIED },
		{ PEER_FAULTS_LATE, AE_EREMOTE },
		{ PEER_HANGS_UP, AE_EREMOTE },
		{ PEER_STALLS, AE_EREMOTE },
		{ PEER_TALKS_NONSENSE, AE_EREMOTE },
	};
	struct ae_wcce_request rq;
	struct ae_wcce_reply reply;
	struct ae_run_ca *ca;
	struct ae_err e;
	struct peer p;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = start(rows[i].how);
		ca = asker(&p, true);
		rc = ask(ca, submission(), &reply, &e);
		if (rc != rows[i].rc)
			fail_msg("row %zu: %d: %s", i, rc, e.text);
		assert_int_equal(strstr(e.text, "unknown whether") != NULL,
		    rows[i].how != PEER_FAULTS_EARLY);
		ae_run_ca_free(ca);
		assert_int_equal(peer_stop(&p), 1);
		/* Asking how a request stands does no harm twice. */
		p = start(rows[i].how);
		ca = asker(&p, true);
		rq = submission();
		rq.csr = (struct ae_wcce_blob){ NULL, 0 };
		rq.request_id = 7;
		rc = ask(ca, rq, &reply, &e);
		assert_int_not_equal(rc, AE_OK);
		assert_null(strstr(e.text, "unknown whether"));
		ae_run_ca_free(ca);
		(void)peer_stop(&p);
	}
}

/* ---- over DCOM ---- */

static void
expect_calls(const struct ae_run_ca *ca, const char *const *want, size_t n)
{
	const struct ae_run_trace *t = ae_run_ca_trace(ca);
	size_t i, k = 0;

	for (i = 0; i < t->n; i++) {
		if (t->v[i].kind != AE_RUN_CALL)
			continue;
		assert_true(k < n);
		assert_string_equal(t->v[i].what, want[k++]);
	}
	assert_int_equal(k, n);
}

static void
dcom_issued(void **state)
{
	static const char *const first[] = { "ServerAlive2",
		"RemoteCreateInstance", "ICertRequestD2::Request2" };
	struct peer p = start_dcom(PEER_ANSWERS, PEER_D2);
	struct ae_run_ca *ca = asker(&p, false);
	const struct ae_run_attempt *at;
	struct ae_wcce_request rq = submission();
	struct ae_wcce_reply reply;
	struct ae_err e = AE_ERR_INIT;
	size_t n;

	(void)state;
	if (ae_run_ca_ask(ca, &rq, &reply, arena, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(rq.iface, AE_WCCE_ICERTREQUESTD2);
	assert_string_equal(rq.authority, "Test CA");
	assert_int_equal(reply.request_id, 7);
	assert_memory_equal(reply.cert.p, csr, sizeof(csr));
	at = ae_run_ca_attempts(ca, &n);
	assert_int_equal(n, 1);
	assert_int_equal(at[0].transport, AE_RUN_DCOM);
	expect_calls(ca, first, 3);
	/* more questions on the same object */
	rq = (struct ae_wcce_request){ .call = AE_WCCE_CALL_PING };
	assert_int_equal(ae_run_ca_ask(ca, &rq, &reply, arena, &e), AE_OK);
	assert_int_equal(ae_run_ca_trace(ca)->n, 1);
	assert_string_equal(
	    ae_run_ca_trace(ca)->v[0].what, "ICertRequestD2::Ping2");
	rq = (struct ae_wcce_request){
		.call = AE_WCCE_CALL_GETPROPERTY, .prop_id = 10, .prop_type = 1
	};
	assert_int_equal(ae_run_ca_ask(ca, &rq, &reply, arena, &e), AE_OK);
	assert_int_equal(reply.value.len, 4);
	assert_int_equal(reply.value.p[0], 0x2a);
	ae_run_ca_free(ca);
	assert_int_equal(peer_stop(&p), 3);
}

/* The two levels the other way round: refused, and where it was. */
static void
dcom_at_integrity(void **state)
{
	struct peer p = start_dcom(PEER_ANSWERS, PEER_D2);
	const struct ae_run_attempt *at;
	const struct ae_run_trace *t;
	struct ae_wcce_reply reply;
	struct ae_run_ca *ca;
	struct ae_err e;
	size_t i, n, binds = 0;

	(void)state;
	only_level = AE_RPC_LEVEL_INTEGRITY;
	ca = asker(&p, false);
	only_level = 0;
	assert_int_not_equal(
	    ask(ca, (struct ae_wcce_request){ .call = AE_WCCE_CALL_PING },
		&reply, &e),
	    AE_OK);
	at = ae_run_ca_attempts(ca, &n);
	assert_int_equal(at[0].transport, AE_RUN_DCOM);
	assert_int_equal(at[0].err.dom, AE_DOM_RPC);
	assert_int_equal(at[0].err.code, 5);
	/* The peer hints at privacy, which is what is not obeyed here. */
	assert_int_equal(ae_run_ca_hint(ca), AE_RPC_LEVEL_PRIVACY);
	t = ae_run_ca_trace(ca);
	for (i = 0; i < t->n; i++) {
		if (t->v[i].kind != AE_RUN_BIND ||
		    strstr(t->v[i].what, "anonymous") != NULL)
			continue;
		assert_non_null(strstr(
		    t->v[i].what, binds++ == 0 ? "privacy" : "integrity"));
	}
	assert_int_equal(binds, 2);
	assert_true(t->trips >= 6);
	ae_run_ca_free(ca);
	assert_int_equal(peer_stop(&p), 0);
}

/* A CA that has only the older interface. */
static void
dcom_old(void **state)
{
	struct peer p = start_dcom(PEER_ANSWERS, PEER_D);
	struct ae_run_ca *ca = asker(&p, false);
	struct ae_wcce_request rq = submission();
	struct ae_wcce_reply reply;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	if (ae_run_ca_ask(ca, &rq, &reply, arena, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(rq.iface, AE_WCCE_ICERTREQUESTD);
	assert_int_equal(reply.disposition, AE_CR_DISP_ISSUED);
	rq = (struct ae_wcce_request){ .call = AE_WCCE_CALL_PING };
	assert_int_equal(ae_run_ca_ask(ca, &rq, &reply, arena, &e), AE_OK);
	rq = (struct ae_wcce_request){ .call = AE_WCCE_CALL_GETPROPERTY };
	assert_int_equal(
	    ae_run_ca_ask(ca, &rq, &reply, arena, &e), AE_ENOTFOUND);
	assert_non_null(strstr(e.text, "ICertRequestD2"));
	ae_run_ca_free(ca);
	assert_int_equal(peer_stop(&p), 2);
}

/* Activation is refused: its HRESULT is kept, and ICPR serves. */
static void
dcom_not_allowed(void **state)
{
	struct peer p = start_dcom(PEER_ANSWERS, PEER_NO_ACTIVATION);
	struct ae_run_ca *ca = asker(&p, false);
	const struct ae_run_attempt *at;
	struct ae_wcce_reply reply;
	struct ae_err e;
	size_t n;

	(void)state;
	if (ask(ca, submission(), &reply, &e) != AE_OK)
		fail_msg("%s", e.text);
	at = ae_run_ca_attempts(ca, &n);
	assert_int_equal(n, 2);
	assert_int_equal(at[0].err.dom, AE_DOM_HRESULT);
	assert_int_equal(at[0].err.code, 0x80070005);
	assert_int_equal(at[1].err.rc, AE_OK);
	ae_run_ca_free(ca);
	assert_int_equal(peer_stop(&p), 1);
}

/* Over DCOM, too, a lost answer is the end; a refusal is not. */
static void
dcom_lost_answers(void **state)
{
	static const struct {
		enum peer_how how;
		size_t attempts;
		int seen;
	} rows[] = {
		/* refused over DCOM, asked again over ICPR, refused there */
		{ PEER_FAULTS_EARLY, 2, 2 },
		{ PEER_FAULTS_LATE, 1, 1 },
		{ PEER_HANGS_UP, 1, 1 },
		{ PEER_STALLS, 1, 1 },
		{ PEER_TALKS_NONSENSE, 1, 1 },
	};
	struct ae_wcce_reply reply;
	struct ae_run_ca *ca;
	struct ae_err e;
	struct peer p;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = start_dcom(rows[i].how, PEER_D2);
		ca = asker(&p, false);
		assert_int_not_equal(ask(ca, submission(), &reply, &e), AE_OK);
		(void)ae_run_ca_attempts(ca, &n);
		assert_int_equal(n, rows[i].attempts);
		assert_int_equal(strstr(e.text, "unknown whether") != NULL,
		    rows[i].attempts == 1);
		ae_run_ca_free(ca);
		assert_int_equal(peer_stop(&p), rows[i].seen);
	}
}

/* A server that closed an idle connection costs nobody a request. */
static void
idle_connection(void **state)
{
	struct peer p = start(PEER_ANSWERS);
	struct ae_run_ca *ca = asker(&p, true);
	struct ae_wcce_reply reply;
	struct ae_err e;

	(void)state;
	assert_int_equal(ask(ca, submission(), &reply, &e), AE_OK);
	peer_forget(&p);
	assert_int_equal(ask(ca, submission(), &reply, &e), AE_OK);
	assert_true(ae_run_ca_trace(ca)->n > 1);
	ae_run_ca_free(ca);
	assert_int_equal(peer_stop(&p), 2);
}

static bool
was_called(const struct ae_run_ca *ca, const char *what)
{
	const struct ae_run_trace *t = ae_run_ca_trace(ca);
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->v[i].kind == AE_RUN_CALL &&
		    strcmp(t->v[i].what, what) == 0)
			return true;
	return false;
}

static bool
looked_up(const struct ae_run_ca *ca)
{
	const struct ae_run_trace *t = ae_run_ca_trace(ca);

	return t->n > 0 && t->v[0].kind == AE_RUN_NAME;
}

/* The host is asked for its way to the CA once, and again when it was wrong. */
static void
known_hosts(void **state)
{
	struct ae_run_ca_known k = { .icpr_port = 0 };
	struct peer p = start(PEER_ANSWERS);
	struct ae_wcce_reply reply;
	struct ae_run_ca *ca;
	struct ae_err e;
	int i;

	(void)state;
	known = &k;
	for (i = 0; i < 4; i++) {
		ca = asker(&p, true);
		assert_int_equal(ask(ca, submission(), &reply, &e),
		    i == 2 ? AE_EUNAVAIL : AE_OK);
		assert_int_equal(was_called(ca, "ept_map"), i == 0 || i == 3);
		assert_int_equal(looked_up(ca), i == 0 || i == 3);
		assert_int_equal(k.addrs.n > 0, i != 2);
		assert_int_equal(k.icpr_port != 0, i != 2);
		ae_run_ca_free(ca);
		if (i == 1)
			k.icpr_port = 1; /* nobody is there */
	}
	(void)peer_stop(&p);

	p = start_dcom(PEER_ANSWERS, PEER_D2);
	for (i = 0; i < 2; i++) {
		ca = asker(&p, false);
		assert_int_equal(ask(ca, submission(), &reply, &e), AE_OK);
		assert_int_equal(was_called(ca, "ServerAlive2"), i == 0);
		assert_true(was_called(ca, "RemoteCreateInstance"));
		assert_int_equal(k.com.major, 5);
		ae_run_ca_free(ca);
	}
	(void)peer_stop(&p);
	known = NULL;
}

static void
wrong_questions(void **state)
{
	struct peer p = start(PEER_ANSWERS);
	struct ae_run_ca_config conf = { .host = "localhost",
		.authority = "Test CA",
		.cred = client,
		.no_dcom = true,
		.no_icpr = true };
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_PING };
	struct ae_run_ca *ca = NULL;
	struct ae_wcce_reply reply;
	struct ae_err e;
	size_t n;

	(void)state;
	assert_int_equal(ae_run_ca_new(&ca, &conf, NULL), AE_EINVAL);
	conf.no_icpr = false;
	conf.host = "";
	assert_int_equal(ae_run_ca_new(&ca, &conf, NULL), AE_EINVAL);
	conf.host = "localhost";
	conf.cred = NULL;
	assert_int_equal(ae_run_ca_new(&ca, &conf, NULL), AE_EINVAL);
	assert_null(ca);
	/* a ping, and DCOM left out */
	ca = asker(&p, true);
	assert_int_equal(ask(ca, rq, &reply, &e), AE_EINVAL);
	(void)ae_run_ca_attempts(ca, &n);
	assert_int_equal(n, 0);
	/* longer than any CA takes: refused here */
	rq = submission();
	rq.csr.len = AE_WCCE_REQUEST_MAX + 1;
	rq.csr.p = calloc(1, rq.csr.len);
	assert_int_equal(ask(ca, rq, &reply, &e), AE_ELIMIT);
	free((void *)(uintptr_t)rq.csr.p);
	ae_run_ca_free(ca);
	ae_run_ca_free(NULL);
	assert_int_equal(peer_stop(&p), 0);
}

static void
no_such_host(void **state)
{
	struct ae_run_ca_config conf = {
		.host = "nobody.invalid", .authority = "Test CA", .cred = client
	};
	struct ae_run_ca *ca = NULL;
	struct ae_wcce_reply reply;
	struct ae_err e;
	int rc;

	(void)state;
	assert_int_equal(ae_run_ca_new(&ca, &conf, NULL), AE_OK);
	rc = ask(ca, submission(), &reply, &e);
	assert_true(rc == AE_ENOTFOUND || rc == AE_EUNAVAIL);
	assert_int_equal(ae_run_ca_trace(ca)->n, 1);
	ae_run_ca_free(ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issued),
		cmocka_unit_test(denied),
		cmocka_unit_test(falls_over),
		cmocka_unit_test(both_fail),
		cmocka_unit_test(lost_answers),
		cmocka_unit_test(dcom_issued),
		cmocka_unit_test(dcom_at_integrity),
		cmocka_unit_test(dcom_old),
		cmocka_unit_test(dcom_not_allowed),
		cmocka_unit_test(dcom_lost_answers),
		cmocka_unit_test(idle_connection),
		cmocka_unit_test(known_hosts),
		cmocka_unit_test(wrong_questions),
		cmocka_unit_test(no_such_host),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
