/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Where log records go: the journal, stderr, or, for a process that has
 * neither, a function that carries the encoded record to one that has.
 * For prog/ only; libraries report through struct ae_err.
 */
#ifndef AE_SYS_LOG_H
#define AE_SYS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum ae_log_level { /* as in syslog(3) */
	AE_LOG_ERROR = 3,
	AE_LOG_WARNING = 4,
	AE_LOG_NOTICE = 5,
	AE_LOG_INFO = 6,
	AE_LOG_DEBUG = 7,
};

#define AE_LOG_TEXT_MAX 2048
#define AE_LOG_FIELDS_MAX 24
#define AE_LOG_RECORD_MAX 16384

struct ae_log_field {
	const char *key; /* upper case, digits, '_': "AE_REQUEST_ID" */
	const char *value;
};

struct ae_log_record {
	enum ae_log_level level;
	const char *role; /* NULL: of the process itself */
	const char *text; /* one line */
	struct ae_log_field field[AE_LOG_FIELDS_MAX];
	size_t nfield;
};

struct ae_log;

/* A carrier of encoded records; must not log. */
typedef void ae_log_send_fn(void *arg, const uint8_t *p, size_t len);

/*
 * program names the syslog identifier.  The journal is used when it is there
 * and foreground is false, else stderr.
 */
struct ae_log *ae_log_new(const char *program, bool foreground);
/* The same with the journal's socket at another place: for tests. */
struct ae_log *ae_log_new_at(
    const char *program, bool foreground, const char *journal);
struct ae_log *ae_log_new_remote(ae_log_send_fn *fn, void *arg);
void ae_log_free(struct ae_log *g);

/* On stderr each record is one JSON object from now on. */
void ae_log_set_json(struct ae_log *g, bool json);

/* Records of a higher number than this are dropped.  Default AE_LOG_INFO. */
void ae_log_set_level(struct ae_log *g, enum ae_log_level max);

/*
 * Write one record.  Control characters in text and values are escaped.
 * Never fails towards the caller and never waits: what journal or stderr do
 * not take at once is counted, and told of when they take lines again.
 */
void ae_log_write(struct ae_log *g, const struct ae_log_record *r);
void ae_log_printf(struct ae_log *g, enum ae_log_level level, const char *fmt,
    ...) AE_PRINTF(3, 4);
uint64_t ae_log_lost(const struct ae_log *g);

/*
 * Write one record to the journal wherever else the log goes, and whatever
 * its level.  False when there is no journal, or it does not take it.
 */
bool ae_log_journal(struct ae_log *g, const struct ae_log_record *r);

/* Does ae_log_write write there? */
bool ae_log_is_journal(const struct ae_log *g);

/*
 * Decode a record that another process sent; text and fields borrow from buf.
 * AE_EPROTO when it is not one.
 */
int ae_log_decode(struct ae_log_record *r, const uint8_t *buf, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * At most burst lines per interval_ms, then silence and one line that says
 * how many were dropped.  Zeroed, with the two limits set, is ready.
 */
struct ae_log_rate {
	unsigned burst;
	int64_t interval_ms;
	int64_t since;
	unsigned count;
	unsigned dropped;
};

/* May this line be written now?  When a new interval begins, *dropped is how
   many lines the last one swallowed. */
bool ae_log_rate_ok(struct ae_log_rate *l, int64_t now_ms, unsigned *dropped);

#endif
