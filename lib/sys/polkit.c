/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * org.freedesktop.PolicyKit1.Authority.CheckAuthorization; see polkit.h.
 */
#include "sys/polkit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-bus.h>

#define NAME "org.freedesktop.PolicyKit1"
#define PATH "/org/freedesktop/PolicyKit1/Authority"
#define MAY_ASK_THE_PERSON 1u
#define TIMEOUT_US (120u * 1000000u) /* somebody types a password */

bool
ae_polkit_start_time(uint64_t *out, const char *stat)
{
	const char *p = strrchr(stat, ')');
	unsigned long long v;
	char *end;
	int field;

	/* Behind the name: the third field, and 19 more to the 22nd. */
	for (field = 2; p != NULL && field < 22; field++) {
		p = strchr(p, ' ');
		if (p != NULL)
			p++;
	}
	if (p == NULL || *p < '0' || *p > '9')
		return false;
	errno = 0;
	v = strtoull(p, &end, 10);
	if (errno != 0 || (*end != ' ' && *end != '\n' && *end != '\0'))
		return false;
	*out = v;
	return true;
}

int
ae_polkit_peer(struct ae_polkit_subject *out, int fd, struct ae_err *e)
{
	char path[64], stat[1024];
	struct ucred who;
	socklen_t len = sizeof(who);
	size_t n;
	FILE *f;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return ae_fail_errno(e, errno, "ask who is connected");
	*out = (struct ae_polkit_subject){ .pid = who.pid, .uid = who.uid };
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)who.pid);
	f = fopen(path, "re");
	if (f == NULL)
		return ae_fail_errno(e, errno, "open %s", path);
	n = fread(stat, 1, sizeof(stat) - 1, f);
	(void)fclose(f);
	stat[n] = '\0';
	if (!ae_polkit_start_time(&out->start, stat))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "%s makes no sense", path);
	return AE_OK;
}

static int
question(sd_bus_message **out, sd_bus *bus, const char *action,
    const struct ae_polkit_subject *s)
{
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(
	    bus, &m, NAME, PATH, NAME ".Authority", "CheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "unix-process",
		    3, "pid", "u", (uint32_t)s->pid, "start-time", "t",
		    s->start, "uid", "i", (int32_t)s->uid, action, 0,
		    MAY_ASK_THE_PERSON, "");
	if (r < 0)
		sd_bus_message_unref(m);
	else
		*out = m;
	return r;
}

int
ae_polkit_check(
    const char *action, const struct ae_polkit_subject *s, struct ae_err *e)
{
	sd_bus_error why = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	sd_bus *bus = NULL;
	int r, yes = 0, challenge = 0, rc = AE_OK;

	r = sd_bus_open_system(&bus);
	if (r < 0) {
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, -r,
		    "connect to the system bus: %s", strerror(-r));
		goto out;
	}
	r = question(&m, bus, action, s);
	if (r >= 0)
		r = sd_bus_call(bus, m, TIMEOUT_US, &why, &reply);
	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
	if (r >= 0)
		r = sd_bus_message_read(reply, "bb", &yes, &challenge);
	if (r < 0)
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, -r,
		    "ask polkit about %s: %s", action,
		    why.message != NULL ? why.message : strerror(-r));
	else if (yes == 0)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "polkit does not authorize uid %u for %s%s", s->uid, action,
		    challenge != 0 ? " without a proof of identity" : "");
out:
	sd_bus_error_free(&why);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	sd_bus_unref(bus);
	return rc;
}
