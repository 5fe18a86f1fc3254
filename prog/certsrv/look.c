/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Looking at the CA on this host; see look.h.  What cannot be looked at is a
 * fact with an error, or none.
 */
#include "look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "cafile.h"
#include "db/db.h"
#include "dbconf.h"
#include "gss/look.h"
#include "session.h"
#include "sys/clock.h"
#include "sys/files.h"

#define EVENTS_MAX (32u << 20)
#define ROWS_MAX 8u
#define ARENA_MAX (64u << 20)

static void
put(json_t *j, const char *name, json_t *value)
{
	(void)json_object_set_new(j, name, value);
}

static json_t *
see_config(struct cli *cli, bool *have)
{
	json_t *j = json_object();
	struct ae_err e = AE_ERR_INIT;

	put(j, "path",
	    cli_json_text(cli->config != NULL ? cli->config : CONF_PATH));
	*have = cli_conf(cli, &e) == AE_OK;
	if (!*have)
		put(j, "error", cli_json_text(e.text));
	return j;
}

static json_t *
see_certificate(const struct conf *c)
{
	json_t *j = json_pack("{s:o}", "path", cli_json_text(c->certificate));
	char when[AE_TIME_STR_MAX];
	const struct ae_cert *cert;
	struct ae_err e = AE_ERR_INIT;
	struct cafile f;

	if (cafile_read(&f, c, true, &e) != AE_OK) {
		put(j, "error", cli_json_text(e.text));
		return j;
	}
	cert = cafile_cert(&f);
	put(j, "not_before", json_integer((json_int_t)cert->not_before));
	put(j, "not_after", json_integer((json_int_t)cert->not_after));
	put(j, "ends", json_string(ae_time_print(when, cert->not_after)));
	cafile_done(&f);
	return j;
}

static void
see_keys(json_t *server, struct cli *cli)
{
	json_t *list = json_array();
	struct ae_err e = AE_ERR_INIT;
	size_t broken;

	if (geteuid() != 0) {
		json_decref(list);
		return; /* unknown: nobody else may use them */
	}
	if (key_test_all(cli, list, &broken, &e) < 0)
		put(server, "keys_error", cli_json_text(e.text));
	put(server, "keys", list);
}

/* ---- the database ---- */

static json_t *
row_json(const struct ae_db_request *r)
{
	char when[AE_TIME_STR_MAX];

	return json_pack("{s:I, s:s, s:I, s:o, s:o, s:o, s:o, s:s}", "id",
	    (json_int_t)r->id, "disp", ae_db_disp_name((int)r->disp), "hresult",
	    (json_int_t)r->hresult, "message", cli_json_text(r->message),
	    "account", cli_json_text(r->account), "template",
	    cli_json_text(r->template), "sid", cli_json_text(r->sid), "time",
	    ae_time_print(when, r->submitted));
}

/* "DOMAIN\\name", the name alone, or the SID. */
static bool
is_requester(const struct ae_db_request *r, const char *who)
{
	const char *name = r->account == NULL ? "" : r->account;
	const char *bare = strchr(name, '\\');

	return ae_str_eq_nocase(name, who) ||
	    (bare != NULL && ae_str_eq_nocase(bare + 1, who)) ||
	    (r->sid != NULL && strcmp(r->sid, who) == 0);
}

/* The newest row of each template; an issued one ends that template's tale. */
static bool
is_new_template(const json_t *rows, const char *template)
{
	const json_t *one;
	size_t i;

	json_array_foreach(rows, i, one)
	{
		const char *t =
		    json_string_value(json_object_get(one, "template"));

		if (ae_str_eq_nocase(
			t == NULL ? "" : t, template == NULL ? "" : template))
			return false;
	}
	return true;
}

static int
see_rows(json_t *rows, struct ae_db *db, const struct look *l, struct ae_err *e)
{
	struct ae_db_filter filter = { .limit = AE_DB_PAGE_MAX,
		.newest_first = true };
	struct ae_arena *a = ae_arena_new(ARENA_MAX);
	struct ae_db_request one, *v = NULL;
	size_t n = 0, i;
	int rc = AE_OK;

	if (a == NULL)
		return ae_fail_mem(e);
	if (l->request > 0) {
		rc = ae_db_request_get(db, l->request, &one, a, e);
		if (rc == AE_OK)
			(void)json_array_append_new(rows, row_json(&one));
	} else if (l->requester != NULL) {
		rc = ae_db_request_list(db, &filter, &v, &n, a, e);
	}
	for (i = 0; rc == AE_OK && i < n; i++)
		if (is_requester(&v[i], l->requester) &&
		    json_array_size(rows) < ROWS_MAX &&
		    is_new_template(rows, v[i].template))
			(void)json_array_append_new(rows, row_json(&v[i]));
	ae_arena_free(a);
	return rc;
}

static void
see_database(json_t *server, const struct conf *c, const struct look *l)
{
	struct ae_db_options o = { .read_only = true };
	json_t *j = json_pack("{s:o}", "path", cli_json_text(c->database));
	json_t *rows = json_array();
	struct ae_err e = AE_ERR_INIT;
	struct ae_db *db = NULL;
	int rc;

	rc = dbconf_open(&db, c, &o, &e);
	if (rc == AE_OK)
		rc = see_rows(rows, db, l, &e);
	if (rc == AE_ENOTFOUND && db != NULL)
		put(server, "request_error", cli_json_text(e.text));
	else if (rc != AE_OK)
		put(j, "error", cli_json_text(e.text));
	ae_db_free(db);
	put(server, "database", j);
	put(server, "requests", rows);
}

/* What an event says of a request or a template. */
static void
take_event(json_t *server, const json_t *event)
{
	const char *number = json_string_value(json_object_get(event, "event"));
	const char *id =
	    json_string_value(json_object_get(event, "request_id"));
	json_t *one;
	size_t i;

	if (number == NULL)
		return;
	if (strcmp(number, "77") == 0)
		(void)json_array_append(json_object_get(server, "unloaded"),
		    (json_t *)(uintptr_t)event);
	if (strcmp(number, "53") != 0 || id == NULL)
		return;
	json_array_foreach(json_object_get(server, "requests"), i, one)
	{
		if (json_integer_value(json_object_get(one, "id")) !=
		    strtoll(id, NULL, 10))
			continue;
		(void)json_object_set(
		    one, "check_id", json_object_get(event, "check_id"));
		(void)json_object_set(
		    one, "reasons", json_object_get(event, "reasons"));
	}
}

static void
see_events(json_t *server, const struct conf *c)
{
	uint8_t *text = NULL;
	const char *p, *end;
	json_t *event;
	size_t len = 0, n;

	put(server, "unloaded", json_array());
	if (c->events == NULL || c->events[0] == '\0' ||
	    ae_file_read(&text, &len, c->events, EVENTS_MAX, NULL) != AE_OK)
		return;
	for (p = (const char *)text, end = p + len; p < end; p += n + 1) {
		n = (size_t)((const char *)memchr(p, '\n', (size_t)(end - p)) ==
			    NULL
			? end - p
			: (const char *)memchr(p, '\n', (size_t)(end - p)) - p);
		event = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
		if (json_is_object(event))
			take_event(server, event);
		json_decref(event);
	}
	free(text);
}

/* ---- keytab, ports, disk ---- */

static json_t *
see_keytab(const struct conf *c)
{
	json_t *j = json_pack("{s:o}", "path", cli_json_text(c->keytab));
	const char *state = "present";
	struct ae_err e = AE_ERR_INIT;
	struct ae_gss_key *v = NULL;
	char want[300];
	size_t n = 0, i;
	bool has = false;
	int rc = ae_gss_keytab_list(&v, &n, c->keytab, &e);

	if (rc != AE_OK) {
		state = rc == AE_ENOTFOUND ? "absent"
		    : rc == AE_EDENIED	   ? "denied"
					   : "damaged";
		put(j, "error", cli_json_text(e.text));
	}
	(void)snprintf(want, sizeof(want), "host/%s@", c->dns_name);
	for (i = 0; i < n; i++)
		has |= strncasecmp(v[i].principal, want, strlen(want)) == 0;
	want[strlen(want) - 1] = '\0';
	put(j, "state", json_string(state));
	put(j, "principal", cli_json_text(want));
	if (rc == AE_OK)
		put(j, "has", json_boolean(has));
	free(v);
	return j;
}

static json_t *
see_port(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_ANY) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	const char *state = "free";
	char text[128];

	if (fd < 0)
		return NULL;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)) !=
		0 ||
	    listen(fd, 1) != 0)
		state = errno == EADDRINUSE ? "used" : "denied";
	(void)snprintf(text, sizeof(text),
	    "TCP port %u of this host cannot be had: %s", (unsigned)port,
	    strcmp(state, "used") == 0 ? "another program listens there"
				       : strerror(errno));
	(void)close(fd);
	return json_pack(
	    "{s:i, s:s, s:s}", "port", (int)port, "state", state, "text", text);
}

static json_t *
see_disk(const struct conf *c)
{
	char *path = conf_path(c, STATE_DIR);
	json_t *j = json_pack("{s:o}", "path", cli_json_text(path));
	struct statvfs fs;

	if (path != NULL && statvfs(path, &fs) == 0)
		put(j, "free",
		    json_integer(
			(json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize));
	free(path);
	return j;
}

/* ---- the directory ---- */

static json_t *
see_directory(struct cli *cli)
{
	json_t *j = json_object(), *offered = json_array(),
	       *templates = json_array();
	struct ae_err e = AE_ERR_INIT;
	struct session s;
	size_t i;
	int rc;

	rc = session_open(&s, cli, AE_PKI_SERVICES | AE_PKI_TEMPLATES, &e);
	if (rc != AE_OK) {
		put(j, "error", cli_json_text(e.text));
		goto out;
	}
	if (ae_ad_root(s.ad)->has_time)
		put(j, "ahead",
		    json_integer((json_int_t)ae_ad_root(s.ad)->ahead_of_us));
	for (i = 0; i < s.service->templates.n; i++)
		(void)json_array_append_new(
		    offered, cli_json_text(s.service->templates.v[i]));
	for (i = 0; i < s.pki->ntemplates; i++)
		(void)json_array_append_new(
		    templates, cli_json_text(s.pki->templates[i]->cn));
	put(j, "offered", json_incref(offered));
	put(j, "templates", json_incref(templates));
out:
	session_done(&s);
	json_decref(offered);
	json_decref(templates);
	return j;
}

json_t *
look_at_ca(const struct look *l)
{
	struct cli *cli = l->cli;
	json_t *server = json_object(), *ports;
	char host[256] = "";
	bool have, running;

	(void)gethostname(host, sizeof(host) - 1);
	put(server, "config", see_config(cli, &have));
	if (have) {
		running = cli_daemon(cli) != 0;
		put(server, "name", cli_json_text(cli->conf.name));
		put(server, "running", json_boolean(running));
		put(server, "certificate", see_certificate(&cli->conf));
		see_keys(server, cli);
		see_database(server, &cli->conf, l);
		see_events(server, &cli->conf);
		put(server, "keytab", see_keytab(&cli->conf));
		put(server, "disk", see_disk(&cli->conf));
		ports = json_array();
		if (!running) {
			(void)json_array_append_new(ports, see_port(135));
			(void)json_array_append_new(
			    ports, see_port((uint16_t)cli->conf.port));
		}
		put(server, "ports", ports);
		put(server, "directory", see_directory(cli));
	} else {
		put(server, "running", json_false());
	}
	return json_pack("{s:o, s:{s:o, s:o, s:I}}", "server", server, "host",
	    "name", cli_json_text(host), "principal",
	    cli_json_text(have ? cli->conf.name : ""), "now",
	    (json_int_t)ae_clock_now());
}
