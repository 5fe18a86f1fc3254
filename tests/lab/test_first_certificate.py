# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The first certificate: impacket, Kerberos, ICertPassage, through all processes of certsrvd."""
import pytest

from ca import FULL, READ, Ca, enroll_for, icpr, make_csr

MACHINE = "LabMachine"
NOBODY = "LabNobody"


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({MACHINE: (READ + FULL + enroll_for("DC"), {}),
              NOBODY: (READ + FULL, {})})
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture
def pc1(lab):
    lab.pc1.kinit_machine()
    return lab.pc1


def openssl(host, pem, *words):
    return host.run("openssl", "x509", "-noout", *words, input=pem).stdout


def test_issued(ca, pc1):
    csr = make_csr(pc1, "first")
    got = icpr(pc1, ca.host.fqdn, csr, "--attributes", f"CertificateTemplate:{MACHINE}",
               "--ca", ca.name)
    assert got.get("disposition") == 3, (got, ca.text())
    text = openssl(pc1, got["certificate"], "-subject", "-issuer", "-ext", "subjectAltName")
    assert f"CN = {pc1.fqdn}" in text
    assert f"DNS:{pc1.fqdn}" in text
    pc1.path("/run/first.pem").write_text(got["certificate"])
    pc1.path("/run/ca.pem").write_text(ca.host.path("/etc/certsrv/ca.pem").read_text())
    pc1.run("openssl", "verify", "-CAfile", "/run/ca.pem", "/run/first.pem")
    # stored, and told
    assert {"id": got["request_id"], "disp": 20} in ca.rows()
    assert [e["request_id"] for e in ca.events(6)] == [str(got["request_id"])]


def test_denied_leaves_event_53(ca, pc1):
    csr = make_csr(pc1, "denied")
    got = icpr(pc1, ca.host.fqdn, csr, "--attributes", f"CertificateTemplate:{NOBODY}",
               "--ca", ca.name)
    assert got["disposition"] == 0x80094012, (got, ca.text())
    event = ca.events(53)[-1]
    assert event["request_id"] == str(got["request_id"])
    assert event["hresult"] == "0x80094012"
    assert {"id": got["request_id"], "disp": 31} in ca.rows()


def test_crl_is_published(ca):
    out = ca.host.run("openssl", "crl", "-inform", "DER", "-noout", "-verify", "-CAfile",
                      "/etc/certsrv/ca.pem", "-in", f"/var/lib/certsrv/crl/{ca.name}.crl")
    assert "verify OK" in out.stderr
