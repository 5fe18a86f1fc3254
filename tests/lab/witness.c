/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Our answers to questions that Samba's Python modules answer too, for
 * comparing them by the thousand:
 *
 *	witness access		lines "<sd hex> <mask> <sid>,<sid>..." in,
 *				the granted mask in hex or "denied" out
 *	witness right		lines "<sd hex> <guid> <sid>,..." in: yes or no
 *	witness pol FILE	a Registry.pol as JSON
 *	witness polwrite FILE	JSON as before on standard input, to a file
 *	witness time		the cost of one check, in ns
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ad/sd.h"
#include "base/hex.h"
#include "policy/registry_pol.h"
#include "sys/files.h"

#define SIDS_MAX 512

static struct ae_sd *
read_sd(const char *hex)
{
	size_t len = strlen(hex) / 2;
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = NULL;
	uint8_t *b = malloc(len + 1);

	if (b == NULL || !ae_hex_decode(b, len, hex) ||
	    ae_sd_parse(&sd, b, len, &e) != AE_OK) {
		(void)fprintf(stderr, "witness: %s\n", e.text);
		exit(1);
	}
	free(b);
	return sd;
}

static struct ae_token *
read_token(char *list)
{
	static struct ae_sid v[SIDS_MAX];
	struct ae_token *t = NULL;
	size_t n = 0;
	char *s;

	while ((s = strsep(&list, ",\n")) != NULL && n < SIDS_MAX)
		if (*s != '\0' && !ae_sid_parse(&v[n++], s))
			exit(1);
	if (ae_token_exact(&t, v, n, NULL) != AE_OK)
		exit(1);
	return t;
}

static int
access_lines(bool rights)
{
	char *line = NULL, *rest, *hex, *what;
	uint32_t granted;
	struct ae_token *t;
	struct ae_guid g;
	struct ae_sd *sd;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		rest = line;
		hex = strsep(&rest, " ");
		what = strsep(&rest, " ");
		if (rest == NULL)
			return 1;
		sd = read_sd(hex);
		t = read_token(rest);
		if (rights)
			(void)puts(ae_guid_parse(&g, what) &&
				    ae_sd_has_right(sd, t, &g)
				? "yes"
				: "no");
		else if (ae_sd_access_check(sd, t,
			     (uint32_t)strtoul(what, NULL, 16), NULL, NULL,
			     &granted))
			(void)printf("%08x\n", granted);
		else
			(void)puts("denied");
		ae_token_free(t);
		ae_sd_free(sd);
	}
	free(line);
	return 0;
}

static int
pol(const char *path)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_pol p;
	json_t *list = json_array();
	uint8_t *b;
	size_t len, i;
	char *hex;

	if (ae_file_read(&b, &len, path, AE_POL_FILE_MAX, &e) != AE_OK ||
	    ae_pol_parse(&p, b, len, &e) != AE_OK) {
		(void)fprintf(stderr, "witness: %s\n", e.text);
		return 1;
	}
	for (i = 0; i < p.n; i++) {
		hex = calloc(1, 2 * p.v[i].len + 1);
		ae_hex_encode(hex, p.v[i].data, p.v[i].len);
		(void)json_array_append_new(list,
		    json_pack("[s,s,I,s]", p.v[i].key, p.v[i].value,
			(json_int_t)p.v[i].type, hex));
		free(hex);
	}
	(void)json_dumpf(list, stdout, 0);
	json_decref(list);
	ae_pol_done(&p);
	free(b);
	return 0;
}

static int
polwrite(const char *path)
{
	json_t *list = json_loadf(stdin, 0, NULL);
	struct ae_pol_instruction *v;
	struct ae_err e = AE_ERR_INIT;
	size_t i, n = json_array_size(list);
	const char *hex;
	json_int_t type;
	struct ae_wr w;
	uint8_t *b;

	v = calloc(n + 1, sizeof(*v));
	for (i = 0; i < n; i++) {
		if (json_unpack(json_array_get(list, i), "[s,s,I,s]", &v[i].key,
			&v[i].value, &type, &hex) != 0)
			return 1;
		v[i].type = (uint32_t)type;
		v[i].len = strlen(hex) / 2;
		b = malloc(v[i].len + 1);
		if (!ae_hex_decode(b, v[i].len, hex))
			return 1;
		v[i].data = b;
	}
	ae_wr_init(&w, AE_POL_FILE_MAX);
	if (ae_pol_encode(&w, v, n, &e) != AE_OK ||
	    ae_file_write(path, w.p, w.len, 0600, &e) != AE_OK) {
		(void)fprintf(stderr, "witness: %s\n", e.text);
		return 1;
	}
	ae_wr_done(&w);
	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)v[i].data);
	free(v);
	json_decref(list);
	return 0;
}

/* 16 ACEs for groups of a domain, the last one fits; 256 SIDs. */
static int
cost(void)
{
	const int rounds = 1000000;
	struct ae_sid dom = { 5, 4, { 21, 11, 22, 33 } }, s, v[256];
	struct ae_sd *sd = ae_sd_new();
	struct ae_token *t = NULL;
	struct timespec a, b;
	int i, yes = 0;

	for (i = 0; i < 256; i++)
		(void)ae_sid_append(&v[i], &dom, 1000 + (uint32_t)i);
	for (i = 0; i < 16; i++) {
		(void)ae_sid_append(
		    &s, &dom, i == 15 ? 1100 : 5000 + (uint32_t)i);
		if (ae_sd_allow(sd, 0, AE_ACCESS_CONTROL, &ae_right_enroll, &s,
			NULL) != AE_OK)
			return 1;
	}
	if (ae_token_exact(&t, v, 256, NULL) != AE_OK)
		return 1;
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < rounds; i++)
		yes += ae_sd_can_enroll(sd, t);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	(void)printf("%.0f\n",
	    ((double)(b.tv_sec - a.tv_sec) * 1e9 +
		(double)(b.tv_nsec - a.tv_nsec)) /
		rounds);
	ae_token_free(t);
	ae_sd_free(sd);
	return yes == rounds ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "access") == 0)
		return access_lines(false);
	if (argc == 2 && strcmp(argv[1], "right") == 0)
		return access_lines(true);
	if (argc == 2 && strcmp(argv[1], "time") == 0)
		return cost();
	if (argc == 3 && strcmp(argv[1], "pol") == 0)
		return pol(argv[2]);
	if (argc == 3 && strcmp(argv[1], "polwrite") == 0)
		return polwrite(argv[2]);
	(void)fprintf(
	    stderr, "usage: witness access|right|time|pol|polwrite\n");
	return 2;
}
