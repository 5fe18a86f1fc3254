/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Dates that a request asks for by its attributes (MS-WCCE 3.2.1.4.2.1.2, and
 * StartDate of TameMyCerts), where the CA's configuration accepts them.  They
 * only ever make a certificate's time shorter.
 */
#include <stdlib.h>

#include "base/time.h"
#include "ca/work.h"

#define SECTION "MS-WCCE 3.2.1.4.2.1.2"
#define CHECK "request.dates"
#define UNITS_MAX 100000 /* whatever the unit: more than any CA's life */

static int
refuse(struct ae_ca_work *w, const char *attribute, const char *value,
    const char *why)
{
	return ae_ca_stop(w, AE_CA_DENY, AE_HR_E_INVALID_TIME, CHECK, SECTION,
	    "%s with value %s: %s", attribute, ae_ca_quote(w, value), why);
}

/* "Weeks" and how many; false: they make no sense. */
static bool
period_end(int64_t *end, int64_t from, const char *unit, const char *count)
{
	static const struct {
		const char *unit;
		int seconds, months;
	} units[] = {
		{ "Seconds", 1, 0 },
		{ "Minutes", 60, 0 },
		{ "Hours", 3600, 0 },
		{ "Days", 86400, 0 },
		{ "Weeks", 7 * 86400, 0 },
		{ "Months", 0, 1 },
		{ "Years", 0, 12 },
	};
	char *rest;
	long n;
	size_t i;

	if (unit == NULL || count == NULL || *count < '0' || *count > '9')
		return false;
	n = strtol(count, &rest, 10);
	if (*rest != '\0' || n < 1 || n > UNITS_MAX)
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ae_str_eq_nocase(units[i].unit, unit)) {
			*end = ae_time_add_months(
			    from + n * (int64_t)units[i].seconds,
			    (int)n * units[i].months);
			return true;
		}
	return false;
}

static int
beginning(struct ae_ca_work *w, int64_t *from, int64_t to)
{
	const char *value = ae_wcce_attrs_get(&w->d->attrs, "startdate");
	int64_t t;

	if (value == NULL)
		return AE_CA_GO;
	if (!ae_time_parse_http(&t, value))
		return refuse(w, "StartDate", value, "no date of RFC 2616");
	if (t < w->in->now)
		return refuse(w, "StartDate", value, "it has passed");
	if (t >= to)
		return refuse(w, "StartDate", value,
		    "the certificate would have ended by then");
	*from = t;
	ae_ca_note(w, CHECK, SECTION, "it begins when the request says");
	return AE_CA_GO;
}

static int
ending(struct ae_ca_work *w, int64_t from, int64_t *to)
{
	const struct ae_wcce_attrs *l = &w->d->attrs;
	const char *date = ae_wcce_attrs_get(l, "expirationdate");
	const char *unit = ae_wcce_attrs_get(l, "validityperiod");
	const char *count = ae_wcce_attrs_get(l, "validityperiodunits");
	int64_t t;

	if (date != NULL) {
		if (!ae_time_parse_http(&t, date))
			return refuse(
			    w, "ExpirationDate", date, "no date of RFC 2616");
		if (t <= w->in->now || t <= from)
			return refuse(w, "ExpirationDate", date,
			    "nothing would be left of the certificate");
	} else if (unit == NULL && count == NULL) {
		return AE_CA_GO;
	} else if (!period_end(&t, from, unit, count)) {
		return refuse(w, "ValidityPeriod", unit != NULL ? unit : count,
		    "no unit and number of them that can be");
	} else if (t <= w->in->now) {
		return refuse(
		    w, "ValidityPeriod", unit, "it would have ended already");
	}
	ae_ca_note(w, CHECK, SECTION, "%s",
	    t < *to ? "it ends when the request says"
		    : "the request asks for no earlier end");
	if (t < *to)
		*to = t;
	return AE_CA_GO;
}

int
ae_ca_requested_dates(struct ae_ca_work *w, int64_t *from, int64_t *to)
{
	int step;

	if (!w->cfg->request_dates)
		return AE_CA_GO;
	step = beginning(w, from, *to);
	return step == AE_CA_GO ? ending(w, *from, to) : step;
}
