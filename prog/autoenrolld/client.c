/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Paths and settings; see client.h.
 */
#include "client.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/conf.h"
#include "sys/files.h"

/* clang-format off */
static const struct ae_conf_key keys[] = {
	{ "", "principal",  AE_CONF_STR,  offsetof(struct client, principal) },
	{ "", "user",       AE_CONF_STR,  offsetof(struct client, user) },
	{ "", "keytab",     AE_CONF_STR,  offsetof(struct client, keytab) },
	{ "", "sysvol-helper", AE_CONF_STR, offsetof(struct client, helper) },
	{ "", "interval",   AE_CONF_SPAN, offsetof(struct client, interval), 60, 7 * 86400 },
	{ "", "ca-timeout", AE_CONF_SPAN, offsetof(struct client, ca_timeout), 1, 3600 },
	{ "", "require-sandbox", AE_CONF_BOOL, offsetof(struct client, require_sandbox) },
	{ 0 },
};

/* Where things are: design decision, stable for packagers. */
static const struct {
	size_t offset;
	const char *path;
} paths[] = {
	{ offsetof(struct client, conf_path),      "/etc/autoenroll/autoenroll.conf" },
	{ offsetof(struct client, policy_path),    "/etc/autoenroll/policy.conf" },
	{ offsetof(struct client, keytab),         "/etc/krb5.keytab" },
	{ offsetof(struct client, state_dir),      "/var/lib/autoenroll" },
	{ offsetof(struct client, events),         "/var/lib/autoenroll/events.jsonl" },
	{ offsetof(struct client, policy_cache),   "/var/lib/autoenroll/policy.cache" },
	{ offsetof(struct client, log_level_file), "/var/lib/autoenroll/loglevel" },
	{ offsetof(struct client, run_dir),        "/run/autoenroll" },
	{ offsetof(struct client, ccache),         "/run/autoenroll/krb5cc" },
	{ offsetof(struct client, socket),         "/run/autoenroll/control" },
};
/* clang-format on */

int
client_init(struct client *c, const char *root, struct ae_err *e)
{
	size_t i;
	int rc;

	memset(c, 0, sizeof(*c));
	c->root = strdup(root == NULL ? "" : root);
	c->user = strdup("_autoenroll");
	c->helper = strdup(AE_LIBEXECDIR "/sysvol");
	c->interval = 8 * 3600;
	c->ca_timeout = 60;
	if (c->root == NULL || c->user == NULL || c->helper == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char **field = (char **)(void *)((char *)c + paths[i].offset);

		*field = ae_path_root(root, paths[i].path);
		if (*field == NULL)
			return ae_fail_mem(e);
	}
	rc = ae_conf_read(c, keys, c->conf_path, e);
	if (rc != AE_ENOTFOUND)
		return rc;
	*e = (struct ae_err)AE_ERR_INIT; /* the defaults are fine */
	return AE_OK;
}

void
client_done(struct client *c)
{
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		free(*(char **)(void *)((char *)c + paths[i].offset));
	free(c->root);
	free(c->user);
	free(c->helper);
	free(c->principal);
	ae_log_free(c->log);
	memset(c, 0, sizeof(*c));
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

int
client_exit_code(const struct ae_err *e)
{
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
