/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Connections that do nothing: bound, with Kerberos unless --anonymous, and
 * kept until the standard input ends.  Says when all are there, and in the
 * end how many pings there were.
 *
 *	idle --host HOST --port N --count N [--processes N]
 *	    [--keytab FILE --principal NAME [--ping SECONDS] | --anonymous]
 *
 * With Kerberos they are connections to a CA's ICertRequestD, at privacy
 * level; anonymous ones are to an endpoint mapper.  Each pings once in that
 * many seconds; those of a process, which all are one account's, share a set
 * and a connection to the object resolver.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <getopt.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gss/cred.h"
#include "pinger.h"
#include "rpc/epm.h"
#include "run/rpc_client.h"
#include "sys/clock.h"
#include "wcce/request.h"

#define COUNT_MAX 20000

struct options {
	const char *host, *keytab, *principal;
	uint16_t port;
	unsigned count, processes;
	unsigned ping; /* seconds; 0: never */
	bool anonymous;
};

static atomic_uint *pings; /* of all processes */

static void
must(int rc, const struct ae_err *e)
{
	if (rc == AE_OK)
		return;
	(void)fprintf(stderr, "idle: %s\n", e->text);
	exit(1);
}

/* Until the standard input ends, each of n connections pings when it is due. */
static void
wait_for_end(const struct options *o, struct pinger *p, unsigned n)
{
	double gap = p == NULL ? 0 : 1e3 * o->ping / n;
	double due = (double)ae_clock_mono_ms() + gap;
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct ae_err e = AE_ERR_INIT;
	char byte;

	for (;;) {
		double left = due - (double)ae_clock_mono_ms();

		if (poll(&in, 1,
			p == NULL      ? -1
			    : left > 0 ? (int)left
				       : 0) > 0) {
			if (read(in.fd, &byte, 1) <= 0)
				return;
			continue;
		}
		while (p != NULL && due <= (double)ae_clock_mono_ms()) {
			must(pinger_ping(p, &e), &e);
			atomic_fetch_add(pings, 1);
			due += gap;
		}
	}
}

/* Opens its share and tells by a byte; ends with its standard input. */
static int
one_process(const struct options *o, int tell)
{
	static struct ae_run_rpc *conn[COUNT_MAX];
	struct ae_rpc_syntax iface = { .uuid = ae_iid_icertrequestd };
	struct ae_run_target t = { .port = o->port,
		.auth = AE_RPC_AUTH_SPNEGO,
		.level = AE_RPC_LEVEL_PRIVACY,
		.ifaces = &iface,
		.nifaces = 1 };
	unsigned i, n = o->count / o->processes;
	struct ae_gss_cred *cred = NULL;
	struct pinger *pinger = NULL;
	struct ae_run_addrs addrs;
	struct ae_err e = AE_ERR_INIT;
	char spn[300];

	must(ae_run_resolve(&addrs, o->host, NULL, &e), &e);
	t.addrs = &addrs;
	if (o->anonymous) {
		t.auth = AE_RPC_AUTH_NONE;
		t.level = AE_RPC_LEVEL_NONE;
		iface = ae_rpc_epm_iface.id;
	} else {
		must(ae_gss_cred_keytab(
			 &cred, o->keytab, o->principal, "MEMORY:idle", &e),
		    &e);
		(void)snprintf(spn, sizeof(spn), "host/%s", o->host);
		t.spn = spn;
		t.cred = cred;
	}
	for (i = 0; i < n; i++)
		must(ae_run_rpc_open(&conn[i], &t, &e), &e);
	if (o->ping > 0)
		must(pinger_new(&pinger, o->host, &addrs, cred, &e), &e);
	if (write(tell, "", 1) != 1)
		return 1;
	wait_for_end(o, pinger, n);
	pinger_free(pinger);
	for (i = 0; i < n; i++) {
		if (!ae_run_rpc_alive(conn[i])) {
			(void)fprintf(
			    stderr, "idle: a connection was closed\n");
			return 1;
		}
		ae_run_rpc_close(conn[i]);
	}
	return 0;
}

static int
all(const struct options *o)
{
	int64_t begin = ae_clock_mono_ms();
	int fd[2], status, bad = 0;
	unsigned i;
	char byte;

	pings = mmap(NULL, sizeof(*pings), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pings == MAP_FAILED || pipe(fd) != 0)
		return 1;
	for (i = 0; i < o->processes; i++)
		if (fork() == 0)
			_exit(one_process(o, fd[1]));
	(void)close(fd[1]);
	for (i = 0; i < o->processes; i++)
		if (read(fd[0], &byte, 1) != 1)
			return 1;
	(void)printf("{\"connections\": %u, \"opened_s\": %.1f}\n", o->count,
	    (double)(ae_clock_mono_ms() - begin) / 1e3);
	(void)fflush(stdout);
	while (wait(&status) > 0)
		bad |= status;
	(void)printf("{\"pings\": %u}\n", *pings);
	return bad == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static const struct option words[] = {
		{ "host", required_argument, NULL, 'h' },
		{ "port", required_argument, NULL, 'p' },
		{ "count", required_argument, NULL, 'c' },
		{ "processes", required_argument, NULL, 'n' },
		{ "keytab", required_argument, NULL, 'k' },
		{ "principal", required_argument, NULL, 'u' },
		{ "ping", required_argument, NULL, 'i' },
		{ "anonymous", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .processes = 1 };
	struct rlimit lim;
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (c == 'h')
			o.host = optarg;
		else if (c == 'p')
			o.port = (uint16_t)atoi(optarg);
		else if (c == 'c')
			o.count = (unsigned)atoi(optarg);
		else if (c == 'n')
			o.processes = (unsigned)atoi(optarg);
		else if (c == 'k')
			o.keytab = optarg;
		else if (c == 'u')
			o.principal = optarg;
		else if (c == 'i')
			o.ping = (unsigned)atoi(optarg);
		else if (c == 'a')
			o.anonymous = true;
		else
			return 2;
	}
	if (o.host == NULL || o.port == 0 || o.processes == 0 ||
	    o.count / o.processes > COUNT_MAX || o.count < o.processes ||
	    (o.anonymous && o.ping > 0) ||
	    (!o.anonymous && (o.keytab == NULL || o.principal == NULL)))
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &lim);
	}
	return all(&o);
}
