/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * ICertAdminD and ICertAdminD2 (MS-CSRA 3.1.4): one typed request and one
 * typed reply for all methods, the table of methods with the roles each of
 * them asks for, and their encoding.  What the database's columns are is in
 * admin_view.h; nothing is decided or looked up here.
 */
#ifndef AE_WCCE_ADMIN_H
#define AE_WCCE_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/guid.h"
#include "base/wr.h"

struct ae_ndr_type;

/* MS-CSRA 1.9, 2.1 */
extern const struct ae_guid ae_iid_icertadmind;
extern const struct ae_guid ae_iid_icertadmind2;
extern const struct ae_guid ae_clsid_ccertadmind;

/* Opnums; ICertAdminD2 inherits 3 to 30.  20 to 30 (backup) are not here. */
enum ae_admin_op {
	AE_ADMIN_SETEXTENSION = 3,
	AE_ADMIN_SETATTRIBUTES = 4,
	AE_ADMIN_RESUBMIT = 5,
	AE_ADMIN_DENY = 6,
	AE_ADMIN_ISVALID = 7,
	AE_ADMIN_PUBLISHCRL = 8,
	AE_ADMIN_GETCRL = 9,
	AE_ADMIN_REVOKE = 10,
	AE_ADMIN_ENUMVIEWCOLUMN = 11,
	AE_ADMIN_DEFAULTCOLUMNS = 12,
	AE_ADMIN_ENUMATTRIBUTES = 13,
	AE_ADMIN_OPENVIEW = 14,
	AE_ADMIN_ENUMVIEW = 15,
	AE_ADMIN_CLOSEVIEW = 16,
	AE_ADMIN_SERVERCONTROL = 17,
	AE_ADMIN_PING = 18,
	AE_ADMIN_GETSERVERSTATE = 19,
	AE_ADMIN_IMPORTCERTIFICATE = 28,
	AE_ADMIN_PUBLISHCRLS = 31,
	AE_ADMIN_GETCAPROPERTY = 32,
	AE_ADMIN_SETCAPROPERTY = 33,
	AE_ADMIN_GETCAPROPERTYINFO = 34,
	AE_ADMIN_ENUMVIEWCOLUMNTABLE = 35,
	AE_ADMIN_GETCASECURITY = 36,
	AE_ADMIN_SETCASECURITY = 37,
	AE_ADMIN_PING2 = 38,
	AE_ADMIN_GETARCHIVEDKEY = 39,
	AE_ADMIN_GETAUDITFILTER = 40,
	AE_ADMIN_SETAUDITFILTER = 41,
	AE_ADMIN_GETOFFICERRIGHTS = 42,
	AE_ADMIN_SETOFFICERRIGHTS = 43,
	AE_ADMIN_GETCONFIGENTRY = 44,
	AE_ADMIN_SETCONFIGENTRY = 45,
	AE_ADMIN_IMPORTKEY = 46,
	AE_ADMIN_GETMYROLES = 47,
	AE_ADMIN_DELETEROW = 48,
};
#define AE_ADMIN_OPS_D 31  /* ICertAdminD has opnums below this */
#define AE_ADMIN_OPS_D2 49 /* and ICertAdminD2 below this */

/* The CA's roles as rights in its security descriptor, MS-CSRA 3.1.1.7. */
#define AE_ADMIN_ROLE_ADMIN 0x0001u
#define AE_ADMIN_ROLE_OFFICER 0x0002u
#define AE_ADMIN_ROLE_AUDITOR 0x0004u
#define AE_ADMIN_ROLE_OPERATOR 0x0008u
#define AE_ADMIN_ROLE_READ 0x0100u
#define AE_ADMIN_ROLE_ENROLL 0x0200u
/* Whoever has one of these is somebody here; enroll alone is nobody. */
#define AE_ADMIN_ROLES                                                         \
	(AE_ADMIN_ROLE_ADMIN | AE_ADMIN_ROLE_OFFICER | AE_ADMIN_ROLE_AUDITOR | \
	    AE_ADMIN_ROLE_OPERATOR | AE_ADMIN_ROLE_READ)
/* Of these nobody may have two where the roles are separated. */
#define AE_ADMIN_ROLES_APART                                                   \
	(AE_ADMIN_ROLE_ADMIN | AE_ADMIN_ROLE_OFFICER | AE_ADMIN_ROLE_AUDITOR | \
	    AE_ADMIN_ROLE_OPERATOR)

/* Ceilings on what is accepted from the wire. */
#define AE_ADMIN_RESTRICTIONS_MAX 32
#define AE_ADMIN_COLUMNS_MAX 128
#define AE_ADMIN_VALUE_MAX 0x4000   /* bytes of one restriction's value */
#define AE_ADMIN_STUB_MAX 0x20000   /* arguments of one call */
#define AE_ADMIN_ARENA_MAX 0x80000  /* enough for any of them decoded */
#define AE_ADMIN_REPLY_MAX 0x400000 /* bytes of one blob in a reply */

/* CERTVIEWRESTRICTION, MS-CSRA 2.2.1.3; as the wire has it. */
struct ae_admin_restriction {
	uint32_t column;
	uint32_t seek; /* enum ae_admin_seek */
	uint32_t sort; /* enum ae_admin_sort */
	const uint8_t *value;
	uint32_t len;
};
enum ae_admin_seek {
	AE_ADMIN_SEEK_NONE = 0, /* the SDK's, with a sort order alone */
	AE_ADMIN_SEEK_EQ = 0x1,
	AE_ADMIN_SEEK_LT = 0x2,
	AE_ADMIN_SEEK_LE = 0x4,
	AE_ADMIN_SEEK_GE = 0x8,
	AE_ADMIN_SEEK_GT = 0x10,
};
enum ae_admin_sort {
	AE_ADMIN_SORT_NONE = 0,
	AE_ADMIN_SORT_ASC = 1,
	AE_ADMIN_SORT_DESC = 2,
};

/*
 * The arguments of any method; a method uses those that are named with its
 * row in admin_wire.c, the others are zero.
 */
struct ae_admin_request {
	uint16_t opnum;
	const char *authority;
	uint32_t id;	   /* dwRequestId, RowId */
	const char *text;  /* pwszAttributes, serial number, pwszLast, node */
	const char *entry; /* pwszEntry */
	uint32_t flags;	   /* Flags, Reason, iColumnSetDefault */
	struct ae_admin_time {
		uint32_t lo, hi;
	} time; /* FILETIME */
	uint32_t table;
	uint32_t from;	/* iColumn, ielt */
	uint32_t count; /* cColumn, celt */
	uint32_t prop_id, prop_index, prop_type;
	uint32_t nrestrictions;
	const struct ae_admin_restriction *restrictions;
	uint32_t ncolumns;
	const uint32_t *columns;
};

struct ae_admin_blob {
	uint32_t len;
	const uint8_t *p;
};

/* VARIANT (MS-OAUT 2.2.29), the two kinds of it that are configuration. */
struct ae_admin_variant {
	uint32_t size, reserved;
	uint16_t vt, reserved1, reserved2, reserved3;
	union ae_admin_variant_value {
		uint32_t number;
		uint64_t wide; /* no value has it; it aligns the others */
		const struct ae_admin_words *text;
	} u;
};
enum {
	AE_ADMIN_VT_NONE = 0,
	AE_ADMIN_VT_I4 = 3,
	AE_ADMIN_VT_BSTR = 8,
};

/* What comes back: numbers in the order of the method, then its blob. */
struct ae_admin_reply {
	uint32_t hresult;
	uint32_t n; /* pdwDisposition, pcColumn, pceltFetched, pdwState, … */
	uint32_t m; /* IsValidCertificate's second one */
	struct ae_admin_blob blob;
	/* GetConfigEntry: AE_ADMIN_VT_, and n or text */
	uint16_t vt;
	const char *text;			/* UTF-8 */
	const struct ae_admin_variant *variant; /* its form on the wire */
};

/* One method. */
struct ae_admin_method {
	uint16_t opnum;
	const char *name;
	/*
	 * The caller needs one of these; 0: nobody may call it over the
	 * network, and its arguments are never looked at.
	 */
	uint32_t roles;
	const struct ae_ndr_type *in;  /* of struct ae_admin_request */
	const struct ae_ndr_type *out; /* of struct ae_admin_reply */
};
extern const struct ae_admin_method ae_admin_methods[]; /* ends with no name */
const struct ae_admin_method *ae_admin_method_find(uint16_t opnum);

/*
 * Decode the arguments of a served method.  AE_ENOTFOUND: it is not served.
 * What the request points to lives in a.
 */
int ae_admin_request_decode(struct ae_admin_request *out, uint16_t opnum,
    const void *stub, size_t len, bool big, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;
int ae_admin_request_encode(struct ae_wr *w, const struct ae_admin_request *rq,
    struct ae_err *e) AE_MUST_CHECK;

int ae_admin_reply_encode(struct ae_wr *w, uint16_t opnum,
    const struct ae_admin_reply *p, struct ae_err *e) AE_MUST_CHECK;
int ae_admin_reply_decode(struct ae_admin_reply *out, uint16_t opnum,
    const void *stub, size_t len, bool big, struct ae_arena *a,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * What a caller with these rights in the CA's descriptor may be: read comes
 * with each of the four roles.  Enrolling alone gives none.
 */
uint32_t ae_admin_roles(uint32_t rights);

/*
 * May somebody with these roles call this method?  0, E_ACCESSDENIED or,
 * where roles are separated and he has two, CERTSRV_E_ROLECONFLICT.
 */
uint32_t ae_admin_may(uint16_t opnum, uint32_t roles, bool separated);

#endif
