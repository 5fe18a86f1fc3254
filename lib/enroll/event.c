/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Looking events up and putting their texts together; see event.h.
 */
#include "enroll/event.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/wr.h"

#define TEXT_MAX 8192

const struct ae_event_def *
ae_event_find(enum ae_event_source source, unsigned id)
{
	const struct ae_event_def *d;
	size_t i;

	for (i = 0; (d = ae_event_row(i)) != NULL; i++)
		if (d->source == source && d->id == id)
			return d;
	return NULL;
}

bool
ae_event_wanted(const struct ae_event_def *def, unsigned log_level)
{
	if (def->source == AE_EVENT_LIFECYCLE_SYSTEM ||
	    def->source == AE_EVENT_LIFECYCLE_USER)
		return true;
	switch (def->level) {
	case AE_EVENT_ERROR:
		return log_level >= AE_EVENT_LOG_TERSE;
	case AE_EVENT_WARNING:
		return log_level >= AE_EVENT_LOG_WARNING;
	case AE_EVENT_INFORMATION:
		return log_level >= AE_EVENT_LOG_VERBOSE;
	}
	return true;
}

static const char *const sources[][2] = {
	[AE_EVENT_AUTOENROLLMENT] = { "Microsoft-Windows-"
				      "CertificateServicesClient-"
				      "AutoEnrollment",
	    "AutoEnrollment" },
	[AE_EVENT_CSC] = { "Microsoft-Windows-CertificateServicesClient",
	    "CertificateServicesClient" },
	[AE_EVENT_CERTENROLL] = { "Microsoft-Windows-CertificateServicesClient-"
				  "CertEnroll",
	    "CertEnroll" },
	[AE_EVENT_LIFECYCLE_SYSTEM] = { "Microsoft-Windows-"
					"CertificateServicesClient-"
					"Lifecycle-System",
	    "Lifecycle-System" },
	[AE_EVENT_LIFECYCLE_USER] = { "Microsoft-Windows-"
				      "CertificateServicesClient-"
				      "Lifecycle-User",
	    "Lifecycle-User" },
};

const char *
ae_event_source_name(enum ae_event_source source)
{
	return sources[source][0];
}

const char *
ae_event_source_short(enum ae_event_source source)
{
	return sources[source][1];
}

const char *
ae_event_level_name(enum ae_event_level level)
{
	switch (level) {
	case AE_EVENT_ERROR:
		return "Error";
	case AE_EVENT_WARNING:
		return "Warning";
	case AE_EVENT_INFORMATION:
		return "Information";
	}
	return "Unknown";
}

char *
ae_event_text(struct ae_arena *a, const struct ae_event_def *def,
    const char *const *params, size_t nparams)
{
	const char *s = def->text, *pct;
	struct ae_wr w;
	char *out = NULL;

	ae_wr_init(&w, TEXT_MAX);
	while ((pct = strchr(s, '%')) != NULL) {
		size_t i = (size_t)(pct[1] - '1');

		ae_wr_bytes(&w, s, (size_t)(pct - s));
		if (i < nparams && params[i] != NULL)
			ae_wr_str(&w, params[i]);
		s = pct + 2;
	}
	ae_wr_str(&w, s);
	if (ae_wr_ok(&w))
		out = ae_arena_strndup(a, (const char *)w.p, w.len);
	ae_wr_done(&w);
	return out;
}

size_t
ae_event_nparams(const struct ae_event_def *def)
{
	size_t n = def->params[0] != '\0';
	const char *s;

	for (s = def->params; *s != '\0'; s++)
		n += *s == ' ';
	return n;
}

bool
ae_event_param(
    char out[AE_EVENT_NAME_MAX], const struct ae_event_def *def, size_t i)
{
	const char *s = def->params;
	size_t n;

	for (; i > 0 && s != NULL; i--)
		s = strchr(s, ' ') == NULL ? NULL : strchr(s, ' ') + 1;
	if (s == NULL || *s == '\0')
		return false;
	n = strcspn(s, " ");
	if (n >= AE_EVENT_NAME_MAX)
		return false;
	memcpy(out, s, n);
	out[n] = '\0';
	return true;
}

void
ae_event_message_id(
    char out[AE_EVENT_MESSAGE_ID_MAX], const struct ae_event_def *def)
{
	/* A random prefix of ours, then source and id, to be told apart. */
	(void)snprintf(out, AE_EVENT_MESSAGE_ID_MAX,
	    "6f0c1d97b3e84a52c9d1%04x%08x", (unsigned)def->source + 1,
	    (unsigned)def->id);
}

bool
ae_event_source_is(const char *source, const char *name)
{
	static const char prefix[] =
	    "Microsoft-Windows-CertificateServicesClient";
	const char *tail = source;

	if (ae_str_eq_nocase(source, name))
		return true;
	if (strncmp(source, prefix, sizeof(prefix) - 1) == 0)
		tail = source[sizeof(prefix) - 1] == '-'
		    ? source + sizeof(prefix)
		    : source + sizeof("Microsoft-Windows");
	return ae_str_eq_nocase(tail, name);
}
