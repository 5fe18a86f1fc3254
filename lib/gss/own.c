/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The PAC in one's own ticket.  It is sealed with the keys of whoever the
 * ticket is for; a ticket for oneself, user-to-user, is sealed with a key that
 * its owner has: that of his ticket-granting ticket (RFC 4120 3.7).  So
 * neither a keytab nor a password is needed, and machine and user are alike.
 */
#include <errno.h>
#include <stddef.h>

#include "gss/caller.h"
#include "gss/cred_int.h"
#include "gss/pac.h"
#include "gss/status.h"

struct own {
	krb5_context k;
	krb5_ccache cc;
	krb5_principal me;
	krb5_creds tgt, kept; /* from the cache; kept is me for me */
	krb5_creds *asked;    /* the same, from the KDC */
	krb5_ticket *ticket;
	krb5_pac pac;
};

static krb5_error_code
find_tgt(struct own *o)
{
	krb5_creds want = { .client = o->me };
	krb5_error_code code;

	code = krb5_build_principal_ext(o->k, &want.server, o->me->realm.length,
	    o->me->realm.data, KRB5_TGS_NAME_SIZE, KRB5_TGS_NAME,
	    o->me->realm.length, o->me->realm.data, 0);
	if (code == 0)
		code = krb5_cc_retrieve_cred(o->k, o->cc, 0, &want, &o->tgt);
	krb5_free_principal(o->k, want.server);
	return code;
}

/*
 * It is kept in the cache beside the tickets for CAs, so that it is as old
 * as they are: there are KDCs that look groups up for each ticket.  The
 * library does not find it there again by itself.
 */
static bool
find_kept(struct own *o)
{
	krb5_cc_cursor at;
	krb5_timestamp now;
	bool found = false;

	if (krb5_timeofday(o->k, &now) != 0 ||
	    krb5_cc_start_seq_get(o->k, o->cc, &at) != 0)
		return false;
	while (!found && krb5_cc_next_cred(o->k, o->cc, &at, &o->kept) == 0) {
		found = (uint32_t)o->kept.times.endtime > (uint32_t)now &&
		    krb5_principal_compare(o->k, o->kept.server, o->me) &&
		    krb5_principal_compare(o->k, o->kept.client, o->me);
		if (!found)
			krb5_free_cred_contents(o->k, &o->kept);
	}
	(void)krb5_cc_end_seq_get(o->k, o->cc, &at);
	return found;
}

static krb5_error_code
ask_kdc(struct own *o)
{
	krb5_creds want = {
		.client = o->me, .server = o->me, .second_ticket = o->tgt.ticket
	};

	return krb5_get_credentials(
	    o->k, KRB5_GC_USER_USER, o->cc, &want, &o->asked);
}

/* Play both parts: the library only opens a ticket that is presented. */
static krb5_error_code
open_ticket(struct own *o, krb5_creds *creds)
{
	krb5_auth_context from = NULL, to = NULL;
	krb5_data req = { 0 };
	krb5_error_code code;

	code = krb5_mk_req_extended(
	    o->k, &from, AP_OPTS_USE_SESSION_KEY, NULL, creds, &req);
	if (code == 0)
		code = krb5_auth_con_init(o->k, &to);
	/* No replay cache: nobody else is in this exchange. */
	if (code == 0)
		code = krb5_auth_con_setflags(o->k, to, 0);
	if (code == 0)
		code = krb5_auth_con_setuseruserkey(o->k, to, &o->tgt.keyblock);
	if (code == 0)
		code =
		    krb5_rd_req(o->k, &to, &req, NULL, NULL, NULL, &o->ticket);
	krb5_free_data_contents(o->k, &req);
	(void)krb5_auth_con_free(o->k, from);
	(void)krb5_auth_con_free(o->k, to);
	return code;
}

static krb5_error_code
read_pac(struct own *o)
{
	krb5_enc_tkt_part *part = o->ticket->enc_part2;
	krb5_authdata **ad = NULL;
	krb5_error_code code;

	code = krb5_find_authdata(
	    o->k, part->authorization_data, NULL, KRB5_AUTHDATA_WIN2K_PAC, &ad);
	if (code == 0 && (ad == NULL || ad[0] == NULL))
		code = ENOENT;
	if (code == 0)
		code = krb5_pac_parse(
		    o->k, ad[0]->contents, ad[0]->length, &o->pac);
	if (code == 0)
		code = krb5_pac_verify(o->k, o->pac, part->times.authtime,
		    part->client, &o->tgt.keyblock, NULL);
	krb5_free_authdata(o->k, ad);
	return code;
}

static int
to_caller(struct ae_caller **out, struct own *o, const char *principal,
    struct ae_err *e)
{
	static const struct {
		krb5_ui_4 type;
		size_t at;
	} rows[] = {
		{ 1, offsetof(struct ae_pac, logon) },
		{ 10, offsetof(struct ae_pac, client) },
		{ 11, offsetof(struct ae_pac, delegated) },
		{ 12, offsetof(struct ae_pac, upn_dns) },
		{ 18, offsetof(struct ae_pac, requester) },
	};
	krb5_data buf[sizeof(rows) / sizeof(rows[0])] = { 0 };
	struct ae_pac pac = { .principal = principal };
	size_t i;
	int rc;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ae_pac_buf *to =
		    (struct ae_pac_buf *)((char *)&pac + rows[i].at);

		if (krb5_pac_get_buffer(o->k, o->pac, rows[i].type, &buf[i]) !=
		    0)
			continue;
		to->p = (const uint8_t *)buf[i].data;
		to->len = buf[i].length;
	}
	rc = ae_pac_caller(out, &pac, e);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		krb5_free_data_contents(o->k, &buf[i]);
	return rc;
}

static void
own_done(struct own *o)
{
	if (o->k == NULL)
		return;
	krb5_pac_free(o->k, o->pac);
	krb5_free_ticket(o->k, o->ticket);
	if (o->asked != NULL)
		krb5_free_creds(o->k, o->asked);
	krb5_free_cred_contents(o->k, &o->kept);
	krb5_free_cred_contents(o->k, &o->tgt);
	krb5_free_principal(o->k, o->me);
	if (o->cc != NULL)
		(void)krb5_cc_close(o->k, o->cc);
	krb5_free_context(o->k);
}

int
ae_caller_own(
    struct ae_caller **out, const struct ae_gss_cred *c, struct ae_err *e)
{
	const char *stage = "the ticket cache";
	struct own o = { 0 };
	krb5_error_code code;
	int rc;

	if (c->service)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a service's credential has no ticket of its own");
	code = krb5_init_context(&o.k);
	if (code == 0)
		code = krb5_cc_resolve(o.k, c->ccache, &o.cc);
	if (code == 0)
		code = krb5_cc_get_principal(o.k, o.cc, &o.me);
	if (code == 0)
		code = find_tgt(&o);
	if (code == 0) {
		stage = "a ticket for oneself";
		if (!find_kept(&o) || open_ticket(&o, &o.kept) != 0) {
			code = ask_kdc(&o);
			if (code == 0)
				code = open_ticket(&o, o.asked);
		}
	}
	if (code == 0) {
		stage = "its PAC";
		code = read_pac(&o);
	}
	if (code != 0)
		rc = ae_gss_fail_krb5(e, AE_EAUTH, o.k, code, "%s: %s%s",
		    c->principal, stage,
		    code == KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN
			? " (Samba's KDC makes one only for accounts with a "
			  "servicePrincipalName)"
			: "");
	else
		rc = to_caller(out, &o, c->principal, e);
	own_done(&o);
	return rc;
}
