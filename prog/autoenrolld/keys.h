/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * This machine's places for keys: what is configured and there, the devices,
 * and what the sandbox has to leave open for them.
 */
#ifndef AE_CLIENT_KEYS_H
#define AE_CLIENT_KEYS_H

#include "client.h"
#include "enroll/provider.h"
#include "pki/keydev.h"
#include "sys/sandbox.h"

#define KEYS_PATHS_MAX 24
#define KEYS_READS_MAX 32

struct keys {
	const struct client *c;
	struct ae_keydev_conf conf;
	struct ae_keydev *dev;
	struct ae_secret pin;
	char refused[256];  /* why the PIN is not tried; "" */
	char pin_mark[160]; /* which PIN file it is: not its content */
	char marker[4096];  /* where a refused one is remembered */
	struct key_owner *owners;
	size_t nowners;
	struct ae_err owners_why; /* [key-files] names who does not exist */
	struct ae_providers providers; /* rules are borrowed from c */
	const char *paths[KEYS_PATHS_MAX + 1];
	const char *reads[KEYS_READS_MAX + 1];
};

/*
 * What is here, at a glance: no device is opened.  Ready for
 * ae_plan_input.providers.  For plan; touches nothing of keys.
 */
void keys_at_hand(struct ae_providers *out, const struct client *c);

/*
 * The devices.  The PIN is read from its file, and the owners of key files
 * are looked up, before any sandbox.
 */
int keys_init(
    struct keys *k, const struct client *c, struct ae_err *e) AE_MUST_CHECK;
void keys_done(struct keys *k);
/* The devices anew, after conf was changed. */
int keys_again(struct keys *k, struct ae_err *e) AE_MUST_CHECK;

/* Leave open in box what the devices in use need; write_paths are extended. */
void keys_sandbox(struct keys *k, struct ae_sandbox *box);

/*
 * ae_keydev_generate; a PIN that was refused is remembered, for this PIN file
 * and for good, until the file is written anew.
 */
int keys_generate(struct ae_key **out, struct keys *k, enum ae_provider kind,
    enum ae_key_type type, unsigned bits, const char *label,
    struct ae_err *e) AE_MUST_CHECK;
int keys_ready(
    struct keys *k, enum ae_provider kind, struct ae_err *e) AE_MUST_CHECK;

/* The private key stored in dir, key.pem or key.uri. */
int keys_open(struct ae_key **out, struct keys *k, const char *dir,
    struct ae_err *e) AE_MUST_CHECK;

/* Mode and owner of a template's key file: its line, that of "*", or 0600. */
int keys_owner(struct key_owner *out, const struct keys *k, const char *tmpl,
    struct ae_err *e) AE_MUST_CHECK;

enum ae_key_home keys_home(enum ae_provider kind);

#endif
