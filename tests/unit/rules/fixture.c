/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The world that policies are judged in; see fixture.h.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"

/* "CN=a;C=DE" */
static void
make_subject(struct ae_wr *w, const char *text)
{
	struct ae_name_part parts[ITEMS];
	char copy[512], *save = NULL, *p;
	size_t n = 0;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (p = strtok_r(copy, ";", &save); p != NULL;
	     p = strtok_r(NULL, ";", &save)) {
		parts[n].type = p;
		p = strchr(p, '=');
		*p = '\0';
		parts[n++].value = p + 1;
	}
	ae_wr_reset(w);
	assert_int_equal(ae_name_encode(w, parts, n, NULL), AE_OK);
}

/* "DNS:a;IP:1.2.3.4;UPN:x@y;MAIL:…;URI:…" */
static size_t
make_sans(struct world *w, const char *text)
{
	static const struct {
		const char *name;
		enum ae_san_type type;
	} types[] = { { "DNS:", AE_SAN_DNS }, { "UPN:", AE_SAN_UPN },
		{ "MAIL:", AE_SAN_EMAIL }, { "URI:", AE_SAN_URI },
		{ "IP:", AE_SAN_IP }, { "DIR:", AE_SAN_DN } };
	static struct ae_ip ip[ITEMS];
	char copy[512], *save = NULL, *p;
	size_t n = 0, i, len;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (p = strtok_r(copy, ";", &save); p != NULL;
	     p = strtok_r(NULL, ";", &save), n++)
		for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			len = strlen(types[i].name);
			if (strncmp(p, types[i].name, len) != 0)
				continue;
			(void)snprintf(
			    w->names[n], sizeof(w->names[n]), "%s", p + len);
			w->sans[n] = (struct ae_san){ .type = types[i].type,
				.text = w->names[n] };
			if (types[i].type == AE_SAN_IP) {
				assert_true(ae_ip_parse(&ip[n], p + len));
				w->sans[n].text = NULL;
				w->sans[n].der.p = ip[n].p;
				w->sans[n].der.len = ip[n].len;
			}
			if (types[i].type == AE_SAN_DN)
				w->sans[n].der =
				    (struct ae_der){ w->cert_subject.p,
					    w->cert_subject.len };
		}
	return n;
}

/* The policy that has these elements, about a request with these names. */
void
rx_prepare(struct world *w, const char *elements, const char *subject,
    const char *sans, const struct ae_csr_spec *more)
{
	struct ae_csr_spec spec = { .hash = AE_HASH_SHA256 };
	struct ae_err e = AE_ERR_INIT;
	char xml[4096];
	struct ae_wr csr;

	if (more != NULL)
		spec = *more;
	(void)snprintf(xml, sizeof(xml),
	    "<CertificateRequestPolicy>%s</CertificateRequestPolicy>",
	    elements);
	ae_rules_free(w->rules);
	w->rules = NULL;
	if (ae_rules_load(&w->rules, "T", xml, strlen(xml), &e) != AE_OK)
		fail_msg("%s in %s", e.text, xml);
	make_subject(&w->cert_subject, "CN=x");
	make_subject(&w->subject, subject);
	spec.subject = (struct ae_der){ w->subject.p, w->subject.len };
	spec.x.sans = w->sans;
	spec.x.nsans = make_sans(w, sans);
	ae_wr_init(&csr, 1 << 16);
	ae_csr_free(w->csr);
	w->csr = NULL;
	if (ae_csr_build(&csr, &spec, w->key, &e) != AE_OK ||
	    ae_csr_parse(&w->csr, csr.p, csr.len, &e) != AE_OK)
		fail_msg("%s", e.text);
	ae_wr_done(&csr);
	w->f.csr = w->csr;
	w->f.subject = w->csr->subject;
	w->f.sans = w->csr->x.sans;
	w->f.nsans = w->csr->x.nsans;
}

void
rx_judge(struct world *w)
{
	struct ae_err e = AE_ERR_INIT;

	ae_arena_reset(w->a);
	if (ae_rules_judge(&w->out, w->rules, &w->f, w->a, &e) != AE_OK)
		fail_msg("%s", e.text);
}

/* As a list: "check: text\n…". */
const char *
rx_violations(const struct world *w)
{
	static char out[8192];
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < w->out.n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s: %s\n",
		    w->out.violations[i].check, w->out.violations[i].text);
	return out;
}

void
rx_good(const struct world *w, const char *what)
{
	if (w->out.n != 0)
		fail_msg("%s: %s", what, rx_violations(w));
}

/* n violations, one of which has this code and text. */
void
rx_bad(const struct world *w, const char *what, size_t n, uint32_t hresult,
    const char *text)
{
	size_t i;

	for (i = 0; i < w->out.n; i++)
		if (strstr(w->out.violations[i].text, text) != NULL) {
			assert_int_equal(w->out.violations[i].hresult, hresult);
			if (w->out.n == n)
				return;
		}
	fail_msg(
	    "%s: not %zu with \"%s\": %s", what, n, text, rx_violations(w));
}

int
rx_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->a = ae_arena_new(1 << 20);
	assert_non_null(w->a);
	assert_int_equal(ae_key_generate(&w->key, AE_KEY_EC, 256, NULL), AE_OK);
	ae_wr_init(&w->subject, 4096);
	ae_wr_init(&w->cert_subject, 4096);
	*state = w;
	return 0;
}

int
rx_teardown(void **state)
{
	struct world *w = *state;

	ae_rules_free(w->rules);
	ae_csr_free(w->csr);
	ae_wr_done(&w->subject);
	ae_wr_done(&w->cert_subject);
	ae_key_free(w->key);
	ae_arena_free(w->a);
	free(w);
	return 0;
}

/* An object that all rules are content with. */
int
rx_fresh(void **state)
{
	static const struct ae_rules_value attributes[] = {
		{ "sAMAccountName", "jdoe" },
		{ "mail", "john@example.com" },
		{ "sn", "Doe" },
		{ "givenName", "John" },
		{ "department", "IT" },
		{ "c", "DE" },
		{ "displayName", "J\xc3\xb6hn Doe" },
		{ "pwdLastSet", "134344735400000000" }, /* 1790000000 - 60 s */
		{ "userPrincipalName", "john@example.com" },
		{ "info",
		    "0123456789012345678901234567890123456789"
		    "0123456789012345678901234567890123456789" },
	};
	static const char *const spns[] = { "HOST/pc1", "HOST/pc1.example.com",
		"http/www.example.com:8080", "ldap/dc1.example.com", "bad",
		"TERMSRV/a b" };
	static const char *spnv[6];
	static const uint8_t groups[] = { AE_RULES_GROUP_IN, AE_RULES_GROUP_OUT,
		AE_RULES_GROUP_OUT };
	struct world *w = *state;
	size_t i;

	for (i = 0; i < 6; i++)
		spnv[i] = spns[i];
	assert_true(ae_sid_parse(&w->sid, "S-1-5-21-1-2-3-1105"));
	w->o = (struct ae_rules_object){ .found = 1,
		.dn = "CN=John Doe,OU=People,OU=Staff,DC=example,DC=com",
		.sid = w->sid,
		.account_control = 0x200,
		.attributes = attributes,
		.nattributes = sizeof(attributes) / sizeof(attributes[0]),
		.spns = { spnv, 6 },
		.groups = groups,
		.ngroups = 3 };
	w->f = (struct ae_rules_facts){ .now = NOW,
		.supplied = true,
		.user = true,
		.wanted_key = AE_KEY_EC,
		.not_after = NOW + 365 * 86400,
		.object = &w->o };
	return 0;
}

bool
rx_has_san(const struct world *w, const char *text)
{
	char ip[AE_IP_STR_MAX];
	size_t i;

	for (i = 0; i < w->out.nsans; i++) {
		const struct ae_san *s = &w->out.sans[i];

		if (s->type == AE_SAN_IP
			? strcmp(ae_ip_print(ip, s->der.p, s->der.len), text) ==
			    0
			: s->text != NULL && strcmp(s->text, text) == 0)
			return true;
	}
	return false;
}
