/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The same run on other machines; see diagnose.h.  A machine without the
 * program gets this very one for the time of the run.  Nothing of ours is
 * forwarded: no agent, no ticket.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "diag/facts.h"
#include "diagnose.h"
#include "sys/loop.h"
#include "sys/spawn.h"

#define HOSTS_MAX 256u
#define AT_ONCE 32u
#define HOST_MS 60000
#define TOLD_MAX (16u << 20)
#define SAID_MAX 65536u
#define WORDS_MAX 2048u

struct remote {
	struct fleet *f;
	const char *host;
	pid_t pid;
	int out, err;
	struct ae_source *on_out, *on_err, *child, *timer;
	struct ae_wr told, said;
	bool started, ended, late;
	int status;
};

struct fleet {
	const struct diagnose *o;
	struct ae_loop *loop;
	struct remote *v;
	size_t n, under_way;
	char command[WORDS_MAX + 1024];
};

/* 'one word' for a shell. */
static void
put_word(char *out, size_t len, const char *option, const char *s)
{
	size_t at = strlen(out);

	at += (size_t)snprintf(out + at, len - at, " %s '", option);
	for (; *s != '\0' && at + 8 < len; s++) {
		if (*s == '\'')
			at += (size_t)snprintf(out + at, len - at, "'\\''");
		else
			out[at++] = *s;
	}
	(void)snprintf(out + at, len - at, "'");
}

static void
compose(struct fleet *f)
{
	const struct diagnose *o = f->o;
	char words[WORDS_MAX] = "diagnose --json";

	(void)strncat(words, o->user ? " --user" : " --machine",
	    sizeof(words) - strlen(words) - 1);
	if (o->user && o->whose != NULL)
		put_word(words, sizeof(words), "", o->whose);
	if (o->template != NULL)
		put_word(words, sizeof(words), "--template", o->template);
	if (o->ca != NULL)
		put_word(words, sizeof(words), "--ca", o->ca);
	if (o->live)
		(void)strncat(
		    words, " --live", sizeof(words) - strlen(words) - 1);
	put_word(words, sizeof(words), "--lang", ae_diag_lang_name(o->lang));
	(void)snprintf(f->command, sizeof(f->command),
	    "if command -v autoenroll >/dev/null; then "
	    "exec autoenroll %s </dev/null; fi; "
	    "d=$(mktemp -d) || exit 4; trap 'rm -rf \"$d\"' EXIT; "
	    "cat >\"$d/autoenroll\" && chmod 700 \"$d/autoenroll\" && "
	    "\"$d/autoenroll\" %s </dev/null",
	    words, words);
}

static void
on_bytes(struct ae_wr *w, struct ae_source *s, int fd)
{
	uint8_t buf[65536];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		ae_wr_bytes(w, buf, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		ae_source_set_events(s, 0);
}

static void
on_out(void *arg, int fd, unsigned events)
{
	struct remote *r = arg;

	(void)events;
	on_bytes(&r->told, r->on_out, fd);
}

static void
on_err(void *arg, int fd, unsigned events)
{
	struct remote *r = arg;

	(void)events;
	on_bytes(&r->said, r->on_err, fd);
}

static void
drain(struct ae_wr *w, int fd)
{
	uint8_t buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		ae_wr_bytes(w, buf, (size_t)n);
}

static void
on_end(void *arg, pid_t pid, int status)
{
	struct remote *r = arg;

	(void)pid;
	drain(&r->told, r->out);
	drain(&r->said, r->err);
	r->status = status;
	r->ended = true;
}

static void
on_late(void *arg)
{
	struct remote *r = arg;

	r->late = true;
	(void)kill(r->pid, SIGKILL);
}

static int
spawn_ssh(struct remote *r, int out, int err, struct ae_err *e)
{
	static const char *const keep[] = { "HOME", "USER", "LOGNAME",
		"SSH_AUTH_SOCK", "KRB5CCNAME", "KRB5_CONFIG", "TERM", NULL };
	const char *const argv[] = { "ssh", "-a", "-k", "-x", "-T", "-o",
		"BatchMode=yes", "-o", "ConnectTimeout=10", "-o",
		"ClearAllForwardings=yes", "--", r->host, r->f->command, NULL };
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), rc;
	const int std[] = { self, out, err };
	const struct ae_spawn s = { .path = "/usr/bin/ssh",
		.argv = argv,
		.keep_env = keep,
		.std = std,
		.death_signal = SIGKILL };

	rc = ae_spawn(&r->pid, &s, e);
	(void)close(self);
	return rc;
}

static int
start(struct remote *r, struct ae_err *e)
{
	struct ae_loop *loop = r->f->loop;
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, rc;

	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
		return ae_fail_errno(e, errno, "pipe");
	rc = spawn_ssh(r, out[1], err[1], e);
	(void)close(out[1]);
	(void)close(err[1]);
	r->out = out[0];
	r->err = err[0];
	if (rc != AE_OK)
		return rc;
	r->started = true;
	r->f->under_way++;
	(void)fcntl(r->out, F_SETFL, O_NONBLOCK);
	(void)fcntl(r->err, F_SETFL, O_NONBLOCK);
	ae_wr_init(&r->told, TOLD_MAX);
	ae_wr_init(&r->said, SAID_MAX);
	rc = ae_loop_fd(&r->on_out, loop, r->out, AE_LOOP_IN, on_out, r, e);
	if (rc == AE_OK)
		rc = ae_loop_fd(
		    &r->on_err, loop, r->err, AE_LOOP_IN, on_err, r, e);
	if (rc == AE_OK)
		rc = ae_loop_child(&r->child, loop, r->pid, on_end, r, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&r->timer, loop, on_late, r, e);
	if (rc == AE_OK)
		ae_source_set_timer(r->timer, ae_loop_now(loop) + HOST_MS);
	return rc;
}

/* The last line that ssh, or the program there, said. */
static void
last_line(
    char *out, size_t len, const struct ae_wr *said, enum ae_diag_lang lang)
{
	const char *p = (const char *)said->p, *end, *from;
	size_t n = said->len;

	while (p != NULL && n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (p == NULL || n == 0) {
		(void)snprintf(
		    out, len, "%s", ae_diag_frame(lang, "hosts.silent"));
		return;
	}
	end = p + n;
	from = memrchr(p, '\n', n);
	from = from == NULL ? p : from + 1;
	(void)snprintf(out, len, "%.*s", (int)(end - from), from);
}

static json_t *
result(struct remote *r)
{
	const enum ae_diag_lang lang = r->f->o->lang;
	char why[512];
	json_t *j = NULL;

	if (!r->late && ae_wr_ok(&r->told) && r->told.len > 0)
		j = json_loadb((const char *)r->told.p, r->told.len,
		    JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(j) && ae_fact(j, "checks") != NULL) {
		(void)json_object_set_new(j, "host", client_text(r->host));
		return j;
	}
	json_decref(j);
	if (r->late)
		(void)snprintf(
		    why, sizeof(why), "%s", ae_diag_frame(lang, "hosts.late"));
	else
		last_line(why, sizeof(why), &r->said, lang);
	j = json_object();
	(void)json_object_set_new(j, "host", client_text(r->host));
	(void)json_object_set_new(j, "error", client_text(why));
	return j;
}

static void
done(struct remote *r)
{
	if (!r->started)
		return;
	if (!r->ended) {
		(void)kill(r->pid, SIGKILL);
		(void)waitpid(r->pid, NULL, 0);
	}
	ae_source_free(r->on_out);
	ae_source_free(r->on_err);
	ae_source_free(r->child);
	ae_source_free(r->timer);
	(void)close(r->out);
	(void)close(r->err);
	ae_wr_done(&r->told);
	ae_wr_done(&r->said);
}

static int
run(struct fleet *f, json_t *reports, struct ae_err *e)
{
	size_t next = 0, left = f->n, i;
	int rc = AE_OK;

	while (rc == AE_OK && left > 0) {
		while (rc == AE_OK && next < f->n && f->under_way < AT_ONCE)
			rc = start(&f->v[next++], e);
		if (rc == AE_OK)
			rc = ae_loop_turn(f->loop, -1, e);
		for (i = 0; i < next; i++) {
			if (!f->v[i].ended)
				continue;
			(void)json_array_set_new(reports, i, result(&f->v[i]));
			done(&f->v[i]);
			f->v[i].started = f->v[i].ended = false;
			f->under_way--;
			left--;
		}
	}
	return rc;
}

int
diagnose_hosts(json_t **reports, const struct diagnose *o, struct ae_err *e)
{
	struct fleet f = { .o = o, .n = o->hosts.n };
	size_t i;
	int rc;

	if (f.n > HOSTS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %u hosts at once", HOSTS_MAX);
	compose(&f);
	f.v = calloc(f.n, sizeof(*f.v));
	if (f.v == NULL)
		return ae_fail_mem(e);
	*reports = json_array();
	for (i = 0; i < f.n; i++) {
		f.v[i].f = &f;
		f.v[i].host = o->hosts.v[i];
		(void)json_array_append_new(*reports, json_null());
	}
	rc = ae_loop_new(&f.loop, e);
	if (rc == AE_OK)
		rc = run(&f, *reports, e);
	for (i = 0; i < f.n; i++)
		done(&f.v[i]);
	ae_loop_free(f.loop);
	free(f.v);
	return rc;
}

void
diagnose_print_hosts(const json_t *reports)
{
	const json_t *r;
	size_t i;

	json_array_foreach(reports, i, r)
	{
		const char *error = ae_fact_str(r, "error");
		const char *id = ae_fact_str(r, "root.check_id");

		(void)printf("%-24s %-32s %s\n",
		    cli_safe(ae_fact_text(r, "host")),
		    error != NULL ? "-"
			: id != NULL
			? cli_safe(id)
			: cli_safe(ae_fact_text(r, "category_text")),
		    error != NULL ? cli_safe(error)
				  : cli_safe(ae_fact_text(r, "root.cause")));
	}
}
