/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The auto-enrollment settings that hold for a computer or user, where each
 * comes from, and what became of every GPO that was looked at.
 */
#ifndef AE_POLICY_SETTINGS_H
#define AE_POLICY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"
#include "base/str.h"
#include "base/wr.h"
#include "policy/files.h"
#include "policy/gpo.h"

/* AEPolicy */
#define AE_POLICY_ENROLL UINT32_C(0x0001)  /* for templates */
#define AE_POLICY_MANAGE UINT32_C(0x0002)  /* renew, archive, clean up */
#define AE_POLICY_PENDING UINT32_C(0x0004) /* fetch what was pending */
#define AE_POLICY_DISABLED UINT32_C(0x8000)

enum ae_setting_source {
	AE_SETTING_DEFAULT, /* nobody set it */
	AE_SETTING_GPO,
	AE_SETTING_LOCAL, /* policy.conf */
};

struct ae_setting {
	enum ae_setting_source source;
	size_t gpo; /* index into gpos, with AE_SETTING_GPO */
};

/* One GPO as it is shown to people. */
struct ae_settings_gpo {
	char *name; /* display name, or DN when it could not be read */
	char *dn;
	char *scope;	     /* DN it is linked to */
	char *detail;	     /* NULL: none */
	char *wmi_filter;    /* NULL: none; noted, not evaluated */
	uint32_t scope_kind; /* enum ae_som_kind */
	uint32_t verdict;    /* enum ae_gpo_verdict */
	uint32_t enforced;
	uint32_t version; /* of the half that counts */
};

/* A configured policy server, read for display. */
struct ae_policy_server {
	char *key; /* name of its registry key */
	char *url;
	char *policy_id;
	char *friendly_name;
	uint32_t flags, auth_flags, cost;
	uint32_t gpo; /* index into gpos */
};

struct ae_settings {
	bool user;
	/* AEPolicy; 0 when nobody set it. */
	uint32_t ae_policy;
	struct ae_setting ae_policy_from;
	/* OfflineExpirationPercent: warn below this part of the lifetime. */
	uint32_t expiry_percent;
	struct ae_setting expiry_percent_from;
	/* OfflineExpirationStoreNames: stores watched. */
	struct ae_strv expiry_stores;
	struct ae_setting expiry_stores_from;
	/* Event detail: 0 minimal to 5 exhaustive. */
	uint32_t log_level;
	struct ae_setting log_level_from;

	struct ae_policy_server *servers;
	size_t nservers;
	/* Order as in ae_gpos: the last that applies wins. */
	struct ae_settings_gpo *gpos;
	size_t ngpos;
};

/* /etc/autoenroll/policy.conf: overrides for one machine. */
#define AE_LOCAL_UNSET UINT32_MAX
struct ae_local_half {
	uint32_t ae_policy; /* AE_LOCAL_UNSET: no override */
	uint32_t expiry_percent;
	uint32_t log_level;
	struct ae_strv stores; /* empty: no override */
};
struct ae_local_policy {
	struct ae_local_half computer, user;
};

/*
 * Sections [computer] and [user], keys ae-policy, expiry-percent,
 * log-level, store (repeats).  No file is no override.
 */
int ae_local_policy_read(struct ae_local_policy *out, const char *path,
    struct ae_err *e) AE_MUST_CHECK;
int ae_local_policy_parse(struct ae_local_policy *out, const char *name,
    const char *text, size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_local_policy_init(struct ae_local_policy *l);
void ae_local_policy_done(struct ae_local_policy *l);

/*
 * From the choice of GPOs and their cached files; local may be NULL.  A GPO
 * whose file is missing or malformed is passed over and says so.
 */
int ae_settings_build(struct ae_settings **out, const struct ae_gpos *g,
    const struct ae_policy_cache *c, const struct ae_local_policy *local,
    struct ae_err *e) AE_MUST_CHECK;
void ae_settings_free(struct ae_settings *s);

#define AE_SETTINGS_ENCODED_MAX (4u * 1024u * 1024u)
void ae_settings_put(struct ae_wr *w, const struct ae_settings *s);
int ae_settings_get(
    struct ae_settings **out, struct ae_rd *r, struct ae_err *e) AE_MUST_CHECK;

/* What AEPolicy lets happen; the disabling bit rules out all of it. */
bool ae_settings_may(const struct ae_settings *s, uint32_t bit);

/* "enroll, renew and clean up, fetch pending", "disabled", "not configured" */
const char *ae_settings_text(
    const struct ae_settings *s, char *out, size_t outlen);

#endif
