/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a program and its sysvol helper say to each other over pipes: one
 * request, one reply, each a frame with its length in front.  The helper
 * (prog/sysvol) is a program of its own because libsmbclient is GPL.
 *
 *   frame    u32 magic, u32 length of what follows, that many bytes
 *   request  u32 op, string server, string domain, u32 length, bytes of sd,
 *            u32 n, n times: string path, and for WRITE u32 length, bytes
 *   reply    u32 n, n times: u32 status, u32 errno, u32 length, bytes
 *
 * Little endian; a string is u32 length and UTF-8 bytes.
 */
#ifndef AE_POLICY_SYSVOL_PROTO_H
#define AE_POLICY_SYSVOL_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "policy/registry_pol.h"

#define AE_SYSVOL_FRAME_HEADER 8u
#define AE_SYSVOL_FILES_MAX 2048u
#define AE_SYSVOL_FILE_MAX AE_POL_FILE_MAX
#define AE_SYSVOL_REQUEST_MAX (8u * 1024u * 1024u)
#define AE_SYSVOL_REPLY_MAX (64u * 1024u * 1024u)

enum ae_sysvol_op {
	AE_SYSVOL_READ = 1,
	/*
	 * Each file whole; directories on the way are made.  A file that
	 * already has these bytes is left alone.
	 */
	AE_SYSVOL_WRITE = 2,
};

enum ae_sysvol_status {
	AE_SYSVOL_OK = 0,
	AE_SYSVOL_NOT_FOUND = 1,
	AE_SYSVOL_DENIED = 2,
	AE_SYSVOL_UNAVAILABLE = 3, /* server, network, or no ticket */
	AE_SYSVOL_TOO_LARGE = 4,
	AE_SYSVOL_REFUSED = 5, /* the helper does not touch such a path */
	AE_SYSVOL_FAILED = 6,  /* anything else; errno tells */
};

/* In a request path and, for WRITE, data; in a reply status, error, data. */
struct ae_sysvol_file {
	char *path;
	uint8_t *data; /* owned; NULL when empty */
	size_t len;
	uint32_t status;
	uint32_t error; /* errno of the helper, 0: none */
};

struct ae_sysvol_request {
	uint32_t op;
	char *server; /* the DC */
	char *domain; /* DNS name: the folder below the share sysvol */
	/*
	 * For WRITE: the descriptor, self-relative, of a GPO's folder that has
	 * to be made; its files inherit from it.  Empty: what Policies gives.
	 */
	uint8_t *sd;
	size_t sd_len;
	struct ae_sysvol_file *files;
	size_t n;
};

struct ae_sysvol_reply {
	struct ae_sysvol_file *files; /* in the order of the request */
	size_t n;
};

/*
 * Below Policies, in backslashes: a GUID in braces, then at most four more
 * components of plain characters.  No dots-only components, no streams, no
 * wildcards, no forward slashes.
 */
bool ae_sysvol_path_ok(const char *path);

/* Whole frames.  put: ask ae_wr_ok.  get: exactly one frame of len bytes. */
void ae_sysvol_request_put(struct ae_wr *w, const struct ae_sysvol_request *q);
int ae_sysvol_request_get(struct ae_sysvol_request *out, const void *p,
    size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_sysvol_request_done(struct ae_sysvol_request *q);

void ae_sysvol_reply_put(struct ae_wr *w, const struct ae_sysvol_reply *r);
/* expect: how many files were asked for; another number is AE_EPROTO. */
int ae_sysvol_reply_get(struct ae_sysvol_reply *out, const void *p, size_t len,
    size_t expect, struct ae_err *e) AE_MUST_CHECK;
void ae_sysvol_reply_done(struct ae_sysvol_reply *r);

/*
 * How many bytes the frame has that begins with these eight; 0: it is no
 * frame of the kind, or longer than max.
 */
size_t ae_sysvol_frame_len(
    const uint8_t header[AE_SYSVOL_FRAME_HEADER], bool reply);

/* "denied" and the like; never NULL. */
const char *ae_sysvol_status_text(uint32_t status);

#endif
