#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A DCOM client of the CA on impacket (MS-WCCE over MS-DCOM), run on a host of the lab as whoever has
a ticket:

    dcom.py SERVER METHOD CA [--csr FILE] [--attributes TEXT] [--flags N] [--request-id N]
            [--serial HEX] [--prop ID,INDEX,TYPE]

METHOD: Request, Request2, GetCACert, Ping, Ping2, GetCAProperty, GetCAPropertyInfo.
The answer is one line of JSON as in icpr.py, with value (hex) and count for properties."""
import argparse
import base64
import json
import os
import sys

from impacket.dcerpc.v5.dcom.oaut import string_to_bin
from impacket.dcerpc.v5.dcomrt import DCOMANSWER, DCOMCALL, DCOMConnection
from impacket.dcerpc.v5.dtypes import DWORD, LONG, LPWSTR, NULL, PBYTE, ULONG
from impacket.dcerpc.v5.ndr import NDRSTRUCT
from impacket.dcerpc.v5.rpcrt import DCERPCException
from impacket.uuid import uuidtup_to_bin

CLSID_CCERTREQUESTD = string_to_bin("d99e6e74-fc88-11d0-b498-00a0c90312f3")
IID_ICERTREQUESTD = uuidtup_to_bin(("d99e6e70-fc88-11d0-b498-00a0c90312f3", "0.0"))
IID_ICERTREQUESTD2 = uuidtup_to_bin(("5422fd3a-d4b8-4cef-a12e-e87d4ca22e90", "0.0"))


class CERTTRANSBLOB(NDRSTRUCT):  # MS-WCCE 2.2.2.2
    structure = (("cb", ULONG), ("pb", PBYTE))


class Request(DCOMCALL):  # MS-WCCE 3.2.1.4.2.1
    opnum = 3
    structure = (("dwFlags", DWORD), ("pwszAuthority", LPWSTR), ("pdwRequestId", DWORD),
                 ("pwszAttributes", LPWSTR), ("pctbRequest", CERTTRANSBLOB))


class GetCACert(DCOMCALL):
    opnum = 4
    structure = (("fchain", DWORD), ("pwszAuthority", LPWSTR))


class Ping(DCOMCALL):
    opnum = 5
    structure = (("pwszAuthority", LPWSTR),)


class Request2(DCOMCALL):  # MS-WCCE 3.2.1.4.3.1
    opnum = 6
    structure = (("pwszAuthority", LPWSTR), ("dwFlags", DWORD), ("pwszSerialNumber", LPWSTR),
                 ("pdwRequestId", DWORD), ("pwszAttributes", LPWSTR), ("pctbRequest", CERTTRANSBLOB))


class GetCAProperty(DCOMCALL):
    opnum = 7
    structure = (("pwszAuthority", LPWSTR), ("PropID", LONG), ("PropIndex", LONG), ("PropType", LONG))


class GetCAPropertyInfo(DCOMCALL):
    opnum = 8
    structure = (("pwszAuthority", LPWSTR),)


class Ping2(DCOMCALL):
    opnum = 9
    structure = (("pwszAuthority", LPWSTR),)


class RequestAnswer(DCOMANSWER):
    structure = (("pdwRequestId", DWORD), ("pdwDisposition", ULONG), ("pctbCert", CERTTRANSBLOB),
                 ("pctbEncodedCert", CERTTRANSBLOB), ("pctbDispositionMessage", CERTTRANSBLOB),
                 ("ErrorCode", ULONG))


class ValueAnswer(DCOMANSWER):
    structure = (("pctbOut", CERTTRANSBLOB), ("ErrorCode", ULONG))


class InfoAnswer(DCOMANSWER):
    structure = (("pcProperty", LONG), ("pctbPropInfo", CERTTRANSBLOB), ("ErrorCode", ULONG))


class PlainAnswer(DCOMANSWER):
    structure = (("ErrorCode", ULONG),)


# Method: its call, its answer, its interface.
METHODS = {
    "Request": (Request, RequestAnswer, IID_ICERTREQUESTD),
    "GetCACert": (GetCACert, ValueAnswer, IID_ICERTREQUESTD),
    "Ping": (Ping, PlainAnswer, IID_ICERTREQUESTD),
    "Request2": (Request2, RequestAnswer, IID_ICERTREQUESTD2),
    "GetCAProperty": (GetCAProperty, ValueAnswer, IID_ICERTREQUESTD2),
    "GetCAPropertyInfo": (GetCAPropertyInfo, InfoAnswer, IID_ICERTREQUESTD2),
    "Ping2": (Ping2, PlainAnswer, IID_ICERTREQUESTD2),
}


class DCERPCSessionError(DCERPCException):
    """What impacket makes of an answer whose ErrorCode is not zero."""


def unblob(field):
    return b"".join(field["pb"]) if field["cb"] else b""


def fill(call, a):
    def text(s):
        return s + "\0" if s else NULL

    csr = b""
    if a.csr:
        with open(a.csr, "rb") as f:
            csr = f.read()
        if csr.startswith(b"-----"):
            csr = base64.b64decode(b"".join(csr.split(b"-----")[2].split()))
    prop = [int(n, 0) for n in a.prop.split(",")]
    values = {"pwszAuthority": text(a.ca), "dwFlags": a.flags, "pdwRequestId": a.request_id,
              "pwszAttributes": text(a.attributes), "pwszSerialNumber": text(a.serial), "fchain": a.chain,
              "PropID": prop[0], "PropIndex": prop[1], "PropType": prop[2]}
    for name, _ in call.structure:
        if name == "pctbRequest":
            call[name]["cb"] = len(csr)
            call[name]["pb"] = [bytes([b]) for b in csr] if csr else NULL
        else:
            call[name] = values[name]


def show(answer):
    names = [name for name, _ in answer.structure]
    out = {"hresult": answer["ErrorCode"]}
    if "pdwDisposition" in names:
        cert = unblob(answer["pctbEncodedCert"])
        out |= {"request_id": answer["pdwRequestId"], "disposition": answer["pdwDisposition"],
                "chain": unblob(answer["pctbCert"]).hex(),
                "message": unblob(answer["pctbDispositionMessage"]).decode("utf-16le").rstrip("\0"),
                "certificate": "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(cert).decode() +
                               "-----END CERTIFICATE-----\n" if cert else ""}
    if "pctbOut" in names:
        out["value"] = unblob(answer["pctbOut"]).hex()
    if "pcProperty" in names:
        out |= {"count": answer["pcProperty"], "value": unblob(answer["pctbPropInfo"]).hex()}
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("server")
    p.add_argument("method", choices=METHODS)
    p.add_argument("ca")
    p.add_argument("--csr")
    p.add_argument("--attributes", default="")
    p.add_argument("--serial", default="")
    p.add_argument("--flags", type=lambda s: int(s, 0), default=0)
    p.add_argument("--request-id", type=int, default=0)
    p.add_argument("--chain", type=int, default=0)
    p.add_argument("--prop", default="0,0,0")
    p.add_argument("--repeat", type=int, default=1)
    a = p.parse_args()
    make, parse, iid = METHODS[a.method]
    dcom = None
    try:
        dcom = DCOMConnection(a.server, "", "", "", "", "", oxidResolver=True, doKerberos=True)
        interface = dcom.CoCreateInstanceEx(CLSID_CCERTREQUESTD, iid)
        for _ in range(a.repeat):
            call = make()
            fill(call, a)
            # the answer's class is found by impacket in the module of the call
            answer = interface.request(call, iid, uuid=interface.get_iPid())
            print(json.dumps(show(answer)), flush=True)
        interface.RemRelease()
    except Exception as e:  # whatever it was is the result
        if os.environ.get("TRACE"):
            raise
        status = e.get_error_code() if hasattr(e, "get_error_code") else None
        print(json.dumps({"error": f"{type(e).__name__}: {e}", "status": status}), flush=True)
        return 1
    finally:
        if dcom is not None:
            dcom.disconnect()
    return 0


# impacket looks the answer up as <call>Response, where the call's class is defined.
for _name, (_call, _answer, _iid) in METHODS.items():
    globals()[_name + "Response"] = type(_name + "Response", (_answer,), {"structure": _answer.structure})

if __name__ == "__main__":
    os.environ.setdefault("KRB5CCNAME", f"/run/krb5cc_{os.getuid()}")
    sys.exit(main())
