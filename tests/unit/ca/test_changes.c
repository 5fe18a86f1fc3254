/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What is told of a template that somebody changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ca/changes.h"
#include "fixture.h"
#include "pki/oid.h"

static struct fx f, g;

static int
setup(void **state)
{
	(void)state;
	fx_reset(&f);
	fx_reset(&g);
	return 0;
}

/* From f's template to g's: this many, and this text. */
static void
told(size_t n, const char *text)
{
	struct ae_wr w;

	ae_wr_init(&w, 4096);
	assert_int_equal(ae_ca_template_changes(&w, &f.t, &g.t), n);
	assert_string_equal(n == 0 ? "" : ae_wr_cstr(&w), text);
	ae_wr_done(&w);
}

static void
esc4_each_change_is_told(void **state)
{
	const struct {
		uint32_t *at, value;
		const char *text;
	} v[] = {
		{ &g.t.name_flag, 1,
		    "msPKI-Certificate-Name-Flag 0x18000000 -> 0x00000001" },
		{ &g.t.enrollment_flag, 0x22,
		    "msPKI-Enrollment-Flag 0x00000020 -> 0x00000022" },
		{ &g.t.private_key_flag, 0x10,
		    "msPKI-Private-Key-Flag 0x00000000 -> 0x00000010" },
		{ &g.t.ra_signature, 1, "msPKI-RA-Signature 0 -> 1" },
		{ &g.t.min_key_size, 1024,
		    "msPKI-Minimal-Key-Size 256 -> 1024" },
		{ &g.t.flags, 0, "flags 0x00000040 -> 0x00000000" },
		{ &g.t.schema_version, 1,
		    "msPKI-Template-Schema-Version 2 -> 1" },
	};
	uint32_t was;
	size_t i;

	(void)state;
	told(0, "");
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		was = *v[i].at;
		*v[i].at = v[i].value;
		told(1, v[i].text);
		*v[i].at = was;
	}
	/* what decides nothing is no news */
	g.t.minor_revision++;
	told(0, "");
}

static void
esc4_lists_and_permissions(void **state)
{
	struct ae_sd *sd;

	(void)state;
	ae_strv_done(&g.t.ekus);
	assert_true(ae_strv_add(&g.t.ekus, AE_OID_EKU_SERVER_AUTH));
	assert_true(ae_strv_add(&g.t.ekus, AE_OID_EKU_ANY));
	assert_true(ae_strv_add(&g.t.certificate_policies, "1.2.3"));
	told(2,
	    "pKIExtendedKeyUsage -1.3.6.1.5.5.7.3.2 +2.5.29.37.0; "
	    "msPKI-Certificate-Policy +1.2.3");
	fx_reset(&g);
	sd = g.t.sd;
	assert_int_equal(
	    ae_sd_allow(sd, 0, AE_ACCESS_WRITE_DAC, NULL, &g.user, &g.e),
	    AE_OK);
	told(1, "nTSecurityDescriptor +S-1-5-21-1-2-3-1104(allow 0x00040000)");
	ae_sd_free(g.t.sd); /* taken away, or not readable any more */
	g.t.sd = NULL;
	{
		struct ae_wr w;

		ae_wr_init(&w, 4096);
		assert_int_equal(ae_ca_template_changes(&w, &f.t, &g.t), 1);
		assert_non_null(strstr(ae_wr_cstr(&w), " -S-1-5-21-"));
		ae_wr_done(&w);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(esc4_each_change_is_told),
		T(esc4_lists_and_permissions),
	};
	int n;

	if (!fx_begin(&f) || !fx_begin(&g))
		return 1;
	n = cmocka_run_group_tests(tests, NULL, NULL);
	fx_end(&f);
	fx_end(&g);
	return n;
}
