/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * /etc/certsrv/certsrv.conf as a struct, and where everything of a CA lies
 * below --root.  Shared by certsrvd and certsrv.
 */
#ifndef CERTSRVD_CONF_H
#define CERTSRVD_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define CONF_PATH "/etc/certsrv/certsrv.conf"
#define STATE_DIR "/var/lib/certsrv"
#define DATABASE_PATH STATE_DIR "/db/ca.sqlite" /* where no other is said */
#define RUN_DIR "/run/certsrv"
#define PIN_TRIED RUN_DIR "/pin"	/* not empty: it was refused */
#define CONTROL_PATH RUN_DIR "/control" /* the socket of certsrv */

enum conf_requests { CONF_ISSUE, CONF_PEND, CONF_DENY };

struct conf {
	/* [ca] */
	char *name;	     /* the CA's common name */
	char *dns_name;	     /* of this host, as clients call it */
	struct ae_strv keys; /* URIs of the CA's keys, in any order */
	char *certificate;   /* PEM; the newest CA certificate last */
	char *security;	     /* file: the CA's own security descriptor */
	char *agents;	     /* file: whom agents may enroll; may not be */
	char *officers; /* file: whose requests officers decide; the same */
	char *pins;	/* directory: pinned templates, NAME.ldif */
	char *chain;	/* PEM of the issuers above; may be NULL */
	char *cross;	/* PEM of cross certificates; may be NULL */
	int64_t max_validity;  /* of what is issued */
	int64_t clock_skew;    /* notBefore lies this far back */
	int64_t repeat_window; /* a request sent again gets its answer again */
	int64_t crl_period;    /* between two base CRLs */
	int64_t crl_overlap;   /* 0: a tenth of the period */
	int64_t crl_delta_period; /* 0: no delta CRLs */
	int64_t crl_delta_overlap;
	uint32_t serial_instance;
	uint32_t rsa_bits_min, rsa_bits_max;
	bool allow_sha1_csr;
	bool allow_supplied_auth_subject;
	bool allow_any_purpose;
	bool allow_group_policies;
	struct ae_strv any_host_names; /* templates (cn), or "*" */
	bool request_dates;
	bool allow_renew_on_behalf;
	int requests; /* what becomes of good ones: enum conf_requests */
	struct ae_strv cdp, aia, ocsp; /* URLs in what is issued */
	struct ae_strv delta_cdp;      /* in base CRLs */
	char *crl_dir;		       /* where CRLs are written */

	/* [policy] */
	char *policy_dir;     /* of NAME.xml, doc/rules.md */
	bool policy_required; /* a template without a file: denied */
	bool policy_events;   /* of every request, not the refused alone */
	struct ae_strv policy_extensions;	     /* that files may add */
	char *yubikey_roots, *yubikey_intermediates; /* PEM; may be NULL */

	/* [key] */
	char *key_passphrase_file;   /* of keys in files; NULL: credential */
	char *pkcs11_module;	     /* library */
	char *pkcs11_pin_file;	     /* NULL: credential */
	struct ae_strv pkcs11_paths; /* what the library may write */
	bool pkcs11_network;
	char *tpm; /* TCTI; NULL: /dev/tpmrm0 when it is there */

	/* [archive] */
	char *attest_dir; /* whose TPMs count; NULL: no key attestation */
	struct ae_strv recovery_agents; /* SHA-256 of certificates, hex */

	/* [admin] */
	bool admin_network;   /* serve ICertAdminD and ICertAdminD2 */
	bool role_separation; /* nobody may have two roles */
	/* here on the host, besides root: users, @groups, numbers */
	struct ae_strv local_admins, local_managers, local_auditors;

	/* [listen] */
	struct ae_strv address; /* none: 0.0.0.0 */
	uint32_t port;		/* of the CA; 135 is the mapper's always */
	uint32_t workers;	/* 0: one per core */
	uint32_t max_connections;
	uint32_t max_per_account; /* of a worker; 0: a quarter of these */
	uint32_t per_minute;	  /* requests of one account; 0: any */

	/* [directory] */
	char *domain;	 /* DNS name; NULL: of the host's keytab */
	char *server;	 /* one DC, for tests; NULL: found by DNS */
	char *keytab;	 /* /etc/krb5.keytab */
	char *account;	 /* NULL: the host name in capitals and $ */
	char *krb5_conf; /* NULL: /etc/krb5.conf */
	int64_t refresh;

	/* [database] */
	char *database;		/* the file, or db_server */
	char *db_server;	/* postgresql://…; NULL: SQLite */
	char *db_password_file; /* NULL: credential, or none */
	char *anchor;		/* how far it was, outside of it */
	uint32_t max_pending_per_sid;
	uint32_t max_refused_per_sid_day;

	/* [sandbox] */
	bool sandbox_require;
	uint32_t uid_base; /* 0: the users of sysusers.d */

	/* [http] */
	struct ae_strv http_address; /* none: HTTP is not served */
	uint32_t http_port;
	uint32_t http_max_connections;
	uint32_t http_max_per_address;
	uint32_t http_per_second; /* requests of one address; 0: any */
	int64_t ocsp_validity;	  /* of an OCSP response */

	/* [metrics] */
	struct ae_strv metrics_address; /* none: 127.0.0.1 */
	uint32_t metrics_port;		/* 0: figures are not served */
	char *metrics_file;		/* NULL: nor written */

	/* [log] */
	bool log_json; /* in the foreground */
	int level;     /* enum ae_log_level - AE_LOG_ERROR */
	char *events;  /* file; "" writes none */

	char *root; /* as given on the command line, or NULL */
};

/*
 * Defaults, then the file at path (NULL: CONF_PATH below root).  Paths in it
 * are taken below root as well.  AE_ENOTFOUND without a file.
 */
int conf_read(struct conf *c, const char *root, const char *path,
    struct ae_err *e) AE_MUST_CHECK;
void conf_done(struct conf *c);

/* Several nodes may serve this CA: its database is a server's. */
static inline bool
conf_shared(const struct conf *c)
{
	return c->db_server != NULL;
}

/* A path of ours below the root; heap. */
char *conf_path(const struct conf *c, const char *path);

#endif
