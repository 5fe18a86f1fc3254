/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv revoke, and approving and denying of what waits.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "control.h"
#include "db/db.h"
#include "remote.h"

/* clang-format off */
static const struct option options[] = {
	{ "reason", required_argument, NULL, 'r' },
	{ "hold", no_argument, NULL, 'h' },
	{ "release", no_argument, NULL, 'u' },
	{ 0 },
};

/* RFC 5280 5.3.1, in the words of certutil -revoke. */
static const struct {
	const char *name;
	uint8_t reason;
} reasons[] = {
	{ "unspecified", 0 }, { "key-compromise", 1 }, { "ca-compromise", 2 },
	{ "affiliation-changed", 3 }, { "superseded", 4 },
	{ "cessation-of-operation", 5 },
};
/* clang-format on */

/* A request id (decimal) or a serial number (hex, at least 16 digits). */
static bool
which(const char *s, int64_t *id, uint8_t serial[AE_DB_SERIAL_MAX], size_t *len)
{
	size_t n = strlen(s);
	char *end;
	long long v = strtoll(s, &end, 10);

	*id = 0;
	*len = 0;
	if (n < 16) {
		*id = v;
		return n > 0 && *end == '\0' && v > 0 && v <= INT32_MAX;
	}
	while (n > 2 * AE_DB_SERIAL_MAX && strncmp(s, "00", 2) == 0) {
		s += 2;
		n -= 2;
	}
	*len = n / 2;
	return n % 2 == 0 && *len <= AE_DB_SERIAL_MAX &&
	    ae_hex_decode(serial, *len, s);
}

static int
reason_of(const char *s, uint8_t *out)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].name, s) == 0) {
			*out = reasons[i].reason;
			return EXIT_OK;
		}
	return cli_usage("revoke",
	    "--reason is unspecified, key-compromise, ca-compromise, "
	    "affiliation-changed, superseded or cessation-of-operation");
}

static int
done(const struct cli *cli, int64_t id, const char *what)
{
	if (cli->json)
		cli_print_json(json_pack(
		    "{s:I, s:s}", "id", (json_int_t)id, "disp", what));
	else if (id != 0)
		(void)printf(
		    "request %lld: %s\n", (long long)id, cli_safe(what));
	else
		(void)printf("the certificate is %s\n", cli_safe(what));
	return EXIT_OK;
}

/* Ask, and say what came of it. */
static int
run(struct cli *cli, enum msg type, const struct ae_wr *w)
{
	struct control_answer a = { .rc = AE_OK };
	struct ae_err e = AE_ERR_INIT;
	int rc = cli_conf(cli, &e);

	if (rc == AE_OK)
		rc = control_ask(cli, type, w, &a, &e);
	return rc == AE_OK ? done(cli, a.id, a.text) : cli_fail(cli, &e);
}

int
request_decide(struct cli *cli, bool approve, int64_t id)
{
	struct ae_err e = AE_ERR_INIT;
	struct remote *r = NULL;
	struct ae_wr w;
	int code, rc;

	if (cli->ca != NULL) {
		rc = remote_open(&r, cli, &e);
		if (rc == AE_OK)
			rc = remote_decide(r, id, approve, &e);
		remote_close(r);
		return rc == AE_OK
		    ? done(cli, id, approve ? "issued" : "denied")
		    : cli_fail(cli, &e);
	}
	ae_wr_init(&w, 8);
	ae_wr_u64(&w, (uint64_t)id);
	code = run(cli, approve ? MSG_ADMIN_APPROVE : MSG_ADMIN_DENY, &w);
	ae_wr_done(&w);
	return code;
}

/* At a CA on another host. */
static int
run_remote(struct cli *cli, int64_t id, const uint8_t *serial, size_t len,
    bool release, uint8_t reason)
{
	struct ae_err e = AE_ERR_INIT;
	struct remote *r = NULL;
	int rc = remote_open(&r, cli, &e);

	if (rc == AE_OK)
		rc = remote_revoke(
		    r, id, serial, len, release ? REMOTE_RELEASE : reason, &e);
	remote_close(r);
	return rc == AE_OK ? done(cli, id, release ? "released" : "revoked")
			   : cli_fail(cli, &e);
}

int
cmd_revoke(struct cli *cli, int argc, char **argv)
{
	uint8_t serial[AE_DB_SERIAL_MAX], reason = 0;
	bool release = false, said = false;
	struct ae_wr w;
	size_t len;
	int64_t id;
	int c, code;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return cli_usage("revoke", "unknown option");
		if (said)
			return cli_usage(
			    "revoke", "one of --reason, --hold and --release");
		said = true;
		release = c == 'u';
		if (c == 'h')
			reason = AE_DB_REASON_HOLD;
		if (c == 'r' && (code = reason_of(optarg, &reason)) != EXIT_OK)
			return code;
	}
	if (optind + 1 != argc || !which(argv[optind], &id, serial, &len))
		return cli_usage("revoke",
		    "which certificate? A request id, or a serial number in "
		    "hex");
	if (cli->ca != NULL)
		return run_remote(cli, id, serial, len, release, reason);
	ae_wr_init(&w, 64);
	ae_wr_u64(&w, (uint64_t)id);
	put_bytes(&w, serial, len);
	if (!release)
		ae_wr_u8(&w, reason);
	code = run(cli, release ? MSG_ADMIN_RELEASE : MSG_ADMIN_REVOKE, &w);
	ae_wr_done(&w);
	return code;
}
