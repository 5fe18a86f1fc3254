#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""An ICertPassage client on impacket (MS-ICPR), run on a host of the lab as whoever has a ticket:

    icpr.py SERVER[:PORT] CSR [--attributes TEXT] [--ca NAME] [--level N] [--request-id N]
            [--repeat N] [--flags N] [--anonymous]

The answer is one line of JSON: hresult, request_id, disposition, message, certificate (PEM),
chain (hex); or error and status when the call itself failed."""
import argparse
import base64
import json
import os
import signal
import sys

from impacket.dcerpc.v5 import epm, rpcrt, transport
from impacket.dcerpc.v5.dtypes import DWORD, LPWSTR, NULL, PBYTE, ULONG
from impacket.dcerpc.v5.ndr import NDRCALL, NDRSTRUCT
from impacket.uuid import uuidtup_to_bin

ICPR = uuidtup_to_bin(("91ae6020-9e3c-11cf-8d7c-00aa00c091be", "0.0"))


class CERTTRANSBLOB(NDRSTRUCT):  # MS-WCCE 2.2.2.2
    structure = (("cb", ULONG), ("pb", PBYTE))


class CertServerRequest(NDRCALL):  # MS-ICPR 3.2.4.1.1
    opnum = 0
    structure = (("dwFlags", DWORD), ("pwszAuthority", LPWSTR), ("pdwRequestId", DWORD),
                 ("pctbAttribs", CERTTRANSBLOB), ("pctbRequest", CERTTRANSBLOB))


class CertServerRequestResponse(NDRCALL):
    structure = (("pdwRequestId", DWORD), ("pdwDisposition", ULONG), ("pctbCert", CERTTRANSBLOB),
                 ("pctbEncodedCert", CERTTRANSBLOB), ("pctbDispositionMessage", CERTTRANSBLOB),
                 ("ErrorCode", ULONG))


def blob(field, data):
    field["cb"] = len(data)
    field["pb"] = [bytes([b]) for b in data] if data else NULL


def unblob(field):
    return b"".join(field["pb"]) if field["cb"] else b""


def connect(server, port, level, anonymous=False):
    if port is None:
        string = epm.hept_map(server, ICPR, protocol="ncacn_ip_tcp")
        port = int(string[string.index("[") + 1:-1])
    rpc = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{server}[{port}]")
    rpc.setRemoteName(server)
    if not anonymous:
        rpc.set_credentials("", "", "", "", "")
        rpc.set_kerberos(True, None)
    dce = rpc.get_dce_rpc()
    if not anonymous:
        dce.set_auth_type(rpcrt.RPC_C_AUTHN_GSS_NEGOTIATE)
        dce.set_auth_level(level)
    dce.connect()
    dce.bind(ICPR)
    return dce


def ask(dce, csr, attributes, ca, flags, request_id):
    call = CertServerRequest()
    call["dwFlags"] = flags
    call["pwszAuthority"] = ca + "\0" if ca else NULL
    call["pdwRequestId"] = request_id
    blob(call["pctbAttribs"], (attributes + "\0").encode("utf-16le") if attributes else b"")
    blob(call["pctbRequest"], csr)
    dce.call(call.opnum, call)
    answer = CertServerRequestResponse(dce.recv())
    cert = unblob(answer["pctbEncodedCert"])
    pem = ""
    if cert:
        pem = ("-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(cert).decode() +
               "-----END CERTIFICATE-----\n")
    return {"hresult": answer["ErrorCode"], "request_id": answer["pdwRequestId"],
            "disposition": answer["pdwDisposition"], "certificate": pem,
            "chain": unblob(answer["pctbCert"]).hex(),
            "message": unblob(answer["pctbDispositionMessage"]).decode("utf-16le").rstrip("\0")}


def no_answer(*_):
    print(json.dumps({"error": "no answer", "status": None}), flush=True)
    os._exit(1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("server")
    p.add_argument("csr")
    p.add_argument("--attributes", default="")
    p.add_argument("--ca", default="")
    p.add_argument("--level", type=int, default=rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
    p.add_argument("--flags", type=lambda s: int(s, 0), default=0)
    p.add_argument("--request-id", type=int, default=0)
    p.add_argument("--repeat", type=int, default=1)
    p.add_argument("--anonymous", action="store_true")
    a = p.parse_args()
    server, _, port = a.server.partition(":")
    signal.signal(signal.SIGALRM, no_answer)
    signal.alarm(20)  # impacket waits for ever on a connection that was closed
    with open(a.csr, "rb") as f:
        csr = f.read()
    if csr.startswith(b"-----"):
        csr = base64.b64decode(b"".join(csr.split(b"-----")[2].split()))
    try:
        dce = connect(server, int(port) if port else None, a.level, a.anonymous)
        for _ in range(a.repeat):
            print(json.dumps(ask(dce, csr, a.attributes, a.ca, a.flags, a.request_id)), flush=True)
    except Exception as e:  # whatever it was is the result
        status = e.get_error_code() if hasattr(e, "get_error_code") else None
        print(json.dumps({"error": f"{type(e).__name__}: {e}", "status": status}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.setdefault("KRB5CCNAME", f"/run/krb5cc_{os.getuid()}")
    sys.exit(main())
