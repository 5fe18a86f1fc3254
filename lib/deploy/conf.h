/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * deploy.conf: where the certificate of a template goes besides our store,
 * who may read it there, and who is told.  Pure: text in, table out.
 *
 *   [template Web]
 *   fullchain = /etc/nginx/tls/web.pem
 *   key = /etc/nginx/tls/web.key
 *   reload = nginx.service
 *
 * A template may have several sections; [template *] is for every template.
 */
#ifndef AE_DEPLOY_CONF_H
#define AE_DEPLOY_CONF_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define AE_DEPLOY_SECTIONS_MAX 256
#define AE_DEPLOY_PATH_MAX 1024

/* What can be written; the names are those of the keys. */
enum ae_deploy_kind {
	AE_DEPLOY_CERT,
	AE_DEPLOY_CHAIN,
	AE_DEPLOY_FULLCHAIN,
	AE_DEPLOY_KEY,
	AE_DEPLOY_BUNDLE, /* key, certificate, chain */
	AE_DEPLOY_PKCS12,
	AE_DEPLOY_NSS,
	AE_DEPLOY_NM, /* a NetworkManager connection */
	AE_DEPLOY_KINDS
};

/* All strings heap; NULL where the key was not set. */
struct ae_deploy_section {
	char *tmpl; /* a template's common name, or "*" */
	unsigned line;
	struct ae_strv targets[AE_DEPLOY_KINDS]; /* absolute paths */
	char *owner, *group;
	char *mode_text;
	char *selinux; /* a context; NULL: what the system's policy says */
	char *p12_password_file, *p12_name;
	char *nss_password_file, *nss_name;
	struct ae_strv pre_hooks, post_hooks; /* "path word word" */
	struct ae_strv reload;		      /* services */
	int64_t hook_timeout;		      /* seconds */
	int nm_type;			      /* index: ethernet, wifi */
	char *nm_ssid, *nm_identity, *nm_server;
	bool has_mode;
	mode_t mode; /* when has_mode */
};

struct ae_deploy_conf {
	struct ae_deploy_section *v;
	size_t n;
};

/*
 * Parse; on failure the text of e begins "name:line:column: " and *out is
 * empty.  What is checked: keys and values, absolute paths without '..',
 * passwords where a target needs one, and that the targets of [template *]
 * differ by template ("%T").
 */
int ae_deploy_conf_parse(struct ae_deploy_conf *out, const char *name,
    const char *text, size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_deploy_conf_done(struct ae_deploy_conf *c);

/* The section is for this template. */
bool ae_deploy_section_for(const struct ae_deploy_section *s, const char *tmpl);

/* "cert", "nss" and so on. */
const char *ae_deploy_kind_name(enum ae_deploy_kind k);

/* A private key is in what this kind writes. */
bool ae_deploy_kind_has_key(enum ae_deploy_kind k);

/*
 * path with "%T" replaced by the template's name and "%%" by "%"; false when
 * it does not fit.
 */
bool ae_deploy_expand(
    char out[AE_DEPLOY_PATH_MAX], const char *path, const char *tmpl);

#endif
