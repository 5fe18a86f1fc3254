#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""impacket against tests/tools/rpc_server: endpoint mapper, and calls that are sealed
and cut into fragments.  Tickets come from the credential cache.

    impacket_echo.py SERVER USER REALM KDC
"""
import sys

from impacket import uuid
from impacket.dcerpc.v5 import epm, rpcrt, transport

ECHO = uuid.uuidtup_to_bin(("ae0ec400-0001-0002-0102-030405060708", "1.0"))
NOBODY = uuid.uuidtup_to_bin(("ae0ec400-0001-0002-0102-030405060709", "1.0"))


def connect(server, user=None, realm=None, kdc=None):
    wire = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{server}[135]")
    if user:
        wire.set_credentials(user, "", realm)
        wire.set_kerberos(True, kdc)
    rpc = wire.get_dce_rpc()
    if user:
        # In this order: setting credentials lowers the level.
        rpc.set_credentials(*wire.get_credentials())
        rpc.set_auth_type(rpcrt.RPC_C_AUTHN_GSS_NEGOTIATE)
        rpc.set_auth_level(rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
    rpc.connect()
    return rpc


def main(server, user, realm, kdc):
    print("lookup", len(epm.hept_lookup(None, dce=connect(server))))
    print("map", epm.hept_map(server, ECHO, protocol="ncacn_ip_tcp"))
    try:
        epm.hept_map(server, NOBODY, protocol="ncacn_ip_tcp")
    except rpcrt.DCERPCException as refusal:
        print("map unknown", str(refusal).split()[-1])
    rpc = connect(server, user, realm, kdc)
    rpc.bind(ECHO)
    for n in (0, 1, 17, 5000, 20000, 300000):
        data = bytes(i * 7 & 255 for i in range(n))
        rpc.call(0, data)
        print("echo", n, rpc.recv() == data)


main(*sys.argv[1:])
