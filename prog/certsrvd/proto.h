/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What the processes of certsrvd say to each other: every message type, who
 * sends it, its body, and the encoding of what several of them carry.
 * doc/privsep.md says why each may be said.
 */
#ifndef CERTSRVD_PROTO_H
#define CERTSRVD_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "db/db.h"
#include "wcce/admin.h"
#include "wcce/request.h"

enum role {
	ROLE_PARENT,
	ROLE_RPC135,
	ROLE_RPC,
	ROLE_AUTH,
	ROLE_CA,
	ROLE_AD,
	ROLE_DB,
	ROLE_SIGN,
	ROLE_TICKET,
	ROLE_HTTP,
	ROLE_OCSP,
	ROLE_COUNT
};

#define WORKERS_MAX 8 /* of one role */

enum msg {
	/* parent -> any */
	MSG_PEER = 1, /* u8 role, u8 index, u32 generation; descriptor */
	MSG_STOP,     /* finish what is in flight and leave */
	MSG_TICKET,   /* -> ad: the credential cache was renewed */
	MSG_PUBLISH,  /* -> ca: make a CRL now */
	MSG_ADMIN,    /* -> ca: struct local_who; the descriptor he came by */
	MSG_POLICY_FILE, /* -> ca: string name, why it is unreadable; bytes */
	MSG_POLICIES,	 /* -> ca: u32 count: those told since the last one */
	MSG_PIN_FILE,	 /* -> ca: as MSG_POLICY_FILE, of a pinned template */
	MSG_PINS,	 /* -> ca: as MSG_POLICIES */
	MSG_LOST,	 /* -> ca: u64 lines that the log did not take */
	/* -> ca: bytes roots, intermediates, keys; text why not */
	MSG_EK_TRUST,
	MSG_CRL_SAID, /* -> ca: u8 a part (0) or the end (1), i32 rc, text */

	/* any -> parent */
	MSG_READY, /* text: what the sandbox lacks, "" for nothing */
	MSG_LOG,   /* a record of sys/log.h */
	MSG_EVENT, /* the same, and it goes to the event file */
	MSG_CUT,   /* u8 role, u8 index, u32 generation, text: I cut it off */
	MSG_CACHE, /* ticket -> parent: bytes of a credential cache */
	/* ca -> parent: a CRL to be written, in parts */
	MSG_CRL_BEGIN,	  /* u16 key index, u8 delta, u8 bytes kept free */
	MSG_CRL_PART,	  /* bytes */
	MSG_CRL_END,	  /* bytes for the free place, bytes behind */
	MSG_FIGURES_FILE, /* ca -> parent: text for [metrics] file */

	/* rpc135, rpc -> auth */
	MSG_AUTH_STEP, /* u32 conn, u32 auth, u8 first, type, level; token */
	MSG_AUTH_DROP, /* u32 conn, u32 auth */
	/* auth -> rpc135, rpc; the id is that of MSG_AUTH_STEP */
	MSG_AUTH_CONTINUE, /* token */
	MSG_AUTH_FAILED,   /* text for the log */
	MSG_AUTH_DONE,	   /* u64 name, sid, bytes token, bytes context */

	/* auth -> ca */
	MSG_CALLER, /* u64 name, u8 index, u32 generation; caller */
	/* ca -> auth */
	MSG_CALLER_OK,

	/* rpc -> ca */
	MSG_REQUEST,	/* u64 name, string peer; request */
	MSG_FORGET,	/* u64 name */
	MSG_MANAGE_ASK, /* u64 name, string peer, u16 opnum: may it be read? */
	MSG_MANAGE,	/* u64 name, string peer; administration request */
	/* ca -> rpc */
	MSG_REPLY,	/* reply */
	MSG_MANAGE_MAY, /* u32 hresult: 0, or what the call is refused with */
	MSG_MANAGED,	/* administration reply */

	/* ca -> ad */
	MSG_ASK_REQUESTER, /* sid */
	MSG_ASK_DNS,	   /* string dns name, sid of the requester */
	MSG_ASK_SUBJECT,   /* string: an account's name, or its SID */
	MSG_ASK_OBJECT,	   /* a question of object.h */
	/* u16 key index, u8 delta, u8 over a newer one; DER, for CN=CDP */
	MSG_AD_CRL,
	MSG_AD_PUBLISH, /* u8 0 owner 1 KRA, sid, bytes cert; the id is the
			   row's */
	/* ad -> ca */
	MSG_REQUESTER,	  /* u8 ok, then the object */
	MSG_SUBJECT,	  /* the same, account, u8 disabled, groups */
	MSG_AD_CRL_DONE,  /* i32 rc, text */
	MSG_AD_PUBLISHED, /* i32 rc, strings where, which DC, why not */
	MSG_OBJECT,	  /* its answer */
	MSG_DNS_OWNERS,	  /* u8 ok, u32 count */
	MSG_SNAPSHOT,	  /* what ad/pki.h encodes */
	MSG_FRESH,	  /* the last snapshot still is what the DC has */
	MSG_AD_SEEN,	  /* DER: a CRL that is in the CDP container */

	/* ca -> db */
	MSG_DB_ADD,	  /* row, tbs hash, ae_db_request.after */
	MSG_DB_ACTIVATE,  /* i64 id, bytes serial, tbs hash, u32 issuer, by */
	MSG_DB_ISSUE,	  /* i64 id, bytes cert, times, message */
	MSG_DB_REFUSE,	  /* i64 id, u32 state, u32 hresult, message, by */
	MSG_DB_REVOKE,	  /* bytes serial, u8 reason, string by */
	MSG_DB_RELEASE,	  /* bytes serial, string by */
	MSG_DB_RECOVER,	  /* i64 id, string by */
	MSG_DB_SET_ATTRS, /* i64 id, string attributes, string by */
	MSG_DB_ATTESTED,  /* i64 id, u32 request flags that come to it */
	MSG_DB_BY_ID,	  /* i64 id */
	MSG_DB_BY_SERIAL, /* bytes */
	MSG_DB_SAME,	  /* string sid, 32 bytes hash, string attributes */
	/* u16 key index, u8 delta, u64 number was seen, u64 one we have */
	MSG_DB_CRL_OPEN,
	MSG_DB_CRL_SIZE, /* of the next rows; afterwards from the first */
	MSG_DB_CRL_PAGE, /* the next rows */
	MSG_DB_CRL_DONE, /* u16 key index, u64 number, changed, at: is out */
	/* u16 key index, u8 delta, u64 number, three times; DER or nothing: it
	   may be published, or another node was faster */
	MSG_DB_CRL_KEEP,
	MSG_DB_CRL_LOOK, /* u16 key index, u8 delta, u64 number we have */
	MSG_DB_LIST,	 /* u8 blobs, i64 after, u32 limit, u8 newest first,
			    u32 state, string template, bytes serial,
			    string sid */
	MSG_DB_PICK,	 /* u8 blobs, u32 n, i64 id... */
	MSG_DB_SEEN,	 /* u16 key index, u64 number, u8 directory: a CRL */
	MSG_DB_BACKUP,	 /* string by: one more backup is being made */
	/* bytes serial of one that has no row, u8 reason, string by */
	MSG_DB_REVOKE_UNRECORDED,
	/* bytes serial, bytes sealed, i64 until: for other nodes */
	MSG_DB_XCHG_KEEP,
	MSG_DB_XCHG_GET, /* bytes serial: of any node */
	/* db -> ca */
	MSG_DB_DONE,	   /* i32 rc, i64 id, text */
	MSG_DB_ROW,	   /* i32 rc; row */
	MSG_DB_CRL_OPENED, /* i32 rc, u64 number; base: u64 number, changed */
	MSG_DB_CRL_SIZED,  /* i32 rc, u8 last, u64 bytes of entries */
	MSG_DB_CRL_ROWS,   /* i32 rc, u8 last, rows */
	MSG_DB_CRL_NEWEST, /* i32 rc, u64 number, three times; DER or nothing */
	MSG_DB_KEY,	   /* i32 rc, bytes when it is 0 */
	MSG_DB_ROWS,	   /* i32 rc, u8 end, u32 n, rows when it is 0 */
	MSG_DB_XCHG,	   /* i32 rc, bytes sealed, DER certificate */
	MSG_DB_STATE,	   /* text: why nothing is written; "": all is well */
	/* u8 n, n times bytes serial, i64 at: certificates without a row */
	MSG_DB_UNRECORDED,

	/* certsrv -> ca, over the descriptor of MSG_ADMIN */
	MSG_ADMIN_APPROVE, /* i64 id */
	MSG_ADMIN_DENY,	   /* i64 id */
	MSG_ADMIN_REVOKE,  /* i64 id or 0, bytes serial, u8 reason */
	MSG_ADMIN_RELEASE, /* i64 id or 0, bytes serial */
	MSG_ADMIN_RECOVER, /* i64 id */
	MSG_ADMIN_BACKUP,  /* nothing; the answer's id is the backup's number */
	/* i64 id or 0, string who, flags, attributes; request; policy file */
	MSG_ADMIN_EXPLAIN,
	MSG_ADMIN_PUBLISH, /* nothing: a CRL is wanted */
	/* u8 blobs, i64 after, u32 limit, u8 newest first, u32 state,
	   string template, bytes serial, string sid */
	MSG_ADMIN_LIST,
	MSG_ADMIN_STATUS, /* nothing */
	/* ca -> certsrv */
	MSG_ADMIN_DONE,	     /* i32 rc, u32 hresult, i64 id, text, bytes */
	MSG_ADMIN_EXPLAINED, /* a decision, explain.h */
	MSG_ADMIN_ROWS,	     /* as MSG_DB_ROWS */
	/* u32 n, n times: string what is wrong, i64 since or 0, string text */
	MSG_ADMIN_STATUS_IS,

	/* ca -> sign */
	/* u16 certificate index, and to be signed under that certificate: */
	MSG_SIGN,	   /* DER TBSCertificate */
	MSG_SIGN_CRL_HEAD, /* a TBSCertList up to its first entry */
	MSG_SIGN_CRL_LIST, /* whole entries of it */
	MSG_SIGN_CRL_TAIL, /* the rest: signed when all is well */
	MSG_SIGN_RESPONSE, /* signed attributes of a CMC response */
	MSG_SIGN_ARCHIVED, /* an archived key's message: its attributes */
	MSG_XCHG_NEW,	   /* make an exchange key; to the first signer only */
	MSG_XCHG_CERT,	   /* its certificate, DER: it counts from now on */
	/* bytes envelope, bytes spki; of another node's exchange key bytes
	   certificate and bytes sealed, else nothing twice; u8 n, agents */
	MSG_XCHG_OPEN,
	MSG_XCHG_EK,	 /* an envelope with an EndorsementKeyInfo */
	MSG_XCHG_SECRET, /* SHA-256 of a secret; an envelope: is it in there? */
	/* sign -> ca */
	MSG_SIGN_STATE,	   /* u8: the key that signs can be used; text */
	MSG_SIGNED,	   /* i32 rc, bytes signature, text */
	MSG_SIGN_CRL_SEEN, /* i32 rc, text: of a head or of entries */
	MSG_XCHG_KEY,	   /* i32 rc, bytes spki, bytes sealed, text */
	MSG_XCHG_OPENED,   /* u32 hresult, bytes recovery blob or
			      EndorsementKeyInfo, text */

	/* sign -> db */
	/* u64 its number, bytes serial, 32 bytes hash, u16 key, i64 not_after:
	   I sign this certificate */
	MSG_NOTE,
	/* db -> sign */
	MSG_NOTED, /* u64 number: this one and those before have been seen */

	/* any -> ca, from time to time */
	MSG_FIGURES, /* struct metrics */

	/* http -> ocsp */
	MSG_OCSP, /* bytes nonce, u8 n, n times bytes CertID */
	/* ocsp -> http */
	MSG_OCSP_ANSWER, /* u32 seconds it may be kept, bytes OCSPResponse */
	/* http -> ca */
	MSG_METRICS, /* struct metrics: its own */
	/* ca -> http */
	MSG_METRICS_TEXT,
	/* ocsp -> db */
	MSG_DB_STATUS, /* u8 n, n times bytes serial */
	/* db -> ocsp */
	MSG_DB_STATUSES, /* i32 rc, n times: u8 status, u16 key, u64 at, u8 why
			  */
	/* ocsp -> the first signer */
	MSG_SIGN_OCSP, /* ResponseData */
	/* ca -> the first signer */
	MSG_OCSP_NEW, /* make the OCSP key; it counts at once */
	/* the first signer -> ca */
	MSG_OCSP_KEY, /* as MSG_XCHG_KEY, nothing sealed */
	/* ca -> ocsp */
	MSG_OCSP_CERT,	  /* u16 key index, DER: its signer for that key */
	MSG_OCSP_CHANGED, /* bytes serial: answers about it are void; all */
};

/* Ceilings of bodies. */
#define MSG_TEXT_MAX 4096u
#define MSG_POLICY_MAX (272u * 1024u)	       /* one file with its name */
#define MSG_PIN_MAX (516u * 1024u)	       /* the same */
#define MSG_ATTRS_MAX (2u * AE_WCCE_ATTRS_MAX) /* in UTF-8 */
#define MSG_TOKEN_MAX 66000u
#define MSG_CONTEXT_MAX (1200u * 1024u)
#define MSG_CALLER_MAX (600u * 1024u)
#define MSG_EXPLAIN_MAX (700u * 1024u)
#define MSG_REQUEST_MAX (400u * 1024u)
#define MSG_MANAGE_MAX (256u * 1024u)
#define MSG_REPLY_MAX (16u * 1024u * 1024u)
#define MSG_SNAPSHOT_MAX (32u * 1024u * 1024u)
#define MSG_ROW_MAX (1024u * 1024u)
#define MSG_SUBJECT_MAX (512u * 1024u)	 /* an object and its groups */
#define MSG_CRL_MAX (8u * 1024u * 1024u) /* one that is in memory */
#define MSG_CRL_PART_MAX (256u * 1024u)
#define CRL_PAGE_ROWS 4000u /* 27 bytes each, 55 as entries */
#define CRL_SIZE_ROWS 20000u
#define MSG_OCSP_MAX (8u * 1024u)
#define MSG_STATUSES_MAX 512u
#define MSG_METRICS_MAX (256u * 1024u)
#define MSG_ROWS_MAX (16u * 1024u * 1024u)
#define XCHG_OPEN_MAX (640u * 1024u) /* an envelope and eight certificates */
#define MSG_EK_TRUST_MAX (20u * 1024u * 1024u)
#define MSG_CERT_MAX (256u * 1024u)
#define MSG_CACHE_MAX (256u * 1024u)
#define MSG_ROW_ARENA (2048u * 1024u)

/*
 * Who stands at the local door: roles as over the network (MS-CSRA 3.1.1.7),
 * and the accounts he may be in the domain, whose requests he cannot approve.
 */
enum {
	LOCAL_ADMINISTRATOR = 0x1,
	LOCAL_MANAGER = 0x2,
	LOCAL_AUDITOR = 0x4,
	LOCAL_ANY = 0x7,
	LOCAL_ROOT = 0x80, /* has all roles, whatever separates them */
};
#define LOCAL_NAMES_MAX 2
#define LOCAL_NAME_MAX 256
struct local_who {
	char who[64]; /* for the audit chain */
	uint8_t roles;
	uint8_t nnames;
	char name[LOCAL_NAMES_MAX][LOCAL_NAME_MAX];
};
void put_local_who(struct ae_wr *w, const struct local_who *l);
void get_local_who(struct ae_rd *r, struct local_who *l);

/* What MSG_DB_STATUSES says of a serial number. */
enum {
	STATUS_NONE, /* no certificate has it */
	STATUS_ISSUED,
	STATUS_REVOKED,
};

const char *role_name(enum role r);
/* ROLE_COUNT for a name of none. */
enum role role_find(const char *name);

/* bytes: u32 length and so many; a string can be NULL. */
void put_bytes(struct ae_wr *w, const void *p, size_t len);
void put_str(struct ae_wr *w, const char *s);
/* Borrowed; NULL and 0 when the reader is bad. */
const uint8_t *get_bytes(struct ae_rd *r, size_t *len);
/* In the arena, no NUL inside; NULL for none (or a bad reader). */
char *get_str(struct ae_rd *r, struct ae_arena *a);

void put_request(struct ae_wr *w, const struct ae_wcce_request *q);
void get_request(
    struct ae_rd *r, struct ae_wcce_request *q, struct ae_arena *a);
void put_reply(struct ae_wr *w, const struct ae_wcce_reply *p);
void get_reply(struct ae_rd *r, struct ae_wcce_reply *p, struct ae_arena *a);
void put_row(struct ae_wr *w, const struct ae_db_request *q);
void get_row(struct ae_rd *r, struct ae_db_request *q, struct ae_arena *a);

/* proto_admin.c */
void put_manage(struct ae_wr *w, const struct ae_admin_request *q);
void get_manage(
    struct ae_rd *r, struct ae_admin_request *q, struct ae_arena *a);
void put_managed(struct ae_wr *w, const struct ae_admin_reply *p);
void get_managed(struct ae_rd *r, struct ae_admin_reply *p, struct ae_arena *a);

/* "Not understood": what a handler returns after ae_rd_done() said no. */
int bad_message(const struct ae_rd *r, const char *what, struct ae_err *e);

#endif
