# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Who gets a certificate: decided with the groups of the ticket, on both sides."""
import contextlib

import pytest
from samba.dcerpc import security
from samba.ndr import ndr_pack

import wcce
from ca import FULL, READ, enroll_for
from wcce import ENROLL_DENIED, ISSUED, TEMPLATE_DENIED


def ask(witness, template, key=None):
    return witness.one(("icpr", {"request": wcce.pkcs10(key or wcce.rsa_key()),
                                 "attributes": f"CertificateTemplate:{template}"}))


def token_groups(ca, account):
    """What AD says of an account now."""
    dn = ca.lab.ldbsearch(f"(sAMAccountName={account})", "dn")[0]["dn"][0]
    out = ca.lab.dc1.run("ldbsearch", "-H", "/var/lib/samba/private/sam.ldb", "-b", dn, "-s", "base",
                         "tokenGroups").stdout
    return {line.split(": ")[1] for line in out.splitlines() if line.startswith("tokenGroups: ")}


def test_a_group_joined_after_the_ticket_was_issued(ca):
    """The two-sided rule.  A client plans with the groups AD knows; the CA decides with those in
    the ticket: what looks permitted is denied until there is a new ticket."""
    lab, pc1 = ca.lab, ca.lab.pc1
    lab.samba_tool("group", "add", "CertStaff")
    staff = ca.sid("CertStaff")
    ca.add_template("Staff", READ + FULL + enroll_for(staff))
    machine = ca.machine()
    answer = ask(machine, "Staff")  # the service ticket is in the cache from here on
    assert answer["disposition"] == TEMPLATE_DENIED, answer

    lab.samba_tool("group", "addmembers", "CertStaff", "PC1$")
    assert staff in token_groups(ca, "PC1$")  # AD says yes
    answer = ask(machine, "Staff")
    assert (answer["hresult"], answer["disposition"], answer["cert"]) == (0, TEMPLATE_DENIED, b"")
    row = ca.row(answer["id"])
    assert (row["disp"], row["hresult"], row["sid"]) == (31, TEMPLATE_DENIED, ca.sid("PC1$"))
    event = [e for e in ca.events(53) if e["request_id"] == str(answer["id"])]
    assert len(event) == 1
    assert (event[0]["hresult"], event[0]["requester"], event[0]["template"]) == (
        "0x80094012", "LAB\\PC1$", "Staff")
    assert event[0]["level"] == "warning"
    assert "groups of the ticket" in event[0]["reasons"]

    pc1.kdestroy()
    answer = ask(ca.machine(), "Staff")  # with a new ticket
    assert answer["disposition"] == ISSUED, answer

    # and out of the group again: the old ticket still lets it in, as on Windows
    lab.samba_tool("group", "removemembers", "CertStaff", "PC1$")
    assert staff not in token_groups(ca, "PC1$")
    assert ask(machine, "Staff")["disposition"] == ISSUED
    pc1.kdestroy()
    assert ask(ca.machine(), "Staff")["disposition"] == TEMPLATE_DENIED


def test_a_person_is_no_computer(ca):
    answer = ask(ca.person("alice"), "Machine")
    assert answer["disposition"] == TEMPLATE_DENIED, answer
    assert ca.events(53)[-1]["requester"] == "LAB\\alice"


def test_a_computer_is_no_person(ca):
    assert ask(ca.machine(), "Person")["disposition"] == TEMPLATE_DENIED


@contextlib.contextmanager
def ca_permissions(ca, sddl):
    path = ca.host.path("/etc/certsrv/ca.sd")
    kept = path.read_bytes()
    sid = security.dom_sid(ca.sid("Administrator").rsplit("-", 1)[0])
    path.write_bytes(ndr_pack(security.descriptor.from_sddl("O:BAG:BAD:" + sddl, sid)))
    try:
        ca.restart()
        yield
    finally:
        path.write_bytes(kept)
        ca.restart()


def rows_of(ca, account):
    """Not all rows: a CA that was just started makes itself an exchange certificate."""
    return [r["id"] for r in ca.rows("id, account") if (r["account"] or "").endswith(account)]


def test_who_may_not_ask_the_ca_at_all(ca):
    """The CA's own descriptor: read but no enroll for PC1$."""
    with ca_permissions(ca, f"(D;;0x200;;;{ca.sid('PC1$')})(A;;0x300;;;AU)(A;;0x3;;;BA)"):
        before = rows_of(ca, "PC1$")
        mark = ca.mark()
        answer = ask(ca.machine(), "Machine")
        assert (answer["disposition"], answer["cert"]) == (ENROLL_DENIED, b""), answer
        assert rows_of(ca, "PC1$") == before  # it leaves a log line, no row
        assert "0x80094011" in ca.log_since(mark)
        assert ask(ca.person("alice"), "Person")["disposition"] == ISSUED
    assert ask(ca.machine(), "Machine")["disposition"] == ISSUED


def test_cve_2022_26923_a_name_another_bears_as_well(ca):
    """CVE-2022-26923: dNSHostName is what an account says of itself, so it counts only while nobody
    else says the same."""
    ca.restart()  # what was looked up is reused for a minute
    ca.lab.samba_tool("computer", "create", "PC9")
    dn = ca.lab.ldbsearch("(sAMAccountName=PC9$)", "dn")[0]["dn"][0]
    ca.modify(f"dn: {dn}\nchangetype: modify\nreplace: dNSHostName\ndNSHostName: {ca.lab.pc1.fqdn}\n-\n\n")
    try:
        answer = ask(ca.machine(), "Machine")
        assert (answer["disposition"], answer["cert"]) == (0x8009480F, b""), answer
        assert ca.events(53)[-1]["check_id"] == "deny.duplicate-name"
    finally:
        ca.lab.samba_tool("computer", "delete", "PC9")
        ca.restart()
    assert ask(ca.machine(), "Machine")["disposition"] == ISSUED


def test_what_the_directory_lacks(ca):
    answer = ask(ca.person("bob"), "Mail")  # has no mail attribute
    assert answer["disposition"] == 0x80094812, answer


@pytest.mark.parametrize("template", ["Machine", "MachineOld"])
def test_each_computer_gets_its_own_names(ca, template):
    answer = ask(ca.machine(ca.host), template)
    assert answer["disposition"] == ISSUED, answer
    cert = wcce.certificate(answer["cert"])
    assert cert.subject.rfc4514_string() == f"CN={ca.host.fqdn}"
    assert wcce.sid_in(answer["cert"]) == ca.sid("CA1$")


def test_a_template_withdrawn_takes_effect(ca):
    ca.add_template("Shortlived", READ + FULL + enroll_for("DC"))
    assert ask(ca.machine(), "Shortlived")["disposition"] == ISSUED
    ca.unpublish("Shortlived")
    ca.wait_directory()
    assert ask(ca.machine(), "Shortlived")["disposition"] == 0x80094800


