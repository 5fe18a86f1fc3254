/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll policy: what group policy and the local layer say, and setting
 * the local layer.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../autoenrolld/eventlog.h"
#include "../autoenrolld/pulse.h"
#include "cli.h"
#include "policy/local.h"
#include "sys/files.h"

static const char *
text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s == NULL ? "" : cli_safe(s);
}

static long long
number(const json_t *j, const char *key)
{
	return (long long)json_integer_value(json_object_get(j, key));
}

/* "from the GPO X", "from policy.conf", … */
static void
print_origin(const json_t *policy, const char *source, const char *gpo)
{
	static const char *const words[][2] = {
		{ "default", "nobody set it" },
		{ "local", "from the local layer, policy.conf" },
		{ "user", "from the user's own policy.conf" },
	};
	const char *from = text(policy, source);
	size_t i;

	if (strcmp(from, "gpo") == 0) {
		(void)printf("  (GPO %s)\n", text(policy, gpo));
		return;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(from, words[i][0]) == 0)
			(void)printf("  (%s)\n", words[i][1]);
}

static void
print_age(const json_t *policy)
{
	long long age = number(policy, "age");

	if (json_is_true(json_object_get(policy, "fresh"))) {
		(void)printf("as %s gave it now\n", text(policy, "dc"));
		return;
	}
	(void)printf("as %s gave it at %s, ", text(policy, "dc"),
	    text(policy, "read_at"));
	if (age >= 2 * 86400)
		(void)printf("%lld days ago\n", age / 86400);
	else if (age >= 2 * 3600)
		(void)printf("%lld hours ago\n", age / 3600);
	else if (age >= 120)
		(void)printf("%lld minutes ago\n", age / 60);
	else
		(void)printf("%lld seconds ago\n", age);
	(void)printf("nothing newer:  %s\n", text(policy, "not_fresh_because"));
}

static void
print_aepolicy(const json_t *policy)
{
	const json_t *bit;
	size_t i;

	(void)printf("\nAEPolicy        ");
	if (json_is_true(json_object_get(policy, "aepolicy_set")))
		(void)printf("0x%llx: %s", number(policy, "aepolicy"),
		    text(policy, "text"));
	else
		(void)printf("not configured: nothing is requested, renewed or "
			     "fetched");
	print_origin(policy, "source", "gpo");
	json_array_foreach(json_object_get(policy, "bits"), i, bit)(void)
	    printf("  %-6s %-3s    %s\n", text(bit, "bit"),
		json_is_true(json_object_get(bit, "set")) ? "yes" : "no",
		text(bit, "text"));
}

static void
print_others(const json_t *policy)
{
	const json_t *store;
	size_t i;

	(void)printf(
	    "Expiry          warn when %lld %% of the lifetime are left",
	    number(policy, "expiry_percent"));
	print_origin(policy, "expiry_percent_source", "expiry_percent_gpo");
	(void)printf("Stores watched ");
	json_array_foreach(json_object_get(policy, "expiry_stores"), i, store)(
	    void) printf(" %s", cli_safe(json_string_value(store)));
	print_origin(policy, "expiry_stores_source", "expiry_stores_gpo");
	(void)printf("LogLevel        %lld", number(policy, "log_level"));
	print_origin(policy, "log_level_source", "log_level_gpo");
	(void)printf("Pending         given up after %lld days",
	    number(policy, "max_pending_days"));
	print_origin(policy, "max_pending_days_source", "max_pending_days_gpo");
	if (strcmp(text(policy, "loopback"), "off") != 0)
		(void)printf("Loopback        %s  (GPO %s)\n",
		    text(policy, "loopback"), text(policy, "loopback_gpo"));
	if (json_object_get(policy, "loopback_note") != NULL)
		(void)printf(
		    "Loopback        %s\n", text(policy, "loopback_note"));
}

static void
print_servers(const json_t *policy)
{
	const json_t *list = json_object_get(policy, "policy_servers");
	const json_t *check = json_object_get(policy, "policy_servers_check");
	const json_t *p;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	(void)printf("\nPolicy servers\n");
	json_array_foreach(list, i, p)(void)
	    printf("  %s %s: %s  (cost %lld, %s, GPO %s)\n",
		strcmp(text(p, "verdict"), "used") == 0 ? "+" : "-",
		text(p, "url"), text(p, "text"), number(p, "cost"),
		text(p, "policy_id"), text(p, "gpo"));
	if (check != NULL)
		(void)printf(
		    "  %s: %s\n", text(check, "check"), text(check, "text"));
}

static const char *
scope_of(const json_t *g)
{
	static const char *const words[][2] = { { "ou", "OU" },
		{ "domain", "domain" }, { "site", "site" } };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text(g, "scope_kind"), words[i][0]) == 0)
			return words[i][1];
	return "";
}

static void
print_gpo(const json_t *g)
{
	(void)printf("    %s%s\n", text(g, "name"),
	    json_is_true(json_object_get(g, "winner")) ? "  <- AEPolicy" : "");
	(void)printf("        linked to %s %s%s%s\n", scope_of(g),
	    text(g, "scope"),
	    json_is_true(json_object_get(g, "enforced")) ? ", enforced" : "",
	    json_is_true(json_object_get(g, "loopback"))
		? ", of the computer by loopback"
		: "");
	if (strcmp(text(g, "verdict"), "applies") != 0)
		(void)printf("        %s%s%s\n", text(g, "text"),
		    text(g, "detail")[0] ? ": " : "", text(g, "detail"));
	if (text(g, "wmi_filter")[0] != '\0')
		(void)printf("        its WMI filter %s is not evaluated: "
			     "taken as true\n",
		    text(g, "wmi_filter"));
}

/* The last that applies is the first of "gpresult /R". */
static void
print_gpos(const json_t *policy)
{
	const json_t *list = json_object_get(policy, "gpos"), *g;
	size_t i, n = json_array_size(list), applied = 0, denied = 0;

	(void)printf("\nApplied group policy objects, the strongest first\n");
	for (i = n; i-- > 0;) {
		g = json_array_get(list, i);
		if (strcmp(text(g, "verdict"), "applies") == 0) {
			print_gpo(g);
			applied++;
		}
	}
	if (applied == 0)
		(void)printf("    none\n");
	(void)printf("\nGroup policy objects that were passed over\n");
	json_array_foreach(list, i, g)
	{
		if (strcmp(text(g, "verdict"), "applies") != 0) {
			print_gpo(g);
			denied++;
		}
	}
	if (denied == 0)
		(void)printf("    none\n");
}

static void
show(const json_t *report, const json_t *policy, bool verbose)
{
	const json_t *logon = json_object_get(report, "logon");

	(void)printf("Policy of %s, ",
	    strcmp(text(policy, "context"), "user") == 0 ? "this user"
							 : "this computer");
	print_age(policy);
	if (logon != NULL)
		(void)printf(
		    "%s: %s\n", text(logon, "check"), text(logon, "text"));
	print_aepolicy(policy);
	print_others(policy);
	print_servers(policy);
	if (verbose)
		print_gpos(policy);
}

static int
cmd_show(struct cli *cli, bool user, bool verbose)
{
	struct pulse_options o = { .dry_run = true };
	struct ae_err e = AE_ERR_INIT;
	json_t *report = NULL, *policy, *logon;
	int rc;

	if (!user && geteuid() != 0) {
		(void)fprintf(stderr,
		    "autoenroll policy: the machine's policy is read with its "
		    "keytab; run it as root, or with --user for your own\n");
		return EXIT_LOCAL;
	}
	rc = pulse_run(&cli->c, &o, &report, &e);
	policy = json_object_get(report, "policy");
	/* What is kept of the last time is an answer, too. */
	if (policy == NULL) {
		json_decref(report);
		return cli_fail(cli, &e);
	}
	logon = json_object_get(report, "logon");
	if (cli->json) {
		if (logon != NULL)
			(void)json_object_set(policy, "logon", logon);
		cli_print_json(policy);
	} else {
		show(report, policy, verbose);
	}
	json_decref(report);
	return rc == AE_OK || e.rc != AE_ENOMEM ? EXIT_OK : EXIT_LOCAL;
}

/* NAME=VALUE, NAME=default; *edited is the file with it. */
static int
edit(struct ae_wr *edited, const uint8_t *old, size_t len, const char *section,
    const char *word)
{
	struct ae_strv values = { 0 };
	char name[64], *copy, *rest, *value;
	const char *eq = strchr(word, '='), *key;
	bool list = false;

	if (eq == NULL || (size_t)(eq - word) >= sizeof(name))
		return cli_usage(
		    "policy", "expected NAME=VALUE, not '%s'", cli_safe(word));
	(void)snprintf(name, sizeof(name), "%.*s", (int)(eq - word), word);
	key = ae_local_key(name, &list);
	if (key == NULL)
		return cli_usage("policy",
		    "'%s' cannot be set: AEPolicy, OfflineExpirationPercent, "
		    "OfflineExpirationStoreNames, LogLevel and "
		    "MaxPendingRequestDays can",
		    cli_safe(name));
	if ((copy = strdup(eq + 1)) == NULL)
		return EXIT_LOCAL;
	rest = strcmp(copy, "default") == 0 ? NULL : copy;
	while (rest != NULL &&
	    (value = list ? strsep(&rest, ";") : strsep(&rest, "")) != NULL)
		if (*value != '\0' || !list)
			(void)ae_strv_add(&values, value);
	ae_local_edit(edited, (const char *)old, len, section, key,
	    (const char *const *)values.v, values.n);
	ae_strv_done(&values);
	free(copy);
	return EXIT_OK;
}

/* A file that a run would refuse is not written. */
static int
check(struct cli *cli, const char *path, const struct ae_wr *w, uint32_t *level)
{
	struct ae_local_policy l;
	struct ae_err e = AE_ERR_INIT;

	if (!ae_wr_ok(w)) {
		(void)ae_fail_mem(&e);
		return cli_fail(cli, &e);
	}
	if (ae_local_policy_parse(&l, path, (const char *)w->p, w->len, &e) !=
	    AE_OK)
		return cli_fail(cli, &e);
	*level = l.computer.log_level;
	ae_local_policy_done(&l);
	return EXIT_OK;
}

static int
write_conf(struct cli *cli, const char *path, const struct ae_wr *w)
{
	struct ae_err e = AE_ERR_INIT;
	char *dir = strdup(path);
	int rc;

	if (dir != NULL)
		*strrchr(dir, '/') = '\0';
	rc = dir == NULL ? ae_fail_mem(&e) : ae_file_mkdirs(dir, 0755, &e);
	if (rc == AE_OK)
		rc = ae_file_write(path, w->p, w->len, 0644, &e);
	free(dir);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}

static void
say_written(const struct cli *cli, const char *path)
{
	json_t *j;

	if (!cli->json) {
		(void)printf(
		    "written to %s; it overrides group policy here\n", path);
		return;
	}
	j = json_pack("{s:s}", "path", path);
	cli_print_json(j);
	json_decref(j);
}

static int
cmd_set(struct cli *cli, bool user, int argc, char **argv)
{
	/* The administrator's file has both sections; a user has his own. */
	const bool own = user && geteuid() != 0;
	const char *path = own ? cli->c.user_policy_path : cli->c.policy_path;
	const char *section = user ? "user" : "computer";
	struct ae_err e = AE_ERR_INIT;
	uint32_t level = AE_LOCAL_UNSET;
	uint8_t *old = NULL;
	struct ae_wr a, b;
	size_t len = 0;
	int i, code = EXIT_OK;

	if (argc == 0)
		return cli_usage("policy", "expected NAME=VALUE");
	if (!user && geteuid() != 0) {
		(void)fprintf(stderr,
		    "autoenroll policy: %s is root's; use --user for your "
		    "own\n",
		    path);
		return EXIT_LOCAL;
	}
	if (ae_file_read(&old, &len, path, AE_LOCAL_FILE_MAX, &e) != AE_OK &&
	    e.rc != AE_ENOTFOUND)
		return cli_fail(cli, &e);
	ae_wr_init(&a, AE_LOCAL_FILE_MAX);
	ae_wr_init(&b, AE_LOCAL_FILE_MAX);
	ae_wr_bytes(&a, old, len);
	free(old);
	for (i = 0; i < argc && code == EXIT_OK; i++) {
		ae_wr_reset(&b);
		code = edit(&b, a.p, a.len, section, argv[i]);
		ae_wr_reset(&a);
		ae_wr_bytes(&a, b.p, b.len);
	}
	if (code == EXIT_OK)
		code = check(cli, path, &a, &level);
	if (code == EXIT_OK)
		code = write_conf(cli, path, &a);
	if (code == EXIT_OK && !user && level != AE_LOCAL_UNSET)
		eventlog_set_policy_level(&cli->c, (int)level);
	if (code == EXIT_OK)
		say_written(cli, path);
	ae_wr_done(&a);
	ae_wr_done(&b);
	return code;
}

int
cmd_policy(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct ae_err e = AE_ERR_INIT;
	bool verbose = false, user = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "v", options, NULL)) != -1) {
		if (opt == 'v')
			verbose = true;
		else if (opt == 'u')
			user = true;
		else if (opt == 'j')
			cli->json = true;
		else
			return cli_usage("policy", "unknown option");
	}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return cli_usage("policy", "expected 'show' or 'set'");
	if (user && cli_for_user(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	if (strcmp(argv[0], "show") == 0 && argc == 1)
		return cmd_show(cli, user, verbose);
	if (strcmp(argv[0], "set") == 0)
		return cmd_set(cli, user, argc - 1, argv + 1);
	return cli_usage("policy", "expected 'show' or 'set NAME=VALUE'");
}
