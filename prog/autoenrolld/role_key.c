/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The key role: makes keys and the requests for them, judges what the CA
 * answered and installs it.  The only process that writes the store; it has
 * no network.
 */
#include "role_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "pki/name.h"
#include "pulse_wire.h"
#include "roles.h"
#include "sys/clock.h"

#define LOCK_TRIES 100
#define LOCK_PAUSE_US 200000

void
key_let_go(struct key_role *k)
{
	ae_key_free(k->key);
	k->key = NULL;
	ae_template_free(k->tmpl);
	k->tmpl = NULL;
	k->number = 0;
	memset(&k->meta, 0, sizeof(k->meta));
}

int
key_malformed(struct ae_err *e, const char *what)
{
	return ae_fail(
	    e, AE_EPROTO, AE_DOM_NONE, 0, "malformed question: %s", what);
}

/* The key on disk is the certificate's own. */
static bool
key_fits(const struct role *r, const struct ae_store_entry *en)
{
	struct ae_cert **certs = NULL;
	bool fits = false;
	size_t n = 0;

	if (en->has_key &&
	    ae_certs_read(&certs, &n, 1, en->cert_pem, en->cert_len, NULL) ==
		AE_OK)
		fits = key_is_there(r, en->tmpl, en->number, certs[0]);
	ae_certs_free(certs, n);
	return fits;
}

static int
put_requests(struct key_role *k, struct ae_wr *out, struct ae_err *e)
{
	struct ae_store_request_list l = { 0 };
	char name[AE_STORE_NAME_MAX + 16];
	size_t i;
	int rc;

	rc = ae_store_request_list(k->store, &l, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_u32(out, (uint32_t)l.n);
	for (i = 0; i < l.n; i++) {
		const struct ae_store_request_meta *m = &l.v[i].meta;
		struct ae_inv_request q = { .name = name,
			.template_cn = l.v[i].tmpl,
			.ca_config = m->ca_config,
			.request_id = m->request_id,
			.submitted = m->asked > m->made ? m->asked : m->made,
			.automatic = m->automatic };

		(void)snprintf(
		    name, sizeof(name), "%s/%u", l.v[i].tmpl, l.v[i].number);
		if (m->template_oid[0] != '\0')
			q.template_oid = m->template_oid;
		if (m->renews[0] != '\0')
			q.renews = m->renews;
		q.state = m->state == AE_STORE_PENDING ? AE_INV_PENDING
		    : m->state == AE_STORE_ASKED       ? AE_INV_ASKED
		    : m->state == AE_STORE_KEPT	       ? AE_INV_KEPT
						       : AE_INV_MADE;
		pulse_wire_put_request(out, &q);
	}
	ae_store_request_list_done(&l);
	return AE_OK;
}

static int
inventory(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct key_role *k = r->state;
	struct ae_store_list l = { 0 };
	size_t i;
	int rc;

	if (!ae_rd_done(in))
		return key_malformed(e, "inventory");
	rc = ae_store_list(k->store, &l, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_u32(out, (uint32_t)l.n);
	for (i = 0; i < l.n; i++) {
		const struct ae_store_entry *en = &l.v[i];
		const struct ae_stored s = { .tmpl = en->tmpl,
			.number = en->number,
			.current = en->current,
			.has_key = key_fits(r, en),
			.pem = en->cert_pem,
			.len = en->cert_len };

		pulse_wire_put_stored(out, &s);
	}
	ae_store_list_done(&l);
	return put_requests(k, out, e);
}

/* Three PEM texts, roots, intermediates, ntauth, each with whether it is one
 * or stays as it is.  Answers what changed. */
static int
trust(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	static const char *const names[] = { "roots", "intermediates",
		"ntauth" };
	struct key_role *k = r->state;
	const uint8_t *pem[3];
	size_t len[3], i;
	bool changed, fits[3];
	int rc;

	for (i = 0; i < 3; i++) {
		fits[i] = ae_rd_u8(in) != 0;
		pem[i] = msg_get_bytes(in, AE_STORE_FILE_MAX, &len[i]);
	}
	if (!ae_rd_done(in))
		return key_malformed(e, "trust");
	for (i = 0; i < 3; i++) {
		changed = false;
		rc = fits[i] ? ae_store_trust_write(k->store, names[i], pem[i],
				   len[i], &changed, e)
			     : AE_OK;
		if (rc != AE_OK)
			return rc;
		ae_wr_u8(out, changed);
	}
	return AE_OK;
}

/* One certificate: archived with the reason, or removed for good. */
/* For the events: thumbprint, subject, end of validity of what goes. */
static void
describe(
    struct ae_wr *out, struct key_role *k, const char *tmpl, unsigned number)
{
	struct ae_store_list l = { 0 };
	struct ae_cert **certs = NULL;
	char thumb[41] = "", *subject = NULL;
	uint8_t sha1[20];
	size_t i, n = 0;
	int64_t until = 0;

	if (ae_store_list(k->store, &l, NULL) != AE_OK)
		l.n = 0;
	for (i = 0; i < l.n && n == 0; i++)
		if (strcmp(l.v[i].tmpl, tmpl) == 0 && l.v[i].number == number &&
		    ae_certs_read(&certs, &n, 1, l.v[i].cert_pem,
			l.v[i].cert_len, NULL) != AE_OK)
			break;
	if (n > 0) {
		ae_cert_sha1(sha1, certs[0]);
		ae_hex_encode(thumb, sha1, sizeof(sha1));
		until = certs[0]->not_after;
		if (ae_name_print(&subject, certs[0]->subject, NULL) != AE_OK)
			subject = NULL;
	}
	msg_put_str(out, thumb);
	msg_put_str(out, subject == NULL ? "" : subject);
	ae_wr_u64(out, (uint64_t)until);
	free(subject);
	ae_certs_free(certs, n);
	ae_store_list_done(&l);
}

static int
archive(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(8192);
	struct key_role *k = r->state;
	const char *tmpl, *why;
	unsigned number;
	bool delete;
	int rc = AE_OK;

	if (a == NULL)
		return ae_fail_mem(e);
	tmpl = msg_get_str(a, in, AE_STORE_NAME_MAX);
	number = ae_rd_u32(in);
	delete = ae_rd_u8(in) != 0;
	why = msg_get_str(a, in, 1024);
	if (tmpl == NULL || why == NULL || !ae_rd_done(in))
		rc = key_malformed(e, "archive");
	else
		describe(out, k, tmpl, number);
	if (rc != AE_OK)
		goto out;
	if (delete)
		rc = ae_store_delete(k->store, tmpl, number, e);
	else
		rc = ae_store_archive(
		    k->store, tmpl, number, ae_clock_now(), why, e);
out:
	ae_arena_free(a);
	return rc;
}

static const struct role_question questions[] = {
	{ ROLE_INVENTORY, inventory },
	{ ROLE_TRUST, trust },
	{ ROLE_NEW, key_new_request },
	{ ROLE_INSTALL, key_install },
	{ ROLE_ARCHIVE, archive },
	{ ROLE_OPEN, key_list_open },
	{ ROLE_LOAD, key_load },
	{ ROLE_MARK, key_mark },
	{ ROLE_DROP, key_drop },
	{ 0, NULL },
};

int
role_key(const struct client *c, int fd, struct ae_err *e)
{
	const char *paths[] = { c->state_dir, NULL };
	struct ae_sandbox box = { .may = AE_MAY_READ_FILES | AE_MAY_WRITE_FILES,
		.write_paths = paths,
		.max_file_size = UINT64_MAX,
		.require = c->require_sandbox };
	struct key_role k = { 0 };
	struct role r = { .c = c, .state = &k };
	unsigned tries;
	int rc;

	rc = keys_init(&k.keys, c, e);
	if (rc != AE_OK)
		return rc;
	keys_sandbox(&k.keys, &box);
	/* A run that began a moment earlier is let finish: one after the
	 * other, never two at once. */
	rc = ae_store_open(&k.store, c->state_dir, true, e);
	for (tries = 0; rc == AE_EUNAVAIL && tries < LOCK_TRIES; tries++) {
		(void)usleep(LOCK_PAUSE_US);
		rc = ae_store_open(&k.store, c->state_dir, true, e);
	}
	if (rc == AE_OK) {
		if (e != NULL)
			e->rc = AE_OK;
		rc = role_serve(&r, fd, &box, questions, e);
	}
	key_let_go(&k);
	keys_done(&k.keys);
	ae_store_free(k.store);
	return rc;
}
