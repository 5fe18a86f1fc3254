#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""impacket's DCOM client against our exporter, without a network: its
transport is a pipe to the helper named on the command line.  What impacket
reads in our replies must be what we meant.  Exits with 77, a skip for meson,
when impacket is not installed."""
import subprocess
import sys

try:
    from impacket.dcerpc.v5 import dcomrt
    from impacket.uuid import bin_to_string, string_to_bin, uuidtup_to_bin
except ImportError:
    sys.exit(77)

HOST = "ca.example.test"
CLSID = string_to_bin("d99e6e74-fc88-11d0-b498-00a0c90312f3")
IID = uuidtup_to_bin(("d99e6e70-fc88-11d0-b498-00a0c90312f3", "0.0"))
IID2 = uuidtup_to_bin(("5422fd3a-d4b8-4cef-a12e-e87d4ca22e90", "0.0"))


class Exporter:
    def __init__(self, helper):
        self.p = subprocess.Popen([helper], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.oxid = int(self.p.stdout.readline())

    def call(self, iface, opnum, uuid, stub):
        self.p.stdin.write(f"{iface} {opnum} {uuid} {stub.hex()}\n")
        self.p.stdin.flush()
        line = self.p.stdout.readline().strip()
        assert line and not line.startswith("fault"), line
        return bytes.fromhex(line)


class Wire:
    """What impacket believes is a DCE/RPC connection."""
    ports = []

    def __init__(self, exporter, binding=None):
        self.exporter, self.iface = exporter, None
        Wire.ports.append(binding)

    def bind(self, iid, *args, **kwargs):
        self.iface = bin_to_string(iid[:16])
        return self

    alter_ctx = bind

    def request(self, request, uuid=None, checkError=True):
        stub = self.exporter.call(self.iface, request.opnum, bin_to_string(uuid) if uuid else "-", request.getData())
        if checkError:
            assert stub[-4:] == b"\0\0\0\0", stub[-4:].hex()
        return getattr(dcomrt, type(request).__name__ + "Response")(stub)

    def get_dce_rpc(self):
        return self

    def get_rpc_transport(self):
        return self

    def getRemoteHost(self):
        return HOST

    def get_credentials(self):
        return ("", "", "", "", "")

    def __getattr__(self, name):  # set_auth_level, connect and so on
        return lambda *args, **kwargs: 16


exporter = Exporter(sys.argv[1])
dcomrt.transport.DCERPCTransportFactory = lambda binding: Wire(exporter, binding)
portmap = Wire(exporter)
dcomrt.DCOMConnection.PORTMAPS[HOST] = portmap

# Resolver: alive, its bindings, an OXID.
ox = dcomrt.IObjectExporter(portmap)
bindings = [b["aNetworkAddr"] for b in ox.ServerAlive2()]
assert bindings == [HOST + "\0", "192.0.2.7\0"], bindings
bindings = [b["aNetworkAddr"] for b in ox.ResolveOxid2(exporter.oxid, (7,))]
assert bindings == [HOST + "[49500]\0", "192.0.2.7[49500]\0"], bindings
assert len(ox.ResolveOxid(exporter.oxid, (7,))) == 2

# Activation both ways, then IRemUnknown on what came back.
for activate in (dcomrt.IRemoteSCMActivator(portmap).RemoteCreateInstance, dcomrt.IActivation(portmap).RemoteActivation):
    obj = activate(CLSID, IID[:-4])
    assert obj.get_oxid() == exporter.oxid, obj.get_oxid()
    assert obj.get_oid() not in (0, exporter.oxid)
    first = obj.get_iPid()
    second = obj.RemQueryInterface(5, (IID2[:-4],))
    assert second.get_oxid() == exporter.oxid
    assert second.get_iPid() != first
    obj.RemAddRef()
    second.RemRelease()
assert any(p and p.endswith(f"{HOST}[49500]") for p in Wire.ports), Wire.ports

# A class factory, and pings.
factory = dcomrt.IRemoteSCMActivator(portmap).RemoteGetClassObject(CLSID, dcomrt.IID_IClassFactory[:-4]) \
    if hasattr(dcomrt, "IID_IClassFactory") else None
assert factory is None or factory.get_oxid() == exporter.oxid
oid = obj.get_oid()
setid = ox.ComplexPing(0, 1, [oid], [])["pSetId"]
assert setid != 0
ox.ComplexPing(setid, 2, [], [oid])
ox.SimplePing(setid)
exporter.p.stdin.close()
sys.exit(exporter.p.wait())
