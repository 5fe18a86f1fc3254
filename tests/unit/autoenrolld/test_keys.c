/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Settings of keys, what is at hand, and the PIN that is not tried again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "keys.h"
#include "pki/nte.h"
#include "scratch.h"

static char root[64];

static int
read_conf(struct client *c, const char *text, struct ae_err *e)
{
	*e = (struct ae_err)AE_ERR_INIT;
	scratch_write(root, "etc/autoenroll/autoenroll.conf", text);
	return client_init(c, root, false, e);
}

static int
make_root(void **state)
{
	(void)state;
	if (scratch_make(root) != 0)
		return -1;
	scratch_write(root, "var/lib/autoenroll/x", "");
	return 0;
}

static int
remove_root(void **state)
{
	(void)state;
	return scratch_remove(root);
}

static void
what_makes_no_sense(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "[providers]\nX = hsm\n", "[providers] X = hsm" },
		{ "[providers]\nX = TPM\n", "software, tpm, pkcs11 or none" },
		{ "[providers]\nX = tpm\nx = none\n", "a second time" },
		{ "[key-files]\nA = 0644\n", "[key-files] A = 0644" },
		{ "[key-files]\nA = 0777\n", "[key-files] A = 0777" },
		{ "[key-files]\nA = 0040\n", "[key-files] A = 0040" },
		{ "[key-files]\nA = root\n", "[key-files] A = root" },
		{ "[key-files]\nA = 0640 a b c\n", "[key-files] A" },
		{ "[keys]\npkcs11-token = pkcs11:token=x\n", "go together" },
		{ "[keys]\npkcs11-module = /x\n", "go together" },
		{ "[keys]\npkcs11-pin = 1234\n", "unknown key 'pkcs11-pin'" },
	};
	struct client c;
	struct ae_err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_conf(&c, rows[i].text, &e), AE_EINVAL);
		if (strstr(e.text, rows[i].says) == NULL)
			fail_msg("'%s' lacks '%s'", e.text, rows[i].says);
		client_done(&c);
	}
}

static void
at_hand(void **state)
{
	struct ae_providers p;
	struct client c;
	struct ae_err e;

	(void)state;
	assert_int_equal(read_conf(&c, "[keys]\ntpm = none\n", &e), AE_OK);
	keys_at_hand(&p, &c);
	assert_true(p.state[AE_PROVIDER_SOFTWARE].present);
	assert_int_equal(p.state[AE_PROVIDER_TPM].nte, NTE_DEVICE_NOT_FOUND);
	assert_int_equal(p.state[AE_PROVIDER_TOKEN].nte, NTE_DEVICE_NOT_FOUND);
	client_done(&c);
	assert_int_equal(
	    read_conf(&c,
		"[keys]\ntpm = device:/nowhere/tpm\n"
		"pkcs11-module = /nowhere.so\npkcs11-token = pkcs11:token=a\n"
		"[providers]\nA = tpm\n",
		&e),
	    AE_OK);
	keys_at_hand(&p, &c);
	assert_int_equal(p.state[AE_PROVIDER_TPM].nte, NTE_DEVICE_NOT_READY);
	assert_int_equal(
	    p.state[AE_PROVIDER_TOKEN].nte, NTE_PROV_DLL_NOT_FOUND);
	assert_int_equal(ae_provider_find(&p, "a"), AE_PROVIDER_TPM);
	client_done(&c);
	assert_int_equal(read_conf(&c,
			     "[keys]\ntpm = device:/dev/null\n"
			     "pkcs11-module = /dev/null\n"
			     "pkcs11-token = pkcs11:token=a\n",
			     &e),
	    AE_OK);
	keys_at_hand(&p, &c);
	assert_true(p.state[AE_PROVIDER_TPM].present);
	assert_true(p.state[AE_PROVIDER_TOKEN].present);
	client_done(&c);
}

static void
owners(void **state)
{
	struct key_owner o;
	struct client c;
	struct ae_err e;
	struct keys k;

	(void)state;
	assert_int_equal(read_conf(&c,
			     "[key-files]\n* = 0400\nWebServer = 0640 root "
			     "root\nOther = 0660\n",
			     &e),
	    AE_OK);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	assert_int_equal(keys_owner(&o, &k, "webserver", &e), AE_OK);
	assert_int_equal(o.mode, 0640);
	assert_int_equal(o.uid, 0);
	assert_int_equal(o.gid, 0);
	assert_int_equal(keys_owner(&o, &k, "Other", &e), AE_OK);
	assert_int_equal(o.mode, 0660);
	assert_int_equal(o.uid, (uid_t)-1);
	assert_int_equal(keys_owner(&o, &k, "None of these", &e), AE_OK);
	assert_int_equal(o.mode, 0400);
	keys_done(&k);
	client_done(&c);
	/* Said when a key is to be made, and only then. */
	assert_int_equal(
	    read_conf(&c, "[key-files]\nA = 0640 nobody-of-this-name\n", &e),
	    AE_OK);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	assert_int_equal(keys_owner(&o, &k, "B", &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "there is no user nobody-of-this-name"));
	keys_done(&k);
	client_done(&c);
}

/* What is remembered is which file it was, and nothing of its content. */
static void
refused_pins(void **state)
{
	static const mode_t shared[] = { 0640, 0604, 0620, 0644 };
	char pin[256], conf[512], marker[sizeof(((struct keys *)0)->marker)];
	struct client c;
	struct ae_err e;
	struct keys k;
	size_t i;
	FILE *f;

	(void)state;
	(void)snprintf(conf, sizeof(conf),
	    "[keys]\npkcs11-module = /nowhere.so\n"
	    "pkcs11-token = pkcs11:token=a\npkcs11-pin-file = %s/pin\n",
	    root);
	assert_int_equal(read_conf(&c, conf, &e), AE_OK);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	assert_non_null(strstr(k.conf.pin_refused, "no PIN: "));
	keys_done(&k);
	scratch_write(root, "pin", "1234\n");
	(void)snprintf(pin, sizeof(pin), "%s/pin", root);
	for (i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		assert_int_equal(chmod(pin, shared[i]), 0);
		assert_int_equal(keys_init(&k, &c, &e), AE_OK);
		assert_non_null(strstr(k.conf.pin_refused, "make it 0600"));
		assert_int_equal(k.pin.len, 0);
		keys_done(&k);
	}
	assert_int_equal(chmod(pin, 0400), 0);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	assert_null(k.conf.pin_refused);
	assert_int_equal(k.pin.len, 4);
	assert_memory_equal(k.pin.p, "1234", 4);
	assert_null(strstr(k.pin_mark, "1234 "));
	(void)snprintf(marker, sizeof(marker), "%s", k.marker);
	f = fopen(marker, "w");
	assert_non_null(f);
	assert_true(fputs(k.pin_mark, f) >= 0);
	assert_int_equal(fclose(f), 0);
	keys_done(&k);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	assert_non_null(strstr(k.conf.pin_refused, "written anew"));
	keys_done(&k);
	/* Written anew: tried again. */
	scratch_write(root, "pin", "12345\n");
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	assert_null(k.conf.pin_refused);
	keys_done(&k);
	client_done(&c);
}

static bool
reads(const struct ae_sandbox *box, const char *path)
{
	const char *const *p = box->read_paths;

	for (; p != NULL && *p != NULL; p++)
		if (strncmp(path, *p, strlen(*p)) == 0 &&
		    (path[strlen(*p)] == '/' || path[strlen(*p)] == '\0'))
			return true;
	return false;
}

/* What libraries are told, and nothing that is somebody's secret. */
static void
reads_for_libraries(const struct ae_sandbox *box, bool network)
{
	assert_true(reads(box, "/usr/lib/x86_64-linux-gnu/libx.so.1"));
	assert_true(reads(box, "/etc/pkcs11/pkcs11.conf"));
	assert_true(reads(box, "/etc/ssl/openssl.cnf"));
	assert_int_equal(reads(box, "/etc/resolv.conf"), network);
	assert_false(reads(box, "/etc/krb5.keytab"));
	assert_false(reads(box, "/etc/shadow"));
	assert_false(reads(box, "/etc/shadow-"));
	assert_false(reads(box, "/etc/ssl/private/other.key"));
	assert_false(reads(box, "/etc/ssh/ssh_host_rsa_key"));
	assert_false(reads(box, "/root/.ssh/id_rsa"));
}

/* Nothing is opened for devices that are not in use. */
static void
sandbox(void **state)
{
	const char *writes[] = { "/store", NULL };
	struct ae_sandbox box = { .write_paths = writes };
	struct client c;
	struct ae_err e;
	struct keys k;

	(void)state;
	assert_int_equal(read_conf(&c, "[keys]\ntpm = none\n", &e), AE_OK);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	keys_sandbox(&k, &box);
	assert_ptr_equal(box.write_paths, writes);
	assert_null(box.read_paths);
	assert_int_equal(box.may, 0);
	keys_done(&k);
	client_done(&c);
	assert_int_equal(
	    read_conf(&c, "[keys]\ntpm = device:/dev/tpmrm0\n", &e), AE_OK);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	keys_sandbox(&k, &box);
	assert_string_equal(box.write_paths[0], "/store");
	assert_string_equal(box.write_paths[1], "/dev/tpmrm0");
	assert_null(box.write_paths[2]);
	assert_int_equal(box.may & (AE_MAY_CONNECT | AE_MAY_RESOLVE), 0);
	reads_for_libraries(&box, false);
	keys_done(&k);
	client_done(&c);
	box = (struct ae_sandbox){ .write_paths = writes };
	assert_int_equal(
	    read_conf(&c,
		"[keys]\ntpm = none\npkcs11-module = /m.so\n"
		"pkcs11-token = pkcs11:token=a\npkcs11-path = /tokens\n",
		&e),
	    AE_OK);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	keys_sandbox(&k, &box);
	assert_string_equal(box.write_paths[1], "/tokens");
	assert_int_equal(box.may, 0);
	reads_for_libraries(&box, false);
	keys_done(&k);
	client_done(&c);
	box = (struct ae_sandbox){ .write_paths = writes };
	assert_int_equal(
	    read_conf(&c,
		"[keys]\ntpm = none\npkcs11-module = /m.so\n"
		"pkcs11-token = pkcs11:token=a\npkcs11-network = yes\n",
		&e),
	    AE_OK);
	assert_int_equal(keys_init(&k, &c, &e), AE_OK);
	keys_sandbox(&k, &box);
	assert_int_equal(box.may, AE_MAY_CONNECT | AE_MAY_RESOLVE);
	reads_for_libraries(&box, true);
	keys_done(&k);
	client_done(&c);
}

static void
exit_codes(void **state)
{
	static const struct {
		enum ae_rc rc;
		uint32_t code;
		int exit;
	} rows[] = { { AE_EUNAVAIL, NTE_DEVICE_NOT_READY, EXIT_LOCAL },
		{ AE_EAUTH, NTE_INCORRECT_PASSWORD, EXIT_LOCAL },
		{ AE_ENOTFOUND, NTE_BAD_KEYSET, EXIT_LOCAL },
		{ AE_EINVAL, NTE_BAD_FLAGS, EXIT_USAGE },
		{ AE_EREMOTE, NTE_BAD_SIGNATURE, EXIT_FINDING },
		{ AE_EDENIED, 0x80094012, EXIT_DENIED },
		{ AE_EUNAVAIL, 0x800706ba, EXIT_NETWORK } };
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)ae_fail(
		    &e, rows[i].rc, AE_DOM_HRESULT, rows[i].code, "x");
		assert_int_equal(client_exit_code(&e), rows[i].exit);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_makes_no_sense),
		cmocka_unit_test(at_hand),
		cmocka_unit_test(owners),
		cmocka_unit_test(refused_pins),
		cmocka_unit_test(sandbox),
		cmocka_unit_test(exit_codes),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
