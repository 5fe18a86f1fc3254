/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the client's programs and roles share: where things are, and the
 * settings of /etc/autoenroll/autoenroll.conf.
 */
#ifndef AE_CLIENT_CLIENT_H
#define AE_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sys/log.h"

/* All paths are heap and already below --root. */
struct client {
	char *root;	   /* "" or the argument of --root */
	char *conf_path;   /* etc/autoenroll/autoenroll.conf */
	char *policy_path; /* etc/autoenroll/policy.conf, the local layer */
	char *keytab;
	char *state_dir;      /* var/lib/autoenroll: the machine's store */
	char *run_dir;	      /* run/autoenroll: caches, control socket */
	char *ccache;	      /* run/autoenroll/krb5cc, without "FILE:" */
	char *socket;	      /* run/autoenroll/control */
	char *events;	      /* var/lib/autoenroll/events.jsonl */
	char *policy_cache;   /* var/lib/autoenroll/policy.cache */
	char *log_level_file; /* var/lib/autoenroll/loglevel */

	/* from the configuration file */
	char *principal; /* NULL: <HOST>$ of the keytab's realm */
	char *helper;	 /* the sysvol helper's path, not below root */
	char *user;	 /* unprivileged user of policy and net */
	bool require_sandbox;
	int64_t interval;   /* seconds between runs, 8 hours */
	int64_t ca_timeout; /* seconds for one CA, all stages */
	struct ae_log *log;
};

/*
 * Fill in paths and settings.  A configuration file that does not exist
 * leaves the defaults.  root may be NULL.
 */
int client_init(
    struct client *c, const char *root, struct ae_err *e) AE_MUST_CHECK;
void client_done(struct client *c);

/* The machine's fully qualified name, lower case; AE_EINVAL without one. */
int client_fqdn(char *out, size_t len, struct ae_err *e) AE_MUST_CHECK;

/* "PC1$": the configured principal, or the host name as adcli joins it. */
int client_principal(const struct client *c, char *out, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/* Exit codes of both command lines; doc/cli.md. */
enum client_exit {
	EXIT_OK = 0,
	EXIT_FINDING = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_LOCAL = 4,
	EXIT_DIRECTORY = 5,
	EXIT_NETWORK = 6,
	EXIT_AUTH = 7,
	EXIT_DENIED = 8,
	EXIT_PENDING = 9,
	EXIT_TRUST = 10,
};

/* The exit code a failure of this kind gives. */
int client_exit_code(const struct ae_err *e);

#endif
