/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Lines of refusals; see denial.h.
 */
#include "sys/denial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

/* The value after " name=", up to what ends it; NULL: there is none. */
static const char *
find(const char *line, const char *name, size_t *len)
{
	size_t n = strlen(name);
	const char *p = line;

	while ((p = strstr(p, name)) != NULL) {
		if (p > line && (p[-1] == ' ' || p[-1] == '\x1d') &&
		    p[n] == '=') {
			p += n + 1;
			if (*p == '"') {
				*len = strcspn(p + 1, "\"\n");
				return p;
			}
			*len = strcspn(p, " \n\x1d");
			return p;
		}
		p += n;
	}
	return NULL;
}

/*
 * What is between quotes; or in hexadecimal, as the kernel writes a name with
 * a blank, a quote or a control character in it; or the bare word.
 */
static void
read_value(char *out, size_t max, const char *line, const char *name)
{
	char digits[3] = "";
	size_t len, i;
	const char *p = find(line, name, &len);
	uint8_t byte;

	out[0] = '\0';
	if (p == NULL)
		return;
	if (*p == '"') {
		(void)snprintf(
		    out, max, "%.*s", (int)(len < max ? len : max - 1), p + 1);
		return;
	}
	for (i = 0; i + 1 < len && i / 2 + 1 < max; i += 2) {
		memcpy(digits, p + i, 2);
		if (!ae_hex_decode(&byte, 1, digits) || byte == 0)
			break;
		out[i / 2] = (char)byte;
		out[i / 2 + 1] = '\0';
	}
	if (len == 0 || len % 2 != 0 || i < len)
		(void)snprintf(
		    out, max, "%.*s", (int)(len < max ? len : max - 1), p);
}

static int64_t
read_time(const char *line)
{
	const char *p = strstr(line, "audit(");
	unsigned long long t;

	if (p == NULL || p[6] < '0' || p[6] > '9')
		return 0;
	t = strtoull(p + 6, NULL, 10);
	return t > INT64_MAX / 2 ? 0 : (int64_t)t;
}

/* "avc:  denied  { write add_name } for  pid=… comm=…" */
static bool
read_selinux(struct ae_denial *d, const char *line)
{
	static const char denied[] = "denied  { ";
	const char *p = strstr(line, denied);

	if (strstr(line, "avc:") == NULL || p == NULL)
		return false;
	p += sizeof(denied) - 1;
	(void)snprintf(
	    d->what, sizeof(d->what), "%.*s", (int)strcspn(p, "}\n"), p);
	while (d->what[0] != '\0' && d->what[strlen(d->what) - 1] == ' ')
		d->what[strlen(d->what) - 1] = '\0';
	d->selinux = true;
	d->only_told = strstr(line, " permissive=1") != NULL;
	read_value(d->path, sizeof(d->path), line, "path");
	if (d->path[0] == '\0')
		read_value(d->path, sizeof(d->path), line, "name");
	read_value(d->profile, sizeof(d->profile), line, "scontext");
	return true;
}

static bool
read_apparmor(struct ae_denial *d, const char *line)
{
	d->only_told = strstr(line, "apparmor=\"ALLOWED\"") != NULL;
	if (!d->only_told && strstr(line, "apparmor=\"DENIED\"") == NULL)
		return false;
	read_value(d->what, sizeof(d->what), line, "operation");
	read_value(d->path, sizeof(d->path), line, "name");
	read_value(d->profile, sizeof(d->profile), line, "profile");
	return true;
}

bool
ae_denial_parse(struct ae_denial *out, const char *line)
{
	struct ae_denial d = { 0 };

	if (!read_selinux(&d, line) && !read_apparmor(&d, line))
		return false;
	d.when = read_time(line);
	read_value(d.process, sizeof(d.process), line, "comm");
	*out = d;
	return true;
}
