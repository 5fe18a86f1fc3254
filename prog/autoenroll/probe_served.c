/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of services that listen here: what certificate does one show, and is
 * it one of ours that was replaced since?  Asked are those whose unit is in
 * deploy.conf, and the ports on which TLS begins with the first byte; others
 * would not understand.  A host whose certificates were never renewed has
 * nobody to ask.
 *
 *   "served": { "listeners": [ { "address", "port", "process", "unit",
 *       "error" | "thumbprint", "template": of the store's that has it; then
 *       "current": bool, and where not "newest": its thumbprint, "installed"
 *       when } ] }
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../autoenrolld/deploy.h"
#include "base/hex.h"
#include "base/str.h"
#include "diag/facts.h"
#include "pki/cert.h"
#include "probe.h"
#include "run/fetch.h"
#include "sys/files.h"

#define SOCKETS_MAX 256u
#define ASKED_MAX 16u
#define EACH_MS 1500
#define ALL_MS 5000
#define LINKS_MAX 100000u /* of /proc that are looked at */
#define TABLE_MAX (1u << 20)
#define CGROUP_MAX 4096u
#define LISTENS 0x0a /* TCP_LISTEN of the kernel */

struct listener {
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
	uint64_t inode;
	char process[32], unit[128];
};

struct served {
	struct probe *p;
	struct ae_deploy_conf conf;
	struct listener v[SOCKETS_MAX];
	size_t n;
};

static const uint16_t tls_ports[] = { 443, 465, 563, 636, 853, 989, 990, 992,
	993, 994, 995, 3269, 5061, 5671, 5986, 6514, 8443, 8883, 9443 };

/* ---- who listens ---- */

/* /proc/net/tcp writes an address as words of this machine. */
static bool
read_address(char out[INET6_ADDRSTRLEN], const char *hex, size_t len)
{
	uint32_t words[4] = { 0 };
	char word[9] = "";
	bool any = true;
	size_t i;

	if (len != 8 && len != 32)
		return false;
	for (i = 0; i < len / 8; i++) {
		memcpy(word, hex + 8 * i, 8);
		words[i] = (uint32_t)strtoul(word, NULL, 16);
		any = any && words[i] == 0;
	}
	if (any) /* any of this host's: the one that leads back */
		(void)snprintf(out, INET6_ADDRSTRLEN, "%s",
		    len == 8 ? "127.0.0.1" : "::1");
	else if (inet_ntop(len == 8 ? AF_INET : AF_INET6, words, out,
		     INET6_ADDRSTRLEN) == NULL)
		return false;
	return true;
}

/* "  0: 0100007F:01BB 00000000:0000 0A … inode" */
static void
read_line(struct served *s, const char *line)
{
	char local[64], state[8], inode[24];
	struct listener l = { "" };
	const char *colon;

	if (s->n == SOCKETS_MAX ||
	    sscanf(line,
		" %*[0-9]: %63[0-9A-F:] %*s %7s %*s %*s %*s %*s %*s "
		"%23[0-9]",
		local, state, inode) != 3 ||
	    strtoul(state, NULL, 16) != LISTENS)
		return;
	colon = strchr(local, ':');
	if (colon == NULL ||
	    !read_address(l.address, local, (size_t)(colon - local)))
		return;
	l.port = (uint16_t)strtoul(colon + 1, NULL, 16);
	l.inode = strtoull(inode, NULL, 10);
	s->v[s->n++] = l;
}

static void
read_table(struct served *s, const char *path)
{
	uint8_t *text = NULL;
	char *line, *rest;
	size_t len;

	if (ae_file_read(&text, &len, path, TABLE_MAX, NULL) != AE_OK)
		return;
	for (line = strtok_r((char *)text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		read_line(s, line);
	free(text);
}

/* ---- whose they are ---- */

/* The last part of its control group, when that is a unit. */
static void
read_unit(char *out, size_t len, const char *pid)
{
	char path[64];
	uint8_t *text = NULL;
	const char *slash;
	size_t n;

	out[0] = '\0';
	(void)snprintf(path, sizeof(path), "/proc/%.16s/cgroup", pid);
	if (ae_file_read(&text, &n, path, CGROUP_MAX, NULL) != AE_OK)
		return;
	slash = strrchr((const char *)text, '/');
	if (slash != NULL && strstr(slash, ".service") != NULL)
		(void)snprintf(
		    out, len, "%.*s", (int)strcspn(slash + 1, "\n"), slash + 1);
	free(text);
}

static void
read_owner(struct listener *l, const char *pid)
{
	char path[64];
	uint8_t *text = NULL;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	if (ae_file_read(&text, &n, path, sizeof(l->process), NULL) == AE_OK)
		(void)snprintf(l->process, sizeof(l->process), "%.*s",
		    (int)strcspn((const char *)text, "\n"), (const char *)text);
	free(text);
	read_unit(l->unit, sizeof(l->unit), pid);
}

static void
look_at_process(struct served *s, const char *pid, size_t *left)
{
	char dir[64], path[128], target[64];
	uint64_t inode;
	struct dirent *d;
	ssize_t len;
	size_t i;
	DIR *fds;

	(void)snprintf(dir, sizeof(dir), "/proc/%.16s/fd", pid);
	fds = opendir(dir);
	while (fds != NULL && *left > 0 && (d = readdir(fds)) != NULL) {
		(*left)--;
		(void)snprintf(path, sizeof(path), "%s/%.16s", dir, d->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
			continue;
		for (i = 0; i < s->n; i++)
			if (s->v[i].inode == inode &&
			    s->v[i].process[0] == '\0')
				read_owner(&s->v[i], pid);
	}
	if (fds != NULL)
		(void)closedir(fds);
}

static void
find_owners(struct served *s)
{
	size_t left = LINKS_MAX;
	struct dirent *d;
	DIR *all = opendir("/proc");

	while (all != NULL && left > 0 && (d = readdir(all)) != NULL)
		if (isdigit((unsigned char)d->d_name[0]))
			look_at_process(s, d->d_name, &left);
	if (all != NULL)
		(void)closedir(all);
}

/* ---- whom we ask ---- */

/* "nginx" in deploy.conf is nginx.service; without systemd the program. */
static bool
is_reloaded_by_us(const struct served *s, const struct listener *l)
{
	const struct ae_strv *names;
	char unit[140];
	size_t i, k, len;

	for (i = 0; i < s->conf.n; i++) {
		names = &s->conf.v[i].reload;
		for (k = 0; k < names->n; k++) {
			len = strcspn(names->v[k], ".");
			(void)snprintf(unit, sizeof(unit), "%.*s.service",
			    (int)(len < 120 ? len : 120), names->v[k]);
			if (strcmp(unit, l->unit) == 0 ||
			    (strlen(l->process) == len &&
				strncmp(names->v[k], l->process, len) == 0))
				return true;
		}
	}
	return false;
}

static bool
is_tls_port(uint16_t port)
{
	size_t i;

	for (i = 0; i < sizeof(tls_ports) / sizeof(tls_ports[0]); i++)
		if (tls_ports[i] == port)
			return true;
	return false;
}

static const json_t *
in_store(const struct probe *p, const char *thumbprint)
{
	const json_t *c;
	size_t i;

	json_array_foreach(ae_fact(p->facts, "store.certs"), i, c)
	{
		if (ae_fact_is(c, "thumbprint", thumbprint))
			return c;
	}
	return NULL;
}

static const json_t *
current_of(const struct probe *p, const char *tmpl)
{
	const json_t *c;
	size_t i;

	json_array_foreach(ae_fact(p->facts, "store.certs"), i, c)
	{
		if (ae_fact_yes(c, "current") &&
		    ae_fact_is(c, "template", tmpl))
			return c;
	}
	return NULL;
}

/* Was one of ours replaced by another? */
static bool
any_replaced(const struct probe *p)
{
	const json_t *c;
	size_t i;

	json_array_foreach(ae_fact(p->facts, "store.certs"), i, c)
	{
		if (ae_fact_no(c, "current") &&
		    current_of(p, ae_fact_text(c, "template")) != NULL)
			return true;
	}
	return false;
}

static void
put_shown(json_t *j, const struct probe *p, const struct ae_wr *pem)
{
	const json_t *ours, *newest;
	struct ae_cert **v = NULL;
	uint8_t sha1[20];
	char thumb[41];
	size_t n = 0;

	if (ae_certs_read(&v, &n, 1, pem->p, pem->len, NULL) != AE_OK)
		return;
	ae_cert_sha1(sha1, v[0]);
	ae_certs_free(v, n);
	ae_hex_encode(thumb, sha1, sizeof(sha1));
	(void)json_object_set_new(j, "thumbprint", json_string(thumb));
	ours = in_store(p, thumb);
	if (ours == NULL)
		return;
	newest = current_of(p, ae_fact_text(ours, "template"));
	(void)json_object_set(j, "template", json_object_get(ours, "template"));
	if (ae_fact_no(ours, "current") && newest == NULL)
		return; /* there is none to take in its place */
	(void)json_object_set(j, "current", json_object_get(ours, "current"));
	(void)json_object_set(
	    j, "newest", json_object_get(newest, "thumbprint"));
	(void)json_object_set(
	    j, "installed", json_object_get(newest, "installed"));
}

static void
ask(struct served *s, json_t *list, struct ae_run_fetch *f,
    const struct listener *l)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr pem;
	json_t *j = json_pack(
	    "{s:s, s:i}", "address", l->address, "port", (int)l->port);

	(void)json_object_set_new(j, "process", client_text(l->process));
	(void)json_object_set_new(j, "unit", client_text(l->unit));
	ae_wr_init(&pem, AE_PKI_CERT_MAX);
	probe_doing(s->p, "shown", l->process);
	if (ae_run_fetch_shown(f, l->address, l->port, EACH_MS, &pem, &e) ==
	    AE_OK)
		put_shown(j, s->p, &pem);
	else
		(void)json_object_set_new(j, "error", client_text(e.text));
	ae_wr_done(&pem);
	(void)json_array_append_new(list, j);
}

static int
ask_all(struct served *s, json_t *list, struct ae_err *e)
{
	int64_t began = probe_now_us();
	struct ae_run_fetch *f = NULL;
	size_t i, asked = 0;
	int rc;

	rc = ae_run_fetch_new(&f, e);
	for (i = 0; rc == AE_OK && i < s->n && asked < ASKED_MAX &&
	     probe_ms(began) < ALL_MS;
	     i++)
		if (is_tls_port(s->v[i].port) ||
		    is_reloaded_by_us(s, &s->v[i])) {
			ask(s, list, f, &s->v[i]);
			asked++;
		}
	ae_run_fetch_free(f);
	return rc;
}

int
probe_served(struct probe *p, struct ae_err *e)
{
	struct served *s = calloc(1, sizeof(*s));
	json_t *list = json_array();
	struct ae_deploy d;
	int rc = AE_OK;

	if (s == NULL || list == NULL) {
		json_decref(list);
		free(s);
		return ae_fail_mem(e);
	}
	s->p = p;
	deploy_settings(&d, &p->cli->c);
	if (any_replaced(p)) {
		probe_doing(p, "served", NULL);
		/* Without one there are the usual ports. */
		if (ae_deploy_conf_load(&s->conf, &d, NULL) != AE_OK)
			s->conf = (struct ae_deploy_conf){ 0 };
		read_table(s, "/proc/net/tcp");
		read_table(s, "/proc/net/tcp6");
		find_owners(s);
		rc = ask_all(s, list, e);
		ae_deploy_conf_done(&s->conf);
	}
	if (rc == AE_OK)
		probe_set(p, "listeners", json_incref(list));
	json_decref(list);
	free(s);
	return rc;
}
