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
#include "policy/local.h"

/* AEPolicy */
#define AE_POLICY_ENROLL UINT32_C(0x0001)  /* for templates */
#define AE_POLICY_MANAGE UINT32_C(0x0002)  /* renew, archive, clean up */
#define AE_POLICY_PENDING UINT32_C(0x0004) /* fetch what was pending */
#define AE_POLICY_DISABLED UINT32_C(0x8000)

enum ae_setting_source {
	AE_SETTING_DEFAULT, /* nobody set it */
	AE_SETTING_GPO,
	AE_SETTING_LOCAL, /* policy.conf */
	AE_SETTING_OWN,	  /* the user's own policy.conf */
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
	uint32_t loopback; /* linked above the computer, for a user */
	uint32_t version;  /* of the half that counts */
};

/* PolicyServers: what the list as a whole says, and each entry. */
#define AE_SERVERS_NO_GPO UINT32_C(2) /* the policy's own list is off */
#define AE_SERVER_AUTO UINT32_C(0x10) /* for auto-enrollment, too */

enum ae_server_verdict {
	AE_SERVER_USED,
	AE_SERVER_SPARE,     /* the group has one before it */
	AE_SERVER_NOT_AUTO,  /* without AE_SERVER_AUTO */
	AE_SERVER_OTHER_ID,  /* LDAP: of another forest */
	AE_SERVER_WEB,	     /* https: MS-XCEP is not spoken here */
	AE_SERVER_MALFORMED, /* no URL, or one of no known kind */
	AE_SERVER_LIST_OFF,  /* AE_SERVERS_NO_GPO */
};
const char *ae_server_verdict_text(enum ae_server_verdict v);
const char *ae_server_verdict_name(enum ae_server_verdict v);

/* A configured policy server. */
struct ae_policy_server {
	char *key; /* name of its registry key */
	char *url;
	char *policy_id;
	char *friendly_name;
	uint32_t flags, auth_flags, cost;
	uint32_t gpo;	  /* index into gpos */
	uint32_t verdict; /* enum ae_server_verdict, once judged */
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
	/* MaxPendingRequestDays: a request is given up after so many. */
	uint32_t pending_days;
	struct ae_setting pending_days_from;
	/*
	 * UserPolicyMode: what the computer's policy says; for a user, what
	 * was obeyed, and by_computer names the GPO that says so.
	 */
	uint32_t loopback; /* enum ae_loopback */
	struct ae_setting loopback_from;
	char *by_computer; /* NULL: none */

	/* PolicyServers, in the order of use once judged. */
	char *servers_default; /* PolicyID; NULL: none */
	uint32_t servers_flags;
	struct ae_policy_server *servers;
	size_t nservers;
	/* Order as in ae_gpos: the last that applies wins. */
	struct ae_settings_gpo *gpos;
	size_t ngpos;
};

/*
 * From the choice of GPOs and their cached files.  A GPO whose file is
 * missing or malformed is passed over and says so.
 */
int ae_settings_build(struct ae_settings **out, const struct ae_gpos *g,
    const struct ae_policy_cache *c, struct ae_err *e) AE_MUST_CHECK;

/*
 * Let a local layer have its say: AE_SETTING_OWN first, then
 * AE_SETTING_LOCAL, which is the stronger of the two.
 */
int ae_settings_override(struct ae_settings *s, const struct ae_local_policy *l,
    enum ae_setting_source source, struct ae_err *e) AE_MUST_CHECK;
void ae_settings_free(struct ae_settings *s);

/*
 * Put the list of policy servers into the order of use and say of each what
 * becomes of it.  forest is the objectGUID of the forest's root domain, NULL:
 * not known, then no LDAP: entry is refused for its PolicyID.
 */
void ae_settings_judge_servers(
    struct ae_settings *s, const struct ae_guid *forest);

/*
 * May Active Directory say which templates there are?  NULL: yes, otherwise
 * the id of the check that failed, and *text a sentence about it.
 */
const char *ae_settings_servers_check(
    const struct ae_settings *s, const char **text);

/*
 * Settings as they were when a domain controller last answered, without the
 * local layers: what holds while none does.
 */
struct ae_policy_last {
	int64_t read_at;
	char *dc;	 /* that answered */
	char *principal; /* whose they are */
	struct ae_settings *settings;
};
void ae_policy_last_put(struct ae_wr *w, const struct ae_policy_last *l);
/* Strict: AE_EPROTO for anything else, bytes left over included. */
int ae_policy_last_get(struct ae_policy_last *out, struct ae_rd *r,
    struct ae_err *e) AE_MUST_CHECK;
void ae_policy_last_done(struct ae_policy_last *l);

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
