/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Places for keys; see keys.h.
 */
#include "keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/nte.h"
#include "store/request.h"
#include "sys/files.h"

#define TPM_DEVICE "/dev/tpmrm0"
#define PIN_MAX 256

/* The TCTI in use, or NULL. */
static const char *
tcti_of(const struct client *c)
{
	if (c->keyconf.tpm != NULL)
		return strcmp(c->keyconf.tpm, "none") == 0 ? NULL
							   : c->keyconf.tpm;
	return access(TPM_DEVICE, F_OK) == 0 ? "device:" TPM_DEVICE : NULL;
}

/* The file a TCTI names, or NULL when it names none. */
static const char *
tcti_file(const char *tcti)
{
	if (strncmp(tcti, "device:", 7) == 0)
		return tcti + 7;
	if (strncmp(tcti, "swtpm:path=", 11) == 0)
		return tcti + 11;
	return NULL;
}

static void
absent(struct ae_provider_state *s, uint32_t nte, const char *why)
{
	s->present = false;
	s->nte = nte;
	s->why = why;
}

void
keys_at_hand(struct ae_providers *out, const struct client *c)
{
	struct ae_provider_state *tpm = &out->state[AE_PROVIDER_TPM];
	struct ae_provider_state *token = &out->state[AE_PROVIDER_TOKEN];
	const char *tcti = tcti_of(c), *file;

	ae_providers_init(out);
	out->rules = c->keyconf.providers;
	if (tcti != NULL) {
		file = tcti_file(tcti);
		if (file != NULL && access(file, F_OK) != 0)
			absent(tpm, NTE_DEVICE_NOT_READY,
			    "the TPM that is configured is not there");
		else if (file != NULL && access(file, R_OK | W_OK) != 0)
			absent(
			    tpm, NTE_PERM, "this account may not use the TPM");
		else
			*tpm = (struct ae_provider_state){ .present = true };
	}
	if (c->keyconf.token != NULL) {
		if (access(c->keyconf.module, F_OK) != 0)
			absent(token, NTE_PROV_DLL_NOT_FOUND,
			    "the PKCS#11 library that is configured is not "
			    "there");
		else
			*token = (struct ae_provider_state){ .present = true };
	}
}

/*
 * The PIN, without the newline that editors add.  A file that cannot be read,
 * or can be by others, is the token's trouble alone.
 */
static int
read_pin(struct keys *k, struct ae_err *e)
{
	const char *path = k->c->keyconf.pin_file;
	struct ae_err why = AE_ERR_INIT;
	uint8_t *text = NULL;
	size_t len, all;
	struct stat st;
	int rc;

	if (path == NULL || k->conf.token == NULL)
		return AE_OK;
	if (stat(path, &st) != 0)
		rc = ae_fail_errno(&why, errno, "%s", path);
	else if ((st.st_mode & 077) != 0)
		rc = ae_fail(&why, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s is not its owner's alone (mode %03o); make it 0600",
		    path, (unsigned)(st.st_mode & 0777));
	else
		rc = ae_file_read(&text, &len, path, PIN_MAX, &why);
	if (rc != AE_OK) {
		(void)snprintf(
		    k->refused, sizeof(k->refused), "no PIN: %.240s", why.text);
		k->conf.pin_refused = k->refused;
		return AE_OK;
	}
	all = len;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	rc = ae_secret_set(&k->pin, text, len) == 0 ? AE_OK : ae_fail_mem(e);
	explicit_bzero(text, all);
	free(text);
	(void)snprintf(k->pin_mark, sizeof(k->pin_mark), "%ju %ju %jd.%09ld",
	    (uintmax_t)st.st_ino, (uintmax_t)st.st_size,
	    (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return rc;
}

/* Was this very PIN file refused before? */
static void
read_marker(struct keys *k)
{
	uint8_t *text = NULL;
	size_t len;

	(void)snprintf(
	    k->marker, sizeof(k->marker), "%s/pin-refused", k->c->state_dir);
	if (k->pin_mark[0] == '\0' ||
	    ae_file_read(&text, &len, k->marker, PIN_MAX, NULL) != AE_OK)
		return;
	if (strcmp((const char *)text, k->pin_mark) == 0) {
		(void)snprintf(k->refused, sizeof(k->refused),
		    "the token refused the PIN of %.80s; not tried again "
		    "before that file is written anew",
		    k->c->keyconf.pin_file);
		k->conf.pin_refused = k->refused;
	}
	free(text);
}

static void
remember_refusal(struct keys *k)
{
	if (!ae_keydev_pin_refused(k->dev) || k->refused[0] != '\0' ||
	    k->pin_mark[0] == '\0')
		return;
	if (ae_file_write(k->marker, k->pin_mark, strlen(k->pin_mark), 0600,
		NULL) != AE_OK)
		return; /* the next run has one more try, and says it again */
}

int
keys_init(struct keys *k, const struct client *c, struct ae_err *e)
{
	int rc;

	memset(k, 0, sizeof(*k));
	k->c = c;
	keys_at_hand(&k->providers, c);
	k->conf.tcti = tcti_of(c);
	k->conf.tpm_parent = c->keyconf.tpm_parent;
	k->conf.module = c->keyconf.module;
	k->conf.token = c->keyconf.token;
	k->conf.pin = &k->pin;
	/* Said when a key is made; what is there works without. */
	if (keyconf_owners(
		&k->owners, &k->nowners, &c->keyconf, &k->owners_why) != AE_OK)
		k->nowners = 0;
	rc = read_pin(k, e);
	if (rc == AE_OK) {
		read_marker(k);
		rc = ae_keydev_new(&k->dev, &k->conf, e);
	}
	if (rc != AE_OK)
		keys_done(k);
	return rc;
}

int
keys_again(struct keys *k, struct ae_err *e)
{
	ae_keydev_free(k->dev);
	k->dev = NULL;
	return ae_keydev_new(&k->dev, &k->conf, e);
}

void
keys_done(struct keys *k)
{
	if (k->dev != NULL)
		remember_refusal(k); /* by a key that was to sign */
	ae_keydev_free(k->dev);
	k->dev = NULL;
	ae_secret_done(&k->pin);
	free(k->owners);
	k->owners = NULL;
}

int
keys_owner(struct key_owner *out, const struct keys *k, const char *tmpl,
    struct ae_err *e)
{
	size_t i;

	*out = (struct key_owner){ tmpl, 0600, (uid_t)-1, (gid_t)-1 };
	if (k->owners_why.rc != AE_OK) {
		*e = k->owners_why;
		return e->rc;
	}
	for (i = 0; i < k->nowners; i++)
		if (strcmp(k->owners[i].tmpl, "*") == 0)
			*out = k->owners[i];
	for (i = 0; i < k->nowners; i++)
		if (ae_str_eq_nocase(k->owners[i].tmpl, tmpl))
			*out = k->owners[i];
	return AE_OK;
}

static void
add_path(struct keys *k, size_t *n, const char *path)
{
	if (path != NULL && *n < KEYS_PATHS_MAX)
		k->paths[(*n)++] = path;
}

/*
 * Libraries are loaded when a device is first used.  A TPM is one device
 * file; a simulator or resource manager is a socket.  What a PKCS#11 library
 * keeps only the admin knows; where those of Debian and Fedora are told of it
 * stands here.  Of /etc nothing else: no keytab, no shadow, no other's key.
 */
static const char *const libraries[] = { "/usr/lib", "/usr/lib64", "/lib",
	"/lib64", "/usr/share/p11-kit", "/etc/ld.so.cache",
	"/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf",
	"/etc/crypto-policies", "/etc/tpm2-tss", "/etc/pkcs11", "/etc/softhsm",
	"/etc/softhsm2.conf", "/etc/opensc", "/etc/localtime" };

/* Of a token behind a network, besides: names, as getaddrinfo wants them. */
static const char *const resolving[] = { "/etc/nsswitch.conf", "/etc/hosts",
	"/etc/host.conf", "/etc/resolv.conf", "/etc/gai.conf", "/etc/services",
	"/etc/protocols", "/run/systemd/resolve" };

_Static_assert(sizeof(libraries) / sizeof(libraries[0]) +
	    sizeof(resolving) / sizeof(resolving[0]) <=
	KEYS_READS_MAX,
    "more paths than there is room for");

static void
allow_reading(struct keys *k, bool network)
{
	size_t n = 0, i;

	for (i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		k->reads[n++] = libraries[i];
	for (i = 0; network && i < sizeof(resolving) / sizeof(resolving[0]);
	     i++)
		k->reads[n++] = resolving[i];
	k->reads[n] = NULL;
}

void
keys_sandbox(struct keys *k, struct ae_sandbox *box)
{
	const char *const *p;
	size_t n = 0, i;

	if (k->conf.tcti == NULL && k->conf.token == NULL)
		return;
	for (p = box->write_paths; p != NULL && *p != NULL; p++)
		add_path(k, &n, *p);
	if (k->conf.tcti != NULL) {
		add_path(k, &n, tcti_file(k->conf.tcti));
		if (strncmp(k->conf.tcti, "device:", 7) != 0)
			box->may |= AE_MAY_CONNECT;
	}
	if (k->conf.token != NULL) {
		for (i = 0; i < k->c->keyconf.paths.n; i++)
			add_path(k, &n, k->c->keyconf.paths.v[i]);
		if (k->c->keyconf.network)
			box->may |= AE_MAY_CONNECT | AE_MAY_RESOLVE;
	}
	k->paths[n] = NULL;
	box->write_paths = k->paths;
	allow_reading(k, k->conf.token != NULL && k->c->keyconf.network);
	box->read_paths = k->reads;
}

enum ae_key_home
keys_home(enum ae_provider kind)
{
	return kind == AE_PROVIDER_TPM	? AE_KEY_IN_TPM
	    : kind == AE_PROVIDER_TOKEN ? AE_KEY_IN_TOKEN
					: AE_KEY_IN_SOFTWARE;
}

int
keys_generate(struct ae_key **out, struct keys *k, enum ae_provider kind,
    enum ae_key_type type, unsigned bits, const char *label, struct ae_err *e)
{
	int rc = ae_keydev_generate(
	    out, k->dev, keys_home(kind), type, bits, label, e);

	remember_refusal(k);
	return rc;
}

int
keys_ready(struct keys *k, enum ae_provider kind, struct ae_err *e)
{
	int rc = ae_keydev_ready(k->dev, keys_home(kind), e);

	remember_refusal(k);
	return rc;
}

int
keys_open(
    struct ae_key **out, struct keys *k, const char *dir, struct ae_err *e)
{
	static const char *const names[] = { AE_STORE_KEY_PEM,
		AE_STORE_KEY_URI };
	char path[4096];
	uint8_t *text = NULL;
	size_t len = 0, i;
	int rc = AE_ENOTFOUND;

	for (i = 0; i < 2 && rc == AE_ENOTFOUND; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir,
			names[i]) >= sizeof(path))
			return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "the path of a key is too long");
		rc = ae_file_read(&text, &len, path, AE_PKI_KEY_FILE_MAX, e);
	}
	if (rc == AE_ENOTFOUND)
		return ae_fail(e, rc, AE_DOM_HRESULT, NTE_NO_KEY,
		    "there is no private key in %s", dir);
	if (rc != AE_OK)
		return rc;
	rc = ae_keydev_open(out, k->dev, text, len, e);
	explicit_bzero(text, len);
	free(text);
	return rc == AE_OK ? rc : ae_note(e, rc, "%s", path);
}
