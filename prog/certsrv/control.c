/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Asking the running certsrvd: one message over its control socket, one
 * answer.
 */
#include "control.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "sys/clock.h"
#include "sys/ipcmsg.h"
#include "sys/loop.h"

#define WAIT_MS 40000 /* a little longer than certsrvd takes at most */

struct asking {
	struct ae_loop *loop;
	struct control_answer *answer;
	control_take_fn *take; /* of another kind of answer */
	void *take_arg;
	bool taken;
	bool done;
};

static int
on_done(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct asking *q = arg;
	struct ae_arena *a = ae_arena_new(4 * MSG_TEXT_MAX);
	const uint8_t *blob;
	struct ae_rd r;
	size_t len;
	char *text;

	(void)ipc;
	if (a == NULL)
		return ae_fail_mem(e);
	ae_rd_init(&r, m->body, m->len);
	q->answer->rc = (int)ae_rd_u32(&r);
	q->answer->hresult = ae_rd_u32(&r);
	q->answer->id = (int64_t)ae_rd_u64(&r);
	text = get_str(&r, a);
	blob = get_bytes(&r, &len);
	if (blob != NULL && len > 0 && len <= sizeof(q->answer->blob)) {
		memcpy(q->answer->blob, blob, len);
		q->answer->blob_len = len;
	}
	(void)snprintf(q->answer->text, sizeof(q->answer->text), "%s",
	    text == NULL ? "" : text);
	ae_arena_free(a);
	if (!ae_rd_done(&r))
		return bad_message(&r, "the answer of certsrvd", e);
	q->done = true;
	ae_loop_exit(q->loop, 0);
	return AE_OK;
}

static int
on_other(void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct asking *q = arg;
	struct ae_rd r;
	int rc;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	rc = q->take(q->take_arg, &r, e);
	if (rc < 0)
		return rc;
	q->done = q->taken = true;
	ae_loop_exit(q->loop, 0);
	return AE_OK;
}

static void
on_closed(void *arg, struct ae_ipc *ipc, const struct ae_err *why)
{
	struct asking *q = arg;

	(void)ipc;
	(void)why;
	ae_loop_exit(q->loop, 1);
}

static void
on_timer(void *arg)
{
	struct asking *q = arg;

	ae_loop_exit(q->loop, 1);
}

static int
reach(const struct cli *cli, int *fd, struct ae_err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char *path = conf_path(&cli->conf, CONTROL_PATH);
	int rc = AE_OK;

	if (path == NULL)
		return ae_fail_mem(e);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		rc = ae_fail_errno(e, errno, "making a socket");
	else if (connect(*fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		(void)fcntl(*fd, F_SETFL, O_NONBLOCK);
	else if (errno == EACCES || errno == EPERM)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_ERRNO, errno,
		    "%s: only root may administer the CA, and whom [admin] "
		    "local-... of certsrv.conf names",
		    path);
	else
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_ERRNO, errno,
		    "%s: certsrvd does not run", path);
	if (rc < 0 && *fd >= 0)
		(void)close(*fd);
	free(path);
	return rc;
}

static int
ask(const struct cli *cli, struct asking *q, enum msg type,
    const struct ae_wr *body, enum msg other, struct ae_err *e)
{
	const struct ae_ipc_row rows[] = {
		{ MSG_ADMIN_DONE, MSG_ROW_MAX, 1, false, on_done },
		{ q->take != NULL ? other : MSG_ADMIN_DONE, MSG_ROWS_MAX, 1,
		    false, q->take != NULL ? on_other : NULL },
		{ .handle = NULL },
	};
	struct ae_source *timer = NULL;
	struct ae_ipc *ipc = NULL;
	int fd = -1, code, rc;

	rc = reach(cli, &fd, e);
	if (rc < 0)
		return rc;
	rc = ae_loop_new(&q->loop, e);
	if (rc < 0) {
		(void)close(fd);
		return rc;
	}
	rc = ae_ipc_new(&ipc, q->loop, fd, rows, on_closed, q, e);
	if (rc == AE_OK)
		rc = ae_loop_timer(&timer, q->loop, on_timer, q, e);
	if (rc == AE_OK) {
		ae_source_set_timer(timer, ae_clock_mono_ms() + WAIT_MS);
		rc = ae_ipc_send(ipc, type, 1, body->p, body->len, -1, e);
	}
	if (rc == AE_OK)
		rc = ae_loop_run(q->loop, &code, e);
	if (rc == AE_OK && !q->done)
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    geteuid() == 0
			? "certsrvd did not answer; \"certsrv request show\" "
			  "tells what became of it"
			: "certsrvd did not answer: has [admin] of its "
			  "configuration a role for you?");
	ae_source_free(timer);
	ae_ipc_free(ipc);
	ae_loop_free(q->loop);
	return rc;
}

/* What certsrvd refused is a failure with its reason. */
static int
refusal(const struct control_answer *a, struct ae_err *e)
{
	return ae_fail(e, (enum ae_rc)a->rc,
	    a->hresult != 0 ? AE_DOM_HRESULT : AE_DOM_NONE, a->hresult, "%s",
	    a->text);
}

int
control_ask(const struct cli *cli, enum msg type, const struct ae_wr *body,
    struct control_answer *out, struct ae_err *e)
{
	struct asking q = { .answer = out };
	int rc = ask(cli, &q, type, body, type, e);

	return rc == AE_OK && out->rc != AE_OK ? refusal(out, e) : rc;
}

int
control_ask_for(const struct cli *cli, enum msg type, const struct ae_wr *body,
    enum msg answer, control_take_fn *take, void *arg, struct ae_err *e)
{
	struct control_answer *out = calloc(1, sizeof(*out));
	struct asking q = { .answer = out, .take = take, .take_arg = arg };
	int rc;

	if (out == NULL)
		return ae_fail_mem(e);
	rc = ask(cli, &q, type, body, answer, e);
	if (rc == AE_OK && !q.taken)
		rc = out->rc != AE_OK ? refusal(out, e)
				      : ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
					    "certsrvd answered something else");
	free(out);
	return rc;
}
