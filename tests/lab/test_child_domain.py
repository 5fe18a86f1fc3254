# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A computer of a child domain and a CA in the forest's root: templates and CA come from the forest's
configuration, group policy and the account from the child, and trust lies between them."""
import pytest

from ca import FULL, READ, Ca, enroll_for, make_csr
from client import Client
from gpo import dword, registry_pol, text
from lab import BASE_DN, CONF, Lab

GRANTED, FOR_ROOT, FOR_GUESTS = "ForTheChild", "ForTheRoot", "ForGuests"
GUESTS = "Guests of the child"
CHILD = CONF["LAB_CHILD_DOMAIN"]
CHILD_DN = ",".join("DC=" + label for label in CHILD.split("."))
GPO = "{6F1D2C3A-71B0-4C5E-9A34-0C4B1E2D7A01}"
SERVERS = "Software\\Policies\\Microsoft\\Cryptography\\PolicyServers"


@pytest.fixture(scope="module")
def lab():
    with Lab("test-child-domain", child=True) as running:
        yield running


class ForestCa(Ca):
    """What is written to the configuration, is written to both controllers: replication is not
    what is tested."""

    def ldb(self, tool, *words, input=None, check=True):
        self.lab.dc2.run(tool, "-H", "/var/lib/samba/private/sam.ldb", *words, input=input, check=check)
        return super().ldb(tool, *words, input=input, check=check)

    def forget_templates(self):
        """A new lab has none."""


@pytest.fixture(scope="module")
def pc2_sid(lab):
    out = lab.dc2.run("ldbsearch", "-H", "/var/lib/samba/private/sam.ldb", "-b", CHILD_DN,
                      "(sAMAccountName=PC2$)", "objectSid").stdout
    return out.split("objectSid: ")[1].split()[0]


@pytest.fixture(scope="module")
def guests(lab):
    """A domain local group of the child: no token of the root has it."""
    lab.dc2.run("samba-tool", "group", "add", GUESTS, "--group-scope=Domain")
    out = lab.dc2.run("ldbsearch", "-H", "/var/lib/samba/private/sam.ldb", "-b", CHILD_DN,
                      f"(sAMAccountName={GUESTS})", "objectSid").stdout
    return out.split("objectSid: ")[1].split()[0]


@pytest.fixture(scope="module")
def ca(lab, build, pc2_sid, guests):
    computers = pc2_sid.rsplit("-", 1)[0] + "-515"  # Domain Computers of the child
    root = lab.ldbsearch("(sAMAccountName=PC1$)", "objectSid")[0]["objectSid"][0].rsplit("-", 1)[0] + "-515"
    ca = ForestCa(lab, build)
    ca.setup({GRANTED: (READ + FULL + enroll_for(computers), {}),
              FOR_ROOT: (READ + FULL + enroll_for(root), {}),
              FOR_GUESTS: (READ + FULL + enroll_for(guests), {})})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


def policy(lab, version, *instructions):
    """The child domain's own group policy, as its controller has it: object, link and files."""
    folder = lab.dc2.path(f"/var/lib/samba/sysvol/{CHILD}/Policies/{GPO}")
    (folder / "Machine").mkdir(parents=True, exist_ok=True)
    (folder / "GPT.INI").write_text(f"[General]\r\nVersion={version}\r\n")
    (folder / "Machine/Registry.pol").write_bytes(registry_pol(*instructions))

    def ldb(tool, ldif, check=True):
        lab.dc2.run(tool, "-H", "/var/lib/samba/private/sam.ldb", input=ldif, check=check)
    dn = f"CN={GPO},CN=Policies,CN=System,{CHILD_DN}"
    ldb("ldbadd", f"dn: CN=Policies,CN=System,{CHILD_DN}\nobjectClass: container\n\n", check=False)
    ldb("ldbadd", f"dn: {dn}\nobjectClass: groupPolicyContainer\ndisplayName: Child\nflags: 0\n"
        f"gPCFunctionalityVersion: 2\ngPCFileSysPath: \\\\{CHILD}\\sysvol\\{CHILD}\\Policies\\{GPO}\n"
        "gPCMachineExtensionNames: [{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{0F6B957D-509E-11D1-A7CC-0000F87571E3}]\n"
        "versionNumber: 0\n\n", check=False)
    ldb("ldbmodify", f"dn: {dn}\nchangetype: modify\nreplace: versionNumber\nversionNumber: {version}\n\n"
        f"dn: {CHILD_DN}\nchangetype: modify\nreplace: gPLink\ngPLink: [LDAP://{dn};0]\n\n")


def server(ident):
    return [text("URL", "LDAP:", f"{SERVERS}\\one"), text("PolicyID", ident, f"{SERVERS}\\one"),
            dword("Flags", 0x14, f"{SERVERS}\\one"), dword("Cost", 1, f"{SERVERS}\\one")]


@pytest.fixture(scope="module")
def pc2(lab, build):
    """Nothing local: what the child's group policy says, is what it does."""
    [root] = lab.ldbsearch(f"(distinguishedName={BASE_DN})", "objectGUID")
    policy(lab, 1, dword("AEPolicy", 7), *server(f"{{{root['objectGUID'][0].upper()}}}"))
    return Client(lab.pc2, build)


def test_tickets_cross_the_trust(lab):
    lab.pc2.kinit_machine()
    lab.pc2.run("kvno", "-q", "-S", "host", lab.ca1.fqdn)
    lab.ca1.kinit_machine()
    lab.ca1.run("kvno", "-q", "-S", "ldap", lab.dc2.fqdn)


def test_enrolled_from_the_root_s_ca(ca, pc2, pc2_sid):
    done = pc2.json("pulse", code=None)
    assert pc2.current(GRANTED, "cert.pem").exists(), str(done)
    [result] = done["results"]
    assert (result["outcome"], result["transport"]) == ("issued", "dcom"), result
    text = pc2.host.run("openssl", "x509", "-noout", "-text", "-in",
                        f"/var/lib/autoenroll/my/{GRANTED}/current/cert.pem").stdout
    assert f"DNS:{pc2.host.fqdn}" in text
    assert pc2_sid in text  # the SID extension, of the child domain
    issued = ca.events(6)[-1]
    assert issued["requester"] == "CHILD\\PC2$", issued


def test_the_policy_is_the_child_domain_s(pc2):
    """AEPolicy and the policy server's entry come from its GPO; LDAP: with the root's GUID is ours."""
    shown = pc2.json("policy", "show", "-v")
    assert (shown["aepolicy"], shown["source"], shown["gpo"]) == (7, "gpo", "Child"), shown
    assert shown["dc"] == f"dc2.{CHILD}" and shown["fresh"], shown
    [entry] = shown["policy_servers"]
    assert (entry["url"], entry["verdict"]) == ("LDAP:", "used"), entry
    assert "policy_servers_check" not in shown


def test_diagnose_has_nothing_to_say(ca, pc2):
    """Names, policy and account of one domain, templates and CA of another: all in order."""
    pc2.run("pulse")
    pc2.host.path("/etc/cron.d").mkdir(exist_ok=True)
    pc2.host.path("/etc/cron.d/autoenroll").write_text("17 */8 * * * root autoenroll pulse\n")
    report = pc2.json("diagnose", code=0)
    assert (report["category"], report["root"], report["also"]) == ("ok", None, []), report
    assert [m["template"] for m in report["matrix"] if m["ours"]] == [GRANTED]


def test_a_group_is_looked_at_in_its_own_domain(lab, build, ca):
    """What diagnose sees of a group of the child that has the right on a template, from the root."""
    report = Client(lab.pc1, build).json("diagnose", "-v", "-T", FOR_GUESTS, code=None)
    [group] = report["facts"]["ad"]["trustees"]
    assert (group["name"], group["domain"], group["scope"], group["member"], group["foreign_member"]) == (
        GUESTS, CHILD, "domain-local", False, False), group


def submit(pc2, ca, template, code):
    csr = make_csr(pc2.host, template)
    return pc2.json("submit", "--ca", f"{ca.host.fqdn}\\{ca.name}", "-a", f"CertificateTemplate={template}", csr,
                    code=code)


def test_domain_computers_of_the_root_are_others(ca, pc2):
    """A template that grants the root's Domain Computers grants nothing to those of the child."""
    answer = submit(pc2, ca, FOR_ROOT, 8)
    assert (answer["outcome"], "0x80094012" in answer["hresult_text"]) == ("denied", True), answer
    event = ca.events(53)[-1]
    assert (event["requester"], event["hresult"]) == ("CHILD\\PC2$", "0x80094012"), event


def test_the_child_s_controller_is_away(lab, ca, pc2):
    """The request is refused, and what could not be asked is said; then all is well again."""
    pc2.host.kinit_machine()
    pc2.host.run("kvno", "-q", "-S", "host", ca.host.fqdn)
    ca.stop()
    ca.start()  # with no connection left to the child
    lab.dc2.refuse(389)
    try:
        answer = submit(pc2, ca, GRANTED, None)
    finally:
        lab.dc2.heal()
    assert answer["outcome"] != "issued", answer
    assert "connecting to domain child.lab.example of the forest" in ca.text()
    assert "could not be read now" in ca.events(53)[-1]["reasons"], ca.events(53)[-1]
