#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Writes the dcom-impacket-*.hex vectors: the requests impacket's DCOM client
makes, as stubs.  Run it in tests/vectors with python3-impacket installed;
its output is checked in.  The transport is a recorder: nothing is sent."""
from impacket.dcerpc.v5 import dcomrt
from impacket.dcerpc.v5.dtypes import NULL
from impacket.uuid import string_to_bin, uuidtup_to_bin

CLSID = string_to_bin("d99e6e74-fc88-11d0-b498-00a0c90312f3")  # CCertRequestD
IID = uuidtup_to_bin(("d99e6e70-fc88-11d0-b498-00a0c90312f3", "0.0"))  # ICertRequestD
IID2 = uuidtup_to_bin(("5422fd3a-d4b8-4cef-a12e-e87d4ca22e90", "0.0"))  # ICertRequestD2
CID = bytes(range(16))
IPID = bytes(range(0x20, 0x30))

dcomrt.generate = lambda: CID


class Recorded(Exception):
    pass


class Recorder:
    def bind(self, *args, **kwargs):
        pass

    def connect(self, *args, **kwargs):
        pass

    def request(self, request, *args, **kwargs):
        raise Recorded(request)

    def get_rpc_transport(self):
        return self

    def getRemoteHost(self):
        return "ca.example.test"


def write(name, request, what):
    data = request.getData()
    with open(f"dcom-impacket-{name}.hex", "w", encoding="ascii") as f:
        f.write(f"# {what}, by impacket's dcomrt, gen-dcom-impacket.py\n")
        for i in range(0, len(data), 16):
            f.write(data[i:i + 16].hex(" ") + "\n")


def recorded(call, *args):
    try:
        call(*args)
    except Recorded as r:
        return r.args[0]
    raise SystemExit("nothing was recorded")


scm = dcomrt.IRemoteSCMActivator(Recorder())
write("create-instance", recorded(scm.RemoteCreateInstance, CLSID, IID[:-4]), "RemoteCreateInstance")
write("get-class-object", recorded(scm.RemoteGetClassObject, CLSID, IID[:-4]), "RemoteGetClassObject")
act = dcomrt.IActivation(Recorder())
write("remote-activation", recorded(act.RemoteActivation, CLSID, IID[:-4]), "RemoteActivation")
exp = dcomrt.IObjectExporter(Recorder())
write("resolve-oxid2", recorded(exp.ResolveOxid2, 0x1122334455667788, (7,)), "ResolveOxid2")
write("complex-ping", recorded(exp.ComplexPing, 0, 1, [0x0102030405060708], []), "ComplexPing")
write("simple-ping", recorded(exp.SimplePing, 0x0807060504030201), "SimplePing")


def orpc(request):
    this = dcomrt.ORPCTHIS()
    this["version"]["MajorVersion"], this["version"]["MinorVersion"] = 5, 7
    this["cid"] = CID
    this["extensions"] = NULL
    this["flags"] = 0
    request["ORPCthis"] = this
    return request


q = orpc(dcomrt.RemQueryInterface())
q["ripid"] = IPID
q["cRefs"] = 5
q["cIids"] = 1
i = dcomrt.IID()
i["Data"] = IID2[:-4]
q["iids"].append(i)
write("rem-query-interface", q, "RemQueryInterface")
r = orpc(dcomrt.RemRelease())
r["cInterfaceRefs"] = 1
e = dcomrt.REMINTERFACEREF()
e["ipid"], e["cPublicRefs"], e["cPrivateRefs"] = IPID, 5, 0
r["InterfaceRefs"].append(e)
write("rem-release", r, "RemRelease")
