/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What is wrong with the CA now, for "certsrv status": each alarm that an
 * event told of and that is not over.
 */
#include <stdio.h>

#include "admin_local.h"
#include "base/hex.h"
#include "sys/clock.h"

struct status {
	struct ae_wr w;
	uint32_t n;
};

/* since 0: not known. */
static void
add(struct status *s, const char *what, int64_t since, const char *text)
{
	put_str(&s->w, what);
	ae_wr_u64(&s->w, (uint64_t)since);
	put_str(&s->w, text);
	s->n++;
}

static void
add_crl(struct status *s, const struct ca_crl *c, unsigned key, bool delta)
{
	const int64_t now = ae_clock_now();
	char text[128];

	if (!c->made ||
	    (!ae_ca_crl_alarm(&c->plan, now) &&
		(!c->ad_made || !ae_ca_crl_alarm(&c->ad_plan, now))))
		return;
	(void)snprintf(text, sizeof(text),
	    "the %s CRL of key %u should have been replaced, event 67",
	    delta ? "delta" : "base", key);
	add(s, "crl", 0, text);
}

static void
add_pins(struct status *s, const struct ca *ca)
{
	char text[2048];
	size_t i;

	for (i = 0; ca->pins != NULL && i < ca->pins->n; i++) {
		const struct pin *pin = &ca->pins->v[i];

		if (pin->told == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "pinned template %s: %s",
		    pin->file, pin->told);
		add(s, "pin", pin->since, text);
	}
}

static void
add_unrecorded(struct status *s, const struct ca *ca)
{
	char hex[2 * AE_DB_SERIAL_MAX + 1], text[192];
	size_t i;

	for (i = 0; i < ca->nunrecorded; i++) {
		ae_hex_encode(
		    hex, ca->unrecorded[i].serial, ca->unrecorded[i].len);
		(void)snprintf(text, sizeof(text),
		    "a signer has signed the certificate %s, and no request "
		    "has it, event 7",
		    hex);
		add(s, "signature", ca->unrecorded[i].at, text);
	}
}

static void
collect(struct status *s, const struct ca *ca)
{
	size_t i;

	if (ca->suspended)
		add(s, "database", 0,
		    "the database is behind what was given out: nothing is "
		    "issued until \"certsrv restore acknowledge\", event 1");
	if (ca->snapshot == NULL)
		add(s, "directory", 0,
		    "no domain controller has answered since the start");
	else if (ca->told_stale)
		add(s, "directory", 0,
		    "no domain controller answers: nothing is decided, event "
		    "91");
	if (ca->told_ntauth)
		add(s, "ntauth", 0,
		    "the CA's certificate is not in NTAuthCertificates, event "
		    "93");
	if (ca->told_xchg)
		add(s, "exchange", 0,
		    "there is no exchange certificate: no key can be "
		    "archived, event 96");
	if (!signers_well(ca))
		add(s, "signers", 0, "no signer has the CA's key at hand");
	for (i = 0; i < ca->file.list.nkeys; i++) {
		add_crl(s, &ca->crl[i], ca->file.list.keys[i].index, false);
		add_crl(s, &ca->delta[i], ca->file.list.keys[i].index, true);
	}
	add_pins(s, ca);
	add_unrecorded(s, ca);
}

int
local_status(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct admin *a = arg;
	struct status s = { .n = 0 };
	struct ae_err why = AE_ERR_INIT;
	struct ae_wr w;

	(void)e;
	ae_wr_init(&s.w, MSG_ROWS_MAX - 4);
	collect(&s, a->ca);
	ae_wr_init(&w, MSG_ROWS_MAX);
	ae_wr_u32(&w, s.n);
	ae_wr_bytes(&w, s.w.p, s.w.len);
	if (!ae_wr_ok(&s.w) || !ae_wr_ok(&w) ||
	    ae_ipc_send(ipc, MSG_ADMIN_STATUS_IS, m->id, w.p, w.len, -1, &why) <
		0)
		log_line(a->ca->p, AE_LOG_WARNING, "the status for %s: %s",
		    a->at.who, why.text);
	ae_wr_done(&s.w);
	ae_wr_done(&w);
	return AE_OK;
}
