/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Paths and settings; see client.h.
 */
#include "client.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/str.h"
#include "sys/files.h"
#include "sys/lines.h"

/* clang-format off */
/* What a user may have of his own: where his keys are. */
#define USER_KEYS \
	{ "keys", "tpm", AE_CONF_STR, offsetof(struct client, keyconf.tpm) }, \
	{ "keys", "tpm-parent", AE_CONF_U32, offsetof(struct client, keyconf.tpm_parent) }, \
	{ "keys", "pkcs11-module", AE_CONF_STR, offsetof(struct client, keyconf.module) }, \
	{ "keys", "pkcs11-token", AE_CONF_STR, offsetof(struct client, keyconf.token) }, \
	{ "keys", "pkcs11-pin-file", AE_CONF_STR, offsetof(struct client, keyconf.pin_file) }, \
	{ "keys", "pkcs11-path", AE_CONF_STRV, offsetof(struct client, keyconf.paths) }, \
	{ "keys", "pkcs11-network", AE_CONF_BOOL, offsetof(struct client, keyconf.network) }, \
	{ "providers", "*", AE_CONF_PAIRS, offsetof(struct client, keyconf.providers) },

static const struct ae_conf_key keys[] = {
	{ "", "principal",  AE_CONF_STR,  offsetof(struct client, principal) },
	{ "", "user",       AE_CONF_STR,  offsetof(struct client, role_user) },
	{ "", "keytab",     AE_CONF_STR,  offsetof(struct client, keytab) },
	{ "", "sysvol-helper", AE_CONF_STR, offsetof(struct client, helper) },
	{ "", "interval",   AE_CONF_SPAN, offsetof(struct client, interval), 60, 7 * 86400 },
	{ "", "spread",     AE_CONF_SPAN, offsetof(struct client, spread), 0, 86400 },
	{ "", "start-spread", AE_CONF_SPAN, offsetof(struct client, start_spread), 0, 86400 },
	{ "", "policy-interval", AE_CONF_SPAN, offsetof(struct client, policy_interval), 0, 7 * 86400 },
	{ "", "run-timeout", AE_CONF_SPAN, offsetof(struct client, run_timeout), 1, 86400 },
	{ "", "ca-timeout", AE_CONF_SPAN, offsetof(struct client, ca_timeout), 1, 3600 },
	{ "", "require-sandbox", AE_CONF_BOOL, offsetof(struct client, require_sandbox) },
	{ "events", "max-size", AE_CONF_U32, offsetof(struct client, events_max_size), 4096, 1 << 30 },
	{ "events", "keep", AE_CONF_U32, offsetof(struct client, events_keep), 1, AE_LINES_KEEP_MAX },
	USER_KEYS
	{ "key-files", "*", AE_CONF_PAIRS, offsetof(struct client, keyconf.files) },
	{ "trust", "system", AE_CONF_BOOL, offsetof(struct client, trust_system) },
	{ "trust", "method", AE_CONF_STR, offsetof(struct client, trust_method) },
	{ "notify", "mail", AE_CONF_STR, offsetof(struct client, notify_mail) },
	{ "notify", "command", AE_CONF_STR, offsetof(struct client, notify_command) },
	{ "notify", "sendmail", AE_CONF_STR, offsetof(struct client, sendmail) },
	{ 0 },
};

static const struct ae_conf_key user_keys[] = {
	USER_KEYS
	{ 0 },
};

/* Where things are: design decision, stable for packagers. */
enum base { SYSTEM, CONF, STATE, RUN };
static const struct {
	size_t offset;
	enum base base;
	const char *path;
} paths[] = {
	{ offsetof(struct client, conf_path),      SYSTEM, "/etc/autoenroll/autoenroll.conf" },
	{ offsetof(struct client, policy_path),    SYSTEM, "/etc/autoenroll/policy.conf" },
	{ offsetof(struct client, deploy_path),    CONF,   "/deploy.conf" },
	{ offsetof(struct client, hooks_dir),      CONF,   "/hooks.d" },
	{ offsetof(struct client, keytab),         SYSTEM, "/etc/krb5.keytab" },
	{ offsetof(struct client, state_dir),      STATE,  "" },
	{ offsetof(struct client, events),         STATE,  "/events.jsonl" },
	{ offsetof(struct client, policy_cache),   STATE,  "/policy.cache" },
	{ offsetof(struct client, policy_last),    STATE,  "/policy.last" },
	{ offsetof(struct client, machine_policy_last), SYSTEM, "/var/lib/autoenroll/policy.last" },
	{ offsetof(struct client, ldap_ahead),     STATE,  "/ldap.ahead" },
	{ offsetof(struct client, log_level_file), STATE,  "/loglevel" },
	/* The machine's LogLevel holds for users, too, as on Windows. */
	{ offsetof(struct client, machine_level_file), SYSTEM, "/var/lib/autoenroll/loglevel" },
	{ offsetof(struct client, policy_level_file), SYSTEM, "/var/lib/autoenroll/loglevel.policy" },
	{ offsetof(struct client, run_dir),        RUN,    "" },
	{ offsetof(struct client, ccache),         RUN,    "/krb5cc" },
	{ offsetof(struct client, krb5_more),      RUN,    "/krb5.conf" },
	{ offsetof(struct client, socket),         RUN,    "/control" },
};
/* clang-format on */

/* The directories that the machine's or the user's paths start with. */
struct bases {
	char conf[PATH_MAX], state[PATH_MAX], run[PATH_MAX];
};

static int
join(char out[PATH_MAX], const char *dir, const char *more, struct ae_err *e)
{
	if (snprintf(out, PATH_MAX, "%s%s", dir, more) >= PATH_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the path %s%s is too long", dir, more);
	return AE_OK;
}

/* Of the environment, but not what su and sudo left of somebody else's. */
static const char *
own_dir(const char *name)
{
	const char *dir = getenv(name);
	struct stat st;

	return dir != NULL && dir[0] == '/' && stat(dir, &st) == 0 &&
		st.st_uid == geteuid()
	    ? dir
	    : NULL;
}

/*
 * The same of a directory that need not be there yet: what it would be made
 * in must be ours or root's.
 */
static const char *
own_future_dir(const char *name)
{
	const char *dir = getenv(name);
	char path[PATH_MAX], *slash;
	struct stat st;

	if (dir == NULL || dir[0] != '/' ||
	    (size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path))
		return NULL;
	while (stat(path, &st) != 0) {
		slash = strrchr(path, '/');
		if (errno != ENOENT || slash == NULL)
			return NULL;
		slash[slash == path] = '\0';
	}
	return st.st_uid == geteuid() || st.st_uid == 0 ? dir : NULL;
}

static int
user_bases(struct bases *b, const char **name, struct ae_err *e)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *home = own_dir("HOME"),
		   *data = own_future_dir("XDG_DATA_HOME"),
		   *conf = own_future_dir("XDG_CONFIG_HOME"),
		   *run = own_dir("XDG_RUNTIME_DIR");
	int rc;

	if (home == NULL && pw != NULL)
		home = pw->pw_dir;
	if (home == NULL || home[0] != '/')
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "user %u has no home directory: certificates have no "
		    "place; set HOME",
		    geteuid());
	*name = pw != NULL ? pw->pw_name : "user";
	rc = data != NULL ? join(b->state, data, "/autoenroll", e)
			  : join(b->state, home, "/.local/share/autoenroll", e);
	if (rc == AE_OK)
		rc = conf != NULL
		    ? join(b->conf, conf, "/autoenroll", e)
		    : join(b->conf, home, "/.config/autoenroll", e);
	if (rc == AE_OK)
		rc = run != NULL ? join(b->run, run, "/autoenroll", e)
				 : join(b->run, b->state, "/run", e);
	return rc;
}

static int
set_paths(struct client *c, const struct bases *b, struct ae_err *e)
{
	const char *const dirs[] = { [SYSTEM] = "",
		[CONF] = b->conf,
		[STATE] = b->state,
		[RUN] = b->run };
	char path[PATH_MAX];
	size_t i;
	int rc;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char **field = (char **)(void *)((char *)c + paths[i].offset);

		rc = join(path, dirs[paths[i].base], paths[i].path, e);
		if (rc != AE_OK)
			return rc;
		if ((*field = ae_path_root(c->root, path)) == NULL)
			return ae_fail_mem(e);
	}
	if (!c->user)
		return AE_OK;
	rc = join(path, b->conf, "/policy.conf", e);
	if (rc != AE_OK)
		return rc;
	c->user_policy_path = ae_path_root(c->root, path);
	if ((rc = join(path, b->conf, "/autoenroll.conf", e)) != AE_OK)
		return rc;
	c->user_conf_path = ae_path_root(c->root, path);
	return c->user_policy_path == NULL || c->user_conf_path == NULL
	    ? ae_fail_mem(e)
	    : AE_OK;
}

/* Without the file the defaults are fine. */
static int
read_conf(struct client *c, const struct ae_conf_key *rows, const char *path,
    struct ae_err *e)
{
	int rc = ae_conf_read(c, rows, path, e);

	if (rc != AE_ENOTFOUND)
		return rc;
	*e = (struct ae_err)AE_ERR_INIT;
	return AE_OK;
}

int
client_init(struct client *c, const char *root, bool user, struct ae_err *e)
{
	struct bases b = { "/etc/autoenroll", "/var/lib/autoenroll",
		"/run/autoenroll" };
	const char *context = "Local system";
	int rc = AE_OK;

	memset(c, 0, sizeof(*c));
	c->user = user;
	if (user)
		rc = user_bases(&b, &context, e);
	if (rc != AE_OK)
		return rc;
	c->context = strdup(context);
	c->root = strdup(root == NULL ? "" : root);
	c->role_user = strdup("_autoenroll");
	c->helper = strdup(AE_LIBEXECDIR "/sysvol");
	c->sendmail = strdup("/usr/sbin/sendmail");
	c->interval = 8 * 3600;
	c->spread = 30 * 60;
	c->start_spread = 10 * 60;
	c->policy_interval = 90 * 60;
	c->run_timeout = 3600;
	c->ca_timeout = 60;
	c->events_max_size = 4u * 1024u * 1024u;
	c->events_keep = 4;
	c->trust_method = strdup("auto");
	if (c->context == NULL || c->root == NULL || c->role_user == NULL ||
	    c->helper == NULL || c->trust_method == NULL || c->sendmail == NULL)
		return ae_fail_mem(e);
	rc = set_paths(c, &b, e);
	if (rc == AE_OK)
		rc = read_conf(c, keys, c->conf_path, e);
	if (rc == AE_OK && user)
		rc = read_conf(c, user_keys, c->user_conf_path, e);
	return rc == AE_OK ? keyconf_check(&c->keyconf, e) : rc;
}

int
client_move_run(struct client *c, const char *dir, struct ae_err *e)
{
	char path[PATH_MAX], **field, *moved;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i].base != RUN)
			continue;
		rc = join(path, dir, paths[i].path, e);
		if (rc != AE_OK)
			return rc;
		moved = strdup(path);
		if (moved == NULL)
			return ae_fail_mem(e);
		field = (char **)(void *)((char *)c + paths[i].offset);
		free(*field);
		*field = moved;
	}
	c->run_moved = true;
	return AE_OK;
}

int
client_set_context(
    struct client *c, const char *domain, const char *account, struct ae_err *e)
{
	char *context = NULL;

	if (asprintf(&context, "%s\\%s", domain, account) < 0)
		return ae_fail_mem(e);
	free(c->context);
	c->context = context;
	return AE_OK;
}

void
client_done(struct client *c)
{
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		free(*(char **)(void *)((char *)c + paths[i].offset));
	free(c->user_policy_path);
	free(c->user_conf_path);
	free(c->context);
	free(c->root);
	free(c->role_user);
	free(c->helper);
	free(c->sendmail);
	free(c->notify_mail);
	free(c->notify_command);
	free(c->principal);
	free(c->trust_method);
	keyconf_done(&c->keyconf);
	ae_log_free(c->log);
	memset(c, 0, sizeof(*c));
}

void
client_progress(const struct client *c, const char *stage)
{
	if (c->progress != NULL)
		c->progress(c->progress_arg, stage);
}

int
client_fqdn(char *out, size_t len, struct ae_err *e)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME }, *ai = NULL;
	size_t i;

	if (gethostname(out, len) != 0 || memchr(out, '\0', len) == NULL)
		return ae_fail_errno(e, errno, "read the host name");
	if (strchr(out, '.') == NULL &&
	    getaddrinfo(out, NULL, &hints, &ai) == 0 &&
	    ai->ai_canonname != NULL && strchr(ai->ai_canonname, '.') != NULL &&
	    strlen(ai->ai_canonname) < len)
		memcpy(out, ai->ai_canonname, strlen(ai->ai_canonname) + 1);
	if (ai != NULL)
		freeaddrinfo(ai);
	for (i = 0; out[i] != '\0'; i++)
		out[i] = (char)tolower((unsigned char)out[i]);
	if (strchr(out, '.') == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the host name '%s' has no domain; set the fully "
		    "qualified name",
		    out);
	return AE_OK;
}

int
client_principal(
    const struct client *c, char *out, size_t len, struct ae_err *e)
{
	char host[256];
	size_t n;

	if (c->principal != NULL) {
		if (strlen(c->principal) >= len)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "the principal is too long");
		memcpy(out, c->principal, strlen(c->principal) + 1);
		return AE_OK;
	}
	if (gethostname(host, sizeof(host)) != 0)
		return ae_fail_errno(e, errno, "read the host name");
	host[sizeof(host) - 1] = '\0';
	/* sAMAccountName of a computer: at most 15 characters, upper case. */
	n = strcspn(host, ".");
	if (n > 15)
		n = 15;
	if (n == 0 || n + 2 > len)
		return ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "the host has no name");
	for (size_t i = 0; i < n; i++)
		out[i] = (char)toupper((unsigned char)host[i]);
	out[n] = '$';
	out[n + 1] = '\0';
	return AE_OK;
}

json_t *
client_text(const char *s)
{
	char quoted[4 * AE_ERR_TEXT_MAX];
	json_t *j = json_string(s);

	return j != NULL
	    ? j
	    : json_string(ae_str_quote(quoted, sizeof(quoted), s, strlen(s)));
}

int
client_exit_code(const struct ae_err *e)
{
	/* A key, or the device for it, said so in NTE_ codes: pki/nte.h. */
	if (e->dom == AE_DOM_HRESULT && e->code >> 16 == 0x8009 &&
	    (e->code & 0xffff) < 0x100 && e->rc != AE_OK &&
	    e->rc != AE_EREMOTE && e->rc != AE_EINVAL)
		return EXIT_LOCAL;
	switch (e->rc) {
	case AE_OK:
		return EXIT_OK;
	case AE_EINVAL:
		return EXIT_USAGE;
	case AE_ENOTFOUND:
		return EXIT_NOT_FOUND;
	case AE_EAUTH:
		return EXIT_AUTH;
	case AE_ETRUST:
		return EXIT_TRUST;
	case AE_EDENIED:
		return EXIT_DENIED;
	case AE_ETIMEDOUT:
	case AE_EUNAVAIL:
		return e->dom == AE_DOM_LDAP ? EXIT_DIRECTORY : EXIT_NETWORK;
	case AE_EREMOTE:
	case AE_EPROTO:
		return e->dom == AE_DOM_LDAP ? EXIT_DIRECTORY
		    : e->dom == AE_DOM_RPC   ? EXIT_NETWORK
					     : EXIT_FINDING;
	default:
		return EXIT_LOCAL;
	}
}
