/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll events: the article's query.  Without options, what the three
 * client sources logged since midnight, newest first.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "../autoenrolld/eventlog.h"
#include "base/csv.h"
#include "base/str.h"
#include "base/when.h"
#include "cli.h"
#include "sys/clock.h"
#include "sys/files.h"

#define CSV_MAX (512u * 1024u * 1024u)
#define IDS_MAX 64
#define FOLLOW_MS 250

struct query {
	int64_t since, until;
	int levels; /* bits of enum ae_event_level; 0: all */
	unsigned ids[IDS_MAX];
	size_t nids;
	struct ae_strv providers; /* none: the three client sources */
	long max;		  /* -1: all */
	bool user, oldest_first, follow, csv;
	const char *csv_file; /* NULL: HOSTNAME_ClientEvents.csv */
	enum ae_csv_encoding encoding;
	json_t *found; /* oldest first */
};

/* "64,65": ids; nothing else may stand there. */
static bool
parse_ids(struct query *q, const char *s)
{
	char *end;
	long n;

	do {
		n = strtol(s, &end, 10);
		if (end == s || n < 0 || n > 65535 || q->nids == IDS_MAX ||
		    (*end != ',' && *end != '\0'))
			return false;
		q->ids[q->nids++] = (unsigned)n;
		s = end + 1;
	} while (*end == ',');
	return true;
}

/* "error,warning", or Windows' numbers. */
static bool
parse_levels(struct query *q, const char *s)
{
	static const struct {
		const char *word;
		enum ae_event_level level;
	} words[] = { { "error", AE_EVENT_ERROR }, { "2", AE_EVENT_ERROR },
		{ "warning", AE_EVENT_WARNING }, { "3", AE_EVENT_WARNING },
		{ "information", AE_EVENT_INFORMATION },
		{ "info", AE_EVENT_INFORMATION },
		{ "4", AE_EVENT_INFORMATION } };
	char word[16];
	size_t n, i;

	for (;; s += n + 1) {
		n = strcspn(s, ",");
		if (n == 0 || n >= sizeof(word))
			return false;
		memcpy(word, s, n);
		word[n] = '\0';
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (ae_str_eq_nocase(word, words[i].word))
				break;
		if (i == sizeof(words) / sizeof(words[0]))
			return false;
		q->levels |= 1 << words[i].level;
		if (s[n] == '\0')
			return true;
	}
}

static bool
known_provider(const char *name)
{
	int i;

	for (i = 0; i <= AE_EVENT_LIFECYCLE_USER; i++)
		if (ae_event_source_is(
			ae_event_source_name((enum ae_event_source)i), name))
			return true;
	return strcmp(name, "all") == 0;
}

static bool
provider_wanted(const struct query *q, const char *source)
{
	size_t i;

	if (q->providers.n == 0)
		return strstr(source, "Lifecycle") == NULL;
	for (i = 0; i < q->providers.n; i++)
		if (strcmp(q->providers.v[i], "all") == 0 ||
		    ae_event_source_is(source, q->providers.v[i]))
			return true;
	return false;
}

static bool
wanted(const struct query *q, const json_t *j, int64_t when)
{
	const char *level = json_string_value(json_object_get(j, "level"));
	unsigned id = (unsigned)json_integer_value(json_object_get(j, "id"));
	int bits = 0, i;
	size_t k;

	if (when < q->since || when > q->until)
		return false;
	for (i = AE_EVENT_ERROR; i <= AE_EVENT_INFORMATION; i++)
		if (strcmp(level,
			ae_event_level_name((enum ae_event_level)i)) == 0)
			bits = 1 << i;
	if (q->levels != 0 && (q->levels & bits) == 0)
		return false;
	for (k = 0; k < q->nids && q->ids[k] != id; k++)
		;
	return (q->nids == 0 || k < q->nids) &&
	    provider_wanted(q, json_string_value(json_object_get(j, "source")));
}

static bool
on_line(void *arg, const char *line, size_t len)
{
	struct query *q = arg;
	int64_t when;
	json_t *j = eventlog_parse(line, len, &when);

	if (j != NULL && wanted(q, j, when))
		(void)json_array_append(q->found, j);
	json_decref(j);
	return j != NULL;
}

static const char *
field(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : s;
}

/* "Microsoft-Windows-CertificateServicesClient-CertEnroll": the last part;
 * of the lifecycle sources the last two. */
static const char *
short_source(const char *source)
{
	const char *tail = strstr(source, "Lifecycle-");

	if (tail == NULL)
		tail = strrchr(source, '-') == NULL ? source
						    : strrchr(source, '-') + 1;
	return tail;
}

static void
print_event(const struct cli *cli, const json_t *j)
{
	if (cli->json) { /* one a line: for --follow */
		(void)json_dumpf(j, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		(void)putchar('\n');
		return;
	}
	(void)printf("%s  %-11s  %-25s %5d  %s\n", cli_safe(field(j, "time")),
	    cli_safe(field(j, "level")),
	    cli_safe(short_source(field(j, "source"))),
	    (int)json_integer_value(json_object_get(j, "id")),
	    cli_safe(field(j, "message")));
}

/* The order and the number that were asked for. */
static json_t *
arrange(const struct query *q)
{
	size_t n = json_array_size(q->found), i, first = 0;
	json_t *out = json_array();

	if (q->max >= 0 && (size_t)q->max < n)
		first = n - (size_t)q->max; /* the newest of them */
	for (i = first; i < n; i++)
		(void)json_array_append(out,
		    json_array_get(
			q->found, q->oldest_first ? i : n - 1 - (i - first)));
	return out;
}

static int
write_csv(struct cli *cli, const struct query *q, const json_t *events)
{
	static const char *const head[] = { "TimeCreated", "Id",
		"LevelDisplayName", "Message" };
	struct ae_err e = AE_ERR_INIT;
	struct utsname host;
	char id[16], name[256];
	const char *path = q->csv_file;
	const json_t *j;
	struct ae_wr w;
	size_t i;
	int rc = AE_OK;

	if (path == NULL) {
		if (uname(&host) != 0)
			host.nodename[0] = '\0';
		(void)snprintf(name, sizeof(name), "%.*s_ClientEvents.csv",
		    (int)strcspn(host.nodename, "./"), host.nodename);
		path = name;
	}
	ae_wr_init(&w, CSV_MAX);
	ae_csv_begin(&w, q->encoding);
	(void)ae_csv_row(&w, q->encoding, head, 4);
	json_array_foreach(events, i, j)
	{
		const char *row[] = { field(j, "time"), id, field(j, "level"),
			field(j, "message") };

		(void)snprintf(id, sizeof(id), "%d",
		    (int)json_integer_value(json_object_get(j, "id")));
		(void)ae_csv_row(&w, q->encoding, row, 4);
	}
	if (!ae_wr_ok(&w))
		rc = ae_fail_mem(&e);
	else if (strcmp(path, "-") == 0)
		(void)fwrite(w.p, 1, w.len, stdout);
	else
		rc = ae_file_write(path, w.p, w.len, 0644, &e);
	ae_wr_done(&w);
	if (rc != AE_OK)
		return cli_fail(cli, &e);
	if (strcmp(path, "-") != 0)
		(void)fprintf(stderr, "%s\n", cli_safe(path));
	return EXIT_OK;
}

static volatile sig_atomic_t stopped;

static void
on_signal(int signo)
{
	(void)signo;
	stopped = 1;
}

/* Until somebody ends it: what is new is shown as it comes. */
static int
follow(struct cli *cli, struct query *q, struct ae_lines_reader *r)
{
	const struct timespec pause = { .tv_nsec = FOLLOW_MS * 1000000L };
	const struct sigaction sa = { .sa_handler = on_signal };
	struct ae_err e = AE_ERR_INIT;
	const json_t *j;
	size_t i;

	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	while (!stopped) {
		json_array_foreach(q->found, i, j)
		{
			print_event(cli, j);
		}
		(void)json_array_clear(q->found);
		if (fflush(stdout) != 0)
			break;
		(void)nanosleep(&pause, NULL);
		if (ae_lines_next(r, on_line, q, &e) != AE_OK)
			return cli_fail(cli, &e);
	}
	return EXIT_OK;
}

static int
show(struct cli *cli, const struct query *q, const struct ae_lines_reader *r)
{
	json_t *events = arrange(q);
	bool none = json_array_size(events) == 0;
	int code = none ? EXIT_NOT_FOUND : EXIT_OK;
	const json_t *j;
	size_t i;

	if (q->csv) {
		if (!none)
			code = write_csv(cli, q, events);
	} else if (cli->json) {
		cli_print_json(events);
	} else {
		json_array_foreach(events, i, j)
		{
			print_event(cli, j);
		}
	}
	if (ae_lines_damaged(r) > 0)
		(void)fprintf(stderr,
		    "autoenroll: %zu damaged lines were passed over in %s\n",
		    ae_lines_damaged(r), cli->c.events);
	if (none && !cli->json)
		(void)fprintf(stderr, "autoenroll: no such events\n");
	json_decref(events);
	return code;
}

static int
parse(struct cli *cli, struct query *q, int argc, char **argv)
{
	static const struct option options[] = {
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ "level", required_argument, NULL, 'l' },
		{ "id", required_argument, NULL, 'i' },
		{ "provider", required_argument, NULL, 'p' },
		{ "max", required_argument, NULL, 'm' },
		{ "oldest-first", no_argument, NULL, 'o' },
		{ "follow", no_argument, NULL, 'f' },
		{ "csv", optional_argument, NULL, 'c' },
		{ "encoding", required_argument, NULL, 'e' },
		{ "user", no_argument, NULL, 'U' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int64_t now = ae_clock_now();
	bool ok = true;
	char *end;
	int opt;

	while (ok && (opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			ok = ae_when_parse(&q->since, optarg, now);
			break;
		case 'u':
			ok = ae_when_parse(&q->until, optarg, now);
			break;
		case 'l':
			ok = parse_levels(q, optarg);
			break;
		case 'i':
			ok = parse_ids(q, optarg);
			break;
		case 'p':
			ok = known_provider(optarg) &&
			    ae_strv_add(&q->providers, optarg);
			break;
		case 'm':
			q->max = strtol(optarg, &end, 10);
			ok = *end == '\0' && end != optarg && q->max >= 0;
			break;
		case 'o':
			q->oldest_first = true;
			break;
		case 'f':
			q->follow = true;
			break;
		case 'c':
			q->csv = true;
			q->csv_file = optarg;
			break;
		case 'e':
			ok = strcmp(optarg, "utf-8") == 0 ||
			    strcmp(optarg, "utf-16") == 0;
			q->encoding = strcmp(optarg, "utf-8") == 0
			    ? AE_CSV_UTF8
			    : AE_CSV_UTF16;
			break;
		case 'U':
			q->user = true;
			break;
		case 'j':
			cli->json = true;
			break;
		default:
			return cli_usage("events", "unknown option");
		}
	}
	if (!ok)
		return cli_usage(
		    "events", "'%s' makes no sense there", cli_safe(optarg));
	if (q->csv && q->csv_file == NULL && optind < argc)
		q->csv_file = argv[optind++]; /* --csv FILE */
	if (optind != argc)
		return cli_usage("events", "no arguments are expected");
	if (q->follow && q->csv)
		return cli_usage(
		    "events", "--follow and --csv exclude each other");
	return EXIT_OK;
}

int
cmd_events(struct cli *cli, int argc, char **argv)
{
	struct query q = { .since = ae_when_midnight(ae_clock_now(), 0),
		.until = INT64_MAX,
		.max = -1,
		.found = json_array() };
	struct ae_lines file;
	struct ae_lines_reader *r = NULL;
	struct ae_err e = AE_ERR_INIT;
	int code;

	code = parse(cli, &q, argc, argv);
	if (code != EXIT_OK)
		goto out;
	if (q.user && cli_for_user(cli, &e) != AE_OK) {
		code = cli_fail(cli, &e);
		goto out;
	}
	file = eventlog_file(&cli->c);
	if (ae_lines_open(&r, &file, &e) != AE_OK ||
	    ae_lines_next(r, on_line, &q, &e) != AE_OK)
		code = cli_fail(cli, &e);
	else
		code = q.follow ? follow(cli, &q, r) : show(cli, &q, r);
out:
	ae_lines_close(r);
	ae_strv_done(&q.providers);
	json_decref(q.found);
	return code;
}
