/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The policy role, for the files that make it up: role_policy.c has its
 * table, the plan and the answer, policy_read.c the settings.
 */
#ifndef AE_CLIENT_ROLE_POLICY_H
#define AE_CLIENT_ROLE_POLICY_H

#include "ad/ad.h"
#include "ad/locate.h"
#include "enroll/ca_order.h"
#include "enroll/plan.h"
#include "gather/directory.h"
#include "gss/cred.h"
#include "policy/files.h"
#include "policy/gpo_version.h"
#include "policy/settings.h"
#include "pulse_wire.h"
#include "role.h"

/* What was asked, and everything that answering it needs. */
struct work {
	struct ae_arena *a;
	const char *principal; /* "PC1$@REALM" */
	const char *context;   /* first parameter of events */
	const char *only, *show, *ca, *requester;
	struct pulse_wire_stored stored;

	struct ae_gss_cred *cred;
	struct ae_ad_ping dc;
	struct ae_ad *ad;
	const uint8_t *ahead; /* what the last run asked the directory */
	size_t ahead_len;
	struct ae_directory *dir;
	struct ae_directory *lost; /* of a DC that went away; or NULL */
	struct ae_gpos *gpos;	   /* NULL: could not be read, see stale */
	char version[AE_GPO_VERSION_STR_MAX]; /* of these */
	struct ae_policy_cache cache;
	size_t *of;		    /* which choice a fetched file belongs to */
	size_t nfiles;		    /* asked for */
	struct ae_policy_last last; /* settings NULL: there is none */
	struct ae_policy_last machine; /* the computer's, for a user */
	struct ae_settings *settings;
	struct ae_wr fresh; /* to become the last good ones */
	const char *stale;  /* why settings are the last good ones */
	const char *stale_check;
	const char *note; /* about the loopback */
	struct ae_inventory have;
	struct ae_plan *plan;
	struct ae_ca_cost *costs; /* of the CAs, where there is a choice */
	size_t ncosts;
	struct ae_providers providers; /* for keys, of this machine */
};

/*
 * Which GPOs apply; the request for files that are lacking goes to out as a
 * frame, empty when there are none.  Group policy that cannot be read is a
 * failure only when there is no last good one.
 */
int policy_read_choose(
    struct role *r, struct ae_wr *out, struct ae_err *e) AE_MUST_CHECK;

/*
 * w->settings, from the helper's reply or (why: what it failed with) without
 * one, and the local layers on top.
 */
int policy_read_settings(struct role *r, const uint8_t *reply, size_t len,
    const struct ae_err *why, struct ae_err *e) AE_MUST_CHECK;

/* What to keep: files, the settings when they are new, and what was asked. */
void policy_read_put_kept(struct ae_wr *out, const struct work *w);

#endif
