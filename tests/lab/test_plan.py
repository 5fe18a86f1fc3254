# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What a member decides, on a real directory: denied, superseded, revised, revoked, published in
the directory, by groups that the ticket does not know yet.  One machine goes through all of it."""
import base64
import re
import time

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client, User, failing

AUTO, MANAGED = 0x20, 0x0
OLD, NEW, DENIED, IN_DS, GROUP, STAFF = "PlanOld", "PlanNew", "PlanDenied", "PlanInDs", "PlanGroup", "PlanStaff"
TEAM = "Certificate Requesters"


def group_sid(lab, name):
    return lab.ldbsearch(f"(sAMAccountName={name})", "objectSid")[0]["objectSid"][0]


@pytest.fixture(scope="module")
def team(lab):
    lab.samba_tool("group", "add", TEAM)
    yield group_sid(lab, TEAM)
    lab.samba_tool("group", "delete", TEAM)


@pytest.fixture(scope="module")
def ca(lab, build, team):
    ca = Ca(lab, build)
    pc1 = group_sid(lab, "PC1$")
    everybody = READ + FULL + enroll_for("DC")
    ca.setup({
        OLD: (everybody, {}),
        NEW: (everybody, {"msPKI-Supersede-Templates": OLD, "msPKI-Enrollment-Flag": MANAGED}),
        DENIED: (f"(OD;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;{pc1})" + everybody, {}),
        IN_DS: (everybody, {"msPKI-Enrollment-Flag": AUTO | 0x10}),
        GROUP: (READ + FULL + enroll_for(team), {}),
        # For users, and granted to computers.
        STAFF: (everybody, {"flags": 0x20000}),
    })
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    yield client
    client.host.run("rm -rf /run/autoenroll")


def modify(ca, dn, change):
    ca.ldb("ldbmodify", input=f"dn: {dn}\nchangetype: modify\n{change}\n\n")


def template_dn(name):
    return f"CN={name},CN=Certificate Templates,{PKS_DN}"


def outcomes(report):
    return {r["template"]: r["outcome"] for r in report["results"]}


def explain(pc1, name):
    return pc1.plan("--explain", name)[name]


def checks(item):
    return [r["check"] for r in item["reasons"]]


def der_of(pc1, template):
    pem = pc1.current(template, "cert.pem").read_text()
    return "".join(pem.split("-----")[2].split())


def test_each_template_has_its_reason(pc1):
    plan = pc1.plan("--explain", "--all")
    assert {name: item["action"] for name, item in plan.items()} == {
        OLD: "enroll", NEW: "skip", DENIED: "skip", IN_DS: "enroll", GROUP: "skip", STAFF: "skip"}
    assert failing(plan[NEW]) == ["template.not-configured-autoenroll"]
    assert failing(plan[GROUP]) == ["template.no-enroll-right", "template.no-autoenroll-right"]
    assert failing(plan[STAFF]) == ["context.user-template-in-machine"]
    # A denial that hits this very machine is told from a right nobody gave.
    assert failing(plan[DENIED])[0] == "template.deny-ace"
    [why] = [r for r in plan[DENIED]["reasons"] if r["check"] == "template.deny-ace"]
    assert "is denied to S-1-5-21-" in why["text"]


def test_templates_of_the_other_kind_are_shown_on_demand(pc1):
    assert STAFF not in pc1.plan()
    assert list(pc1.plan(STAFF)) == [STAFF]


def test_a_certificate_published_in_the_directory_is_enough(pc1, ca, lab):
    report = pc1.json("pulse")
    assert outcomes(report) == {OLD: "issued", IN_DS: "issued"}
    dn = lab.ldbsearch("(sAMAccountName=PC1$)", "cn")[0]["dn"][0]
    modify(ca, dn, f"add: userCertificate\nuserCertificate:: {der_of(pc1, IN_DS)}")
    # The disk is lost, the directory remembers.
    pc1.host.run("rm -rf /var/lib/autoenroll/my/" + IN_DS)
    try:
        item = explain(pc1, IN_DS)
        assert failing(item) == ["existing.published-in-ds"]
        assert pc1.json("pulse")["results"] == []
    finally:
        modify(ca, dn, "delete: userCertificate")
    assert explain(pc1, IN_DS)["action"] == "enroll"
    assert "existing.not-in-ds" in checks(explain(pc1, IN_DS))


def test_a_revised_template_is_enrolled_again(pc1, ca):
    assert explain(pc1, OLD)["action"] == "keep"
    modify(ca, template_dn(OLD), "replace: revision\nrevision: 101")
    try:
        item = explain(pc1, OLD)
        assert item["action"] == "enroll"
        assert item["have"] == f"{OLD}/1"
        assert "existing.template-revised" in checks(item)
        # Without bit 0x1 the valid one is kept.
        pc1.local_policy(6)
        assert explain(pc1, OLD)["action"] == "keep"
    finally:
        modify(ca, template_dn(OLD), "replace: revision\nrevision: 100")
        pc1.local_policy(7)


def test_a_superseding_template_takes_over(pc1, ca):
    modify(ca, template_dn(NEW), f"replace: msPKI-Enrollment-Flag\nmsPKI-Enrollment-Flag: {AUTO}")
    plan = pc1.json("pulse", "--dry-run")
    items = {p["template"]: p for p in plan["plan"]}
    assert failing(items[OLD]) == ["template.superseded"]
    assert items[NEW]["action"] == "enroll"
    [action] = plan["store_actions"]
    assert (action["certificate"], action["action"], action["after"]) == (f"{OLD}/1", "archive", NEW)
    # The old pair is there until the new one is.
    assert pc1.current(OLD, "cert.pem").exists()
    report = pc1.json("pulse")
    assert outcomes(report)[NEW] == "issued"
    assert pc1.current(NEW, "cert.pem").exists()
    assert not pc1.current(OLD, "cert.pem").exists()
    assert pc1.json("pulse")["results"] == []


def publish_list(ca, path):
    """certsrvd's list into CN=CDP, where a Windows CA writes its own."""
    der = base64.b64encode(path.read_bytes()).decode()
    host = f"CN={ca.host.fqdn.split('.')[0]},CN=CDP,{PKS_DN}"
    ca.ldb("ldbadd", input=f"dn: {host}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbdel", f"CN={ca.name},{host}", check=False)
    ca.ldb("ldbadd", input=f"dn: CN={ca.name},{host}\nobjectClass: cRLDistributionPoint\n"
                           f"certificateRevocationList:: {der}\n\n")
    return f"CN={ca.name},{host}"


def forged_list(ca, tmp, serial):
    """The same issuer and serial number, another key."""
    (tmp / "index").write_text(f"R\t350101000000Z\t261127000000Z\t{serial.upper()}\tunknown\t/CN=x\n")
    (tmp / "number").write_text("09\n")
    (tmp / "conf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\ncrlnumber=%s/number\n"
                              "default_md=sha256\ndefault_crl_days=7\n" % (tmp, tmp))
    ca.host.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={ca.name}", "-keyout",
                tmp / "key", "-out", tmp / "cert")
    ca.host.run("openssl", "ca", "-config", tmp / "conf", "-gencrl", "-keyfile", tmp / "key", "-cert", tmp / "cert",
                "-out", tmp / "pem")
    ca.host.run("openssl", "crl", "-in", tmp / "pem", "-outform", "DER", "-out", tmp / "der")
    return tmp / "der"


def wait_for_list(ca, path, serial, seconds=60):
    """Until the CA's list names the serial number."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = ca.host.run("openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-text").stdout
        if re.search(rf"Serial Number: 0*{serial}\b", text, re.I):
            return
        time.sleep(0.2)
    raise AssertionError(f"{serial} is not on the list")


def test_what_its_ca_revokes_is_archived_and_replaced(pc1, ca, build, tmp_path):
    [stored] = [c for c in pc1.json("store", "list") if c["template"] == NEW]
    tmp_path.chmod(0o755)
    where = publish_list(ca, forged_list(ca, tmp_path, stored["serial"]))
    try:
        # Somebody else's list says nothing.
        assert explain(pc1, NEW)["action"] == "keep"

        revoked = stored["serial"]
        ca.host.run(build / "prog/certsrv/certsrv", "revoke", revoked, "--reason", "key-compromise",
                    env={"ASAN_OPTIONS": "detect_leaks=0"})
        path = f"/var/lib/certsrv/crl/{ca.name}.crl"
        wait_for_list(ca, path, revoked)
        publish_list(ca, ca.host.path(path))

        plan = pc1.json("pulse", "--dry-run")
        [action] = plan["store_actions"]
        assert (action["check"], action["action"], action["after"]) == ("existing.revoked", "archive", None)
        assert "key compromise" in action["text"]
        [item] = [p for p in plan["plan"] if p["template"] == NEW]
        assert item["action"] == "enroll" and "existing.revoked" in checks(item)
        assert [c["revocation"]["state"] for c in pc1.json("store", "list") if c["template"] == NEW] == ["unknown"]
        report = pc1.json("pulse")
        assert outcomes(report)[NEW] == "issued"
        [stored] = [c for c in pc1.json("store", "list") if c["template"] == NEW]
        assert stored["serial"] != revoked
        # "store list" asks nobody: what the run read, and how old that is.
        assert stored["revocation"]["text"] == "not known: it came after the last look"
        [old] = [c for c in pc1.json("store", "list", "--archived") if c["serial"] == revoked]
        assert (old["revocation"]["state"], old["revocation"]["why"]) == ("revoked", "key compromise")
        assert old["revocation"]["list_of"] and "read " in old["revocation"]["text"]
        assert pc1.json("pulse")["results"] == []
        [stored] = [c for c in pc1.json("store", "list") if c["template"] == NEW]
        assert stored["revocation"]["state"] == "good" and stored["state"] == "valid"
        assert "not revoked, by the list of" in pc1.run("store", "list").stdout
    finally:
        ca.ldb("ldbdel", where, check=False)


def test_a_group_that_the_ticket_does_not_know(pc1, ca, lab, team):
    # A fresh ticket, and with it one for the CA.
    pc1.host.run("rm -rf /run/autoenroll /var/lib/autoenroll/my")
    assert outcomes(pc1.json("pulse"))[NEW] == "issued"
    before = pc1.json("groups")
    assert before["differ"] is False
    assert before["principal"].lower().startswith("pc1$@")
    names = {g["name"]: g for g in before["groups"]}
    assert names["Domain Computers"]["in_ticket"] and names["Domain Computers"]["in_directory"]

    lab.samba_tool("group", "addmembers", TEAM, "PC1$")
    try:
        # The client goes by the directory and asks; the CA goes by the ticket and refuses.
        assert explain(pc1, GROUP)["action"] == "enroll"
        now = pc1.json("groups", code=1)
        [odd] = [g for g in now["groups"] if g["check_id"]]
        assert (odd["name"], odd["sid"], odd["check_id"]) == (TEAM, team, "token.group-not-in-ticket")
        assert (odd["in_ticket"], odd["in_directory"]) == (False, True)
        shown = pc1.run("groups", check=False)
        assert shown.returncode == 1
        assert re.search(rf"^! -\s+yes\s+{TEAM}\s+{team}\s+not in the ticket", shown.stdout, re.M)
        assert "token.group-not-in-ticket" in checks(explain(pc1, GROUP))
        report = pc1.json("pulse", code=8)
        [denied] = [r for r in report["results"] if r["template"] == GROUP]
        assert denied["hresult"] == 0x80094012
        # A new ticket has it.
        pc1.host.run("rm -f /run/autoenroll/krb5cc")
        assert outcomes(pc1.json("pulse"))[GROUP] == "issued"
        assert pc1.json("groups")["differ"] is False
    finally:
        lab.samba_tool("group", "removemembers", TEAM, "PC1$")
    # The other way round: taken out of the group, and the ticket still has it.
    [odd] = [g for g in pc1.json("groups", code=1)["groups"] if g["check_id"]]
    assert odd["check_id"] == "token.group-removed-still-in-ticket"


def test_her_own_groups(lab, build, ca, team):
    alice = User(lab.pc1, build, "alice", lab.user_password, 870001)
    # Samba's KDC makes user-to-user tickets for accounts with a service name, AD's for all.
    lab.samba_tool("spn", "add", "user/alice", "alice")
    try:
        assert alice.run("groups", "--user", check=False).returncode == 7
        alice.login()
        assert alice.json("groups", "--user")["differ"] is False
        lab.samba_tool("group", "addmembers", TEAM, "alice")
        try:
            [odd] = [g for g in alice.json("groups", "--user", code=1)["groups"] if g["check_id"]]
            assert odd["name"] == TEAM
            alice.login()
            assert alice.json("groups", "--user")["differ"] is False
        finally:
            lab.samba_tool("group", "removemembers", TEAM, "alice")
    finally:
        lab.samba_tool("spn", "delete", "user/alice")
        alice.logout()


def test_a_kdc_that_gives_no_ticket_for_oneself(lab, build, ca):
    bob = User(lab.pc1, build, "bob", lab.user_password, 870002)
    bob.login()
    try:
        done = bob.run("groups", "--user", check=False)
        assert done.returncode == 7
        assert "servicePrincipalName" in done.stderr
    finally:
        bob.logout()
