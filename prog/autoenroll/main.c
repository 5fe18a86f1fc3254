/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * autoenroll: the command line of the auto-enrollment client.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "../autoenrolld/roles.h"
#include "cli.h"

/* clang-format off */
const struct cli_command cli_commands[] = {
	{ "diagnose", cmd_diagnose, "why are there no certificates, or soon none: name the cause",
	  "usage: autoenroll diagnose [--user [NAME] | --machine] [-T TEMPLATE] [--ca 'HOST\\NAME']\n"
	  "                           [--live] [--html FILE] [--lang en|fr] [-v] [--json]\n"
	  "       autoenroll diagnose --host HOST [--host HOST]... [options]\n"
	  "       autoenroll diagnose --from-csv FILE|DIR|-... [--lang en|fr] [-v] [--json]\n"
	  "\n"
	  "Walks the way of a request from policy to CA without making one, and names the\n"
	  "one cause, what was seen, the fix and who can make it. Changes nothing. What\n"
	  "could not be looked at is said to be unknown. Exit code 1: there is a cause.\n"
	  "\n"
	  "  --machine       this computer's certificates (default for root)\n"
	  "  --user          your own (default for everybody else); root may name another's\n"
	  "  -T, --template  why not this one?\n"
	  "  --ca            look at the way to this CA only\n"
	  "  --live          make one request, for -T or the first that is due, as a run\n"
	  "                  does, and explain the answer: leaves a row at the CA, and what\n"
	  "                  is issued is installed\n"
	  "  --html          also write a page to hand to whoever must put it right\n"
	  "  --host          the same on that machine, by ssh, several side by side; one that\n"
	  "                  lacks this program gets it for the time of the run. No agent and\n"
	  "                  no ticket is forwarded: log in as who administers that machine,\n"
	  "                  not as a domain administrator\n"
	  "  --lang          language of the sentences; otherwise the locale's\n"
	  "  -v, --verbose   every check, and how long each look took; with --json all facts\n"
	  "  --from-csv      judge the events that Windows hosts exported (Export-Csv), or\n"
	  "                  'autoenroll events --csv'; several files: hosts by cause\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll diagnose\n"
	  "  autoenroll diagnose --user alice -T User --html /tmp/alice.html\n"
	  "  autoenroll diagnose --host pc1 --host pc2 --json | jq '.[].root.check_id'\n"
	  "  autoenroll diagnose --from-csv PC1_ClientEvents.csv\n" },
	{ "explain", cmd_explain, "what a code, an event, a check or a message means here",
	  "usage: autoenroll explain [--lang en|fr] [--json] [--] WHAT...\n"
	  "\n"
	  "WHAT is an HRESULT or Win32 code in hexadecimal or decimal, a symbol, a Kerberos\n"
	  "or LDAP code (KRB 7, LDAP 49), an event with or without its source (CE 13), a\n"
	  "check id, or a message in English, French or German in which they are. Without\n"
	  "WHAT, or with -, it is read from standard input.\n"
	  "\n"
	  "Shown are the meaning, the possible causes and the questions that tell them\n"
	  "apart, and what to run next. Nothing is asked of anybody. Exit code 3: nothing\n"
	  "in it is known.\n"
	  "\n"
	  "  --lang  language of the sentences; otherwise the locale's\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll explain 0x80094012\n"
	  "  autoenroll explain CE 47\n"
	  "  autoenroll explain token.group-not-in-ticket\n"
	  "  autoenroll explain --lang fr RPC_S_SERVER_UNAVAILABLE\n"
	  "  xclip -o | autoenroll explain\n" },
	{ "pulse", cmd_pulse, "run auto-enrollment now",
	  "usage: autoenroll pulse [--user] [--wait] [--dry-run] [--refresh-policy]\n"
	  "                        [--trigger NAME] [--quiet | --verbose] [--json]\n"
	  "\n"
	  "Reads group policy, templates and permissions, requests what is missing and\n"
	  "installs it. Asks autoenrolld when it runs, otherwise does the run itself.\n"
	  "\n"
	  "  --user            your own certificates, with your ticket; needs no root\n"
	  "  --wait            wait for the run to end and show what came of it\n"
	  "  --dry-run         show the plan and its reasons; request and change nothing\n"
	  "  --refresh-policy  read group policy again even if it did not change\n"
	  "  --trigger         for timers and hooks, what happened: start, logon, schedule,\n"
	  "                    policy (runs if it did change), network (runs if the last run\n"
	  "                    was deferred, or is an hour old), due (what the schedule has)\n"
	  "  --quiet           do not show what a run is doing while it is waited for\n"
	  "  --verbose         show it even if standard error is no terminal\n"
	  "  --json            print the report as JSON\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll pulse --wait\n"
	  "  autoenroll pulse --dry-run --json | jq '.plan[] | select(.action == \"enroll\")'\n" },
	{ "enroll", cmd_enroll, "request one certificate by hand, renew one, or enroll for somebody",
	  "usage: autoenroll enroll -T TEMPLATE [--ca 'HOST\\NAME'] [--subject DN]\n"
	  "                         [--dns NAME]... [--upn NAME]... [--key KEY]\n"
	  "                         [--friendly-name TEXT] [--quiet | --verbose] [--user] [--json]\n"
	  "       autoenroll enroll --renew CERT [--reuse-key] [--ca 'HOST\\NAME'] [--user] [--json]\n"
	  "       autoenroll enroll -T TEMPLATE --on-behalf-of 'DOMAIN\\NAME' --agent CERT\n"
	  "                         [--ca 'HOST\\NAME'] [--user] [--json]\n"
	  "\n"
	  "  -T, --template  common name of the template\n"
	  "  --ca            ask this CA only\n"
	  "  --subject       subject, most specific part first: 'CN=www.example.com'\n"
	  "  --dns, --upn    alternative names, may be repeated\n"
	  "  --key           use this key: a file in PEM, or a pkcs11: URI\n"
	  "  --friendly-name shown by 'store list', kept when it is renewed\n"
	  "  --renew         the certificate to renew; its key signs the request\n"
	  "  --reuse-key     keep the key of the certificate that is renewed\n"
	  "  --on-behalf-of  who gets the certificate\n"
	  "  --agent         the enrollment agent certificate that signs for him\n"
	  "  --quiet         do not show what is being done\n"
	  "  --verbose       show it even if standard error is no terminal\n"
	  "  --user          for yourself instead of this machine\n"
	  "\n"
	  "CERT is a template (its current certificate), template/number or a thumbprint.\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll enroll -T WebServer --subject CN=www.example.com --dns www.example.com\n"
	  "  autoenroll enroll --renew WebServer --reuse-key\n"
	  "  autoenroll enroll -T SmartcardUser --on-behalf-of 'EXAMPLE\\alice' --agent EnrollmentAgent\n" },
	{ "request", cmd_request, "make a request for a CA that somebody carries it to",
	  "usage: autoenroll request new -T TEMPLATE --out FILE [--subject DN] [--dns NAME]...\n"
	  "                              [--upn NAME]... [--key KEY | --renew CERT [--reuse-key]]\n"
	  "                              [--friendly-name TEXT] [--user] [--json]\n"
	  "\n"
	  "The key is made and kept here; FILE gets the request as PEM. 'install' takes\n"
	  "the certificate that comes back.\n"
	  "\n"
	  "  -T, --template  common name of the template\n"
	  "  --out           where the request goes\n"
	  "  --key           use this key: a file in PEM, or a pkcs11: URI\n"
	  "  --friendly-name shown by 'store list'\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll request new -T WebServer --subject CN=www.example.com --out www.req\n"
	  "  autoenroll submit --ca 'ca1.example.com\\Example CA' --out www.pem www.req\n"
	  "  autoenroll install www.pem\n" },
	{ "install", cmd_install, "install a certificate for a request that is kept here",
	  "usage: autoenroll install [--user] [--json] FILE\n"
	  "\n"
	  "FILE is a certificate (PEM or DER, others may come along) or a CA's CMS answer.\n"
	  "It is judged as if the CA had sent it: key, template, names, trust.\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll install www.pem\n" },
	{ "submit", cmd_submit, "send a request in a file to a CA",
	  "usage: autoenroll submit --ca 'HOST\\NAME' [-a NAME=VALUE]... [--transport dcom|icpr]\n"
	  "                         [--out FILE] [--json] FILE\n"
	  "\n"
	  "  -a, --attribute  a request attribute, for example CertificateTemplate=WebServer\n"
	  "  --transport      only this one; otherwise DCOM, then ICPR\n"
	  "  --out            where the certificate goes; otherwise standard output\n"
	  "\n"
	  "FILE is PKCS#10, CMS or CMC, DER or PEM. With root's rights it is sent as the\n"
	  "machine, otherwise with your ticket. Exit code 9: the request is pending.\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll submit --ca 'ca1.example.com\\Example CA' -a CertificateTemplate=WebServer www.csr\n" },
	{ "retrieve", cmd_retrieve, "fetch the certificate of a request that was pending",
	  "usage: autoenroll retrieve --ca 'HOST\\NAME' [--transport dcom|icpr] [--out FILE] [--json] ID\n"
	  "\n"
	  "Requests that auto-enrollment made are fetched by 'autoenroll pulse' itself.\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll retrieve --ca 'ca1.example.com\\Example CA' --out www.pem 17\n" },
	{ "templates", cmd_templates, "list templates, with --explain why each is or is not requested",
	  "usage: autoenroll templates [--explain] [--all] [--user] [--json] [TEMPLATE]\n"
	  "\n"
	  "  --explain  every check that was made for every template, in order\n"
	  "  --all      also templates for another kind of account; --explain has them\n"
	  "  --user     what you would get instead of this machine\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll templates --explain Workstation\n" },
	{ "groups", cmd_groups, "the groups in the ticket beside those of the directory",
	  "usage: autoenroll groups [--user] [--json]\n"
	  "\n"
	  "The client decides by the groups the directory knows, a CA by those in the\n"
	  "ticket, which are as old as the ticket. Exit code 1: they differ.\n"
	  "\n"
	  "  --user  your own ticket instead of this machine's\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll groups --user\n" },
	{ "store", cmd_store, "show the certificates of this machine and test their keys",
	  "usage: autoenroll store list [--archived | --all] [-v] [--user] [--json]\n"
	  "\n"
	  "Each private key is tried: it signs, and the certificate's public key verifies.\n"
	  "Whether a certificate is revoked is as the last run read it in the directory;\n"
	  "nobody is asked here.\n"
	  "\n"
	  "  --archived  also those that are no longer current\n"
	  "  --all       these and the requests under way\n"
	  "  -v          all that is known of each\n"
	  "  --user      your own\n" },
	{ "status", cmd_status, "for monitoring: are the certificates and the runs all right",
	  "usage: autoenroll status [--warn DAYS|PERCENT%] [--prometheus FILE] [--nagios]\n"
	  "                         [--user] [--json]\n"
	  "\n"
	  "One line for each certificate and one for the runs; exit code 1 when one of them\n"
	  "is not as it should be.\n"
	  "\n"
	  "  --warn        warn when less is left: 30 (days), 10% (of the lifetime; default)\n"
	  "  --prometheus  write FILE, in one step, for node_exporter's textfile collector\n"
	  "  --nagios      one line and the exit codes of a plugin: 0, 1, 2, 3\n"
	  "  --user        your own\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll status --warn 30\n"
	  "  autoenroll status --prometheus /var/lib/prometheus/node-exporter/autoenroll.prom\n" },
	{ "deploy", cmd_deploy, "put certificates where services want them, as deploy.conf says",
	  "usage: autoenroll deploy [-T TEMPLATE] [--dry-run] [--user] [--json]\n"
	  "       autoenroll deploy check [--user] [--json]\n"
	  "\n"
	  "Every run does this by itself. By hand it makes targets match what is installed;\n"
	  "what is right already is not touched, and no service is reloaded for it.\n"
	  "check reads deploy.conf and names the line and column of what is wrong in it.\n"
	  "\n"
	  "  -T, --template  this template's certificate only\n"
	  "  --dry-run       say what would be written and run; change nothing\n"
	  "  --user          your own certificates and ~/.config/autoenroll/deploy.conf\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll deploy check && autoenroll deploy --dry-run\n" },
	{ "trust", cmd_trust, "the directory's certificates, and which of them the system trusts",
	  "usage: autoenroll trust list [--json]\n"
	  "       autoenroll trust status [--json]\n"
	  "       autoenroll trust install [--dry-run] [--json]\n"
	  "       autoenroll trust remove [--dry-run] [--json]\n"
	  "\n"
	  "list shows the roots, intermediates and NTAuth certificates that we hold.\n"
	  "install makes the roots trusted by the whole system and keeps them so; remove\n"
	  "takes out what we put there, and nothing else. status compares.\n"
	  "\n"
	  "  --dry-run  say what would change\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll trust install --dry-run\n" },
	{ "policy", cmd_policy, "show or set the auto-enrollment policy and say where it comes from",
	  "usage: autoenroll policy show [--user] [-v] [--json]\n"
	  "       autoenroll policy set [--user] [--json] NAME=VALUE...\n"
	  "\n"
	  "show tells the settings in force, AEPolicy bit by bit, and which group policy\n"
	  "object each is from; without a domain controller, those that were read last and\n"
	  "their age. set writes the local layer, which overrides group policy:\n"
	  "/etc/autoenroll/policy.conf, or ~/.config/autoenroll/policy.conf of a user who is\n"
	  "not root. NAME is AEPolicy, OfflineExpirationPercent, OfflineExpirationStoreNames,\n"
	  "LogLevel or MaxPendingRequestDays; NAME=default takes it back.\n"
	  "\n"
	  "  --user  your own policy instead of this machine's\n"
	  "  -v      also every group policy object that was looked at, and why those that\n"
	  "          do not apply do not\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll policy show -v\n"
	  "  autoenroll policy set AEPolicy=0x7\n"
	  "  autoenroll policy set --user AEPolicy=default\n" },
	{ "task", cmd_task, "show when auto-enrollment ran and will run, switch it off and on",
	  "usage: autoenroll task [--user] [-v] [--cron] [--json]\n"
	  "       autoenroll task enable [--user]\n"
	  "       autoenroll task disable [--user]\n"
	  "\n"
	  "  --user  your own task\n"
	  "  -v      what it did last, when it looks at group policy, and more\n"
	  "  --cron  lines for /etc/cron.d, or with --user for your crontab, that do what\n"
	  "          the daemon does where there is no systemd\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll task -v\n"
	  "  autoenroll task --cron > /etc/cron.d/autoenroll\n" },
	{ "ca", cmd_ca, "list and question certification authorities",
	  "usage: autoenroll ca list [--json]\n"
	  "       autoenroll ca ping [--ca 'HOST\\NAME'] [--stages] [--json]\n"
	  "       autoenroll ca info [--ca 'HOST\\NAME'] [--json]\n"
	  "       autoenroll ca prop N [--index I] [--ca 'HOST\\NAME'] [--json]\n"
	  "       autoenroll ca templates [--ca 'HOST\\NAME'] [--json]\n"
	  "\n"
	  "ping --stages shows the way to the CA step by step with the time of each:\n"
	  "name, TCP 135, endpoint mapper, activation, port, bind, call.\n"
	  "templates shows what the CA itself offers beside what AD says.\n" },
	{ "key", cmd_key, "show where keys can be made, and test it",
	  "usage: autoenroll key providers [--user] [--json]\n"
	  "       autoenroll key test --provider NAME [--alg ALG] [--self-signed] [--user] [--json]\n"
	  "\n"
	  "providers shows what is here (software, the TPM, the PKCS#11 token), whether it\n"
	  "is ready, and what each of Windows' provider names stands for.\n"
	  "test makes a throw-away key, stores, opens and uses it, and removes it.\n"
	  "\n"
	  "  --provider     software, tpm, pkcs11, a pkcs11: URI, or a Windows provider name\n"
	  "  --alg          RSA:2048, RSA:3072, RSA:4096, P256, P384 or P521; default: several\n"
	  "  --self-signed  make a self-signed certificate with the key, too\n"
	  "  --user         as your own runs see it: devices and PIN that you may use\n"
	  "\n"
	  "exit codes: 0 all passed, 1 some failed, 4 none passed\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll key test --provider 'Microsoft Platform Crypto Provider'\n"
	  "  autoenroll key test --provider tpm --alg RSA:2048 --self-signed\n" },
	{ "log", cmd_log, "show or set the LogLevel of events",
	  "usage: autoenroll log level [0-5|default] [--user] [--json]\n"
	  "\n"
	  "0 minimal, 1 terse, 2 error, 3 warning (default), 4 verbose, 5 exhaustive.\n"
	  "Effective at once. What is set here wins over policy; 'default' takes it back.\n"
	  "Set for the machine it holds for users, too.\n"
	  "\n"
	  "  --user  for your own runs alone\n" },
	{ "events", cmd_events, "show the events of auto-enrollment",
	  "usage: autoenroll events [--since TIME] [--until TIME] [--level LEVEL[,LEVEL]...]\n"
	  "                         [--id ID[,ID]...] [--provider NAME]... [--max N]\n"
	  "                         [--oldest-first] [--follow] [--user] [--json]\n"
	  "                         [--csv [FILE]] [--encoding utf-16|utf-8]\n"
	  "\n"
	  "Without options: what the three sources of the client logged since midnight,\n"
	  "newest first.\n"
	  "\n"
	  "  --user            those of your own runs\n"
	  "  --since, --until  today, yesterday, now; an age: 90s, 30m, 8h, 3d, 2w; a time:\n"
	  "                    2026-11-23, '2026-11-23 08:00', 2026-11-23T08:00:00Z\n"
	  "  --level           error, warning, information\n"
	  "  --id              numbers, such as 64,65\n"
	  "  --provider        a source in full or in short: CertEnroll, AutoEnrollment,\n"
	  "                    CertificateServicesClient, Lifecycle-System, Lifecycle-User; all\n"
	  "  --max             the newest N of them\n"
	  "  --oldest-first    in the order in which they happened\n"
	  "  --follow          and then each new one as it happens\n"
	  "  --csv             to FILE ('-': standard output), by default\n"
	  "                    HOSTNAME_ClientEvents.csv: TimeCreated, Id, LevelDisplayName,\n"
	  "                    Message, in UTF-16 as Export-Csv -Encoding Unicode writes it\n"
	  "  --encoding        utf-16 or utf-8, of the CSV file\n"
	  "\n"
	  "examples:\n"
	  "  autoenroll events --since 3d --level error,warning\n"
	  "  autoenroll events --follow --id 13,16\n"
	  "  autoenroll events --csv\n" },
	{ 0 },
};
/* clang-format on */

static void
usage(FILE *f)
{
	const struct cli_command *cmd;

	(void)fprintf(f,
	    "usage: autoenroll [--root DIR] COMMAND [options]\n"
	    "\n"
	    "Certificates from Active Directory, as Windows gets them.\n"
	    "\n");
	for (cmd = cli_commands; cmd->name != NULL; cmd++)
		(void)fprintf(f, "  %-10s %s\n", cmd->name, cmd->summary);
	(void)fprintf(f,
	    "\n"
	    "'autoenroll COMMAND --help' tells more.\n"
	    "\n"
	    "exit codes: 0 ok, 1 finding, 2 usage, 3 not found, 4 local, 5 "
	    "AD,\n"
	    "6 network, 7 authentication, 8 denied, 9 pending, 10 trust\n");
}

int
cli_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "autoenroll %s: ", command);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\nTry 'autoenroll %s --help'.\n", command);
	return EXIT_USAGE;
}

int
cli_for_user(struct cli *cli, struct ae_err *e)
{
	struct client mine;
	int rc;

	rc = client_init(&mine, cli->c.root, true, e);
	client_done(rc == AE_OK ? &cli->c : &mine);
	if (rc == AE_OK)
		cli->c = mine;
	return rc;
}

int
cli_fail(const struct cli *cli, const struct ae_err *e)
{
	int code = client_exit_code(e);
	json_t *j;

	if (cli->json) {
		j = json_pack("{s:s, s:s, s:s, s:I, s:i}", "error", e->text,
		    "kind", ae_rc_name(e->rc), "domain", ae_dom_name(e->dom),
		    "code", (json_int_t)e->code, "exit", code);
		cli_print_json(j);
		json_decref(j);
	}
	(void)fprintf(stderr, "autoenroll: %s\n", cli_safe(e->text));
	return code;
}

void
cli_print_json(const json_t *j)
{
	if (j != NULL &&
	    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0)
		(void)putchar('\n');
}

const char *
cli_safe(const char *s)
{
	static char buf[4][2048];
	static unsigned next;
	char *out = buf[next++ % 4];
	size_t n = 0, len, left = s == NULL ? 0 : strlen(s);

	for (; left > 0 && n + 5 < sizeof(buf[0]); s += len, left -= len) {
		len = ae_utf8_shown(s, left);
		memcpy(out + n, s, len);
		n += len;
		if (len == 0) {
			n += (size_t)snprintf(out + n, sizeof(buf[0]) - n,
			    "\\x%02x", (unsigned char)*s);
			len = 1;
		}
	}
	out[n] = '\0';
	return out;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	const struct cli_command *cmd;
	int i;

	for (cmd = cli_commands; cmd->name != NULL; cmd++)
		if (strcmp(cmd->name, argv[0]) == 0)
			break;
	if (cmd->name == NULL) {
		(void)fprintf(stderr,
		    "autoenroll: there is no command '%s'\n"
		    "Try 'autoenroll --help'.\n",
		    cli_safe(argv[0]));
		return EXIT_USAGE;
	}
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0) {
			(void)fputs(cmd->help, stdout);
			return EXIT_OK;
		}
	}
	optind = 0;
	return cmd->run(cli, argc, argv);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "role", required_argument, NULL, 'R' },
		{ "as-user", no_argument, NULL, 'u' },
		{ "run-dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	const char *root = getenv("AUTOENROLL_ROOT"), *role = NULL,
		   *run_dir = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct cli cli = { 0 };
	bool user = false;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (opt) {
		case 'r':
			root = optarg;
			break;
		case 'R': /* a process of our own, not for people */
			role = optarg;
			break;
		case 'u': /* of a role of a user's run */
			user = true;
			break;
		case 'd': /* likewise, of a plan's */
			run_dir = optarg;
			break;
		case 'h':
			usage(stdout);
			return EXIT_OK;
		case 'V':
			(void)printf("autoenroll %s\n", AE_VERSION);
			return EXIT_OK;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc && role == NULL) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (client_init(&cli.c, root, user, &e) != AE_OK ||
	    (run_dir != NULL &&
		client_move_run(&cli.c, run_dir, &e) != AE_OK)) {
		code = cli_fail(&cli, &e);
	} else if (role != NULL) {
		code = role_main(&cli.c, role, &e);
		if (e.rc != AE_OK)
			(void)fprintf(
			    stderr, "autoenroll: %s: %s\n", role, e.text);
	} else {
		code = run(&cli, argc - optind, argv + optind);
	}
	client_done(&cli.c);
	if (fflush(stdout) != 0 && code == EXIT_OK)
		code = EXIT_LOCAL;
	return code;
}
