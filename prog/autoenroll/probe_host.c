/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probes that need no network: who and where we are, the join, the state
 * directory, the runs; and the store.
 *
 *   "host": { "now", "name", "fqdn", "fqdn_error", "uid", "user": bool,
 * "realm", "principal", "keytab": { "path", "state": "present" | "absent" |
 *             "denied" | "damaged", "error", "keys": [ { "principal", "kvno",
 *             "enctype", "etype" } ] },
 *             "state_dir": { "path", "state": "writable" | "absent" |
 *             "read-only" | "denied", "free", "inodes_free" },
 *             "task": as task.json has it,
 *             "local_policy": { "path", "computer", "user" },
 *             "run_lock": { "state": "free" | "held", "since", "age" },
 *             "starters": { "enabled", "daemon": bool, "files": [ path ],
 *             "hooks": [ path ]: who tells of a network } }
 *   "store": { "certs": as "store list --json", "requests",
 *             "anchors": as probe_anchors.c has it, "trust" and "elsewhere"
 *             as probe_elsewhere.c has them }
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "../autoenrolld/task.h"
#include "base/time.h"
#include "certs.h"
#include "diag/facts.h"
#include "gss/look.h"
#include "policy/local.h"
#include "probe.h"
#include "probe_pki.h"
#include "sys/clock.h"
#include "sys/files.h"

#define TASK_FILE_MAX (1u << 20)

static void
names(struct probe *p)
{
	struct ae_err e = AE_ERR_INIT;
	char name[256] = "", principal[256], realm[256];

	(void)gethostname(name, sizeof(name) - 1);
	probe_set(p, "name", client_text(name));
	probe_set(p, "uid", json_integer(geteuid()));
	probe_set(p, "now", json_integer((json_int_t)ae_clock_now()));
	probe_set(p, "user", json_boolean(p->cli->c.user));
	if (client_fqdn(name, sizeof(name), &e) == AE_OK)
		probe_set(p, "fqdn", client_text(name));
	else
		probe_set(p, "fqdn_error", client_text(e.text));
	if (client_principal(&p->cli->c, principal, sizeof(principal), NULL) ==
	    AE_OK)
		probe_set(p, "principal", client_text(principal));
	if (ae_gss_default_realm(realm, sizeof(realm)))
		probe_set(p, "krb5_realm", client_text(realm));
}

static void
keytab(struct probe *p)
{
	const char *path = p->cli->c.keytab, *state = "present";
	json_t *j = json_pack("{s:s}", "path", path), *keys = json_array();
	struct ae_gss_key *v = NULL;
	struct ae_err e = AE_ERR_INIT;
	size_t n, i;
	int rc;

	rc = ae_gss_keytab_list(&v, &n, path, &e);
	if (rc != AE_OK) {
		state = rc == AE_ENOTFOUND ? "absent"
		    : rc == AE_EDENIED	   ? "denied"
					   : "damaged";
		(void)json_object_set_new(j, "error", client_text(e.text));
	}
	for (i = 0; i < n; i++) {
		json_t *key =
		    json_pack("{s:I, s:i, s:s}", "kvno", (json_int_t)v[i].kvno,
			"enctype", (int)v[i].enctype, "etype", v[i].etype_name);

		(void)json_object_set_new(
		    key, "principal", client_text(v[i].principal));
		(void)json_array_append_new(keys, key);
	}
	(void)json_object_set_new(j, "state", json_string(state));
	(void)json_object_set_new(j, "keys", keys);
	probe_set(p, "keytab", j);
	free(v);
}

/* krb5.conf's realm, or the one of the keytab's first entry. */
static void
realm(struct probe *p)
{
	const char *s = ae_fact_str(p->mine, "krb5_realm"), *at;
	const json_t *first;

	if (s == NULL) {
		first = json_array_get(ae_fact(p->mine, "keytab.keys"), 0);
		at = strrchr(ae_fact_text(first, "principal"), '@');
		s = at == NULL || at[1] == '\0' ? NULL : at + 1;
	}
	if (s != NULL)
		probe_set(p, "realm", client_text(s));
}

static void
state_dir(struct probe *p)
{
	const char *path = p->cli->c.state_dir, *state = "writable";
	json_t *j = json_object();
	struct statvfs fs;

	if (access(path, W_OK | X_OK) != 0)
		state = errno == ENOENT ? "absent"
		    : errno == EROFS	? "read-only"
					: "denied";
	(void)json_object_set_new(j, "path", client_text(path));
	(void)json_object_set_new(j, "state", json_string(state));
	if (statvfs(path, &fs) == 0) {
		if ((fs.f_flag & ST_RDONLY) != 0)
			(void)json_object_set_new(
			    j, "state", json_string("read-only"));
		(void)json_object_set_new(j, "free",
		    json_integer(
			(json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize));
		(void)json_object_set_new(
		    j, "inodes_free", json_integer((json_int_t)fs.f_favail));
		(void)json_object_set_new(
		    j, "inodes", json_integer((json_int_t)fs.f_files));
	}
	probe_set(p, "state_dir", j);
}

static void
task(struct probe *p)
{
	uint8_t *text = NULL;
	char path[4096];
	json_t *j = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/task.json", p->cli->c.state_dir);
	if (ae_file_read(&text, &len, path, TASK_FILE_MAX, NULL) == AE_OK)
		j = json_loadb(
		    (const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (json_is_object(j))
		probe_set(p, "task", j);
	else
		json_decref(j);
}

/* Is a run under way, and since when? */
static void
run_lock(struct probe *p)
{
	char path[4096], when[AE_TIME_STR_MAX];
	struct stat st;
	int fd = -1, rc;

	(void)snprintf(path, sizeof(path), "%s/run.lock", p->cli->c.run_dir);
	if (stat(path, &st) != 0) {
		probe_set(p, "run_lock", json_pack("{s:s}", "state", "free"));
		return;
	}
	rc = ae_file_lock(&fd, path, false, NULL);
	if (fd >= 0)
		(void)close(fd);
	/* Who has it writes its name there when it begins. */
	probe_set(p, "run_lock",
	    json_pack("{s:s, s:s, s:I}", "state",
		rc == AE_EUNAVAIL ? "held" : "free", "since",
		ae_time_print(when, st.st_mtime), "age",
		(json_int_t)(ae_clock_now() - st.st_mtime)));
}

/* Does this file of cron say "autoenroll", or a foreign client's name? */
static bool
starts_one(const char *path)
{
	uint8_t *text = NULL;
	size_t len;
	bool found;

	if (ae_file_read(&text, &len, path, TASK_FILE_MAX, NULL) != AE_OK)
		return false;
	found = memmem(text, len, "autoenroll", 10) != NULL;
	free(text);
	return found;
}

static void
look_in(json_t *list, const char *dir, const char *name)
{
	char path[4096];
	struct dirent *d;
	DIR *all = opendir(dir);

	while (all != NULL && (d = readdir(all)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		if (d->d_name[0] != '.' &&
		    (name != NULL ? strncmp(d->d_name, name, strlen(name)) == 0
				  : starts_one(path)))
			(void)json_array_append_new(list, client_text(path));
	}
	if (all != NULL)
		(void)closedir(all);
}

static bool
answers(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	yes = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return yes;
}

/* Scripts that would tell it when the network comes (doc/triggers.md). */
static json_t *
hooks(void)
{
	static const char *const dirs[] = { "/etc/NetworkManager/dispatcher.d",
		"/etc/NetworkManager/dispatcher.d/no-wait.d",
		"/usr/lib/NetworkManager/dispatcher.d/no-wait.d",
		"/usr/local/lib/NetworkManager/dispatcher.d/no-wait.d",
		"/etc/networkd-dispatcher/routable.d",
		"/usr/lib/networkd-dispatcher/routable.d",
		"/usr/local/lib/networkd-dispatcher/routable.d",
		"/etc/network/if-up.d", "/etc/ppp/ip-up.d" };
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		look_in(list, dirs[i], NULL);
	return list;
}

/* Who would start a run: the daemon that answers now, units that are enabled,
 * lines of cron. */
static void
starters(struct probe *p)
{
	json_t *files = json_array();
	char dir[4096];

	look_in(files, "/etc/systemd/system/multi-user.target.wants",
	    "autoenrolld");
	look_in(files, "/etc/systemd/system/timers.target.wants", "autoenroll");
	look_in(files, "/etc/systemd/user/timers.target.wants", "autoenroll");
	look_in(files, "/etc/cron.d", NULL);
	look_in(files, "/var/spool/cron/crontabs", NULL);
	if (p->cli->c.user && getenv("HOME") != NULL) {
		(void)snprintf(dir, sizeof(dir),
		    "%s/.config/systemd/user/timers.target.wants",
		    getenv("HOME"));
		look_in(files, dir, "autoenroll");
	}
	probe_set(p, "starters",
	    json_pack("{s:b, s:b, s:o, s:o}", "enabled",
		task_enabled(&p->cli->c), "daemon", answers(p->cli->c.socket),
		"files", files, "hooks", hooks()));
}

/* What policy.conf says, of both halves. */
static void
local_policy(struct probe *p)
{
	struct ae_local_policy l;
	json_t *j;

	if (ae_local_policy_read(&l, p->cli->c.policy_path, NULL) != AE_OK)
		return;
	j = json_pack("{s:s}", "path", p->cli->c.policy_path);
	if (l.computer.ae_policy != AE_LOCAL_UNSET)
		(void)json_object_set_new(
		    j, "computer", json_integer(l.computer.ae_policy));
	if (l.user.ae_policy != AE_LOCAL_UNSET)
		(void)json_object_set_new(
		    j, "user", json_integer(l.user.ae_policy));
	probe_set(p, "local_policy", j);
	ae_local_policy_done(&l);
}

int
probe_host(struct probe *p, struct ae_err *e)
{
	(void)e;
	probe_doing(p, "name", NULL);
	names(p);
	probe_doing(p, "files", NULL);
	keytab(p);
	realm(p);
	state_dir(p);
	probe_session(p);
	task(p);
	local_policy(p);
	run_lock(p);
	starters(p);
	return AE_OK;
}

int
probe_store(struct probe *p, struct ae_err *e)
{
	json_t *certs = NULL, *requests = NULL;
	int rc;

	probe_doing(p, "store", NULL);
	rc = certs_load(&certs, p->cli, true, e);
	if (rc != AE_OK)
		return rc;
	probe_set(p, "certs", certs);
	probe_set(p, "anchors", probe_anchors(&p->cli->c));
	probe_set(p, "trust", probe_trust_store(&p->cli->c));
	probe_set(p, "elsewhere", probe_elsewhere(&p->cli->c));
	rc = certs_requests(&requests, p->cli, e);
	if (rc == AE_OK)
		probe_set(p, "requests", requests);
	return rc;
}
