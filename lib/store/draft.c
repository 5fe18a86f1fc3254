/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writing one version and reading it back; see store.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "store/internal.h"
#include "store/request.h"
#include "sys/files.h"

struct ae_store_draft {
	struct ae_store *s;
	int tmpl_fd;
	int fd;
	char name[32];
};

int
store_draft(struct ae_store_draft **out, struct ae_store *s, const char *tmpl,
    const char *key_name, const void *key, size_t key_len, struct ae_err *e)
{
	struct ae_store_draft *d;
	int rc;

	if (!s->write || !ae_store_name_ok(tmpl))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "'%s' cannot be written in this store", tmpl);
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ae_fail_mem(e);
	d->s = s;
	d->fd = -1;
	rc = d->tmpl_fd = store_dir(s->my, tmpl, true, e);
	if (rc < 0)
		goto out;
	/* The lock makes us the only writer: the name needs no randomness. */
	(void)snprintf(
	    d->name, sizeof(d->name), STORE_DRAFT_PREFIX "%ld", (long)getpid());
	if (mkdirat(d->tmpl_fd, d->name, 0755) != 0) {
		rc = ae_fail_errno(e, errno, "make %s/%s", tmpl, d->name);
		d->name[0] = '\0';
		goto out;
	}
	rc = d->fd = store_dir(d->tmpl_fd, d->name, false, e);
	if (rc < 0)
		goto out;
	rc = ae_file_write_at(d->fd, key_name, key, key_len, 0600, e);
out:
	if (rc < 0) {
		ae_store_draft_free(d);
		return ae_note(e, rc, "new version of %s", tmpl);
	}
	*out = d;
	return AE_OK;
}

int
ae_store_draft_new(struct ae_store_draft **out, struct ae_store *s,
    const char *tmpl, const void *key_pem, size_t key_len, struct ae_err *e)
{
	return store_draft(out, s, tmpl, AE_STORE_KEY_PEM, key_pem, key_len, e);
}

int
ae_store_draft_own(struct ae_store_draft *d, mode_t mode, uid_t uid, gid_t gid,
    struct ae_err *e)
{
	int rc = AE_OK, flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(d->fd, AE_STORE_KEY_PEM, flags);

	if (fd < 0)
		fd = openat(d->fd, AE_STORE_KEY_URI, flags);
	/* The mode first: of another's file it would take CAP_FOWNER. */
	if (fd < 0 || fchmod(fd, mode) != 0 ||
	    ((uid != (uid_t)-1 || gid != (gid_t)-1) &&
		fchown(fd, uid, gid) != 0))
		rc = ae_fail_errno(
		    e, errno, "give the key file its mode and owner");
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

void
ae_store_draft_free(struct ae_store_draft *d)
{
	if (d == NULL)
		return;
	if (d->fd >= 0)
		(void)close(d->fd);
	if (d->name[0] != '\0')
		(void)store_remove_draft(d->tmpl_fd, d->name, NULL);
	if (d->tmpl_fd >= 0)
		(void)close(d->tmpl_fd);
	free(d);
}

static int
write_meta(int fd, const struct ae_store_meta *m, struct ae_err *e)
{
	char when[AE_TIME_STR_MAX];
	json_t *j;
	char *text;
	int rc;

	j = json_pack("{s:s, s:s, s:I, s:s, s:b, s:s}", "template_oid",
	    m->template_oid, "ca_config", m->ca_config, "request_id",
	    (json_int_t)m->request_id, "installed",
	    ae_time_print(when, m->installed), "key_exportable", m->exportable,
	    "friendly_name", m->friendly_name);
	text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2));
	if (text == NULL)
		rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "meta.json: not text or out of memory");
	else
		rc = ae_file_write_at(
		    fd, "meta.json", text, strlen(text), 0644, e);
	free(text);
	json_decref(j);
	return rc;
}

int
store_highest(int dirfd, const char *name, void *arg, struct ae_err *e)
{
	unsigned *max = arg;
	unsigned v = store_version_number(name);

	(void)dirfd;
	(void)e;
	if (v > *max)
		*max = v;
	return AE_OK;
}

static int
write_fullchain(int fd, const void *cert, size_t cert_len, const void *chain,
    size_t chain_len, struct ae_err *e)
{
	uint8_t *both = malloc(cert_len + chain_len + 1);
	int rc;

	if (both == NULL)
		return ae_fail_mem(e);
	memcpy(both, cert, cert_len);
	if (chain_len > 0)
		memcpy(both + cert_len, chain, chain_len);
	rc = ae_file_write_at(
	    fd, "fullchain.pem", both, cert_len + chain_len, 0644, e);
	free(both);
	return rc;
}

/* Number the draft and let "current" point there. */
static int
publish(
    struct ae_store_draft *d, int64_t now, unsigned *number, struct ae_err *e)
{
	unsigned max = 0, old = store_current(d->tmpl_fd);
	char name[16], why[48];
	int rc;

	rc = store_each(d->tmpl_fd, store_highest, &max, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(name, sizeof(name), "%u", max + 1);
	if (fsync(d->fd) != 0)
		return ae_fail_errno(e, errno, "flush the new version");
	if (renameat(d->tmpl_fd, d->name, d->tmpl_fd, name) != 0)
		return ae_fail_errno(e, errno, "rename to %s", name);
	d->name[0] = '\0';
	rc = store_sync_above(d->s, d->s->my, e);
	if (rc == AE_OK)
		rc = ae_file_sync_dir(d->tmpl_fd, e);
	if (rc == AE_OK)
		rc = ae_file_symlink_at(d->tmpl_fd, "current", name, e);
	if (rc != AE_OK)
		return rc;
	if (number != NULL)
		*number = max + 1;
	/* A note for people; what "current" says is what counts. */
	(void)snprintf(why, sizeof(why), "replaced by %s", name);
	if (old != 0)
		(void)store_note_archived(d->tmpl_fd, old, now, why, NULL);
	return AE_OK;
}

int
ae_store_commit(struct ae_store_draft *d, const void *cert_pem, size_t cert_len,
    const void *chain_pem, size_t chain_len, const struct ae_store_meta *meta,
    unsigned *number, struct ae_err *e)
{
	int rc;

	if (d->name[0] == '\0' || cert_len > AE_STORE_FILE_MAX ||
	    chain_len > AE_STORE_FILE_MAX)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "this draft cannot be committed");
	rc = ae_file_write_at(d->fd, "cert.pem", cert_pem, cert_len, 0644, e);
	if (rc == AE_OK)
		rc = ae_file_write_at(
		    d->fd, "chain.pem", chain_pem, chain_len, 0644, e);
	if (rc == AE_OK)
		rc = write_fullchain(
		    d->fd, cert_pem, cert_len, chain_pem, chain_len, e);
	if (rc == AE_OK)
		rc = write_meta(d->fd, meta, e);
	if (rc == AE_OK)
		rc = publish(d, meta->installed, number, e);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "install the certificate");
}

int
store_read_at(
    int fd, const char *name, uint8_t **out, size_t *len, struct ae_err *e)
{
	int f =
	    openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t *p = NULL;
	struct stat st;
	size_t n = 0;
	ssize_t got;
	int rc;

	if (f < 0)
		return errno == ENOENT
		    ? AE_ENOTFOUND
		    : ae_fail_errno(e, errno, "open %s", name);
	if (fstat(f, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > (off_t)AE_STORE_FILE_MAX) {
		rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "%s is not a regular file of at most %u bytes", name,
		    AE_STORE_FILE_MAX);
		goto out;
	}
	p = malloc((size_t)st.st_size + 1);
	if (p == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	while (n < (size_t)st.st_size &&
	    (got = read(f, p + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)got;
	p[n] = '\0';
	*out = p;
	*len = n;
	p = NULL;
	rc = AE_OK;
out:
	free(p);
	(void)close(f);
	return rc;
}

static void
copy_text(char *out, size_t outlen, const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	if (s != NULL && strlen(s) < outlen)
		memcpy(out, s, strlen(s) + 1);
}

static int
read_meta(int fd, struct ae_store_meta *m, struct ae_err *e)
{
	json_t *j = NULL;
	uint8_t *text = NULL;
	const char *when;
	json_int_t id;
	size_t len;
	int rc;

	rc = store_read_at(fd, "meta.json", &text, &len, e);
	if (rc != AE_OK)
		return rc == AE_ENOTFOUND ? AE_OK : rc;
	j = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(j)) {
		rc = ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "meta.json is not JSON");
		goto out;
	}
	copy_text(m->template_oid, sizeof(m->template_oid), j, "template_oid");
	copy_text(m->ca_config, sizeof(m->ca_config), j, "ca_config");
	id = json_integer_value(json_object_get(j, "request_id"));
	m->request_id = id >= 0 && id <= UINT32_MAX ? (uint32_t)id : 0;
	when = json_string_value(json_object_get(j, "installed"));
	if (when == NULL || !ae_time_parse(&m->installed, when))
		m->installed = 0;
	m->exportable = json_is_true(json_object_get(j, "key_exportable"));
	copy_text(
	    m->friendly_name, sizeof(m->friendly_name), j, "friendly_name");
out:
	json_decref(j);
	free(text);
	return rc;
}

int
store_read_entry(int fd, struct ae_store_entry *en, struct ae_err *e)
{
	struct stat st;
	int rc;

	en->has_key =
	    (fstatat(fd, AE_STORE_KEY_PEM, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		fstatat(fd, AE_STORE_KEY_URI, &st, AT_SYMLINK_NOFOLLOW) == 0) &&
	    S_ISREG(st.st_mode);
	rc = read_meta(fd, &en->meta, e);
	if (rc == AE_OK)
		rc = store_read_archived(fd, en, e);
	if (rc == AE_OK)
		rc = store_read_at(
		    fd, "cert.pem", &en->cert_pem, &en->cert_len, e);
	return rc;
}

static int
trust_name(char *out, size_t outlen, const char *name, struct ae_err *e)
{
	if (!ae_store_name_ok(name))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "'%s' is not a trust store", name);
	(void)snprintf(out, outlen, "%s.pem", name);
	return AE_OK;
}

int
ae_store_trust_read(struct ae_store *s, const char *name, uint8_t **pem,
    size_t *len, struct ae_err *e)
{
	char file[AE_STORE_NAME_MAX + 8];
	int rc = trust_name(file, sizeof(file), name, e);

	if (rc != AE_OK)
		return rc;
	rc = s->trust < 0 ? AE_ENOTFOUND
			  : store_read_at(s->trust, file, pem, len, e);
	if (rc == AE_ENOTFOUND)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "the store has no %s yet", file);
	return rc;
}

int
ae_store_trust_write(struct ae_store *s, const char *name, const void *pem,
    size_t len, bool *changed, struct ae_err *e)
{
	char file[AE_STORE_NAME_MAX + 8];
	uint8_t *old = NULL;
	size_t old_len = 0;
	int rc = trust_name(file, sizeof(file), name, e);

	if (rc != AE_OK)
		return rc;
	if (!s->write || len > AE_STORE_FILE_MAX)
		return ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "%s cannot be written", file);
	rc = store_read_at(s->trust, file, &old, &old_len, e);
	*changed = rc != AE_OK || old_len != len ||
	    (len > 0 && memcmp(old, pem, len) != 0);
	free(old);
	if (!*changed)
		return AE_OK;
	return ae_file_write_at(s->trust, file, pem, len, 0644, e);
}
