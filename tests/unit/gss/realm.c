/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A throw-away Kerberos realm; see realm.h.
 */
#include "realm.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64];
static int port;
static pid_t kdc;

static void
die(const char *what)
{
	perror(what);
	abort();
}

const char *
realm_path(const char *name)
{
	static char buf[4][256];
	static unsigned int next;
	char *out = buf[next++ % 4];

	(void)snprintf(out, sizeof(buf[0]), "%s/%s", dir, name);
	return out;
}

static void __attribute__((format(printf, 2, 3)))
put_file(const char *name, const char *fmt, ...)
{
	FILE *f = fopen(realm_path(name), "w");
	va_list ap;

	if (f == NULL)
		die(name);
	va_start(ap, fmt);
	(void)vfprintf(f, fmt, ap);
	va_end(ap);
	if (fclose(f) != 0)
		die(name);
}

/* Programs of the KDC package, output into the realm's log. */
static pid_t
start(char *const argv[])
{
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	fd = open(realm_path("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)dup2(fd, 1);
	(void)dup2(fd, 2);
	execv(argv[0], argv);
	die(argv[0]);
	return -1;
}

#define RUN(...) run((char *[]){ __VA_ARGS__, NULL })

static void
run(char *const argv[])
{
	pid_t pid = start(argv);
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0) {
		(void)fprintf(stderr, "%s %s: status %d, see %s\n", argv[0],
		    argv[1], status, realm_path("log"));
		abort();
	}
}

static int
free_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) != 0)
		die("port");
	(void)close(fd);
	return ntohs(sin.sin_port);
}

static bool
listening(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool up;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)port);
	up = connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
	(void)close(fd);
	return up;
}

void
realm_kdc_start(void)
{
	char exe[] = "/usr/sbin/krb5kdc", flag[] = "-n";
	struct timespec ts = { .tv_nsec = 10 * 1000 * 1000 };
	int i;

	kdc = start((char *[]){ exe, flag, NULL });
	for (i = 0; i < 1000 && !listening(); i++)
		(void)nanosleep(&ts, NULL);
	if (i == 1000)
		die("KDC");
}

void
realm_kdc_stop(void)
{
	if (kdc <= 0)
		return;
	(void)kill(kdc, SIGTERM);
	(void)waitpid(kdc, NULL, 0);
	kdc = 0;
}

static void
configure(void)
{
	put_file("krb5.conf",
	    "[libdefaults]\n"
	    "default_realm = " REALM "\n"
	    "dns_lookup_kdc = false\n"
	    "dns_lookup_realm = false\n"
	    "rdns = false\n"
	    "dns_canonicalize_hostname = false\n"
	    "[realms]\n" REALM " = {\n"
	    " kdc = 127.0.0.1:%d\n"
	    "}\n"
	    "[domain_realm]\n.ae.test = " REALM "\n",
	    port);
	put_file("kdc.conf",
	    "[kdcdefaults]\n"
	    "kdc_listen = 127.0.0.1:%d\n"
	    "kdc_tcp_listen = 127.0.0.1:%d\n"
	    "[realms]\n" REALM " = {\n"
	    " database_name = %s/principal\n"
	    " key_stash_file = %s/stash\n"
	    " acl_file = %s/acl\n"
	    " supported_enctypes = aes256-cts-hmac-sha1-96:normal "
	    "aes128-cts-hmac-sha1-96:normal\n"
	    "}\n"
	    "[logging]\nkdc = FILE:%s/kdc.log\n",
	    port, port, dir, dir, dir, dir);
	if (setenv("KRB5_CONFIG", realm_path("krb5.conf"), 1) != 0 ||
	    setenv("KRB5_KDC_PROFILE", realm_path("kdc.conf"), 1) != 0 ||
	    setenv("KRB5CCNAME", realm_path("default.cc"), 1) != 0)
		die("setenv");
}

static void kadmin(const char *fmt, ...) AE_PRINTF(1, 2);

static void
kadmin(const char *fmt, ...)
{
	char exe[] = "/usr/sbin/kadmin.local", flag[] = "-q", query[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(query, sizeof(query), fmt, ap);
	va_end(ap);
	RUN(exe, flag, query);
}

void
realm_up(void)
{
	char exe[] = "/usr/sbin/kdb5_util", create[] = "create", s[] = "-s",
	     p[] = "-P", master[] = "master";

	(void)snprintf(dir, sizeof(dir), "/tmp/ae-realm-XXXXXX");
	if (mkdtemp(dir) == NULL)
		die("mkdtemp");
	port = free_port();
	configure();
	RUN(exe, create, s, p, master);
	kadmin("addprinc -randkey " CLIENT);
	kadmin("addprinc -randkey " SERVICE);
	kadmin("addprinc -randkey " SERVICE_CIFS);
	kadmin("addprinc -randkey " SERVICE_LOCAL);
	kadmin("addprinc -randkey " SERVICE_RPCSS);
	kadmin("addprinc -randkey -e arcfour-hmac:normal " SERVICE_RC4);
	kadmin("ktadd -k %s/client.keytab " CLIENT, dir);
	kadmin("ktadd -k %s/service.keytab " SERVICE " " SERVICE_CIFS
	       " " SERVICE_LOCAL " " SERVICE_RPCSS,
	    dir);
	kadmin("ktadd -k %s/service.keytab -e arcfour-hmac:normal " SERVICE_RC4,
	    dir);
	realm_kdc_start();
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void
realm_down(void)
{
	realm_kdc_stop();
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct ae_gss_cred *
realm_client(void)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_gss_cred *c = NULL;

	if (ae_gss_cred_keytab(&c, realm_path("client.keytab"), CLIENT,
		"MEMORY:client", &e) != AE_OK) {
		(void)fprintf(stderr, "client: %s\n", e.text);
		abort();
	}
	return c;
}

struct ae_gss_cred *
realm_service(bool allow_rc4)
{
	struct ae_gss_service conf = { .keytab = realm_path("service.keytab"),
		.allow_rc4 = allow_rc4 };
	struct ae_err e = AE_ERR_INIT;
	struct ae_gss_cred *c = NULL;

	if (ae_gss_cred_service(&c, &conf, &e) != AE_OK) {
		(void)fprintf(stderr, "service: %s\n", e.text);
		abort();
	}
	return c;
}

int
pair_shake(struct pair *p, struct ae_gss_cred *client,
    struct ae_gss_cred *service, const struct ae_gss_initiator *ic,
    enum ae_gss_level accept_level)
{
	struct ae_gss_acceptor ac = { .mech = ic->mech, .level = accept_level };
	struct ae_wr there, back;
	bool idone = false, adone = false;
	int rc;

	*p = (struct pair){ .legs = 0 };
	ae_wr_init(&there, AE_GSS_TOKEN_MAX);
	ae_wr_init(&back, AE_GSS_TOKEN_MAX);
	rc = ae_gss_ctx_initiate(&p->init, client, ic, &p->e);
	if (rc == AE_OK)
		rc = ae_gss_ctx_accept(&p->acc, service, &ac, &p->e);
	while (rc == AE_OK && !(idone && adone)) {
		ae_wr_reset(&there);
		if (!idone)
			rc = ae_gss_step(
			    p->init, back.p, back.len, &there, &idone, &p->e);
		ae_wr_reset(&back);
		if (rc != AE_OK || there.len == 0)
			break;
		p->legs++;
		rc = ae_gss_step(
		    p->acc, there.p, there.len, &back, &adone, &p->e);
		p->acceptor_failed = rc != AE_OK;
	}
	ae_wr_wipe(&there);
	ae_wr_wipe(&back);
	if (rc == AE_OK && !(idone && adone))
		return ae_fail(
		    &p->e, AE_EINTERNAL, AE_DOM_NONE, 0, "one end is left");
	return rc;
}

void
pair_done(struct pair *p)
{
	ae_gss_ctx_free(p->init);
	ae_gss_ctx_free(p->acc);
}

struct pair
pair_new(struct ae_gss_cred *client, struct ae_gss_cred *service,
    enum ae_gss_mech mech, enum ae_gss_level level)
{
	struct ae_gss_initiator ic = {
		.mech = mech, .level = level, .target = SERVICE, .dce = true
	};
	struct pair p;

	if (pair_shake(&p, client, service, &ic, level) != AE_OK) {
		(void)fprintf(stderr, "handshake: %s\n", p.e.text);
		abort();
	}
	return p;
}

struct realm realm;

int
realm_setup(void **state)
{
	(void)state;
	realm_up();
	realm.client = realm_client();
	realm.service = realm_service(false);
	return 0;
}

int
realm_teardown(void **state)
{
	(void)state;
	ae_gss_cred_free(realm.client);
	ae_gss_cred_free(realm.service);
	realm_down();
	return 0;
}
