/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Log records: made safe, then written to the journal or stderr, or encoded
 * for the process that may write.
 */
#include "sys/log.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rd.h"
#include "base/time.h"
#include "base/utf16.h"
#include "base/wr.h"
#include "sys/clock.h"

#define JOURNAL "/run/systemd/journal/socket"

struct ae_log {
	char program[32];
	bool journal, json;
	int fd;	   /* to the journal; -1: not yet */
	bool torn; /* half a line stands on stderr */
	struct sockaddr_un at;
	ae_log_send_fn *send;
	void *arg;
	enum ae_log_level max;
	uint64_t lost, told;
};

struct ae_log *
ae_log_new_at(const char *program, bool foreground, const char *journal)
{
	struct ae_log *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->fd = -1;
	g->at.sun_family = AF_UNIX;
	(void)snprintf(g->at.sun_path, sizeof(g->at.sun_path), "%s", journal);
	(void)snprintf(g->program, sizeof(g->program), "%s", program);
	g->journal = !foreground && access(journal, W_OK) == 0;
	g->max = AE_LOG_INFO;
	return g;
}

struct ae_log *
ae_log_new(const char *program, bool foreground)
{
	return ae_log_new_at(program, foreground, JOURNAL);
}

struct ae_log *
ae_log_new_remote(ae_log_send_fn *fn, void *arg)
{
	struct ae_log *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->fd = -1;
	g->send = fn;
	g->arg = arg;
	g->max = AE_LOG_INFO;
	return g;
}

void
ae_log_set_json(struct ae_log *g, bool json)
{
	g->json = json;
}

void
ae_log_free(struct ae_log *g)
{
	if (g != NULL && g->fd >= 0)
		(void)close(g->fd);
	free(g);
}

void
ae_log_set_level(struct ae_log *g, enum ae_log_level max)
{
	g->max = max;
}

uint64_t
ae_log_lost(const struct ae_log *g)
{
	return g->lost;
}

/* One line of printable text: control characters become \xNN. */
static void
put_safe(struct ae_wr *w, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			ae_wr_printf(w, "\\x%02x", c);
		else
			ae_wr_u8(w, c);
	}
}

static bool
key_ok(const char *k)
{
	size_t n = strspn(k, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return n > 0 && n <= 64 && k[n] == '\0' && k[0] != '_';
}

/* "key":"value" */
static void
put_member(struct ae_wr *w, const char *key, const char *value)
{
	static const char *const bad = "(not UTF-8)";
	struct ae_wr safe;
	const char *p;

	ae_wr_init(&safe, AE_LOG_RECORD_MAX);
	put_safe(&safe, ae_utf8_valid(value) ? value : bad);
	ae_wr_printf(w, "\"%s\":\"", key);
	for (p = ae_wr_cstr(&safe); p != NULL && *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			ae_wr_u8(w, '\\');
		ae_wr_u8(w, (uint8_t)*p);
	}
	ae_wr_u8(w, '"');
	ae_wr_done(&safe);
}

/*
 * To stderr without waiting for whoever reads it: what it does not take now is
 * lost, and counted.  In pieces of which poll(2) promises that they fit.
 */
static bool
put_stderr(struct ae_log *g, const struct ae_wr *w)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	size_t off = 0, most;
	ssize_t n;

	if (!ae_wr_ok(w))
		return false;
	while (off < w->len) {
		if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
			break;
		/* half a line of before ends first */
		if (g->torn && write(STDERR_FILENO, "\n", 1) != 1)
			break;
		g->torn = false;
		most = w->len - off < PIPE_BUF ? w->len - off : PIPE_BUF;
		n = write(STDERR_FILENO, w->p + off, most);
		if (n <= 0)
			break;
		off += (size_t)n;
	}
	g->torn = g->torn || (off > 0 && off < w->len);
	return off == w->len;
}

static bool
to_json(struct ae_log *g, const struct ae_log_record *r)
{
	char when[AE_TIME_STR_MAX];
	struct ae_wr w;
	size_t i;
	bool ok;

	ae_wr_init(&w, 2 * AE_LOG_RECORD_MAX);
	ae_wr_u8(&w, '{');
	put_member(&w, "time", ae_time_print(when, ae_clock_now()));
	ae_wr_printf(&w, ",\"priority\":%d,", (int)r->level);
	put_member(&w, "program", g->program);
	if (r->role != NULL) {
		ae_wr_u8(&w, ',');
		put_member(&w, "role", r->role);
	}
	ae_wr_u8(&w, ',');
	put_member(&w, "text", r->text);
	for (i = 0; i < r->nfield; i++) {
		ae_wr_u8(&w, ',');
		put_member(&w, r->field[i].key, r->field[i].value);
	}
	ae_wr_str(&w, "}\n");
	ok = put_stderr(g, &w);
	ae_wr_done(&w);
	return ok;
}

/* One write(2), so that lines of several processes do not mix. */
static bool
to_stderr(struct ae_log *g, const struct ae_log_record *r)
{
	struct ae_wr w;
	size_t i;
	bool ok;

	if (g->json)
		return to_json(g, r);
	ae_wr_init(&w, AE_LOG_RECORD_MAX);
	ae_wr_printf(&w, "<%d>%s", (int)r->level, g->program);
	if (r->role != NULL)
		ae_wr_printf(&w, "[%s]", r->role);
	ae_wr_str(&w, ": ");
	put_safe(&w, r->text);
	for (i = 0; i < r->nfield; i++) {
		ae_wr_printf(&w, " %s=", r->field[i].key);
		put_safe(&w, r->field[i].value);
	}
	ae_wr_u8(&w, '\n');
	ok = put_stderr(g, &w);
	ae_wr_done(&w);
	return ok;
}

/*
 * The journal's own protocol: one datagram, a field on each line.  No value has
 * a line break, because put_safe() leaves none.  One that hangs, or is behind,
 * is not waited for: sd_journal_sendv(3) would.
 */
static bool
send_journal(struct ae_log *g, const struct ae_wr *w)
{
	ssize_t n;

	if (!ae_wr_ok(w))
		return false;
	if (g->fd < 0)
		g->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (g->fd < 0)
		return false;
	do
		n = sendto(g->fd, w->p, w->len, MSG_DONTWAIT | MSG_NOSIGNAL,
		    (const struct sockaddr *)&g->at, sizeof(g->at));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)w->len;
}

static bool
to_journal(struct ae_log *g, const struct ae_log_record *r)
{
	struct ae_wr w;
	size_t i;
	bool ok;

	ae_wr_init(&w, AE_LOG_RECORD_MAX);
	ae_wr_str(&w, "MESSAGE=");
	put_safe(&w, r->text);
	ae_wr_printf(&w, "\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n", (int)r->level,
	    g->program);
	if (r->role != NULL)
		ae_wr_printf(&w, "AE_ROLE=%s\n", r->role);
	for (i = 0; i < r->nfield; i++) {
		ae_wr_printf(&w, "%s=", r->field[i].key);
		put_safe(&w, r->field[i].value);
		ae_wr_u8(&w, '\n');
	}
	ok = send_journal(g, &w);
	ae_wr_done(&w);
	return ok;
}

/* u8 level, u8 count, then NUL-terminated strings: text, key, value, ... */
static bool
to_remote(const struct ae_log *g, const struct ae_log_record *r)
{
	struct ae_wr w;
	size_t i;
	bool ok;

	ae_wr_init(&w, AE_LOG_RECORD_MAX);
	ae_wr_u8(&w, (uint8_t)r->level);
	ae_wr_u8(&w, (uint8_t)r->nfield);
	ae_wr_bytes(&w, r->text, strnlen(r->text, AE_LOG_TEXT_MAX - 1));
	ae_wr_u8(&w, 0);
	for (i = 0; i < r->nfield; i++) {
		ae_wr_bytes(&w, r->field[i].key, strlen(r->field[i].key) + 1);
		ae_wr_bytes(
		    &w, r->field[i].value, strlen(r->field[i].value) + 1);
	}
	ok = ae_wr_ok(&w);
	if (ok)
		g->send(g->arg, w.p, w.len);
	ae_wr_done(&w);
	return ok;
}

static bool
write_one(struct ae_log *g, const struct ae_log_record *r)
{
	if (g->send != NULL)
		return to_remote(g, r);
	return g->journal ? to_journal(g, r) : to_stderr(g, r);
}

/* It takes lines again: how many it did not. */
static void
tell_lost(struct ae_log *g)
{
	struct ae_log_record r = { .level = AE_LOG_WARNING };
	char text[96];

	if (g->send != NULL || g->lost == g->told)
		return;
	(void)snprintf(text, sizeof(text),
	    "%llu lines were not written: the log did not take them",
	    (unsigned long long)(g->lost - g->told));
	r.text = text;
	if (write_one(g, &r))
		g->told = g->lost;
}

void
ae_log_write(struct ae_log *g, const struct ae_log_record *r)
{
	if (r->level > g->max)
		return;
	if (!write_one(g, r))
		g->lost++;
	else
		tell_lost(g);
}

bool
ae_log_journal(struct ae_log *g, const struct ae_log_record *r)
{
	return g->send == NULL && access(g->at.sun_path, W_OK) == 0 &&
	    to_journal(g, r);
}

bool
ae_log_is_journal(const struct ae_log *g)
{
	return g->journal;
}

void
ae_log_printf(struct ae_log *g, enum ae_log_level level, const char *fmt, ...)
{
	char text[AE_LOG_TEXT_MAX];
	struct ae_log_record r = { .level = level, .text = text };
	va_list ap;

	if (level > g->max)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ae_log_write(g, &r);
}

/* A NUL-terminated string of the buffer, NULL when none ends there. */
static const char *
take_str(struct ae_rd *rd, size_t max)
{
	const uint8_t *p = rd->p + rd->off;
	size_t n = strnlen((const char *)p, ae_rd_left(rd));

	if (n >= max)
		ae_rd_fail(rd);
	return (const char *)ae_rd_take(rd, n + 1);
}

int
ae_log_decode(
    struct ae_log_record *r, const uint8_t *buf, size_t len, struct ae_err *e)
{
	struct ae_rd rd;
	size_t i;

	memset(r, 0, sizeof(*r));
	if (len == 0)
		goto bad;
	ae_rd_init(&rd, buf, len);
	r->level = ae_rd_u8(&rd);
	r->nfield = ae_rd_u8(&rd);
	if (r->level < AE_LOG_ERROR || r->level > AE_LOG_DEBUG ||
	    r->nfield > AE_LOG_FIELDS_MAX)
		goto bad;
	r->text = take_str(&rd, AE_LOG_TEXT_MAX);
	for (i = 0; i < r->nfield; i++) {
		r->field[i].key = take_str(&rd, 65);
		r->field[i].value = take_str(&rd, AE_LOG_RECORD_MAX);
		if (!ae_rd_ok(&rd) || !key_ok(r->field[i].key))
			goto bad;
	}
	if (!ae_rd_done(&rd))
		goto bad;
	return AE_OK;
bad:
	return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0, "not a log record");
}

bool
ae_log_rate_ok(struct ae_log_rate *l, int64_t now_ms, unsigned *dropped)
{
	*dropped = 0;
	if (now_ms - l->since >= l->interval_ms || now_ms < l->since) {
		l->since = now_ms;
		l->count = 0;
		*dropped = l->dropped;
		l->dropped = 0;
	}
	if (l->count < l->burst) {
		l->count++;
		return true;
	}
	l->dropped++;
	return false;
}
