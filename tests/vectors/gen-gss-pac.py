#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Writes gss-pac-*.hex: the buffers of a PAC as Samba packs them (python3-samba)."""
import struct

import samba
from samba.dcerpc import krb5pac, netlogon, samr, security
from samba.ndr import ndr_pack

DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"


def write(name, data, what):
    with open(f"gss-pac-{name}.hex", "w", encoding="ascii") as f:
        f.write(f"# {what}, by samba.dcerpc {samba.version}, gen-gss-pac.py\n")
        for i in range(0, len(data), 16):
            f.write(data[i:i + 16].hex(" ") + "\n")


def rid(number, attributes=7):
    g = samr.RidWithAttribute()
    g.rid, g.attributes = number, attributes
    return g


def sid(text, attributes=7):
    s = netlogon.netr_SidAttr()
    s.sid, s.attributes = security.dom_sid(text), attributes
    return s


def logon_info():
    info = krb5pac.PAC_LOGON_INFO()
    b = info.info3.base
    b.logon_time = 133500000000000000
    b.logoff_time = b.kickoff_time = b.force_password_change = 0x7fffffffffffffff
    for n, s in (("account_name", "PC1$"), ("full_name", "Caf\u00e9 PC"), ("logon_script", ""),
                 ("profile_path", ""), ("home_directory", ""), ("home_drive", "")):
        getattr(b, n).string = s
    b.logon_count, b.rid, b.primary_gid = 12, 1104, 515
    # 1121 is not enabled, 515 is the primary group once more
    groups = [rid(515), rid(1120), rid(1121, 3)]
    b.groups.count, b.groups.rids = len(groups), groups
    b.user_flags = 0x220
    b.logon_server.string, b.logon_domain.string = "DC1", "EXAMPLE"
    b.domain_sid = security.dom_sid(DOMAIN)
    b.acct_flags = 0x80
    sids = [sid("S-1-18-1"), sid(DOMAIN + "-5555"), sid(DOMAIN + "-5556", 3), sid(DOMAIN + "-1120")]
    info.info3.sidcount, info.info3.sids = len(sids), sids
    info.resource_groups.domain_sid = security.dom_sid(DOMAIN)
    groups = [rid(1139, 0x20000007), rid(1140, 0x20000003)]
    info.resource_groups.groups.count, info.resource_groups.groups.rids = len(groups), groups
    c = krb5pac.PAC_LOGON_INFO_CTR()
    c.info = info
    return c


def upn_dns(flags):
    u = krb5pac.PAC_UPN_DNS_INFO()
    u.upn_name, u.dns_domain_name, u.flags = "pc1$@example.com", "EXAMPLE.COM", flags
    if flags & 2:
        ex = krb5pac.PAC_UPN_DNS_INFO_SAM_NAME_AND_SID()
        ex.samaccountname, ex.objectsid = "PC1$", security.dom_sid(DOMAIN + "-1104")
        u.ex = ex
    return u


def client():
    c = krb5pac.PAC_LOGON_NAME()
    c.logon_time, c.account_name = 133500000010000000, "PC1$"
    return c


def requester():
    r = krb5pac.PAC_REQUESTER_SID()
    r.sid = security.dom_sid(DOMAIN + "-1104")
    return r


def pack(*pairs):
    """A PAC, cut into its buffers along the table in front of it."""
    pac, buffers = krb5pac.PAC_DATA(), []
    for kind, info in pairs:
        b = krb5pac.PAC_BUFFER()
        b.type, b.info = kind, info
        buffers.append(b)
    pac.num_buffers, pac.version, pac.buffers = len(buffers), 0, buffers
    blob = ndr_pack(pac)
    for i, _ in enumerate(pairs):
        _, size, offset = struct.unpack_from("<IIQ", blob, 8 + 16 * i)
        yield blob[offset:offset + size]


logon, name, plain, extended, who = pack((1, logon_info()), (10, client()), (12, upn_dns(0)),
                                         (12, upn_dns(3)), (18, requester()))
write("logon", logon, "KERB_VALIDATION_INFO")
write("client", name, "PAC_CLIENT_INFO")
write("upn", plain, "UPN_DNS_INFO")
write("upn-ex", extended, "UPN_DNS_INFO with SAM name and SID, no UPN of its own")
write("requester", who, "PAC_REQUESTOR_SID")
