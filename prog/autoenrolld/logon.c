/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Whose logon this is; see logon.h.
 */
#include "logon.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sys/files.h"

#define CHECK "env.runas-no-gpo"
#define ADVICE                                                            \
	"Windows applies no group policy to such a process, and that of " \
	"%s does not reach it; here %s own policy is read, as at a logon"

/* "LAB\\alice", "alice@lab.example" and "alice" are one name. */
static bool
same_name(const char *a, const char *b)
{
	const char *p = strrchr(a, '\\'), *q = strrchr(b, '\\');
	size_t n, m;

	a = p != NULL ? p + 1 : a;
	b = q != NULL ? q + 1 : b;
	n = strcspn(a, "@");
	m = strcspn(b, "@");
	return n == m && strncasecmp(a, b, n) == 0;
}

bool
logon_is_runas(const struct logon *l, char *text, size_t len)
{
	const char *whose;

	if (l->sudo_user != NULL && !same_name(l->sudo_user, l->name)) {
		(void)snprintf(text, len,
		    "started by sudo out of a session of %s: " ADVICE,
		    l->sudo_user, l->sudo_user, "this user's");
		return true;
	}
	if (l->logged_in != LOGON_UNKNOWN && l->logged_in != l->uid) {
		whose =
		    l->logged_in_as != NULL ? l->logged_in_as : "another user";
		(void)snprintf(text, len,
		    "started by su or the like out of a session of %s: " ADVICE,
		    whose, whose, "this user's");
		return true;
	}
	if (l->principal != NULL && !same_name(l->principal, l->name)) {
		(void)snprintf(text, len,
		    "the ticket is that of %s, in a session of %s: " ADVICE,
		    l->principal, l->name, l->name, "the ticket's owner's");
		return true;
	}
	return false;
}

/* The audit system's login uid; what kernels without it say is unknown. */
static uid_t
login_uid(void)
{
	unsigned long uid;
	uint8_t *p = NULL;
	size_t len;
	char *end;

	if (ae_file_read(&p, &len, "/proc/self/loginuid", 32, NULL) != AE_OK)
		return LOGON_UNKNOWN;
	uid = strtoul((const char *)p, &end, 10);
	if (end == (const char *)p || uid >= UINT32_MAX)
		uid = UINT32_MAX;
	free(p);
	return (uid_t)uid;
}

static char *
name_of(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw == NULL ? NULL : strdup(pw->pw_name);
}

json_t *
logon_json(const char *principal)
{
	struct logon l = { .uid = geteuid(),
		.logged_in = login_uid(),
		.sudo_user = getenv("SUDO_USER"),
		.principal = principal };
	char text[512], *name = name_of(l.uid), *other = NULL;
	json_t *j = NULL;

	if (l.logged_in != LOGON_UNKNOWN)
		other = name_of(l.logged_in);
	l.name = name;
	l.logged_in_as = other;
	if (name != NULL && logon_is_runas(&l, text, sizeof(text)))
		j = json_pack("{s:b, s:s, s:s}", "runas", 1, "check", CHECK,
		    "text", text);
	free(name);
	free(other);
	return j;
}
