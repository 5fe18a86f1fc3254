/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the client's programs and roles share: for whom they work – this
 * machine or the user who runs them –, where things are, and the settings of
 * /etc/autoenroll/autoenroll.conf.
 */
#ifndef AE_CLIENT_CLIENT_H
#define AE_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "keyconf.h"
#include "sys/log.h"

/*
 * All paths are heap and already below --root.  A user's state_dir is
 * $XDG_DATA_HOME/autoenroll (~/.local/share/autoenroll), the run_dir
 * $XDG_RUNTIME_DIR/autoenroll, or run in the state_dir without one.
 */
struct client {
	bool user;	      /* works for the user who runs it */
	char *context;	      /* for events: "Local system", "LAB\\alice" */
	char *root;	      /* "" or the argument of --root */
	char *conf_path;      /* etc/autoenroll/autoenroll.conf */
	char *user_conf_path; /* a user's own, or NULL */
	char *policy_path;    /* etc/autoenroll/policy.conf, the local layer */
	char *user_policy_path; /* the user's own; NULL for the machine */
	char *deploy_path; /* deploy.conf, there or in the user's ~/.config */
	char *hooks_dir;   /* hooks.d beside it */
	char *keytab;
	char *state_dir;	   /* var/lib/autoenroll: the machine's store */
	char *run_dir;		   /* run/autoenroll: caches, control socket */
	bool run_moved;		   /* by client_move_run */
	char *ccache;		   /* <run_dir>/krb5cc, without "FILE:" */
	char *krb5_more;	   /* <run_dir>/krb5.conf, see pulse_krb5.c */
	char *socket;		   /* <run_dir>/control */
	char *events;		   /* <state_dir>/events.jsonl */
	char *policy_cache;	   /* <state_dir>/policy.cache */
	char *policy_last;	   /* <state_dir>/policy.last */
	char *machine_policy_last; /* var/lib/autoenroll/policy.last */
	char *ldap_ahead;	   /* <state_dir>/ldap.ahead */
	char *log_level_file;	   /* <state_dir>/loglevel */
	char *machine_level_file;  /* var/lib/autoenroll/loglevel */
	char *policy_level_file;   /* var/lib/autoenroll/loglevel.policy */

	/* from the configuration file */
	char *principal; /* NULL: <HOST>$ of the keytab's realm */
	char *helper;	 /* the sysvol helper's path, not below root */
	char *role_user; /* unprivileged user of policy and net */
	bool require_sandbox;
	int64_t interval;	  /* seconds between runs, 8 hours */
	int64_t spread;		  /* added to it, up to this: 30 minutes */
	int64_t start_spread;	  /* after start-up, up to this: 10 minutes */
	int64_t policy_interval;  /* looks at group policy: 90 minutes */
	int64_t run_timeout;	  /* the longest a run may take: an hour */
	int64_t ca_timeout;	  /* seconds for one CA, all stages */
	uint32_t events_max_size; /* bytes of each event file */
	uint32_t events_keep;	  /* old event files */
	bool trust_system;	  /* the directory's roots are the system's */
	char *trust_method;	  /* "auto", or how the system is told */
	struct keyconf keyconf;
	/* Told what a run is doing; NULL: nobody. */
	void (*progress)(void *arg, const char *stage);
	void *progress_arg;
	/* who is told of certificates that expire; NULL: nobody */
	char *notify_mail;    /* an address */
	char *notify_command; /* program and arguments, by blanks */
	char *sendmail;	      /* what mail goes through */
	struct ae_log *log;
};

/*
 * Fill in paths and settings, of the machine or of the user who runs this.
 * A configuration file that does not exist leaves the defaults.  root may be
 * NULL.  AE_ENOTFOUND: a user without a home directory.
 */
int client_init(struct client *c, const char *root, bool user,
    struct ae_err *e) AE_MUST_CHECK;
void client_done(struct client *c);

/*
 * What would go below run_dir goes below dir, in the roles of a run as well:
 * for a plan that leaves nothing and waits for nobody.
 */
int client_move_run(
    struct client *c, const char *dir, struct ae_err *e) AE_MUST_CHECK;

/* Tell what is being done now, to whoever wants to know. */
void client_progress(const struct client *c, const char *stage);

/* The context of events from now on: "domain\\account". */
int client_set_context(struct client *c, const char *domain,
    const char *account, struct ae_err *e) AE_MUST_CHECK;

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

/*
 * s as a JSON string whatever is in it: text that others wrote and that is
 * not UTF-8 is quoted, for a report without its text is not one.
 */
json_t *client_text(const char *s);

#endif
