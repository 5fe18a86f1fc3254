/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the files of setup share.
 */
#ifndef AE_GATHER_SETUP_INT_H
#define AE_GATHER_SETUP_INT_H

#include "ad/principal.h"
#include "gather/setup.h"

struct ae_setup_run {
	const struct ae_setup *conf;
	struct ae_ad *ad;
	struct ae_setup_report *report;
	struct ae_arena *arena; /* names and values of this run */
	struct ae_ad_domain domain;
	/* Groups the descriptors name. */
	struct ae_sid enterprise_admins, domain_admins, domain_users,
	    domain_computers, domain_controllers, cert_publishers;
};

/* Note a step; detail may be NULL. */
int ae_setup_note(struct ae_setup_run *r, enum ae_setup_action action,
    const char *what, const char *detail, struct ae_err *e) AE_MUST_CHECK;

/* What to do with an attribute of an object that exists. */
enum ae_setup_rule {
	AE_SETUP_ONLY_NEW, /* set when creating, then somebody else's */
	AE_SETUP_ADD,	   /* these values must be among them */
	AE_SETUP_SET,	   /* these values and no others */
};

struct ae_setup_attr {
	const char *name;
	enum ae_setup_rule rule;
	const struct ae_value *v;
	size_t n;
};

/*
 * Create the object, or bring its attributes in line.  objectClass is class.
 * sd (NULL: the schema's default) is written when the object is created.
 */
int ae_setup_ensure(struct ae_setup_run *r, const char *dn, const char *class,
    const struct ae_setup_attr *attrs, size_t n, const struct ae_sd *sd,
    struct ae_err *e) AE_MUST_CHECK;

/* A value and a DN in the run's arena; NULL: out of memory. */
struct ae_value *ae_setup_text(struct ae_setup_run *r, const char *s);
const char *ae_setup_dn(struct ae_setup_run *r, const char *rdn_type,
    const char *rdn_value, const char *parent);

/* The forest's arc for templates; CN=OID remembers it for all tools after us.
 */
int ae_setup_base_oid(
    struct ae_setup_run *r, const char **base, struct ae_err *e) AE_MUST_CHECK;

/* The object that names an OID, unless there is one. */
int ae_setup_oid(struct ae_setup_run *r, const char *oid,
    const char *display_name, struct ae_err *e) AE_MUST_CHECK;

/* Create templates and their OIDs; *names gets those to offer. */
int ae_setup_templates(struct ae_setup_run *r, const char *const **names,
    struct ae_err *e) AE_MUST_CHECK;

/* The descriptor of the enrollment service; owned by the caller. */
int ae_setup_service_sd(struct ae_sd **out, const struct ae_setup_run *r,
    const struct ae_sid *host, struct ae_err *e) AE_MUST_CHECK;

int ae_setup_gpo(struct ae_setup_run *r, struct ae_err *e) AE_MUST_CHECK;

#endif
