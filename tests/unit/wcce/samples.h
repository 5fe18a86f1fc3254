/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * One request, and a reply to it, for every method: shared by the round-trip
 * tests and the witness program.
 */
#ifndef AE_TEST_SAMPLES_H
#define AE_TEST_SAMPLES_H

#include <stdbool.h>

#include "wcce/caprop.h"
#include "wcce/icpr.h"

#define SAMPLE_BLOB(s)                              \
	(struct ae_wcce_blob)                       \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

/* The n-th sample; false: there are no more. */
static inline bool
sample_request(struct ae_wcce_request *out, size_t n)
{
	const struct ae_wcce_request all[] = {
		{ .iface = AE_WCCE_ICERTPASSAGE,
		    .call = AE_WCCE_CALL_REQUEST,
		    .opnum = AE_OP_CERTSERVERREQUEST,
		    .authority = "Example CA",
		    .flags = AE_CR_IN_PKCS10,
		    .attributes = "CertificateTemplate:Workstation\n"
				  "ccm:pc1.example.com",
		    .csr = SAMPLE_BLOB("0123456789abc") },
		{ .iface = AE_WCCE_ICERTREQUESTD,
		    .call = AE_WCCE_CALL_REQUEST,
		    .opnum = AE_OP_REQUEST,
		    .authority = "Z\xc3\xbcrich CA",
		    .flags = AE_CR_IN_CMC,
		    .attributes = "CertificateTemplate:User",
		    .csr = SAMPLE_BLOB("request") },
		{ .iface = AE_WCCE_ICERTREQUESTD2,
		    .call = AE_WCCE_CALL_REQUEST,
		    .opnum = AE_OP_REQUEST2,
		    .authority = "Example CA",
		    .flags = AE_CR_IN_CMC | AE_CR_IN_FULLRESPONSE,
		    .attributes = "",
		    .csr = SAMPLE_BLOB("request two") },
		/* retrieval by id and inspection by serial number */
		{ .iface = AE_WCCE_ICERTREQUESTD2,
		    .call = AE_WCCE_CALL_REQUEST,
		    .opnum = AE_OP_REQUEST2,
		    .authority = "Example CA",
		    .serial = "61000000020b" },
		{ .iface = AE_WCCE_ICERTPASSAGE,
		    .call = AE_WCCE_CALL_REQUEST,
		    .opnum = AE_OP_CERTSERVERREQUEST,
		    .authority = "Example CA",
		    .request_id = 77 },
		{ .iface = AE_WCCE_ICERTREQUESTD,
		    .call = AE_WCCE_CALL_GETCACERT,
		    .opnum = AE_OP_GETCACERT,
		    .authority = "Example CA",
		    .fchain = AE_GETCERT_CANAME },
		{ .iface = AE_WCCE_ICERTREQUESTD,
		    .call = AE_WCCE_CALL_PING,
		    .opnum = AE_OP_PING },
		{ .iface = AE_WCCE_ICERTREQUESTD2,
		    .call = AE_WCCE_CALL_GETPROPERTY,
		    .opnum = AE_OP_GETCAPROPERTY,
		    .authority = "Example CA",
		    .prop_id = AE_CR_PROP_CASIGCERT,
		    .prop_index = -1,
		    .prop_type = AE_PROPTYPE_BINARY },
		{ .iface = AE_WCCE_ICERTREQUESTD2,
		    .call = AE_WCCE_CALL_GETPROPERTYINFO,
		    .opnum = AE_OP_GETCAPROPERTYINFO,
		    .authority = "Example CA" },
		{ .iface = AE_WCCE_ICERTREQUESTD2,
		    .call = AE_WCCE_CALL_PING,
		    .opnum = AE_OP_PING2,
		    .authority = "Example CA" },
	};

	if (n >= sizeof(all) / sizeof(all[0]))
		return false;
	*out = all[n];
	return true;
}

/* A reply that fills whatever the method carries. */
static inline void
sample_reply(struct ae_wcce_reply *out, const struct ae_wcce_request *rq)
{
	*out = (struct ae_wcce_reply){ .hresult = 0 };
	switch (rq->call) {
	case AE_WCCE_CALL_REQUEST:
		out->request_id = 4711;
		out->disposition =
		    rq->csr.p != NULL ? AE_CR_DISP_ISSUED : 0x80094012;
		out->message = "Issued \xe2\x82\xac";
		if (rq->csr.p == NULL)
			break;
		out->chain = SAMPLE_BLOB("the chain");
		out->cert = SAMPLE_BLOB("cert");
		break;
	case AE_WCCE_CALL_GETCACERT:
	case AE_WCCE_CALL_GETPROPERTY:
		out->value = SAMPLE_BLOB("value");
		break;
	case AE_WCCE_CALL_GETPROPERTYINFO:
		out->nprops = 1;
		out->value = SAMPLE_BLOB("properties");
		break;
	case AE_WCCE_CALL_PING:
		out->hresult = 0x80070057;
		break;
	}
}

#endif
