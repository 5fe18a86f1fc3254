# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""certsrv explain: what it says about a request is what a real request gets, and nothing comes of asking."""
import base64
import json

import pytest

import wcce
from wcce import ISSUED, PENDING


@pytest.fixture
def explain(ca, build):
    def run(*words, request=None, code=0, text=False):
        if request is not None:
            path = ca.host.path("/run/explain.req")
            path.write_bytes(request)
            words = ("/run/explain.req", *words)
        words = [build / "prog/certsrv/certsrv", "explain", *[str(w) for w in words]]
        out = ca.host.run(*words, *([] if text else ["--json"]), check=False, env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout + out.stderr if text or code in (2, 3) else json.loads(out.stdout)
    return run


def decided(told):
    [one] = [c for c in told["checks"] if c["outcome"] == "decided"]
    return one


def test_it_says_what_a_real_request_gets(ca, explain):
    """The same HRESULT, message and reason, for requests that are denied at every stage; then for good ones."""
    weak, rsa = wcce.rsa_key(1024), wcce.rsa_key()
    requests = [
        ("PC1$", "Nobody", wcce.pkcs10(rsa), 8), ("PC1$", "Withheld", wcce.pkcs10(rsa), 8),
        ("PC1$", "NoSuch", wcce.pkcs10(rsa), 8), ("PC1$", "MachineEc", wcce.pkcs10(rsa), 8),
        ("PC1$", "Machine", wcce.pkcs10(weak), 8), ("PC1$", "Agents", wcce.pkcs10(rsa), 8),
        ("PC1$", "AnyPurpose", wcce.pkcs10(rsa), 8), ("PC1$", "Archived", wcce.pkcs10(rsa), 8),
        ("PC1$", "WebClient", wcce.pkcs10(rsa, subject="x"), 8), ("PC1$", "Person", wcce.pkcs10(rsa), 8),
        ("PC1$", "Pending", wcce.pkcs10(rsa), 9), ("PC1$", "Machine", wcce.pkcs10(rsa), 0),
    ]
    before = ca.count(), len(ca.events())
    told = [explain("--as", who, "--template", template, request=request, code=code)
            for who, template, request, code in requests]
    assert (ca.count(), len(ca.events())) == before
    answers = ca.machine().run(*[("icpr", {"request": request, "attributes": f"CertificateTemplate:{template}"})
                                 for _, template, request, _ in requests])
    for (_, template, _, code), says, real in zip(requests, told, answers):
        rules = [c["rule"] for c in says["checks"]]
        at = rules.index(decided(says)["rule"])
        assert [c["outcome"] for c in says["checks"]] == \
            ["passed"] * at + ["decided"] + ["not reached"] * (len(rules) - at - 1), template
        if code == 8:
            assert int(says["hresult"], 16) == real["disposition"], (template, says["hresult"], real)
            assert says["message"] == real["message"], template
            row = ca.row(real["id"], "id, message")
            assert row["message"] == says["message"], template
        else:
            assert real["disposition"] == {0: ISSUED, 9: PENDING}[code], real
    issued = told[-1]["certificate"]
    assert issued["sans"] == [{"type": "dns", "value": "pc1.lab.example"}]
    assert issued["sid"] == ca.sid("PC1$") == told[-1]["sid"]
    assert told[-1]["groups_from"] == "directory"
    cert = wcce.certificate(answers[-1]["cert"])
    assert sorted(e["oid"] for e in issued["extensions"]) == sorted(e.oid.dotted_string for e in cert.extensions)
    assert issued["subject"] == cert.subject.rfc4514_string()


def test_forms_and_accounts(ca, explain):
    """PEM, DER, base64 and standard input; accounts by name, UPN and SID; CMC and renewals."""
    key = wcce.rsa_key()
    der = wcce.cmc(key, wcce.pkcs10(key))
    asked = "--template", "Person", "--as"
    sid = ca.sid("alice")
    lines = base64.encodebytes(der)
    label = b"NEW CERTIFICATE REQUEST-----\n"
    for request, who in ((der, "alice"), (b"-----BEGIN " + label + lines + b"-----END " + label, "LAB\\alice"),
                         (lines, "alice@lab.example"), (base64.b64encode(der), sid)):
        told = explain(*asked, who, request=request)
        assert (told["verdict"], told["sid"], told["account"]) == ("issue", sid, "LAB\\alice"), told
    assert {"type": "upn", "value": "alice@lab.example"} in told["certificate"]["sans"]
    # what cannot be asked
    assert "no such account" in explain(*asked, "nobody", request=der, code=3)
    assert "certificate request" in explain(*asked, "alice", request=b"hello", code=4, text=True)
    assert "--as" in explain("/run/explain.req", code=2)
    explain("/run/explain.req", "--request", "1", code=2)
    # not a request of any form that the CA takes: the CA's own words
    told = explain(*asked, "alice", request=b"\x30\x03\x02\x01\x05", code=8)
    assert told["verdict"] == "fail" and decided(told)["rule"] == "request.form"
    # an attribute that means nothing is told
    told = explain("--as", "alice", "--attrib", "CertificateTemplate:Person", "--attrib", "SAN:upn=x@y",
                   request=der)
    notes = [r["text"] for c in told["checks"] if c["rule"] == "request.attributes" for r in c["reasons"]]
    assert len(notes) == 1 and "never taken" in notes[0]


def test_a_stored_request(ca, explain, build):
    """As it came, for who sent it; what waits is decided with the groups of its ticket."""
    key = wcce.rsa_key()
    wait, no = ca.machine().run(*[("icpr", {"request": wcce.pkcs10(key), "attributes": f"CertificateTemplate:{t}"})
                                  for t in ("Pending", "Nobody")])
    told = explain("--request", wait["id"], code=9)
    assert (told["verdict"], told["groups_from"], told["template"]) == ("pend", "ticket", "Pending")
    told = explain("--request", no["id"], code=8)
    assert (told["groups_from"], told["message"]) == ("directory", no["message"])
    # somebody else would not even get so far as to wait
    told = explain("--request", wait["id"], "--as", "bob", code=8)
    assert decided(told)["rule"] == "template.enroll-right"
    assert explain("--request", 999999, code=3, text=True)
    text = explain("--request", no["id"], code=8, text=True)
    assert "decided      template.enroll-right" in text and "not reached  certificate.names" in text
    assert ca.row(wait["id"])["disp"] == 9
