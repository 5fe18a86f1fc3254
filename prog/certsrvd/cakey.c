/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The CA's private keys; see cakey.h.
 */
#include "cakey.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "sys/files.h"

#define SECRET_MAX 256u
#define TOKENS_MAX 4
#define GROUPS_MAX 8
#define TPM_DEVICE "/dev/tpmrm0"
#define CREDENTIALS "CREDENTIALS_DIRECTORY"
#define PASSPHRASE "certsrv.key-passphrase"
#define PIN "certsrv.pkcs11-pin"

/* A secret, or why there is none. */
struct secret {
	struct ae_secret text;
	char why[256];
};

/* The devices seen with one token; the TPM is with the first. */
struct device {
	char token[AE_KEYDEV_URI_MAX];
	struct ae_keydev_conf conf;
	struct ae_keydev *dev;
};

struct cakeys {
	const struct conf *conf;
	struct secret pass, pin;
	struct device device[TOKENS_MAX];
	size_t n;
	int shared; /* of the PIN; -1: nobody else tries it */
};

/* clang-format off */
static const struct {
	const char *name;
	enum ae_key_type type;
	unsigned bits;
	enum ae_hash hash;
} types[] = {
	{ "rsa2048", AE_KEY_RSA, 2048, AE_HASH_SHA256 },
	{ "rsa3072", AE_KEY_RSA, 3072, AE_HASH_SHA256 },
	{ "rsa4096", AE_KEY_RSA, 4096, AE_HASH_SHA256 },
	{ "p256", AE_KEY_EC, 256, AE_HASH_SHA256 },
	{ "p384", AE_KEY_EC, 384, AE_HASH_SHA384 },
};
/* clang-format on */
#define NTYPES (sizeof(types) / sizeof(types[0]))

bool
cakey_type(const char *name, enum ae_key_type *type, unsigned *bits)
{
	size_t i;

	for (i = 0; i < NTYPES; i++) {
		if (strcmp(name, types[i].name) != 0)
			continue;
		*type = types[i].type;
		*bits = types[i].bits;
		return true;
	}
	return false;
}

enum ae_hash
cakey_hash(const struct ae_key *k)
{
	size_t i;

	for (i = 0; i < NTYPES; i++)
		if (types[i].type == ae_key_type(k) &&
		    types[i].bits == ae_key_bits(k))
			return types[i].hash;
	return AE_HASH_SHA256;
}

int
cakey_parse(
    struct cakey_spec *out, const char *key, const char *type, struct ae_err *e)
{
	struct cakey_spec s = { .home = AE_KEY_IN_SOFTWARE };
	char token[AE_KEYDEV_URI_MAX];
	const char *kind = type;
	int rc;

	if (strncmp(key, "pkcs11:", 7) == 0) {
		s.home = AE_KEY_IN_TOKEN;
		s.uri = key;
		rc = ae_keydev_token_uri(token, key, &s.existing, e);
		if (rc != AE_OK)
			return rc;
		if (s.existing && type != NULL)
			return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
			    "the key %s is of the type it is", key);
		kind = type != NULL ? type : "rsa3072";
	} else if (strcmp(key, "tpm:") == 0) {
		s.home = AE_KEY_IN_TPM;
		kind = type != NULL ? type : "p256";
	} else if (type != NULL) {
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "--key-type goes with --key tpm: or --key pkcs11:...");
	} else {
		kind = key;
	}
	if (!cakey_type(kind, &s.type, &s.bits))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "\"%s\" is no kind of key: " CAKEY_TYPES
		    ", tpm:, pkcs11:token=TOKEN",
		    kind);
	*out = s;
	return AE_OK;
}

/* ---- what is secret ---- */

/*
 * From the file, or else from the credential.  One that others could read is
 * no secret; systemd's are root's by their directory.
 */
static int
read_secret(
    struct secret *s, const char *path, const char *name, struct ae_err *e)
{
	const char *dir = getenv(CREDENTIALS);
	struct ae_err why = AE_ERR_INIT;
	char credential[4096];
	uint8_t *text = NULL;
	struct stat st;
	size_t len, all;
	int rc;

	if (path == NULL && dir != NULL &&
	    snprintf(credential, sizeof(credential), "%s/%s", dir, name) <
		(int)sizeof(credential) &&
	    access(credential, F_OK) == 0)
		path = credential;
	if (path == NULL)
		return AE_OK;
	if (stat(path, &st) != 0)
		rc = ae_fail_errno(&why, errno, "%s", path);
	else if (path != credential && (st.st_mode & 077) != 0)
		rc = ae_fail(&why, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s is not its owner's alone (mode %03o); make it 0600",
		    path, (unsigned)(st.st_mode & 0777));
	else
		rc = ae_file_read(&text, &len, path, SECRET_MAX, &why);
	if (rc != AE_OK) {
		(void)snprintf(s->why, sizeof(s->why), "%.255s", why.text);
		return AE_OK;
	}
	/* without the newline that editors add */
	for (all = len;
	     len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'); len--)
		;
	rc = ae_secret_set(&s->text, text, len) == 0 ? AE_OK : ae_fail_mem(e);
	explicit_bzero(text, all);
	free(text);
	return rc;
}

int
cakeys_new(struct cakeys **out, const struct conf *c, struct ae_err *e)
{
	struct cakeys *k = calloc(1, sizeof(*k));
	int rc;

	if (k == NULL)
		return ae_fail_mem(e);
	k->conf = c;
	k->shared = -1;
	rc = read_secret(&k->pass, c->key_passphrase_file, PASSPHRASE, e);
	if (rc == AE_OK)
		rc = read_secret(&k->pin, c->pkcs11_pin_file, PIN, e);
	if (rc != AE_OK) {
		cakeys_free(k);
		return rc;
	}
	*out = k;
	return AE_OK;
}

void
cakeys_free(struct cakeys *k)
{
	size_t i;

	if (k == NULL)
		return;
	for (i = 0; i < k->n; i++)
		ae_keydev_free(k->device[i].dev);
	ae_secret_done(&k->pass.text);
	ae_secret_done(&k->pin.text);
	free(k);
}

/* ---- one PIN, several processes ---- */

void
cakeys_share(struct cakeys *k, int fd)
{
	k->shared = fd;
}

static bool
login_begin(void *arg)
{
	struct cakeys *k = arg;
	char c;

	if (k->shared < 0)
		return true;
	if (flock(k->shared, LOCK_EX) < 0)
		return false;
	if (lseek(k->shared, 0, SEEK_SET) == 0 && read(k->shared, &c, 1) == 0)
		return true;
	(void)flock(k->shared, LOCK_UN);
	return false;
}

static void
login_end(void *arg, bool refused)
{
	struct cakeys *k = arg;

	if (k->shared < 0)
		return;
	if (refused)
		(void)!write(k->shared, "refused\n", 8);
	(void)flock(k->shared, LOCK_UN);
}

/* ---- devices ---- */

const char *
cakeys_tcti(const struct conf *c)
{
	if (c->tpm != NULL)
		return strcmp(c->tpm, "none") == 0 ? NULL : c->tpm;
	return access(TPM_DEVICE, F_OK) == 0 ? "device:" TPM_DEVICE : NULL;
}

const char *
cakeys_tcti_file(const char *tcti)
{
	if (strncmp(tcti, "device:", 7) == 0)
		return tcti + 7;
	if (strncmp(tcti, "swtpm:path=", 11) == 0)
		return tcti + 11;
	return NULL;
}

/* The devices with the token of this URI; any that are there for NULL. */
static int
device_for(
    struct device **out, struct cakeys *k, const char *uri, struct ae_err *e)
{
	char token[AE_KEYDEV_URI_MAX] = "";
	struct device *d;
	bool object;
	size_t i;
	int rc = AE_OK;

	if (uri != NULL)
		rc = ae_keydev_token_uri(token, uri, &object, e);
	if (rc != AE_OK)
		return rc;
	for (i = 0; i < k->n; i++)
		if (uri == NULL || strcmp(k->device[i].token, token) == 0) {
			*out = &k->device[i];
			return AE_OK;
		}
	if (k->n == TOKENS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "the CA's keys are in more than %d places", TOKENS_MAX);
	d = &k->device[k->n];
	memcpy(d->token, token, sizeof(token));
	d->conf = (struct ae_keydev_conf){
		.tcti = cakeys_tcti(k->conf),
		.module = k->conf->pkcs11_module,
		.token = token[0] != '\0' ? d->token : NULL,
		.pin = &k->pin.text,
		.pin_refused = k->pin.why[0] != '\0' ? k->pin.why : NULL,
		.pass = k->pass.text.len > 0 ? &k->pass.text : NULL,
		.login_begin = login_begin,
		.login_end = login_end,
		.login_arg = k,
	};
	if (uri != NULL && k->conf->pkcs11_module == NULL)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "certsrv.conf: [key] pkcs11-module is not set");
	rc = ae_keydev_new(&d->dev, &d->conf, e);
	if (rc == AE_OK) {
		k->n++;
		*out = d;
	}
	return rc;
}

static int
open_text(struct ae_key **out, struct cakeys *k, struct device *d,
    const void *text, size_t len, const struct ae_key *public, struct ae_err *e)
{
	int rc = public != NULL
	    ? ae_keydev_attach(out, d->dev, text, len, public, e)
	    : ae_keydev_open(out, d->dev, text, len, e);

	if (rc == AE_EAUTH && k->pass.why[0] != '\0')
		return ae_fail(
		    e, rc, AE_DOM_NONE, 0, "its passphrase: %s", k->pass.why);
	return rc;
}

int
cakeys_open(struct ae_key **out, struct cakeys *k, const char *uri,
    const struct ae_key *public, struct ae_err *e)
{
	const bool token = strncmp(uri, "pkcs11:", 7) == 0;
	struct device *d;
	uint8_t *text = NULL;
	size_t len;
	int rc;

	if (!token && strncmp(uri, "file:/", 6) != 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a key is named by file:/path or pkcs11:..., not by "
		    "%.64s",
		    uri);
	rc = device_for(&d, k, token ? uri : NULL, e);
	if (rc != AE_OK)
		return rc;
	if (token)
		rc = public != NULL
		    ? ae_keydev_attach(out, d->dev, uri, strlen(uri), public, e)
		    : ae_keydev_find_uri(out, d->dev, uri, e);
	else
		rc = ae_file_read(&text, &len, uri + 5, AE_PKI_KEY_FILE_MAX, e);
	if (rc == AE_OK && !token) {
		rc = open_text(out, k, d, text, len, public, e);
		explicit_bzero(text, len);
	}
	free(text);
	return rc == AE_OK ? rc : ae_note(e, rc, "the key %.200s", uri);
}

int
cakeys_make(struct ae_key **out, struct ae_secret *stored, struct cakeys *k,
    const struct cakey_spec *spec, const char *label, struct ae_err *e)
{
	struct ae_key *key = NULL;
	struct device *d;
	int rc;

	rc = device_for(
	    &d, k, spec->home == AE_KEY_IN_TOKEN ? spec->uri : NULL, e);
	if (rc != AE_OK)
		return rc;
	if (spec->existing)
		rc = ae_keydev_find_uri(&key, d->dev, spec->uri, e);
	else
		rc = ae_keydev_generate(
		    &key, d->dev, spec->home, spec->type, spec->bits, label, e);
	if (rc == AE_OK && spec->home == AE_KEY_IN_SOFTWARE)
		rc = k->pass.why[0] != '\0'
		    ? ae_fail(e, AE_EAUTH, AE_DOM_NONE, 0,
			  "the passphrase of the key: %s", k->pass.why)
		    : ae_key_to_pem(stored, key, d->conf.pass, e);
	else if (rc == AE_OK)
		rc = ae_key_store(stored, key, e);
	if (rc != AE_OK) {
		ae_key_free(key);
		return rc;
	}
	*out = key;
	return AE_OK;
}

size_t
cakeys_groups(uid_t uid, gid_t gid, gid_t *out, size_t max)
{
	struct passwd pw, *found = NULL;
	char buf[4096];
	int n = (int)max;

	if (getpwuid_r(uid, &pw, buf, sizeof(buf), &found) != 0 ||
	    found == NULL || getgrouplist(pw.pw_name, gid, out, &n) < 0)
		return 0;
	return (size_t)n;
}

int
cakeys_become(uid_t uid, gid_t gid, struct ae_err *e)
{
	gid_t groups[GROUPS_MAX];

	if (uid == 0 || geteuid() != 0)
		return AE_OK;
	if (setgroups(cakeys_groups(uid, gid, groups, GROUPS_MAX), groups) < 0)
		return ae_fail_errno(e, errno, "the groups of user %u", uid);
	if (setegid(gid) < 0 || seteuid(uid) < 0) {
		cakeys_return();
		return ae_fail_errno(e, errno, "using keys as user %u", uid);
	}
	return AE_OK;
}

void
cakeys_return(void)
{
	if (getuid() != 0)
		return;
	/* Root can always be root again; without it nothing may go on. */
	if (seteuid(0) < 0 || setegid(0) < 0)
		abort();
}

/* The devices a key is in. */
static const struct device *
device_of(const struct cakeys *k, const struct ae_key *key)
{
	struct ae_secret text = { NULL, 0 };
	char token[AE_KEYDEV_URI_MAX] = "", uri[AE_KEYDEV_URI_MAX];
	bool object;
	size_t i;

	if (ae_key_home(key) != AE_KEY_IN_TOKEN)
		return k->n > 0 ? &k->device[0] : NULL;
	if (ae_key_store(&text, key, NULL) == AE_OK &&
	    snprintf(uri, sizeof(uri), "%.*s", (int)text.len,
		(const char *)text.p) < (int)sizeof(uri)) {
		uri[strcspn(uri, "\n")] = '\0';
		if (ae_keydev_token_uri(token, uri, &object, NULL) != AE_OK)
			token[0] = '\0';
	}
	ae_secret_done(&text);
	for (i = 0; i < k->n; i++)
		if (strcmp(k->device[i].token, token) == 0)
			return &k->device[i];
	/* One that was made there has the token's whole name. */
	return k->n > 0 ? &k->device[0] : NULL;
}

int
cakeys_ready(struct cakeys *k, const struct ae_key *key, struct ae_err *e)
{
	const struct device *d = device_of(k, key);
	int rc = AE_OK;

	if (d != NULL)
		rc = ae_keydev_ready(d->dev, ae_key_home(key), e);
	return rc == AE_OK ? ae_keydev_find(key, e) : rc;
}

const char *
cakeys_device(const struct cakeys *k, const struct ae_key *key)
{
	const struct device *d = device_of(k, key);

	return d != NULL ? ae_keydev_name(d->dev, ae_key_home(key)) : "none";
}
