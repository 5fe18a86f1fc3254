#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The NDR tables against impacket: what it encodes we decode, what we encode
it decodes, for every method that carries anything.  Run by meson with the
witness program; exits 77 (skipped) where impacket is not installed."""

import subprocess
import sys
import unittest

try:
    from impacket.dcerpc.v5.dtypes import DWORD, LONG, LPWSTR, NULL, PBYTE, ULONG
    from impacket.dcerpc.v5.ndr import NDRCALL, NDRPOINTER, NDRSTRUCT, NDRUniConformantArray
except ImportError:
    print("SKIP: python3-impacket is not installed")
    sys.exit(77)

PROGRAM = None


class BYTES(NDRUniConformantArray):
    item = "c"


class PBYTES(NDRPOINTER):
    referent = (("Data", BYTES),)


class CERTTRANSBLOB(NDRSTRUCT):  # MS-WCCE 2.2.2.2
    structure = (("cb", ULONG), ("pb", PBYTES))


class CertServerRequest(NDRCALL):  # MS-ICPR 3.2.4.1.1
    opnum = 0
    structure = (("dwFlags", DWORD), ("pwszAuthority", LPWSTR), ("pdwRequestId", DWORD),
                 ("pctbAttribs", CERTTRANSBLOB), ("pctbRequest", CERTTRANSBLOB))


class Request(NDRCALL):  # MS-WCCE 3.2.1.4.2.1
    opnum = 3
    structure = (("dwFlags", DWORD), ("pwszAuthority", LPWSTR), ("pdwRequestId", DWORD),
                 ("pwszAttributes", LPWSTR), ("pctbRequest", CERTTRANSBLOB))


class Request2(NDRCALL):  # MS-WCCE 3.2.1.4.3.1
    opnum = 6
    structure = (("pwszAuthority", LPWSTR), ("dwFlags", DWORD), ("pwszSerialNumber", LPWSTR),
                 ("pdwRequestId", DWORD), ("pwszAttributes", LPWSTR), ("pctbRequest", CERTTRANSBLOB))


class RequestResponse(NDRCALL):
    structure = (("pdwRequestId", DWORD), ("pdwDisposition", ULONG), ("pctbCert", CERTTRANSBLOB),
                 ("pctbEncodedCert", CERTTRANSBLOB), ("pctbDispositionMessage", CERTTRANSBLOB),
                 ("ErrorCode", ULONG))


class GetCACert(NDRCALL):
    opnum = 4
    structure = (("fchain", DWORD), ("pwszAuthority", LPWSTR))


class ValueResponse(NDRCALL):
    structure = (("pctbOut", CERTTRANSBLOB), ("ErrorCode", ULONG))


class GetCAProperty(NDRCALL):
    opnum = 7
    structure = (("pwszAuthority", LPWSTR), ("PropID", LONG), ("PropIndex", LONG), ("PropType", LONG))


class GetCAPropertyInfoResponse(NDRCALL):
    structure = (("pcProperty", LONG), ("pctbPropInfo", CERTTRANSBLOB), ("ErrorCode", ULONG))


def blob(call, name, data):
    if data is None:
        call[name]["cb"] = 0
        call[name]["pb"] = NULL
    else:
        call[name]["cb"] = len(data)
        call[name]["pb"] = [bytes([b]) for b in data]


def unblob(b):
    data = b["pb"]
    return b"" if b["cb"] == 0 else b"".join(data)


def text(s):
    return NULL if s is None else s + "\0"


def run(*args):
    out = subprocess.run([PROGRAM, *args], check=True, capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in out.splitlines())


def unhex(s):
    return None if s == "NULL" else bytes.fromhex(s).decode()


class Witness(unittest.TestCase):
    def decoded(self, n, call, **want):
        got = run("decode-request", str(n), call.getData().hex())
        for name, value in want.items():
            have = got[name]
            if name in ("authority", "attributes", "serial"):
                have = unhex(have)
            elif name == "csr":
                have = bytes.fromhex(have)
            elif name != "prop":
                have = int(have)
            self.assertEqual(have, value, name)

    def test_they_encode_certserverrequest(self):
        for attributes in ("CertificateTemplate:User\nccm:pc1", "Zürich:€"):
            c = CertServerRequest()
            c["dwFlags"], c["pwszAuthority"], c["pdwRequestId"] = 0x100, text("Example CA"), 0
            blob(c, "pctbAttribs", (attributes + "\0").encode("utf-16le"))
            blob(c, "pctbRequest", bytes(range(256)))
            self.decoded(0, c, flags=0x100, authority="Example CA", attributes=attributes,
                         csr=bytes(range(256)), request_id=0, serial=None)

    def test_they_encode_retrieval(self):
        c = CertServerRequest()
        c["dwFlags"], c["pwszAuthority"], c["pdwRequestId"] = 0, text("Example CA"), 99
        blob(c, "pctbAttribs", None)
        blob(c, "pctbRequest", None)
        self.decoded(0, c, request_id=99, attributes=None, csr=b"")

    def test_they_encode_request(self):
        c = Request()
        c["dwFlags"], c["pwszAuthority"], c["pdwRequestId"] = 0x400, text("Example CA"), 0
        c["pwszAttributes"] = text("CertificateTemplate:User\n")
        blob(c, "pctbRequest", b"abcde")
        self.decoded(1, c, flags=0x400, attributes="CertificateTemplate:User\n", csr=b"abcde")
        c["pwszAuthority"], c["pwszAttributes"] = NULL, NULL
        self.decoded(1, c, authority=None, attributes=None, csr=b"abcde")

    def test_they_encode_request2(self):
        c = Request2()
        c["pwszAuthority"], c["dwFlags"], c["pdwRequestId"] = text("Example CA"), 0x40400, 0
        c["pwszSerialNumber"], c["pwszAttributes"] = NULL, text("")
        blob(c, "pctbRequest", b"x" * 4001)
        self.decoded(2, c, flags=0x40400, serial=None, attributes="", csr=b"x" * 4001)
        c = Request2()
        c["pwszAuthority"], c["dwFlags"], c["pdwRequestId"] = text("Example CA"), 0, 0
        c["pwszSerialNumber"], c["pwszAttributes"] = text("6100000002"), NULL
        blob(c, "pctbRequest", None)
        self.decoded(2, c, serial="6100000002", attributes=None, csr=b"")

    def test_they_encode_the_rest(self):
        c = GetCACert()
        c["fchain"], c["pwszAuthority"] = 0x6E616D65, text("Example CA")
        self.decoded(5, c, fchain=0x6E616D65, authority="Example CA")
        c = GetCAProperty()
        c["pwszAuthority"], c["PropID"], c["PropIndex"], c["PropType"] = text("Example CA"), 12, -1, 3
        self.decoded(7, c, authority="Example CA", prop="12 -1 3")

    def ours(self, kind, n, cls):
        call = cls()
        data = bytes.fromhex(run(kind, str(n))["stub"])
        call.fromString(data)
        return call

    def test_we_encode_requests(self):
        c = self.ours("encode-request", 0, CertServerRequest)
        self.assertEqual(c["dwFlags"], 0x100)
        self.assertEqual(c["pwszAuthority"], "Example CA\0")
        self.assertEqual(unblob(c["pctbAttribs"]).decode("utf-16le"),
                         "CertificateTemplate:Workstation\nccm:pc1.example.com\0")
        self.assertEqual(unblob(c["pctbRequest"]), b"0123456789abc")
        c = self.ours("encode-request", 1, Request)
        self.assertEqual(c["pwszAuthority"], "Zürich CA\0")
        self.assertEqual(c["pwszAttributes"], "CertificateTemplate:User\0")
        self.assertEqual(unblob(c["pctbRequest"]), b"request")
        c = self.ours("encode-request", 2, Request2)
        self.assertEqual(c["dwFlags"], 0x40400)
        self.assertEqual(c["pwszAttributes"], "\0")
        self.assertEqual(unblob(c["pctbRequest"]), b"request two")
        c = self.ours("encode-request", 3, Request2)
        self.assertEqual(c["pwszSerialNumber"], "61000000020b\0")
        c = self.ours("encode-request", 7, GetCAProperty)
        self.assertEqual((c["PropID"], c["PropIndex"], c["PropType"]), (12, -1, 3))

    def test_we_encode_replies(self):
        for n, disposition, chain, cert in ((0, 3, b"the chain", b"cert"), (2, 3, b"the chain", b"cert"),
                                            (4, 0x80094012, b"", b"")):
            c = self.ours("encode-reply", n, RequestResponse)
            self.assertEqual(c["pdwRequestId"], 4711)
            self.assertEqual(c["pdwDisposition"], disposition)
            self.assertEqual(unblob(c["pctbCert"]), chain)
            self.assertEqual(unblob(c["pctbEncodedCert"]), cert)
            self.assertEqual(unblob(c["pctbDispositionMessage"]).decode("utf-16le"), "Issued €\0")
            self.assertEqual(c["ErrorCode"], 0)
        c = self.ours("encode-reply", 7, ValueResponse)
        self.assertEqual(unblob(c["pctbOut"]), b"value")
        c = self.ours("encode-reply", 8, GetCAPropertyInfoResponse)
        self.assertEqual(c["pcProperty"], 1)
        self.assertEqual(unblob(c["pctbPropInfo"]), b"properties")

    def test_they_encode_replies(self):
        c = RequestResponse()
        c["pdwRequestId"], c["pdwDisposition"], c["ErrorCode"] = 5, 0x80094012, 0
        blob(c, "pctbCert", None)
        blob(c, "pctbEncodedCert", b"certificate")
        blob(c, "pctbDispositionMessage", "Denied\0".encode("utf-16le"))
        got = run("decode-reply", "0", c.getData().hex())
        self.assertEqual(got["request_id"], "5")
        self.assertEqual(got["disposition"], str(0x80094012))
        self.assertEqual(got["chain"], "")
        self.assertEqual(bytes.fromhex(got["cert"]), b"certificate")
        self.assertEqual(unhex(got["message"]), "Denied")
        c = GetCAPropertyInfoResponse()
        c["pcProperty"], c["ErrorCode"] = 45, 0
        blob(c, "pctbPropInfo", b"12345")
        got = run("decode-reply", "8", c.getData().hex())
        self.assertEqual((got["nprops"], bytes.fromhex(got["value"])), ("45", b"12345"))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
