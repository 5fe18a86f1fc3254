/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * GetConfigEntry (MS-CSRA 3.1.4.2.14): entries of a Windows CA's registry
 * that mean something here, from our own configuration.  Numbers and text
 * only; what would be an array, lists of names among it, is not there.
 */
#include "admin.h"
#include "base/str.h"
#include "wcce/hresult.h"

#define HR_FILE_NOT_FOUND 0x80070002u
#define DAY 86400
#define HOUR 3600

#define ROOT_CA 0u /* ENUM_ENTERPRISE_ROOTCA, MS-WCCE 2.2.2.4 */
#define SUB_CA 1u
#define IF_ENFORCE 0x600u /* requests and administration are sealed */
#define AUDIT_ALL 0x7fu
#define VERSION_2016 0x00070001u
#define SERVER_INSTALLED 0x1u

static void
number(struct manage *m, uint32_t n)
{
	m->reply.vt = AE_ADMIN_VT_I4;
	m->reply.n = n;
}

static void
text(struct manage *m, const char *s)
{
	m->reply.vt = AE_ADMIN_VT_BSTR;
	m->reply.text = s;
}

/* A span in the largest unit that it is whole in. */
static void
span(struct manage *m, int64_t seconds, bool units)
{
	const bool days = seconds % DAY == 0, hours = seconds % HOUR == 0;

	if (!units)
		text(m, days ? "Days" : hours ? "Hours" : "Seconds");
	else
		number(m,
		    (uint32_t)(seconds /
			(days		? DAY
				: hours ? HOUR
					: 1)));
}

static void
common_name(struct manage *m)
{
	text(m, m->ca->p->conf.name);
}

static void
server_name(struct manage *m)
{
	text(m, m->ca->p->conf.dns_name);
}

static void
ca_type(struct manage *m)
{
	number(m, m->ca->info.root ? ROOT_CA : SUB_CA);
}

static void
one(struct manage *m)
{
	number(m, 1);
}

static void
zero(struct manage *m)
{
	number(m, 0);
}

static void
interface_flags(struct manage *m)
{
	number(m, IF_ENFORCE);
}

static void
audit(struct manage *m)
{
	number(m, AUDIT_ALL);
}

static void
separation(struct manage *m)
{
	number(m, m->ca->p->conf.role_separation);
}

static void
skew(struct manage *m)
{
	number(m, (uint32_t)(m->ca->p->conf.clock_skew / 60));
}

static void
crl_period(struct manage *m)
{
	span(m, m->ca->p->conf.crl_period, false);
}

static void
crl_period_units(struct manage *m)
{
	span(m, m->ca->p->conf.crl_period, true);
}

static void
validity(struct manage *m)
{
	span(m, m->ca->p->conf.max_validity, false);
}

static void
validity_units(struct manage *m)
{
	span(m, m->ca->p->conf.max_validity, true);
}

static void
policy(struct manage *m)
{
	text(m, m->ca->info.policy);
}

static void
version(struct manage *m)
{
	number(m, VERSION_2016);
}

static void
setup_status(struct manage *m)
{
	number(m, SERVER_INSTALLED);
}

/* clang-format off */
static const struct {
	bool ca; /* below the CA's node, and not at the root */
	const char *node, *entry;
	void (*get)(struct manage *m);
} entries[] = {
	{ false, "", "Version", version },
	{ false, "", "SetupStatus", setup_status },
	{ true, "", "CommonName", common_name },
	{ true, "", "CAServerName", server_name },
	{ true, "", "CAType", ca_type },
	{ true, "", "UseDS", one },
	{ true, "", "KRAFlags", zero },
	{ true, "", "InterfaceFlags", interface_flags },
	{ true, "", "AuditFilter", audit },
	{ true, "", "RoleSeparationEnabled", separation },
	{ true, "", "ClockSkewMinutes", skew },
	{ true, "", "CRLPeriod", crl_period },
	{ true, "", "CRLPeriodUnits", crl_period_units },
	{ true, "", "ValidityPeriod", validity },
	{ true, "", "ValidityPeriodUnits", validity_units },
	{ true, "PolicyModules", "Active", policy },
};
/* clang-format on */

void
admin_config_entry(struct manage *m)
{
	const bool ca = m->q.authority != NULL && m->q.authority[0] != '\0';
	const char *node = m->q.text != NULL ? m->q.text : "";
	size_t i;

	if ((!ca && node[0] != '\0') || m->q.entry == NULL) {
		m->reply.hresult = AE_HR_E_INVALIDARG; /* rule 3 */
		return;
	}
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (entries[i].ca == ca &&
		    ae_str_eq_nocase(entries[i].node, node) &&
		    ae_str_eq_nocase(entries[i].entry, m->q.entry)) {
			entries[i].get(m);
			return;
		}
	m->reply.hresult = HR_FILE_NOT_FOUND;
}
