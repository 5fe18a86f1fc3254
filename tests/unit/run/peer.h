/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The other end of a client's connection, in a process of its own: a real
 * server (endpoint mapper and ICertPassage on one port, Kerberos) that
 * misbehaves as told, or a bare socket that does worse.
 */
#ifndef AE_TEST_PEER_H
#define AE_TEST_PEER_H

#include <stdint.h>
#include <sys/types.h>

enum peer_how {
	PEER_ANSWERS,	     /* issued, id 7, message "fine" */
	PEER_DENIES,	     /* the method returns an HRESULT */
	PEER_FAULTS_EARLY,   /* access denied, before the method */
	PEER_FAULTS_LATE,    /* a fault of the method itself */
	PEER_HANGS_UP,	     /* closes when it has the request */
	PEER_STALLS,	     /* takes the request and says nothing */
	PEER_TALKS_NONSENSE, /* a reply that is no reply */
	PEER_UNREGISTERED,   /* the mapper knows no ICertPassage */
	/* bare sockets */
	PEER_CLOSES_AT_ONCE,
	PEER_SENDS_GARBAGE,
	PEER_IS_MUTE,
};

/* What it is over DCOM, on the same port; how applies to calls there too. */
enum peer_dcom {
	PEER_NO_DCOM,
	PEER_D2,	    /* ICertRequestD2 and ICertRequestD */
	PEER_D,		    /* the older one alone */
	PEER_NO_ACTIVATION, /* the caller may not */
};

struct peer {
	enum peer_how how;
	pid_t pid;
	uint16_t port; /* on 127.0.0.1 */
	int told;      /* a byte comes when it forgot */
};

/* keytab: for the realm of tests/unit/gss.  Aborts when it cannot start. */
struct peer peer_start(
    enum peer_how how, enum peer_dcom dcom, const char *keytab);

/* A real server closes the connections it has; they are closed on return. */
void peer_forget(struct peer *p);

/* Ends it; returns how many calls of enrollment methods it saw. */
int peer_stop(struct peer *p);

#endif
