#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Writes the ndr-samba-*.hex vectors: what Samba's NDR library makes of the
calls and structures that tests/unit/ndr describes in tables.  Run it in
tests/vectors with python3-samba installed; its output is checked in."""
import samba
from samba.dcerpc import epmapper, krb5pac, lsa, misc, netlogon, samr, security
from samba.ndr import ndr_pack


def write(name, data, what):
    with open(f"ndr-samba-{name}.hex", "w", encoding="ascii") as f:
        f.write(f"# {what}, by samba.dcerpc {samba.version}, gen-ndr-samba.py\n")
        for i in range(0, len(data), 16):
            f.write(data[i:i + 16].hex(" ") + "\n")


def tower(port):
    def floor(proto, lhs, rhs):
        f = epmapper.epm_floor()
        f.lhs.protocol = proto
        f.lhs.lhs_data = lhs
        f.rhs = rhs
        return f

    uuid = misc.GUID("d99e6e70-fc88-11d0-b498-00a0c90312f3")
    ndr = misc.GUID("8a885d04-1ceb-11c9-9fe8-08002b104860")

    def syntax(u, major):
        r = epmapper.epm_rhs_uuid()
        return floor(epmapper.EPM_PROTOCOL_UUID, ndr_pack(u) + bytes([major, 0]), r)

    ncacn, tcp, ip = epmapper.epm_rhs_ncacn(), epmapper.epm_rhs_tcp(), epmapper.epm_rhs_ip()
    tcp.port = port
    ip.ipaddr = "192.0.2.7"
    t = epmapper.epm_tower()
    t.floors = [syntax(uuid, 0), syntax(ndr, 2),
                floor(epmapper.EPM_PROTOCOL_NCACN, b"", ncacn),
                floor(epmapper.EPM_PROTOCOL_TCP, b"", tcp),
                floor(epmapper.EPM_PROTOCOL_IP, b"", ip)]
    t.num_floors = 5
    w = epmapper.epm_twr_t()
    w.tower = t
    return w


def epm():
    m = epmapper.epm_Map()
    m.in_object = misc.GUID("01020304-0506-0708-090a-0b0c0d0e0f10")
    m.in_map_tower = tower(0)
    m.in_entry_handle = misc.policy_handle()
    m.in_max_towers = 4
    write("epm-map-in", m.__ndr_pack_in__(), "epm_Map, request")
    m.out_entry_handle = misc.policy_handle()
    m.out_num_towers = 2
    a, b = epmapper.epm_twr_p_t(), epmapper.epm_twr_p_t()
    a.twr, b.twr = tower(49500), tower(49501)
    m.out_towers = [a, b]
    m.result = 0
    write("epm-map-out", m.__ndr_pack_out__(), "epm_Map, reply with two towers, room for four")


def pac():
    sid = "S-1-5-21-1004336348-1177238915-682003330"
    info = krb5pac.PAC_LOGON_INFO()
    b = info.info3.base
    for n, t in (("logon_time", 133500000000000000), ("logoff_time", 0x7fffffffffffffff),
                 ("kickoff_time", 0x7fffffffffffffff), ("last_password_change", 133400000000000000),
                 ("allow_password_change", 133400864000000000), ("force_password_change", 0x7fffffffffffffff)):
        setattr(b, n, t)
    for n, s in (("account_name", "WS01$"), ("full_name", ""), ("logon_script", ""), ("profile_path", ""),
                 ("home_directory", ""), ("home_drive", "")):
        getattr(b, n).string = s
    b.logon_count, b.bad_password_count, b.rid, b.primary_gid = 12, 0, 1104, 515
    groups = []
    for rid in (515, 1120, 2201):
        g = samr.RidWithAttribute()
        g.rid, g.attributes = rid, 7
        groups.append(g)
    b.groups.count, b.groups.rids = 3, groups
    b.user_flags = 0x220
    b.logon_server.string, b.logon_domain.string = "DC1", "EX"
    b.domain_sid = security.dom_sid(sid)
    b.acct_flags = 0x80
    sids = []
    for s in ("S-1-18-1", sid + "-5555"):
        a = netlogon.netr_SidAttr()
        a.sid, a.attributes = security.dom_sid(s), 7
        sids.append(a)
    info.info3.sidcount, info.info3.sids = 2, sids
    info.resource_groups.domain_sid = security.dom_sid(sid)
    g = samr.RidWithAttribute()
    g.rid, g.attributes = 1139, 0x20000007
    info.resource_groups.groups.count, info.resource_groups.groups.rids = 1, [g]
    c = krb5pac.PAC_LOGON_INFO_CTR()
    c.info = info
    write("logon-info", ndr_pack(c), "PAC_LOGON_INFO_CTR: a pointer to KERB_VALIDATION_INFO")


def policy():
    q = lsa.QueryInfoPolicy()
    d = lsa.DomainInfo()
    d.name.string = "EXAMPLE"
    d.sid = security.dom_sid("S-1-5-21-1-2-3")
    q.in_level = lsa.LSA_POLICY_INFO_ACCOUNT_DOMAIN
    q.out_info = d
    q.result = 0
    for big, name in ((False, "lsa-policy-out"), (True, "lsa-policy-out-be")):
        write(name, q.__ndr_pack_out__(bigendian=big), "lsa_QueryInfoPolicy, reply with a union arm")
    o = lsa.OpenPolicy2()
    o.in_system_name = "\\\\dc1.ex\u00e4mple.test"
    o.in_attr = lsa.ObjectAttribute()
    o.in_attr.len = 24
    qos = lsa.QosInfo()
    qos.len, qos.impersonation_level, qos.context_mode, qos.effective_only = 12, 2, 1, 0
    o.in_attr.sec_qos = qos
    o.in_access_mask = 0x02000000
    for big, name in ((False, "lsa-open-in"), (True, "lsa-open-in-be")):
        write(name, o.__ndr_pack_in__(bigendian=big), "lsa_OpenPolicy2, request")


epm()
pac()
policy()
