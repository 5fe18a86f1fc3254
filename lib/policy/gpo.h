/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Which group policy objects apply to a computer or user, in which order,
 * and why the others do not (MS-GPOL 3.2.5.1).  The choice is pure: what
 * the directory said comes in as plain data.
 */
#ifndef AE_POLICY_GPO_H
#define AE_POLICY_GPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/ad.h"
#include "ad/sd.h"
#include "base/err.h"
#include "base/guid.h"
#include "policy/gplink.h"

#define AE_GPO_MAX 999u

/* The Registry client-side extension, MS-GPREG 1.9. */
#define AE_GPO_CSE_REGISTRY "{35378EAC-683F-11D2-A89A-00C04FBBCFA2}"
#define AE_GPO_TOOL_COMPUTER "{0F6B957D-509E-11D1-A7CC-0000F87571E3}"
#define AE_GPO_TOOL_USER "{0F6B957E-509E-11D1-A7CC-0000F87571E3}"

enum ae_som_kind { AE_SOM_OU, AE_SOM_DOMAIN, AE_SOM_SITE };

/*
 * A user's policy may depend on the computer he uses (MS-GPOL 3.2.1.3): what
 * the computer's policy says in UserPolicyMode.
 */
#define AE_GPO_SYSTEM_KEY "Software\\Policies\\Microsoft\\Windows\\System"
enum ae_loopback {
	AE_LOOPBACK_OFF = 0,
	AE_LOOPBACK_MERGE = 1,	 /* the computer's list after the user's */
	AE_LOOPBACK_REPLACE = 2, /* the computer's list alone */
};

/* A scope of management: where GPOs are linked.  Nearest first. */
struct ae_som {
	enum ae_som_kind kind;
	bool loopback; /* above the computer, for a user */
	char *dn;
	bool blocks; /* gPOptions 1: nothing unenforced from further out */
	struct ae_gplinks links;
};

/* A groupPolicyContainer as far as it matters. */
struct ae_gpo {
	char *dn;
	char *name;	   /* displayName, or cn */
	struct ae_guid id; /* cn */
	char *path;	   /* gPCFileSysPath as stored; NULL: none */
	uint32_t version;  /* high 16 bits user, low 16 computer */
	uint32_t flags;	   /* 1 user half off, 2 computer half off */
	uint32_t functionality;
	char *computer_extensions; /* NULL: none */
	char *user_extensions;
	char *wmi_filter; /* gPCWQLFilter; noted, not evaluated */
	struct ae_sd *sd;
};

enum ae_gpo_verdict {
	AE_GPO_APPLIES,
	AE_GPO_LINK_DISABLED,
	AE_GPO_BLOCKED,	   /* inheritance blocked nearer, not enforced */
	AE_GPO_UNREADABLE, /* no access, another domain, or gone */
	AE_GPO_MALFORMED,
	AE_GPO_FUNCTIONALITY, /* gPCFunctionalityVersion is not 2 */
	AE_GPO_HALF_DISABLED,
	AE_GPO_NO_READ,	     /* security filtering: no read */
	AE_GPO_NO_APPLY,     /* security filtering: no Apply Group Policy */
	AE_GPO_NO_REGISTRY,  /* the registry extension is not listed */
	AE_GPO_EMPTY,	     /* both versions are 0 */
	AE_GPO_FILE_MISSING, /* no Registry.pol in SYSVOL */
	AE_GPO_FILE_BAD,     /* Registry.pol is malformed */
};

/* A short sentence for people; never NULL. */
const char *ae_gpo_verdict_text(enum ae_gpo_verdict v);
/* "applies", "link-disabled", … for JSON. */
const char *ae_gpo_verdict_name(enum ae_gpo_verdict v);

/* A link and what became of it. */
struct ae_gpo_choice {
	const struct ae_som *som; /* borrowed from the ae_gpos */
	const char *dn;		  /* of the GPO, borrowed likewise */
	const struct ae_gpo *gpo; /* NULL: unreadable or malformed */
	bool enforced;
	enum ae_gpo_verdict verdict;
	char *detail; /* more about it, NULL: nothing */
};

/* All there is for one principal. */
struct ae_gpos {
	bool user; /* the user half */
	struct ae_som *soms;
	size_t nsoms;
	struct ae_gpo **gpos;
	size_t ngpos;
	struct ae_gpo_refused *refused; /* GPOs that were malformed */
	size_t nrefused;
	/* In order of application: a later one wins. */
	struct ae_gpo_choice *choices;
	size_t nchoices;
};

struct ae_gpo_refused {
	char *dn;
	char *why;
};

void ae_gpos_free(struct ae_gpos *g);

/* The attributes to ask for; ends with NULL. */
extern const char *const ae_gpo_attrs[];

/*
 * AE_EDENIED: an entry that may be seen but not read; AE_EPROTO: malformed.
 */
int ae_gpo_decode(struct ae_gpo **out, const struct ae_entry *entry,
    struct ae_err *e) AE_MUST_CHECK;
void ae_gpo_free(struct ae_gpo *g);

/*
 * Fill g->choices from soms, gpos and refused.  token is the principal's:
 * its groups as the DC counts them.  Links that do not apply come first in
 * the list, those that do in order of application behind them.  All scopes
 * with loopback come after those without, and so do their GPOs.
 */
int ae_gpo_select(struct ae_gpos *g, const struct ae_token *token,
    struct ae_err *e) AE_MUST_CHECK;

/* Whose policy is read. */
struct ae_gpo_target {
	const char *dn;	      /* of the computer or user */
	const char *computer; /* DN, for a user with loopback */
	enum ae_loopback loopback;
	const char *site; /* of this host; NULL: unknown */
	bool user;	  /* the user half */
};

/*
 * Read scopes and GPOs over the principal's own connection, and select.
 * With loopback it is still the user's token that filters.
 */
int ae_gpos_read(struct ae_gpos **out, struct ae_ad *ad,
    const struct ae_gpo_target *target, const struct ae_token *token,
    struct ae_err *e) AE_MUST_CHECK;

#endif
