/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of other clients on this host: their files are read, none of them is
 * asked, and nothing secret (a PIN in a request of certmonger) is told on.
 *
 *   "foreign": { "certmonger": { "installed": bool, "requests": [ { "file",
 *                   "state", "cert", "ca", "by_samba": bool } ] },
 *           "cepces": { "installed": bool, "log", "trouble": "python-crypto" |
 *                   "no-negotiate" | "none-token" | "empty-cas", "line" },
 *           "samba": { "enrolls": bool }, "adsys": { "enrolls": bool, "log",
 *                   "killed": line }, "sssd": probe_sssd.c has it }
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"
#include "sys/files.h"

#define FILE_MAX (1u << 20)
#define LOG_TAIL (64u << 10)
#define REQUESTS_MAX 200
#define REQUESTS_DIR "/var/lib/certmonger/requests"

static bool
any_exists(const char *const *paths)
{
	for (; *paths != NULL; paths++)
		if (access(*paths, F_OK) == 0)
			return true;
	return false;
}

/* The value of "name=value", up to the line's end; "" without. */
static void
value_of(char *out, size_t len, const char *text, const char *name)
{
	const char *p = text, *end;
	size_t n = strlen(name);

	out[0] = '\0';
	for (; *p != '\0'; p = end + (*end == '\n')) {
		end = strchrnul(p, '\n');
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			(void)snprintf(out, len, "%.*s",
			    (int)(end - p - (ptrdiff_t)n - 1), p + n + 1);
	}
}

static char *
read_text(const char *path, size_t max)
{
	uint8_t *p = NULL;
	char *text;
	size_t len;

	if (ae_file_read(&p, &len, path, max, NULL) != AE_OK)
		return NULL;
	text = strndup((const char *)p, len);
	free(p);
	return text;
}

/* certmonger's own file: lines of name=value. */
static void
request(json_t *list, const char *path)
{
	char state[64], cert[512], ca[256], *text = read_text(path, FILE_MAX);
	json_t *j;

	if (text == NULL)
		return;
	value_of(state, sizeof(state), text, "state");
	value_of(cert, sizeof(cert), text, "cert_file");
	value_of(ca, sizeof(ca), text, "ca_name");
	j = json_pack("{s:b}", "by_samba",
	    strstr(text, "/samba/") != NULL ||
		strstr(text, "cepces-submit") != NULL);
	(void)json_object_set_new(j, "file", client_text(path));
	(void)json_object_set_new(j, "state", client_text(state));
	(void)json_object_set_new(j, "cert", client_text(cert));
	(void)json_object_set_new(j, "ca", client_text(ca));
	(void)json_array_append_new(list, j);
	free(text);
}

static void
certmonger(struct probe *p)
{
	static const char *const programs[] = { "/usr/sbin/certmonger",
		"/usr/bin/getcert", NULL };
	json_t *list = json_array();
	char path[4096];
	struct dirent *d;
	DIR *all = opendir(REQUESTS_DIR);

	while (all != NULL && (d = readdir(all)) != NULL &&
	    json_array_size(list) < REQUESTS_MAX) {
		(void)snprintf(
		    path, sizeof(path), REQUESTS_DIR "/%s", d->d_name);
		if (d->d_name[0] != '.')
			request(list, path);
	}
	if (all != NULL)
		(void)closedir(all);
	probe_set(p, "certmonger",
	    json_pack("{s:b, s:o}", "installed", any_exists(programs),
		"requests", list));
}

/* The end of a log, from a line's beginning. */
static char *
tail_of(const char *path)
{
	char *text = NULL;
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return NULL;
	text = malloc(LOG_TAIL + 1);
	if (text != NULL) {
		if (fseek(f, -(long)LOG_TAIL, SEEK_END) != 0)
			rewind(f);
		n = fread(text, 1, LOG_TAIL, f);
		text[n] = '\0';
	}
	(void)fclose(f);
	return text;
}

/* The last line of the log that has one of the marks; its index; -1: none. */
static int
last_trouble(char *out, size_t len, const char *text, const char *const *marks)
{
	const char *p = text, *end;
	char line[512];
	int found = -1, i;

	for (; *p != '\0'; p = end + (*end == '\n')) {
		end = strchrnul(p, '\n');
		(void)snprintf(line, sizeof(line), "%.*s", (int)(end - p), p);
		for (i = 0; marks[i] != NULL; i++) {
			if (strstr(line, marks[i]) == NULL)
				continue;
			found = i;
			(void)snprintf(out, len, "%s", line);
		}
	}
	return found;
}

static void
cepces(struct probe *p)
{
	static const char *const programs[] = {
		"/usr/libexec/certmonger/cepces-submit",
		"/usr/lib/certmonger/cepces-submit", "/usr/bin/cepces-submit",
		"/usr/lib/x86_64-linux-gnu/certmonger/cepces-submit", NULL
	};
	/* As they stand in the issues of cepces; the last one that is there. */
	static const char *const marks[] = { "cryptography.x509",
		"module 'cryptography", "WWW-Authenticate: Negotiate",
		"401 Client Error",
		"'NoneType' object has no attribute 'token'",
		"IndexError: list index out of range", NULL };
	static const char *const names[] = { "python-crypto", "python-crypto",
		"no-negotiate", "no-negotiate", "none-token", "empty-cas" };
	static const char log[] = "/var/log/cepces/cepces.log";
	json_t *j = json_pack("{s:b}", "installed", any_exists(programs));
	char line[512], *text = tail_of(log);
	int i =
	    text == NULL ? -1 : last_trouble(line, sizeof(line), text, marks);

	if (i >= 0) {
		(void)json_object_set_new(j, "log", json_string(log));
		(void)json_object_set_new(j, "trouble", json_string(names[i]));
		(void)json_object_set_new(j, "line", client_text(line));
	}
	free(text);
	probe_set(p, "cepces", j);
}

/* Samba's extension keeps what it did; adsys's is its own copy of it. */
static void
appliers(struct probe *p)
{
	static const char *const samba[] = { "/var/lib/samba/certs",
		"/var/lib/samba/private/certs", NULL };
	static const char *const adsys[] = { "/var/lib/adsys/certs",
		"/var/lib/adsys/private/certs", NULL };
	static const char *const marks[] = { "signal: killed",
		"cert-autoenroll: context deadline exceeded", NULL };
	static const char log[] = "/var/log/adsysd.log";
	json_t *j = json_pack("{s:b}", "enrolls", any_exists(adsys));
	char line[512], *text = tail_of(log);

	if (text != NULL &&
	    last_trouble(line, sizeof(line), text, marks) >= 0) {
		(void)json_object_set_new(j, "log", json_string(log));
		(void)json_object_set_new(j, "killed", client_text(line));
	}
	free(text);
	probe_set(p, "samba", json_pack("{s:b}", "enrolls", any_exists(samba)));
	probe_set(p, "adsys", j);
}

int
probe_foreign(struct probe *p, struct ae_err *e)
{
	(void)e;
	probe_doing(p, "foreign", NULL);
	certmonger(p);
	cepces(p);
	appliers(p);
	probe_sssd(p);
	return AE_OK;
}
