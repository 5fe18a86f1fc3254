/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * PAC buffers, as Samba packs them and as MS-PAC prints one, to a caller.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "gss/pac.h"
#include "hexfile.h"
#include "mutate.h"
#include "torture.h"

#define DOMAIN "S-1-5-21-1004336348-1177238915-682003330"

static struct ae_pac_buf
load(const char *name)
{
	struct ae_pac_buf b;

	b.p = ae_hexfile(AE_VECTORS, name, &b.len);
	return b;
}

static struct ae_pac_buf logon, client, upn, upn_ex, requester;

static int
setup(void **state)
{
	(void)state;
	logon = load("gss-pac-logon.hex");
	client = load("gss-pac-client.hex");
	upn = load("gss-pac-upn.hex");
	upn_ex = load("gss-pac-upn-ex.hex");
	requester = load("gss-pac-requester.hex");
	return 0;
}

static void
drop(const struct ae_pac_buf *b)
{
	free((void *)(uintptr_t)b->p);
}

static int
teardown(void **state)
{
	(void)state;
	drop(&logon);
	drop(&client);
	drop(&upn);
	drop(&upn_ex);
	drop(&requester);
	return 0;
}

static struct ae_pac
whole(void)
{
	return (struct ae_pac){ .logon = logon,
		.client = client,
		.upn_dns = upn,
		.requester = requester,
		.principal = "PC1$@EXAMPLE.COM" };
}

/* Is sid in the set, and from exactly these sources? */
static void
expect_sid(const struct ae_caller *c, const char *text, uint8_t from)
{
	struct ae_sid sid;
	size_t i;

	assert_true(ae_sid_parse(&sid, text));
	assert_int_equal(ae_caller_has(c, &sid), from != 0);
	for (i = 0; i < c->nsids; i++)
		if (ae_sid_equal(&c->sids[i], &sid))
			assert_int_equal(c->from[i], from);
}

static void
everything(void **state)
{
	struct ae_caller *c = NULL;
	struct ae_pac pac = whole();
	char text[AE_SID_STR_MAX];
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	(void)state;
	if (ae_pac_caller(&c, &pac, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_string_equal(ae_sid_print(text, &c->user), DOMAIN "-1104");
	assert_string_equal(ae_sid_print(text, &c->domain_sid), DOMAIN);
	assert_string_equal(c->account, "PC1$");
	assert_string_equal(c->netbios, "EXAMPLE");
	assert_string_equal(c->dns_domain, "example.com");
	assert_string_equal(c->realm, "EXAMPLE.COM");
	assert_string_equal(c->upn, "pc1$@example.com");
	assert_string_equal(c->principal, "PC1$@EXAMPLE.COM");
	assert_int_equal(c->uac, AE_CALLER_UAC_WORKSTATION);
	assert_int_equal(c->logon_time, 1705526400);
	assert_int_equal(c->auth_time, 1705526401);
	assert_false(c->delegated);

	assert_int_equal(c->nsids, 6);
	expect_sid(c, DOMAIN "-1104", AE_CALLER_FROM_USER);
	expect_sid(
	    c, DOMAIN "-515", AE_CALLER_FROM_PRIMARY | AE_CALLER_FROM_GROUPS);
	expect_sid(
	    c, DOMAIN "-1120", AE_CALLER_FROM_GROUPS | AE_CALLER_FROM_EXTRA);
	expect_sid(c, DOMAIN "-5555", AE_CALLER_FROM_EXTRA);
	expect_sid(c, "S-1-18-1", AE_CALLER_FROM_EXTRA);
	expect_sid(c, DOMAIN "-1139", AE_CALLER_FROM_RESOURCE);
	/* not enabled */
	expect_sid(c, DOMAIN "-1121", 0);
	expect_sid(c, DOMAIN "-5556", 0);
	expect_sid(c, DOMAIN "-1140", 0);
	for (i = 1; i < c->nsids; i++)
		assert_true(ae_sid_compare(&c->sids[i - 1], &c->sids[i]) < 0);
	ae_caller_free(c);
}

static void
without_extras(void **state)
{
	struct ae_pac pac = whole();
	struct ae_caller *c = NULL;

	(void)state;
	pac.upn_dns = (struct ae_pac_buf){ NULL, 0 };
	pac.requester = (struct ae_pac_buf){ NULL, 0 };
	pac.delegated = client; /* its presence is what counts */
	assert_int_equal(ae_pac_caller(&c, &pac, NULL), AE_OK);
	assert_null(c->upn);
	assert_string_equal(c->dns_domain, "example.com");
	assert_true(c->delegated);
	ae_caller_free(c);
	/* an account without a UPN: the made-up one is none */
	pac.upn_dns = upn_ex;
	assert_int_equal(ae_pac_caller(&c, &pac, NULL), AE_OK);
	assert_null(c->upn);
	ae_caller_free(c);
}

/* MS-PAC 3.1: a user of long ago, with groups, extra SIDs, no UPN. */
static void
specification_example(void **state)
{
	static const uint8_t info[] = { 0x00, 0x49, 0xd9, 0x0e, 0x65, 0x6a,
		0xc6, 0x01, 0x08, 0x00, 0x6c, 0x00, 0x7a, 0x00, 0x68, 0x00,
		0x75, 0x00 };
	struct ae_pac pac = { .principal = "lzhu@NTDEV.MICROSOFT.COM" };
	struct ae_caller *c = NULL;
	struct ae_err e = AE_ERR_INIT;
	char text[AE_SID_STR_MAX];

	(void)state;
	pac.logon = load("ndr-mspac-logon-info.hex");
	pac.client = (struct ae_pac_buf){ info, sizeof(info) };
	if (ae_pac_caller(&c, &pac, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_string_equal(c->account, "lzhu");
	assert_string_equal(c->netbios, "NTDEV");
	assert_string_equal(c->dns_domain, "ntdev.microsoft.com");
	assert_string_equal(ae_sid_print(text, &c->domain_sid),
	    "S-1-5-21-397955417-626881126-188441444");
	expect_sid(c, "S-1-5-21-397955417-626881126-188441444-3392609",
	    AE_CALLER_FROM_GROUPS);
	assert_int_equal(c->auth_time, 1146188570);
	/* user, primary (among the 26 groups), groups, 13 extra */
	assert_int_equal(c->nsids, 1 + 26 + 13);
	ae_caller_free(c);
	drop(&pac.logon);
}

/* The first place where needle is found in a copy of b, to be changed. */
static uint8_t *
find(struct ae_pac_buf *b, const void *needle, size_t len)
{
	uint8_t *copy = malloc(b->len), *at;

	assert_non_null(copy);
	memcpy(copy, b->p, b->len);
	b->p = copy;
	at = memmem(copy, b->len, needle, len);
	assert_non_null(at);
	return at;
}

static void
refused(const struct ae_pac *pac, int want, const char *why)
{
	struct ae_caller *c = NULL;
	struct ae_err e = AE_ERR_INIT;
	int rc = ae_pac_caller(&c, pac, &e);

	if (rc != want || strstr(e.text, why) == NULL)
		fail_msg("%d instead of %d: %s", rc, want, e.text);
	assert_null(c);
}

static void
cve_2020_25717_contradictions(void **state)
{
	struct ae_pac pac = whole();
	const uint8_t rid[] = { 0x50, 0x04, 0, 0 }; /* 1104 */
	uint8_t *at;

	(void)state;
	/* The ticket was asked for by somebody else. */
	at = find(&pac.requester, rid, 4);
	at[0] ^= 1;
	refused(&pac, AE_EAUTH, "another account");
	drop(&pac.requester);
	pac = whole();
	pac.upn_dns = upn_ex;
	at = find(&pac.upn_dns, rid, 4);
	at[0] ^= 1;
	refused(&pac, AE_EAUTH, "another SID");
	drop(&pac.upn_dns);
	/* Nobody: RID 0. */
	pac = whole();
	at = find(&pac.logon, rid, 4);
	at[0] = at[1] = 0;
	refused(&pac, AE_EAUTH, "no RID");
	drop(&pac.logon);
}

static void
cve_2020_25717_missing_parts(void **state)
{
	const struct ae_pac_buf none = { NULL, 0 };
	struct ae_pac pac = whole();

	(void)state;
	pac.logon = none;
	refused(&pac, AE_EAUTH, "without");
	pac = whole();
	pac.client = none;
	refused(&pac, AE_EAUTH, "without");
	pac = whole();
	pac.client.len = 7;
	refused(&pac, AE_EPROTO, "short");
	pac = whole();
	pac.principal = "PC1$";
	refused(&pac, AE_EAUTH, "realm");
	pac.principal = "PC1$@";
	refused(&pac, AE_EAUTH, "realm");
	pac = whole();
	pac.upn_dns.len = 11;
	refused(&pac, AE_EPROTO, "UPN_DNS_INFO");
	pac = whole();
	pac.upn_dns.len = 0x45; /* behind it: padding */
	refused(&pac, AE_EPROTO, "UPN_DNS_INFO");
	pac = whole();
	pac.requester.len--;
	refused(&pac, AE_EPROTO, "requester");
	pac = whole();
	pac.logon.len -= 8;
	refused(&pac, AE_EPROTO, "logon information");
	pac.logon.len = 0;
	refused(&pac, AE_EPROTO, "logon information");
}

static void
encode_back(void **state)
{
	struct ae_arena *a = ae_arena_new(AE_PAC_ARENA_MAX);
	struct ae_pac_logon_info li, again;
	struct ae_wr w;

	(void)state;
	assert_int_equal(ae_ndr_lint(&ae_ndr_pac_logon_info, NULL), AE_OK);
	assert_int_equal(ae_ndr_unpickle(&ae_ndr_pac_logon_info, &li, logon.p,
			     logon.len, a, NULL, NULL),
	    AE_OK);
	assert_string_equal(li.info->full_name, "Caf\xc3\xa9 PC");
	ae_wr_init(&w, 65536);
	assert_int_equal(
	    ae_ndr_pickle(&ae_ndr_pac_logon_info, &li, &w, NULL), AE_OK);
	assert_int_equal(ae_ndr_unpickle(&ae_ndr_pac_logon_info, &again, w.p,
			     w.len, a, NULL, NULL),
	    AE_OK);
	assert_int_equal(again.info->sid_count, 4);
	assert_string_equal(again.info->logon_server, "DC1");
	ae_wr_done(&w);
	ae_arena_free(a);
}

/* Each mutation in turn stands for one of the buffers. */
static void
mutated(const uint8_t *p, size_t len, void *arg)
{
	struct ae_pac pac = whole();
	struct ae_pac_buf *slot =
	    (struct ae_pac_buf *)(void *)((char *)&pac + *(size_t *)arg);
	struct ae_caller *c = NULL;
	struct ae_rd r;
	struct ae_wr w;

	*slot = (struct ae_pac_buf){ p, len };
	if (ae_pac_caller(&c, &pac, NULL) != AE_OK) {
		assert_null(c);
		return;
	}
	/* Whatever is believed must survive the way to the next process. */
	ae_wr_init(&w, AE_CALLER_WIRE_MAX);
	ae_caller_encode(&w, c);
	assert_true(ae_wr_ok(&w));
	ae_caller_free(c);
	ae_rd_init(&r, w.p, w.len);
	assert_int_equal(ae_caller_decode(&c, &r, NULL), AE_OK);
	assert_true(ae_rd_done(&r));
	ae_caller_free(c);
	ae_wr_done(&w);
}

static void
cve_2022_42898_mutations(void **state)
{
	const struct {
		const struct ae_pac_buf *b;
		size_t slot;
	} rows[] = {
		{ &logon, offsetof(struct ae_pac, logon) },
		{ &client, offsetof(struct ae_pac, client) },
		{ &upn, offsetof(struct ae_pac, upn_dns) },
		{ &upn_ex, offsetof(struct ae_pac, upn_dns) },
		{ &requester, offsetof(struct ae_pac, requester) },
	};
	size_t i, slot;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		slot = rows[i].slot;
		assert_true(ae_mutate(rows[i].b->p, rows[i].b->len, mutated,
				&slot) > 100);
	}
}

static bool
once(void *arg)
{
	struct ae_pac pac = whole();
	struct ae_caller *c = NULL;

	(void)arg;
	pac.upn_dns = upn_ex;
	if (ae_pac_caller(&c, &pac, NULL) != AE_OK)
		return false;
	ae_caller_free(c);
	return true;
}

static void
torture(void **state)
{
	(void)state;
	assert_true(ae_torture(once, NULL, 200, true) > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(without_extras),
		cmocka_unit_test(specification_example),
		cmocka_unit_test(cve_2020_25717_contradictions),
		cmocka_unit_test(cve_2020_25717_missing_parts),
		cmocka_unit_test(encode_back),
		cmocka_unit_test(cve_2022_42898_mutations),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
