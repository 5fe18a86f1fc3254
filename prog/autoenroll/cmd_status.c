/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll status: for monitoring.  One line a certificate and one for the
 * runs; JSON, a Prometheus text file, or a plugin's line for Nagios.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prom.h"
#include "base/time.h"
#include "certs.h"
#include "cli.h"
#include "enroll/status.h"
#include "sys/clock.h"
#include "sys/files.h"

#define TASK_FILE_MAX (1u << 20)
#define PROM_MAX (16u * 1024u * 1024u)

struct status {
	json_t *certs; /* with "health", "why" and "days_left" added */
	json_t *task;  /* task.json with the same, without days */
	size_t pending;
	enum ae_health health; /* the gravest of all */
	size_t findings;
	int64_t now;
};

static const char *
str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : s;
}

static int64_t
when(const json_t *j, const char *key)
{
	int64_t t = 0;

	(void)ae_time_parse(&t, str(j, key));
	return t;
}

/* What is known about one thing; a finding counts. */
static void
judged(struct status *s, json_t *j, enum ae_health h, const char *why)
{
	(void)json_object_set_new(j, "health", json_string(ae_health_name(h)));
	(void)json_object_set_new(j, "health_text", json_string(why));
	s->findings += h != AE_HEALTH_OK;
	if (h > s->health)
		s->health = h;
}

static void
judge_certs(struct status *s, const struct ae_status_warn *warn)
{
	const char *why;
	enum ae_health h;
	json_t *j;
	size_t i;

	json_array_foreach(s->certs, i, j)
	{
		struct ae_status_cert c = { when(j, "not_before"),
			when(j, "not_after"), str(j, "state") };

		h = ae_status_cert(&why, &c, warn, s->now);
		judged(s, j, h, why);
		(void)json_object_set_new(j, "days_left",
		    json_integer((c.not_after - s->now) / 86400));
	}
}

/* Written by whoever starts the runs; not there before the first. */
static void
judge_task(struct status *s, const struct cli *cli)
{
	struct ae_status_task t = { .interval = cli->c.interval };
	uint8_t *text = NULL;
	const char *why;
	char path[4096];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "%s/task.json", cli->c.state_dir);
	if (ae_file_read(&text, &len, path, TASK_FILE_MAX, NULL) == AE_OK)
		s->task = json_loadb(
		    (const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (json_is_object(s->task)) {
		(void)json_object_del(s->task, "resume");
		t.known = true;
		t.enabled = !json_is_false(json_object_get(s->task, "enabled"));
		t.running = strcmp(str(s->task, "state"), "Running") == 0;
		t.last_end = when(s->task, "last_end");
		t.next = when(s->task, "next_run");
		t.exit =
		    (int)json_integer_value(json_object_get(s->task, "exit"));
	} else {
		json_decref(s->task);
		s->task = json_object();
	}
	judged(s, s->task, ae_status_task(&why, &t, s->now), why);
}

static void
print_text(const struct status *s)
{
	const json_t *j;
	size_t i;

	json_array_foreach(s->certs, i, j)
	{
		(void)printf("%-8s %-24s %s %s, until %s (%d days), key test "
			     "%s\n",
		    str(j, "health"), cli_safe(str(j, "template")),
		    str(j, "thumbprint"), str(j, "health_text"),
		    str(j, "not_after"),
		    (int)json_integer_value(json_object_get(j, "days_left")),
		    str(j, "key_test"));
	}
	if (json_array_size(s->certs) == 0)
		(void)printf("ok       no certificates\n");
	(void)printf("%-8s %-24s auto-enrollment %s%s%s%s%s\n",
	    str(s->task, "health"), "task", str(s->task, "health_text"),
	    str(s->task, "last_end")[0] != '\0' ? "; last run " : "",
	    cli_safe(str(s->task, "last_end")),
	    str(s->task, "next_run")[0] != '\0' ? ", next " : "",
	    cli_safe(str(s->task, "next_run")));
	if (str(s->task, "error")[0] != '\0')
		(void)printf(
		    "         %-24s %s\n", "", cli_safe(str(s->task, "error")));
	if (s->pending > 0)
		(void)printf("ok       %zu requests under way\n", s->pending);
}

/* A plugin's answer: one line, "|", performance data; its own exit codes. */
static int
print_nagios(const struct status *s)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL" };
	const json_t *j, *worst = NULL, *next = NULL;
	size_t i;

	json_array_foreach(s->certs, i, j)
	{
		if (worst == NULL &&
		    strcmp(str(j, "health"), ae_health_name(s->health)) == 0)
			worst = j;
		if (next == NULL ||
		    when(j, "not_after") < when(next, "not_after"))
			next = j;
	}
	(void)printf("AUTOENROLL %s - ", words[s->health]);
	if (s->health != AE_HEALTH_OK && worst != NULL)
		(void)printf("%s %s (%s)", cli_safe(str(worst, "template")),
		    str(worst, "health_text"), str(worst, "thumbprint"));
	else if (s->health != AE_HEALTH_OK)
		(void)printf("auto-enrollment %s", str(s->task, "health_text"));
	else
		(void)printf("%zu certificates", json_array_size(s->certs));
	(void)printf(" | certificates=%zu findings=%zu pending=%zu",
	    json_array_size(s->certs), s->findings, s->pending);
	if (next != NULL)
		(void)printf(" next_expiry=%" PRId64 "s",
		    when(next, "not_after") - s->now);
	(void)putchar('\n');
	return (int)s->health;
}

/* What each certificate has a number for. */
static void
prom_certs(struct ae_wr *w, const struct cli *cli, const struct status *s)
{
	static const struct {
		const char *name, *help;
		enum { NOT_BEFORE, NOT_AFTER, FINDING, KEY } what;
	} rows[] = {
		{ "autoenroll_certificate_not_before_timestamp_seconds",
		    "When the certificate begins to be valid.", NOT_BEFORE },
		{ "autoenroll_certificate_not_after_timestamp_seconds",
		    "When the certificate expires.", NOT_AFTER },
		{ "autoenroll_certificate_finding",
		    "0 ok, 1 about to expire or the like, 2 broken.", FINDING },
		{ "autoenroll_certificate_key_ok",
		    "1 when the private key signed and fits, 0 when not, -1 "
		    "when it could not be tried.",
		    KEY },
	};
	int64_t v = 0;
	json_t *j;
	size_t i, k;

	for (k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		ae_prom_gauge(w, rows[k].name, rows[k].help);
		json_array_foreach(s->certs, i, j)
		{
			struct ae_prom_label labels[] = {
				{ "context", cli->c.user ? "user" : "machine" },
				{ "template", str(j, "template") },
				{ "thumbprint", str(j, "thumbprint") },
				{ "subject", str(j, "subject") },
			};
			const char *h = str(j, "health");
			const char *key = str(j, "key_test");

			switch (rows[k].what) {
			case NOT_BEFORE:
				v = when(j, "not_before");
				break;
			case NOT_AFTER:
				v = when(j, "not_after");
				break;
			case FINDING:
				v = strcmp(h, "critical") == 0
				    ? 2
				    : strcmp(h, "warning") == 0;
				break;
			case KEY:
				v = strcmp(key, "passed") == 0	 ? 1
				    : strcmp(key, "failed") == 0 ? 0
								 : -1;
				break;
			}
			ae_prom_sample(w, rows[k].name, labels, 4, v);
		}
	}
}

static void
prom_one(struct ae_wr *w, const struct cli *cli, const char *name,
    const char *help, int64_t value)
{
	struct ae_prom_label context = { "context",
		cli->c.user ? "user" : "machine" };

	ae_prom_gauge(w, name, help);
	ae_prom_sample(w, name, &context, 1, value);
}

static int
write_prom(const struct cli *cli, const struct status *s, const char *path,
    struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, PROM_MAX);
	prom_certs(&w, cli, s);
	prom_one(&w, cli, "autoenroll_findings",
	    "Certificates and runs that are not as they should be.",
	    (int64_t)s->findings);
	prom_one(&w, cli, "autoenroll_requests_pending",
	    "Requests that have not become a certificate yet.",
	    (int64_t)s->pending);
	prom_one(&w, cli, "autoenroll_run_timestamp_seconds",
	    "End of the last run, 0 when there was none.",
	    when(s->task, "last_end"));
	prom_one(&w, cli, "autoenroll_run_exit_code",
	    "Exit code of the last run, 0 when it did well.",
	    json_integer_value(json_object_get(s->task, "exit")));
	prom_one(&w, cli, "autoenroll_runs_missed",
	    "Runs that did not take place in time.",
	    json_integer_value(json_object_get(s->task, "missed_runs")));
	prom_one(&w, cli, "autoenroll_status_timestamp_seconds",
	    "When these numbers were made.", s->now);
	rc = ae_wr_ok(&w) ? ae_file_write(path, w.p, w.len, 0644, e)
			  : ae_fail_mem(e);
	ae_wr_done(&w);
	return rc;
}

static void
print_json(const struct status *s)
{
	json_t *j = json_pack("{s:s, s:I, s:I, s:O, s:O}", "health",
	    ae_health_name(s->health), "findings", (json_int_t)s->findings,
	    "requests_pending", (json_int_t)s->pending, "certificates",
	    s->certs, "task", s->task);

	cli_print_json(j);
	json_decref(j);
}

static int
gather(struct status *s, const struct cli *cli,
    const struct ae_status_warn *warn, struct ae_err *e)
{
	json_t *open = NULL;
	int rc;

	s->now = ae_clock_now();
	rc = certs_load(&s->certs, cli, false, e);
	if (rc == AE_OK)
		rc = certs_requests(&open, cli, e);
	if (rc != AE_OK)
		return rc;
	s->pending = json_array_size(open);
	json_decref(open);
	judge_certs(s, warn);
	judge_task(s, cli);
	return AE_OK;
}

int
cmd_status(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "warn", required_argument, NULL, 'w' },
		{ "prometheus", required_argument, NULL, 'p' },
		{ "nagios", no_argument, NULL, 'n' },
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct ae_status_warn warn = { .percent = 10 };
	bool user = false, nagios = false;
	struct ae_err e = AE_ERR_INIT;
	const char *prom = NULL;
	struct status s = { 0 };
	int opt, code, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'w':
			if (!ae_status_warn_parse(&warn, optarg))
				return cli_usage("status",
				    "'%s' is neither a number of days nor a "
				    "percentage",
				    cli_safe(optarg));
			break;
		case 'p':
			prom = optarg;
			break;
		case 'n':
			nagios = true;
			break;
		case 'u':
			user = true;
			break;
		case 'j':
			cli->json = true;
			break;
		default:
			return cli_usage("status", "unknown option");
		}
	}
	if (optind != argc)
		return cli_usage("status", "no arguments are expected");
	rc = user ? cli_for_user(cli, &e) : AE_OK;
	if (rc == AE_OK)
		rc = gather(&s, cli, &warn, &e);
	if (rc == AE_OK && prom != NULL)
		rc = write_prom(cli, &s, prom, &e);
	code = s.findings > 0 ? EXIT_FINDING : EXIT_OK;
	if (rc != AE_OK && nagios) {
		(void)printf("AUTOENROLL UNKNOWN - %s\n", cli_safe(e.text));
		code = 3;
	} else if (rc != AE_OK) {
		code = cli_fail(cli, &e);
	} else if (nagios) {
		code = print_nagios(&s);
	} else if (cli->json) {
		print_json(&s);
	} else if (prom == NULL) {
		print_text(&s);
	}
	json_decref(s.certs);
	json_decref(s.task);
	return code;
}
