#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""impacket as a client of ICertAdminD and ICertAdminD2, which it does not know itself: the structures
are written here from the IDL of MS-CSRA 6, the blobs are taken apart by 2.2.1 and 2.2.3.

    admin_client.py < {"server": "ca1.lab.example", "authority": "Lab CA", "steps": [["Ping", {}], ...]}

Runs on a member that has tickets.  A step is a method of the interface, with its arguments by their
names in the IDL without their prefixes; or "activate" (done by itself at level 6 otherwise), or "raw"
(opnum, stub in hex).  The answer is one JSON object a step: hresult, and what the method returned."""
import json
import struct
import sys

from impacket.dcerpc.v5 import dcomrt
from impacket.dcerpc.v5.dcom.oaut import VARIANT
from impacket.dcerpc.v5.dtypes import DWORD, LONG, LPWSTR, NULL, ULONG, WSTR
from impacket.dcerpc.v5.ndr import NDRSTRUCT, NDRUniConformantArray
from impacket.uuid import string_to_bin

from wcce_client import CERTTRANSBLOB, PBYTES, Session, get, iid, put, text

CLSID = string_to_bin("d99e6e73-fc88-11d0-b498-00a0c90312f3")
IID = {"D": iid("d99e6e71-fc88-11d0-b498-00a0c90312f3"), "D2": iid("7fe0d935-dda6-443f-85d0-1cfb58fe41dd")}


class FILETIME(NDRSTRUCT):
    structure = (("low", DWORD), ("high", DWORD))


class CERTVIEWRESTRICTION(NDRSTRUCT):
    structure = (("ColumnIndex", DWORD), ("SeekOperator", LONG), ("SortOrder", LONG),
                 ("pbValue", PBYTES), ("cbValue", DWORD))


class RESTRICTIONS(NDRUniConformantArray):
    item = CERTVIEWRESTRICTION


class DWORDS(NDRUniConformantArray):
    item = "<L"


N, B, S, T = ULONG, CERTTRANSBLOB, LPWSTR, FILETIME

# opnum: name, arguments behind pwszAuthority, what comes back before the HRESULT
METHODS = {
    3: ("SetExtension", [("RequestId", N), ("ExtensionName", S), ("Type", N), ("Flags", N), ("Value", B)], []),
    4: ("SetAttributes", [("RequestId", N), ("Attributes", S)], []),
    5: ("ResubmitRequest", [("RequestId", N)], [("Disposition", N)]),
    6: ("DenyRequest", [("RequestId", N)], []),
    7: ("IsValidCertificate", [("SerialNumber", S)], [("RevocationReason", LONG), ("Disposition", LONG)]),
    8: ("PublishCRL", [("FileTime", T)], []),
    9: ("GetCRL", [], [("CRL", B)]),
    10: ("RevokeCertificate", [("SerialNumber", S), ("Reason", N), ("FileTime", T)], []),
    11: ("EnumViewColumn", [("iColumn", N), ("cColumn", N)], [("count", N), ("ColumnInfo", B)]),
    12: ("GetViewDefaultColumnSet", [("ColumnSetDefault", N)], [("count", N), ("ColumnSet", B)]),
    13: ("EnumAttributesOrExtensions", [("RowId", N), ("Flags", N), ("Last", S), ("celt", N)],
         [("count", N), ("Out", B)]),
    14: ("OpenView", [("ccvr", N), ("acvr", RESTRICTIONS), ("ccolOut", N), ("acolOut", DWORDS), ("ielt", N), ("celt", N)],
         [("count", N), ("ResultRows", B)]),
    15: ("EnumView", [("ielt", N), ("celt", N)], [("count", N), ("ResultRows", B)]),
    16: ("CloseView", [], []),
    17: ("ServerControl", [("ControlFlags", N)], [("Out", B)]),
    18: ("Ping", [], []),
    19: ("GetServerState", [], [("State", N)]),
    31: ("PublishCRLs", [("FileTime", T), ("Flags", N)], []),
    32: ("GetCAProperty", [("PropId", LONG), ("PropIndex", LONG), ("PropType", LONG)], [("value", B)]),
    33: ("SetCAProperty", [("PropId", LONG), ("PropIndex", LONG), ("PropType", LONG), ("value", B)], []),
    34: ("GetCAPropertyInfo", [], [("count", LONG), ("PropInfo", B)]),
    35: ("EnumViewColumnTable", [("iTable", N), ("iColumn", N), ("cColumn", N)], [("count", N), ("ColumnInfo", B)]),
    36: ("GetCASecurity", [], [("SD", B)]),
    37: ("SetCASecurity", [("SD", B)], []),
    38: ("Ping2", [], []),
    39: ("GetArchivedKey", [("RequestId", N)], [("ArchivedKey", B)]),
    40: ("GetAuditFilter", [], [("Filter", N)]),
    41: ("SetAuditFilter", [("Filter", N)], []),
    42: ("GetOfficerRights", [], [("Enabled", N), ("SD", B)]),
    43: ("SetOfficerRights", [("Enable", N), ("SD", B)], []),
    44: ("GetConfigEntry", [("NodePath", S), ("Entry", WSTR)], [("Variant", VARIANT)]),
    46: ("ImportKey", [("RequestId", N), ("CertHash", S), ("Flags", N), ("Key", B)], []),
    47: ("GetMyRoles", [], [("Roles", LONG)]),
    48: ("DeleteRow", [("Flags", N), ("FileTime", T), ("Table", N), ("RowId", N)], [("Deleted", LONG)]),
}


def variant(v):
    """VT_I4 and VT_BSTR, as impacket reads them."""
    if v["vt"] == 3:
        return v["_varUnion"]["lVal"]
    assert v["vt"] == 8, v["vt"]
    return v["_varUnion"]["bstrVal"]["asData"]


def string_at(blob, offset):
    assert offset % 4 == 0, offset
    end = offset
    while blob[end:end + 2] != b"\0\0":
        assert end < len(blob)
        end += 2
    return blob[offset:end].decode("utf-16le")


def columns(blob, n):
    """CERTTRANSDBCOLUMN, 2.2.1.7"""
    out = []
    for i in range(n):
        kind, index, most, name, display = struct.unpack_from("<5I", blob, 20 * i)
        out.append({"type": kind & 0xff, "indexed": bool(kind & 0x10000), "id": index, "max": most,
                    "name": string_at(blob, name), "display": string_at(blob, display)})
    return out


def value(kind, data):
    if kind == 1:
        return struct.unpack("<i", data)[0]
    if kind == 2:
        return struct.unpack("<Q", data)[0] // 10000000 - 11644473600
    if kind == 3:
        return data.hex()
    assert kind == 4 and data[-2:] == b"\0\0", (kind, data)
    return data[:-2].decode("utf-16le")


def rows(blob, n):
    """CERTTRANSDBRESULTROW, 2.2.3, and the extra one of 3.1.4.1.13; every byte is accounted for."""
    out, at, total = [], 0, None
    for _ in range(n):
        rowid, ccol, size = struct.unpack_from("<3I", blob, at)
        one, used = {}, 12 + 16 * ccol
        for c in range(ccol):
            kind, index, offset, length = struct.unpack_from("<4I", blob, at + 12 + 16 * c)
            assert offset % 4 == 0 and offset + length <= size
            one[index] = value(kind & 0xff, blob[at + offset:at + offset + length]) if length else None
            used += (length + 3) // 4 * 4
        assert used == size, (used, size)
        out.append({"row": rowid, "columns": one})
        at += size
    if at < len(blob):
        total, inverse, size = struct.unpack_from("<3I", blob, at)
        assert total == inverse ^ 0xffffffff and at + 12 == len(blob) and size == 12
    return {"rows": out, "total": total}


def pairs(blob, n):
    return [[string_at(blob, o) for o in struct.unpack_from("<2I", blob, 8 * i)] for i in range(n)]


def extensions(blob, n):
    out = []
    for i in range(n):
        name, flags, length, offset = struct.unpack_from("<4I", blob, 16 * i)
        assert offset % 4 == 0 and offset + length <= len(blob)
        out.append({"oid": string_at(blob, name), "flags": flags, "value": blob[offset:offset + length].hex()})
    return out


def restriction(r):
    """[column, operator, order, value]: a number, text, {"date": seconds} or {"hex": bytes}"""
    column, seek, order, what = r
    if isinstance(what, int):
        data = struct.pack("<i", what)
    elif isinstance(what, str):
        data = what.encode("utf-16le") + b"\0\0"
    elif "date" in what:
        data = struct.pack("<Q", (what["date"] + 11644473600) * 10000000)
    else:
        data = bytes.fromhex(what["hex"])
    one = CERTVIEWRESTRICTION()
    one["ColumnIndex"], one["SeekOperator"], one["SortOrder"] = column, seek, order
    one["pbValue"] = [bytes([b]) for b in data] if data else NULL
    one["cbValue"] = len(data)
    return one


class Admin(Session):
    def __init__(self, trace=None, **kw):
        super().__init__(**kw)
        self.interface = None

    def activate(self, interface="D2", level="own", call_level=6):
        scm = dcomrt.IRemoteSCMActivator(self.portmap(level))
        unknown = scm.RemoteCreateInstance(CLSID, IID[interface][:-4])
        self.interface = IID[interface]
        return self.activated(unknown, call_level)

    def call(self, call, answer):
        if self.interface is None:
            self.activate()
        return self.orpc(call, answer, self.interface, self.objects["unknown"].get_iPid())

    def fill(self, call, kind, name, v):
        if kind is S:
            call[name] = text(v)
        elif kind is WSTR:
            call[name] = (v or "") + "\0"
        elif kind is B:
            put(call, name, v)
        elif kind is T:
            call[name]["low"], call[name]["high"] = (v or 0) & 0xffffffff, (v or 0) >> 32
        elif kind is RESTRICTIONS:
            call[name] = [restriction(r) for r in v]
        else:
            call[name] = v

    def method(self, opnum, authority="own", **args):
        name, ins, _ = METHODS[opnum]
        call = globals()[f"Op{opnum}"]()
        call["pwszAuthority"] = text(self.authority if authority == "own" else authority)
        if name == "OpenView":
            args.setdefault("acvr", [])
            args.setdefault("ielt", 0)
            args.setdefault("celt", 100)
            args["ccvr"], args["ccolOut"] = len(args["acvr"]), len(args["acolOut"])
        for arg, kind in ins:
            self.fill(call, kind, arg, args.pop(arg, None if kind in (S, B, T) else 0))
        assert not args, args
        return self.answer(opnum, self.call(call, globals()[f"Op{opnum}Response"]))

    def answer(self, opnum, r):
        out = {"hresult": r["ErrorCode"] & 0xffffffff}
        for field, kind in METHODS[opnum][2]:
            if kind is VARIANT:
                out[field] = variant(r[field]) if out["hresult"] == 0 else None
                continue
            if kind is not B:
                out[field] = r[field]
                continue
            blob = get(r[field])
            out[field] = blob.hex()
            if out["hresult"] != 0:
                continue
            if field == "ColumnInfo":
                out["columns"] = columns(blob, r["count"])
            elif field == "ColumnSet":
                out["columns"] = list(struct.unpack(f"<{r['count']}I", blob))
            elif field == "ResultRows":
                out |= rows(blob, r["count"])
        return out

    def EnumAttributes(self, **args):
        out = self.method(13, Flags=0, **args)
        out["attributes"] = pairs(bytes.fromhex(out["Out"]), out["count"])
        return out

    def EnumExtensions(self, **args):
        out = self.method(13, Flags=1, **args)
        out["extensions"] = extensions(bytes.fromhex(out["Out"]), out["count"])
        return out

    def view(self, acvr=(), acolOut=(0x1000,), page=3):
        """A whole view, page by page from element 0."""
        got = self.method(14, acvr=list(acvr), acolOut=list(acolOut), celt=page)
        if got["hresult"]:
            return got
        found, at = got["rows"], got["count"]
        while got["total"] is None:
            got = self.method(15, ielt=at, celt=page)
            if got["hresult"] or (got["count"] == 0 and got["total"] is None):
                return got
            found, at = found + got["rows"], at + got["count"]
        closed = self.method(16)["hresult"]
        return {"hresult": closed, "rows": found, "total": got["total"]}

    def raw(self, opnum, stub):
        """Any bytes as arguments; what comes back as bytes."""
        class Raw(dcomrt.DCOMCALL):
            structure = ()

            def getData(self, *_):
                return super().getData() + bytes.fromhex(stub)

        Raw.opnum = opnum
        return {"reply": self.call(Raw(), bytes).hex()}


def by_name(opnum):
    return lambda self, **args: self.method(opnum, **args)


for _opnum, (_name, _ins, _outs) in METHODS.items():
    globals()[f"Op{_opnum}"] = type(f"Op{_opnum}", (dcomrt.DCOMCALL,), {
        "opnum": _opnum, "structure": (("pwszAuthority", LPWSTR), *_ins)})
    globals()[f"Op{_opnum}Response"] = type(f"Op{_opnum}Response", (dcomrt.DCOMANSWER,), {
        "structure": (*_outs, ("ErrorCode", ULONG))})
    setattr(Admin, _name, by_name(_opnum))


def main():
    job = json.load(sys.stdin)
    session, out = None, []
    try:
        session = Admin(**job)
    except Exception as e:  # the verdict of every step
        out, job["steps"] = [{"error": f"{type(e).__name__}: {e}"}] * len(job["steps"]), []
    for name, args in job["steps"]:
        try:
            out.append(getattr(session, name)(**args))
        except Exception as e:
            failed = {"error": f"{type(e).__name__}: {e}"}
            if getattr(e, "error_code", None) is not None:
                failed["code"] = e.error_code
            out.append(failed)
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
