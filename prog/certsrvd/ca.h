/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The process that decides, inside: who is known, what the directory said,
 * and the requests in hand.  It has no network, no key and no database.
 */
#ifndef CERTSRVD_CA_H
#define CERTSRVD_CA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/pki.h"
#include "ca/attest.h"
#include "ca/caprops.h"
#include "ca/config.h"
#include "ca/crlplan.h"
#include "ca/decide.h"
#include "cafile.h"
#include "challenges.h"
#include "db/signed.h"
#include "gss/caller.h"
#include "pki/crl.h"
#include "pki/recover.h"
#include "pki/response.h"
#include "role.h"
#include "wcce/admin.h"

#define JOBS_MAX 8192u
#define JOBS_PER_SID 256u
#define SUBMIT_BUCKETS 1024u
#define JOB_MS 30000	   /* from the request to an answer of some kind */
#define SNAPSHOT_AGE 60000 /* ms; older than this nothing is decided by it */
#define CALLERS_MAX 65536u
#define CALLER_BUCKETS 8192u
#define ADMINS_MAX 8u /* connections of certsrv at one time */
#define JOB_ARENA (4u * 1024u * 1024u)

struct admin_view;

/* A caller that auth told of, by the name of its context. */
struct known {
	struct known *next;
	uint64_t name;
	uint8_t worker; /* the one rpc process that may use the name */
	uint32_t generation;
	unsigned refs; /* the table's and one of each job */
	unsigned jobs;
	struct ae_caller *caller;
	struct admin_view *view; /* of the database, when one is open */
};

/* What the directory said at one time. */
struct snapshot {
	unsigned refs;
	struct ae_pki *pki;
	const struct ae_enrollment_service *service; /* ours, or NULL */
	/* As they count: pinned ones as they are pinned. */
	struct ae_ca_templates templates;
	struct ae_template **own; /* what of them is not in pki; or NULL */
	struct ae_ca_info_template *info;
	size_t ninfo;
};

/* The policy files of one time. */
struct policies {
	unsigned refs;
	struct ae_rules_set *set;
};

/* A template that is pinned (ESC4). */
struct pin {
	char *file;
	struct ae_template *t; /* NULL: the file is not good */
	char *error;	       /* why */
	char *told;	       /* what is wrong now; NULL: all is well */
	int64_t since;
};

struct pins {
	struct pin *v;
	size_t n;
};

enum stage {
	STAGE_LOAD,   /* an administrator named a row: it is being read */
	STAGE_ADMIN,  /* what he said is being stored */
	STAGE_WHO,    /* the account to explain for is being looked up */
	STAGE_CRL,    /* he waits for a CRL */
	STAGE_ROWS,   /* or for rows of a view */
	STAGE_ASK,    /* answers are outstanding */
	STAGE_RECORD, /* a refusal or a pending row is being stored */
	STAGE_INTENT, /* the serial is being stored */
	STAGE_SIGN,
	STAGE_ISSUE,	/* the certificate is being stored */
	STAGE_KEEP,	/* its key is, where other nodes find it */
	STAGE_KEY,	/* an archived key is being signed for its agent */
	STAGE_RESPONSE, /* all is done, the full response is being signed */
	STAGE_SECRET,	/* the signer looks at a challenge's answer */
	STAGE_ATTESTED, /* that it was right is being stored */
};

struct ca;

/* A connection of certsrv. */
struct admin {
	struct ca *ca;
	struct ae_ipc *ipc;  /* NULL: this place is free */
	struct local_who at; /* as the parent says */
};

struct job {
	struct ca *ca;
	bool used;
	uint16_t generation_no; /* of this slot */
	uint32_t id;		/* in messages to ad, db and sign */
	enum stage stage;
	int64_t deadline;
	uint8_t worker;
	uint32_t generation, call; /* where the answer goes */
	/* of an administrator: what he wants, of which row, why */
	bool local;	       /* he is no client that asks for a certificate */
	struct known *manager; /* over the network; NULL: certsrv, here */
	struct ae_admin_request manage; /* his call */
	uint32_t roles;
	unsigned crls;	     /* of STAGE_CRL: so many have to be finished */
	bool barred;	     /* it was refused for who he is */
	struct admin *admin; /* NULL when he has gone */
	struct local_who at; /* as he was when he came */
	enum msg op;
	char by[64];
	uint8_t reason;
	uint8_t named[AE_DB_SERIAL_MAX]; /* the serial number he named */
	size_t named_len;
	const char *explain_as; /* of MSG_ADMIN_EXPLAIN; NULL: the row's */
	bool by_directory;	/* his groups are the directory's */
	bool as_directory;	/* a denied one: it is asked for them */
	bool disabled;		/* he may not log on */
	struct ae_der archived; /* for the archive, wrapped by the signer */
	struct ae_response_challenge asks; /* the TPM; or absent */
	bool proven; /* it has answered: stored is decided once more */
	struct ae_db_request *stored;
	struct known *known; /* NULL where nobody asks for a certificate */
	struct snapshot *snapshot;
	struct policies *policies;
	/* of certsrv policy try: this file instead; template NULL: none */
	struct ae_rules_entry try;
	struct ae_arena *arena;
	struct ae_wcce_request q;
	const char *ip;
	uint8_t random[AE_CA_RANDOM_LEN];
	struct ae_ca_answers answers;
	unsigned asked; /* bits of enum ae_ca_ask outstanding */
	struct ae_request *parsed;
	bool submits; /* is among ca->submitted */
	uint8_t csr_hash[32];
	struct job *next_submitted;
	struct ae_decision d;
	/* Under which certificate of ours it is issued, or was. */
	const struct ae_ca_cert *issuer;
	int64_t now; /* of the decision */
	int64_t row; /* its number */
	uint8_t signer;
	struct ae_wr cert;
	struct ae_wcce_reply reply; /* of STAGE_RESPONSE */
	struct ae_response *response;
	struct ae_der to_sign;		     /* of response */
	const struct ae_ca_cert *answers_as; /* who signs it */
};

/* The newest revocation list of one key, base or delta. */
struct ca_crl {
	struct ae_wr crl;   /* DER; empty: it is too long to be in memory */
	struct ae_wr chain; /* the CA's certificates and it, a CMS */
	struct ae_ca_crl_plan plan;
	bool made;
	bool wanted;	/* somebody asked for one, or something changed */
	int64_t looked; /* monotonic ms: no other node had a newer one */
	int64_t retry;	/* monotonic ms */
	uint64_t number, entries, size;
	bool told;	      /* that there is no newer one */
	bool alarmed;	      /* that this one is late */
	bool ad_due, ad_busy; /* it is not in the directory yet */
	bool ad_told;	      /* that it could not be put there */
	int64_t ad_retry;     /* monotonic ms */
	/* the one that is in the directory */
	bool ad_made;
	struct ae_ca_crl_plan ad_plan;
};

/* The one list that is being made; crl NULL: none is. */
struct crl_work {
	struct ca_crl *crl;
	size_t key; /* place of its key */
	bool delta;
	uint32_t id; /* of the attempt, in messages */
	struct ae_crl_spec spec;
	struct ae_ca_crl_plan plan;
	uint64_t number, changed;
	uint64_t list, list_left; /* bytes of entries */
	uint64_t entries, size;
	size_t total, reserve;
	bool was_wanted;
	bool adopt;   /* another node has made it */
	bool keeping; /* the database is asked whether it may be published */
	struct ae_wr ends; /* head and tail of the file, until then */
	bool asked, last, signing;
	unsigned sign_out, file_out; /* parts that are on their way */
	struct ae_key_stream *verify;
	bool kept;
	struct ae_wr keep; /* all parts, as long as that is not too much */
};

struct ca {
	struct proc *p;
	struct cafile file;
	struct ae_ca_rights *agents; /* NULL: none are restricted */
	char *config_dn; /* CN=Configuration,…; NULL until it was read */
	struct ae_ca_rights *officers; /* the same */
	/* What signs now: by the time, so it changes while we run. */
	const struct ae_ca_cert *current;
	struct ae_ca_config config;    /* of the current one */
	struct ae_strv cdp, aia, ocsp; /* what is issued under it says */
	const char **cdp_list, **aia_list, **ocsp_list; /* NULL-terminated */
	struct ca_cache *cache;
	struct rate *rate; /* of requests, by account */
	struct snapshot *snapshot;
	struct policies *policies;	    /* NULL: not told yet */
	struct ae_rules_set *policies_next; /* being told */
	struct pins *pins, *pins_next;	    /* the same */
	/* What ad said last, to be taken anew when a pin has changed. */
	uint8_t *directory;
	size_t directory_len;
	int64_t fresh; /* when the directory was last seen to be so */
	struct known *bucket[CALLER_BUCKETS];
	size_t ncallers;
	struct job job[JOBS_MAX];
	size_t njobs, next_job;
	struct job *submitted[SUBMIT_BUCKETS]; /* by csr_hash */
	struct admin admin[ADMINS_MAX];
	unsigned next_signer;
	/* Those whose key is in a device that is away; all: busy. */
	bool signer_ill[WORKERS_MAX];
	struct ae_source *tick;
	bool told_start; /* the event of our own start is out */
	bool told_stale, told_ntauth, told_xchg;

	/* what it says about itself */
	struct ae_ca_info info;
	struct ae_ca_info_cert info_cert[AE_CA_SIGNING_MAX];
	struct ae_wr chain[AE_CA_SIGNING_MAX];

	/* the exchange certificate, and who may recover keys */
	struct ae_wr xchg, xchg_chain, xchg_crls; /* DER; empty: none now */
	const struct ae_ca_cert *xchg_issuer;
	int64_t xchg_not_after, xchg_retry;
	uint32_t xchg_id; /* of the attempt that is under way; 0: none */
	struct ae_wr xchg_sealed;	       /* its key, for other nodes */
	uint8_t xchg_own[2][AE_CA_SERIAL_LEN]; /* the signer's: last, before */
	struct ae_ca_info_kra kra[AE_RECOVERY_AGENTS_MAX];

	/* whose TPMs count, and what they are asked */
	struct ae_ca_trust *trust; /* NULL: not told yet, or nobody's */
	struct challenges challenges;

	/* the OCSP key, and a certificate for it under each of ours */
	bool ocsp_asked; /* for a key */
	uint8_t ocsp_spki[128];
	size_t ocsp_spki_len; /* 0: there is none */
	int64_t ocsp_rotate;  /* then another key */
	int64_t ocsp_retry;   /* monotonic ms */
	struct ca_ocsp {
		struct ae_wr cert; /* DER */
		int64_t not_after;
		bool issuing;
	} ocsp_for[AE_CA_SIGNING_MAX]; /* as file.list.keys[] */

	struct ca_metrics *metrics;
	uint64_t lines_lost; /* of the log, as the parent counts them */

	/* its revocation lists, as file.list.keys[] has the keys */
	struct ca_crl crl[AE_CA_SIGNING_MAX];
	struct ca_crl delta[AE_CA_SIGNING_MAX];
	/* the highest number that was seen, in files and before */
	uint64_t crl_seen[AE_CA_SIGNING_MAX];
	struct crl_work crl_work;
	uint32_t crl_attempts;
	/* what the database is being asked about; NULL: nothing */
	struct ca_crl *crl_look;
	int64_t crl_look_at; /* monotonic ms */
	/* and in the directory */
	uint64_t crl_seen_dir[AE_CA_SIGNING_MAX];
	bool ad_over; /* a newer list there is not ours: replace it */

	/* Certificates that were signed without a row. */
	struct unrecorded {
		uint8_t serial[AE_DB_SERIAL_MAX];
		size_t len;
		int64_t at;
	} unrecorded[AE_DB_UNRECORDED_MAX];
	size_t nunrecorded;

	/* The database was put back: nothing is issued or published. */
	bool suspended;
	int64_t started;      /* monotonic ms */
	bool directory_spoke; /* what it has published was told */
};

/* ---- ca_job.c ---- */

/* A request of a caller that is known.  Takes over nothing but the arena. */
void job_start(struct ca *ca, struct peer *rpc, uint32_t call,
    struct known *who, const struct ae_wcce_request *q, const char *ip,
    struct ae_arena *take_arena);
/*
 * The same for an administrator; NULL: not now.  He is answered by
 * admin_reply, admin_fail or admin_done when it ends.
 */
struct job *job_start_local(struct ca *ca, struct admin *a, uint32_t msg);
/* One over the network; NULL: not now.  Takes the arena when it is not. */
struct job *job_start_remote(struct ca *ca, const struct peer *rpc,
    uint32_t call, struct known *who, struct ae_arena *take_arena);
void job_tick(struct ca *ca);
/* An administrator is gone: what he wanted is carried out unheard. */
void job_admin_gone(struct ca *ca, const struct admin *a);
/* A peer that jobs wait for is gone. */
void job_peer_down(struct ca *ca, const struct peer *peer);
extern const struct ae_ipc_row ca_ad_rows[], ca_db_rows[], ca_sign_rows[];

/* Can anything be signed now? */
bool signers_well(const struct ca *ca);

/* An answer to the rpc process, if it still is the one that asked. */
void send_reply(struct ca *ca, uint8_t worker, uint32_t generation,
    uint32_t call, const struct ae_wcce_reply *p);

/* ---- ca_known.c ---- */

void known_unref(struct known *k);
/* A name counts only from the very process that auth gave it to; or NULL. */
struct known *known_for(struct ca *ca, const struct peer *rpc, uint64_t name);
/* All names of one rpc process that is gone. */
void known_remove_worker(struct ca *ca, uint8_t worker, uint32_t before);
ae_ipc_handler on_caller, on_forget;

/* ---- ca.c ---- */

void snapshot_unref(struct snapshot *s);
/*
 * The URLs of a list as they go into what is issued under c.  One that needs
 * the directory's name is missing until it was read; no certificate is issued
 * before.  False: no memory.
 */
bool urls_for(struct ca *ca, struct ae_strv *out, const struct ae_strv *in,
    const struct ae_ca_cert *c, bool crl);
int on_snapshot(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);
/* What ad said last, once more. */
int snapshot_again(struct ca *ca, struct ae_err *e) AE_MUST_CHECK;
int on_fresh(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);

/* ---- ca_policy.c ---- */

void policies_unref(struct policies *s);
/* MSG_POLICY_FILE and MSG_POLICIES. */
int ca_policy(
    struct proc *p, struct ae_ipc_msg *m, struct ae_err *e) AE_MUST_CHECK;
int policy_open(struct ca *ca, struct ae_err *e) AE_MUST_CHECK;

/* ---- ca_pins.c ---- */

/* MSG_PIN_FILE and MSG_PINS. */
int ca_pins(
    struct proc *p, struct ae_ipc_msg *m, struct ae_err *e) AE_MUST_CHECK;
/* The templates of s as they count; it is not in use yet. */
int pins_apply(
    struct ca *ca, struct snapshot *s, struct ae_err *e) AE_MUST_CHECK;
/* Is what is pinned still so in the directory?  Tells what has changed. */
void pins_watch(struct ca *ca);
/* How many are pinned, and of how many something is wrong. */
void pins_count(const struct ca *ca, size_t *n, size_t *wrong);

/* ---- ca_info.c ---- */

int info_init(struct ca *ca, struct ae_err *e) AE_MUST_CHECK;
/*
 * pctbCertChain: the certificate and the CA's, MS-WCCE 3.2.1.4.2.1.4.8, and
 * where the client wants it (X) the CRL of its issuer.
 */
int info_chain(struct ca *ca, struct ae_wr *w, const struct ae_ca_cert *issuer,
    const void *cert, size_t len, bool with_crl,
    struct ae_err *e) AE_MUST_CHECK;
/* The full response to j->reply: fills j->response and j->to_sign. */
int info_response(struct ca *ca, struct job *j, struct ae_err *e) AE_MUST_CHECK;
/* A CRL of this key was made: the chain that goes with it. */
void info_crl(struct ca *ca, size_t key);
/* A certificate of ours and those above it; how many. */
size_t info_issuers(const struct ca *ca, const struct ae_ca_cert *c,
    struct ae_der *v, size_t from, size_t max);
void info_update(struct ca *ca); /* a snapshot or a CRL is new */

/* ---- ca_crl.c ---- */

/* As root: which numbers have been published. */
void crl_open(struct ca *ca);
void crl_tick(struct ca *ca);
void crl_publish(struct proc *p); /* MSG_PUBLISH: base and delta */
void crl_changed(struct ca *ca);  /* something was revoked or released */
struct ae_ca_crl_config crl_config(const struct ca *ca, size_t key, bool delta);
/* How many have to be finished until each key has one that begins now. */
unsigned crl_outstanding(const struct ca *ca);
/* What became of an attempt. */
void crl_failed(struct ca *ca, struct ca_crl *c, const char *why);
void crl_is_out(struct ca *ca, struct ca_crl *c);
/* ad has put it into the directory, or could not. */
int on_ad_crl(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);
void crl_peer_down(struct ca *ca, const struct peer *peer);

/* ---- ca_crl_build.c ---- */

/* Begin with the list of this key; false: db is not there. */
bool crl_work_begin(struct ca *ca, struct ca_crl *c, size_t key, bool delta);
void crl_work_end(struct ca *ca);
/* Is this answer of sign for the CRL?  Then it is dealt with. */
bool crl_signed(struct ca *ca, uint32_t id, int rc, const uint8_t *sig,
    size_t len, const char *text);
ae_ipc_handler on_crl_opened, on_crl_sized, on_crl_rows, on_crl_seen;
/* MSG_CRL_SAID */
int crl_said(struct proc *p, struct ae_ipc_msg *m, struct ae_err *e);
/* MSG_DB_DONE with this id: false, it is of no CRL. */
bool crl_kept(struct ca *ca, uint32_t id, int rc, const char *text);

/* ---- ca_crl_share.c ---- */

/* May one be made here, or has another node a newer one?  Asks, and says no
   until that was answered. */
bool crl_is_ours(struct ca *ca, struct ca_crl *c, size_t key, bool delta);
/* Another node's CRL has its file. */
void crl_adopted(struct ca *ca, struct ca_crl *c, size_t key, bool delta);
ae_ipc_handler on_crl_newest;

/* ---- ca_seen.c ---- */

/* db is there: what is published, before it is asked for anything. */
void seen_tell_db(struct ca *ca);
/*
 * May what the database says be signed and published?  Not while it is
 * behind what was given out, and not before it is known what was.
 */
bool seen_well(const struct ca *ca);
ae_ipc_handler on_ad_seen, on_db_state;

/* ---- ca_signed.c ---- */

/* Was it signed, and has no row? */
bool signed_unrecorded(const struct ca *ca, const uint8_t *serial, size_t len);
ae_ipc_handler on_db_unrecorded;

/* ---- ca_admin.c ---- */

int admin_open(struct proc *p, int take_fd, const struct local_who *who,
    struct ae_err *e) AE_MUST_CHECK;

/* ---- ca_xchg.c ---- */

/* Is an exchange certificate due?  Then begin with its key. */
void xchg_tick(struct ca *ca);
void xchg_failed(struct ca *ca, const char *why); /* event 96 */
void xchg_update(struct ca *ca); /* a snapshot: who are the agents now */
void xchg_crl(struct ca *ca);	 /* a CRL is new */
void xchg_signer_down(struct ca *ca, const struct peer *peer);
int on_xchg_key(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);
int on_xchg_opened(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);
int on_xchg_found(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e);

/* ---- ca_attest.c ---- */

/* MSG_EK_TRUST */
int attest_trust(
    struct ca *ca, struct ae_ipc_msg *m, struct ae_err *e) AE_MUST_CHECK;
void attest_tick(struct ca *ca); /* challenges that nobody answers */
/* Is this call the answer to a challenge?  Then it is that, and no request. */
bool attest_is_answer(const struct ae_wcce_request *q);
void attest_answer(struct job *j);
/* For the row that was stored: fills j->asks, and remembers it. */
int attest_challenge(struct job *j, struct ae_err *e) AE_MUST_CHECK;

/* ---- ca_ocsp.c ---- */

/* Is a key or a certificate for OCSP due? */
void ocsp_tick(struct ca *ca);
void ocsp_signer_down(struct ca *ca, const struct peer *peer);
void ocsp_peer_up(struct ca *ca); /* it has no certificates yet */
void ocsp_issued(struct job *j);
void ocsp_job_end(struct job *j);
/* This certificate was revoked or released. */
void ocsp_changed(struct ca *ca, const uint8_t *serial, size_t len);
ae_ipc_handler on_ocsp_key;

/* ---- ca_event.c ---- */

void event_decided(struct job *j, const struct ae_wcce_reply *reply);
/* 68, 69: a CRL of this key was published; 65, 66: it could not be. */
void event_crl(struct ca *ca, unsigned key, bool delta, uint64_t number,
    const char *error);
/* 72, 73, 74, 75: the same in the directory. */
void event_crl_directory(struct ca *ca, unsigned key, bool delta,
    uint64_t number, const char *error);
/* 67: it is late, and half of the time that was left is over. */
void event_crl_late(struct ca *ca, unsigned key, bool delta, bool directory,
    const struct ae_ca_crl_plan *plan);
/* 79, 80: a certificate is issued but not in the directory. */
void event_not_published(struct ca *ca, uint32_t row, int rc, const char *where,
    const char *dc, const char *why);
/* 91 no domain controller, 96 no exchange certificate, 100 no start. */
void event_plain(struct proc *p, int id, const char *fmt, ...) AE_PRINTF(3, 4);
void event_ntauth(struct ca *ca); /* 93 */
/* What an administrator did to j->stored. */
void event_admin(struct job *j);
void event_started(struct ca *ca);
/* Of certsrvd itself: 1 the database was put back, 3 a backup is made. */
void event_own(struct ca *ca, enum ae_log_level level, int id, const char *fmt,
    ...) AE_PRINTF(4, 5);
/* A policy file that is not good. */
void event_policy_broken(struct ca *ca, const struct ae_rules_entry *entry);

#endif
