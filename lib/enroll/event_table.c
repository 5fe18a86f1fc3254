/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The catalogue of client events; see event.h.  The texts are ours, the
 * ids, levels and parameters are Windows'.  Windows Hello's logon
 * certificates (CertEnroll 89 to 97) are left out: nothing here leads to
 * them, and what each tells is not documented.
 */
#include "enroll/event.h"

#define AE AE_EVENT_AUTOENROLLMENT
#define CSC AE_EVENT_CSC
#define CE AE_EVENT_CERTENROLL
#define E AE_EVENT_ERROR
#define W AE_EVENT_WARNING
#define I AE_EVENT_INFORMATION

/* Why an event of Windows' does not occur here. */
#define NO_CEP \
	"policy comes from LDAP alone; there are no policy servers to ask"
#define NO_CES "requests go by DCOM and ICPR; there is no web service to ask"
#define NO_UI "nothing here asks questions"
#define NO_SCEP "SCEP is not spoken"
#define NO_PLUGIN "the engine is part of the program"
#define OLD "an earlier Windows' event; later ones replace it"

/* clang-format off */
/*
 * Windows hands one XML text to each of these; ours are named.  Both sources
 * have the same ids, Lifecycle-System for the machine, -User for a user.
 */
#define LIFECYCLE(src)                                                        \
	{ src, 1001, I, "context template thumbprint subject not_after old_thumbprint", \
	    "The certificate %6 of template %2 for %1 was replaced by %3 (%4, valid until %5).", NULL, NULL }, \
	{ src, 1002, E, "context template thumbprint subject not_after",      \
	    "The certificate %3 of template %2 for %1 (%4) has expired on %5.", \
	    "Find out why it was not renewed: 'autoenroll templates --explain', then 'autoenroll events --since 30d'.", NULL }, \
	{ src, 1003, W, "context template thumbprint subject not_after",      \
	    "The certificate %3 of template %2 for %1 (%4) expires on %5.",   \
	    "Nothing if auto-enrollment renews it; 'autoenroll templates --explain' says whether it will.", NULL }, \
	{ src, 1004, I, "context template thumbprint subject not_after",      \
	    "The certificate %3 of template %2 for %1 (%4, valid until %5) was deleted.", NULL, NULL }, \
	{ src, 1005, I, "context template thumbprint subject not_after",      \
	    "The certificate %3 of template %2 for %1 (%4, valid until %5) was archived.", NULL, NULL }, \
	{ src, 1006, I, "context template thumbprint subject not_after",      \
	    "The certificate %3 of template %2 for %1 (%4, valid until %5) was installed.", NULL, NULL }, \
	{ src, 1007, I, "context template thumbprint subject not_after target", \
	    "The certificate %3 of template %2 for %1 (%4, valid until %5) was exported with its key to %6.", NULL, NULL }, \
	{ src, 1008, I, "context template thumbprint subject not_after",      \
	    "The certificate %3 of template %2 for %1 (%4, valid until %5) was joined with its private key.", NULL, \
	    "a certificate and its key enter the store together" },           \
	{ src, 1009, I, "context template thumbprint subject not_after",      \
	    "The certificate %3 of template %2 for %1 (%4, valid until %5) has no private key that fits.", \
	    "Enroll again, or put the key back from a backup: 'autoenroll store list' tests every key.", \
	    "a certificate and its key enter the store together" },           \
	{ src, 1010, I, "context template thumbprint subject not_after",      \
	    "The certificate %3 of template %2 for %1 (%4, valid until %5) was deleted from the directory.", NULL, NULL }

static const struct ae_event_def catalogue[] = {
	{ AE, 1, E, "context store ldap_store code error",
	    "%1 could not copy the directory's certificates of %3 into the local store %2 (%4). %5",
	    "Check that the object can be read and that the local store can be written.", NULL },
	{ AE, 2, I, "context", "Automatic certificate enrollment for %1 started.", NULL, NULL },
	{ AE, 3, I, "context", "Automatic certificate enrollment for %1 finished.", NULL, NULL },
	{ AE, 4, I, "context", "Automatic certificate enrollment for %1 calls the enrollment engine.", NULL, NULL },
	{ AE, 5, I, "context", "The enrollment engine returned to automatic certificate enrollment for %1.", NULL, NULL },
	{ AE, 6, E, "context code error", "Automatic certificate enrollment for %1 failed (%2). %3",
	    "Run 'autoenroll policy show -v' and 'autoenroll ca ping --stages'; the code says which stage failed.", NULL },
	{ AE, 15, W, "context code error",
	    "Automatic certificate enrollment for %1 could not reach Active Directory (%2). %3 Nothing was enrolled.",
	    "Check the network, DNS and the clock; the next run tries again.", NULL },
	{ AE, 64, W, "context thumbprint",
	    "The certificate of %1 with thumbprint %2 is about to expire or has expired and is not being replaced.",
	    "Renew it by hand or let a template with auto-enrollment cover it; 'autoenroll store list' shows it.", NULL },

	{ CSC, 1, I, "", "Certificate services client started.", NULL, NULL },
	{ CSC, 2, I, "", "Certificate services client stopped.", NULL, NULL },
	{ CSC, 3, I, "", "Certificate services client saw that the network is there.", NULL, NULL },
	{ CSC, 4, I, "", "Certificate services client saw that the network is gone.", NULL,
	    "losing the network starts nothing here" },
	{ CSC, 501, W, "argument", "Certificate services client was started with an argument it does not know: %1.",
	    "Correct the unit, cron line or script that starts it.",
	    "the programs answer that with a usage message" },
	{ CSC, 502, W, "code", "Certificate services client cannot hear of changes of group policy (%1).",
	    "Runs at start, at logon and every eight hours go on; 'autoenroll pulse --refresh-policy' reads policy now.",
	    "group policy is looked at, not waited for" },
	{ CSC, 1001, E, "provider code", "Certificate services client could not load the provider %1 (%2).",
	    "Reinstall the package.", NO_PLUGIN },
	{ CSC, 1002, E, "provider code", "The provider %1 of certificate services client lacks its interface (%2).",
	    "Reinstall the package.", NO_PLUGIN },
	{ CSC, 1003, E, "flags code", "Certificate services client could not call its provider (flags %1, %2).",
	    "Look at the log for what was before it.", NO_PLUGIN },
	{ CSC, 1004, E, "provider code", "The provider %1 of certificate services client ended unexpectedly (%2).",
	    "Look at the log, and at a core dump if there is one; the next run tries again.", NULL },

	{ CE, 4, I, "context template code",
	    "%1: local resources or information about template %2 are not available (%3); nothing was done.",
	    "Look at the error; the next run tries again.",
	    "the run ends as a whole: AutoEnrollment 6" },
	{ CE, 5, I, "context", "%1: no template that can be used was found.",
	    "Run 'autoenroll templates --explain'.", NULL },
	{ CE, 6, E, "context template", "%1: there is no certificate template named %2.",
	    "Use the template's common name, not its display name: 'autoenroll templates' lists both.", NULL },
	{ CE, 8, I, "context", "%1: pending requests that are too old were dropped.", NULL, NULL },
	{ CE, 9, E, "context template ca request_id", "%1: the pending request %4 for template %2 was denied by %3.",
	    "Ask the certificate manager of that CA.", NULL },
	{ CE, 10, I, "context", "%1: old certificates were archived.", NULL, NULL },
	{ CE, 11, W, "context", "%1: the forest has no enterprise certification authority.",
	    "Set one up, or check that CN=Enrollment Services can be read.", NULL },
	{ CE, 12, W, "context code", "%1: what the directory says about certification authorities could not be read (%2).",
	    "Check Read on CN=Enrollment Services for Authenticated Users.",
	    "read together with the templates: CertEnroll 15" },
	{ CE, 13, E, "context template ca request_id code",
	    "%1: enrollment for template %2 failed; request id %4 at %3 (%5).",
	    "The code names the cause; 'certsrv request show ID' on the CA shows the CA's reasons.", NULL },
	{ CE, 14, I, "context template ca request_id",
	    "%1: the certificate of the pending request %4 for template %2 was fetched from %3.", NULL, NULL },
	{ CE, 15, W, "context code", "%1: the certificate templates could not be read (%2).",
	    "Check Read on CN=Certificate Templates for Authenticated Users.", NULL },
	{ CE, 16, E, "context template ca request_id thumbprint code",
	    "%1: renewal of certificate %5 of template %2 failed; request id %4 at %3 (%6).",
	    "The code names the cause; the old certificate stays in use until it expires.", NULL },
	{ CE, 17, W, "context template ca code",
	    "%1: enrollment for template %2 failed at %3 (%4); the next certification authority is tried.",
	    "Nothing if the next one answers; 'autoenroll ca ping --stages' shows where the way to this one ends.", NULL },
	{ CE, 18, W, "context template ca code",
	    "%1: renewal for template %2 failed at %3 (%4); the next certification authority is tried.",
	    "Nothing if the next one answers; 'autoenroll ca ping --stages' shows where the way to this one ends.", NULL },
	{ CE, 19, I, "context template ca request_id",
	    "%1: a certificate of template %2 was received; request id %4 from %3.", NULL, NULL },
	{ CE, 20, I, "context template ca request_id",
	    "%1: the certificate of template %2 was renewed; request id %4 from %3.", NULL, NULL },
	{ CE, 21, I, "context template ca request_id", "%1: the request for template %2 is pending; request id %4 at %3.",
	    "A certificate manager must approve it.", NULL },
	{ CE, 22, I, "context template ca request_id", "%1: the renewal for template %2 is pending; request id %4 at %3.",
	    "A certificate manager must approve it.", NULL },
	{ CE, 23, E, "context template", "%1: no certification authority that could renew template %2 was found.",
	    "Publish the template on a CA.", NULL },
	{ CE, 24, E, "context template", "%1: no certification authority that could issue template %2 was found.",
	    "Publish the template on a CA.", OLD },
	{ CE, 25, I, "context template",
	    "%1: a certificate of template %2 cannot be renewed: the template is gone or may not be enrolled for.",
	    "Nothing if that is meant; otherwise grant Enroll on the template.", NULL },
	{ CE, 26, E, "context code", "%1: the user could not be told that an answer is wanted (%2).",
	    "Enroll by hand.", NO_UI },
	{ CE, 27, I, "context", "%1: the user ended the run.", NULL, NO_UI },
	{ CE, 28, I, "context template", "%1: the pending certificate of template %2 was installed with the user's help.",
	    NULL, NO_UI },
	{ CE, 29, I, "context template", "%1: the key of the old certificate was used again for template %2.", NULL, NULL },
	{ CE, 30, I, "context template", "%1: the user passed over template %2.", NULL, NO_UI },
	{ CE, 31, E, "context template code", "%1: the fetched certificate of template %2 could not be installed (%3).",
	    "Look at the error: trust, key or store.", NULL },
	{ CE, 32, I, "context template ca", "%1: the request for template %2 is still pending at %3.",
	    "A certificate manager must approve it.", NULL },
	{ CE, 33, I, "context", "%1: old certificates were taken out of the directory object.", NULL, NULL },
	{ CE, 34, W, "context template", "%1: the smart card template %2 names no provider.",
	    "Name one in the template.", "smart cards take the providers of the provider table" },
	{ CE, 35, E, "context template code",
	    "%1: the certificate of template %2 is for other names than this one's (%3); it is enrolled for again.",
	    "Nothing when the host was renamed; otherwise correct dNSHostName of the computer object, or the host's name.", NULL },
	{ CE, 36, E, "context template count",
	    "%1: the DNS name in the certificate of template %2 is still not this host's after %3 tries.",
	    "Correct dNSHostName of the computer object, or the host's name.",
	    "an answer with a wrong name is refused before it is installed (CertEnroll 50)" },
	{ CE, 37, W, "context template", "%1: template %2 wants strong key protection, which a machine cannot give.",
	    "Untick strong key protection in the template.", NULL },
	{ CE, 38, W, "context template", "%1: template %2 needs somebody to answer questions and was skipped.",
	    "Untick user interaction, build the subject from AD, or enroll by hand.", NULL },
	{ CE, 39, W, "context template", "%1: the key that should sign for template %2 wants a password.",
	    "Use a signing key without one, or enroll by hand.", NO_UI },
	{ CE, 40, W, "context template", "%1: the key that should sign for template %2 wants a password and nobody may be asked.",
	    "Use a signing key without one, or enroll by hand.", NO_UI },
	{ CE, 41, I, "context template", "%1: template %2 was skipped; another computer enrolls for it.", NULL,
	    "certificates do not roam" },
	{ CE, 42, W, "context template", "%1: template %2 is for computers and was skipped for a user.",
	    "Enroll for it as the computer, or take Autoenroll from users.", NULL },
	{ CE, 43, W, "context template", "%1: template %2 wants a smart card and there is no reader.",
	    "Connect a reader, or take Autoenroll from this account.", "a missing token is CertEnroll 57" },
	{ CE, 44, W, "context code", "%1: no window could be opened (%2).", "Enroll by hand.", NO_UI },
	{ CE, 45, E, "context template code", "%1: the request for template %2 could not be built (%3).",
	    "Look at the error: key, subject or provider.", NULL },
	{ CE, 46, W, "context template", "%1: no permission to read or enroll for template %2.",
	    "Grant Read, Enroll and Autoenroll on the template.", NULL },
	{ CE, 47, W, "context template", "%1: no certification authority was found that issues template %2.",
	    "Publish the template on a CA this account may use and trusts.", NULL },
	{ CE, 48, W, "context template", "%1: template %2 wants signatures that this account cannot give.",
	    "Provide the registration authority certificate or lower the number of signatures.", NULL },
	{ CE, 49, I, "context template", "%1: the certificate of template %2 was installed.", NULL,
	    "CertEnroll 19 and 20 tell of the same" },
	{ CE, 50, W, "context template request_id code",
	    "%1: the response to request %3 for template %2 could not be installed (%4).",
	    "Look at the error: trust, key or store.", NULL },
	{ CE, 51, W, "context template", "%1: template %2 is for users and was skipped for a computer.",
	    "Enroll for it as the user, or take Autoenroll from computers.", NULL },
	{ CE, 52, W, "context template ca",
	    "%1: the certificate of %3, which issues template %2, is not trusted here.",
	    "Publish its root in AD (Certification Authorities) or install it locally.", NULL },
	{ CE, 53, W, "context template ca request_id code",
	    "%1: the certificate of request %4 for template %2 could not be fetched from %3 (%5); the next certification authority is tried.",
	    "Run 'autoenroll ca ping --stages'.", "a request id is known to the CA that gave it alone" },
	{ CE, 54, W, "context template ca request_id code",
	    "%1: the pending request %4 for template %2 could not be asked after at %3 (%5).",
	    "Run 'autoenroll ca ping --stages'; the next run asks again.", NULL },
	{ CE, 55, W, "context template", "%1: none of the providers of template %2 exists here.",
	    "Add a software provider to the template, or change the provider table.", NULL },
	{ CE, 56, I, "context template", "%1: template %2 was skipped; another template supersedes it.", NULL, NULL },
	{ CE, 57, W, "context provider code", "%1: the provider %2 cannot be used (%3).",
	    "Run 'autoenroll key providers' and 'autoenroll key test'; no harm is done when another provider of the template serves.", NULL },
	{ CE, 58, W, "context provider algorithm", "%1: the provider %2 cannot be used with %3.",
	    "Choose another algorithm in the template, or another provider.",
	    "CertEnroll 57 tells of the algorithm, too" },
	{ CE, 59, W, "context name", "%1: there is no signature algorithm %2.",
	    "Choose another hash or algorithm in the template.", "the request is not built: CertEnroll 45 has the reason" },
	{ CE, 60, W, "context name", "%1: there is no identifier for the public key algorithm %2.",
	    "Choose another algorithm in the template.", "the request is not built: CertEnroll 45 has the reason" },
	{ CE, 61, W, "context name", "%1: there is no identifier for the signature algorithm %2.",
	    "Choose another hash or algorithm in the template.", "the request is not built: CertEnroll 45 has the reason" },
	{ CE, 62, W, "context name", "%1: the parameters of the algorithm %2 cannot be encoded.",
	    "Choose another algorithm in the template.", "the request is not built: CertEnroll 45 has the reason" },
	{ CE, 63, W, "context server code", "%1: the policy server %2 did not give its templates (%3).",
	    "Look at the policy server.", NO_CEP },
	{ CE, 64, I, "context server", "%1: policy was loaded from policy server %2.", NULL, NULL },
	{ CE, 65, I, "context server policy_id credential mechanism",
	    "%1 was authenticated to policy server %2 (policy %3, credential %4) by mechanism %5.", NULL, NULL },
	{ CE, 66, I, "context server policy_id credential mechanism",
	    "%1 was authenticated to enrollment server %2 (policy %3, credential %4) by mechanism %5.", NULL, NO_CES },
	{ CE, 67, W, "context policy_id code", "%1: no server of policy %2 gave a policy (%3).",
	    "Check that a domain controller can be reached and read.", NULL },
	{ CE, 68, W, "context policy_id code", "%1: no server of policy %2 accepted the credential (%3).",
	    "Check the keytab and the clock: 'kinit -k' as root.", NULL },
	{ CE, 70, W, "context policy_id", "%1: no valid policy was obtained for %2.",
	    "Check that the directory can be reached and read.",
	    "there is one policy, the domain's: CertEnroll 67" },
	{ CE, 71, W, "context url code", "%1: the credential for %2 could not be kept (%3).",
	    "Look at the error.", NO_CEP },
	{ CE, 72, W, "context server code", "%1: the policy of server %2 is not valid (%3).",
	    "Look at the policy server.", NO_CEP },
	{ CE, 73, W, "context server", "%1: the policy server %2 says that auto-enrollment is off.",
	    "Nothing if that is meant.", NO_CEP },
	{ CE, 74, W, "context server policy_id code", "%1: server %2 of policy %3 did not give its policy (%4).",
	    "Check the network, DNS and the firewall: LDAP (389) to a domain controller.", NULL },
	{ CE, 75, W, "context server policy_id credential mechanism code",
	    "%1: server %2 of policy %3 did not accept credential %4 by mechanism %5 (%6).",
	    "Check the keytab and the clock: 'kinit -k' as root.", NULL },
	{ CE, 76, W, "context server policy_id credential mechanism code",
	    "%1: enrollment server %2 of policy %3 did not accept credential %4 by mechanism %5 (%6).",
	    "Check the credential.", NO_CES },
	{ CE, 77, W, "context", "%1: policy servers that users set up are not used; group policy forbids it.",
	    "Nothing if that is meant.", NO_CEP },
	{ CE, 78, W, "context template server", "%1: the request for template %2 goes to %3 on behalf of another.",
	    "Nothing if that is meant.", NO_CES },
	{ CE, 79, W, "context template server", "%1: the request for template %2 goes to %3 without a name.",
	    "Nothing if that is meant.", NO_CES },
	{ CE, 80, W, "context template server", "%1: the enrollment server %3 only renews; it has nothing new for template %2.",
	    "Name another enrollment server.", NO_CES },
	{ CE, 81, W, "context template server", "%1: the enrollment server %3 only renews with an old certificate of template %2.",
	    "Name another enrollment server.", NO_CES },
	{ CE, 82, W, "context policy_id template code",
	    "%1: no certification authority could be reached for template %3 of policy %2 (%4).",
	    "Run 'autoenroll ca ping --stages'.", NULL },
	{ CE, 83, W, "context url policy_id code", "%1: no credential fits %2 of policy %3 (%4).",
	    "Set up a credential.", NO_CEP },
	{ CE, 84, W, "context url new old", "%1: the credential for %2 is now %3, it was %4.",
	    "Nothing.", NO_CEP },
	{ CE, 85, W, "context template code", "%1: a key for template %2 cannot be attested (%3).",
	    "Let the template prefer attestation instead of requiring it; keys in a TPM are made all the same.", NULL },
	{ CE, 86, E, "context url text method stage code", "%1: SCEP at %2 could not begin: %3 (%4, %5, %6).",
	    "Look at the SCEP server.", NO_SCEP },
	{ CE, 87, E, "context url text method stage code", "%1: SCEP at %2 failed: %3 (%4, %5, %6).",
	    "Look at the SCEP server.", NO_SCEP },
	{ CE, 88, I, "context url text method stage", "%1: SCEP at %2 gave a certificate: %3 (%4, %5).", NULL, NO_SCEP },
	{ CE, 98, E, "context code", "%1: a PKCS#12 file could not be imported (%2).",
	    "Check the file and its password.", "nothing is imported" },

	LIFECYCLE(AE_EVENT_LIFECYCLE_SYSTEM),
	LIFECYCLE(AE_EVENT_LIFECYCLE_USER),
};
/* clang-format on */

const struct ae_event_def *
ae_event_row(size_t i)
{
	if (i >= sizeof(catalogue) / sizeof(catalogue[0]))
		return NULL;
	return &catalogue[i];
}
