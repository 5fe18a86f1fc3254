/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copyright the autoenroll authors. */
/*
 * Files below \\server\sysvol\domain\Policies over SMB, with Kerberos and
 * signing or not at all.
 */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <libsmbclient.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ad/sd.h"
#include "base/wr.h"

#define TIMEOUT_MS 20000
#define URL_MAX 2048
#define CHUNK (64u * 1024u)

/*
 * All the configuration there is; no smb.conf is needed, and what one says
 * about these is overridden.
 */
static const char configuration[] = "[global]\n"
				    "client signing = required\n"
				    "client ipc signing = required\n"
				    "client min protocol = SMB2_10\n"
				    "client use kerberos = required\n"
				    "disable netbios = yes\n"
				    "name resolve order = host\n"
				    "log level = 0\n"
				    "max log size = 0\n";

struct share {
	SMBCCTX *ctx;
	char base[URL_MAX]; /* smb://server/sysvol/domain/Policies */
	struct ae_sd *sd;   /* of a GPO folder that is made; NULL: inherited */
};

static const struct {
	int error;
	enum ae_sysvol_status status;
} statuses[] = {
	{ ENOENT, AE_SYSVOL_NOT_FOUND },
	{ ENOTDIR, AE_SYSVOL_NOT_FOUND },
	{ EACCES, AE_SYSVOL_DENIED },
	{ EPERM, AE_SYSVOL_DENIED },
	{ EROFS, AE_SYSVOL_DENIED },
	{ ETIMEDOUT, AE_SYSVOL_UNAVAILABLE },
	{ ECONNREFUSED, AE_SYSVOL_UNAVAILABLE },
	{ ECONNRESET, AE_SYSVOL_UNAVAILABLE },
	{ ECONNABORTED, AE_SYSVOL_UNAVAILABLE },
	{ EHOSTUNREACH, AE_SYSVOL_UNAVAILABLE },
	{ ENETUNREACH, AE_SYSVOL_UNAVAILABLE },
	{ EPIPE, AE_SYSVOL_UNAVAILABLE },
	{ ENODEV, AE_SYSVOL_UNAVAILABLE },
	{ EFBIG, AE_SYSVOL_TOO_LARGE },
};

static void
failed(struct ae_sysvol_file *f, int error)
{
	size_t i;

	free(f->data);
	f->data = NULL;
	f->len = 0;
	f->error = (uint32_t)error;
	f->status = AE_SYSVOL_FAILED;
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].error == error)
			f->status = statuses[i].status;
}

/*
 * Who we are is in the ticket, whatever name stands here; but with none
 * libsmbclient would not look for a ticket and try to be anonymous.
 */
static void
no_password(SMBCCTX *ctx, const char *server, const char *share,
    char *workgroup, int wlen, char *user, int ulen, char *password, int plen)
{
	(void)ctx;
	(void)server;
	(void)share;
	(void)workgroup;
	(void)wlen;
	if (ulen > 0)
		(void)snprintf(user, (size_t)ulen, "%s", "kerberos");
	if (plen > 0)
		password[0] = '\0';
}

static bool
configure(SMBCCTX *ctx)
{
	const size_t len = sizeof(configuration) - 1;
	char path[64];
	int fd;
	bool ok;

	fd = memfd_create("sysvol.conf", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ok = write(fd, configuration, len) == (ssize_t)len &&
	    smbc_setConfiguration(ctx, path) == 0;
	(void)close(fd);
	return ok;
}

static bool
share_open(struct share *s, const struct ae_sysvol_request *q)
{
	SMBCFILE *dir;
	int n, null;

	n = snprintf(s->base, sizeof(s->base), "smb://%s/sysvol/%s/Policies",
	    q->server, q->domain);
	if (n < 0 || (size_t)n >= sizeof(s->base)) {
		errno = EINVAL;
		return false;
	}
	/*
	 * Somebody's ~/.smb/smb.conf has no say here, and the library's
	 * complaint that it finds no place for its cache is nobody's news:
	 * what went wrong is in the reply.
	 */
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, STDERR_FILENO);
	(void)setenv("HOME", "/nonexistent", 1);
	s->ctx = smbc_new_context();
	if (s->ctx == NULL)
		return false;
	smbc_setDebug(s->ctx, 0);
	smbc_setTimeout(s->ctx, TIMEOUT_MS);
	smbc_setFunctionAuthDataWithContext(s->ctx, no_password);
	smbc_setOptionDebugToStderr(s->ctx, 1);
	smbc_setOptionUseKerberos(s->ctx, 1);
	smbc_setOptionFallbackAfterKerberos(s->ctx, 0);
	smbc_setOptionNoAutoAnonymousLogin(s->ctx, 1);
	if (smbc_init_context(s->ctx) == NULL || !configure(s->ctx))
		return false;
	/*
	 * Reaching the folder first keeps a server that is away apart from
	 * a file that is not there.
	 */
	dir = smbc_getFunctionOpendir(s->ctx)(s->ctx, s->base);
	if (dir == NULL) {
		if (errno == ENOENT)
			errno = ENODEV;
		return false;
	}
	(void)smbc_getFunctionClosedir(s->ctx)(s->ctx, dir);
	return true;
}

static void
share_close(struct share *s)
{
	if (s->ctx != NULL)
		(void)smbc_free_context(s->ctx, 1);
	ae_sd_free(s->sd);
}

static bool
url_of(char url[URL_MAX], const struct share *s, const char *path)
{
	int n = snprintf(url, URL_MAX, "%s/%s", s->base, path);
	char *p;

	if (n < 0 || n >= URL_MAX)
		return false;
	for (p = url + strlen(s->base); *p != '\0'; p++)
		if (*p == '\\')
			*p = '/';
	return true;
}

/* The whole file into f, or its status. */
static void
read_file(struct share *s, const char *url, struct ae_sysvol_file *f)
{
	smbc_read_fn read_fn = smbc_getFunctionRead(s->ctx);
	struct ae_wr w;
	SMBCFILE *file;
	uint8_t *room;
	ssize_t n = 0;

	file = smbc_getFunctionOpen(s->ctx)(s->ctx, url, O_RDONLY, 0);
	if (file == NULL) {
		failed(f, errno);
		return;
	}
	ae_wr_init(&w, AE_SYSVOL_FILE_MAX + CHUNK);
	do {
		room = ae_wr_room(&w, CHUNK);
		if (room == NULL) {
			errno = ae_wr_full(&w) ? EFBIG : ENOMEM;
			n = -1;
			break;
		}
		n = read_fn(s->ctx, file, room, CHUNK);
		w.len -= CHUNK - (n > 0 ? (size_t)n : 0);
	} while (n > 0);
	if (n == 0 && w.len > AE_SYSVOL_FILE_MAX) {
		errno = EFBIG;
		n = -1;
	}
	if (n < 0)
		failed(f, errno);
	else if (w.len != 0)
		f->data = ae_wr_take(&w, &f->len);
	ae_wr_done(&w);
	(void)smbc_getFunctionClose(s->ctx)(s->ctx, file);
}

/* libsmbclient's own spelling of a descriptor. */
static void
put_sd(struct ae_wr *w, const struct ae_sd *sd)
{
	char sid[AE_SID_STR_MAX];
	size_t i;

	ae_wr_str(w, "REVISION:1");
	if (sd->has_owner)
		ae_wr_printf(w, ",OWNER:%s", ae_sid_print(sid, &sd->owner));
	if (sd->has_group)
		ae_wr_printf(w, ",GROUP:%s", ae_sid_print(sid, &sd->group));
	for (i = 0; i < sd->dacl.n; i++)
		ae_wr_printf(w, ",ACL:%s:%u/%u/%u",
		    ae_sid_print(sid, &sd->dacl.v[i].sid), sd->dacl.v[i].type,
		    sd->dacl.v[i].flags, (unsigned int)sd->dacl.v[i].mask);
}

static bool
set_sd(struct share *s, const char *url)
{
	const char *text;
	struct ae_wr w;
	bool ok;

	ae_wr_init(&w, AE_SD_BYTES_MAX);
	put_sd(&w, s->sd);
	text = ae_wr_cstr(&w);
	errno = ENOMEM;
	ok = text != NULL &&
	    smbc_getFunctionSetxattr(s->ctx)(s->ctx, url,
		"system.nt_sec_desc.*", text, strlen(text), 0) == 0;
	ae_wr_done(&w);
	return ok;
}

/*
 * The directories above the file, from the GPO's own on.  That one gets its
 * descriptor while it is empty, so that what follows inherits it.
 */
static bool
make_dirs(struct share *s, const char *url)
{
	const char *own = url + strlen(s->base) + 1, *p = own;
	char part[URL_MAX];
	bool made;

	while ((p = strchr(p, '/')) != NULL) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - url), url);
		made = smbc_getFunctionMkdir(s->ctx)(s->ctx, part, 0755) == 0;
		if (!made && errno != EEXIST)
			return false;
		if (made && s->sd != NULL && strchr(own, '/') == p &&
		    !set_sd(s, part))
			return false;
		p++;
	}
	return true;
}

static bool
write_new(struct share *s, const char *url, const struct ae_sysvol_file *in)
{
	smbc_write_fn write_fn = smbc_getFunctionWrite(s->ctx);
	SMBCFILE *file;
	size_t put, len;
	ssize_t n = 0;

	file = smbc_getFunctionOpen(s->ctx)(
	    s->ctx, url, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (file == NULL)
		return false;
	for (put = 0; put < in->len && n >= 0; put += (size_t)n) {
		len = in->len - put < CHUNK ? in->len - put : CHUNK;
		n = write_fn(s->ctx, file, in->data + put, len);
		if (n <= 0) {
			n = -1;
			break;
		}
	}
	if (smbc_getFunctionClose(s->ctx)(s->ctx, file) != 0)
		return false;
	return n >= 0;
}

/* Beside and renamed over, so that nobody reads half of it. */
static void
write_file(struct share *s, const char *url, const struct ae_sysvol_file *in,
    struct ae_sysvol_file *f)
{
	struct ae_sysvol_file old = { 0 };
	char beside[URL_MAX];
	bool same;

	read_file(s, url, &old);
	same = old.status == AE_SYSVOL_OK && old.len == in->len &&
	    (in->len == 0 || memcmp(old.data, in->data, in->len) == 0);
	free(old.data);
	if (same)
		return;
	if (snprintf(beside, sizeof(beside), "%s.new", url) >=
	    (int)sizeof(beside)) {
		failed(f, ENAMETOOLONG);
		return;
	}
	if (!make_dirs(s, url) || !write_new(s, beside, in) ||
	    smbc_getFunctionRename(s->ctx)(s->ctx, beside, s->ctx, url) != 0)
		failed(f, errno);
}

/* A DNS name: nothing that means something in a URL. */
static bool
plain_name(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return s[0] != '\0' && s[0] != '.' && s[strspn(s, allowed)] == '\0' &&
	    strstr(s, "..") == NULL;
}

void
share_do(const struct ae_sysvol_request *q, struct ae_sysvol_reply *r)
{
	bool named = plain_name(q->server) && plain_name(q->domain);
	struct share s = { 0 };
	char url[URL_MAX];
	bool open;
	int error;
	size_t i;

	errno = EINVAL;
	open = named && q->n != 0 &&
	    (q->sd_len == 0 ||
		ae_sd_parse(&s.sd, q->sd, q->sd_len, NULL) == AE_OK) &&
	    share_open(&s, q);
	error = errno;
	for (i = 0; i < q->n; i++) {
		struct ae_sysvol_file *f = &r->files[i];

		if (!named || !ae_sysvol_path_ok(q->files[i].path))
			f->status = AE_SYSVOL_REFUSED;
		else if (!open)
			failed(f, error);
		else if (!url_of(url, &s, q->files[i].path))
			f->status = AE_SYSVOL_REFUSED;
		else if (q->op == AE_SYSVOL_READ)
			read_file(&s, url, f);
		else
			write_file(&s, url, &q->files[i], f);
	}
	share_close(&s);
}
