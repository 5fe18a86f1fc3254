# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The directory's roots in the system's trust: only when asked for, only roots, and out again as
cleanly.  Debian's update-ca-certificates does the real work, on a /usr/local of the host's own."""
import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client

ANCHORS = "/usr/local/share/ca-certificates"
MINE = "/var/local-anchors"  # what the member has there
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CONTAINER = "Certification Authorities"
CONFIGURED = "\n[trust]\nsystem = yes\n"


def self_signed(name, key=None):
    """A root that nobody asked for."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
            .not_valid_after(now + datetime.timedelta(3650))
            .add_extension(x509.BasicConstraints(True, None), critical=True).sign(key, hashes.SHA256()))
    return cert.public_bytes(serialization.Encoding.DER)


class Member(Client):
    """Its trust commands see a /usr/local/share/ca-certificates of their own."""

    def run(self, *words, check=True):
        script = f"mount --bind {MINE} {ANCHORS} && exec \"$@\""
        return self.host.run("unshare", "-m", "sh", "-c", script, "sh", self.program, *words, check=check,
                             env={"ASAN_OPTIONS": "detect_leaks=0"}, timeout=180)

    def configure(self, more):
        self.host.path("/etc/autoenroll/autoenroll.conf").write_text(self.settings + more)

    def anchors(self):
        return sorted(f.name for f in self.host.path(MINE).iterdir())

    def trusts(self, pem):
        """What any program of the system says to a certificate."""
        return self.host.run("openssl", "verify", "-no-CApath", "-no-CAstore", "-CAfile", BUNDLE, input=pem,
                             check=False).returncode == 0


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({"LabAuto": (READ + FULL + enroll_for("DC"), {})})
    ca.pem = ca.host.path("/etc/certsrv/ca.pem").read_text()
    return ca  # the directory's word is enough: nothing is requested here


def in_directory(ca, container, name, *ders):
    """An object with these certificates, or none, in a container."""
    dn = f"CN={name},CN={container},{PKS_DN}"
    ca.ldb("ldbdel", dn, check=False)
    values = "".join(f"cACertificate:: {base64.b64encode(der).decode()}\n" for der in ders)
    if ders:
        ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: certificationAuthority\n{values}"
                               "authorityRevocationList:: AA==\ncertificateRevocationList:: AA==\n\n")


@pytest.fixture
def pc1(lab, build, ca):
    root = base64.b64decode("".join(ca.pem.split("-----")[2].split()))
    in_directory(ca, CONTAINER, ca.name, root)
    in_directory(ca, "AIA", ca.name, root)
    member = Member(lab.pc1, build)
    member.settings = member.host.path("/etc/autoenroll/autoenroll.conf").read_text()
    # Java's keystore is no part of this and takes long.
    member.host.run(f"rm -rf {MINE} /etc/ca-certificates/update.d/*; mkdir {MINE}")
    member.root = root
    yield member
    for container in (CONTAINER, "AIA"):
        for name in (ca.name, "Second", "Rogue", *(f"Rogue {part}" for part in range(4))):
            in_directory(ca, container, name)


def test_nobody_asked(pc1, ca):
    report = pc1.json("pulse", "--wait")
    assert "system_trust" not in report and pc1.anchors() == []
    assert not pc1.trusts(ca.pem)
    listed = pc1.json("trust", "list")
    assert {(c["store"], c["system"]) for c in listed} == {("roots", False), ("intermediates", False)}
    assert pc1.json("trust", "status")["wanted_by"] == "nobody"


def test_asked_for_and_taken_back(pc1, ca):
    pc1.host.path(MINE).joinpath("corp.crt").write_text(ca.pem.replace("CERTIFICATE", "X"))
    pc1.configure(CONFIGURED)
    trust = pc1.json("pulse", "--wait")["system_trust"]
    assert (trust["method"], trust["dir"], trust["changed"]) == ("ca-certificates", ANCHORS, True)
    assert [i["state"] for i in trust["items"]] == ["added"]
    assert pc1.trusts(ca.pem)
    assert [c["system"] for c in pc1.json("trust", "list") if c["store"] == "roots"] == [True]

    # A second run finds nothing to do, and does nothing.
    before = pc1.host.path(BUNDLE).stat()
    assert pc1.json("pulse", "--wait")["system_trust"]["changed"] is False
    assert pc1.host.path(BUNDLE).stat().st_mtime_ns == before.st_mtime_ns
    done = pc1.run("trust", "remove", check=False)
    assert done.returncode == 2 and "system = yes" in done.stderr

    # Set back to no: out at the next run, and what is not ours stays.
    pc1.configure("")
    assert pc1.json("pulse", "--wait")["system_trust"]["changed"] is True
    assert pc1.anchors() == ["corp.crt"] and not pc1.trusts(ca.pem)
    assert not pc1.host.path("/var/lib/autoenroll/trust/system.manifest").exists()
    assert "system_trust" not in pc1.json("pulse", "--wait")


def test_diagnose_says_that_the_bundle_was_not_rebuilt(pc1, ca):
    def causes():
        report = pc1.json("diagnose", code=1)
        return [f["check_id"] for f in [report["root"]] * bool(report["root"]) + report["also"]]

    pc1.configure(CONFIGURED)
    pc1.run("pulse", "--wait")
    before, bundle = causes(), pc1.host.path(BUNDLE)
    text = bundle.read_text()
    body = "".join(ca.pem.split("-----")[2].split())[:64]
    assert body in text
    bundle.write_text(text.replace(body, body[::-1]))
    assert set(causes()) - set(before) == {"trust.local-bundle-not-updated"}
    bundle.write_text(text)
    pc1.configure("")
    assert pc1.json("pulse", "--wait")["system_trust"]["changed"] is True


def test_by_command_and_a_root_that_leaves_the_directory(pc1, ca):
    second = self_signed("Second Root")
    in_directory(ca, CONTAINER, "Second", second)
    pc1.run("pulse", "--wait")
    assert len(pc1.json("trust", "install", "--dry-run")["items"]) == 2 and pc1.anchors() == []
    assert [i["state"] for i in pc1.json("trust", "install")["items"]] == ["added", "added"]
    assert len(pc1.anchors()) == 2

    in_directory(ca, CONTAINER, "Second")
    states = {i["state"] for i in pc1.json("pulse", "--wait")["system_trust"]["items"]}
    assert states == {"kept", "removed"} and len(pc1.anchors()) == 1
    assert pc1.trusts(ca.pem)
    assert not pc1.trusts(x509.load_der_x509_certificate(second).public_bytes(serialization.Encoding.PEM).decode())

    # Somebody edited ours: it is theirs now.
    [name] = pc1.anchors()
    pc1.host.path(MINE).joinpath(name).write_text("mine now\n")
    assert [i["state"] for i in pc1.json("trust", "remove")["items"]] == ["foreign"]
    assert pc1.host.path(MINE).joinpath(name).read_text() == "mine now\n"
    assert pc1.json("trust", "status")["items"] == []


def test_roots_a_poisoned_aia_container_changes_nothing(pc1, ca):
    pc1.configure(CONFIGURED)
    pc1.run("pulse", "--wait")
    [ours] = pc1.anchors()
    rogue = self_signed("Rogue Root")
    in_directory(ca, "AIA", "Rogue", rogue, b"no certificate at all", b"\x30\x82\xff\xff" + bytes(30000))
    report = pc1.json("pulse", "--wait")
    assert report["system_trust"]["changed"] is False and pc1.anchors() == [ours]
    stored = pc1.json("trust", "list")
    assert {c["subject"] for c in stored if c["store"] == "roots"} == {f"CN={ca.name}"}
    assert not any(c["system"] for c in stored if c["subject"] == "CN=Rogue Root")

    # More than we keep: the store stays as it was, the run goes on.
    key = ec.generate_private_key(ec.SECP256R1())
    before = pc1.host.path("/var/lib/autoenroll/trust/intermediates.pem").read_bytes()
    for part in range(4):
        in_directory(ca, "AIA", f"Rogue {part}", *[self_signed(f"R {part} {i}", key) for i in range(180)])
    report = pc1.json("pulse", "--wait")
    assert report["system_trust"]["changed"] is False and pc1.anchors() == [ours]
    assert pc1.host.path("/var/lib/autoenroll/trust/intermediates.pem").read_bytes() == before


def test_roots_what_the_directory_calls_one_and_is_none(pc1, ca):
    """An intermediate and a bare key holder among the roots: refused, each with its reason."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Nobody")])
    now = datetime.datetime.utcnow()
    leaf = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
            .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(30))
            .sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    in_directory(ca, CONTAINER, "Rogue", leaf)
    pc1.run("pulse", "--wait")
    items = pc1.json("trust", "install")["items"]
    assert {(i["state"], i["subject"]) for i in items} == {
        ("added", f"CN={ca.name}"), ("refused", "CN=Nobody")}
    assert len(pc1.anchors()) == 1
    pc1.run("trust", "remove")
    assert pc1.anchors() == []


def test_p11_kit_takes_them_and_gives_them_back(pc1, ca, monkeypatch):
    """The real trust(1), with a place to write that Debian does not configure; the step that Fedora hangs behind
    it, which writes what other libraries read, is left out."""
    extract = "/usr/libexec/p11-kit"
    script = (f"mount -t tmpfs none {extract} && printf '#!/bin/sh\\n' >{extract}/trust-extract-compat && "
              f"chmod 755 {extract}/trust-extract-compat && exec \"$@\"")
    monkeypatch.setattr(pc1, "run", lambda *words, check=True: pc1.host.run(
        "unshare", "-m", "sh", "-c", script, "sh", pc1.program, *words, check=check,
        env={"ASAN_OPTIONS": "detect_leaks=0"}, timeout=180))
    module = pc1.host.path("/etc/pkcs11/modules/p11-kit-trust.module")
    module.parent.mkdir(parents=True, exist_ok=True)
    pc1.host.path("/etc/trust-source").mkdir(exist_ok=True)
    module.write_text("module: p11-kit-trust.so\ntrust-policy: yes\nx-init-reserved: paths=/etc/trust-source\n")
    try:
        pc1.configure(CONFIGURED + "method = p11-kit\n")
        trust = pc1.json("pulse", "--wait")["system_trust"]
        assert trust["method"] == "p11-kit" and [i["state"] for i in trust["items"]] == ["added"], trust
        listed = pc1.host.run("trust", "list").stdout
        assert f"label: {ca.name}" in listed and "trust: anchor" in listed, listed
        assert pc1.json("pulse", "--wait")["system_trust"]["changed"] is False
        pc1.configure("[trust]\nmethod = p11-kit\n")
        assert pc1.json("pulse", "--wait")["system_trust"]["changed"] is True
        assert ca.name not in pc1.host.run("trust", "list").stdout
    finally:
        module.unlink()


def test_never_read_the_directory(pc1):
    done = pc1.run("trust", "install", check=False)
    assert done.returncode == 3, done
    assert pc1.run("trust", "nonsense", check=False).returncode == 2
