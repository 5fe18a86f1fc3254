/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * For the lab: our client's questions to a CA, as KRB5CCNAME, as JSON.
 *
 *	ca_ask HOST CA any|dcom|icpr ping
 *	ca_ask HOST CA any|dcom|icpr request CSR-FILE ATTRIBUTES
 *	ca_ask HOST CA any|dcom|icpr retrieve ID
 *	ca_ask HOST CA any|dcom|icpr property ID TYPE
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "gss/cred.h"
#include "run/ca_client.h"

static json_t *
hex(struct ae_wcce_blob b)
{
	char *s = calloc(1, 2 * b.len + 1);
	json_t *o;

	if (s == NULL)
		abort();
	ae_hex_encode(s, b.p, b.len);
	o = json_string(s);
	free(s);
	return o;
}

static json_t *
stages(const struct ae_run_trace *t)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; i < t->n; i++)
		json_array_append_new(a,
		    json_pack("{s:s, s:s, s:I, s:s, s:s}", "stage",
			ae_run_stage_name(t->v[i].kind), "what", t->v[i].what,
			"us", (json_int_t)t->v[i].us, "rc",
			ae_rc_name(t->v[i].err.rc), "text", t->v[i].err.text));
	return a;
}

static json_t *
attempts(const struct ae_run_ca *ca)
{
	const struct ae_run_attempt *at;
	json_t *a = json_array();
	size_t i, n;

	at = ae_run_ca_attempts(ca, &n);
	for (i = 0; i < n; i++)
		json_array_append_new(a,
		    json_pack("{s:s, s:s, s:I, s:s}", "transport",
			ae_run_transport_name(at[i].transport), "rc",
			ae_rc_name(at[i].err.rc), "code",
			(json_int_t)at[i].err.code, "text", at[i].err.text));
	return a;
}

static uint8_t *
read_file(const char *path, size_t *len)
{
	static uint8_t buf[AE_WCCE_REQUEST_MAX];
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		perror(path);
		exit(2);
	}
	*len = fread(buf, 1, sizeof(buf), f);
	(void)fclose(f);
	return buf;
}

/* The question that the command line asks; false: it asks none. */
static bool
question(struct ae_wcce_request *rq, int argc, char **argv)
{
	size_t len = 0;

	*rq = (struct ae_wcce_request){ .call = AE_WCCE_CALL_REQUEST };
	if (argc == 1 && strcmp(argv[0], "ping") == 0) {
		rq->call = AE_WCCE_CALL_PING;
	} else if (argc == 3 && strcmp(argv[0], "request") == 0) {
		rq->csr.p = read_file(argv[1], &len);
		rq->csr.len = len;
		rq->attributes = argv[2];
		rq->flags = AE_CR_IN_PKCS10;
	} else if (argc == 2 && strcmp(argv[0], "retrieve") == 0) {
		rq->request_id = (uint32_t)strtoul(argv[1], NULL, 10);
	} else if (argc == 3 && strcmp(argv[0], "property") == 0) {
		rq->call = AE_WCCE_CALL_GETPROPERTY;
		rq->prop_id = atoi(argv[1]);
		rq->prop_type = atoi(argv[2]);
	} else {
		return false;
	}
	return true;
}

static int
ask(struct ae_run_ca *ca, struct ae_wcce_request *rq, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(8 * 1024 * 1024);
	struct ae_wcce_reply r = { .hresult = 0 };
	json_t *out;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	rc = ae_run_ca_ask(ca, rq, &r, a, e);
	out = json_pack("{s:s, s:s, s:o, s:o}", "rc", ae_rc_name(rc), "text",
	    e->text, "stages", stages(ae_run_ca_trace(ca)), "attempts",
	    attempts(ca));
	if (rc == AE_OK)
		json_object_update_new(out,
		    json_pack("{s:I, s:I, s:I, s:s?, s:o, s:o}", "hresult",
			(json_int_t)r.hresult, "request_id",
			(json_int_t)r.request_id, "disposition",
			(json_int_t)r.disposition, "message", r.message,
			"certificate", hex(r.cert), "value", hex(r.value)));
	(void)json_dumpf(out, stdout, JSON_INDENT(1));
	(void)putchar('\n');
	json_decref(out);
	ae_arena_free(a);
	return rc;
}

int
main(int argc, char **argv)
{
	struct ae_run_ca_config conf = { 0 };
	struct ae_wcce_request rq;
	struct ae_gss_cred *cred = NULL;
	struct ae_run_ca *ca = NULL;
	struct ae_err e = AE_ERR_INIT;
	int rc;

	if (argc < 5 || !question(&rq, argc - 4, argv + 4)) {
		(void)fprintf(stderr,
		    "usage: ca_ask HOST CA any|dcom|icpr QUESTION...\n");
		return 2;
	}
	conf.host = argv[1];
	conf.authority = argv[2];
	conf.no_dcom = strcmp(argv[3], "icpr") == 0;
	conf.no_icpr = strcmp(argv[3], "dcom") == 0;
	rc = ae_gss_cred_ccache(&cred, NULL, &e);
	conf.cred = cred;
	if (rc == AE_OK)
		rc = ae_run_ca_new(&ca, &conf, &e);
	if (rc == AE_OK)
		rc = ask(ca, &rq, &e);
	if (rc != AE_OK)
		(void)fprintf(stderr, "%s: %s\n", ae_rc_name(rc), e.text);
	ae_run_ca_free(ca);
	ae_gss_cred_free(cred);
	return rc == AE_OK ? 0 : 1;
}
