/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Debian's ca-certificates, Red Hat's ca-trust, and p11-kit where neither
 * is; see trust_int.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "deploy/trust_int.h"
#include "sys/exec.h"
#include "sys/files.h"

#define TELL_MS 120000
#define OUTPUT_MAX 4096u

/* clang-format off */
static const struct trust_method methods[] = {
	{ .name = "ca-certificates",
	  .dir = "/usr/local/share/ca-certificates",
	  .program = "/usr/sbin/update-ca-certificates" },
	{ .name = "ca-trust",
	  .dir = "/etc/pki/ca-trust/source/anchors",
	  .program = "/usr/bin/update-ca-trust", .args = { "extract" } },
	{ .name = "p11-kit",
	  .program = "/usr/bin/trust", .args = { "anchor" },
	  .add = "--store", .remove = "--remove", .each = true },
};
/* clang-format on */

static bool
here(const struct ae_trust *t, const struct trust_method *m)
{
	char *program = ae_path_root(t->root, m->program);
	char *dir = m->dir == NULL ? NULL : ae_path_root(t->root, m->dir);
	bool yes = program != NULL && access(program, X_OK) == 0 &&
	    (m->dir == NULL || (dir != NULL && access(dir, F_OK) == 0));

	free(program);
	free(dir);
	return yes;
}

int
trust_method_find(const struct trust_method **out, const struct ae_trust *t,
    const char *name, struct ae_err *e)
{
	bool choose = strcmp(name, "auto") == 0;
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (choose ? !here(t, &methods[i])
			   : strcmp(methods[i].name, name) != 0)
			continue;
		*out = &methods[i];
		return AE_OK;
	}
	if (!choose)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "'%s' is no way to tell a system of trust anchors: "
		    "ca-certificates, ca-trust or p11-kit",
		    name);
	return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
	    "neither update-ca-certificates with "
	    "/usr/local/share/ca-certificates, nor update-ca-trust with "
	    "/etc/pki/ca-trust/source/anchors, nor p11-kit's trust is here");
}

int
trust_method_dir(char *path, size_t len, int *fd, const struct ae_trust *t,
    const struct trust_method *m, struct ae_err *e)
{
	char *full = m->dir == NULL ? NULL : ae_path_root(t->root, m->dir);
	struct stat st;
	int rc = AE_OK;

	if (m->dir == NULL)
		(void)snprintf(path, len, "%s/trust/anchors", t->state_dir);
	else
		(void)snprintf(path, len, "%s", full == NULL ? "" : full);
	free(full);
	if (m->dir == NULL && !t->dry_run)
		rc = ae_file_mkdirs(path, 0755, e);
	if (rc != AE_OK)
		return rc;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT && t->dry_run
		    ? AE_OK
		    : ae_fail_errno(e, errno, "open %s", path);
	/* Its group may be the administrators' (Debian's staff). */
	if (fstat(*fd, &st) != 0 || (st.st_mode & 02) != 0 ||
	    (st.st_uid != 0 && st.st_uid != geteuid()))
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s is not root's, or everybody may write there", path);
	return AE_OK;
}

static int
run(const struct ae_trust *t, const struct trust_method *m,
    const char *const *argv, struct ae_err *e)
{
	char *program = ae_path_root(t->root, m->program), shown[300];
	struct ae_wr out;
	struct ae_exec x = { .path = program,
		.argv = argv,
		.timeout_ms = TELL_MS,
		.output = &out,
		.with_stderr = true };
	int status = 0, rc;

	if (program == NULL)
		return ae_fail_mem(e);
	ae_wr_init(&out, OUTPUT_MAX);
	rc = ae_exec_run(&x, &status, e);
	if (rc == AE_OK && status != 0)
		rc = ae_fail(e, AE_EIO, AE_DOM_NONE, status, "%s: exit %d: %s",
		    program, status,
		    ae_str_quote(shown, sizeof(shown),
			out.p == NULL ? "" : (char *)out.p, out.len));
	ae_wr_done(&out);
	free(program);
	return rc;
}

int
trust_tell(
    const struct ae_trust *t, const struct trust_method *m, struct ae_err *e)
{
	const char *argv[] = { strrchr(m->program, '/') + 1, m->args[0], NULL };

	return run(t, m, argv, e);
}

int
trust_tell_one(const struct ae_trust *t, const struct trust_method *m,
    const char *file, bool add, struct ae_err *e)
{
	const char *argv[] = { strrchr(m->program, '/') + 1, m->args[0],
		add ? m->add : m->remove, NULL, NULL };
	char path[4096];

	(void)snprintf(
	    path, sizeof(path), "%s/trust/anchors/%s", t->state_dir, file);
	argv[3] = path;
	return run(t, m, argv, e);
}
