/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The table of certsrv.conf.  man/certsrv.conf.5 describes each key.
 */
#include "conf.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "pki/recover.h"
#include "sys/files.h"

#define DAY (24 * 3600)
#define DEFAULT_KEY "file:" STATE_DIR "/private/ca.key"
#define KEY(section, name, type, member)                                       \
	{                                                                      \
		section, name, type, offsetof(struct conf, member), 0, 0, NULL \
	}
#define KEY_IN(section, name, type, member, lo, hi)                         \
	{                                                                   \
		section, name, type, offsetof(struct conf, member), lo, hi, \
		    NULL                                                    \
	}

static const char *const levels[] = { "error", "warning", "notice", "info",
	"debug", NULL };

static const char *const dispositions[] = { "issue", "pend", "deny", NULL };

/* clang-format off */
static const struct ae_conf_key keys[] = {
	KEY("ca", "name", AE_CONF_STR, name),
	KEY("ca", "dns-name", AE_CONF_STR, dns_name),
	KEY("ca", "key", AE_CONF_STRV, keys),
	KEY("ca", "certificate", AE_CONF_STR, certificate),
	KEY("ca", "security", AE_CONF_STR, security),
	KEY("ca", "chain", AE_CONF_STR, chain),
	KEY("ca", "cross", AE_CONF_STR, cross),
	KEY_IN("ca", "max-validity", AE_CONF_SPAN, max_validity, 3600, 100LL * 366 * DAY),
	KEY_IN("ca", "clock-skew", AE_CONF_SPAN, clock_skew, 0, DAY),
	KEY_IN("ca", "repeat-window", AE_CONF_SPAN, repeat_window, 0, 3660LL * DAY),
	KEY_IN("ca", "crl-period", AE_CONF_SPAN, crl_period, 60, 3660LL * DAY),
	KEY_IN("ca", "crl-overlap", AE_CONF_SPAN, crl_overlap, 0, 3660LL * DAY),
	KEY_IN("ca", "crl-delta-period", AE_CONF_SPAN, crl_delta_period, 0, 3660LL * DAY),
	KEY_IN("ca", "crl-delta-overlap", AE_CONF_SPAN, crl_delta_overlap, 0, 3660LL * DAY),
	KEY_IN("ca", "serial-instance", AE_CONF_U32, serial_instance, 1, 0x7f),
	KEY_IN("ca", "rsa-bits-min", AE_CONF_U32, rsa_bits_min, 2048, 16384),
	KEY_IN("ca", "rsa-bits-max", AE_CONF_U32, rsa_bits_max, 2048, 16384),
	KEY("ca", "allow-sha1-requests", AE_CONF_BOOL, allow_sha1_csr),
	KEY("ca", "allow-supplied-auth-subject", AE_CONF_BOOL, allow_supplied_auth_subject),
	KEY("ca", "allow-any-purpose", AE_CONF_BOOL, allow_any_purpose),
	KEY("ca", "any-host-names", AE_CONF_STRV, any_host_names),
	KEY("ca", "allow-group-policies", AE_CONF_BOOL, allow_group_policies),
	KEY("ca", "request-dates", AE_CONF_BOOL, request_dates),
	KEY("ca", "allow-renew-on-behalf", AE_CONF_BOOL, allow_renew_on_behalf),
	{ "ca", "requests", AE_CONF_ENUM, offsetof(struct conf, requests), 0, 0, dispositions },
	KEY("ca", "agents", AE_CONF_STR, agents),
	KEY("ca", "officers", AE_CONF_STR, officers),
	KEY("ca", "pins", AE_CONF_STR, pins),
	KEY("ca", "cdp", AE_CONF_STRV, cdp),
	KEY("ca", "delta-cdp", AE_CONF_STRV, delta_cdp),
	KEY("ca", "aia", AE_CONF_STRV, aia),
	KEY("ca", "ocsp", AE_CONF_STRV, ocsp),
	KEY("ca", "crl-directory", AE_CONF_STR, crl_dir),
	KEY("policy", "directory", AE_CONF_STR, policy_dir),
	KEY("policy", "required", AE_CONF_BOOL, policy_required),
	KEY("policy", "events", AE_CONF_BOOL, policy_events),
	KEY("policy", "extension", AE_CONF_STRV, policy_extensions),
	KEY("policy", "yubikey-roots", AE_CONF_STR, yubikey_roots),
	KEY("policy", "yubikey-intermediates", AE_CONF_STR, yubikey_intermediates),
	KEY("key", "passphrase-file", AE_CONF_STR, key_passphrase_file),
	KEY("key", "pkcs11-module", AE_CONF_STR, pkcs11_module),
	KEY("key", "pkcs11-pin-file", AE_CONF_STR, pkcs11_pin_file),
	KEY("key", "pkcs11-path", AE_CONF_STRV, pkcs11_paths),
	KEY("key", "pkcs11-network", AE_CONF_BOOL, pkcs11_network),
	KEY("key", "tpm", AE_CONF_STR, tpm),
	KEY("attestation", "directory", AE_CONF_STR, attest_dir),
	KEY("archive", "recovery-agent", AE_CONF_STRV, recovery_agents),
	KEY("admin", "network", AE_CONF_BOOL, admin_network),
	KEY("admin", "role-separation", AE_CONF_BOOL, role_separation),
	KEY("admin", "local-administrator", AE_CONF_STRV, local_admins),
	KEY("admin", "local-manager", AE_CONF_STRV, local_managers),
	KEY("admin", "local-auditor", AE_CONF_STRV, local_auditors),
	KEY("listen", "address", AE_CONF_STRV, address),
	KEY_IN("listen", "port", AE_CONF_U32, port, 1, 65535),
	KEY_IN("listen", "workers", AE_CONF_U32, workers, 0, 8),
	KEY_IN("listen", "max-connections", AE_CONF_U32, max_connections, 16, 60000),
	KEY_IN("listen", "max-connections-per-account", AE_CONF_U32, max_per_account, 0, 60000),
	KEY_IN("listen", "requests-per-minute", AE_CONF_U32, per_minute, 0, 1000000),
	KEY("directory", "domain", AE_CONF_STR, domain),
	KEY("directory", "server", AE_CONF_STR, server),
	KEY("directory", "keytab", AE_CONF_STR, keytab),
	KEY("directory", "account", AE_CONF_STR, account),
	KEY("directory", "krb5-conf", AE_CONF_STR, krb5_conf),
	KEY_IN("directory", "refresh", AE_CONF_SPAN, refresh, 1, 60),
	KEY("database", "path", AE_CONF_STR, database),
	KEY("database", "server", AE_CONF_STR, db_server),
	KEY("database", "password-file", AE_CONF_STR, db_password_file),
	KEY("database", "anchor", AE_CONF_STR, anchor),
	KEY("database", "max-pending-per-sid", AE_CONF_U32, max_pending_per_sid),
	KEY("database", "max-refused-per-sid-day", AE_CONF_U32, max_refused_per_sid_day),
	KEY("http", "address", AE_CONF_STRV, http_address),
	KEY_IN("http", "port", AE_CONF_U32, http_port, 1, 65535),
	KEY_IN("http", "max-connections", AE_CONF_U32, http_max_connections, 1, 60000),
	KEY_IN("http", "max-connections-per-address", AE_CONF_U32, http_max_per_address, 1, 60000),
	KEY_IN("http", "requests-per-second", AE_CONF_U32, http_per_second, 0, 1000000),
	KEY_IN("http", "ocsp-validity", AE_CONF_SPAN, ocsp_validity, 60, 7LL * DAY),
	KEY("metrics", "address", AE_CONF_STRV, metrics_address),
	KEY_IN("metrics", "port", AE_CONF_U32, metrics_port, 0, 65535),
	KEY("metrics", "file", AE_CONF_STR, metrics_file),
	KEY("sandbox", "require", AE_CONF_BOOL, sandbox_require),
	KEY_IN("sandbox", "uid-base", AE_CONF_U32, uid_base, 0, 0x7fffffff),
	{ "log", "level", AE_CONF_ENUM, offsetof(struct conf, level), 0, 0, levels },
	KEY("log", "events", AE_CONF_STR, events),
	KEY("log", "json", AE_CONF_BOOL, log_json),
	{ .key = NULL },
};

/* Members that are paths, and what they are when not set. */
static const struct {
	size_t offset;
	const char *value; /* NULL: stays unset */
} paths[] = {
	{ offsetof(struct conf, certificate), "/etc/certsrv/ca.pem" },
	{ offsetof(struct conf, security), "/etc/certsrv/ca.sd" },
	{ offsetof(struct conf, agents), "/etc/certsrv/agents.sd" },
	{ offsetof(struct conf, officers), "/etc/certsrv/officers.sd" },
	{ offsetof(struct conf, pins), "/etc/certsrv/pins" },
	{ offsetof(struct conf, chain), NULL },
	{ offsetof(struct conf, cross), NULL },
	{ offsetof(struct conf, policy_dir), "/etc/certsrv/policy" },
	{ offsetof(struct conf, yubikey_roots), NULL },
	{ offsetof(struct conf, yubikey_intermediates), NULL },
	{ offsetof(struct conf, attest_dir), NULL },
	{ offsetof(struct conf, key_passphrase_file), NULL },
	{ offsetof(struct conf, pkcs11_pin_file), NULL },
	{ offsetof(struct conf, crl_dir), STATE_DIR "/crl" },
	{ offsetof(struct conf, keytab), "/etc/krb5.keytab" },
	{ offsetof(struct conf, krb5_conf), "/etc/krb5.conf" },
	{ offsetof(struct conf, database), DATABASE_PATH },
	{ offsetof(struct conf, db_password_file), NULL },
	{ offsetof(struct conf, anchor), STATE_DIR "/anchor/ca.anchor" },
	{ offsetof(struct conf, events), STATE_DIR "/events.jsonl" },
	{ offsetof(struct conf, metrics_file), NULL },
};
/* clang-format on */

char *
conf_path(const struct conf *c, const char *path)
{
	return ae_path_root(c->root, path);
}

/* "file:/x" below root "/r" is "file:/r/x". */
static int
below_root(struct conf *c, char **value, const char *dflt, const char *prefix,
    struct ae_err *e)
{
	const char *v = *value != NULL ? *value : dflt;
	size_t n = strlen(prefix);
	char *moved, *whole;

	if (v == NULL || v[0] == '\0')
		return AE_OK;
	if (strncmp(v, prefix, n) != 0) /* a URI that names no file */
		return AE_OK;
	moved = conf_path(c, v + n);
	if (moved == NULL)
		return ae_fail_mem(e);
	whole = calloc(1, n + strlen(moved) + 1);
	if (whole == NULL) {
		free(moved);
		return ae_fail_mem(e);
	}
	memcpy(whole, prefix, n);
	memcpy(whole + n, moved, strlen(moved));
	free(moved);
	free(*value);
	*value = whole;
	return AE_OK;
}

/* The database is a server's: it is not below the root. */
static int
server(struct conf *c, const char *path, struct ae_err *e)
{
	char *uri;

	if (c->db_server != NULL && c->db_server[0] == '\0') {
		free(c->db_server);
		c->db_server = NULL;
	}
	if (c->db_server == NULL)
		return AE_OK;
	if (strncmp(c->db_server, "postgresql://", 13) != 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: [database] server is not postgresql://…", path);
	uri = strdup(c->db_server);
	if (uri == NULL)
		return ae_fail_mem(e);
	free(c->database);
	c->database = uri;
	return AE_OK;
}

static int
finish(struct conf *c, const char *path, struct ae_err *e)
{
	size_t i;
	int rc;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		rc = below_root(c, (char **)((char *)c + paths[i].offset),
		    paths[i].value, "", e);
		if (rc < 0)
			return rc;
	}
	rc = server(c, path, e);
	if (rc < 0)
		return rc;
	if (c->keys.n == 0 && !ae_strv_add(&c->keys, DEFAULT_KEY))
		return ae_fail_mem(e);
	for (i = 0; i < c->keys.n; i++) {
		rc = below_root(c, &c->keys.v[i], NULL, "file:", e);
		if (rc < 0)
			return rc;
	}
	if (c->address.n == 0 && !ae_strv_add(&c->address, "0.0.0.0"))
		return ae_fail_mem(e);
	if (c->metrics_address.n == 0 &&
	    !ae_strv_add(&c->metrics_address, "127.0.0.1"))
		return ae_fail_mem(e);
	if (c->http_address.n + c->metrics_address.n > 8)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: more than 8 addresses for HTTP", path);
	if (c->crl_delta_period >= c->crl_period)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: crl-delta-period is not shorter than crl-period",
		    path);
	if (c->name == NULL || c->dns_name == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: [ca] %s is not set", path,
		    c->name == NULL ? "name" : "dns-name");
	if (c->recovery_agents.n > AE_RECOVERY_AGENTS_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: more than %d recovery agents", path,
		    AE_RECOVERY_AGENTS_MAX);
	for (i = 0; i < c->recovery_agents.n; i++)
		if (strlen(c->recovery_agents.v[i]) != 64)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "%s: recovery-agent is the SHA-256 of a "
			    "certificate, 64 hex digits",
			    path);
	if (c->rsa_bits_min > c->rsa_bits_max)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s: rsa-bits-min is larger than rsa-bits-max", path);
	return AE_OK;
}

int
conf_read(struct conf *c, const char *root, const char *path, struct ae_err *e)
{
	char *p;
	int rc;

	memset(c, 0, sizeof(*c));
	c->max_validity = 2 * 365LL * DAY;
	c->clock_skew = 600;
	c->repeat_window = 30 * DAY;
	c->crl_period = 7 * DAY;
	c->serial_instance = 1;
	c->rsa_bits_min = 2048;
	c->rsa_bits_max = 4096;
	c->port = 49500;
	c->max_connections = 12000;
	c->per_minute = 300;
	c->refresh = 30;
	c->http_port = 80;
	c->http_max_connections = 1024;
	c->http_max_per_address = 32;
	c->http_per_second = 50;
	c->ocsp_validity = 3600;
	c->max_pending_per_sid = 100;
	c->max_refused_per_sid_day = 1000;
	c->level = 3; /* info */
	if (root != NULL && (c->root = strdup(root)) == NULL)
		return ae_fail_mem(e);
	p = path != NULL ? strdup(path) : conf_path(c, CONF_PATH);
	if (p == NULL)
		return ae_fail_mem(e);
	rc = ae_conf_read(c, keys, p, e);
	if (rc == AE_OK)
		rc = finish(c, p, e);
	free(p);
	return rc;
}

void
conf_done(struct conf *c)
{
	ae_conf_done(c, keys);
	free(c->root);
	memset(c, 0, sizeof(*c));
}
