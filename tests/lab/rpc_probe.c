/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * For the lab: our client runtime against somebody else's RPC server.
 *
 *	rpc_probe HOST map UUID MAJOR     where is this interface?
 *	rpc_probe HOST samr AUTH LEVEL    SamrConnect2, SamrEnumerateDomains
 *
 * AUTH 9 or 16, LEVEL 2..6; as KRB5CCNAME.  Prints the stages, one a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "gss/cred.h"
#include "run/rpc_client.h"
#include "sys/clock.h"

/* MS-SAMR 1.9 */
static const struct ae_rpc_syntax samr = {
	{ 0x12345778, 0x1234, 0xabcd,
	    { 0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xac } },
	1, 0
};

static struct ae_run_trace trace;

static void
print_trace(void)
{
	size_t i;

	for (i = 0; i < trace.n; i++)
		printf("stage %s %s %lld %s %s\n",
		    ae_run_stage_name(trace.v[i].kind), trace.v[i].what,
		    (long long)trace.v[i].us,
		    trace.v[i].err.rc == AE_OK ? "ok"
					       : ae_rc_name(trace.v[i].err.rc),
		    trace.v[i].err.text);
}

static int
map(struct ae_run_target *t, char **argv, struct ae_err *e)
{
	struct ae_rpc_syntax id = { .major = (uint16_t)atoi(argv[1]) };
	uint16_t port = 0;
	int rc;

	if (!ae_guid_parse(&id.uuid, argv[0]))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "not a UUID");
	rc = ae_run_epm_port(&port, t, &id, e);
	if (rc == AE_OK)
		printf("port %u\n", port);
	return rc;
}

/* MS-SAMR 3.1.5.1.4 and 3.1.5.2.1, by hand: the stubs are a few numbers. */
static int
domains(struct ae_run_rpc *r, struct ae_err *e)
{
	static const uint8_t connect[8] = { 0, 0, 0, 0, 0x30, 0, 0, 0 };
	uint8_t enumerate[28] = { 0 };
	struct ae_run_reply reply;
	char *hex;
	int rc;

	rc = ae_run_rpc_call(r, 0, 57, NULL, connect, sizeof(connect),
	    "SamrConnect2", &reply, e);
	if (rc != AE_OK)
		return rc;
	if (reply.len != 24 || memcmp(reply.stub + 20, "\0\0\0\0", 4) != 0)
		return ae_fail(e, AE_EREMOTE, AE_DOM_NONE, 0, "SamrConnect2");
	memcpy(enumerate, reply.stub, 20);
	enumerate[25] = 0x10; /* PreferedMaximumLength */
	rc = ae_run_rpc_call(r, 0, 6, NULL, enumerate, sizeof(enumerate),
	    "SamrEnumerateDomainsInSamServer", &reply, e);
	if (rc != AE_OK)
		return rc;
	hex = calloc(1, 2 * reply.len + 1);
	if (hex == NULL)
		return ae_fail_mem(e);
	ae_hex_encode(hex, reply.stub, reply.len);
	printf("domains %s\n", hex);
	free(hex);
	return AE_OK;
}

static int
ask_samr(
    struct ae_run_target *t, char **argv, const char *host, struct ae_err *e)
{
	char spn[256];
	struct ae_gss_cred *cred = NULL;
	struct ae_run_rpc *r = NULL;
	int rc;

	(void)snprintf(spn, sizeof(spn), "host/%s", host);
	rc = ae_gss_cred_ccache(&cred, NULL, e);
	if (rc == AE_OK)
		rc = ae_run_epm_port(&t->port, t, &samr, e);
	t->auth = (enum ae_rpc_auth_type)atoi(argv[0]);
	t->level = (enum ae_rpc_level)atoi(argv[1]);
	t->cred = cred;
	t->spn = spn;
	t->ifaces = &samr;
	t->nifaces = 1;
	if (rc == AE_OK)
		rc = ae_run_rpc_open(&r, t, e);
	if (rc == AE_OK)
		rc = domains(r, e);
	ae_run_rpc_close(r);
	ae_gss_cred_free(cred);
	return rc;
}

int
main(int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_run_addrs addrs;
	struct ae_run_target t = { .addrs = &addrs,
		.trace = &trace,
		.connect_ms = 2000,
		.deadline = ae_clock_mono_ms() + 10000 };
	int rc;

	if (argc != 5) {
		(void)fprintf(stderr,
		    "usage: rpc_probe HOST map UUID MAJOR | samr AUTH LEVEL\n");
		return 2;
	}
	rc = ae_run_resolve(&addrs, argv[1], &trace, &e);
	if (rc == AE_OK)
		rc = strcmp(argv[2], "map") == 0
		    ? map(&t, argv + 3, &e)
		    : ask_samr(&t, argv + 3, argv[1], &e);
	print_trace();
	if (rc != AE_OK)
		(void)fprintf(stderr, "%s: %s\n", ae_rc_name(rc), e.text);
	return rc == AE_OK ? 0 : 1;
}
