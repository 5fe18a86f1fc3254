/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of what SELinux or AppArmor refused to our programs, out of the logs
 * that this account may read.
 *
 *   "denials": { "enforces": "selinux" | "apparmor" | "", "logs": [ path that
 *       was read ], "list": [ { "when": time, "by": as enforces, "process",
 *       "what", "path", "profile" } ], the newest last }
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "probe.h"
#include "sys/denial.h"
#include "sys/files.h"

#define TAIL (1u << 20) /* bytes of a log's end */
#define RECORD_MAX 8192u
#define RECORDS_MAX 20000u /* of the kernel's ring */
#define LIST_MAX 32u
#define FLAG_MAX 64u

/* Where audit lines go, with auditd and without. */
static const char *const logs[] = { "/var/log/audit/audit.log",
	"/var/log/kern.log", "/var/log/messages", "/var/log/syslog" };

static bool
says(const char *path, char yes)
{
	uint8_t *text = NULL;
	size_t len;
	bool found;

	if (ae_file_read(&text, &len, path, FLAG_MAX, NULL) != AE_OK)
		return false;
	found = len > 0 && text[0] == (uint8_t)yes;
	free(text);
	return found;
}

static const char *
enforces(void)
{
	if (says("/sys/fs/selinux/enforce", '1'))
		return "selinux";
	return says("/sys/module/apparmor/parameters/enabled", 'Y') ? "apparmor"
								    : "";
}

/* Our programs, by the 15 characters that the kernel keeps of a name, or by
 * a profile that is for them. */
static bool
is_ours(const struct ae_denial *d)
{
	return strncmp(d->process, "autoenroll", 10) == 0 ||
	    (!d->selinux && strstr(d->profile, "autoenroll") != NULL);
}

static bool
is_there(const json_t *list, const json_t *j)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (json_equal(one, j))
			return true;
	}
	return false;
}

static void
add(json_t *list, const char *line)
{
	char when[AE_TIME_STR_MAX];
	struct ae_denial d;
	json_t *j;

	if (!ae_denial_parse(&d, line) || d.only_told || !is_ours(&d))
		return;
	j = json_pack("{s:s, s:s}", "when", ae_time_print(when, d.when), "by",
	    d.selinux ? "selinux" : "apparmor");
	(void)json_object_set_new(j, "process", client_text(d.process));
	(void)json_object_set_new(j, "what", client_text(d.what));
	(void)json_object_set_new(j, "path", client_text(d.path));
	(void)json_object_set_new(j, "profile", client_text(d.profile));
	if (is_there(list, j)) { /* in the kernel's ring and in a log */
		json_decref(j);
		return;
	}
	if (json_array_size(list) == LIST_MAX)
		(void)json_array_remove(list, 0);
	(void)json_array_append_new(list, j);
}

static bool
read_tail(json_t *list, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = malloc(TAIL + 1), *line, *rest;
	struct stat st;
	ssize_t n = -1;

	if (fd >= 0 && text != NULL && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode))
		n = pread(fd, text, TAIL,
		    st.st_size > (off_t)TAIL ? st.st_size - (off_t)TAIL : 0);
	if (n >= 0) {
		text[n] = '\0';
		for (line = strtok_r(text, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest))
			add(list, line);
	}
	if (fd >= 0)
		(void)close(fd);
	free(text);
	return n >= 0;
}

/* A record a read, until there is none. */
static bool
read_ring(json_t *list, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char record[RECORD_MAX + 1];
	size_t i;
	ssize_t n;

	for (i = 0; fd >= 0 && i < RECORDS_MAX; i++) {
		n = read(fd, record, RECORD_MAX);
		if (n <= 0)
			break;
		record[n] = '\0';
		add(list, record);
	}
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

int
probe_denials(struct probe *p, struct ae_err *e)
{
	json_t *list = json_array(), *read = json_array();
	const char *what = enforces();
	size_t i;

	(void)e;
	probe_set(p, "enforces", json_string(what));
	if (what[0] != '\0') {
		probe_doing(p, "denials", NULL);
		if (read_ring(list, "/dev/kmsg"))
			(void)json_array_append_new(
			    read, json_string("/dev/kmsg"));
		for (i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
			if (read_tail(list, logs[i]))
				(void)json_array_append_new(
				    read, json_string(logs[i]));
	}
	probe_set(p, "logs", read);
	probe_set(p, "list", list);
	return AE_OK;
}
