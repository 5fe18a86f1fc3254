/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Loading libldap; see libldap.h.
 */
#include "ad/libldap.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "ad/ad.h"

/* Of the version whose header this was built with. */
#if LDAP_VENDOR_VERSION < 20600
#define SONAME "libldap-2.5.so.0"
#else
#define SONAME "libldap.so.2"
#endif

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define AE_AD_ROW(name) { #name, offsetof(struct ae_ad_lib, name) },
	AE_AD_LIBRARY(AE_AD_ROW)
#undef AE_AD_ROW
};

/* The other mechanisms are never asked for: their code is not wanted here. */
static int
only_gssapi(void *context, const char *file, sasl_verify_type_t type)
{
	const char *name = strrchr(file, '/');

	(void)context;
	name = name == NULL ? file : name + 1;
	return type != SASL_VRFY_PLUGIN ||
		strncmp(name, "libgssapiv2.", 12) == 0
	    ? SASL_OK
	    : SASL_CONTINUE;
}

/* SASL keeps a pointer to it. */
static const sasl_callback_t callbacks[] = {
	{ SASL_CB_VERIFYFILE, (int (*)(void))(void (*)(void))only_gssapi,
	    NULL },
	{ SASL_CB_LIST_END, NULL, NULL },
};

int
ae_ad_lib_load(struct ae_ad_lib *out, struct ae_err *e)
{
	void *lib, *p;
	size_t i;
	int code;

	lib = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (lib == NULL)
		return ae_fail(
		    e, AE_EINTERNAL, AE_DOM_NONE, 0, "libldap: %s", dlerror());
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		p = dlsym(lib, functions[i].name);
		if (p == NULL)
			return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
			    "%s: no function %s", SONAME, functions[i].name);
		memcpy((char *)out + functions[i].offset, &p, sizeof(p));
	}
	/* libldap's own call, later, finds it done. */
	code = out->sasl_client_init(callbacks);
	return code == SASL_OK ? AE_OK
			       : ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, code,
				     "SASL does not start (%d)", code);
}

int
ae_ad_ready(struct ae_err *e)
{
	struct ae_ad_lib lib;

	return ae_ad_lib_load(&lib, e);
}
