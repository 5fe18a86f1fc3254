/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The tables are sound, and impacket's requests are what they describe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "dcom/actprops.h"
#include "dcom/wire.h"
#include "fixture.h"
#include "hexfile.h"

static void
sound(void **state)
{
	static const struct ae_ndr_type *const all[] = { &ae_dcom_version_type,
		&ae_dcom_this_type, &ae_dcom_that_type, &ae_dcom_mip_type,
		&ae_dcom_std_type, &ae_dcom_dsa_type,
		&ae_dcom_custom_header_type, &ae_dcom_instantiation_type,
		&ae_dcom_special_type, &ae_dcom_scm_request_type,
		&ae_dcom_activation_context_type, &ae_dcom_location_type,
		&ae_dcom_security_info_type, &ae_dcom_scm_reply_type,
		&ae_dcom_props_out_type, &ae_dcom_resolve_in_type,
		&ae_dcom_resolve_out_type, &ae_dcom_resolve2_out_type,
		&ae_dcom_simple_ping_in_type, &ae_dcom_complex_ping_in_type,
		&ae_dcom_complex_ping_out_type, &ae_dcom_status_out_type,
		&ae_dcom_alive2_out_type, &ae_dcom_remote_activation_in_type,
		&ae_dcom_remote_activation_out_type,
		&ae_dcom_create_instance_in_type, &ae_dcom_get_class_in_type,
		&ae_dcom_activate_out_type, &ae_dcom_rem_qi_in_type,
		&ae_dcom_rem_qi_out_type, &ae_dcom_rem_qi2_in_type,
		&ae_dcom_rem_qi2_out_type, &ae_dcom_refs_in_type,
		&ae_dcom_add_ref_out_type, &ae_dcom_orpc_out_type,
		&ae_dcom_factory_create_in_type,
		&ae_dcom_factory_create_out_type,
		&ae_dcom_factory_lock_in_type };
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (ae_ndr_lint(all[i], &e) != AE_OK)
			fail_msg("%s", e.text);
}

/* The rows' UUIDs are the identifiers the rest of the code compares with. */
static void
rows_and_identifiers(void **state)
{
	(void)state;
	assert_ptr_equal(fixture_find(&ae_dcom_iid_object_exporter),
	    &ae_dcom_object_exporter_iface);
	assert_ptr_equal(
	    fixture_find(&ae_dcom_iid_activation), &ae_dcom_activation_iface);
	assert_ptr_equal(
	    fixture_find(&ae_dcom_iid_scm_activator), &ae_dcom_scm_iface);
	assert_ptr_equal(
	    fixture_find(&ae_dcom_iid_rem_unknown), &ae_dcom_rem_unknown_iface);
	assert_ptr_equal(fixture_find(&ae_dcom_iid_rem_unknown2),
	    &ae_dcom_rem_unknown2_iface);
	assert_ptr_equal(fixture_find(&ae_dcom_iid_class_factory),
	    &ae_dcom_class_factory_iface);
}

static void
versions(void **state)
{
	static const struct {
		struct ae_dcom_version v;
		bool ok;
	} all[] = {
		{ { 5, 1 }, true },
		{ { 5, 2 }, true },
		{ { 5, 3 }, false },
		{ { 5, 4 }, true },
		{ { 5, 5 }, false },
		{ { 5, 6 }, true },
		{ { 5, 7 }, true },
		{ { 5, 8 }, false },
		{ { 5, 0 }, false },
		{ { 4, 7 }, false },
		{ { 6, 1 }, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(ae_dcom_version_ok(&all[i].v), all[i].ok);
}

/* Decodes a vector; the caller frees the arena. */
static struct ae_arena *
load(const char *name, const struct ae_ndr_type *t, void *out)
{
	struct ae_arena *a = ae_arena_new(1 << 20);
	struct ae_err e = AE_ERR_INIT;
	size_t len, used;
	uint8_t *p = ae_hexfile(AE_VECTORS, name, &len);

	if (ae_ndr_decode(t, out, p, len, false, a, &used, &e) != AE_OK)
		fail_msg("%s: %s", name, e.text);
	assert_int_equal(used, len);
	free(p);
	return a;
}

static void
impacket_create_instance(void **state)
{
	struct ae_dcom_create_instance_in in;
	struct ae_dcom_props_in props;
	struct ae_err e = AE_ERR_INIT;
	struct ae_arena *a;
	uint32_t hr = 0;

	(void)state;
	a = load("dcom-impacket-create-instance.hex",
	    &ae_dcom_create_instance_in_type, &in);
	assert_int_equal(in.this.version.minor, 7);
	assert_int_equal(in.this.flags, 1);
	assert_true(ae_guid_equal(&in.this.cid, &fixture_cid));
	assert_null(in.outer);
	if (ae_dcom_props_in_get(&props, in.props, a, &hr, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_true(ae_guid_equal(&props.clsid, &fixture_clsid));
	assert_int_equal(props.niids, 1);
	assert_true(ae_guid_equal(&props.iids[0], &fixture_iid));
	ae_arena_free(a);
}

static void
impacket_remote_activation(void **state)
{
	struct ae_dcom_remote_activation_in in;
	struct ae_arena *a;

	(void)state;
	a = load("dcom-impacket-remote-activation.hex",
	    &ae_dcom_remote_activation_in_type, &in);
	assert_true(ae_guid_equal(&in.clsid, &fixture_clsid));
	assert_int_equal(in.n, 1);
	assert_true(ae_guid_equal(&in.iids[0], &fixture_iid));
	assert_int_equal(in.nprotseqs, 1);
	assert_int_equal(in.protseqs[0], AE_DCOM_TOWER_TCP);
	assert_int_equal(in.mode, 0);
	/* It sends an empty array of extensions. */
	assert_int_equal(in.this.extensions->size, 0);
	ae_arena_free(a);
}

static void
impacket_others(void **state)
{
	struct ae_dcom_complex_ping_in ping;
	struct ae_dcom_resolve_in resolve;
	struct ae_dcom_rem_qi_in qi;
	struct ae_dcom_refs_in refs;
	struct ae_arena *a;

	(void)state;
	a = load("dcom-impacket-resolve-oxid2.hex", &ae_dcom_resolve_in_type,
	    &resolve);
	assert_int_equal(resolve.oxid, 0x1122334455667788);
	assert_int_equal(resolve.protseqs[0], 7);
	ae_arena_free(a);
	a = load("dcom-impacket-complex-ping.hex",
	    &ae_dcom_complex_ping_in_type, &ping);
	assert_int_equal(ping.nadd, 1);
	assert_int_equal(ping.add[0], 0x0102030405060708);
	assert_int_equal(ping.ndel, 0);
	ae_arena_free(a);
	a = load("dcom-impacket-rem-query-interface.hex",
	    &ae_dcom_rem_qi_in_type, &qi);
	assert_int_equal(qi.refs, 5);
	assert_true(ae_guid_equal(&qi.iids[0], &fixture_iid2));
	ae_arena_free(a);
	a = load("dcom-impacket-rem-release.hex", &ae_dcom_refs_in_type, &refs);
	assert_int_equal(refs.n, 1);
	assert_int_equal(refs.refs[0].public_refs, 5);
	ae_arena_free(a);
}

/* Extents are rounded to 8 octets and to an even number, 2.2.13. */
static void
extensions(void **state)
{
	uint8_t octets[16] = "extension";
	struct ae_dcom_extent one = {
		.id = fixture_iid, .size = 9, .data = octets
	};
	struct ae_dcom_extent *both[2] = { &one, NULL };
	struct ae_dcom_extents x = { .size = 1, .extent = both };
	struct ae_dcom_this this = { .version = { 5, 7 }, .extensions = &x };
	struct ae_arena *a = ae_arena_new(1 << 16);
	struct ae_dcom_this back;
	struct ae_wr w;

	(void)state;
	ae_wr_init(&w, 4096);
	assert_int_equal(ae_ndr_encode(&ae_dcom_this_type, &this, &w, NULL), 0);
	assert_int_equal(w.len % 8, 0);
	assert_int_equal(w.len, 32 + 12 + 4 + 8 + 4 + 20 + 16);
	assert_int_equal(ae_ndr_decode(&ae_dcom_this_type, &back, w.p, w.len,
			     false, a, NULL, NULL),
	    AE_OK);
	assert_int_equal(back.extensions->size, 1);
	assert_int_equal(back.extensions->extent[0]->size, 9);
	assert_string_equal(
	    (char *)back.extensions->extent[0]->data, "extension");
	/* More of them than anybody needs. */
	ae_wr_set_u32(&w, 32, 17);
	ae_wr_set_u32(&w, 44, 18);
	assert_int_equal(ae_ndr_decode(&ae_dcom_this_type, &back, w.p, w.len,
			     false, a, NULL, NULL),
	    AE_ELIMIT);
	ae_wr_done(&w);
	ae_arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound),
		cmocka_unit_test(rows_and_identifiers),
		cmocka_unit_test(versions),
		cmocka_unit_test(impacket_create_instance),
		cmocka_unit_test(impacket_remote_activation),
		cmocka_unit_test(impacket_others),
		cmocka_unit_test(extensions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
