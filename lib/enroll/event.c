/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The catalogue of client events; see event.h.  The texts are ours, the ids,
 * levels and parameters are Windows'.
 */
#include "enroll/event.h"

#include <string.h>

#include "base/wr.h"

#define TEXT_MAX 8192

#define AE AE_EVENT_AUTOENROLLMENT
#define CSC AE_EVENT_CSC
#define CE AE_EVENT_CERTENROLL
#define E AE_EVENT_ERROR
#define W AE_EVENT_WARNING
#define I AE_EVENT_INFORMATION

/* clang-format off */
static const struct ae_event_def catalogue[] = {
	{ AE, 1, E, 5, "%1 could not copy the directory's certificates of %3 into the local store %2 (%4). %5",
	    "Check that the object can be read and that the local store can be written." },
	{ AE, 2, I, 1, "Automatic certificate enrollment for %1 started.", NULL },
	{ AE, 3, I, 1, "Automatic certificate enrollment for %1 finished.", NULL },
	{ AE, 4, I, 1, "Automatic certificate enrollment for %1 calls the enrollment engine.", NULL },
	{ AE, 5, I, 1, "The enrollment engine returned to automatic certificate enrollment for %1.", NULL },
	{ AE, 6, E, 3, "Automatic certificate enrollment for %1 failed (%2). %3",
	    "Run 'autoenroll policy show -v' and 'autoenroll ca ping --stages'; the code says which stage failed." },
	{ AE, 15, W, 3, "Automatic certificate enrollment for %1 could not reach Active Directory (%2). %3 Nothing was enrolled.",
	    "Check the network, DNS and the clock; the next run tries again." },
	{ AE, 64, W, 2, "The certificate of %1 with thumbprint %2 is about to expire or has expired and is not being replaced.",
	    "Renew it by hand or let a template with auto-enrollment cover it." },
	{ CSC, 1, I, 0, "Certificate services client started.", NULL },
	{ CSC, 2, I, 0, "Certificate services client stopped.", NULL },
	{ CSC, 3, I, 0, "Certificate services client saw that the network is there.", NULL },
	{ CSC, 4, I, 0, "Certificate services client saw that the network is gone.", NULL },
	{ CE, 4, I, 3, "%1: local resources or information about template %2 are not available (%3); nothing was done.",
	    "Look at the error; the next run tries again." },
	{ CE, 5, I, 1, "%1: no template that can be used was found.",
	    "Run 'autoenroll templates --explain'." },
	{ CE, 6, E, 2, "%1: there is no certificate template named %2.",
	    "Use the template's common name, not its display name: 'autoenroll templates' lists both." },
	{ CE, 9, E, 4, "%1: the pending request %4 for template %2 was denied by %3.",
	    "Ask the certificate manager of that CA." },
	{ CE, 10, I, 1, "%1: old certificates were archived.", NULL },
	{ CE, 11, W, 1, "%1: the forest has no enterprise certification authority.",
	    "Set one up, or check that CN=Enrollment Services can be read." },
	{ CE, 13, E, 5, "%1: enrollment for template %2 failed; request id %4 at %3 (%5).",
	    "The code names the cause; 'certsrv request show ID' on the CA shows the CA's reasons." },
	{ CE, 15, W, 2, "%1: the certificate templates could not be read (%2).",
	    "Check Read on CN=Certificate Templates for Authenticated Users." },
	{ CE, 17, W, 4, "%1: enrollment for template %2 failed at %3 (%4); the next certification authority is tried.", NULL },
	{ CE, 19, I, 4, "%1: a certificate of template %2 was received; request id %4 from %3.", NULL },
	{ CE, 21, I, 4, "%1: the request for template %2 is pending; request id %4 at %3.",
	    "A certificate manager must approve it." },
	{ CE, 32, I, 3, "%1: the request for template %2 is still pending at %3.", NULL },
	{ CE, 37, W, 2, "%1: template %2 wants strong key protection, which a machine cannot give.",
	    "Untick strong key protection in the template." },
	{ CE, 38, W, 2, "%1: template %2 needs somebody to answer questions and was skipped.",
	    "Untick user interaction, build the subject from AD, or enroll by hand." },
	{ CE, 42, W, 2, "%1: template %2 is for computers and was skipped for a user.", NULL },
	{ CE, 45, E, 3, "%1: the request for template %2 could not be built (%3).",
	    "Look at the error: key, subject or provider." },
	{ CE, 46, W, 2, "%1: no permission to read or enroll for template %2.",
	    "Grant Read, Enroll and Autoenroll on the template." },
	{ CE, 47, W, 2, "%1: no certification authority was found that issues template %2.",
	    "Publish the template on a CA this account may use and trusts." },
	{ CE, 48, W, 2, "%1: template %2 wants signatures that this account cannot give.",
	    "Provide the registration authority certificate or lower the number of signatures." },
	{ CE, 50, W, 4, "%1: the response to request %3 for template %2 could not be installed (%4).",
	    "Look at the error: trust, key or store." },
	{ CE, 51, W, 2, "%1: template %2 is for users and was skipped for a computer.", NULL },
	{ CE, 52, W, 3, "%1: the certificate of %3, which issues template %2, is not trusted here.",
	    "Publish its root in AD (Certification Authorities) or install it locally." },
	{ CE, 55, W, 2, "%1: none of the providers of template %2 exists here.",
	    "Add a software provider to the template, or change the provider table." },
	{ CE, 56, I, 2, "%1: template %2 was skipped; another template supersedes it.", NULL },
	{ CE, 57, W, 3, "%1: provider %2 could not be used (%3).",
	    "Run 'autoenroll key providers' and 'autoenroll key test'; no harm is done when another provider of the template serves." },
	{ CE, 64, I, 2, "%1: policy was loaded from policy server %2.", NULL },
	{ CE, 65, I, 5, "%1 was authenticated to policy server %2 (policy %3, credential %4) by mechanism %5.", NULL },
	{ CE, 70, W, 2, "%1: no valid policy was obtained for %2.",
	    "Check that the directory can be reached and read." },
	{ CE, 82, W, 4, "%1: no certification authority could be reached for template %3 of policy %2 (%4).",
	    "Run 'autoenroll ca ping --stages'." },
	{ CE, 85, W, 3, "%1: a key for template %2 cannot be attested (%3).",
	    "Let the template prefer attestation instead of requiring it; keys in a TPM are made all the same." },
};
/* clang-format on */

#undef AE
#undef CSC
#undef CE
#undef E
#undef W
#undef I

const struct ae_event_def *
ae_event_row(size_t i)
{
	if (i >= sizeof(catalogue) / sizeof(catalogue[0]))
		return NULL;
	return &catalogue[i];
}

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
ae_event_wanted(enum ae_event_level level, unsigned log_level)
{
	switch (level) {
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
