/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of deploy/conf.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "deploy/conf.h"
#include "mutate.h"
#include "torture.h"

static const char good[] = "# ours\n"
			   "[template Web]\n"
			   "fullchain = /etc/nginx/web.pem\n"
			   "fullchain = /etc/haproxy/web.pem\n"
			   "key = /etc/nginx/web.key\n"
			   "owner = nginx\n"
			   "mode = 0640\n"
			   "post-hook = /usr/local/sbin/told a b\n"
			   "reload = nginx.service\n"
			   "[template  Web Server]\n"
			   "pkcs12 = /srv/%T.p12\n"
			   "pkcs12-password-file = /etc/p12\n"
			   "hook-timeout = 5m\n"
			   "[template *]\n"
			   "bundle = /srv/100%%/%T.pem\n"
			   "[template Web]\n"
			   "cert = /etc/postfix/web.pem";

static int
parse(struct ae_deploy_conf *c, const char *text, struct ae_err *e)
{
	return ae_deploy_conf_parse(c, "d.conf", text, strlen(text), e);
}

static void
sections_come_in_order(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_deploy_conf c;

	(void)state;
	if (parse(&c, good, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(c.n, 4);
	assert_string_equal(c.v[0].tmpl, "Web");
	assert_int_equal(c.v[0].line, 2);
	assert_int_equal(c.v[0].targets[AE_DEPLOY_FULLCHAIN].n, 2);
	assert_string_equal(
	    c.v[0].targets[AE_DEPLOY_KEY].v[0], "/etc/nginx/web.key");
	assert_true(c.v[0].has_mode);
	assert_int_equal(c.v[0].mode, 0640);
	assert_int_equal(c.v[0].hook_timeout, 60);
	assert_string_equal(c.v[0].post_hooks.v[0], "/usr/local/sbin/told a b");
	assert_string_equal(c.v[1].tmpl, "Web Server");
	assert_int_equal(c.v[1].hook_timeout, 300);
	assert_null(c.v[1].owner);
	assert_string_equal(
	    c.v[3].targets[AE_DEPLOY_CERT].v[0], "/etc/postfix/web.pem");
	assert_true(ae_deploy_section_for(&c.v[0], "web"));
	assert_false(ae_deploy_section_for(&c.v[0], "Web Server"));
	assert_true(ae_deploy_section_for(&c.v[2], "Anything"));
	ae_deploy_conf_done(&c);
	assert_int_equal(c.n, 0);
}

static void
an_empty_file_is_no_error(void **state)
{
	struct ae_deploy_conf c;

	(void)state;
	assert_int_equal(parse(&c, "# nothing yet\n", NULL), AE_OK);
	assert_int_equal(c.n, 0);
	ae_deploy_conf_done(&c);
}

static void
errors_say_where(void **state)
{
	static const struct {
		const char *text, *starts;
	} bad[] = {
		{ "cert = /x", "d.conf:1:1: unknown key 'cert'" },
		{ "[web]", "d.conf:1:1: unknown section [web]" },
		{ "[template]", "d.conf:1:1: unknown section [template]" },
		{ "[templates X]", "d.conf:1:1: unknown section" },
		{ "[template  ]", "d.conf:1:11: this is not the name" },
		{ "[template a/b]", "d.conf:1:11: this is not the name" },
		{ "[template ../x]", "d.conf:1:11: this is not the name" },
		{ "[template W]\ncret = /x", "d.conf:2:1: unknown key 'cret'" },
		{ "[template W]\ncert = x", "d.conf:2:8: 'cert': an absolute" },
		{ "[template W]\n  cert =  ", "d.conf:2:9: 'cert': an abso" },
		{ "[template W]\ncert = /x/", "d.conf:2:8: 'cert': an absol" },
		{ "[template W]\ncert = /a/../x", "d.conf:2:8: 'cert': '.'" },
		{ "[template W]\ncert = /a/./x", "d.conf:2:8: 'cert': '.'" },
		{ "[template W]\ncert = /%S", "d.conf:2:8: 'cert': after '%'" },
		{ "[template W]\ncert = /x%", "d.conf:2:8: 'cert': after '%'" },
		{ "[template W]\nmode = 0666", "d.conf:2:8: 'mode': a file" },
		{ "[template W]\nmode = 04755", "d.conf:2:8: 'mode': a mode" },
		{ "[template W]\nmode = rw", "d.conf:2:8: 'mode': a mode" },
		{ "[template W]\nowner = a:b", "d.conf:2:9: 'owner': this is" },
		{ "[template W]\nowner = a\nowner = b",
		    "d.conf:3:1: 'owner' is set a second time" },
		{ "[template W]\nreload = -x", "d.conf:2:10: 'reload': this" },
		{ "[template W]\nreload = a b", "d.conf:2:10: 'reload': this" },
		{ "[template W]\npost-hook = sh -c x",
		    "d.conf:2:13: 'post-hook': an absolute" },
		{ "[template W]\nhook-timeout = 0s", "d.conf:2:16: " },
		{ "[template W]\nnm-type = token", "d.conf:2:11: 'nm-type'" },
		{ "\n[template W]\npkcs12 = /x",
		    "d.conf:2:1: pkcs12 needs pkcs12-password-file" },
		{ "[template W]\nnm-type = wifi\nnm-connection = /x",
		    "d.conf:1:1: nm-type = wifi needs nm-ssid" },
		{ "[template *]\ncert = /x", "d.conf:1:1: a target of" },
		{ "[template *]\ncert = /x%%T", "d.conf:1:1: a target of" },
		{ "[template W]\nmode = 0644\nkey = /x",
		    "d.conf:1:1: with this mode everybody" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ae_err e = AE_ERR_INIT;
		struct ae_deploy_conf c = { 0 };

		assert_int_equal(parse(&c, bad[i].text, &e), AE_EINVAL);
		if (strncmp(e.text, bad[i].starts, strlen(bad[i].starts)) != 0)
			fail_msg("'%s' gave '%s'", bad[i].text, e.text);
		assert_int_equal(c.n, 0);
	}
}

/* What is set in one section is not a second time in the next. */
static void
sections_do_not_mix(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_deploy_conf c;

	(void)state;
	assert_int_equal(
	    parse(&c, "[template A]\nowner = x\n[template B]\nowner = y", &e),
	    AE_OK);
	assert_string_equal(c.v[0].owner, "x");
	assert_string_equal(c.v[1].owner, "y");
	ae_deploy_conf_done(&c);
}

static void
templates_in_paths(void **state)
{
	char out[AE_DEPLOY_PATH_MAX], longest[AE_DEPLOY_PATH_MAX * 2];

	(void)state;
	assert_true(ae_deploy_expand(out, "/a/%T/%%/%T.pem", "Web"));
	assert_string_equal(out, "/a/Web/%/Web.pem");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(ae_deploy_expand(out, longest, "Web"));
	assert_false(ae_deploy_expand(out, "/a/%T", longest));
}

static void
parse_any(const uint8_t *p, size_t len, void *arg)
{
	struct ae_deploy_conf c;
	struct ae_err e = AE_ERR_INIT;

	if (ae_deploy_conf_parse(&c, "m", (const char *)p, len, &e) != AE_OK)
		return;
	++*(size_t *)arg;
	ae_deploy_conf_done(&c);
}

static bool
parse_work(void *arg)
{
	struct ae_deploy_conf c;

	if (parse(&c, arg, NULL) != AE_OK)
		return false;
	ae_deploy_conf_done(&c);
	return true;
}

static void
hostile(void **state)
{
	char copy[sizeof(good)];
	size_t ok = 0;

	(void)state;
	(void)ae_mutate(
	    (const uint8_t *)good, sizeof(good) - 1, parse_any, &ok);
	assert_true(ok > 0);
	memcpy(copy, good, sizeof(good));
	assert_true(ae_torture(parse_work, copy, 100, true) >= 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_come_in_order),
		cmocka_unit_test(an_empty_file_is_no_error),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(sections_do_not_mix),
		cmocka_unit_test(templates_in_paths),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
