/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One run, for the files that carry it out: pulse.c has the order of a
 * cycle, pulse_plan.c asks what to do, pulse_open.c knows the requests under
 * way and fetches what was approved, pulse_request.c takes one template to a
 * request and around the CAs, pulse_settle.c does what their answer asks
 * for, pulse_store.c takes old certificates out of use, pulse_peers.c
 * starts the processes that do all of it, pulse_krb5.c sets up Kerberos for
 * them, pulse_lock.c lets runs join.
 */
#ifndef AE_CLIENT_PULSE_RUN_H
#define AE_CLIENT_PULSE_RUN_H

#include "ad/template.h"
#include "base/arena.h"
#include "base/sid.h"
#include "enroll/event.h"
#include "pulse.h"
#include "pulse_wire.h"
#include "role.h"
#include "store/request.h"

#define PULSE_PLAN_MS 60000
#define PULSE_KEY_MS 60000

/* A request under way, as the key role keeps it. */
struct pulse_open {
	const char *name; /* "<template>/<number>" */
	const char *tmpl;
	unsigned number;
	struct ae_store_request_meta meta;
	const struct ae_template *now; /* of the directory; NULL: gone */
	bool settled;		       /* this run has dealt with it */
};

/* What one CA said about one request. */
struct pulse_verdict {
	uint32_t disposition; /* CR_DISP_* or an HRESULT */
	uint32_t request_id;
	const char *message; /* display text of the CA, may be NULL */
	const char *transport;
	const uint8_t *chain;
	size_t chain_len;
	bool in_doubt; /* nobody answered, but the CA may have heard */
};

struct run {
	struct client *c;
	const struct pulse_options *o;
	struct ae_arena *a;
	struct peer *policy, *key, *net;
	char fqdn[256];
	char principal[256];
	json_t *results;

	/* what the key role keeps */
	struct pulse_open *open;
	size_t nopen;

	/* what the policy role answered */
	struct ae_sid sid;
	const char *dns, *upn;	/* of that account; or NULL */
	const uint8_t *anchors; /* two encoded lists, passed on unread */
	size_t anchors_len;
	struct pulse_wire_plan plan;
	const char *explained; /* the plan for people, JSON; not read here */
	struct ae_template **open_templates; /* of open requests */
	size_t nopen_templates;
	bool *installed; /* for each of the plan's items: in this run */
};

/* pulse.c: an event of this run's context; none in a dry run. */
void pulse_event(struct run *r, enum ae_event_source source, unsigned id,
    const char *const *more, size_t nmore);

#define EVENT(r, source, id, ...)                                        \
	pulse_event(r, source, id, (const char *const[]){ __VA_ARGS__ }, \
	    sizeof((const char *const[]){ __VA_ARGS__ }) /               \
		sizeof(const char *))

/* The same in the history of the store: Lifecycle-System or -User. */
#define LIFECYCLE(r, id, ...)                              \
	pulse_event(r,                                     \
	    (r)->c->user ? AE_EVENT_LIFECYCLE_USER         \
			 : AE_EVENT_LIFECYCLE_SYSTEM,      \
	    id, (const char *const[]){ __VA_ARGS__ },      \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / \
		sizeof(const char *))

/* The failure of a process that does not keep to role.h. */
int pulse_nonsense(struct ae_err *e, const char *who);

/* pulse_peers.c: the ticket and the processes of the run. */
int pulse_guess_context(struct run *r, struct ae_err *e) AE_MUST_CHECK;
int pulse_get_ticket(struct run *r, struct ae_err *e) AE_MUST_CHECK;
/* pulse_krb5.c: what Kerberos does in all processes of this run. */
int pulse_set_krb5(const struct run *r, struct ae_err *e) AE_MUST_CHECK;
int pulse_start_policy(struct run *r, struct ae_err *e) AE_MUST_CHECK;
int pulse_start_key(struct run *r, struct ae_err *e) AE_MUST_CHECK;
/* Once; the second call finds it running. */
int pulse_start_net(struct run *r, struct ae_err *e) AE_MUST_CHECK;

/* A file that an earlier run left, into a question; none is fine, too. */
void pulse_put_file(struct ae_wr *q, const char *path);

/*
 * pulse_plan.c: gather and plan, write the directory's anchors to the
 * store.  Fills in the part of r that the policy role answers, and adds its
 * explanations to report.
 */
int pulse_plan(struct run *r, json_t *report, struct ae_err *e) AE_MUST_CHECK;

/* pulse_open.c: what is under way, before the plan: asked, and heard. */
int pulse_begin_open(struct run *r, struct ae_err *e) AE_MUST_CHECK;
int pulse_list_open(struct run *r, struct ae_err *e) AE_MUST_CHECK;
/* What waits at a CA: fetched, given up, or left waiting. */
void pulse_retrieve(struct run *r);
/* An answer that came by another way, for whichever request it fits. */
int pulse_accept(struct run *r, struct ae_err *e) AE_MUST_CHECK;
/* A request under way by its name, or (name NULL) one of this template that
 * this run may send again. */
struct pulse_open *pulse_find_open(
    struct run *r, const char *name, const char *tmpl);
bool pulse_may_resume(const struct run *r, const struct pulse_open *o);
/* The key role takes it up (its bytes are in r->a), or forgets it. */
int pulse_load(struct run *r, const struct ae_template *tmpl, unsigned number,
    const uint8_t **der, size_t *len, struct ae_err *e) AE_MUST_CHECK;
int pulse_drop(struct run *r, const char *tmpl, unsigned number,
    struct ae_err *e) AE_MUST_CHECK;
/* What became of the request in hand, durable before it goes on. */
int pulse_mark(struct run *r, enum ae_store_request_state state,
    const char *config, uint32_t request_id, struct ae_err *e) AE_MUST_CHECK;

/*
 * pulse_request.c: one template; what came of it goes to r->results.  True
 * when its certificate is installed.
 */
bool pulse_request(struct run *r, const struct pulse_item *it);
/* By hand, with names or a certificate of its own: not an old request. */
bool pulse_asks_for_its_own(const struct pulse_options *o);
/*
 * One question to one CA ("host\\name"): der with attributes, or the request id
 * of one that was left there.  How each attempt went is added to attempts.
 */
struct pulse_question {
	const char *attributes;
	const uint8_t *der;
	size_t len;
	uint32_t request_id;
	bool full;
};
int pulse_ask(struct run *r, const char *config, const struct pulse_question *q,
    struct pulse_verdict *v, json_t *attempts, struct ae_err *e) AE_MUST_CHECK;

/*
 * pulse_settle.c: do what the CA's answer to the request in hand asks for,
 * and write the outcome to res.
 */
struct pulse_settling {
	const struct ae_template *tmpl;
	unsigned number;
	const char *config;
	bool renew;
	const char *renews; /* its thumbprint, when renewing; for events */
	bool same_key;
	bool retrieved;	   /* it had been pending */
	bool other_person; /* on behalf of: the SID is not ours */
};
void pulse_settle(struct run *r, const struct pulse_settling *s,
    const struct pulse_verdict *v, json_t *res);
/*
 * Judge and install an answer to the request in hand.  *refused: it is the
 * answer that will not do, ever; any other failure is ours, and may pass.
 */
int pulse_install(struct run *r, const struct pulse_settling *s,
    const void *answer, size_t len, uint32_t request_id, json_t *res,
    bool *refused, struct ae_err *e) AE_MUST_CHECK;
void pulse_outcome(json_t *res, const char *what, const char *message);
/* It failed before a CA was asked, or after it had answered; pulse.h has the
 * stages. */
void pulse_failed(json_t *res, const char *stage, const struct ae_err *e);
void pulse_set_code(json_t *res, uint32_t hr);

/* pulse_store.c: what leaves the store, before items are requested (late
 * false) or after. */
void pulse_archive(struct run *r, bool late);

/* The same in the directory; *report says what came of it. */
void pulse_unpublish(struct run *r, json_t *report);

/* pulse_expiry.c: what is about to expire and was not replaced; told once a
 * day for each certificate, and to whom autoenroll.conf names. */
void pulse_warn_expiring(struct run *r);

/*
 * pulse_lock.c: one run at a time.  *fd is the lock.  AE_OK with *joined:
 * a run that began after we were called has done the work, *joined (new
 * reference) is its result.
 */
int pulse_lock(int *fd, json_t **joined, struct client *c,
    const struct pulse_options *o, struct ae_err *e) AE_MUST_CHECK;
/* report NULL: it failed; begun: ae_clock_mono_ms() when it had the lock. */
void pulse_unlock(int fd, struct client *c, const struct pulse_options *o,
    int64_t begun, const char *report);

#endif
