/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See pgcluster.h.
 */
#include "pgcluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIN "/usr/lib/postgresql/15/bin/"

struct pgcluster {
	char dir[32];
	char uri[128];
	unsigned made;
	pid_t pid;
};

/* In a group of its own, as nobody, and not longer than the test. */
static pid_t
run(struct pgcluster *c, const char *const *argv)
{
	const struct passwd *nobody = getpwnam("nobody");
	pid_t pid, parent = getpid();
	int fd;

	pid = fork();
	if (pid != 0)
		return pid;
	(void)setpgid(0, 0);
	if (geteuid() == 0 &&
	    (nobody == NULL || setgroups(0, NULL) != 0 ||
		setgid(nobody->pw_gid) != 0 || setuid(nobody->pw_uid) != 0))
		_exit(126);
	(void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
	if (getppid() != parent || chdir(c->dir) != 0)
		_exit(126);
	fd = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)dup2(fd, 1);
	(void)dup2(fd, 2);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void
show_log(const struct pgcluster *c)
{
	char cmd[64];

	(void)snprintf(cmd, sizeof(cmd), "tail -n 20 %s/log >&2", c->dir);
	(void)!system(cmd);
}

static PGconn *
connect_to(const struct pgcluster *c, const char *db)
{
	char uri[160];

	(void)snprintf(
	    uri, sizeof(uri), "postgresql:///%s?host=%s&user=ca", db, c->dir);
	return PQconnectdb(uri);
}

bool
pgcluster_start(struct pgcluster *c)
{
	char data[48];
	const char *const argv[] = { BIN "postgres", "-D", data, "-k", c->dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c",
		"shared_buffers=16MB", "-c", "max_connections=40", NULL };
	bool up = false;
	PGconn *conn;
	int i;

	(void)snprintf(data, sizeof(data), "%s/data", c->dir);
	c->pid = run(c, argv);
	for (i = 0; i < 600 && !up; i++) {
		conn = connect_to(c, "postgres");
		up = PQstatus(conn) == CONNECTION_OK;
		PQfinish(conn);
		if (!up)
			(void)usleep(50000);
	}
	if (!up)
		show_log(c);
	return up;
}

struct pgcluster *
pgcluster_new(void)
{
	struct pgcluster *c = calloc(1, sizeof(*c));
	const struct passwd *nobody = getpwnam("nobody");
	const char *const argv[] = { BIN "initdb", "-D", "data", "-U", "ca",
		"--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C", NULL };
	int status = -1;

	if (c == NULL)
		return NULL;
	(void)strcpy(c->dir, "/tmp/ae-pg-XXXXXX");
	if (mkdtemp(c->dir) == NULL ||
	    (geteuid() == 0 && nobody != NULL &&
		chown(c->dir, nobody->pw_uid, nobody->pw_gid) != 0)) {
		perror(c->dir);
		free(c);
		return NULL;
	}
	if (waitpid(run(c, argv), &status, 0) == -1 || status != 0) {
		(void)fprintf(stderr, "initdb failed (%d)\n", status);
		show_log(c);
	} else if (pgcluster_start(c)) {
		return c;
	}
	pgcluster_free(c);
	return NULL;
}

void
pgcluster_signal(struct pgcluster *c, int sig)
{
	char path[64], line[64];
	struct dirent *d;
	DIR *dir;
	FILE *f;
	pid_t pid, parent;
	char *p;

	/* its processes are in groups of their own: by who their parent is */
	dir = opendir("/proc");
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		pid = atoi(d->d_name);
		if (pid <= 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		f = fopen(path, "re");
		if (f == NULL)
			continue;
		p = fgets(line, sizeof(line), f) == NULL ? NULL
							 : strrchr(line, ')');
		parent = p == NULL || strlen(p) < 5 ? 0 : atoi(p + 4);
		(void)fclose(f);
		if (parent == c->pid)
			(void)kill(pid, sig);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)kill(c->pid, sig);
}

void
pgcluster_crash(struct pgcluster *c)
{
	if (c->pid <= 0)
		return;
	(void)kill(c->pid, SIGQUIT); /* immediate: without a checkpoint */
	(void)waitpid(c->pid, NULL, 0);
	c->pid = 0;
}

static int
drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
pgcluster_free(struct pgcluster *c)
{
	if (c == NULL)
		return;
	pgcluster_crash(c);
	(void)nftw(c->dir, drop, 16, FTW_DEPTH | FTW_PHYS);
	free(c);
}

static bool
sql_in(struct pgcluster *c, const char *db, const char *sql)
{
	PGconn *conn = connect_to(c, db);
	PGresult *r = PQexec(conn, sql);
	const bool ok = PQresultStatus(r) == PGRES_COMMAND_OK ||
	    PQresultStatus(r) == PGRES_TUPLES_OK;

	if (!ok)
		(void)fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(conn));
	PQclear(r);
	PQfinish(conn);
	return ok;
}

const char *
pgcluster_database(struct pgcluster *c)
{
	char sql[96];

	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE t%u", ++c->made);
	if (!sql_in(c, "postgres", sql))
		return NULL;
	(void)snprintf(c->uri, sizeof(c->uri),
	    "postgresql:///t%u?host=%s&user=ca", c->made, c->dir);
	return c->uri;
}

bool
pgcluster_sql(struct pgcluster *c, const char *sql)
{
	char db[16];

	(void)snprintf(db, sizeof(db), "t%u", c->made);
	return sql_in(c, db, sql);
}
