/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the places for keys: each that is configured makes, uses and
 * removes a throw-away key.  After "store", so that a PIN which the keys there
 * found refused is not tried again.
 *
 *   "keys": { "places": [ { "provider": "software" | "tpm" | "pkcs11",
 *       "name", "configured": bool, by the administrator; "present": bool, at
 *       a glance; "works": bool, not there when "because" says why nobody
 *       tried; of a failure "code": number, "hresult", "symbol", "error" } ],
 *     "tpm": { "locked": bool, "failures", "max_failures", "interval": s,
 *       "makes", "lacks": [ "RSA:2048" | … | "P521" ] }, as it says itself;
 *       "tpm_because": why it does not }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag/facts.h"
#include "key_test.h"
#include "pki/nte.h"
#include "pki/tpm_look.h"
#include "probe.h"
#include "wcce/hresult.h"

/* Quick ones first: a TPM may take half a minute for an RSA key. */
static const char *const algorithms[] = { "P256", "RSA:2048" };

static size_t
index_of(const char *name)
{
	size_t i;

	for (i = 0; strcmp(key_test_name(i), name) != 0; i++)
		;
	return i;
}

static uint32_t
code_of(const struct ae_err *e)
{
	return e->dom == AE_DOM_HRESULT ? (uint32_t)e->code : AE_HR_E_FAIL;
}

/* Works with what it can make; another kind of key is another story. */
static void
try_one(struct key_result *r, struct keys *k, enum ae_provider kind)
{
	size_t i;

	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		key_test(r, k, kind, index_of(algorithms[i]), false);
		if (r->err.rc == AE_OK || code_of(&r->err) != NTE_NOT_SUPPORTED)
			return;
	}
}

static void
put_result(json_t *j, const struct ae_err *e)
{
	char hex[16], symbol[16];
	uint32_t code = code_of(e);

	(void)json_object_set_new(j, "works", json_boolean(e->rc == AE_OK));
	if (e->rc == AE_OK)
		return;
	(void)snprintf(hex, sizeof(hex), "0x%08x", code);
	(void)json_object_set_new(j, "code", json_integer((json_int_t)code));
	(void)json_object_set_new(j, "hresult", json_string(hex));
	(void)json_object_set_new(
	    j, "symbol", json_string(ae_hresult_symbol(symbol, code)));
	(void)json_object_set_new(j, "error", client_text(e->text));
}

static bool
is_configured(const struct keys *k, enum ae_provider kind)
{
	return (kind == AE_PROVIDER_TPM && k->c->keyconf.tpm != NULL) ||
	    (kind == AE_PROVIDER_TOKEN && k->conf.token != NULL);
}

static json_t *
place(struct probe *p, struct keys *k, enum ae_provider kind)
{
	const struct client *c = &p->cli->c;
	struct key_result r = { .name = NULL };
	json_t *j = json_pack("{s:s, s:b, s:b}", "provider",
	    ae_provider_word(kind), "configured", is_configured(k, kind),
	    "present", k->providers.state[kind].present);

	if (kind != AE_PROVIDER_SOFTWARE && !c->user && geteuid() != 0) {
		(void)json_object_set_new(j, "because",
		    json_string("only root may use the computer's devices"));
		return j;
	}
	probe_doing(p, "key", ae_provider_word(kind));
	try_one(&r, k, kind);
	put_result(j, &r.err);
	(void)json_object_set_new(
	    j, "name", client_text(ae_keydev_name(k->dev, keys_home(kind))));
	return j;
}

#define TPM_KINDS 8u

/* What it says of itself: after the keys, as one may have it at a time. */
static void
see_tpm(struct probe *p, const char *tcti)
{
	bool makes[TPM_KINDS] = { false };
	json_t *yes, *no;
	struct ae_tpm_seen seen;
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	probe_doing(p, "tpm", tcti);
	if (ae_tpm_look(&seen, makes, TPM_KINDS, tcti, &e) != AE_OK) {
		probe_set(p, "tpm_because", client_text(e.text));
		return;
	}
	yes = json_array();
	no = json_array();
	for (i = 0; i < TPM_KINDS && ae_tpm_kind(i) != NULL; i++)
		(void)json_array_append_new(
		    makes[i] ? yes : no, json_string(ae_tpm_kind(i)));
	probe_set(p, "tpm",
	    json_pack("{s:b, s:I, s:I, s:I, s:o, s:o}", "locked", seen.locked,
		"failures", (json_int_t)seen.failures, "max_failures",
		(json_int_t)seen.max_failures, "interval",
		(json_int_t)seen.interval, "makes", yes, "lacks", no));
}

int
probe_keys(struct probe *p, struct ae_err *e)
{
	json_t *list = json_array();
	char *tcti = NULL;
	struct keys k;
	int rc;

	rc = keys_init(&k, &p->cli->c, e);
	if (rc != AE_OK) {
		json_decref(list);
		return rc;
	}
	(void)json_array_append_new(list, place(p, &k, AE_PROVIDER_SOFTWARE));
	if (k.conf.tcti != NULL)
		(void)json_array_append_new(
		    list, place(p, &k, AE_PROVIDER_TPM));
	if (k.conf.token != NULL)
		(void)json_array_append_new(
		    list, place(p, &k, AE_PROVIDER_TOKEN));
	probe_set(p, "places", list);
	if (k.conf.tcti != NULL && (p->cli->c.user || geteuid() == 0))
		tcti = strdup(k.conf.tcti);
	keys_done(&k);
	if (tcti != NULL)
		see_tpm(p, tcti);
	free(tcti);
	return AE_OK;
}
