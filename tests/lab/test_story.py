# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The story of ./demo with assertions: from an empty domain by `certsrv setup` to a login with the
certificate that a member got by itself, with group policy and no local layer."""
import json
import os
import time
import urllib.parse

import pytest
from cryptography import x509

from client import QUIET, Client, User, failing
from lab import BASE_DN, Lab

UID_BASE = 870000
NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0"}
MY = "/var/lib/autoenroll/my"
ROOTS = "/var/lib/autoenroll/trust/roots.pem"
MODULE, PIN = "/usr/lib/softhsm/libsofthsm2.so", "123456"


@pytest.fixture(scope="module")
def lab():
    """A lab of its own: it begins empty and is not left so."""
    with Lab(f"story-{os.getpid()}") as running:
        yield running


class CertSrv:
    def __init__(self, lab, build):
        self.host = lab.ca1
        self.lab = lab
        self.log = lab.ca1.path("/var") / "certsrvd.log"
        self.program = build / "prog/certsrv/certsrv"
        self.env = NO_LEAKS | {"CERTSRV_SYSVOL": str(build / "prog/sysvol/sysvol")}

    def run(self, *words, check=True):
        return self.host.run(self.program, *words, check=check, env=self.env)

    def json(self, *words):
        return json.loads(self.run(*words, "--json").stdout)

    def text(self):
        return self.log.read_text(errors="replace")


@pytest.fixture(scope="module")
def certsrv(lab, build):
    return CertSrv(lab, build)


@pytest.fixture(scope="module")
def setup_reports(certsrv):
    """What a rehearsal, the real thing and a repetition said."""
    words = ("setup", "--key", "rsa2048", "--machine-logon", "--uid-base", UID_BASE)
    named = (*words, "--name", "Story CA")
    certsrv.host.kinit("Administrator", certsrv.lab.admin_password)
    # The CA that is there keeps its name.
    reports = [certsrv.json(*named, "--dry-run"), certsrv.json(*named), certsrv.json(*words)]
    second = certsrv.run(*words, "--name", "Second CA", check=False)
    assert second.returncode != 0 and "this host has the CA Story CA already" in second.stderr
    # What gives power is made, but somebody has to want it.
    certsrv.run("template", "grant", "SmartcardLogon", "Domain Users", "read", "enroll")
    certsrv.run("template", "publish", "SmartcardLogon")
    certsrv.host.kdestroy()
    return reports


@pytest.fixture(scope="module")
def ca(certsrv, setup_reports, build):
    with certsrv.host.start(build / "prog/certsrvd/certsrvd", "-f", log=certsrv.log, env=NO_LEAKS):
        certsrv.host.run("for i in $(seq 150); do grep -q 'directory: [1-9]' /var/certsrvd.log && exit 0; "
                         "sleep 0.1; done; cat /var/certsrvd.log; exit 1", timeout=30)
        yield certsrv


@pytest.fixture(scope="module")
def dc1(lab, build, ca):
    return Client(lab.dc1, build)


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    return Client(lab.pc1, build)


@pytest.fixture(scope="module")
def alice(lab, build, pc1):
    """alice at pc1 with a card of her own."""
    alice = User(lab.pc1, build, "alice", lab.user_password, UID_BASE + 100)
    alice.sh("sh", "-c", "mkdir -p ~/tokens ~/.config/autoenroll ~/.config/softhsm2 && "
             f"echo directories.tokendir = {alice.home}/tokens > ~/.config/softhsm2/softhsm2.conf && umask 077 && "
             f"echo {PIN} > ~/.config/autoenroll/pin && printf '%s\\n' '[keys]' 'pkcs11-module = {MODULE}' "
             f"'pkcs11-token = pkcs11:token=card' 'pkcs11-path = {alice.home}' "
             f"'pkcs11-pin-file = {alice.home}/.config/autoenroll/pin' > ~/.config/autoenroll/autoenroll.conf")
    alice.sh("softhsm2-util", "--init-token", "--free", "--label", "card", "--so-pin", "87654321", "--pin", PIN)
    return alice


def test_setup_without_a_ticket_says_what_is_missing(certsrv):
    certsrv.host.kdestroy()
    done = certsrv.run("setup", check=False)
    assert done.returncode == 7
    assert "kinit Administrator" in done.stderr


def test_setup_rehearses_works_and_repeats_itself_without_a_change(setup_reports):
    dry, real, again = setup_reports
    assert dry["dry_run"] and not real["dry_run"]
    assert dry["changes"] == real["changes"] > 20
    assert [(s["action"], s["what"]) for s in dry["steps"]] == [(s["action"], s["what"]) for s in real["steps"]]
    assert again["changes"] == 0


def test_policy_comes_from_the_gpo(pc1):
    policy = pc1.json("policy", "show")
    assert policy["aepolicy"] == 7 and policy["source"] == "gpo"
    assert policy["gpo"] == "Certificate Auto-Enrollment"
    assert {g["name"]: g["verdict"] for g in policy["gpos"]}["Default Domain Policy"] == "empty"


def test_the_dc_gets_its_certificate_for_kdc_and_ldaps(dc1, lab):
    [result] = dc1.json("pulse", "--wait")["results"]
    assert (result["template"], result["outcome"]) == ("KerberosAuthentication", "issued")
    krb5 = lab.dc1.path("/etc/krb5.conf")
    my = f"{MY}/KerberosAuthentication/current"
    krb5.write_text(krb5.read_text() + "\n[kdc]\nenable-pkinit = yes\n"
                    f"pkinit_identity = FILE:{my}/fullchain.pem,{my}/key.pem\npkinit_anchors = FILE:{ROOTS}\n")
    conf = lab.dc1.path("/etc/samba/smb.conf")
    conf.write_text(conf.read_text().replace(
        "[global]", f"[global]\n\ttls enabled = yes\n\ttls keyfile = {my}/key.pem\n"
        f"\ttls certfile = {my}/fullchain.pem\n\ttls cafile = {ROOTS}", 1))
    lab.restart_dc()


def test_the_member_gets_what_it_may_have(pc1):
    pc1.run("log", "level", "4")
    results = pc1.json("pulse", "--wait")["results"]
    assert {r["template"]: (r["outcome"], r["transport"]) for r in results} == {
        "Workstation": ("issued", "dcom"), "ComputerLogon": ("issued", "dcom")}
    plan = pc1.plan("--all")
    assert {t for t, p in plan.items() if p["action"] == "keep"} == {"Workstation", "ComputerLogon"}
    assert failing(plan["User"]) == ["context.user-template-in-machine"]
    assert "template.supplies-subject" in failing(plan["WebServer"])


def test_the_dc_serves_ldaps_with_its_certificate(dc1, pc1, lab):
    """The certificate that the DC enrolled names it and its domain: GnuTLS on the DC, OpenLDAP and OpenSSL here."""
    trust = {"LDAPTLS_CACERT": ROOTS, "LDAPTLS_REQCERT": "demand"}
    for name in (lab.dc1.fqdn, "lab.example"):
        found = pc1.host.run("ldapsearch", "-LLL", "-x", "-H", f"ldaps://{name}", "-s", "base", "-b", "",
                             "dnsHostName", env=trust)
        assert f"dnsHostName: {lab.dc1.fqdn}" in found.stdout
    said = pc1.host.run("openssl", "s_client", "-connect", f"{lab.dc1.fqdn}:636", "-verify_hostname", lab.dc1.fqdn,
                        "-verify_return_error", "-CAfile", ROOTS, input="").stdout
    assert "Verification: OK" in said and "CN = Story CA" in said
    # without our root nobody believes it
    assert pc1.host.run("ldapsearch", "-x", "-H", f"ldaps://{lab.dc1.fqdn}", "-s", "base", "-b", "", check=False,
                        env={"LDAPTLS_CACERT": "/etc/ssl/certs/ca-certificates.crt"}).returncode != 0


def test_it_logs_in_with_the_certificate(pc1, lab, dc1):
    krb5 = lab.pc1.path("/etc/krb5.conf")
    krb5.write_text(krb5.read_text() + "\n[libdefaults]\npkinit_kdc_hostname = dc1.lab.example\n")
    my = f"{MY}/ComputerLogon/current"
    pc1.host.run("kinit", "-c", "/run/krb5cc_pkinit",
                 "-X", f"X509_user_identity=FILE:{my}/fullchain.pem,{my}/key.pem",
                 "-X", f"X509_anchors=FILE:{ROOTS}", "PC1$")
    listed = pc1.host.run("klist", "-c", "/run/krb5cc_pkinit").stdout
    assert "Default principal: PC1$@LAB.EXAMPLE" in listed and "krbtgt/LAB.EXAMPLE" in listed
    # And not with somebody else's key: the control that the certificate is what did it.
    pc1.host.run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out /run/other.key")
    done = pc1.host.run("kinit", "-c", "/run/krb5cc_other", "-X",
                        f"X509_user_identity=FILE:{my}/fullchain.pem,/run/other.key",
                        "-X", f"X509_anchors=FILE:{ROOTS}", "PC1$", check=False)
    assert done.returncode != 0


def test_a_person_logs_in_with_a_smart_card(alice, lab, dc1):
    """The key was made on the card and stays there; MIT's PKCS#11 finds the certificate beside it."""
    alice.login()
    [result] = alice.json("enroll", "--user", "-T", "SmartcardLogon")["results"]
    assert result["outcome"] == "issued", result
    assert not alice.path("my/SmartcardLogon/current/key.pem").exists()
    assert alice.path("my/SmartcardLogon/current/key.uri").read_text().startswith("pkcs11:")
    alice.logout()
    alice.sh("kinit", "-X", f"X509_user_identity=PKCS11:module_name={MODULE}:token=card",
             "-X", f"X509_anchors=FILE:{alice.home}/.local/share/autoenroll/trust/roots.pem", "alice",
             input=PIN + "\n")
    assert "Default principal: alice@LAB.EXAMPLE" in alice.sh("klist").stdout
    # the control: with the wrong PIN there is no key
    alice.logout()
    assert alice.sh("kinit", "-X", f"X509_user_identity=PKCS11:module_name={MODULE}:token=card",
                    "-X", f"X509_anchors=FILE:{alice.home}/.local/share/autoenroll/trust/roots.pem", "alice",
                    input="000000\n", check=False).returncode != 0


def test_a_quiet_run(pc1):
    pc1.run("pulse", "--wait")
    pc1.events()
    pc1.run("pulse", "--wait")
    assert pc1.events() == QUIET


def test_the_ca_admin_sees_who_got_what(ca):
    rows = ca.json("request", "list")["requests"]
    assert {(r["template"], r["disp"]) for r in rows} == {
        ("KerberosAuthentication", "issued"), ("Workstation", "issued"), ("ComputerLogon", "issued"),
        ("SmartcardLogon", "issued")}


def test_what_is_revoked_is_told_in_the_directory(ca, lab):
    """setup made the CDP object and let the CA's host write it; clients read the CRL there over LDAP."""
    row = [r for r in ca.json("request", "list")["requests"] if r["template"] == "Workstation"][0]
    assert ca.json("revoke", str(row["id"]), "--reason", "cessation-of-operation")["disp"] == "revoked"
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = lab.ldbsearch("(objectClass=cRLDistributionPoint)", "certificateRevocationList",
                              base=f"CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration,{BASE_DN}")
        der = found[0]["certificateRevocationList"][0]
        if len(der) > 1 and x509.load_der_x509_crl(der).get_revoked_certificate_by_serial_number(int(row["serial"], 16)):
            return
        time.sleep(0.2)
    raise AssertionError(f"the CRL in the directory does not have it:\n{ca.text()[-2000:]}")


def test_the_urls_in_a_certificate_lead_to_the_directory_s_objects(ca, pc1, lab):
    """As a client follows them: DN and attribute of an ldap URL, percent-encoded."""
    pem = pc1.host.path(f"{MY}/Workstation/current/cert.pem").read_bytes()
    exts = x509.load_pem_x509_certificate(pem).extensions
    [point] = exts.get_extension_for_class(x509.CRLDistributionPoints).value
    [crl_url] = [n.value for n in point.full_name]
    [issuer] = exts.get_extension_for_class(x509.AuthorityInformationAccess).value
    for url, attribute in ((crl_url, "certificateRevocationList"), (issuer.access_location.value, "cACertificate")):
        assert url.startswith("ldap:///CN=") and " " not in url and f"?{attribute}?base?objectClass=" in url
        dn, name, _, filter = urllib.parse.unquote(url[len("ldap:///"):]).split("?")
        [entry] = lab.ldbsearch(f"({filter})", name, base=dn)
        assert len(entry[name][0]) > 100


def test_esc5_the_clean_domain_has_no_weakness_and_seeded_ones_are_found(certsrv, ca, lab):
    """`certsrv audit`: nothing false on what setup made; ten seeds, each found with who and what to do."""
    def audit(*words, code=0):
        done = certsrv.host.run(certsrv.program, "audit", *words, "--json", check=False,
                                env=certsrv.env | {"ASAN_OPTIONS": "detect_leaks=1"})
        assert done.returncode == code, (done.stdout, done.stderr)
        return json.loads(done.stdout)

    certsrv.host.kinit("Administrator", certsrv.lab.admin_password)
    clean = audit()
    assert clean["findings"] == []
    assert {"ESC6", "ESC10", "ESC11", "ESC16"} <= {a["esc"] for a in clean["not_applicable"]}
    assert audit("verify")["links"] > 5
    whole = certsrv.host.run(certsrv.program, "db", "check", "--json", env=certsrv.env)
    assert json.loads(whole.stdout)["whole"] is True

    pks = f"CN=Public Key Services,CN=Services,CN=Configuration,{BASE_DN}"

    def allow(dn, who, rights):
        lab.samba_tool("dsacl", "set", "--objectdn", dn, "--sddl", f"(A;;{rights};;;{who})")

    for name, source, *settings in (
            ("Esc1", "WebServer", "eku=client-auth"), ("Esc2", "Workstation", "eku="),
            ("Esc3", "EnrollmentAgent"), ("Esc9", "Workstation", "sid-extension=no"), ("Esc17", "WebServer")):
        certsrv.run("template", "new", name, "--from", source, *settings)
        certsrv.run("template", "grant", name, "Domain Users", "read", "enroll")
        certsrv.run("template", "publish", name)
    certsrv.run("template", "grant", "User", "Domain Users", "write")
    allow(f"CN=NTAuthCertificates,{pks}", "DU", "WP")
    allow(f"CN=Certificate Templates,{pks}", "DU", "WD")
    certsrv.run("permission", "grant", "Domain Users", "manage-certificates")
    bob = lab.ldbsearch("(sAMAccountName=bob)", "cn")[0]["dn"][0]
    lab.dc1.run("ldbmodify", "-H", "/var/lib/samba/private/sam.ldb",
                input=f"dn: {bob}\nchangetype: modify\nadd: altSecurityIdentities\n"
                      "altSecurityIdentities: X509:<S>CN=bob\n\n")
    found = audit(code=1)["findings"]
    assert sorted((f["esc"], f["object"].split(",")[0]) for f in found) == [
        ("ESC1", "CN=Esc1"), ("ESC14", "CN=bob"), ("ESC17", "CN=Esc17"), ("ESC2", "CN=Esc2"), ("ESC3", "CN=Esc3"),
        ("ESC4", "CN=User"), ("ESC5", "CN=Certificate Templates"), ("ESC5", "CN=NTAuthCertificates"),
        ("ESC7", "this CA"), ("ESC9", "CN=Esc9")]
    assert {f["who"] for f in found if f["esc"] != "ESC14"} == {"Domain Users", "Domain Computers"}
    assert [f["esc"] for f in audit("mappings", code=1)["findings"]] == ["ESC14"]
    # the fixes that are commands heal
    for fix in {f["fix"] for f in found if f["fix"].startswith("certsrv template") and f["esc"] != "ESC4"}:
        certsrv.host.run("sh", "-c", fix.replace("certsrv", str(certsrv.program), 1), env=certsrv.env)
    assert audit("templates")["findings"] == []
    assert {f["esc"] for f in audit("acl", "--trust", "Domain Users")["findings"]} == set()
