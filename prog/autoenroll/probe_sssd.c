/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * SSSD, in the probe of other programs: its settings, and whether it is
 * online, which it tells root alone.
 *
 *   "sssd": { "installed": bool, "readable": bool, "domains": [ { "name",
 *           "provider", "renews_password": bool, "online": bool } ] }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diag/sssd_conf.h"
#include "probe.h"
#include "sys/exec.h"
#include "sys/files.h"

#define CONF "/etc/sssd/sssd.conf"
#define CONF_MAX (256u << 10)
#define SSSCTL "/usr/sbin/sssctl"
/* For all domains together: the probe itself has four seconds. */
#define ASK_MS 2500

/* What sssctl says of a domain, "Online status: Online"; NULL: nothing. */
static json_t *
online(const char *domain, int64_t ms)
{
	const char *const argv[] = { SSSCTL, "domain-status", domain,
		"--online", NULL };
	const char *const env[] = { "LC_ALL=C", NULL };
	struct ae_exec x = { .path = SSSCTL,
		.argv = argv,
		.env = env,
		.timeout_ms = ms,
		.drop_stderr = true };
	json_t *j = NULL;
	struct ae_wr out;
	const char *said;
	int status;

	ae_wr_init(&out, 4096);
	x.output = &out;
	if (ae_exec_run(&x, &status, NULL) == AE_OK && status == 0 &&
	    (said = ae_wr_cstr(&out)) != NULL &&
	    (said = strstr(said, "Online status: ")) != NULL)
		j = json_boolean(strstr(said, ": Online") != NULL);
	ae_wr_done(&out);
	return j;
}

static json_t *
domains(const char *conf)
{
	int64_t until = probe_now_us() / 1000 + ASK_MS, left;
	struct ae_sssd_domain *v = calloc(AE_SSSD_DOMAINS_MAX, sizeof(*v));
	json_t *list = json_array(), *j, *state;
	size_t n, i;

	n = v == NULL ? 0 : ae_sssd_domains(v, conf);
	for (i = 0; i < n; i++) {
		j = json_pack("{s:b}", "renews_password", v[i].renews_password);
		(void)json_object_set_new(j, "name", client_text(v[i].name));
		(void)json_object_set_new(
		    j, "provider", client_text(v[i].provider));
		left = until - probe_now_us() / 1000;
		/* A name that begins so would be an option. */
		if (geteuid() == 0 && left > 0 && v[i].name[0] != '-' &&
		    (state = online(v[i].name, left)) != NULL)
			(void)json_object_set_new(j, "online", state);
		(void)json_array_append_new(list, j);
	}
	free(v);
	return list;
}

void
probe_sssd(struct probe *p)
{
	json_t *j = json_pack("{s:b}", "installed",
	    access("/usr/sbin/sssd", F_OK) == 0 || access(CONF, F_OK) == 0);
	uint8_t *conf = NULL;
	size_t len;
	int rc = ae_file_read(&conf, &len, CONF, CONF_MAX, NULL);

	(void)json_object_set_new(
	    j, "readable", json_boolean(rc == AE_OK || rc == AE_ENOTFOUND));
	if (rc == AE_OK)
		(void)json_object_set_new(
		    j, "domains", domains((const char *)conf));
	free(conf);
	probe_set(p, "sssd", j);
}
