# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Our client's questions to our CA, on real hosts."""
import json

import pytest

from ca import FULL, READ, Ca, enroll_for, make_csr

MACHINE = "AskMachine"
NOBODY = "AskNobody"
DENIED = 0x80094012  # CERTSRV_E_TEMPLATE_DENIED


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({MACHINE: (READ + FULL + enroll_for("DC"), {}), NOBODY: (READ + FULL, {})})
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture
def ask(ca, lab, build):
    lab.pc1.kinit_machine()

    def ask(*question, way="any", name=ca.name):
        done = lab.pc1.run(build / "tests/lab/ca_ask", ca.host.fqdn, name, way, *question, check=False)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)
    return ask


def csr(lab, name):
    path = make_csr(lab.pc1, name)
    lab.pc1.run("openssl", "req", "-in", path, "-outform", "DER", "-out", path + ".der")
    return path + ".der"


def stages(got):
    return [s["stage"] if s["stage"] != "call" else s["what"] for s in got["stages"]]


def test_icpr(ask, lab):
    got = ask("request", csr(lab, "ask-icpr"), f"CertificateTemplate:{MACHINE}", way="icpr")
    assert got["rc"] == "AE_OK", got
    assert got["disposition"] == 3
    lab.pc1.path("/run/ask.der").write_bytes(bytes.fromhex(got["certificate"]))
    text = lab.pc1.run("openssl", "x509", "-inform", "DER", "-in", "/run/ask.der", "-noout", "-subject").stdout
    assert f"CN = {lab.pc1.fqdn}" in text
    assert stages(got) == ["name", "connect", "bind", "ept_map", "connect", "ticket", "bind",
                           "ICertPassage::CertServerRequest"]


def test_denied(ask, lab):
    got = ask("request", csr(lab, "ask-denied"), f"CertificateTemplate:{NOBODY}", way="icpr")
    assert got["rc"] == "AE_OK"
    assert got["disposition"] == DENIED
    assert got["certificate"] == ""


def test_wrong_ca_name(ask, lab):
    got = ask("request", csr(lab, "ask-name"), f"CertificateTemplate:{MACHINE}", way="icpr", name="Other CA")
    assert got["rc"] == "AE_OK"
    assert 0x80070057 in (got["hresult"], got["disposition"])  # E_INVALIDARG


def test_nothing_listens(ask, ca, lab):
    """The CA's host refuses, and the refusal names port and stage; both transports tell."""
    ca.host.refuse(135)
    try:
        got = ask("request", csr(lab, "ask-refused"), f"CertificateTemplate:{MACHINE}")
    finally:
        ca.host.heal()
    assert got["rc"] == "AE_EUNAVAIL", got
    assert [a["transport"] for a in got["attempts"]] == ["dcom", "icpr"]
    assert all(a["rc"] == "AE_EUNAVAIL" and ":135" in a["text"] for a in got["attempts"])


def test_only_the_ca_port_is_blocked(ask, ca, lab):
    """The classic firewall fault: 135 answers, the CA's own port does not."""
    ca.host.refuse(49500)
    try:
        got = ask("request", csr(lab, "ask-port"), f"CertificateTemplate:{MACHINE}", way="icpr")
    finally:
        ca.host.heal()
    assert got["rc"] == "AE_EUNAVAIL", got
    assert stages(got)[:4] == ["name", "connect", "bind", "ept_map"]
    assert got["stages"][-1]["what"].endswith(":49500")
