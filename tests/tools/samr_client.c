/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Our RPC client (rpc/client.h alone, not run/) against somebody else's
 * server: asks the endpoint mapper for samr, binds there with Kerberos and
 * makes some calls (MS-SAMR 3.1.5), with faults between them.  For tests
 * only: blocks, and knows four methods by their bytes.
 *
 *	samr_client ADDRESS SPN MECH LEVEL SIGN
 *
 * MECH krb5 or spnego, LEVEL packet, integrity or privacy, SIGN header or
 * noheader.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gss/cred.h"
#include "gss/ctx.h"
#include "rpc/client.h"
#include "rpc/epm.h"

#define SAMR_CLOSE 1
#define SAMR_ENUM_DOMAINS 6
#define SAMR_CONNECT2 57
#define SAMR_NOTHING 200

static const struct ae_rpc_syntax samr = {
	.uuid = { 0x12345778, 0x1234, 0xabcd,
	    { 0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xac } },
	.major = 1,
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
die(const struct ae_err *e)
{
	fprintf(stderr, "samr_client: %s\n", e->text);
	exit(1);
}

static int
dial(const char *address, uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &sa.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		fprintf(stderr, "samr_client: %s:%u: %s\n", address, port,
		    strerror(errno));
		exit(1);
	}
	return fd;
}

/* Move bytes until there is an event. */
static void
wait_event(struct ae_rpc_client *c, int fd, struct ae_rpc_client_event *ev)
{
	uint8_t buf[8192];
	const uint8_t *p;
	size_t len, room;
	ssize_t n;

	while (!ae_rpc_client_event(c, ev)) {
		while ((p = ae_rpc_client_output(c, &len)) != NULL) {
			n = send(fd, p, len, MSG_NOSIGNAL);
			if (n <= 0)
				break;
			ae_rpc_client_sent(c, (size_t)n, now_ms());
		}
		room = ae_rpc_client_room(c);
		if (room == 0)
			continue;
		n = recv(fd, buf, room < sizeof(buf) ? room : sizeof(buf), 0);
		if (n > 0)
			ae_rpc_client_feed(c, buf, (size_t)n, now_ms());
		else
			ae_rpc_client_eof(c, now_ms());
	}
	if (ev->type == AE_RPC_CLIENT_CLOSED)
		die(&ev->err);
}

static struct ae_rpc_client *
bind_to(int fd, struct ae_rpc_client_config *g, const struct ae_rpc_syntax *id)
{
	struct ae_rpc_client *c = ae_rpc_client_new(g, now_ms());
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;

	if (c == NULL)
		exit(1);
	if (ae_rpc_client_bind(c, id, 1, now_ms(), &e) != AE_OK)
		die(&e);
	wait_event(c, fd, &ev);
	return c;
}

static struct ae_rpc_client_event
call(struct ae_rpc_client *c, int fd, uint16_t opnum, const void *stub,
    size_t len)
{
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	uint32_t id;

	if (ae_rpc_client_call(
		c, 0, opnum, NULL, stub, len, &id, now_ms(), &e) != AE_OK)
		die(&e);
	wait_event(c, fd, &ev);
	return ev;
}

static uint16_t
find_port(const char *address)
{
	struct ae_rpc_client_config g = { .auth_type = AE_RPC_AUTH_NONE };
	struct ae_rpc_epm_entry x;
	struct ae_rpc_client_event ev;
	struct ae_err e = AE_ERR_INIT;
	struct ae_rpc_client *c;
	int fd = dial(address, AE_RPC_EPM_PORT);
	struct ae_wr w;

	c = bind_to(fd, &g, &ae_rpc_epm_iface.id);
	ae_wr_init(&w, 4096);
	if (ae_rpc_epm_map_request(&w, &samr, &e) != AE_OK)
		die(&e);
	ev = call(c, fd, AE_RPC_EPM_OP_MAP, w.p, w.len);
	if (ev.type != AE_RPC_CLIENT_REPLY ||
	    ae_rpc_epm_map_reply(
		&x, ev.stub, ev.stub_len, ev.big_endian, &samr, &e) != AE_OK)
		die(ev.type == AE_RPC_CLIENT_REPLY ? &e : &ev.err);
	ae_wr_done(&w);
	ae_rpc_client_free(c);
	close(fd);
	printf("port %u at %u.%u.%u.%u\n", x.port, x.ip[0], x.ip[1], x.ip[2],
	    x.ip[3]);
	return x.port;
}

/* A reply that ends in an NTSTATUS of 0. */
static void
expect(const struct ae_rpc_client_event *ev, const char *what, size_t len)
{
	uint32_t status = 1;

	if (ev->type != AE_RPC_CLIENT_REPLY)
		die(&ev->err);
	if (ev->stub_len >= 4)
		memcpy(&status, ev->stub + ev->stub_len - 4, 4);
	if (status != 0 || (len != 0 && ev->stub_len != len)) {
		fprintf(stderr, "samr_client: %s: status 0x%08x, %zu bytes\n",
		    what, status, ev->stub_len);
		exit(1);
	}
}

/* The names in EnumDomains' answer: words of UTF-16 capitals and others. */
static void
print_names(const uint8_t *p, size_t len)
{
	size_t i, n;

	printf("domains");
	for (i = 0; i + 12 < len; i += 4) {
		/* max_count, offset 0, actual count of a counted string */
		uint32_t max, off, act;

		memcpy(&max, p + i, 4);
		memcpy(&off, p + i + 4, 4);
		memcpy(&act, p + i + 8, 4);
		if (act < 3 || act > 16 || max < act || max > 16 || off != 0 ||
		    i + 12 + 2 * (size_t)act > len || p[i + 13] != 0)
			continue;
		putchar(' ');
		for (n = 0; n < act; n++)
			putchar(p[i + 12 + 2 * n]);
	}
	putchar('\n');
}

static void
talk(struct ae_rpc_client *c, int fd)
{
	/* [unique] server_name NULL, access MAXIMUM_ALLOWED */
	static const uint8_t connect2[] = { 0, 0, 0, 0, 0, 0, 0, 2 };
	/* handle, resume handle 0, buffer size 65535 */
	uint8_t enumerate[28] = { [24] = 0xff, [25] = 0xff };
	struct ae_rpc_client_event ev;
	int i;

	for (i = 0; i < 20; i++) {
		ev = call(c, fd, SAMR_CONNECT2, connect2, sizeof(connect2));
		expect(&ev, "SamrConnect2", 24);
		memcpy(enumerate, ev.stub, 20);
		ev = call(
		    c, fd, SAMR_ENUM_DOMAINS, enumerate, sizeof(enumerate));
		expect(&ev, "SamrEnumerateDomainsInSamServer", 0);
		if (i == 0)
			print_names(ev.stub, ev.stub_len);
		ev = call(c, fd, SAMR_CLOSE, enumerate, 20);
		expect(&ev, "SamrCloseHandle", 24);
		/* A fault in between must not confuse the sequence numbers. */
		ev = call(c, fd, SAMR_NOTHING, NULL, 0);
		if (ev.type != AE_RPC_CLIENT_FAULT)
			exit(1);
		if (i == 0)
			printf("%s\n", ev.err.text);
	}
}

int
main(int argc, char **argv)
{
	struct ae_rpc_client_config g = { .auth_type = AE_RPC_AUTH_NONE };
	struct ae_gss_initiator init = { .dce = true };
	struct ae_gss_cred *cred = NULL;
	struct ae_gss_ctx *ctx = NULL;
	struct ae_rpc_client *c;
	struct ae_err e = AE_ERR_INIT;
	int fd;

	if (argc != 6)
		return 2;
	g.auth_type = strcmp(argv[3], "krb5") == 0 ? AE_RPC_AUTH_KRB5
						   : AE_RPC_AUTH_SPNEGO;
	g.level = AE_RPC_LEVEL_PRIVACY;
	if (strcmp(argv[4], "packet") == 0)
		g.level = AE_RPC_LEVEL_PKT;
	else if (strcmp(argv[4], "integrity") == 0)
		g.level = AE_RPC_LEVEL_INTEGRITY;
	g.no_header_sign = strcmp(argv[5], "header") != 0;
	init.mech = (enum ae_gss_mech)g.auth_type;
	init.level = (enum ae_gss_level)g.level;
	init.target = argv[2];
	if (ae_gss_cred_ccache(&cred, NULL, &e) != AE_OK ||
	    ae_gss_ctx_initiate(&ctx, cred, &init, &e) != AE_OK)
		die(&e);
	g.sec = ae_rpc_sec_gss(ctx);
	fd = dial(argv[1], find_port(argv[1]));
	c = bind_to(fd, &g, &samr);
	printf("bound, header signing %s\n",
	    ae_rpc_client_header_sign(c) ? "on" : "off");
	talk(c, fd);
	ae_rpc_client_free(c);
	ae_gss_cred_free(cred);
	close(fd);
	printf("done\n");
	return 0;
}
