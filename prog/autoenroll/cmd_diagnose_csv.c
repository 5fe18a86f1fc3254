/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Exported events of other hosts: reading the files and showing what
 * lib/diag makes of them.  One file is in memory at a time, and of it what
 * is found, not what is read.
 */
#include "cmd_diagnose_csv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/utf16.h"
#include "diag/csv_report.h"

#define TEXT_MAX (1u << 20)
#define CHUNK 65536

struct job {
	struct cli *cli;
	enum ae_diag_lang lang;
	bool all, several;
	struct ae_diag_fleet *fleet;
	size_t told, read, silent;
	bool finding;
	struct ae_err e; /* of the last file that could not be read */
};

/* "PC1" of ".../PC1_ClientEvents.csv". */
static void
host_of(char out[AE_DIAG_EV_HOST_MAX], const char *path)
{
	const char *base =
	    strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	const char *end = strcasestr(base, "_ClientEvents");
	char name[NAME_MAX + 1];

	if (end == NULL || end == base)
		end = strcasestr(base, ".csv");
	if (end == NULL || end == base)
		end = base + strlen(base);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(end - base), base);
	(void)snprintf(out, AE_DIAG_EV_HOST_MAX, "%s",
	    strcmp(path, "-") == 0 ? "stdin" : cli_safe(name));
	while (!ae_utf8_valid(out)) /* cut inside of a character */
		out[strlen(out) - 1] = '\0';
}

static int
feed(int fd, struct ae_diag_csv *csv, struct ae_err *e)
{
	char buf[CHUNK];
	ssize_t n;
	int rc = AE_OK;

	while (rc == AE_OK && (n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ae_fail_errno(e, errno, "read");
		rc = ae_diag_csv_feed(csv, buf, (size_t)n, e);
	}
	return rc == AE_OK ? ae_diag_csv_end(csv, e) : rc;
}

static int
read_file(struct ae_diag_judge *judge, const char *path, struct ae_err *e)
{
	struct ae_diag_csv *csv = ae_diag_csv_new(ae_diag_judge_row, judge);
	bool standard = strcmp(path, "-") == 0;
	struct stat st;
	int fd = -1, rc;

	if (csv == NULL)
		return ae_fail_mem(e);
	fd = standard ? STDIN_FILENO
		      : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		rc = ae_fail_errno(e, errno, "open");
	else if (!standard && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)))
		rc = ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0, "this is no file");
	else
		rc = feed(fd, csv, e);
	if (fd >= 0 && !standard)
		(void)close(fd);
	ae_diag_csv_free(csv);
	return rc;
}

/* ---- one file ---- */

static void
print_text(struct job *job, const struct ae_diag_verdict *v, const char *path,
    const char *host, const char *damage)
{
	struct ae_wr w;

	ae_wr_init(&w, TEXT_MAX);
	if (job->several && job->told > 0 && job->all)
		ae_wr_u8(&w, '\n');
	if (job->several && !job->all)
		ae_diag_csv_line(&w, v, host, damage, job->lang);
	else
		ae_diag_csv_text(
		    &w, v, path, host, damage, job->lang, job->all);
	(void)fputs(ae_wr_cstr(&w) == NULL ? "" : ae_wr_cstr(&w), stdout);
	ae_wr_done(&w);
}

static void
print_json(struct job *job, json_t *j)
{
	if (j == NULL)
		return;
	if (job->several && job->told > 0)
		(void)fputs(",\n", stdout);
	(void)json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	json_decref(j);
}

static void
unread(struct job *job, const char *path, const char *host)
{
	(void)ae_note(&job->e, job->e.rc, "%s", path);
	(void)fprintf(stderr, "autoenroll: %s\n", cli_safe(job->e.text));
	ae_diag_fleet_add(job->fleet, NULL, host);
	if (job->cli->json && job->several) {
		print_json(job,
		    json_pack("{s:s, s:s, s:s}", "file", cli_safe(path), "host",
			host, "error", cli_safe(job->e.text)));
		job->told++;
	}
}

/* What was read of a damaged file counts; the damage is told with it. */
static int
one(struct job *job, const char *path)
{
	struct ae_diag_judge *judge = ae_diag_judge_new();
	struct ae_err e = AE_ERR_INIT;
	const struct ae_diag_verdict *v;
	char host[AE_DIAG_EV_HOST_MAX];
	int rc;

	if (judge == NULL)
		return ae_fail_mem(&job->e);
	host_of(host, path);
	rc = read_file(judge, path, &e);
	v = ae_diag_judge_end(judge);
	if (v->host[0] != '\0')
		memcpy(host, v->host, sizeof(host));
	if (rc != AE_OK && v->rows == 0) {
		job->e = e;
		unread(job, path, host);
	} else {
		const char *damage = rc == AE_OK ? NULL : e.text;

		if (job->cli->json)
			print_json(job,
			    ae_diag_csv_report(
				v, cli_safe(path), host, damage, job->lang));
		else
			print_text(job, v, path, host, damage);
		ae_diag_fleet_add(job->fleet, v, host);
		job->told++;
		job->read++;
		job->silent += v->rows == 0;
		job->finding |= v->root != NULL || damage != NULL;
	}
	ae_diag_judge_free(judge);
	return AE_OK;
}

/* ---- all of them ---- */

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_csv(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && strcasecmp(d->d_name + n - 4, ".csv") == 0;
}

/* A directory's files, or the path itself. */
static int
expand(struct ae_strv *out, const char *path, struct ae_err *e)
{
	struct dirent **names = NULL;
	char full[4096];
	struct stat st;
	int n, i, rc = AE_OK;

	if (strcmp(path, "-") == 0 || stat(path, &st) != 0 ||
	    !S_ISDIR(st.st_mode))
		return ae_strv_add(out, path) ? AE_OK : ae_fail_mem(e);
	n = scandir(path, &names, is_csv, by_name);
	if (n < 0)
		return ae_fail_errno(e, errno, "look into %s", path);
	for (i = 0; i < n; i++) {
		(void)snprintf(
		    full, sizeof(full), "%s/%s", path, names[i]->d_name);
		if (rc == AE_OK && !ae_strv_add(out, full))
			rc = ae_fail_mem(e);
		free(names[i]);
	}
	free(names);
	if (rc == AE_OK && n == 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "%s: there is no file *.csv in it", path);
	return rc;
}

static void
print_fleet(struct job *job)
{
	struct ae_wr w;
	json_t *j;

	if (job->cli->json) {
		(void)fputs("\n],\n\"fleet\": ", stdout);
		j = ae_diag_fleet_report(job->fleet, job->lang);
		(void)json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
		json_decref(j);
		(void)fputs("}\n", stdout);
		return;
	}
	ae_wr_init(&w, TEXT_MAX);
	ae_diag_fleet_text(&w, job->fleet, job->lang);
	(void)fputs(ae_wr_cstr(&w) == NULL ? "" : ae_wr_cstr(&w), stdout);
	ae_wr_done(&w);
}

static int
run(struct job *job, const struct ae_strv *files)
{
	int rc = AE_OK;
	size_t i;

	job->several = files->n > 1;
	if (job->several && job->cli->json)
		(void)fputs("{\"files\": [\n", stdout);
	for (i = 0; i < files->n && rc == AE_OK; i++)
		rc = one(job, files->v[i]);
	if (job->several)
		print_fleet(job);
	else if (job->cli->json && job->told > 0)
		(void)putchar('\n');
	return rc;
}

int
ae_diagnose_csv(struct cli *cli, char *const *paths, size_t n,
    enum ae_diag_lang lang, bool all)
{
	struct job job = { .cli = cli,
		.lang = lang,
		.all = all,
		.fleet = ae_diag_fleet_new() };
	struct ae_strv files = { 0 };
	int rc = job.fleet == NULL ? ae_fail_mem(&job.e) : AE_OK;
	size_t i;

	for (i = 0; i < n && rc == AE_OK; i++)
		rc = expand(&files, paths[i], &job.e);
	if (rc == AE_OK)
		rc = run(&job, &files);
	ae_strv_done(&files);
	ae_diag_fleet_free(job.fleet);
	if (rc != AE_OK)
		return cli_fail(cli, &job.e);
	if (job.read == 0)
		return EXIT_LOCAL;
	if (job.finding)
		return EXIT_FINDING;
	return job.silent == job.read ? EXIT_NOT_FOUND : EXIT_OK;
}
