/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv template pin, unpin and pins: templates that count as they are now,
 * whatever somebody makes of them in the directory (ESC4).
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/time.h"
#include "ca/changes.h"
#include "ca/escaudit.h"
#include "ca/pins.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "template.h"

#define SUFFIX_LEN (sizeof(AE_CA_PIN_SUFFIX) - 1)

static char *
path_of(const struct cli *cli, const char *file)
{
	char *out = NULL;

	return asprintf(&out, "%s/%s", cli->conf.pins, file) < 0 ? NULL : out;
}

static char *
path_of_template(const struct cli *cli, const char *cn)
{
	char *out = NULL;

	return asprintf(&out, "%s/%s" AE_CA_PIN_SUFFIX, cli->conf.pins, cn) < 0
	    ? NULL
	    : out;
}

static int
read_pin(struct ae_template **out, const struct cli *cli, const char *file,
    struct ae_err *e)
{
	char *path = path_of(cli, file);
	uint8_t *text = NULL;
	size_t len = 0;
	int rc = path == NULL
	    ? ae_fail_mem(e)
	    : ae_file_read(&text, &len, path, AE_CA_PIN_MAX, e);

	if (rc == AE_OK)
		rc = ae_ca_pin_parse(out, file, text, len, e);
	free(text);
	free(path);
	return rc;
}

/* What certsrvd sees by itself within seconds, it sees at once. */
static void
tell_daemon(struct cli *cli)
{
	(void)cli_signal(cli, SIGUSR2);
}

/* ---- pin ---- */

static int
write_pin(struct cli *cli, const struct ae_template *t, struct ae_err *e)
{
	char *path = path_of_template(cli, t->cn), when[AE_TIME_STR_MAX];
	char login[64] = "root";
	struct ae_wr w;
	int rc = path == NULL ? ae_fail_mem(e) : AE_OK;

	if (getlogin_r(login, sizeof(login)) != 0)
		(void)snprintf(login, sizeof(login), "root");
	ae_wr_init(&w, AE_CA_PIN_MAX);
	ae_wr_printf(&w,
	    "# Pinned at %s by %s. As long as this file is here the CA issues "
	    "by it:\n# certsrv template pins, unpin.\n",
	    ae_time_print(when, ae_clock_now()), cli_safe(login));
	if (rc == AE_OK)
		rc = ae_ca_pin_put(&w, t, e);
	if (rc == AE_OK)
		rc = ae_file_mkdir(cli->conf.pins, 0700, e);
	if (rc == AE_OK)
		rc = ae_file_write(path, w.p, w.len, 0600, e);
	ae_wr_done(&w);
	free(path);
	return rc;
}

static void
print_pinned(struct cli *cli, const struct ae_template *t)
{
	struct ae_template *old = NULL;
	const char *d = ae_esc_template_danger(t);
	struct ae_wr diff;
	char file[128];

	ae_wr_init(&diff, 4096);
	(void)snprintf(file, sizeof(file), "%s" AE_CA_PIN_SUFFIX, t->cn);
	if (read_pin(&old, cli, file, NULL) == AE_OK &&
	    ae_ca_template_changes(&diff, old, t) > 0)
		(void)printf("%s: pinned anew: %s\n", cli_safe(t->cn),
		    cli_safe(ae_wr_cstr(&diff)));
	else
		(void)printf("%s: %s\n", cli_safe(t->cn),
		    old != NULL ? "was pinned so already" : "pinned");
	if (d != NULL)
		(void)printf("warning: %s\n", d);
	ae_template_free(old);
	ae_wr_done(&diff);
}

static int
pin_one(struct cli *cli, const struct ae_template *t)
{
	struct ae_err e = AE_ERR_INIT;

	print_pinned(cli, t);
	if (write_pin(cli, t, &e) != AE_OK)
		return cli_fail(cli, &e);
	return EXIT_OK;
}

int
template_pin(struct cli *cli, struct session *s, int argc, char **argv)
{
	const struct ae_template *t;
	int i, code = EXIT_OK;
	size_t k;

	for (i = 1; code == EXIT_OK && i < argc; i++)
		code = (t = template_named(cli, s, argv[i])) == NULL
		    ? EXIT_NOT_FOUND
		    : pin_one(cli, t);
	/* without a name: all that this CA offers */
	for (k = 0; argc == 1 && code == EXIT_OK && k < s->pki->ntemplates; k++)
		if (ae_enrollment_service_offers(
			s->service, s->pki->templates[k]->cn))
			code = pin_one(cli, s->pki->templates[k]);
	tell_daemon(cli);
	return code;
}

/* ---- unpin: without a directory, for the day when there is none ---- */

int
template_unpin(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	int i, code = EXIT_OK;
	char *path;

	if (argc < 2)
		return cli_usage("template", "unpin which?");
	if (cli_conf(cli, &e) != AE_OK)
		return cli_fail(cli, &e);
	for (i = 1; code == EXIT_OK && i < argc; i++) {
		if (strchr(argv[i], '/') != NULL)
			return cli_usage(
			    "template", "no template is called %s", argv[i]);
		path = path_of_template(cli, argv[i]);
		if (path == NULL)
			(void)ae_fail_mem(&e);
		else if (unlink(path) == 0)
			(void)printf(
			    "%s: no longer pinned\n", cli_safe(argv[i]));
		else if (errno == ENOENT)
			(void)ae_fail(&e, AE_ENOTFOUND, AE_DOM_NONE, 0,
			    "%s is not pinned", argv[i]);
		else
			(void)ae_fail_errno(&e, errno, "%s", path);
		free(path);
		if (e.rc != AE_OK)
			code = cli_fail(cli, &e);
	}
	tell_daemon(cli);
	return code;
}

/* ---- pins ---- */

/* What is wrong with this one into w; nothing: all is well. */
static void
judge(
    struct ae_wr *w, struct cli *cli, const struct session *s, const char *file)
{
	char cn[128];
	struct ae_err e = AE_ERR_INIT;
	struct ae_template *pin = NULL;
	const struct ae_template *now = NULL;
	size_t i;

	(void)snprintf(
	    cn, sizeof(cn), "%.*s", (int)(strlen(file) - SUFFIX_LEN), file);
	for (i = 0; i < s->pki->ntemplates; i++)
		if (strcasecmp(s->pki->templates[i]->cn, cn) == 0)
			now = s->pki->templates[i];
	if (read_pin(&pin, cli, file, &e) != AE_OK)
		ae_wr_printf(w, "not good, nobody gets it: %s", e.text);
	else if (now == NULL)
		ae_wr_str(w, "not in the directory, or not readable");
	else
		(void)ae_ca_template_changes(w, pin, now);
	ae_template_free(pin);
}

static bool
is_pin(const char *name)
{
	const size_t n = strlen(name);

	return name[0] != '.' && n > SUFFIX_LEN &&
	    strcasecmp(name + n - SUFFIX_LEN, AE_CA_PIN_SUFFIX) == 0;
}

/* true: something is wrong with it. */
static bool
show_pin(struct cli *cli, const struct session *s, const char *file, json_t *l)
{
	const int name = (int)(strlen(file) - SUFFIX_LEN);
	char cn[128], when[AE_TIME_STR_MAX], *path = path_of(cli, file);
	struct stat st = { .st_mtime = 0 };
	const char *text;
	struct ae_wr w;
	bool wrong;

	if (path != NULL)
		(void)stat(path, &st);
	free(path);
	ae_wr_init(&w, 4096);
	judge(&w, cli, s, file);
	text = ae_wr_cstr(&w);
	wrong = text != NULL && *text != '\0';
	(void)snprintf(cn, sizeof(cn), "%.*s", name, file);
	(void)json_array_append_new(l,
	    json_pack("{s:o, s:o, s:o}", "template", cli_json_text(cn),
		"pinned", cli_json_time(st.st_mtime), "differs",
		wrong ? cli_json_text(text) : json_null()));
	if (!cli->json)
		(void)printf("%c %-32s %s%s%s\n", wrong ? '!' : ' ',
		    cli_safe(cn), ae_time_print(when, st.st_mtime),
		    wrong ? "  the directory now: " : "",
		    wrong ? cli_safe(text) : "");
	ae_wr_done(&w);
	return wrong;
}

int
template_pins(struct cli *cli, struct session *s, int argc, char **argv)
{
	json_t *l = json_array();
	struct dirent **v = NULL;
	bool wrong = false;
	int i, n;

	if (argc > 1)
		return cli_usage("template", "pins takes no \"%s\"", argv[1]);
	n = scandir(cli->conf.pins, &v, NULL, alphasort);
	for (i = 0; i < n; i++) {
		if (is_pin(v[i]->d_name))
			wrong |= show_pin(cli, s, v[i]->d_name, l);
		free(v[i]);
	}
	free(v);
	if (cli->json)
		cli_print_json(json_pack("{s:O}", "pins", l));
	else if (json_array_size(l) == 0)
		(void)puts("no template is pinned");
	json_decref(l);
	return wrong ? EXIT_FINDING : EXIT_OK;
}
