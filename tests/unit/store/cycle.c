/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One certificate's way through the store; see cycle.h.
 */
#include "cycle.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/request.h"

static void
say(enum cycle_mark mark)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/power-mark/%u", (unsigned)mark);
	(void)access(path, F_OK);
}

static bool
install(struct ae_store *s, unsigned number, const void *cert, size_t len)
{
	const struct ae_store_meta meta = { .installed = 2 };
	struct ae_store_draft *d = NULL;
	bool done;

	done = ae_store_draft_from_request(&d, s, CYCLE_TMPL, number, NULL) ==
		AE_OK &&
	    ae_store_commit(d, cert, len, "", 0, &meta, NULL, NULL) == AE_OK;
	ae_store_draft_free(d);
	if (done)
		say(CYCLE_INSTALLED);
	done = done &&
	    ae_store_request_remove(s, CYCLE_TMPL, number, NULL) == AE_OK;
	if (done)
		say(CYCLE_CLEARED);
	return done;
}

bool
cycle_enroll(const char *dir, unsigned gen)
{
	struct ae_store_request_meta rq = { .state = AE_STORE_MADE, .made = 1 };
	struct ae_store *s = NULL;
	unsigned number = 0;
	bool done, changed;
	char text[16];
	int len = snprintf(text, sizeof(text), "%u\n", gen);

	done = ae_store_open(&s, dir, true, NULL) == AE_OK &&
	    ae_store_trust_write(
		s, "roots", text, (size_t)len, &changed, NULL) == AE_OK &&
	    ae_store_request_new(&number, s, CYCLE_TMPL, AE_STORE_KEY_PEM, text,
		(size_t)len, text, (size_t)len, &rq, NULL) == AE_OK;
	rq.state = AE_STORE_ASKED;
	done = done &&
	    ae_store_request_update(s, CYCLE_TMPL, number, &rq, NULL) == AE_OK;
	if (done)
		say(CYCLE_ASKED);
	done = done && install(s, number, text, (size_t)len);
	ae_store_free(s);
	return done;
}

static bool
forget_old(struct ae_store *s)
{
	struct ae_store_list l;
	bool done = true;
	size_t i;

	if (ae_store_list(s, &l, NULL) != AE_OK)
		return false;
	for (i = 0; i < l.n; i++)
		if (!l.v[i].current)
			done = ae_store_delete(s, CYCLE_TMPL, l.v[i].number,
				   NULL) == AE_OK &&
			    done;
	ae_store_list_done(&l);
	return done;
}

bool
cycle_retire(const char *dir)
{
	struct ae_store_list l = { 0 };
	struct ae_store *s = NULL;
	bool done;
	size_t i;

	done = ae_store_open(&s, dir, true, NULL) == AE_OK && forget_old(s) &&
	    ae_store_list(s, &l, NULL) == AE_OK;
	for (i = 0; done && i < l.n; i++)
		done = ae_store_archive(s, CYCLE_TMPL, l.v[i].number, 3, "test",
			   NULL) == AE_OK;
	ae_store_list_done(&l);
	ae_store_free(s);
	if (done)
		say(CYCLE_ARCHIVED);
	return done;
}

/* nftw has no argument for its function. */
static const char *key_wrong;

static int
look_at_key(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	if (kind == FTW_F && strstr(path + at->base, "key") != NULL &&
	    (st->st_mode & 0077) != 0)
		key_wrong = "a key that others may read";
	return 0;
}

static bool
slurp(char out[16], const char *dir, const char *name)
{
	char path[192];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	n = fread(out, 1, 15, f);
	out[n] = '\0';
	(void)fclose(f);
	return true;
}

/* All of it, or nothing at all. */
static const char *
read_pair(const char *dir, unsigned *gen)
{
	static const char *const names[] = { "cert.pem", "key.pem",
		"fullchain.pem", "chain.pem", "meta.json" };
	char current[128], first[16] = "", other[16];
	struct stat st;
	size_t i;

	*gen = 0;
	(void)snprintf(
	    current, sizeof(current), "%s/my/" CYCLE_TMPL "/current", dir);
	if (lstat(current, &st) != 0)
		return NULL;
	if (!S_ISLNK(st.st_mode) || stat(current, &st) != 0)
		return "current leads nowhere";
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!slurp(other, current, names[i]))
			return "a file of the pair in use is missing";
		if (i == 0)
			memcpy(first, other, sizeof(first));
		if (i < 3 && (other[0] == '\0' || strcmp(first, other) != 0))
			return "the pair in use does not match";
	}
	*gen = (unsigned)strtoul(first, NULL, 10);
	return NULL;
}

/* The request of that generation, with its key. */
static bool
has_request(const char *dir, unsigned gen)
{
	struct ae_store_request_list l = { 0 };
	struct ae_store_draft *d = NULL;
	struct ae_store *s = NULL;
	bool found = false;
	size_t i;

	if (ae_store_open(&s, dir, true, NULL) != AE_OK)
		return false;
	if (ae_store_request_list(s, &l, NULL) == AE_OK)
		for (i = 0; i < l.n && !found; i++)
			found = strtoul((char *)l.v[i].der, NULL, 10) == gen &&
			    ae_store_draft_from_request(&d, s, CYCLE_TMPL,
				l.v[i].number, NULL) == AE_OK;
	ae_store_draft_free(d);
	ae_store_request_list_done(&l);
	ae_store_free(s);
	return found;
}

const char *
cycle_check(const char *dir, unsigned generation, enum cycle_mark reached,
    unsigned *gen)
{
	const char *wrong;
	struct stat st;

	key_wrong = NULL;
	if (nftw(dir, look_at_key, 8, FTW_PHYS) != 0)
		return "the store cannot be read";
	wrong = read_pair(dir, gen);
	if (wrong == NULL)
		wrong = key_wrong;
	if (wrong != NULL)
		return wrong;
	if (*gen == generation || reached == CYCLE_NONE ||
	    (reached == CYCLE_ASKED && has_request(dir, generation)))
		return NULL;
	if (reached == CYCLE_ARCHIVED && *gen == 0 && stat(dir, &st) == 0)
		return NULL;
	return reached == CYCLE_ASKED ? "a request was sent and is lost"
				      : "an installed certificate is lost";
}

const char *
cycle_go_on(const char *dir, unsigned gen)
{
	struct ae_store_request_list l = { 0 };
	const char *wrong = NULL;
	struct ae_store *s = NULL;
	unsigned now = 0;
	size_t i;

	if (ae_store_open(&s, dir, true, NULL) != AE_OK ||
	    ae_store_request_list(s, &l, NULL) != AE_OK || l.n > 1)
		wrong = "the next run cannot read the store";
	for (i = 0; wrong == NULL && i < l.n; i++)
		if (l.v[i].der_len < 2 ||
		    !install(s, l.v[i].number, l.v[i].der, l.v[i].der_len))
			wrong = "a request cannot be carried on";
	if (wrong == NULL && l.n > 0 &&
	    (read_pair(dir, &now) != NULL ||
		now != strtoul((char *)l.v[0].der, NULL, 10)))
		wrong = "what was carried on is not there";
	if (wrong == NULL && !forget_old(s))
		wrong = "what is old cannot be deleted";
	ae_store_request_list_done(&l);
	ae_store_free(s);
	if (wrong == NULL)
		wrong = read_pair(dir, &now);
	if (wrong == NULL && now == 0 && !cycle_enroll(dir, gen))
		wrong = "the next run cannot enroll";
	return wrong;
}
