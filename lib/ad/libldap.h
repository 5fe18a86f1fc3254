/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * libldap, loaded by whoever makes a connection and by nobody else: it
 * brings GnuTLS, SASL and a dozen more, which cost each process several
 * milliseconds and a megabyte, and most of ours never speak LDAP.
 */
#ifndef AE_AD_LIBLDAP_H
#define AE_AD_LIBLDAP_H

#include <lber.h>
#include <ldap.h>
#include <stdio.h>

#include <ldif.h>
#include <sasl/sasl.h>

#include "base/err.h"

/* What is called, in libldap and in what that is linked with. */
#define AE_AD_LIBRARY(F)                   \
	F(ber_alloc_t)                     \
	F(ber_bvfree)                      \
	F(ber_flatten)                     \
	F(ber_free)                        \
	F(ber_memfree)                     \
	F(ber_printf)                      \
	F(ber_sockbuf_ctrl)                \
	F(ldap_abandon_ext)                \
	F(ldap_add_ext_s)                  \
	F(ldap_control_create)             \
	F(ldap_control_find)               \
	F(ldap_control_free)               \
	F(ldap_controls_free)              \
	F(ldap_count_values_len)           \
	F(ldap_create_page_control)        \
	F(ldap_delete_ext_s)               \
	F(ldap_err2string)                 \
	F(ldap_first_attribute)            \
	F(ldap_first_entry)                \
	F(ldap_get_dn)                     \
	F(ldap_get_option)                 \
	F(ldap_get_values_len)             \
	F(ldap_initialize)                 \
	F(ldap_memfree)                    \
	F(ldap_modify_ext_s)               \
	F(ldap_msgfree)                    \
	F(ldap_next_attribute)             \
	F(ldap_next_entry)                 \
	F(ldap_parse_pageresponse_control) \
	F(ldap_parse_result)               \
	F(ldap_result)                     \
	F(ldap_sasl_interactive_bind_s)    \
	F(ldap_search_ext)                 \
	F(ldap_search_ext_s)               \
	F(ldap_set_option)                 \
	F(ldap_unbind_ext_s)               \
	F(ldap_value_free_len)             \
	F(ldif_getline)                    \
	F(ldif_parse_line2)                \
	F(ldif_put)                        \
	F(sasl_client_init)

struct ae_ad_lib {
#define AE_AD_FIELD(name) __typeof__(name) *name;
	AE_AD_LIBRARY(AE_AD_FIELD)
#undef AE_AD_FIELD
};

/*
 * Load it, the first time; of SASL's plugins GSSAPI alone.  It stays.
 * AE_EINTERNAL: the library is not there, or not one we know.
 */
int ae_ad_lib_load(struct ae_ad_lib *out, struct ae_err *e) AE_MUST_CHECK;

#endif
