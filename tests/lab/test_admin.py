# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Administration over the network: ICertAdminD and ICertAdminD2 as impacket speaks them from the IDL
(admin_client.py).  Who may what, what comes back, and what changes nothing."""
import hashlib
import json

import pytest
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack

import wcce
from test_tshark import tshark
from wcce import ISSUED, PENDING

E_ACCESSDENIED, E_INVALIDARG, INVALID_DATA = 0x80070005, 0x80070057, 0x8007000D
BAD_STATUS, EMPTY, ROLECONFLICT, RESTRICTED = 0x80094003, 0x80094004, 0x80094008, 0x80094009
ADMIN, OFFICER, AUDITOR, READ, ENROLL = 1, 2, 4, 0x100, 0x200

# who: rights in the CA's descriptor.  The computer is an officer, so that it can want what is its own.
PEOPLE = {"alice": OFFICER | ENROLL, "bob": ENROLL, "Administrator": ADMIN, "audrey": AUDITOR, "rita": READ,
          "rory": ADMIN | OFFICER, "PC1$": OFFICER}
NEW = ["audrey", "rita", "rory"]


class AdminWitness(wcce.Witness):
    def run(self, *steps, timeout=60):
        steps = [(s, {}) if isinstance(s, str) else s for s in steps]
        return self.host.impacket("admin_client", {**self.session, "steps": steps}, self.cache, timeout)


def descriptor(ca, rights):
    sddl = "".join(f"(A;;{mask:#x};;;{ca.sid(who)})" for who, mask in rights.items() if mask)
    return ndr_pack(security.descriptor.from_sddl(f"O:BAG:BAD:(A;;0x103;;;BA)(A;;0x200;;;DC){sddl}",
                                                  security.dom_sid(ca.sid("Administrator").rsplit("-", 1)[0])))


@pytest.fixture(scope="module")
def roles(ca):
    """The CA with these people in its descriptor; their passwords are alice's."""
    for name in NEW:
        ca.lab.samba_tool("user", "create", name, ca.lab.user_password)
    path = ca.host.path("/etc/certsrv/ca.sd")
    kept = path.read_bytes()
    path.write_bytes(descriptor(ca, PEOPLE))
    ca.configure("admin", network="yes")
    ca.restart()
    ca.wait_log("base CRL number")

    def as_before():
        path.write_bytes(kept)
        ca.host.path("/etc/certsrv/officers.sd").unlink(missing_ok=True)
        ca.configure("admin", network="no", role_separation="no")
        ca.restart()
        ca.as_before = None

    ca.as_before = as_before
    yield ca
    if ca.as_before:
        ca.as_before()


@pytest.fixture
def somebody(roles):
    def find(name, **session):
        if name == "Administrator":
            roles.lab.kinit_admin(roles.lab.pc1)
        elif name.endswith("$"):
            roles.lab.pc1.kinit_machine()
        else:
            roles.lab.pc1.kinit(name, roles.lab.user_password)
        return AdminWitness(roles.lab.pc1, roles, **session)
    return find


# MS-CSRA 3.1.1.7: who may call what; an auditor reads what a reader does, the others of the four roles, too.
MAY = {
    OFFICER: ["SetAttributes", "ResubmitRequest", "DenyRequest", "RevokeCertificate", "GetArchivedKey"],
    ADMIN: ["PublishCRL", "PublishCRLs", "Ping", "Ping2"],
    READ: ["IsValidCertificate", "GetCRL", "EnumViewColumn", "GetViewDefaultColumnSet", "EnumAttributesOrExtensions",
           "OpenView", "EnumView", "CloseView", "GetServerState", "GetCAProperty", "GetCAPropertyInfo",
           "EnumViewColumnTable", "GetCASecurity", "GetAuditFilter", "GetOfficerRights", "GetConfigEntry",
           "GetMyRoles"],
}
STATE = "id, disp, hresult, message, attrs, resolved, revoked_at"
NOBODY = ["SetExtension", "ServerControl", "SetCAProperty", "SetCASecurity", "SetAuditFilter", "SetOfficerRights",
          "ImportKey", "DeleteRow"]
ARGUMENTS = {"OpenView": {"acolOut": [0x1000]}, "PublishCRLs": {"Flags": 0x8000}, "PublishCRL": {"FileTime": 1}}


@pytest.mark.parametrize("who", ["alice", "bob", "Administrator", "audrey", "rita"])
def test_who_may_what(somebody, roles, who):
    mine = PEOPLE[who] & ~ENROLL
    allowed = set().union(*[MAY[r] for r in MAY if mine & r or (r == READ and mine)])
    every = sorted(set().union(*MAY.values())) + NOBODY
    before, crls = roles.rows(STATE), crl_files(roles)
    answers = somebody(who).run(*[(name, ARGUMENTS.get(name, {})) for name in every])
    assert not [a for a in zip(every, answers) if "error" in a[1]], answers
    got = {name for name, answer in zip(every, answers) if answer["hresult"] != E_ACCESSDENIED}
    assert got == allowed, answers
    if "GetMyRoles" in allowed:
        assert answers[every.index("GetMyRoles")]["Roles"] & ~ENROLL == mine | READ
    assert roles.rows(STATE) == before and crl_files(roles) == crls


def crl_files(ca):
    top = ca.host.path("/var/lib/certsrv/crl")
    return {p.name: p.read_bytes() for p in top.iterdir()}


def test_arguments_are_not_looked_at_for_nobody(somebody, roles):
    """A role is asked for before the arguments are decoded: rubbish is denied like the rest."""
    mark = roles.mark()
    answers = somebody("bob").run(("raw", {"opnum": 14, "stub": "ff" * 200}), ("raw", {"opnum": 5, "stub": ""}))
    assert [a["reply"][-8:] for a in answers] == ["05000780", "05000780"], answers
    assert "ICertAdminD2:" not in roles.log_since(mark)
    answers = somebody("alice").run(("raw", {"opnum": 14, "stub": "ff" * 200}), ("raw", {"opnum": 5, "stub": ""}),
                                    ("raw", {"opnum": 20, "stub": ""}), ("raw", {"opnum": 49, "stub": ""}))
    assert all("error" in a for a in answers), answers
    assert "ICertAdminD2:" in roles.log_since(mark)


@pytest.mark.parametrize("level", [None, 5])
def test_cve_2022_37976_calls_that_are_not_sealed(somebody, level, roles):
    number = pending(roles)
    before, crls = roles.rows(STATE), crl_files(roles)
    answers = somebody("rory").run(("activate", {"call_level": level}), "Ping", "PublishCRL",
                                   ("ResubmitRequest", {"RequestId": number}), ("DenyRequest", {"RequestId": number}))
    assert "oxid" in answers[0]
    assert all("error" in a for a in answers[1:]), answers
    assert roles.rows(STATE) == before and crl_files(roles) == crls


def pending(ca, host=None):
    answer = ca.machine(host).one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()),
                                            "attributes": "CertificateTemplate:Pending"}))
    assert answer["disposition"] == PENDING, answer
    return answer["id"]


def issued(ca):
    answer = ca.machine().one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()),
                                        "attributes": "CertificateTemplate:Machine\nmore:of this"}))
    assert answer["disposition"] == ISSUED, answer
    return answer["id"], f"{wcce.certificate(answer['cert']).serial_number:x}"


def even(serial):
    return serial.zfill(len(serial) + len(serial) % 2)


def test_the_queue(somebody, roles):
    """ResubmitRequest and DenyRequest; who did it is in row, event and audit chain."""
    yes, no = pending(roles), pending(roles)
    officer = somebody("alice")
    answers = officer.run(("ResubmitRequest", {"RequestId": yes}), ("ResubmitRequest", {"RequestId": yes}),
                          ("DenyRequest", {"RequestId": no}), ("DenyRequest", {"RequestId": no}),
                          ("ResubmitRequest", {"RequestId": no}), ("ResubmitRequest", {"RequestId": 99999}),
                          ("ResubmitRequest", {"RequestId": yes, "authority": "Another CA"}))
    assert [(a["hresult"], a.get("Disposition")) for a in answers] == [
        (0, ISSUED), (0, BAD_STATUS), (0, None), (BAD_STATUS, None), (0, BAD_STATUS), (EMPTY, 0), (E_INVALIDARG, 0)]
    assert (roles.row(yes)["disp"], roles.row(no)["disp"]) == (20, 31)
    assert roles.row(no)["message"] == "Denied by LAB\\alice"
    # 3.1.4.1.3: a denied one is for who administers the CA as well
    assert somebody("rory").one(("ResubmitRequest", {"RequestId": no}))["Disposition"] == ISSUED
    assert roles.row(no)["message"].endswith("Resubmitted by LAB\\rory") and roles.row(no)["disp"] == 20
    assert roles.events(56)[-1]["officer"] == "LAB\\alice"


def test_esc7_nobody_approves_an_own_request(somebody, roles):
    """An officer resubmits what he himself asked for (ESC7's last step): no.  Another one may."""
    number = pending(roles)
    step = ("ResubmitRequest", {"RequestId": number})
    got = somebody("PC1$").one(step)
    assert (got["hresult"], got["Disposition"]) == (E_ACCESSDENIED, 0)
    assert roles.row(number)["disp"] == 9
    assert somebody("alice").one(step)["Disposition"] == ISSUED


def test_attributes_are_for_people(somebody, roles):
    """SetAttributes: beside what came, while it waits, and nothing that would decide anything."""
    number = pending(roles)
    text = "Ticket: 4711\nsan:upn=administrator@lab.example\nno attribute"
    a = somebody("alice").run(("SetAttributes", {"RequestId": number, "Attributes": text}),
                              ("SetAttributes", {"RequestId": number, "Attributes": "ticket:4712"}),
                              ("SetAttributes", {"RequestId": number, "Attributes": "CertificateTemplate:WebClient"}),
                              ("SetAttributes", {"RequestId": number, "Attributes": "a:" + "b" * 1500}),
                              ("EnumAttributes", {"RowId": number, "celt": 10}),
                              ("ResubmitRequest", {"RequestId": number}),
                              ("SetAttributes", {"RequestId": number, "Attributes": "ticket:4713"}),
                              ("SetAttributes", {"RequestId": 99999, "Attributes": "ticket:4713"}))
    assert [x["hresult"] for x in a] == [0, 0, E_INVALIDARG, 0, 0, 0, BAD_STATUS, 0x80094002]
    assert a[4]["attributes"][:3] == [["CertificateTemplate", "Pending"], ["san", "upn=administrator@lab.example"],
                                      ["ticket", "4712"]]
    assert a[5]["Disposition"] == ISSUED
    der = roles.machine().one(("icpr", {"id": number, "blob": ""}))["cert"]
    assert wcce.upns_in(der) == []
    assert roles.row(number)["attrs"] == "CertificateTemplate:Pending"


def serial_of(ca, number):
    return [r for r in ca.rows("id, lower(hex(serial)) as s") if r["id"] == number][0]["s"]


def test_revoke_hold_and_release(somebody, roles):
    number, serial = issued(roles)
    serial = even(serial)
    call = lambda reason, s=serial, t=0: ("RevokeCertificate", {"SerialNumber": s, "Reason": reason, "FileTime": t})  # noqa: E731
    valid = ("IsValidCertificate", {"SerialNumber": serial})
    answers = somebody("alice").run(valid, call(6), valid, call(0xffffffff), valid, call(0xffffffff), call(7),
                                    call(0xfffffffe), call(1, t=0x7fffffffffffffff), call(1, s=serial.upper() + "FF"),
                                    call(1, s="00" * 8), call(1), valid,
                                    ("IsValidCertificate", {"SerialNumber": "0102030405060708"}))
    assert [a["hresult"] for a in answers] == [0, 0, 0, 0, 0, INVALID_DATA, E_INVALIDARG, E_INVALIDARG, E_INVALIDARG,
                                               E_INVALIDARG, E_INVALIDARG, 0, 0, 0]
    assert [(answers[i]["RevocationReason"], answers[i]["Disposition"]) for i in (0, 2, 4, 12, 13)] == [
        (0, 3), (6, 2), (0, 3), (1, 2), (0, 4)]
    assert roles.row(number)["disp"] == 21


def test_cve_2023_35350_publish_crl_writes_nowhere_else(somebody, roles):
    """There is no place in the call; a name with a path in it is another CA's."""
    outside = {p for top in ("/etc", "/run", "/var") for p in roles.host.path(top).rglob("*")
               if p.suffix == ".crl" and p.parent.name != "crl"}
    admin = somebody("Administrator")
    before = crl_files(roles)
    names = ["../../../../etc/evil", "Lab CA\\..\\..\\evil", "Lab CA/../evil"]
    answers = admin.run(*[("PublishCRL", {"authority": n}) for n in names],
                        ("PublishCRLs", {"Flags": 0}), ("PublishCRLs", {"Flags": 0x20}),
                        ("PublishCRL", {"FileTime": 130000000000000000}))
    assert [a["hresult"] for a in answers] == [E_INVALIDARG] * 6
    assert crl_files(roles) == before
    answers = admin.run("PublishCRL", "GetCRL", ("PublishCRLs", {"Flags": 1}))
    assert [a["hresult"] for a in answers] == [0, 0, 0]
    after = crl_files(roles)
    assert set(after) == set(before) and after != before
    assert {p for top in ("/etc", "/run", "/var") for p in roles.host.path(top).rglob("*")
            if p.suffix == ".crl" and p.parent.name != "crl"} == outside


def test_what_a_reader_reads(somebody, roles):
    number, serial = issued(roles)
    cert = [r for r in roles.rows("id, lower(hex(cert)) as cert") if r["id"] == number][0]["cert"]
    crl, prop, info, sd, state, audit, attributes, extensions, rest, none = somebody("rita").run(
        "GetCRL", ("GetCAProperty", {"PropId": 6, "PropType": 4}), "GetCAPropertyInfo", "GetCASecurity",
        "GetServerState", "GetAuditFilter", ("EnumAttributes", {"RowId": number, "celt": 10}),
        ("EnumExtensions", {"RowId": number, "celt": 100}),
        ("EnumAttributes", {"RowId": number, "celt": 10, "Last": "CERTIFICATEtemplate"}),
        ("EnumAttributesOrExtensions", {"RowId": 99999, "celt": 10}))
    assert bytes.fromhex(crl["CRL"]) == crl_files(roles)[f"{roles.name}.crl"]
    assert bytes.fromhex(prop["value"]).decode("utf-16le") == roles.name + "\0" and info["count"] > 20
    assert ndr_unpack(security.descriptor, bytes.fromhex(sd["SD"])).as_sddl() == ndr_unpack(
        security.descriptor, roles.host.path("/etc/certsrv/ca.sd").read_bytes()).as_sddl()
    assert (state["State"], audit["Filter"]) == (1, 0x7f)
    assert attributes["attributes"] == [["CertificateTemplate", "Machine"], ["more", "of this"]]
    assert rest["attributes"] == [["more", "of this"]]
    assert {e["oid"]: (e["flags"] & 1 == 1, e["value"]) for e in extensions["extensions"]} == {
        oid: (critical, value.hex()) for oid, (critical, value) in wcce.extensions(bytes.fromhex(cert)).items()}
    assert none["hresult"] == EMPTY


def test_configuration_reads(somebody, roles):
    """GetConfigEntry: numbers and text of what is configured; impacket knows VARIANT."""
    def entry(name, node="", authority="own"):
        return "GetConfigEntry", {"NodePath": node, "Entry": name, "authority": authority}

    answers = somebody("rita").run(
        entry("CommonName"), entry("CAType"), entry("InterfaceFlags"), entry("CRLPeriod"), entry("CRLPeriodUnits"),
        entry("Active", "PolicyModules"), entry("Version", authority=None), entry("Security"), entry("", "CSP"),
        entry("Active", "PolicyModules", authority=None), entry("CommonName", authority="Another CA"))
    assert [a.get("Variant") for a in answers[:7]] == [roles.name, 0, 0x600, "Days", 7, "autoenroll Enterprise policy",
                                                      0x70001], answers
    assert [a["hresult"] for a in answers[7:]] == [0x80070002, 0x80070002, E_INVALIDARG, E_INVALIDARG]


def test_columns(somebody):
    table, page, past, wrong, none, issued_set, crl_set = somebody("rita").run(
        ("EnumViewColumn", {"iColumn": 0, "cColumn": 1000}), ("EnumViewColumn", {"iColumn": 44, "cColumn": 2}),
        ("EnumViewColumn", {"iColumn": 1000, "cColumn": 2}), ("EnumViewColumnTable", {"iTable": 0x1000, "cColumn": 2}),
        ("EnumViewColumn", {"iColumn": 0, "cColumn": 0}), ("GetViewDefaultColumnSet", {"ColumnSetDefault": 0xfffffffe}),
        ("GetViewDefaultColumnSet", {"ColumnSetDefault": 0xfffffffa}))
    names = {c["name"]: c for c in table["columns"]}
    assert table["count"] == 81 and names["Request.RequestID"]["indexed"] and names["NotAfter"]["type"] == 2
    assert [c["name"] for c in page["columns"]] == ["Request.LinterCertificate", "RequestID"]
    assert [past["hresult"], wrong["hresult"], none["hresult"]] == [1, E_INVALIDARG, E_INVALIDARG]
    assert set(issued_set["columns"]) <= {c["id"] for c in table["columns"]}
    assert crl_set["columns"][0] == 0x5000


EQ, LT, LE, GE, GT = 1, 2, 4, 8, 16


def test_views(somebody, roles):
    """Restrictions, orders, pages; every cell against the database itself."""
    issued(roles)
    wait = pending(roles)
    rows = {r["id"]: r for r in roles.rows("id, disp, submitted, account, template, not_after, "
                                               "lower(hex(serial)) as hexserial, lower(hex(cert)) as hexcert")}
    done = [n for n, r in rows.items() if r["disp"] == 20]
    some = done[-1]
    cells = [0x1000, 0x1009, 0x100b, 0x1010, 0x2001, 0x2003, 0x2007, 0x200a, 0x2017, 0x1002, 0x2002]
    reader = somebody("rita")
    everything, by_state, by_serial, between, down, by_name, ordered, two, by_oid, bad, tables, archived = reader.run(
        ("view", {"acolOut": cells, "page": 4}),
        ("view", {"acvr": [[0x1009, EQ, 0, 9]]}),
        ("view", {"acvr": [[0x2007, EQ, 0, rows[some]["hexserial"]]]}),
        ("view", {"acvr": [[0x1000, GE, 0, 2], [0x1000, LT, 0, 5]]}),
        ("view", {"acvr": [[0x1000, LE, 2, some]]}),
        ("view", {"acvr": [[0x1010, EQ, 0, "lab\\pc1$"], [0x2003, EQ, 0, "MACHINE"]]}),
        ("view", {"acvr": [[0x2003, GE, 2, ""]], "acolOut": [0x2003]}),
        ("view", {"acvr": [[0x1000, GE, 1, 1], [0x1009, GE, 1, 1]]}),
        ("view", {"acvr": [[0x2003, EQ, 0, roles.oid["Machine"]]]}),
        ("view", {"acvr": [[0x2001, GT, 0, {"hex": "30"}]]}),
        ("view", {"acolOut": [0x1000, 0x5000]}), ("view", {"acolOut": [0x4000]}))
    assert [r["row"] for r in everything["rows"]] == sorted(rows) and everything["total"] == len(rows)
    for r in everything["rows"]:
        want, have = rows[r["row"]], {int(k): v for k, v in r["columns"].items()}
        assert have[0x1000] == want["id"] and have[0x1009] == want["disp"] and have[0x100b] == want["submitted"]
        assert have[0x1010] == want["account"] and (have[0x2001] or "") == want["hexcert"]
        assert have[0x2003] == want["template"] and (have[0x2007] or "") == want["hexserial"]
        assert (have[0x200a] or 0) == (want["not_after"] if want["hexserial"] else 0) and have[0x1002] is None
    sha1 = hashlib.sha1(bytes.fromhex(rows[some]["hexcert"])).hexdigest()
    got = [r for r in everything["rows"] if r["row"] == some][0]["columns"]
    assert got[str(0x2002)] == " ".join(sha1[i:i + 2] for i in range(0, 40, 2))

    def ids(view):
        assert view["hresult"] == 0 and view["total"] == len(view["rows"]), view
        return [r["row"] for r in view["rows"]]

    assert ids(by_state) == [n for n, r in rows.items() if r["disp"] == 9] and wait in ids(by_state)
    assert ids(by_serial) == [some]
    assert ids(between) == [n for n in rows if 2 <= n < 5]
    assert ids(down) == sorted((n for n in rows if n <= some), reverse=True)
    machines = [n for n, r in rows.items() if r["template"] == "Machine"]
    assert ids(by_name) == [n for n in machines if rows[n]["account"] == "LAB\\PC1$"] and ids(by_oid) == machines
    names = [r["columns"][str(0x2003)].lower() for r in ordered["rows"]]
    assert names == sorted(names, reverse=True) and len(names) == sum(1 for r in rows.values() if r["template"])
    assert [two["hresult"], bad["hresult"], tables["hresult"], archived["hresult"]] == [E_INVALIDARG] * 4


def test_the_sequence_of_views(somebody, roles):
    """Config_Database_View_Open, MS-CSRA 3.1.4.1.12 to 14; and the table of CRLs."""
    opened = ("OpenView", {"acolOut": [0x1000], "celt": 1})
    steps = [("EnumView", {"ielt": 0, "celt": 1}), "CloseView", opened, opened, ("EnumView", {"ielt": 1, "celt": 1}),
             ("EnumView", {"ielt": 0, "celt": 1}), ("EnumView", {"ielt": 100000, "celt": 1}), "CloseView", "CloseView",
             ("OpenView", {"acolOut": [0x1000], "ielt": 1, "celt": 1}), ("EnumView", {"ielt": 2, "celt": 1}), "CloseView",
             ("OpenView", {"acolOut": [0x5001, 0x5003, 0x5010]})]
    a = somebody("rita").run(*steps)
    handle, unexpected = 0x80070006, 0x8000ffff
    assert [x["hresult"] for x in a] == [handle, handle, 0, unexpected, 0, 0, 0, 0, handle, 0, 0, 0, 0]
    ids = sorted(r["id"] for r in roles.rows("id"))
    assert [a[i]["rows"][0]["row"] for i in (2, 4, 5, 9, 10)] == [ids[0], ids[1], ids[0], ids[0], ids[1]]
    assert (a[6]["count"], a[6]["total"]) == (0, len(ids))
    assert (a[12]["count"], a[12]["total"]) == (1, 1)
    assert bytes.fromhex(a[12]["rows"][0]["columns"][str(0x5010)]) == crl_files(roles)[f"{roles.name}.crl"]


def test_wireshark_finds_nothing_malformed(somebody, roles, tmp_path_factory):
    """There is no dissector of this interface; PDUs, envelopes and activation have to be in order."""
    place = tmp_path_factory.mktemp("tshark")
    place.chmod(0o777)
    with roles.lab.pc1.capture(place / "admin.pcapng", f"tcp and host {roles.host.address}"):
        answers = somebody("rita").run("GetMyRoles", ("view", {"acolOut": [0x1000, 0x2001], "page": 20}), "GetCRL",
                                       ("EnumViewColumn", {"cColumn": 1000}), "Ping")
    assert [a["hresult"] for a in answers] == [0, 0, 0, 0, E_ACCESSDENIED]
    keytab = place / "ca1.keytab"
    keytab.write_bytes(roles.host.path("/etc/krb5.keytab").read_bytes())
    seen = place / "admin.pcapng", ["-o", "kerberos.decrypt:TRUE", "-o", f"kerberos.file:{keytab}",
                                    "-d", "tcp.port==49500,dcerpc", "-d", "tcp.port==135,dcerpc"]
    assert tshark(seen, "-Y", "_ws.malformed || _ws.short || dcerpc.fragment.error") == ""
    kinds = tshark(seen, "-Y", "dcerpc", "-T", "fields", "-e", "dcerpc.pkt_type").replace(",", "\n").split()
    assert {"0", "2", "11", "12"} <= set(kinds) and not {"3", "13"} & set(kinds)


def test_certsrv_from_another_host(roles, build, somebody):
    """certsrv --ca on a member that has no CA and no configuration, as whoever has a ticket there."""
    name = f"{roles.host.fqdn}\\{roles.name}"

    def certsrv(*words, code=0):
        out = roles.lab.pc1.run(build / "prog/certsrv/certsrv", "--ca", name, *[str(w) for w in words], check=False,
                                env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout + out.stderr

    yes, no, (number, serial) = pending(roles), pending(roles), issued(roles)
    somebody("alice")
    assert json.loads(certsrv("ping", "--json"))["roles"] == ["manage-certificates", "read", "enroll"]
    found = json.loads(certsrv("request", "list", "--state", "pending", "--limit", 2, "--json"))
    assert [r["id"] for r in found["requests"]] == [no, yes] and found["more"]
    more = json.loads(certsrv("request", "list", "--template", "Pending", "--after", no, "--limit", 1, "--json"))
    assert [r["id"] for r in more["requests"]] == [yes]
    assert certsrv("request", "approve", yes) == f"request {yes}: issued\n"
    assert certsrv("request", "deny", no) == f"request {no}: denied\n"
    certsrv("request", "approve", no, code=8)
    certsrv("request", "approve", 99999, code=3)
    shown = json.loads(certsrv("request", "show", number, "--pem", "--json"))
    want = roles.row(number, "id, lower(hex(serial)) as serial, account, template, hex(cert) as cert")
    assert {k: shown[k] for k in ("serial", "account", "template")} == {
        k: want[k] for k in ("serial", "account", "template")}
    assert shown["cert"] == wcce.pem(bytes.fromhex(want["cert"]))
    assert "hold" not in certsrv("request", "show", number)
    assert certsrv("revoke", number, "--hold") == f"request {number}: revoked\n"
    assert certsrv("revoke", even(serial), "--release") == "the certificate is released\n"
    certsrv("recover-key", number, code=3)
    certsrv("crl", "publish", code=8)
    certsrv("template", "list", code=2)
    certsrv("permission", "grant", "bob", "enroll", code=2)
    somebody("Administrator")
    before = crl_files(roles)
    assert json.loads(certsrv("crl", "publish", "--json"))["number"] > 0
    assert crl_files(roles) != before
    rights = {p["sid"]: p["rights"] for p in json.loads(certsrv("permission", "show", "--json"))["permissions"]}
    assert rights[roles.sid("rory")] == "manage-certificates, manage-ca" and rights[roles.sid("audrey")] == "audit"
    certsrv("request", "deny", no, code=8)
    somebody("bob")
    certsrv("request", "list", code=8)
    certsrv("ping", code=8)


def test_officers_are_restricted_and_roles_apart(somebody, roles, build):
    """The list of officers: alice decides for computers and one template, and for bob.  CERTSRV_E_ROLECONFLICT for
    who has two roles; enrolling is none of them."""
    def certsrv(*words):
        return roles.host.run(build / "prog/certsrv/certsrv", *words, env={"ASAN_OPTIONS": "detect_leaks=0"}).stdout

    waits, (number, serial), persons = pending(roles), issued(roles), roles.person("bob").one(
        ("icpr", {"request": wcce.pkcs10(wcce.rsa_key()), "attributes": "CertificateTemplate:Person"}))
    bobs = even(f"{wcce.certificate(persons['cert']).serial_number:x}")
    roles.host.kinit_machine()
    assert roles.stop() == 0, roles.text()
    assert "every officer may decide" in certsrv("officer", "show")
    certsrv("officer", "allow", "alice", "--for", "Domain Computers", "--template", "Pending")
    certsrv("officer", "allow", "alice", "--for", "bob", "--template", "Person")
    assert "template Person  for bob" in certsrv("officer", "show")
    roles.host.kdestroy()
    roles.configure("admin", network="yes", role_separation="yes")
    roles.start()
    assert [a["hresult"] for a in somebody("rory").run("Ping", "GetCRL", "GetMyRoles")] == [ROLECONFLICT] * 3
    assert somebody("Administrator").one("Ping")["hresult"] == 0

    def revoke(serial):
        return "RevokeCertificate", {"SerialNumber": serial, "Reason": 1}

    rights, other, bob, approved = somebody("alice").run(
        "GetOfficerRights", revoke(even(serial)), revoke(bobs), ("ResubmitRequest", {"RequestId": waits}))
    assert (other["hresult"], roles.row(number)["disp"]) == (RESTRICTED, 20)
    assert (bob["hresult"], approved["hresult"], approved["Disposition"]) == (0, 0, ISSUED)
    # once it is issued, the directory says who its requester is
    assert somebody("alice").one(revoke(even(serial_of(roles, waits))))["hresult"] == 0
    # MS-CSRA 2.2.1.11: the descriptor, and that agents are not restricted
    assert rights["Enabled"] == 1 and rights["SD"].endswith("00000000")
    sd = ndr_unpack(security.descriptor, bytes.fromhex(rights["SD"])[:-4])
    assert [(ace.type, ace.access_mask, str(ace.trustee)) for ace in sd.dacl.aces] == [
        (9, 0x10000, roles.sid("alice"))] * 2


def test_off_unless_it_is_switched_on(somebody, roles):
    """The last one: the CA is again as it was."""
    roles.as_before()
    answers = somebody("Administrator").run("activate", "Ping")
    assert all("error" in a for a in answers), answers
