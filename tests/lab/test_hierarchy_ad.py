# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A CA below an offline root, set up, certified and renewed by certsrv with an Enterprise Admin's ticket: what that leaves
in the directory; OCSP under several keys; the events of a CA that is near its end or cannot do what it should."""
import json
import os
import re
import signal
import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca import FULL, PKS_DN, READ, UID_BASE, Ca, enroll_for, icpr, make_csr, template_ldif

NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0"}
ROOT, TEMPLATE = "AD Root", "UnderRoot"


class SubCa(Ca):
    name = "AD Sub CA"

    def certsrv(self, *words, code=0):
        out = self.host.run(self.build / "prog/certsrv/certsrv", *map(str, words), check=False, env=NO_LEAKS)
        assert out.returncode == code, (words, out.stdout, out.stderr)
        return out.stdout

    def answer(self, *words):
        """The root's answer to the request that waits."""
        self.certsrv("root", "sign", "--dir", "/var/root", "/etc/certsrv/ca.req", "--out", "/run/answer.pem", *words)
        return "/run/answer.pem"

    def ders(self, path):
        return [c.public_bytes(Encoding.DER) for c in self.certs(path)]

    def certs(self, path="/etc/certsrv/ca.pem"):
        pems = re.findall(r"-----BEGIN.+?-----END CERTIFICATE-----", self.host.path(path).read_text(), re.S)
        return [x509.load_pem_x509_certificate(p.encode()) for p in pems]

    def directory(self, rdn):
        """cACertificate of an object below Public Key Services."""
        cn = rdn.split(",")[0][3:]
        found = self.lab.ldbsearch(f"(cn={cn})", "cACertificate", base=f"{rdn.partition(',')[2] or ''}"
                                   f"{',' if ',' in rdn else ''}{PKS_DN}")
        return found[0].get("cACertificate", []) if found else []

    def ask(self, name):
        self.lab.pc1.kinit_machine()
        got = icpr(self.lab.pc1, f"{self.host.fqdn}:49500", make_csr(self.lab.pc1, name, key="prime256v1"), "--attributes",
                   f"CertificateTemplate:{TEMPLATE}", "--ca", self.name)
        assert got.get("disposition") == 3, got
        return x509.load_pem_x509_certificate(got["certificate"].encode()).public_bytes(Encoding.DER)

    def forget(self):
        for rdn in (f"CN={self.name},CN=Enrollment Services", f"CN={self.name},CN=AIA", f"CN={ROOT},CN=AIA",
                    f"CN={ROOT},CN=Certification Authorities", f"CN={self.name},CN=Certification Authorities",
                    f"CN={self.name},CN=ca1,CN=CDP", f"CN={self.name}(1),CN=ca1,CN=CDP", "CN=ca1,CN=CDP",
                    "CN=NTAuthCertificates", f"CN={TEMPLATE},CN=Certificate Templates"):
            self.ldb("ldbdel", f"{rdn},{PKS_DN}", check=False)


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = SubCa(lab, build)
    ca.host.run("rm -rf /etc/certsrv /var/lib/certsrv /var/root")
    ca.forget()
    lab.kinit_admin(lab.ca1)
    ca.certsrv("root", "init", "--dir", "/var/root", "--name", ROOT, "--path-length", "1", "--key", "p256")
    ca.certsrv("setup", "--subordinate", "--name", ca.name, "--key", "p256", "--uid-base", UID_BASE, "--no-templates", "--no-gpo")
    yield ca
    ca.stop()
    ca.forget()


def test_what_an_answer_leaves_in_the_directory(ca):
    """The CA in NTAuth, AIA and Enrollment Services; its root where members look for roots."""
    assert ca.directory(f"CN={ca.name},CN=Enrollment Services") == []
    ca.lab.kinit_admin(ca.host)
    # a year: less than its template's, so what it issues ends with it
    ca.certsrv("ca", "install-certificate", ca.answer("--years", "1"), "--no-templates", "--no-gpo")
    [mine], [root] = ca.ders("/etc/certsrv/ca.pem"), ca.ders("/etc/certsrv/chain.pem")
    assert ca.directory(f"CN={ca.name},CN=Enrollment Services") == [mine]
    assert mine in ca.directory("CN=NTAuthCertificates")
    assert ca.directory(f"CN={ca.name},CN=AIA") == [mine]
    assert ca.directory(f"CN={ROOT},CN=Certification Authorities") == [root]
    assert ca.directory(f"CN={ca.name},CN=Certification Authorities") == []  # it is no root


def test_renewed_with_a_new_key(ca):
    """Both certificates are good for enrollment, for logons and for chains."""
    before = ca.ders("/etc/certsrv/ca.pem")
    ca.lab.kinit_admin(ca.host)
    ca.certsrv("ca", "renew", "--new-key")
    assert ca.ders("/etc/certsrv/ca.pem") == before  # until the answer is there
    ca.certsrv("ca", "install-certificate", ca.answer("--years", "1"), "--no-templates", "--no-gpo")
    certs = ca.ders("/etc/certsrv/ca.pem")
    assert certs[:-1] == before and len(certs) == 2
    assert set(ca.directory(f"CN={ca.name},CN=Enrollment Services")) == set(certs)
    assert set(certs) <= set(ca.directory("CN=NTAuthCertificates"))
    assert set(ca.directory(f"CN={ca.name},CN=AIA")) >= set(certs)
    shown = json.loads(ca.certsrv("ca", "list", "--json"))["certificates"]
    assert [c["key_index"] for c in shown] == [0, 1]


def test_it_issues_and_answers_for_both_keys(ca, lab):
    """CRLs of both keys in the directory (72); a certificate that ends with the CA's (97); OCSP under each key."""
    ca.ldb("ldbadd", input=template_ldif(TEMPLATE, "1.3.6.1.4.1.311.21.8.1.2.9.1", READ + FULL + enroll_for("DC"), **{
        "msPKI-Minimal-Key-Size": 256, "pKIKeyUsage": b"\x80\x00", "msPKI-Template-Schema-Version": 4,
        "pKIExpirationPeriod": struct.pack("<q", -2 * 365 * 86400 * 10**7),
        "msPKI-RA-Application-Policies": "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`"}))
    ca.ldb("ldbmodify", input=f"dn: CN={ca.name},CN=Enrollment Services,{PKS_DN}\nchangetype: modify\n"
                              f"add: certificateTemplates\ncertificateTemplates: {TEMPLATE}\n\n")
    conf = ca.host.path("/etc/certsrv/certsrv.conf")
    conf.write_text(conf.read_text() + "\n[http]\naddress = 0.0.0.0\n[directory]\nrefresh = 1s\n")
    ca.start()
    ca.wait_log(r"base CRL number \d+ is in the directory", count=2)
    assert len({e["key_index"] for e in ca.events(72)}) == 2
    assert not ca.events(93)  # NTAuth has what signs
    new = ca.ask("under-new")
    issuers = ca.certs()
    assert x509.load_der_x509_certificate(new).not_valid_after == issuers[1].not_valid_after
    assert [e["request_id"] for e in ca.events(97)] == [str(max(r["id"] for r in ca.rows() if r["disp"] == 20))]
    # what the old key signed: the OCSP signer's own certificate under it
    rows = ca.rows("id, disp, issuer, hex(serial) as serial")
    old = next(r["serial"] for r in rows if r["issuer"] == 0 and r["disp"] == 20)
    for i, c in enumerate(issuers):
        lab.pc1.path(f"/run/sub{i}.pem").write_bytes(c.public_bytes(Encoding.PEM))
    lab.pc1.path("/run/adroot.pem").write_text(ca.host.path("/etc/certsrv/chain.pem").read_text())
    lab.pc1.path("/run/subs.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in issuers))

    def status(issuer, *which):
        out = lab.pc1.run("openssl", "ocsp", "-issuer", f"/run/sub{issuer}.pem", *which, "-url",
                          f"http://{ca.host.fqdn}/ocsp", "-CAfile", "/run/adroot.pem", "-verify_other", "/run/subs.pem",
                          check=False)
        assert "Response verify OK" in out.stdout + out.stderr, (out.stdout, out.stderr)
        return re.search(r": (good|revoked|unknown)", out.stdout)[1]

    lab.pc1.path("/run/new.pem").write_bytes(x509.load_der_x509_certificate(new).public_bytes(Encoding.PEM))
    assert status(1, "-cert", "/run/new.pem") == "good"
    assert status(0, "-serial", f"0x{old}") == "good"
    # the OCSP key is gone with its process: new certificates under both keys, the same answers
    said = len(re.findall("new certificate for OCSP", ca.text()))
    ca.certsrv("revoke", max(r["id"] for r in ca.rows() if r["disp"] == 20 and r["id"] in
                             {int(e["request_id"]) for e in ca.events(97)}))
    os.kill(ca.pids("sign")[0], signal.SIGKILL)
    ca.wait_log("new certificate for OCSP", count=said + 2)
    assert status(0, "-serial", f"0x{old}") == "good"
    assert status(1, "-cert", "/run/new.pem") == "revoked"


def test_events_of_what_cannot_be(ca, build, lab):
    """A CRL that is late (65, 67), a CA that cannot start (100)."""
    assert ca.stop() == 0
    conf = ca.host.path("/etc/certsrv/certsrv.conf")
    kept = conf.read_text()
    conf.write_text(kept.replace("[ca]\n", "[ca]\ncrl-period = 1h\ncrl-overlap = 10m\n", 1))
    folder = ca.host.path("/var/lib/certsrv/crl")
    with lab.ca1.clock(build) as wrong_by:
        ca.start()
        ca.wait_log(r"base CRL number \d+ was published", count=2)
        folder.rename(folder.with_name("crl.away"))
        folder.write_text("in the way")
        wrong_by(3600 + 8 * 60)
        ca.wait_log("was to be replaced a while ago", count=2)
        ca.stop()
    assert ca.events(65) and {e["key_index"] for e in ca.events(67)} == {"0", "1"}
    folder.unlink()
    folder.with_name("crl.away").rename(folder)
    conf.write_text(kept)
    db = ca.host.path("/var/lib/certsrv/db/ca.sqlite")
    db.rename(db.with_name("away"))
    process = ca.host.start(ca.program, "-f", log=ca.log, env=NO_LEAKS)
    assert process.popen.wait(20) != 0
    db.with_name("away").rename(db)
    assert "process db ended" in ca.events(100)[-1]["text"] and "no database" in ca.text()
