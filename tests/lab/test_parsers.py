# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Every kind of certificate the CA issues, and its CRL, before four parsers that are not ours:
OpenSSL, GnuTLS, NSS and asn1crypto."""
import re
import subprocess

import pytest
from asn1crypto import crl as asn1_crl, x509 as asn1_x509

import wcce
from wcce import ISSUED

ENROLLED = {
    "Machine": {}, "MachineOld": {}, "MachineEc": {"key": wcce.ec_key}, "MachineStrong": {"key": lambda: wcce.rsa_key(3072)},
    "MachineUpn": {}, "NoSid": {}, "Constraints": {}, "Web": {"subject": "www.lab.example"},
    "Person": {"who": "alice"},
}


def run(*words, cwd=None, check=True, env=None):
    done = subprocess.run([str(w) for w in words], cwd=cwd, text=True, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, env=env)
    assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
    return done


@pytest.fixture(scope="module")
def issued(ca, tmp_path_factory):
    """A certificate of each template, the CA's own and the CRL, as files."""
    place = tmp_path_factory.mktemp("issued")
    for template, how in ENROLLED.items():
        witness = ca.person(how["who"]) if "who" in how else ca.machine()
        request = wcce.pkcs10(how.get("key", wcce.rsa_key)(), subject=how.get("subject", ""))
        answer = witness.one(("icpr", {"request": request, "attributes": f"CertificateTemplate:{template}"}))
        assert answer.get("disposition") == ISSUED, (template, answer)
        (place / f"{template}.der").write_bytes(answer["cert"])
        (place / f"{template}.pem").write_text(wcce.pem(answer["cert"]))
    (place / "ca.pem").write_text(wcce.pem(ca.der))
    (place / "ca.der").write_bytes(ca.der)
    crl = ca.host.path(f"/var/lib/certsrv/crl/{ca.name}.crl").read_bytes()
    (place / "ca.crl").write_bytes(crl)
    run("openssl", "crl", "-inform", "DER", "-in", place / "ca.crl", "-out", place / "crl.pem")
    run("certutil", "-N", "-d", f"sql:{place}", "--empty-password")
    run("certutil", "-A", "-d", f"sql:{place}", "-n", "ca", "-t", "CT,C,C", "-i", place / "ca.der")
    run("crlutil", "-I", "-d", f"sql:{place}", "-i", place / "ca.crl")
    return place


@pytest.mark.parametrize("template", ENROLLED)
def test_openssl(issued, template):
    out = run("openssl", "verify", "-x509_strict", "-check_ss_sig", "-crl_check", "-CAfile", issued / "ca.pem",
              "-CRLfile", issued / "crl.pem", "-purpose", "any", issued / f"{template}.pem").stdout
    assert out.endswith(": OK\n")
    text = run("openssl", "x509", "-noout", "-text", "-in", issued / f"{template}.pem").stdout
    assert "<INVALID>" not in text and "<Not Supported>" not in text


@pytest.mark.parametrize("template", ENROLLED)
def test_gnutls(issued, template):
    out = run("certtool", "--verify", "--load-ca-certificate", issued / "ca.pem", "--load-crl", issued / "crl.pem",
              "--infile", issued / f"{template}.pem").stdout
    assert "Chain verification output: Verified. The certificate is trusted." in out
    text = run("certtool", "-i", "--infile", issued / f"{template}.pem").stdout
    assert "rror" not in text, text


@pytest.mark.parametrize("template", ENROLLED)
def test_nss(issued, template):
    usage = "V" if template in ("Web", "NoSid") else "C"  # SSL server, SSL client
    run("certutil", "-A", "-d", f"sql:{issued}", "-n", template, "-t", ",,", "-i", issued / f"{template}.der")
    out = run("certutil", "-V", "-d", f"sql:{issued}", "-n", template, "-u", usage, "-e").stdout
    assert "certificate is valid" in out
    out = run("vfychain", "-d", f"sql:{issued}", "-u", "1" if usage == "V" else "0", issued / f"{template}.der")
    assert "Chain is good!" in out.stdout + out.stderr


@pytest.mark.parametrize("template", ENROLLED)
def test_they_read_the_same(issued, template):
    """Serial number, dates and names as OpenSSL, GnuTLS, NSS and asn1crypto tell them."""
    der = (issued / f"{template}.der").read_bytes()
    cert = asn1_x509.Certificate.load(der, strict=True)
    assert cert.dump(force=True) == der  # it is in DER, all of it
    tbs = cert["tbs_certificate"]
    serial = tbs["serial_number"].native
    before, after = (tbs["validity"][k].native for k in ("not_before", "not_after"))
    openssl = run("openssl", "x509", "-noout", "-serial", "-dates", "-dateopt", "iso_8601", "-in",
                  issued / f"{template}.pem").stdout
    assert int(re.search(r"serial=([0-9A-F]+)", openssl)[1], 16) == serial
    assert f"notBefore={before:%Y-%m-%d %H:%M:%S}Z" in openssl
    assert f"notAfter={after:%Y-%m-%d %H:%M:%S}Z" in openssl
    gnutls = run("certtool", "-i", "--infile", issued / f"{template}.pem").stdout
    assert int(re.search(r"Serial Number \(hex\): ([0-9a-f]+)", gnutls)[1], 16) == serial
    assert f"Not Before: {before:%a %b %d %H:%M:%S UTC %Y}" in gnutls
    store = issued / f"only-{template}"  # certificates of one subject share a nickname
    store.mkdir()
    run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
    run("certutil", "-A", "-d", f"sql:{store}", "-n", template, "-t", ",,", "-i", issued / f"{template}.der")
    nss = run("certutil", "-L", "-d", f"sql:{store}", "-n", template).stdout
    words = re.search(r"Serial Number:\s+([0-9a-f:\s]+?)\n\s+Signature", nss)[1]
    assert int(re.sub(r"[\s:]", "", words), 16) == serial


def test_f7_a_serial_is_never_used_twice(issued):
    serials = [asn1_x509.Certificate.load((issued / f"{t}.der").read_bytes()).serial_number for t in ENROLLED]
    assert len(set(serials)) == len(ENROLLED)
    assert all(0 < s < 2**(8 * 20) and s >= 2**64 for s in serials)


def test_kb5014754_the_sid_extension(ca, issued):
    """MS-WCCE 2.2.2.7.7.4, by asn1crypto: the account's own SID, in every template that authenticates."""
    for template, how in ENROLLED.items():
        der = (issued / f"{template}.der").read_bytes()
        if template == "NoSid":  # and whose template leaves it out
            assert "1.3.6.1.4.1.311.25.2" not in wcce.extensions(der)
            continue
        assert wcce.sid_in(der) == ca.sid(how.get("who", "PC1$"))
        assert not wcce.extensions(der)["1.3.6.1.4.1.311.25.2"][0]


def test_the_crl(ca, issued):
    done = run("openssl", "crl", "-inform", "DER", "-noout", "-verify", "-CAfile", issued / "ca.pem",
               "-in", issued / "ca.crl")
    assert "verify OK" in done.stderr
    out = run("certtool", "--verify-crl", "--load-ca-certificate", issued / "ca.pem", "--infile", issued / "crl.pem")
    assert "Verified. The certificate is trusted." in out.stdout + out.stderr
    nss = run("crlutil", "-L", "-d", f"sql:{issued}").stdout
    assert "ca" in nss
    der = (issued / "ca.crl").read_bytes()
    parsed = asn1_crl.CertificateList.load(der, strict=True)
    assert parsed.dump(force=True) == der
    tbs = parsed["tbs_cert_list"]
    oids = {e["extn_id"].dotted for e in tbs["crl_extensions"]}
    assert {"2.5.29.20", "2.5.29.35", "1.3.6.1.4.1.311.21.1", "1.3.6.1.4.1.311.21.4"} <= oids
    assert tbs["issuer"].dump() == asn1_x509.Certificate.load(ca.der)["tbs_certificate"]["subject"].dump()
    assert tbs["this_update"].native < tbs["next_update"].native
