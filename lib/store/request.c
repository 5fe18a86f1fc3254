/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests under way; see request.h.
 */
#include "store/request.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "store/internal.h"
#include "sys/files.h"

static const char *const states[AE_STORE_REQUEST_STATES] = {
	[AE_STORE_MADE] = "made",
	[AE_STORE_ASKED] = "asked",
	[AE_STORE_PENDING] = "pending",
	[AE_STORE_KEPT] = "kept",
};

const char *
ae_store_request_state_name(enum ae_store_request_state s)
{
	return states[s];
}

int
store_meta_put(
    struct ae_wr *w, const struct ae_store_request_meta *m, struct ae_err *e)
{
	char made[AE_TIME_STR_MAX], asked[AE_TIME_STR_MAX];
	json_t *j;
	char *text;

	j = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:b, s:b, s:b, s:s}",
	    "state", states[m->state], "template_oid", m->template_oid,
	    "ca_config", m->ca_config, "request_id", (json_int_t)m->request_id,
	    "made", ae_time_print(made, m->made), "asked",
	    ae_time_print(asked, m->asked), "renews", m->renews, "automatic",
	    m->automatic, "archival", m->archival, "imported", m->imported,
	    "friendly_name", m->friendly_name);
	text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2));
	json_decref(j);
	if (text == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "meta.json: not text or out of memory");
	ae_wr_str(w, text);
	free(text);
	return ae_wr_ok(w) ? AE_OK : ae_fail_mem(e);
}

static int
write_meta(int fd, const struct ae_store_request_meta *m, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_STORE_FILE_MAX);
	rc = store_meta_put(&w, m, e);
	if (rc == AE_OK)
		rc = ae_file_write_at(fd, "meta.json", w.p, w.len, 0644, e);
	ae_wr_done(&w);
	return rc;
}

static void
copy_text(char *out, size_t outlen, const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	out[0] = '\0';
	if (s != NULL && strlen(s) < outlen)
		memcpy(out, s, strlen(s) + 1);
}

static int64_t
get_time(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));
	int64_t t;

	return s != NULL && ae_time_parse(&t, s) ? t : 0;
}

static int
parse_meta(struct ae_store_request_meta *m, const json_t *j, struct ae_err *e)
{
	const char *state = json_string_value(json_object_get(j, "state"));
	json_int_t id = json_integer_value(json_object_get(j, "request_id"));
	size_t i;

	for (i = 0; i < AE_STORE_REQUEST_STATES; i++)
		if (state != NULL && strcmp(state, states[i]) == 0)
			break;
	if (i == AE_STORE_REQUEST_STATES || id < 0 || id > UINT32_MAX)
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "meta.json is not a request's");
	m->state = (enum ae_store_request_state)i;
	m->request_id = (uint32_t)id;
	copy_text(m->template_oid, sizeof(m->template_oid), j, "template_oid");
	copy_text(m->ca_config, sizeof(m->ca_config), j, "ca_config");
	copy_text(m->renews, sizeof(m->renews), j, "renews");
	m->made = get_time(j, "made");
	m->asked = get_time(j, "asked");
	m->automatic = json_is_true(json_object_get(j, "automatic"));
	m->archival = json_is_true(json_object_get(j, "archival"));
	m->imported = json_is_true(json_object_get(j, "imported"));
	copy_text(
	    m->friendly_name, sizeof(m->friendly_name), j, "friendly_name");
	return AE_OK;
}

int
store_meta_parse(struct ae_store_request_meta *m, const void *text, size_t len,
    struct ae_err *e)
{
	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	int rc = parse_meta(m, j, e);

	json_decref(j);
	return rc;
}

static int
read_meta(struct ae_store_request_meta *m, int fd, struct ae_err *e)
{
	uint8_t *text = NULL;
	size_t len;
	int rc;

	rc = store_read_at(fd, "meta.json", &text, &len, e);
	if (rc == AE_ENOTFOUND)
		return ae_fail(e, rc, AE_DOM_NONE, 0, "no meta.json");
	if (rc != AE_OK)
		return rc;
	rc = store_meta_parse(m, text, len, e);
	free(text);
	return rc;
}

/* The directory of one template's requests. */
static int
open_template(struct ae_store *s, const char *tmpl, bool make, struct ae_err *e)
{
	if (!s->write || !ae_store_name_ok(tmpl))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a request for '%s' cannot be kept in this store", tmpl);
	return store_dir(s->request, tmpl, make, e);
}

static int
open_request(
    struct ae_store *s, const char *tmpl, unsigned number, struct ae_err *e)
{
	char name[16];
	int dir = open_template(s, tmpl, false, e), fd;

	if (dir < 0)
		return dir;
	(void)snprintf(name, sizeof(name), "%u", number);
	fd = store_dir(dir, name, false, e);
	(void)close(dir);
	return fd;
}

/* The finished draft gets its number. */
static int
publish(int dir, int fd, char *draft, unsigned *number, struct ae_err *e)
{
	char name[16];
	unsigned max = 0;
	int rc;

	rc = store_each(dir, store_highest, &max, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(name, sizeof(name), "%u", max + 1);
	if (fsync(fd) != 0)
		return ae_fail_errno(e, errno, "flush the new request");
	if (renameat(dir, draft, dir, name) != 0)
		return ae_fail_errno(e, errno, "rename to %s", name);
	draft[0] = '\0';
	*number = max + 1;
	return ae_file_sync_dir(dir, e);
}

int
ae_store_request_new(unsigned *number, struct ae_store *s, const char *tmpl,
    const char *key_name, const void *key, size_t key_len, const void *der,
    size_t der_len, const struct ae_store_request_meta *meta, struct ae_err *e)
{
	char draft[32] = "";
	int dir, fd = -1, rc;

	if (strcmp(key_name, AE_STORE_KEY_PEM) != 0 &&
	    strcmp(key_name, AE_STORE_KEY_URI) != 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "'%s' is not the name of a key file", key_name);
	rc = dir = open_template(s, tmpl, true, e);
	if (rc < 0)
		return rc;
	(void)snprintf(
	    draft, sizeof(draft), STORE_DRAFT_PREFIX "%ld", (long)getpid());
	if (mkdirat(dir, draft, 0755) != 0) {
		rc = ae_fail_errno(e, errno, "make %s/%s", tmpl, draft);
		draft[0] = '\0';
		goto out;
	}
	rc = fd = store_dir(dir, draft, false, e);
	if (rc < 0)
		goto out;
	rc = ae_file_write_at(fd, key_name, key, key_len, 0600, e);
	if (rc == AE_OK)
		rc = ae_file_write_at(fd, "request.der", der, der_len, 0644, e);
	if (rc == AE_OK)
		rc = write_meta(fd, meta, e);
	if (rc == AE_OK)
		rc = publish(dir, fd, draft, number, e);
	if (rc == AE_OK)
		rc = store_sync_above(s, s->request, e);
out:
	if (fd >= 0)
		(void)close(fd);
	if (draft[0] != '\0')
		(void)store_remove_draft(dir, draft, NULL);
	(void)close(dir);
	return rc == AE_OK ? AE_OK
			   : ae_note(e, rc, "keep the request for %s", tmpl);
}

int
ae_store_request_update(struct ae_store *s, const char *tmpl, unsigned number,
    const struct ae_store_request_meta *meta, struct ae_err *e)
{
	int rc, fd = open_request(s, tmpl, number, e);

	if (fd < 0)
		return fd;
	rc = write_meta(fd, meta, e);
	(void)close(fd);
	return rc;
}

int
ae_store_request_remove(
    struct ae_store *s, const char *tmpl, unsigned number, struct ae_err *e)
{
	int rc, dir = open_template(s, tmpl, false, e);

	if (dir < 0)
		return dir == AE_ENOTFOUND ? AE_OK : dir;
	rc = store_retire(dir, number, e);
	(void)close(dir);
	return rc;
}

/* State of one walk. */
struct walk {
	struct ae_store_request_list *out;
	const char *tmpl;
};

static int
read_request(struct ae_store_request *rq, int fd, struct ae_err *e)
{
	int rc = read_meta(&rq->meta, fd, e);

	if (rc == AE_OK)
		rc =
		    store_read_at(fd, "request.der", &rq->der, &rq->der_len, e);
	return rc;
}

static int
list_number(int dir, const char *name, void *arg, struct ae_err *e)
{
	struct walk *w = arg;
	struct ae_store_request *v, *rq;
	unsigned number = store_version_number(name);
	int rc, fd;

	if (number == 0)
		return AE_OK;
	if (w->out->n >= AE_STORE_ENTRIES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d requests", AE_STORE_ENTRIES_MAX);
	v = realloc(w->out->v, (w->out->n + 1) * sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	w->out->v = v;
	rq = &v[w->out->n];
	memset(rq, 0, sizeof(*rq));
	(void)snprintf(rq->tmpl, sizeof(rq->tmpl), "%s", w->tmpl);
	rq->number = number;
	fd = store_dir(dir, name, false, e);
	if (fd < 0)
		return fd;
	rc = read_request(rq, fd, e);
	(void)close(fd);
	if (rc == AE_OK)
		w->out->n++;
	/* What is damaged is no request any more, and never sent. */
	return rc == AE_ENOTFOUND || rc == AE_EPROTO ? AE_OK : rc;
}

static int
list_template(int request_fd, const char *name, void *arg, struct ae_err *e)
{
	struct walk *w = arg;
	int rc, fd;

	if (!ae_store_name_ok(name))
		return AE_OK;
	fd = store_dir(request_fd, name, false, e);
	if (fd < 0)
		return fd;
	w->tmpl = name;
	rc = store_each(fd, list_number, w, e);
	(void)close(fd);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	const struct ae_store_request *x = a, *y = b;
	int c = strcmp(x->tmpl, y->tmpl);

	if (c != 0)
		return c;
	return (x->number > y->number) - (x->number < y->number);
}

int
ae_store_request_list(
    struct ae_store *s, struct ae_store_request_list *out, struct ae_err *e)
{
	struct ae_store_request_list list = { 0 };
	struct walk w = { .out = &list };
	int rc = AE_OK;

	if (s->request >= 0)
		rc = store_each(s->request, list_template, &w, e);
	if (rc != AE_OK) {
		ae_store_request_list_done(&list);
		return ae_note(e, rc, "listing requests");
	}
	if (list.n > 1)
		qsort(list.v, list.n, sizeof(*list.v), by_name);
	*out = list;
	return AE_OK;
}

void
ae_store_request_list_done(struct ae_store_request_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].der);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

/* The key file of the directory fd, whichever of the two it is. */
static int
read_key(struct ae_secret *out, const char **name, int fd, struct ae_err *e)
{
	uint8_t *key = NULL;
	size_t len = 0;
	int rc;

	*name = AE_STORE_KEY_PEM;
	rc = store_read_at(fd, *name, &key, &len, e);
	if (rc == AE_ENOTFOUND) {
		*name = AE_STORE_KEY_URI;
		rc = store_read_at(fd, *name, &key, &len, e);
	}
	if (rc == AE_ENOTFOUND)
		return ae_fail(e, rc, AE_DOM_NONE, 0, "there is no key file");
	if (rc != AE_OK)
		return rc;
	rc = ae_secret_set(out, key, len) == 0 ? AE_OK : ae_fail_mem(e);
	explicit_bzero(key, len);
	free(key);
	return rc;
}

int
ae_store_draft_from_request(struct ae_store_draft **out, struct ae_store *s,
    const char *tmpl, unsigned number, struct ae_err *e)
{
	struct ae_secret key = { 0 };
	const char *name;
	int rc, fd = open_request(s, tmpl, number, e);

	if (fd < 0)
		return fd;
	rc = read_key(&key, &name, fd, e);
	(void)close(fd);
	if (rc == AE_OK)
		rc = store_draft(out, s, tmpl, name, key.p, key.len, e);
	ae_secret_done(&key);
	return rc == AE_OK ? AE_OK
			   : ae_note(e, rc, "request %s/%u", tmpl, number);
}

int
ae_store_key_get(struct ae_secret *out, const char **key_name,
    struct ae_store *s, const char *tmpl, unsigned number, struct ae_err *e)
{
	char name[16];
	int rc, dir, fd;

	if (!ae_store_name_ok(tmpl) || s->my < 0)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no certificate %s/%u", tmpl, number);
	dir = store_dir(s->my, tmpl, false, e);
	if (dir < 0)
		return dir;
	(void)snprintf(name, sizeof(name), "%u", number);
	rc = fd = store_dir(dir, name, false, e);
	(void)close(dir);
	if (fd < 0)
		return rc;
	rc = read_key(out, key_name, fd, e);
	(void)close(fd);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "%s/%u", tmpl, number);
}
