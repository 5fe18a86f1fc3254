# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What lib/pki writes, read by implementations that are not ours.

Each object is parsed by at least two of OpenSSL's tools, GnuTLS, NSS,
asn1crypto and cryptography; fields and signatures must agree with what
samples.c put in.
"""
import os
import shutil
import subprocess
import time

import pytest
from asn1crypto import cms, core, crl, csr, pem, x509
from cryptography import x509 as cx509
from cryptography.x509.oid import ExtensionOID

NOW = int(time.time())  # certtool has no other time to verify at
SETS = ["ec", "rsa", "pss", "p384"]
SID = "S-1-5-21-1004336348-1177238915-682003330-11040"
TEMPLATE = ("1.3.6.1.4.1.311.21.8.11034890.834619.12601478.16236816."
            "7255827.176.1.7")


def run(*args, data=None, ok=True):
    p = subprocess.run(args, input=data, capture_output=True, timeout=60)
    out = (p.stdout + p.stderr).decode("utf-8", "replace")
    assert not ok or p.returncode == 0, f"{args}: {out}"
    return out


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    d = tmp_path_factory.mktemp("samples")
    run(os.environ["PKI_SAMPLES"], str(d), str(NOW))
    for s in SETS:
        for what in ("root", "leaf"):
            der = (d / f"{s}-{what}.der").read_bytes()
            (d / f"{s}-{what}.pem").write_bytes(
                pem.armor("CERTIFICATE", der))
    return d


@pytest.fixture(params=SETS)
def kind(request):
    return request.param


def need(tool):
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"no {tool} here")
    return path


# -- certificates ---------------------------------------------------------

def test_openssl_verifies_the_chain(samples, kind):
    out = run("openssl", "verify", "-x509_strict", "-attime", str(NOW),
              "-CAfile", samples / f"{kind}-root.pem",
              samples / f"{kind}-leaf.pem")
    assert out.strip().endswith("OK")


def test_gnutls_verifies_the_chain(samples, kind):
    out = run(need("certtool"), "--verify",
              "--load-ca-certificate", samples / f"{kind}-root.pem",
              "--infile", samples / f"{kind}-leaf.pem")
    assert "Verified. The certificate is trusted" in out


def test_nss_verifies_the_chain(samples, kind, tmp_path):
    certutil, vfychain = need("certutil"), need("vfychain")
    run(certutil, "-N", "-d", tmp_path, "--empty-password")
    run(certutil, "-A", "-d", tmp_path, "-n", "ca", "-t", "CT,C,C",
        "-i", samples / f"{kind}-root.pem", "-a")
    t = subprocess.run(["date", "-u", "-d", f"@{NOW}", "+%y%m%d%H%M%SZ"],
                       capture_output=True, check=True)
    out = run(vfychain, "-d", tmp_path, "-b", t.stdout.decode().strip(),
              "-u", "0", "-a", samples / f"{kind}-leaf.pem")
    assert "Chain is good" in out


def exts(cert):
    return {e["extn_id"].dotted: e for e in
            cert["tbs_certificate"]["extensions"]}


class OtherName(core.Sequence):
    _fields = [("type", core.ObjectIdentifier),
               ("value", core.OctetString, {"explicit": 0})]


class SidExtension(core.Sequence):
    _fields = [("other", OtherName, {"implicit": 0})]


class TemplateV2(core.Sequence):
    _fields = [("id", core.ObjectIdentifier), ("major", core.Integer),
               ("minor", core.Integer)]


def test_asn1crypto_reads_the_leaf(samples, kind):
    c = x509.Certificate.load(
        (samples / f"{kind}-leaf.der").read_bytes(), strict=True)
    x = exts(c)
    assert list(x) == [
        "1.3.6.1.4.1.311.21.7", "2.5.29.37", "2.5.29.15",
        "1.3.6.1.4.1.311.21.10", "2.5.29.32", "2.5.29.14", "2.5.29.35",
        "2.5.29.31", "1.3.6.1.5.5.7.1.1", "2.5.29.17",
        "1.3.6.1.4.1.311.25.2"]
    assert [o for o in x if x[o]["critical"].native] == ["2.5.29.15"]
    sid = SidExtension.load(
        x["1.3.6.1.4.1.311.25.2"]["extn_value"].contents, strict=True)
    assert sid["other"]["type"].native == "1.3.6.1.4.1.311.25.2.1"
    assert sid["other"]["value"].native == SID.encode()
    t = TemplateV2.load(
        x["1.3.6.1.4.1.311.21.7"]["extn_value"].contents, strict=True)
    assert (t["id"].native, t["major"].native, t["minor"].native) == \
        (TEMPLATE, 100, 3)
    app = x509.CertificatePolicies.load(
        x["1.3.6.1.4.1.311.21.10"]["extn_value"].contents, strict=True)
    assert [p["policy_identifier"].dotted for p in app] == \
        ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"]
    assert c.key_identifier == c.public_key.sha1
    assert c.subject.native == {
        "domain_component": ["com", "example"],
        "organizational_unit_name": "B\u00fcr,o",
        "common_name": "pc1.example.com"}


def test_cryptography_reads_the_leaf(samples, kind):
    c = cx509.load_der_x509_certificate(
        (samples / f"{kind}-leaf.der").read_bytes())
    san = c.extensions.get_extension_for_oid(
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert san.get_values_for_type(cx509.DNSName) == ["pc1.example.com"]
    assert san.get_values_for_type(cx509.RFC822Name) == ["pc1@example.com"]
    assert str(san.get_values_for_type(cx509.IPAddress)[0]) == "192.0.2.7"
    other = {o.type_id.dotted_string: o.value
             for o in san.get_values_for_type(cx509.OtherName)}
    assert core.UTF8String.load(
        other["1.3.6.1.4.1.311.20.2.3"]).native == "pc1$@example.com"
    guid = core.OctetString.load(other["1.3.6.1.4.1.311.25.1"]).native
    assert guid.hex() == "0403020106050807090a0b0c0d0e0f10"
    ku = c.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE)
    assert ku.critical and ku.value.digital_signature
    assert ku.value.key_encipherment and not ku.value.key_cert_sign
    cdp = c.extensions.get_extension_for_oid(
        ExtensionOID.CRL_DISTRIBUTION_POINTS).value
    assert [n.value for n in list(cdp)[0].full_name] == [
        "ldap:///CN=Example%20CA,CN=ca1", "http://ca1.example.com/ca.crl"]
    aia = c.extensions.get_extension_for_oid(
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    assert [(a.access_method.dotted_string, a.access_location.value)
            for a in aia] == [
        ("1.3.6.1.5.5.7.48.2", "http://ca1.example.com/ca.crt"),
        ("1.3.6.1.5.5.7.48.1", "http://ca1.example.com/ocsp")]
    assert c.serial_number == int("61010203040506070809", 16)


def test_root(samples, kind):
    c = x509.Certificate.load(
        (samples / f"{kind}-root.der").read_bytes(), strict=True)
    x = exts(c)
    assert c.ca and c.max_path_length is None
    assert x["2.5.29.19"]["critical"].native
    assert x["2.5.29.15"]["critical"].native
    assert core.Integer.load(
        x["1.3.6.1.4.1.311.21.1"]["extn_value"].contents).native == 0
    out = run("openssl", "x509", "-inform", "DER", "-noout", "-text", "-in",
              samples / f"{kind}-root.der")
    assert "CA:TRUE" in out


# -- requests -------------------------------------------------------------

def test_openssl_verifies_the_pkcs10(samples, kind):
    out = run("openssl", "req", "-inform", "DER", "-verify", "-noout", "-in",
              samples / f"{kind}-csr.der")
    assert "verify OK" in out


def test_gnutls_reads_the_pkcs10(samples, kind):
    out = run(need("certtool"), "--crq-info", "--inraw", "--infile",
              samples / f"{kind}-csr.der")
    assert "Self signature: verified" in out


def test_asn1crypto_reads_the_pkcs10(samples, kind):
    r = csr.CertificationRequest.load(
        (samples / f"{kind}-csr.der").read_bytes(), strict=True)
    attrs = {a["type"].dotted: values(a["values"]) for a in
             r["certification_request_info"]["attributes"]}
    assert list(attrs) == [
        "1.3.6.1.4.1.311.13.2.3", "1.3.6.1.4.1.311.21.20",
        "1.3.6.1.4.1.311.13.2.2", "1.3.6.1.4.1.311.13.2.1",
        "1.2.840.113549.1.9.14"]
    client = core.Sequence.load(
        attrs["1.3.6.1.4.1.311.21.20"][0].dump())
    assert [client[i].native for i in range(4)] == [
        6, "pc1.example.com", "EXAMPLE\\pc1$", "autoenrolld"]
    pairs = [[core.Sequence.load(v.dump())[i].native for i in range(2)]
             for v in attrs["1.3.6.1.4.1.311.13.2.1"]]
    assert sorted(pairs) == [["CertificateTemplate", "Machine"],
                             ["rmd", "pc1.example.com"]]


class AnySet(core.SetOf):
    _child_spec = core.Any


def values(v):
    return list(AnySet.load(v.dump(), strict=True))


class TaggedAttribute(core.Sequence):
    _fields = [("id", core.Integer), ("type", core.ObjectIdentifier),
               ("values", core.SetOf, {"spec": core.Any})]


class TaggedAttributes(core.SequenceOf):
    _child_spec = TaggedAttribute


class Tcr(core.Sequence):
    _fields = [("id", core.Integer), ("csr", csr.CertificationRequest)]


class TaggedRequest(core.Choice):
    _alternatives = [("tcr", Tcr, {"implicit": 0})]


class TaggedRequests(core.SequenceOf):
    _child_spec = TaggedRequest


class AnySeq(core.SequenceOf):
    _child_spec = core.Any


class PkiData(core.Sequence):
    _fields = [("controls", TaggedAttributes), ("requests", TaggedRequests),
               ("cms", AnySeq), ("other", AnySeq)]


def signed_data(path):
    ci = cms.ContentInfo.load(path.read_bytes(), strict=True)
    assert ci["content_type"].native == "signed_data"
    return ci["content"]


def test_cmc_structure(samples, kind):
    sd = signed_data(samples / f"{kind}-cmc.der")
    assert sd["version"].native == "v3"
    encap = sd["encap_content_info"]
    assert encap["content_type"].dotted == "1.3.6.1.5.5.7.12.2"
    pd = PkiData.load(encap["content"].contents, strict=True)
    assert len(pd["requests"]) == 1
    assert len(pd["cms"]) == 0 and len(pd["other"]) == 0
    inner = pd["requests"][0].chosen["csr"]
    assert inner.dump() == (samples / f"{kind}-csr.der").read_bytes()
    assert len(pd["controls"]) == 1
    ctl = pd["controls"][0]
    assert ctl["type"].native == "1.3.6.1.5.5.7.7.18"
    assert core.OctetString.load(ctl["values"][0].dump()).native == \
        b"CertificateTemplate=Machine&rmd=pc1.example.com"
    assert len(sd["signer_infos"]) == 1
    si = sd["signer_infos"][0]
    assert si["sid"].name == "subject_key_identifier"
    pub = inner["certification_request_info"]["subject_pk_info"]
    assert si["sid"].chosen.native == pub.sha1


def test_openssl_cms_verifies_what_has_a_certificate(samples, kind):
    """openssl cms cannot check a signer without a certificate, so it gets
    the renewals, where the old certificate comes along.  The CMC renewal has
    two signers of which only one has a certificate; -certfile supplies it
    for both, since the key is the same and the key identifier matches."""
    for what in ("cms-renewal", "cmc-renewal", "full", "pending"):
        out = run("openssl", "cms", "-verify", "-inform", "DER", "-binary",
                  "-noverify", "-in", samples / f"{kind}-{what}.der",
                  "-out", "/dev/null", "-certfile",
                  samples / f"{kind}-leaf.pem")
        assert "successful" in out, what


def test_gnutls_reads_the_signed_data(samples, kind):
    for what in ("chain", "full", "cms-renewal"):
        out = run(need("certtool"), "--p7-info", "--inder", "--infile",
                  samples / f"{kind}-{what}.der")
        assert "BEGIN CERTIFICATE" in out or "Certificate" in out


# -- answers --------------------------------------------------------------

def test_chain_is_certificates_only(samples, kind):
    sd = signed_data(samples / f"{kind}-chain.der")
    assert sd["version"].native == "v1"
    assert len(sd["digest_algorithms"]) == 0
    assert len(sd["signer_infos"]) == 0
    assert sd["encap_content_info"]["content"].native is None
    assert [c.chosen.dump() for c in sd["certificates"]] == [
        (samples / f"{kind}-{w}.der").read_bytes() for w in ("leaf", "root")]
    out = run("openssl", "pkcs7", "-inform", "DER", "-print_certs", "-noout",
              "-in", samples / f"{kind}-chain.der")
    assert out.count("subject=") == 2


class ResponseBody(core.Sequence):
    _fields = [("controls", TaggedAttributes), ("cms", AnySeq),
               ("other", AnySeq)]


def test_full_response(samples, kind):
    sd = signed_data(samples / f"{kind}-full.der")
    encap = sd["encap_content_info"]
    assert encap["content_type"].dotted == "1.3.6.1.5.5.7.12.3"
    rb = ResponseBody.load(encap["content"].contents, strict=True)
    assert [c["id"].native for c in rb["controls"]] == [1, 2]
    status = core.Sequence.load(rb["controls"][0]["values"][0].dump())
    assert status[0].native == 0 and status[2].native == "Issued"
    leaf = x509.Certificate.load(
        (samples / f"{kind}-leaf.der").read_bytes())
    assert leaf.sha1 in rb["controls"][1]["values"][0].dump()
    si = sd["signer_infos"][0]
    assert si["sid"].name == "issuer_and_serial_number"
    assert [a["type"].native for a in si["signed_attrs"]] == [
        "content_type", "message_digest"]
    assert len(sd["certificates"]) == 2


def test_pending_response(samples, kind):
    sd = signed_data(samples / f"{kind}-pending.der")
    rb = ResponseBody.load(
        sd["encap_content_info"]["content"].contents, strict=True)
    assert len(rb["controls"]) == 1
    status = core.Sequence.load(rb["controls"][0]["values"][0].dump())
    assert status[0].native == 3
    pend = core.Sequence.load(status[3].dump())
    assert pend[0].native == (42).to_bytes(4, "little")
    assert pend[1].native.timestamp() == NOW


# -- CRLs -----------------------------------------------------------------

@pytest.mark.parametrize("what", ["crl", "delta"])
def test_crl(samples, kind, what):
    path = samples / f"{kind}-{what}.der"
    out = run("openssl", "crl", "-inform", "DER", "-in", path, "-noout",
              "-CAfile", samples / f"{kind}-root.pem", "-verify")
    assert "verify OK" in out
    out = run(need("certtool"), "--crl-info", "--inder", "--infile", path)
    assert "0102" in out  # its number
    c = crl.CertificateList.load(path.read_bytes(), strict=True)
    tbs = c["tbs_cert_list"]
    x = {e["extn_id"].dotted: e for e in tbs["crl_extensions"]}
    assert c.crl_number_value.native == 258
    if what == "delta":
        assert tbs["revoked_certificates"].native is None
        assert c.delta_crl_indicator_value.native == 256
        assert "2.5.29.46" not in x
    else:
        v = tbs["revoked_certificates"]
        assert [r["user_certificate"].native for r in v] == [
            0x61000007, 0x61]
        assert v[0].crl_reason_value.native == "key_compromise"
        assert v[1].crl_reason_value is None
        assert "2.5.29.46" in x
    assert core.Integer.load(
        x["1.3.6.1.4.1.311.21.1"]["extn_value"].contents).native == 0
    assert "1.3.6.1.4.1.311.21.4" in x


def test_cryptography_reads_the_crl(samples, kind):
    c = cx509.load_der_x509_crl((samples / f"{kind}-crl.der").read_bytes())
    assert len(c) == 2
    if kind == "pss":
        return  # its API of Debian 12 does not know the algorithm
    root = cx509.load_der_x509_certificate(
        (samples / f"{kind}-root.der").read_bytes())
    assert c.is_signature_valid(root.public_key())


# -- keys -----------------------------------------------------------------

def test_private_keys(samples, kind):
    for what in ("ca", "leaf"):
        out = run("openssl", "pkey", "-in", samples / f"{kind}-{what}.key",
                  "-noout", "-check")
        assert "Key is valid" in out
        run(need("certtool"), "--key-info", "--infile",
            samples / f"{kind}-{what}.key")
