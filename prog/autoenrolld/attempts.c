/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Attempts as JSON; see attempts.h.
 */
#include "attempts.h"

#include "client.h"

static json_t *
stage_json(const struct ae_run_stage *s)
{
	json_t *j =
	    json_pack("{s:s, s:s, s:f}", "stage", ae_run_stage_name(s->kind),
		"what", s->what, "ms", (double)s->us / 1000.0);

	if (j == NULL || s->err.rc == AE_OK)
		return j;
	(void)json_object_set_new(j, "error", client_text(s->err.text));
	(void)json_object_set_new(j, "rc", json_string(ae_rc_name(s->err.rc)));
	(void)json_object_set_new(
	    j, "domain", json_string(ae_dom_name(s->err.dom)));
	(void)json_object_set_new(j, "code", json_integer(s->err.code));
	return j;
}

json_t *
attempts_to_json(const struct ae_run_ca *ca, const char *config)
{
	const struct ae_run_trace *trace = ae_run_ca_trace(ca);
	const struct ae_run_attempt *v;
	json_t *list = json_array();
	size_t n, i, k, first;

	v = ae_run_ca_attempts(ca, &n);
	for (i = 0; i < n; i++) {
		json_t *stages = json_array();
		json_t *j = json_pack("{s:s, s:s}", "ca", config, "transport",
		    ae_run_transport_name(v[i].transport));

		/* What came before the first attempt, the name, is its too. */
		first = i == 0 ? 0 : v[i].first_stage;
		for (k = first; k < v[i].first_stage + v[i].nstages; k++)
			(void)json_array_append_new(
			    stages, stage_json(&trace->v[k]));
		if (v[i].err.rc != AE_OK)
			(void)json_object_set_new(
			    j, "error", client_text(v[i].err.text));
		(void)json_object_set_new(j, "stages", stages);
		(void)json_array_append_new(list, j);
	}
	return list;
}
