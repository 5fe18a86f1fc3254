/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Loading libcurl; see libcurl.h.
 */
#include "run/libcurl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* Debian's is built on OpenSSL, which we have, by this name; others have it
 * by this name alone. */
#define SONAME "libcurl.so.4"

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define AE_RUN_CURL_ROW(name) { #name, offsetof(struct ae_run_curl, name) },
	AE_RUN_CURL_LIBRARY(AE_RUN_CURL_ROW)
#undef AE_RUN_CURL_ROW
};

int
ae_run_curl_load(struct ae_run_curl *out, struct ae_err *e)
{
	void *lib, *p;
	size_t i;

	lib = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (lib == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "%s is not installed", SONAME);
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		p = dlsym(lib, functions[i].name);
		if (p == NULL)
			return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
			    "%s: no function %s", SONAME, functions[i].name);
		memcpy((char *)out + functions[i].offset, &p, sizeof(p));
	}
	return AE_OK;
}
