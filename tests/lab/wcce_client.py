#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""impacket as a client of our CA: ICertPassage, DCOM, ICertRequestD and D2.

    wcce_client.py < {"server": "ca1.lab.example", "steps": [["icpr", {...}], ...]}

Runs on a member that has tickets; answers with a JSON list, one object a step:
what came back, or {"error": text, "code": number}.  Bytes are hexadecimal.  The
structures are written here from MS-WCCE 6 and MS-ICPR 6; nothing of ours is used.
What a step takes is in the method of its name.  wcce.py is what tests call.

With "samba": "krb5" (auth type 16), "spnego" (9) or "ntlm" the calls of ICertPassage and
mgmt go through Samba's client runtime instead of impacket's, which knows type 9 only.
"""
import json
import os
import struct
import subprocess
import sys
import traceback

from impacket.dcerpc.v5 import dcomrt, epm, rpcrt, transport
from impacket.dcerpc.v5.dtypes import DWORD, GUID, LONG, LPWSTR, NULL, ULONG
from impacket.dcerpc.v5.ndr import NDRCALL, NDRPOINTER, NDRSTRUCT, NDRUniConformantArray
from impacket.krb5 import gssapi, kerberosv5
from impacket.krb5.ccache import CCache
from impacket.uuid import bin_to_string, string_to_bin, uuidtup_to_bin


def iid(text):
    return uuidtup_to_bin((text, "0.0"))


ICPR = iid("91ae6020-9e3c-11cf-8d7c-00aa00c091be")
CLSID = string_to_bin("d99e6e74-fc88-11d0-b498-00a0c90312f3")
D = iid("d99e6e70-fc88-11d0-b498-00a0c90312f3")
D2 = iid("5422fd3a-d4b8-4cef-a12e-e87d4ca22e90")
NDR20 = uuidtup_to_bin(("8a885d04-1ceb-11c9-9fe8-08002b104860", "2.0"))


class BYTES(NDRUniConformantArray):
    item = "c"


class PBYTES(NDRPOINTER):
    referent = (("Data", BYTES),)


class CERTTRANSBLOB(NDRSTRUCT):  # MS-WCCE 2.2.2.2
    structure = (("cb", ULONG), ("pb", PBYTES))


ANSWER = (("pdwRequestId", DWORD), ("pdwDisposition", ULONG), ("chain", CERTTRANSBLOB),
          ("cert", CERTTRANSBLOB), ("message", CERTTRANSBLOB), ("ErrorCode", ULONG))


class CertServerRequest(NDRCALL):  # MS-ICPR 3.2.4.1.1
    opnum = 0
    structure = (("dwFlags", DWORD), ("pwszAuthority", LPWSTR), ("pdwRequestId", DWORD),
                 ("pctbAttribs", CERTTRANSBLOB), ("pctbRequest", CERTTRANSBLOB))


class CertServerRequestResponse(NDRCALL):
    structure = ANSWER


class Request(dcomrt.DCOMCALL):  # MS-WCCE 3.2.1.4.2.1
    opnum = 3
    structure = (("dwFlags", DWORD), ("pwszAuthority", LPWSTR), ("pdwRequestId", DWORD),
                 ("pwszAttributes", LPWSTR), ("pctbRequest", CERTTRANSBLOB))


class RequestResponse(dcomrt.DCOMANSWER):
    structure = ANSWER


class GetCACert(dcomrt.DCOMCALL):  # 3.2.1.4.2.2
    opnum = 4
    structure = (("fchain", DWORD), ("pwszAuthority", LPWSTR))


class GetCACertResponse(dcomrt.DCOMANSWER):
    structure = (("value", CERTTRANSBLOB), ("ErrorCode", ULONG))


class Ping(dcomrt.DCOMCALL):  # 3.2.1.4.2.3
    opnum = 5
    structure = (("pwszAuthority", LPWSTR),)


class PingResponse(dcomrt.DCOMANSWER):
    structure = (("ErrorCode", ULONG),)


class Request2(dcomrt.DCOMCALL):  # 3.2.1.4.3.1
    opnum = 6
    structure = (("pwszAuthority", LPWSTR), ("dwFlags", DWORD), ("pwszSerialNumber", LPWSTR),
                 ("pdwRequestId", DWORD), ("pwszAttributes", LPWSTR), ("pctbRequest", CERTTRANSBLOB))


class Request2Response(dcomrt.DCOMANSWER):
    structure = ANSWER


class GetCAProperty(dcomrt.DCOMCALL):  # 3.2.1.4.3.2
    opnum = 7
    structure = (("pwszAuthority", LPWSTR), ("PropID", LONG), ("PropIndex", LONG), ("PropType", LONG))


class GetCAPropertyResponse(dcomrt.DCOMANSWER):
    structure = (("value", CERTTRANSBLOB), ("ErrorCode", ULONG))


class GetCAPropertyInfo(dcomrt.DCOMCALL):  # 3.2.1.4.3.3
    opnum = 8
    structure = (("pwszAuthority", LPWSTR),)


class GetCAPropertyInfoResponse(dcomrt.DCOMANSWER):
    structure = (("pcProperty", LONG), ("value", CERTTRANSBLOB), ("ErrorCode", ULONG))


class Ping2(Ping):  # 3.2.1.4.3.4
    opnum = 9


class Ping2Response(PingResponse):
    pass


class RemQueryInterface(dcomrt.DCOMCALL):  # MS-DCOM 3.1.1.5.6.1.1; impacket's takes one answer only
    opnum = 3
    structure = (("ripid", GUID), ("cRefs", ULONG), ("cIids", dcomrt.USHORT), ("iids", dcomrt.IID_ARRAY))


class QIRESULTS(NDRUniConformantArray):
    item = dcomrt.REMQIRESULT


class PQIRESULTS(NDRPOINTER):
    referent = (("Data", QIRESULTS),)


class RemQueryInterfaceResponse(dcomrt.DCOMANSWER):
    structure = (("ppQIResults", PQIRESULTS), ("ErrorCode", ULONG))


def text(s):
    return NULL if s is None else s + "\0"


def put(call, name, data):
    """data: hexadecimal, or None for the empty blob."""
    raw = bytes.fromhex(data or "")
    call[name]["cb"] = len(raw)
    call[name]["pb"] = [bytes([b]) for b in raw] if data is not None else NULL


def get(blob):
    return b"" if blob["cb"] == 0 else b"".join(blob["pb"])


def answered(r):
    return {"hresult": r["ErrorCode"], "disposition": r["pdwDisposition"], "id": r["pdwRequestId"],
            "chain": get(r["chain"]).hex(), "cert": get(r["cert"]).hex(),
            "message": get(r["message"]).decode("utf-16le").rstrip("\0")}


def get_mic(self, key, data, sequence, direction="init"):
    """RFC 4121 4.2.4 and 4.2.6.1; impacket 0.10's own joins str and bytes."""
    token = self.MIC()
    token["Flags"], token["SND_SEQ"] = 4, struct.pack(">Q", sequence)
    token["SGN_CKSUM"] = self.checkSumProfile().checksum(key, gssapi.KG_USAGE_INITIATOR_SIGN,
                                                         data + token.getData()[:16])
    return token.getData()


gssapi.GSSAPI_AES.GSS_GetMIC = get_mic


class SambaCalls:
    """Samba's client runtime in the place of impacket's DCERPC object."""

    LEVELS = {2: "connect", 4: "packet", 5: "sign", 6: "seal"}

    def __init__(self, binding, session):
        from samba.credentials import MUST_USE_KERBEROS, Credentials
        from samba.dcerpc import mgmt
        from samba.dcerpc.base import ClientConnection
        from samba.param import LoadParm

        lp = LoadParm()
        lp.load("/etc/samba/smb.conf")
        lp.set("gensec_gssapi:mutual", "yes" if session.mutual else "no")
        creds = Credentials()
        creds.guess(lp)
        if session.ntlm:
            creds.set_username(session.ntlm[0])
            creds.set_password(session.ntlm[1])
            creds.set_domain("LAB")
        else:
            creds.set_kerberos_state(MUST_USE_KERBEROS)
            creds.set_named_ccache(os.environ["KRB5CCNAME"])
        options = [session.samba, self.LEVELS[session.level]] if session.level else []
        options += ["bigendian"] if session.bigendian else []
        self.basis = mgmt.mgmt(binding[:-1] + "," + ",".join(options) + "]", lp, creds)
        self.conn = None
        # A connection of its own would crash: it knows no service to authenticate to.  Here it
        # shares mgmt's.  With krb5 that fails in Samba 4.17's client.
        self.second = lambda interface: ClientConnection(binding, (interface, 0), lp, creds,
                                                         basis_connection=self.basis)

    def bind(self, interface):
        self.conn = self.second(bin_to_string(interface))

    def call(self, opnum, call, obj=None):
        self.reply = self.conn.request(opnum, call if isinstance(call, bytes) else call.getData())

    def recv(self):
        return self.reply

    def disconnect(self):
        self.conn = self.basis = None


def invoke(dce, call, answer, obj=None):
    """One call; a reply whatever its result says, a fault as an exception."""
    dce.call(call.opnum, call, obj)
    return answer(dce.recv())


class Session:
    """spn: the service ticket to use.  level: 5 or 6, None for no authentication.
    mutual: whether the client asks for mutual authentication.  ntlm: user and password.
    binding: where ICertPassage is, when not where the endpoint mapper says."""

    def __init__(self, server, spn=None, level=6, mutual=True, ntlm=None, fragment=None, authority=None,
                 samba=None, bigendian=False, binding=None, **_):
        self.server, self.level, self.ntlm, self.fragment = server, level, ntlm, fragment
        self.authority, self.samba, self.mutual, self.binding = authority, samba, mutual, binding
        self.bigendian = bigendian
        self.spn = spn or "host/" + server
        self.tgs = self.user = self.realm = None
        if level and not ntlm and not samba:
            self.fetch_ticket()
        if not mutual:
            kerberosv5.GSS_C_MUTUAL_FLAG = 0
            flags = kerberosv5.constants.encodeFlags
            kerberosv5.constants.encodeFlags = lambda _: flags([])
        self.objects = {}
        self.conns = {}
        self.dcom = None

    def fetch_ticket(self):
        """impacket 0.10 cannot ask this KDC itself; it uses the ticket that kvno got."""
        subprocess.run(["kvno", "-q", self.spn], check=True)
        cache = CCache.loadFile(os.environ["KRB5CCNAME"].replace("FILE:", ""))
        client = cache.principal.prettyPrint().decode()
        self.user, self.realm = client.rsplit("@", 1)
        name = f"{self.spn}@{self.realm}".upper()
        self.tgs = cache.getCredential(name, anySPN=False).toTGS(name)

    def connect(self, binding, level="own"):
        wire = transport.DCERPCTransportFactory(binding)
        level = self.level if level == "own" else level
        wire.set_connect_timeout(50)  # of every answer, too
        if level and self.ntlm:
            wire.set_credentials(self.ntlm[0], self.ntlm[1], "LAB")
        elif level:
            wire.set_credentials(self.user, "", self.realm, TGS=self.tgs)
            wire.set_kerberos(True, None)
        dce = wire.get_dce_rpc()
        if level:
            dce.set_credentials(*wire.get_credentials())
            dce.set_auth_type(rpcrt.RPC_C_AUTHN_WINNT if self.ntlm else rpcrt.RPC_C_AUTHN_GSS_NEGOTIATE)
            dce.set_auth_level(level)
        if self.fragment:
            dce.set_max_fragment_size(self.fragment)
        dce.connect()
        return dce

    # ---- endpoint mapper ----

    def map(self, interface=bin_to_string(ICPR), version="0.0", auth=False):
        """ept_map: the string binding of an interface."""
        dce = self.connect(f"ncacn_ip_tcp:{self.server}[135]", "own" if auth else None)
        return {"binding": epm.hept_map(self.server, uuidtup_to_bin((interface, version)),
                                        protocol="ncacn_ip_tcp", dce=dce)}

    def lookup(self, interface=None, version="0.0", inquiry=0, vers_option=1, count=100, auth=False):
        """ept_lookup: filtered the way go-msrpc does with inquiry 1 and vers_option 3."""
        dce = self.connect(f"ncacn_ip_tcp:{self.server}[135]", "own" if auth else None)
        dce.bind(epm.MSRPC_UUID_PORTMAP)
        entries, calls, handle = [], 0, epm.ept_lookup_handle_t()
        while True:
            call = epm.ept_lookup()
            call["inquiry_type"], call["vers_option"], call["max_ents"] = inquiry, vers_option, count
            call["object"] = NULL
            if interface:
                call["Ifid"]["Uuid"] = string_to_bin(interface)
                call["Ifid"]["VersMajor"], call["Ifid"]["VersMinor"] = map(int, version.split("."))
            else:
                call["Ifid"] = NULL
            call["entry_handle"] = handle
            reply = invoke(dce, call, epm.ept_lookupResponse)
            calls += 1
            for e in reply["entries"]:
                tower = epm.EPMTower(b"".join(e["tower"]["tower_octet_string"]))
                floor = tower["Floors"][0]
                entries.append([bin_to_string(floor["InterfaceUUID"]), epm.PrintStringBinding(tower["Floors"])])
            handle = reply["entry_handle"]
            if reply["status"] or handle.isNull() or calls > 100:
                break
        return {"entries": entries, "calls": calls, "status": reply["status"], "handle_closed": handle.isNull()}

    # ---- ICertPassage ----

    def icpr_bound(self):
        if "icpr" not in self.conns:
            binding = self.binding or epm.hept_map(self.server, ICPR, protocol="ncacn_ip_tcp")
            if self.samba:
                dce = SambaCalls(binding, self)
            else:
                dce = self.connect(binding)
            dce.bind(ICPR)
            self.conns["icpr"] = dce
        return self.conns["icpr"]

    def icpr(self, request=None, attributes="", authority="own", flags=0, id=0, blob=None):
        """CertServerRequest.  blob: the attributes as bytes, instead of attributes."""
        call = CertServerRequest()
        call["dwFlags"], call["pdwRequestId"] = flags, id
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        put(call, "pctbAttribs", (attributes + "\0").encode("utf-16le").hex() if blob is None else blob)
        put(call, "pctbRequest", request)
        return answered(invoke(self.icpr_bound(), call, CertServerRequestResponse))

    def hold(self, count):
        """Binds so many connections to the CA's port, one beside the other: how many were let in."""
        binding, mine = self.binding or epm.hept_map(self.server, ICPR, protocol="ncacn_ip_tcp"), []
        for _ in range(count):
            try:
                dce = self.connect(binding)
                dce.bind(ICPR)
                call = CertServerRequest()  # what is refused shows with the first call
                call["dwFlags"], call["pdwRequestId"], call["pwszAuthority"] = 0, 0, text("nobody")
                put(call, "pctbAttribs", "")
                put(call, "pctbRequest", None)
                invoke(dce, call, CertServerRequestResponse)
                mine.append(dce)
            except Exception:  # noqa: the server said no
                pass
        for dce in mine:
            dce.disconnect()
        return {"open": len(mine)}

    def mgmt(self):
        """Samba calls mgmt on the port of ICertPassage: the interfaces that are there."""
        calls = SambaCalls(self.binding or epm.hept_map(self.server, ICPR, protocol="ncacn_ip_tcp"), self)
        ids = calls.basis.inq_if_ids()
        ids = ids[0] if isinstance(ids, tuple) else ids
        return {"interfaces": [str(i.id.uuid) for i in ids.if_id]}

    def icpr_raw(self, stub, opnum=0):
        dce = self.icpr_bound()
        dce.call(opnum, bytes.fromhex(stub))
        return {"stub": dce.recv().hex()}

    def close(self):
        for dce in self.conns.values():
            dce.disconnect()
        self.conns = {}
        return {}

    # ---- activation and the object ----

    def activated(self, unknown, level):
        c = unknown.get_cinstance()
        c.set_auth_type(rpcrt.RPC_C_AUTHN_WINNT if self.ntlm else rpcrt.RPC_C_AUTHN_GSS_NEGOTIATE)
        c.get_auth_level = lambda: level or rpcrt.RPC_C_AUTHN_LEVEL_NONE
        self.objects["unknown"] = unknown
        return {"oxid": "%016x" % unknown.get_oxid(), "ipid": bin_to_string(unknown.get_iPid()),
                "bindings": [b["aNetworkAddr"].rstrip("\0") for b in c.get_string_bindings()
                             if b["wTowerId"] == 7]}

    def portmap(self, level):
        dce = self.connect(f"ncacn_ip_tcp:{self.server}[135]", level)
        dcomrt.DCOMConnection.PORTMAPS[self.server] = dce
        return dce

    def activate(self, interface="D", level="own", call_level=6):
        """IRemoteSCMActivator::RemoteCreateInstance; calls go out at call_level."""
        scm = dcomrt.IRemoteSCMActivator(self.portmap(level))
        iid_ = {"D": D, "D2": D2}.get(interface) or iid(interface)
        unknown = scm.RemoteCreateInstance(CLSID, iid_[:-4])
        self.objects["first"] = iid_
        return self.activated(unknown, call_level)

    def activate_class(self, clsid, interface="D"):
        scm = dcomrt.IRemoteSCMActivator(self.portmap("own"))
        return self.activated(scm.RemoteCreateInstance(string_to_bin(clsid), D[:-4]), 6)

    def activate_old(self, level="own", call_level=6):
        """ServerAlive2 without authentication, then IActivation::RemoteActivation: go-msrpc's way."""
        alive = dcomrt.IObjectExporter(self.connect(f"ncacn_ip_tcp:{self.server}[135]", None)).ServerAlive2()
        dce = self.portmap(level)
        unknown = dcomrt.IActivation(dce).RemoteActivation(CLSID, D[:-4])
        self.objects["first"] = D
        out = self.activated(unknown, call_level)
        out["alive"] = [b["aNetworkAddr"].rstrip("\0") for b in alive if b["wTowerId"] == 7]
        return out

    def server_alive(self, auth=False):
        exporter = dcomrt.IObjectExporter(self.connect(f"ncacn_ip_tcp:{self.server}[135]", "own" if auth else None))
        return {"status": exporter.ServerAlive()["ErrorCode"]}

    def resolve(self, level="own"):
        """ResolveOxid2 of the exporter that activation named."""
        dce = self.connect(f"ncacn_ip_tcp:{self.server}[135]", level)
        exporter = dcomrt.IObjectExporter(dce)
        found = exporter.ResolveOxid2(self.objects["unknown"].get_oxid(), (7,))
        return {"bindings": [b["aNetworkAddr"].rstrip("\0") for b in found if b["wTowerId"] == 7]}

    def ping_sets(self, auth=True):
        """A ping set with our object in it: made, pinged, emptied."""
        def exporter():
            return dcomrt.IObjectExporter(self.connect(f"ncacn_ip_tcp:{self.server}[135]", "own" if auth else None))
        oid = self.objects["unknown"].get_oid()
        made = exporter().ComplexPing(0, 1, [oid], [])
        again = exporter().SimplePing(made["pSetId"])
        return {"made": made["ErrorCode"], "set": made["pSetId"], "again": again["ErrorCode"]}

    def simple_ping(self, set):
        exporter = dcomrt.IObjectExporter(self.connect(f"ncacn_ip_tcp:{self.server}[135]"))
        return {"status": exporter.SimplePing(set)["ErrorCode"]}

    def query(self, interfaces=("D2",), refs=5):
        """IRemUnknown::RemQueryInterface; the first that is given becomes the one that is called."""
        unknown = self.objects["unknown"]
        call = RemQueryInterface()
        call["ripid"], call["cRefs"], call["cIids"] = unknown.get_iPid(), refs, len(interfaces)
        for name in interfaces:
            one = dcomrt.IID()
            one["Data"] = ({"D": D, "D2": D2}.get(name) or iid(name))[:-4]
            call["iids"].append(one)
        reply = self.orpc(call, RemQueryInterfaceResponse, dcomrt.IID_IRemUnknown,
                          unknown.get_ipidRemUnknown())
        out = []
        for name, r in zip(interfaces, reply["ppQIResults"] if reply["ppQIResults"] else []):
            out.append([name, r["hResult"] & 0xFFFFFFFF, bin_to_string(r["std"]["ipid"]), r["std"]["cPublicRefs"]])
            if r["hResult"] == 0:
                self.objects[name] = r["std"]["ipid"]
        return {"hresult": reply["ErrorCode"], "results": out}

    def release(self, interface=None, refs=1):
        unknown = self.objects["unknown"]
        call = dcomrt.RemRelease()
        call["cInterfaceRefs"] = 1
        ref = dcomrt.REMINTERFACEREF()
        ref["ipid"] = self.objects[interface] if interface else unknown.get_iPid()
        ref["cPublicRefs"], ref["cPrivateRefs"] = refs, 0
        call["InterfaceRefs"].append(ref)
        reply = self.orpc(call, dcomrt.RemReleaseResponse, dcomrt.IID_IRemUnknown, unknown.get_ipidRemUnknown())
        return {"hresult": reply["ErrorCode"]}

    def orpc(self, call, answer, interface, ipid):
        unknown = self.objects["unknown"]
        call["ORPCthis"] = unknown.get_cinstance().get_ORPCthis()
        call["ORPCthis"]["flags"] = 0
        unknown.connect(interface)
        return invoke(unknown.get_dce_rpc(), call, answer, ipid)

    def method(self, call, answer, on):
        if on not in self.objects:  # the interface that was activated
            return self.orpc(call, answer, {"D": D, "D2": D2}[on], self.objects["unknown"].get_iPid())
        return self.orpc(call, answer, {"D": D, "D2": D2}[on], self.objects[on])

    def request(self, request=None, attributes="", authority="own", flags=0, id=0, on="D"):
        call = Request()
        call["dwFlags"], call["pdwRequestId"] = flags, id
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        call["pwszAttributes"] = text(attributes)
        put(call, "pctbRequest", request)
        return answered(self.method(call, RequestResponse, on))

    def request2(self, request=None, attributes="", authority="own", flags=0, id=0, serial=None):
        call = Request2()
        call["dwFlags"], call["pdwRequestId"] = flags, id
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        call["pwszSerialNumber"], call["pwszAttributes"] = text(serial), text(attributes)
        put(call, "pctbRequest", request)
        return answered(self.method(call, Request2Response, "D2"))

    def get_ca_cert(self, what=0, authority="own", on="D"):
        call = GetCACert()
        call["fchain"] = what
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        r = self.method(call, GetCACertResponse, on)
        return {"hresult": r["ErrorCode"], "value": get(r["value"]).hex()}

    def ping(self, authority="own", on="D"):
        call = Ping()
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        return {"hresult": self.method(call, PingResponse, on)["ErrorCode"]}

    def ping2(self, authority="own"):
        call = Ping2()
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        return {"hresult": self.method(call, Ping2Response, "D2")["ErrorCode"]}

    def get_ca_property(self, prop, index=0, type=4, authority="own"):
        call = GetCAProperty()
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        call["PropID"], call["PropIndex"], call["PropType"] = prop, index, type
        r = self.method(call, GetCAPropertyResponse, "D2")
        return {"hresult": r["ErrorCode"], "value": get(r["value"]).hex()}

    def get_ca_property_info(self, authority="own"):
        call = GetCAPropertyInfo()
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        r = self.method(call, GetCAPropertyInfoResponse, "D2")
        return {"hresult": r["ErrorCode"], "count": r["pcProperty"], "value": get(r["value"]).hex()}


def main():
    job = json.load(sys.stdin)
    session, out = None, []
    try:
        session = Session(**job)
    except Exception as e:  # the verdict of every step
        out = [{"error": f"{type(e).__name__}: {e}"}] * len(job["steps"])
        job["steps"] = []
    for name, args in job["steps"]:
        try:
            out.append(getattr(session, name)(**args))
        except Exception as e:
            failed = {"error": f"{type(e).__name__}: {e}"}
            if os.environ.get("WCCE_TRACE"):
                traceback.print_exc()
            if getattr(e, "error_code", None) is not None:
                failed["code"] = e.error_code
            out.append(failed)
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
