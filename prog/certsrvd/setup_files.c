/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing the CA's files.
 */
#include "setup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wr.h"
#include "sys/files.h"

#define CONF_MAX 65536u

bool
setup_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

int
setup_open_dir(const char *path, mode_t mode, int *fd, struct ae_err *e)
{
	char *dir = strdup(path), *slash;
	int rc;

	if (dir == NULL)
		return ae_fail_mem(e);
	slash = strrchr(dir, '/');
	*slash = '\0';
	rc = ae_file_mkdirs(dir, mode, e);
	if (rc == AE_OK &&
	    (*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = ae_fail_errno(e, errno, "%s", dir);
	free(dir);
	return rc;
}

int
setup_write(const char *path, mode_t dir_mode, const void *p, size_t len,
    mode_t mode, uid_t uid, gid_t gid, struct ae_err *e)
{
	int fd = -1, rc = setup_open_dir(path, dir_mode, &fd, e);

	if (rc == AE_OK)
		rc = ae_file_write_owned(
		    fd, strrchr(path, '/') + 1, p, len, mode, uid, gid, e);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int
setup_owner(uint32_t uid_base, enum role role, const char *user, uid_t *uid,
    gid_t *gid, struct ae_err *e)
{
	struct passwd pw, *found = NULL;
	char buf[4096];
	int err;

	if (uid_base != 0) {
		*uid = *gid = uid_base + (uid_t)role;
		return AE_OK;
	}
	err = getpwnam_r(user, &pw, buf, sizeof(buf), &found);
	if (found == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_ERRNO, err,
		    "there is no user %s (systemd-sysusers makes it)", user);
	*uid = pw.pw_uid;
	*gid = pw.pw_gid;
	return AE_OK;
}

int
setup_write_certs(
    const char *path, struct ae_cert *const *v, size_t n, struct ae_err *e)
{
	struct ae_wr pem;
	size_t i;
	int rc;

	ae_wr_init(&pem, (n + 1) * 2 * AE_PKI_CERT_MAX);
	for (i = 0; i < n; i++)
		ae_cert_put_pem(&pem, v[i]);
	rc = ae_wr_ok(&pem) ? setup_write(path, 0755, pem.p, pem.len, 0644,
				  (uid_t)-1, (gid_t)-1, e)
			    : ae_fail_mem(e);
	ae_wr_done(&pem);
	return rc;
}

/* ---- one line of the configuration ---- */

/* "name = …" at s, perhaps with blanks before it. */
static bool
is_line_of(const char *s, size_t len, const char *name)
{
	size_t n = strlen(name), i = 0;

	while (i < len && (s[i] == ' ' || s[i] == '\t'))
		i++;
	if (len - i < n || memcmp(s + i, name, n) != 0)
		return false;
	for (i += n; i < len && (s[i] == ' ' || s[i] == '\t'); i++)
		;
	return i < len && s[i] == '=';
}

static bool
is_whole_line(const char *s, size_t len, const char *name, const char *value)
{
	const char *at = memchr(s, '=', len);
	size_t n = strlen(value), left;

	if (!is_line_of(s, len, name) || at == NULL)
		return false;
	for (at++; *at == ' ' || *at == '\t'; at++)
		;
	left = (size_t)(s + len - at);
	return left == n && memcmp(at, value, n) == 0;
}

/*
 * Where the line goes, as an offset; *there: it is there already.  0: the
 * file has no [ca].
 */
static size_t
find_place(const char *text, size_t len, const char *name, const char *value,
    bool *there)
{
	static const char heading[] = "[ca]";
	size_t at = 0, place = 0, end, n;
	bool inside = false;

	*there = false;
	for (; at < len; at = end) {
		const char *line = text + at;
		const char *nl = memchr(line, '\n', len - at);

		end = nl == NULL ? len : (size_t)(nl - text) + 1;
		n = nl == NULL ? len - at : (size_t)(nl - line);
		if (n > 0 && line[0] == '[')
			inside = n >= sizeof(heading) - 1 &&
			    memcmp(line, heading, sizeof(heading) - 1) == 0;
		else if (!inside)
			continue;
		else if (is_whole_line(line, n, name, value))
			*there = true;
		if (inside && (line[0] == '[' || is_line_of(line, n, name)))
			place = end;
	}
	return place;
}

int
setup_conf_add(
    const char *conf, const char *key, const char *value, struct ae_err *e)
{
	uint8_t *text = NULL;
	size_t len, place;
	struct ae_wr w;
	bool there;
	int rc;

	rc = ae_file_read(&text, &len, conf, CONF_MAX, e);
	if (rc != AE_OK)
		return rc;
	place = find_place((const char *)text, len, key, value, &there);
	if (there || place == 0) {
		free(text);
		return there ? AE_OK
			     : ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
				   "%s has no section [ca]", conf);
	}
	ae_wr_init(&w, CONF_MAX + 8192);
	ae_wr_bytes(&w, text, place);
	if (text[place - 1] != '\n')
		ae_wr_u8(&w, '\n');
	ae_wr_printf(&w, "%s = %s\n", key, value);
	ae_wr_bytes(&w, text + place, len - place);
	rc = ae_wr_ok(&w)
	    ? setup_write(conf, 0755, w.p, w.len, 0644, (uid_t)-1, (gid_t)-1, e)
	    : ae_fail_mem(e);
	ae_wr_done(&w);
	free(text);
	return rc;
}
