# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Policy files at the CA, with a real directory: all violations at once, names from AD, audit only, deny without
a policy, a broken file that stops its own template alone."""
import datetime
import email.utils
import ipaddress
import json
import re
import time

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

import wcce
from wcce import ISSUED

INVALID_NAME, TEMPLATE_DENIED, NTE_FAIL = 0x800B0114, 0x80094012, 0x80090020
STAPLE = "1.3.6.1.5.5.7.1.24"

WEB = """
<Subject><SubjectRule><Field>commonName</Field><Mandatory>true</Mandatory><MaxLength>64</MaxLength><Patterns>
<Pattern><Expression>^[-_a-zA-Z0-9]*\\.lab\\.example$</Expression></Pattern></Patterns></SubjectRule></Subject>
<SubjectAlternativeName><SubjectRule><Field>iPAddress</Field><Patterns><Pattern><Expression>10.0.0.0/8</Expression>
<TreatAs>Cidr</TreatAs></Pattern></Patterns></SubjectRule></SubjectAlternativeName>
<SupplementDnsNames>true</SupplementDnsNames>
<CrlDistributionPoints><string>http://%1/%3%8.crl</string></CrlDistributionPoints>
<CustomCertificateExtensions><CustomCertificateExtension><Oid>1.3.6.1.5.5.7.1.24</Oid><Value>MAMCAQU=</Value>
</CustomCertificateExtension></CustomCertificateExtensions>
"""
PERSON = """
<DirectoryServicesMapping>
<AllowedSecurityGroups><string>CN=Domain Users,CN=Users,DC=lab,DC=example</string></AllowedSecurityGroups>
<DisallowedSecurityGroups><string>CN=Domain Admins,CN=Users,DC=lab,DC=example</string></DisallowedSecurityGroups>
<AllowedOrganizationalUnits><string>DC=lab,DC=example</string></AllowedOrganizationalUnits>
<AddSidUniformResourceIdentifier>true</AddSidUniformResourceIdentifier>
</DirectoryServicesMapping>
<OutboundSubject><OutboundSubjectRule><Field>commonName</Field><Value>{ad:sAMAccountName} ({ad:title})</Value>
<Mandatory>true</Mandatory><Force>true</Force></OutboundSubjectRule><OutboundSubjectRule><Field>organizationName</Field>
<Value>ACME</Value></OutboundSubjectRule></OutboundSubject>
"""


def csr(key, names, sans=()):
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(oid, value) for oid, value in names]))
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Policy:
    def __init__(self, ca, build):
        self.ca, self.program = ca, build / "prog/certsrv/certsrv"
        self.dir = ca.host.path("/etc/certsrv/policy")
        self.dir.mkdir(exist_ok=True)

    def certsrv(self, *words, code=0):
        out = self.ca.host.run(self.program, *[str(w) for w in words], check=False, env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout + out.stderr

    def put(self, **files):
        """These files and no others, in force."""
        for path in self.dir.glob("*.xml"):
            path.unlink()
        for name, text in files.items():
            (self.dir / f"{name}.xml").write_text(f"<CertificateRequestPolicy>{text}</CertificateRequestPolicy>\n")
        line = r"policy files: \d+, \d+ of them broken"
        count = len(re.findall(line, self.ca.text()))
        self.certsrv("policy", "reload")
        self.ca.wait_log(line, count=count + 1)


@pytest.fixture(scope="module")
def policy(ca, build):
    ca.configure("policy", events="yes")
    ca.configure("ca", request_dates="yes")
    ca.restart()
    files = Policy(ca, build)
    yield files
    files.put()
    ca.configure("policy", events="no")
    ca.configure("ca", request_dates="no")
    ca.restart()


def told(ca, answer):
    """What certsrvd-policy says of a request, which its file may have a moment after the answer."""
    end = time.monotonic() + 5
    while not (said := [int(e["event"]) for e in ca.events() if e.get("source") == "certsrvd-policy"
                        and e.get("request_id") == str(answer["id"])]) and time.monotonic() < end:
        time.sleep(0.1)
    return said


def ask(witness, request, template="Ruled"):
    return witness.one(("icpr", {"request": request, "attributes": f"CertificateTemplate:{template}"}))


def test_every_violation_is_told(ca, policy):
    """One answer, one row, one event, with all that is wrong; the file tried beforehand says the same."""
    bad = csr(wcce.rsa_key(), [(NameOID.COUNTRY_NAME, "XX"), (NameOID.COMMON_NAME, "www.evil.example")],
              [x509.IPAddress(ipaddress.ip_address("192.168.1.1"))])
    policy.put(Ruled=WEB)
    ca.host.path("/run/bad.csr").write_bytes(bad)
    tried = json.loads(policy.certsrv("policy", "try", "/etc/certsrv/policy/Ruled.xml", "/run/bad.csr", "--json", code=8))
    texts = [v["text"] for v in tried["violations"]]
    assert len(texts) == 3 and {v["hresult_symbol"] for v in tried["violations"]} == {"CERT_E_INVALID_NAME"}
    explained = json.loads(policy.certsrv("policy", "try", "/etc/certsrv/policy/Ruled.xml", "/run/bad.csr", "--as", "PC1$",
                                          "--json", code=8))
    [decided] = [c for c in explained["checks"] if c["outcome"] == "decided"]
    assert (decided["rule"], [r["text"] for r in decided["reasons"]]) == ("policy.file", texts)
    answer = ask(ca.machine(), bad)
    assert answer["disposition"] == INVALID_NAME, answer
    row = ca.row(answer["id"])
    assert row["disp"] == 31 and row["message"] == "Denied by Policy Module  0x800b0114, " + "; ".join(texts)
    assert answer["message"] == row["message"]
    event = ca.events(53)[-1]
    assert event["request_id"] == str(answer["id"])
    assert event["reasons"].endswith("; ".join(f"rules.{k}: {t}" for k, t in zip(["subject", "subject", "san"], texts)))
    assert told(ca, answer) == [6]


def test_what_is_kept_is_issued_as_the_file_says(ca, policy):
    policy.put(Ruled=WEB)
    answer = ask(ca.machine(), csr(wcce.rsa_key(), [(NameOID.COMMON_NAME, "www.lab.example")]), "Ruled\nSAN:dns=evil.example")
    assert answer["disposition"] == ISSUED, answer
    assert told(ca, answer) == [12, 14]
    tbs = asn1.Certificate.load(answer["cert"])["tbs_certificate"]
    found = {e["extn_id"].dotted: e for e in tbs["extensions"]}
    assert found[STAPLE]["extn_value"].parsed.native == [5] and not found[STAPLE]["critical"].native
    assert found["2.5.29.17"]["extn_value"].parsed.native == ["www.lab.example"]
    ca.host.path("/run/ruled.pem").write_text(wcce.pem(answer["cert"]))
    text = ca.host.run("openssl", "x509", "-noout", "-text", "-in", "/run/ruled.pem").stdout
    assert f"URI:http://{ca.host.fqdn}/Lab%20CA.crl" in text and "status_request" in text, text
    assert ca.host.run("openssl", "verify", "-CAfile", "/etc/certsrv/ca.pem", "/run/ruled.pem").stdout.endswith("OK\n")


def test_dates_of_the_request(ca, policy):
    """StartDate and ValidityPeriod, with a configuration that accepts them: decided, signed, and refused where they
    make no sense."""
    policy.put()
    start = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=1)
    named = csr(wcce.rsa_key(), [(NameOID.COMMON_NAME, "www.lab.example")])
    when = email.utils.format_datetime(start, usegmt=True)
    answer = ask(ca.machine(), named, f"Ruled\nStartDate:{when}\nValidityPeriod:Days\nValidityPeriodUnits:2")
    assert answer["disposition"] == ISSUED, answer
    validity = asn1.Certificate.load(answer["cert"])["tbs_certificate"]["validity"]
    assert validity["not_before"].native == start
    assert validity["not_after"].native == start + datetime.timedelta(days=2)
    answer = ask(ca.machine(), named, "Ruled\nExpirationDate:tomorrow")
    assert answer["disposition"] == 0x8007076D and "no date of RFC 2616" in answer["message"], answer


def test_names_from_the_directory(ca, policy):
    """Attributes of the requester's object, its groups (the primary one, too) and its SID; who may not, may not."""
    policy.put(RuledPerson=PERSON)
    person = ca.person("alice")
    alice = "CN=alice,CN=Users,DC=lab,DC=example"
    answer = ask(person, csr(wcce.rsa_key(), []), "RuledPerson")
    assert answer["disposition"] == TEMPLATE_DENIED and "{ad:title}, which has no value" in answer["message"], answer
    ca.modify(f"dn: {alice}\nchangetype: modify\nreplace: title\ntitle: Chief\n\n")
    try:
        answer = ask(person, csr(wcce.rsa_key(), []), "RuledPerson")
        assert answer["disposition"] == ISSUED, answer
        ca.host.path("/run/ruled.pem").write_text(wcce.pem(answer["cert"]))
        subject = ca.host.run("openssl", "x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", "/run/ruled.pem").stdout
        assert subject == "subject=CN=alice (Chief),O=ACME\n"
        uris = [n.native for n in asn1.Certificate.load(answer["cert"]).subject_alt_name_value
                if n.name == "uniform_resource_identifier"]
        assert uris == [f"tag:microsoft.com,2022-09-14:sid:{ca.sid('alice')}"]
        policy.put(RuledPerson=PERSON.replace("CN=Domain Users", "CN=Domain Guests"))
        answer = ask(person, csr(wcce.rsa_key(), []), "RuledPerson")
        assert answer["disposition"] == TEMPLATE_DENIED and "in no group that is allowed" in answer["message"], answer
    finally:
        ca.modify(f"dn: {alice}\nchangetype: modify\ndelete: title\n\n")


def test_audit_only(ca, policy):
    """What would be denied is issued, as asked for, with event 5."""
    policy.put(Ruled="<AuditOnly>true</AuditOnly>" + WEB)
    answer = ask(ca.machine(), csr(wcce.rsa_key(), [(NameOID.COMMON_NAME, "www.evil.example")]))
    assert answer["disposition"] == ISSUED, answer
    names = [e["extn_id"].dotted for e in asn1.Certificate.load(answer["cert"])["tbs_certificate"]["extensions"]]
    assert STAPLE not in names and "2.5.29.17" not in names, names
    event = ca.events(5)[-1]
    assert event["request_id"] == str(answer["id"]) and "www.evil.example" in event["reasons"]
    assert told(ca, answer) == [5, 12]
    assert "0x800b0114" in event["reasons"]


def test_a_broken_file_and_no_file(ca, policy):
    """The broken one denies its own template; without the setting those without a file are as ever."""
    machine, good = ca.machine(), csr(wcce.rsa_key(), [(NameOID.COMMON_NAME, "www.lab.example")])
    policy.put(Ruled="<Subjekt/>")
    assert "Ruled.xml:1:27: unknown element <Subjekt>" in policy.certsrv("policy", "check", "/etc/certsrv/policy/Ruled.xml",
                                                                       code=1)
    event = ca.events(10)[-1]
    assert event["template"] == "Ruled" and "Ruled.xml:1:27" in event["text"]
    answer = ask(machine, good)
    assert answer["disposition"] == NTE_FAIL and "Ruled.xml:1:27: unknown element" in answer["message"], answer
    assert told(ca, answer) == [10]
    answer = ask(machine, csr(wcce.rsa_key(), []), "Machine")
    assert answer["disposition"] == ISSUED and told(ca, answer) == [7], answer
    answer = ask(ca.person("alice"), csr(wcce.rsa_key(), []), "Machine")
    assert answer["disposition"] == TEMPLATE_DENIED and told(ca, answer) == [11], answer
    # certsrvd sees by itself that it was repaired
    taken = "policy files: 1, 0 of them broken"
    before = ca.text().count(taken)
    (policy.dir / "Ruled.xml").write_text(f"<CertificateRequestPolicy>{WEB}</CertificateRequestPolicy>")
    ca.wait_log(taken, count=before + 1)
    assert ask(ca.machine(), good)["disposition"] == ISSUED


def test_a_host_name_that_others_bear(ca, policy):
    """CVE-2022-26923: a file that takes dNSHostName from the directory does so only while nobody else says the same."""
    policy.put(Ruled="""
<Subject><SubjectRule><Field>commonName</Field><Patterns><Pattern><Expression>.</Expression></Pattern></Patterns></SubjectRule>
</Subject><DirectoryServicesMapping><CertificateAttribute>commonName</CertificateAttribute>
<DirectoryServicesAttribute>sAMAccountName</DirectoryServicesAttribute><ObjectCategory>computer</ObjectCategory>
</DirectoryServicesMapping><OutboundSubjectAlternativeName><OutboundSubjectRule><Field>dNSName</Field>
<Value>{ad:dNSHostName}</Value><Mandatory>true</Mandatory></OutboundSubjectRule></OutboundSubjectAlternativeName>""")
    answer = ask(ca.machine(), csr(wcce.rsa_key(), [(NameOID.COMMON_NAME, "PC1$")]))
    assert answer["disposition"] == ISSUED, answer
    assert asn1.Certificate.load(answer["cert"]).subject_alt_name_value.native == [ca.lab.pc1.fqdn]
    ca.lab.samba_tool("computer", "create", "PC9")
    dn = ca.lab.ldbsearch("(sAMAccountName=PC9$)", "dn")[0]["dn"][0]
    ca.modify(f"dn: {dn}\nchangetype: modify\nreplace: dNSHostName\ndNSHostName: {ca.host.fqdn}\n-\n\n")
    try:
        answer = ask(ca.machine(), csr(wcce.rsa_key(), [(NameOID.COMMON_NAME, "CA1$")]))
        assert (answer["disposition"], answer["cert"]) == (0x8009480F, b""), answer
        assert ca.events(53)[-1]["check_id"] == "deny.duplicate-name"
    finally:
        ca.modify(f"dn: {dn}\nchangetype: delete\n\n")  # samba-tool would take the host's DNS entries away as well


def test_deny_without_policy(ca, policy):
    policy.put(Ruled=WEB)
    ca.configure("policy", required="yes")
    ca.restart()
    try:
        answer = ask(ca.machine(), csr(wcce.rsa_key(), []), "Machine")
        assert answer["disposition"] == NTE_FAIL and "no policy file" in answer["message"], answer
        assert told(ca, answer) == [8]
        good = csr(wcce.rsa_key(), [(NameOID.COMMON_NAME, "www.lab.example")])
        assert ask(ca.machine(), good)["disposition"] == ISSUED
    finally:
        ca.configure("policy", required="no")
        ca.restart()
