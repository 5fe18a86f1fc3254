# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""ICertRequestD and ICertRequestD2 as impacket's DCOM client sees them: activation on port 135,
OXID resolution, every method, all over Kerberos."""
import pytest

from ca import FULL, READ, Ca, dcom, enroll_for, make_csr

MACHINE = "LabMachine"
PROPTYPE_LONG, PROPTYPE_BINARY, PROPTYPE_STRING = 1, 3, 4
CR_PROP_CANAME, CR_PROP_CASIGCERT, CR_PROP_TEMPLATES, CR_PROP_BASECRL = 6, 12, 29, 17
E_INVALIDARG = 0x80070057


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build, key="p256")
    ca.setup({MACHINE: (READ + FULL + enroll_for("DC"), {})})
    ca.start()
    ca.wait_log("base CRL number")
    yield ca
    ca.stop()


@pytest.fixture
def ask(lab, ca):
    lab.pc1.kinit_machine()
    return lambda method, *options, name=ca.name: dcom(lab.pc1, ca.host.fqdn, method, name, *options)


def text(answer):
    assert answer.get("hresult") == 0, answer
    return bytes.fromhex(answer["value"]).decode("utf-16le").rstrip("\0")


@pytest.mark.parametrize("method", ["Request", "Request2"])
def test_enrolls(lab, ca, ask, method):
    csr = make_csr(lab.pc1, method)
    got = ask(method, "--csr", csr, "--attributes", f"CertificateTemplate:{MACHINE}")
    assert got.get("disposition") == 3, (got, ca.text())
    assert got["message"] == "Issued"
    lab.pc1.path("/run/ca.pem").write_text(ca.host.path("/etc/certsrv/ca.pem").read_text())
    lab.pc1.run("openssl", "verify", "-CAfile", "/run/ca.pem", input=got["certificate"])
    # the same bytes again give the same certificate, not a second one
    again = ask(method, "--csr", csr, "--attributes", f"CertificateTemplate:{MACHINE}")
    assert (again["request_id"], again["certificate"]) == (got["request_id"], got["certificate"])


def test_full_response(lab, ca, ask):
    """CR_IN_FULLRESPONSE (MS-WCCE 3.2.1.4.2.1.4.8.2): a CMC response signed by the CA, for a
    certificate and for a refusal; CR_IN_CRLS puts the CRL in."""
    csr = make_csr(lab.pc1, "full")
    got = ask("Request2", "--csr", csr, "--flags", 0x40000 | 0x80000,
              "--attributes", f"CertificateTemplate:{MACHINE}")
    assert got.get("disposition") == 3, (got, ca.text())
    for answer in (got, ask("Request2", "--csr", csr, "--flags", 0x40000,
                            "--attributes", "CertificateTemplate:NoSuchTemplate")):
        text = lab.pc1.run("xxd -r -p | openssl cms -verify -noverify -inform DER -CAfile /run/ca.pem "
                           "-out /run/body.der; openssl asn1parse -inform DER -in /run/body.der",
                           input=answer["chain"], check=False)
        assert "CMS Verification successful" in text.stderr, text.stderr
        assert ":id-cmc-statusInfo" in text.stdout or "1.3.6.1.5.5.7.7.1" in text.stdout, text.stdout
    printed = lab.pc1.run("xxd -r -p | openssl cms -cmsout -print -inform DER", input=got["chain"]).stdout
    assert "eContentType: id-cct-PKIResponse" in printed
    assert f"issuer: CN={ca.name}" in printed and "d.crl" in printed


def test_pings(ask):
    assert ask("Ping")["hresult"] == 0
    assert ask("Ping2")["hresult"] == 0


def test_ca_certificate(ca, ask):
    pem = ca.host.path("/etc/certsrv/ca.pem").read_text()
    der = ca.host.run("openssl x509 -outform DER | xxd -p | tr -d '\\n'", input=pem).stdout
    assert ask("GetCAProperty", "--prop", f"{CR_PROP_CASIGCERT},0,{PROPTYPE_BINARY}")["value"] == der
    assert ask("GetCACert", "--chain", 0)["value"] == der


def test_properties(ca, ask):
    assert text(ask("GetCAProperty", "--prop", f"{CR_PROP_CANAME},0,{PROPTYPE_STRING}")) == ca.name
    templates = text(ask("GetCAProperty", "--prop", f"{CR_PROP_TEMPLATES},0,{PROPTYPE_STRING}"))
    assert templates.split("\n")[0] == MACHINE
    assert len(ask("GetCAProperty", "--prop", f"{CR_PROP_BASECRL},0,{PROPTYPE_BINARY}")["value"]) > 200
    assert ask("GetCAPropertyInfo")["count"] > 20


def test_refusals(ask):
    def refused(*words, **named):
        return ask(*words, **named)["status"]  # impacket makes an exception of it

    assert refused("GetCAProperty", "--prop", f"{CR_PROP_CANAME},0,{PROPTYPE_LONG}") == E_INVALIDARG
    assert refused("GetCAProperty", "--prop", f"9999,0,{PROPTYPE_LONG}") == E_INVALIDARG
    assert refused("Ping", name="Another CA") == E_INVALIDARG
