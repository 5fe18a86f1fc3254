/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Arbitrary request bytes before a CA with fixed templates.  The first byte
 * chooses the format claimed, and whether it is a renewal by other hands.
 * Whatever is issued must pass the signer's own check; of the rules some
 * passed, one decided, and the rest was not reached.
 */
#include <stdint.h>
#include <stdlib.h>

#include "ca/signcheck.h"
#include "fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
look_at_rulings(const struct ae_decision *d)
{
	size_t i = 0;

	while (i < d->nrulings && d->rulings[i].outcome == AE_CA_HELD)
		i++;
	if (i == d->nrulings || d->rulings[i].outcome != AE_CA_DECIDED)
		abort();
	for (i++; i < d->nrulings; i++)
		if (d->rulings[i].outcome != AE_CA_NOT_REACHED)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct fx f;
	static bool ready;
	struct ae_ca_sign_config cfg;

	if (!ready)
		ready = fx_begin(&f);
	if (!ready || len < 1)
		return 0;
	f.rq.flags = (uint32_t)(p[0] & 7) << 8;
	if (p[0] & 0x40)
		f.rq.flags |= AE_CR_IN_ROBO;
	f.cfg.allow_renew_on_behalf = true;
	f.answers.answered |= AE_CA_ASK_ROW_CERTS | AE_CA_ASK_SUBJECT;
	f.answers.subject = f.answers.requester;
	f.rq.attributes = p[0] & 0x80 ? NULL : "CertificateTemplate:Other";
	f.rq.csr = (struct ae_wcce_blob){ p + 1, len - 1 };
	fx_decide(&f);
	look_at_rulings(&f.d);
	if (f.d.verdict != AE_CA_ISSUE)
		return 0;
	cfg = (struct ae_ca_sign_config){ .issuer = f.ca_cert->subject,
		.keyid = f.ca_cert->x.ski,
		.sigalg = f.cfg.sigalg,
		.ca_not_before = f.ca_cert->not_before,
		.ca_not_after = f.ca_cert->not_after,
		.max_lifetime = f.cfg.max_validity,
		.max_backdate = f.cfg.clock_skew,
		.serial_instance = f.cfg.serial_instance,
		.rsa_bits_min = 2048,
		.rsa_bits_max = 4096 };
	if (ae_ca_sign_check(&cfg, f.d.tbs, f.d.tbs_len, FX_NOW, NULL) != AE_OK)
		abort();
	return 0;
}
