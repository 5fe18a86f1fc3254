/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Kerberos and DCOM authorization on the way to each CA: what the KDC says
 * about the service, and how the CA's host refuses whom it knows.
 */
#include "diag/way.h"

/* clang-format off */
#define AFTER_NET AFTER_DIRECTORY " dns.* net.*"
#define WAY(id, after) { id, "dcom", after, ae_diag_judge_way }

const struct ae_diag_check ae_diag_auth[] = {
	WAY("auth.ntlm-only-blocked", AFTER_NET),
	WAY("auth.spn-duplicate", AFTER_NET),
	WAY("auth.spn-missing", AFTER_NET),
	WAY("auth.enctype", AFTER_NET),
	WAY("auth.selective-authentication", AFTER_NET),
	WAY("auth.protected-users", AFTER_NET),
	WAY("auth.silo", AFTER_NET),
	WAY("dcom.restrict-unauth-gpo", AFTER_NET),
	WAY("auth.network-logon-denied", AFTER_NET),
	WAY("dcom.access-group-empty", AFTER_NET " auth.*"),
	WAY("dcom.limits", AFTER_NET " auth.*"),
	WAY("dcom.disabled", AFTER_NET " auth.*"),
	WAY("dcom.integrity-required", AFTER_NET " auth.*"),
	WAY("rpc.privacy-required", AFTER_NET " auth.*"),
	WAY("rpc.sec-pkg-error", AFTER_NET " auth.*"),
	WAY("rpc.invalid-checksum", AFTER_NET " auth.*"),
	WAY("ca.interface-flags", AFTER_NET " auth.*"),
	{ 0 },
};
/* clang-format on */
