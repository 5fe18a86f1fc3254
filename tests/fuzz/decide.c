/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Arbitrary request bytes before a CA with fixed templates.  The first byte
 * chooses the format claimed.  Whatever is issued must pass the signer's
 * own check.
 */
#include <stdint.h>
#include <stdlib.h>

#include "ca/signcheck.h"
#include "fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

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
	f.rq.attributes = p[0] & 0x80 ? NULL : "CertificateTemplate:Other";
	f.rq.csr = (struct ae_wcce_blob){ p + 1, len - 1 };
	fx_decide(&f);
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
