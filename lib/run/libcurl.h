/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * libcurl, loaded by whoever fetches something and by nobody else, as
 * ad/libldap.h does: it brings thirty libraries with it, and a host without
 * it only cannot look at what it is for.
 */
#ifndef AE_RUN_LIBCURL_H
#define AE_RUN_LIBCURL_H

/* Its macros would stand in for our members. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/err.h"

#define AE_RUN_CURL_LIBRARY(F) \
	F(curl_easy_cleanup)   \
	F(curl_easy_getinfo)   \
	F(curl_easy_init)      \
	F(curl_easy_perform)   \
	F(curl_easy_reset)     \
	F(curl_easy_setopt)    \
	F(curl_easy_strerror)

struct ae_run_curl {
#define AE_RUN_CURL_FIELD(name) __typeof__(name) *name;
	AE_RUN_CURL_LIBRARY(AE_RUN_CURL_FIELD)
#undef AE_RUN_CURL_FIELD
};

/* Load it, the first time; it stays.  AE_EINTERNAL: it is not installed. */
int ae_run_curl_load(struct ae_run_curl *out, struct ae_err *e) AE_MUST_CHECK;

#endif
