/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The files of GPOs in SYSVOL: which ones have to be fetched, and what was
 * fetched before.  Nothing is fetched twice while a GPO's versions in the
 * directory and in SYSVOL agree and have not changed.
 */
#ifndef AE_POLICY_FILES_H
#define AE_POLICY_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/guid.h"
#include "base/rd.h"
#include "base/wr.h"
#include "policy/gpo.h"
#include "policy/sysvol_proto.h"

/* What is kept of one half of one GPO. */
struct ae_policy_cached {
	struct ae_guid id;
	bool user;
	uint32_t version;      /* versionNumber of the directory */
	uint32_t file_version; /* Version= of GPT.INI */
	bool present;	       /* there was a Registry.pol */
	uint8_t *data;
	size_t len;
};

/* Zeroed is empty. */
struct ae_policy_cache {
	struct ae_policy_cached *v;
	size_t n;
};

void ae_policy_cache_done(struct ae_policy_cache *c);
const struct ae_policy_cached *ae_policy_cache_find(
    const struct ae_policy_cache *c, const struct ae_guid *id, bool user);

/* Forget GPOs that are no longer linked to the principal of g. */
void ae_policy_cache_keep(struct ae_policy_cache *c, const struct ae_gpos *g);

/* A form to keep it on disk; get is strict, a failure means: start empty. */
void ae_policy_cache_put(struct ae_wr *w, const struct ae_policy_cache *c);
int ae_policy_cache_get(struct ae_policy_cache *out, struct ae_rd *r,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * The request for all files of applying GPOs that the cache does not have:
 * GPT.INI and Registry.pol in turn, so file i belongs to choices[of[i / 2]];
 * free(*of).  A GPO whose gPCFileSysPath is not \\…\sysvol\<domain>\Policies
 * \{its GUID} becomes malformed.  n 0: nothing to fetch.
 */
int ae_policy_request(struct ae_sysvol_request *out, size_t **of,
    struct ae_gpos *g, const struct ae_policy_cache *c, const char *server,
    const char *domain, struct ae_err *e) AE_MUST_CHECK;

/*
 * Put the reply to that request into the cache; take the data out of *r.
 * That a file could not be read (other than: there is none) is a failure of
 * the whole, as in MS-GPREG 3.2.5.1.2: AE_EUNAVAIL, AE_EDENIED, AE_EIO.
 */
int ae_policy_take(struct ae_policy_cache *c, const struct ae_gpos *g,
    const size_t *of, struct ae_sysvol_reply *r,
    struct ae_err *e) AE_MUST_CHECK;

/* Version= of section [General]; false: there is none. */
bool ae_gpt_ini_version(uint32_t *out, const void *p, size_t len);
/* A GPT.INI with that version and name. */
void ae_gpt_ini_put(struct ae_wr *w, uint32_t version, const char *name);

#endif
