/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One question to a CA over the transports in their order; see ca_client.h.
 * How each of them works is in ca_dcom.c and ca_icpr.c.
 */
#include "run/ca_client.h"

#include <stdlib.h>
#include <string.h>

#include "run/ca_impl.h"
#include "sys/clock.h"

#define CALL_MS 60000
#define TOTAL_MS 180000

static const struct ae_run_ca_way *const ways[AE_RUN_TRANSPORTS] = {
	[AE_RUN_DCOM] = &ae_run_ca_dcom,
	[AE_RUN_ICPR] = &ae_run_ca_icpr,
};

const char *
ae_run_transport_name(enum ae_run_transport t)
{
	return ways[t]->name;
}

int
ae_run_ca_new(struct ae_run_ca **out, const struct ae_run_ca_config *config,
    struct ae_err *e)
{
	struct ae_run_ca *ca;

	if (config->host == NULL || config->host[0] == '\0' ||
	    config->cred == NULL || (config->no_dcom && config->no_icpr))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "no host, credential or transport to ask a CA with");
	ca = calloc(1, sizeof(*ca));
	if (ca == NULL)
		return ae_fail_mem(e);
	ca->config = *config;
	ca->host = strdup(config->host);
	ca->authority =
	    strdup(config->authority != NULL ? config->authority : "");
	if (ca->host == NULL || ca->authority == NULL) {
		ae_run_ca_free(ca);
		return ae_fail_mem(e);
	}
	ca->config.host = ca->host;
	ca->config.authority = ca->authority;
	if (ca->config.call_ms == 0)
		ca->config.call_ms = CALL_MS;
	if (ca->config.total_ms == 0)
		ca->config.total_ms = TOTAL_MS;
	*out = ca;
	return AE_OK;
}

void
ae_run_ca_free(struct ae_run_ca *ca)
{
	size_t i;

	if (ca == NULL)
		return;
	for (i = 0; i < AE_RUN_TRANSPORTS; i++)
		ways[i]->close(ca, true);
	free(ca->host);
	free(ca->authority);
	free(ca);
}

struct ae_run_target
ae_run_ca_target(struct ae_run_ca *ca)
{
	return (struct ae_run_target){ .addrs = &ca->addrs,
		.port = ca->config.resolver_port,
		.cred = ca->config.cred,
		.call_ms = ca->config.call_ms,
		.deadline = ca->deadline,
		.trace = &ca->trace };
}

/*
 * Statuses that a server gives before the method has run: C706 appendix E
 * and MS-RPCE 3.1.1.5.5; those of MS-DCOM 2.2.10 for objects it does not
 * know (any more).
 */
static bool
before_the_method(uint32_t fault)
{
	static const uint32_t statuses[] = {
		AE_RPC_FAULT_ACCESS_DENIED,
		AE_RPC_FAULT_BAD_STUB_DATA,
		AE_RPC_FAULT_SEC_PKG_ERROR,
		AE_RPC_FAULT_OP_RNG_ERROR,
		AE_RPC_FAULT_UNK_IF,
		AE_RPC_FAULT_PROTO_ERROR,
		AE_RPC_FAULT_SERVER_TOO_BUSY,
		AE_RPC_FAULT_INVALID_CONTEXT_ID,
		AE_RPC_FAULT_UNSUPPORTED_LEVEL,
		AE_RPC_FAULT_OBJECT_NOT_FOUND,
		AE_DCOM_E_DISCONNECTED,
		AE_DCOM_E_VERSION_MISMATCH,
		AE_DCOM_E_INVALID_HEADER,
		AE_DCOM_E_INVALID_OBJECT,
	};
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i] == fault)
			return true;
	return false;
}

bool
ae_run_ca_acted(const struct ae_run_reply *r)
{
	if (r->not_executed)
		return false;
	return r->fault == 0 || !before_the_method(r->fault);
}

/* A submission makes a request id and perhaps a certificate each time. */
static bool
may_repeat(const struct ae_wcce_request *rq)
{
	return rq->call != AE_WCCE_CALL_REQUEST || rq->csr.p == NULL;
}

static bool
usable(const struct ae_run_ca *ca, enum ae_run_transport t,
    const struct ae_wcce_request *rq)
{
	if (t == AE_RUN_DCOM)
		return !ca->config.no_dcom;
	return !ca->config.no_icpr && rq->call == AE_WCCE_CALL_REQUEST;
}

/* One transport's try, recorded. */
static int
attempt(struct ae_run_ca *ca, enum ae_run_transport t,
    struct ae_wcce_request *rq, struct ae_wcce_reply *reply, struct ae_arena *a,
    bool *acted)
{
	struct ae_run_attempt *at = &ca->attempts[ca->nattempts++];
	struct ae_wcce_request mine = *rq;
	int rc;

	*at = (struct ae_run_attempt){ .transport = t,
		.first_stage = ca->trace.n };
	mine.authority = ca->authority;
	rc = ways[t]->ask(ca, &mine, reply, a, acted, &at->err);
	at->nstages = ca->trace.n - at->first_stage;
	if (rc == AE_OK) {
		at->err = (struct ae_err)AE_ERR_INIT;
		rq->iface = mine.iface;
		rq->opnum = mine.opnum;
		rq->authority = mine.authority;
	} else {
		/* Whatever state it is in, the next question starts afresh. */
		ways[t]->close(ca, false);
	}
	return rc;
}

/* All that went wrong, the first failure's code in front. */
static int
tell(const struct ae_run_ca *ca, bool acted, struct ae_err *e)
{
	const struct ae_err *first = &ca->attempts[0].err;
	const struct ae_err *second = &ca->attempts[1].err;
	const char *name = ways[ca->attempts[0].transport]->name;

	if (acted)
		return ae_fail(e, AE_EREMOTE, first->dom, first->code,
		    "over %s, and it is unknown whether the CA acted: %s",
		    ways[ca->attempts[ca->nattempts - 1].transport]->name,
		    ca->attempts[ca->nattempts - 1].err.text);
	if (ca->nattempts == 1)
		return ae_fail(e, first->rc, first->dom, first->code,
		    "over %s: %s", name, first->text);
	return ae_fail(e, first->rc, first->dom, first->code,
	    "over %s: %.220s; over %s: %.220s", name, first->text,
	    ways[ca->attempts[1].transport]->name, second->text);
}

/* The host's addresses, if they are not known. */
static int
look_up(struct ae_run_ca *ca, struct ae_err *e)
{
	struct ae_run_ca_known *known = ca->config.known;
	int rc;

	if (ca->addrs.n == 0 && known != NULL)
		ca->addrs = known->addrs;
	if (ca->addrs.n > 0)
		return AE_OK;
	rc = ae_run_resolve(&ca->addrs, ca->host, &ca->trace, e);
	if (rc == AE_OK && known != NULL)
		known->addrs = ca->addrs;
	return rc;
}

int
ae_run_ca_ask(struct ae_run_ca *ca, struct ae_wcce_request *rq,
    struct ae_wcce_reply *reply, struct ae_arena *a, struct ae_err *e)
{
	bool acted = false;
	int t, rc;

	ca->trace.n = 0;
	ca->nattempts = 0;
	ca->in_doubt = false;
	ca->deadline = ae_clock_mono_ms() + ca->config.total_ms;
	if ((rc = look_up(ca, e)) != AE_OK)
		return rc;
	for (t = 0; t < AE_RUN_TRANSPORTS; t++) {
		if (!usable(ca, (enum ae_run_transport)t, rq))
			continue;
		if (attempt(ca, (enum ae_run_transport)t, rq, reply, a,
			&acted) == AE_OK)
			return AE_OK;
		acted = acted && !may_repeat(rq);
		if (acted)
			break;
	}
	ca->in_doubt = acted;
	/* The addresses may be the reason: look them up again next time. */
	ca->addrs.n = 0;
	if (ca->config.known != NULL)
		ca->config.known->addrs.n = 0;
	if (ca->nattempts == 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "this can be asked over DCOM only");
	return tell(ca, acted, e);
}

const struct ae_run_attempt *
ae_run_ca_attempts(const struct ae_run_ca *ca, size_t *n)
{
	*n = ca->nattempts;
	return ca->attempts;
}

bool
ae_run_ca_in_doubt(const struct ae_run_ca *ca)
{
	return ca->in_doubt;
}

const struct ae_dcom_seen *
ae_run_ca_bindings(const struct ae_run_ca *ca, size_t *n)
{
	*n = ca->nseen;
	return ca->seen;
}

uint32_t
ae_run_ca_hint(const struct ae_run_ca *ca)
{
	return ca->hint;
}

const struct ae_run_trace *
ae_run_ca_trace(const struct ae_run_ca *ca)
{
	return &ca->trace;
}
