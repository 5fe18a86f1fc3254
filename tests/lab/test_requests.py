# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Requests that are broken, wrong or cunning, over ICertPassage: a clear denial with the right
HRESULT, nothing signed, nobody contacted, and nothing of them in a certificate."""
import datetime
import hashlib
import os
import re
import struct
import time

import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ObjectIdentifier

import wcce
from ca import PKS_DN
from labca import AIA, CDP, CLIENT_AUTH, MACHINES, SERVER_AUTH
from wcce import ISSUED, Raw

KEY = wcce.rsa_key()
EC_KEY = wcce.ec_key()


def ask(witness, request, template="Machine", **more):
    more.setdefault("attributes", f"CertificateTemplate:{template}" if template else "")
    return witness.one(("icpr", {"request": request, **more}))


def refused(ca, answer, *codes):
    """No certificate, and one of these codes: as disposition, or as result of the method."""
    assert "error" not in answer, answer
    assert answer["cert"] == b"" and answer["disposition"] != ISSUED, answer
    code = answer["hresult"] or answer["disposition"]
    assert code in codes, f"0x{code:08x}: {answer}"


# ---- bytes that are no request ----

GOOD = wcce.pkcs10(KEY)
ASN1 = set(range(0x80093100, 0x80093200)) | {0x8007000D, 0x80091004}


@pytest.mark.parametrize("name, request_", [
    ("nothing", b""), ("a byte", b"\x30"), ("zeros", bytes(500)), ("text", b"-----BEGIN NEW CERTIFICATE REQUEST-----"),
    ("half", GOOD[:len(GOOD) // 2]), ("all but one", GOOD[:-1]), ("one more", GOOD + b"\0"),
    ("indefinite length", b"\x30\x80" + GOOD[4:] + b"\0\0"),
    ("a length of 4 GiB", b"\x30\x84\xff\xff\xff\xff" + GOOD[4:]),
    ("a length of 2^64", b"\x30\x88" + b"\xff" * 8 + GOOD[4:]),
    ("nested 20000 deep", b"\x30\x80" * 20000),
    ("a certificate", None),
    ("an empty sequence", b"\x30\x00"),
])
def test_bytes_that_are_no_request(ca, name, request_):
    before = ca.count()
    request_ = ca.der if name == "a certificate" else request_
    answer = ask(ca.machine(), request_)
    refused(ca, answer, *ASN1, 0x80070057)
    assert ca.count() == before  # what does not parse leaves no row


@pytest.mark.parametrize("flags, codes", [
    (0x200, {0x80091004}), (0x300, ASN1), (0x400, ASN1), (0x500, {0x8009481E}), (0x600, {0x80091004})])
def test_a_form_that_is_not_what_the_flags_say(ca, flags, codes):
    refused(ca, ask(ca.machine(), GOOD, flags=flags), *codes)


@pytest.mark.parametrize("flag", [0x00200000, 0x04000000, 0x08000000])
def test_flags_this_ca_does_not_do(ca, flag):
    refused(ca, ask(ca.machine(), GOOD, flags=flag), 0x80070032)


# ---- who holds the key? ----

def without_signature():
    """RFC 2797 3.3.3.1: a bare hash in place of the signature; alone it proves nothing."""
    info = core.Sequence.load(GOOD)
    body = bytes(info[0].dump())
    alg = bytes.fromhex("300b0609608648016503040201")  # sha-256
    value = core.BitString.load(b"\x03\x21\x00" + hashlib.sha256(body).digest()).dump()
    content = body + alg + value
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


@pytest.mark.parametrize("name, request_", [
    ("a bit of the signature", wcce.without_proof(GOOD)),
    ("another key's signature", wcce.other_signature(KEY, wcce.rsa_key())),
    ("a bit of an EC signature", wcce.without_proof(wcce.pkcs10(EC_KEY))),
    ("no signature", without_signature()),
])
def test_the_proof_of_possession_is_wrong(ca, name, request_):
    answer = ask(ca.machine(), request_)
    refused(ca, answer, 0x80090006, *ASN1)
    if name != "no signature":
        assert ca.row(answer["id"])["disp"] == 30  # parsed and refused: it leaves a failed row
        assert answer["disposition"] == 0x80090006


def test_a_cmc_whose_signer_holds_another_key(ca):
    inner = wcce.without_proof(GOOD)
    refused(ca, ask(ca.machine(), wcce.cmc(wcce.rsa_key(), inner)), 0x80090006, 0x8009200E, *ASN1)


def test_a_signature_with_sha1(ca):
    answer = ask(ca.machine(), wcce.pkcs10(KEY, digest=hashes.SHA1()))
    refused(ca, answer, 0x80094016)


# ---- which template? ----

@pytest.mark.parametrize("extensions, attributes, code", [
    ([], "", 0x80094801),
    ([], "ccm:pc1.lab.example", 0x80094801),
    ([], "CertificateTemplate:NoSuchTemplate", 0x80094800),
    ([], "CertificateTemplate:Withheld", 0x80094800),
    ([], "CertificateTemplate:*", 0x80094800),
    ([], "CertificateTemplate:Machine)(cn=*", 0x80094800),
    ([], "CertificateTemplate:" + "A" * 1000, 0x80094800),
    ([("oid", "Machine")], "CertificateTemplate:Web", 0x80094802),
    ([("name", "Machine")], "CertificateTemplate:Web", 0x80094802),
    ([("oid", "Machine"), ("name", "MachineOld")], "", 0x80094802),
    ([("version", "Machine", 101, 0)], "", 0x80094807),
    ([("version", "Machine", 100, 2)], "", 0x80094807),
    ([], "CertificateTemplate:Nobody", 0x80094012),
    ([], "CertificateTemplate:Agents", 0x80094809),
    ([], "CertificateTemplate:Archived", 0x80094804),
    ([], "CertificateTemplate:AnyPurpose", 0x80094800),
    ([], "CertificateTemplate:Web", 0x80094001),
])
def test_a_template_that_is_wrong(ca, extensions, attributes, code):
    made = []
    for kind, name, *version in extensions:
        made.append(wcce.v1_extension(name) if kind == "name" else wcce.template_extension(ca.oid[name], *version))
    answer = ask(ca.machine(), wcce.pkcs10(KEY, made), attributes=attributes)
    refused(ca, answer, code)
    assert f"0x{code:08x}" in answer["message"]
    assert ca.row(answer["id"])["disp"] == 31


def test_esc1_a_name_of_ones_own_choice(ca):
    """ESC1."""
    refused(ca, ask(ca.machine(), wcce.pkcs10(KEY, subject="Administrator"), "WebClient"), 0x80094001)


def test_esc4_a_change_is_told(ca):
    """ESC4: what somebody made of a template that is offered is an event, with what it was and what it is."""
    before = len(ca.events(4))
    ca.modify(f"dn: CN=MachineStrong,CN=Certificate Templates,{PKS_DN}\nchangetype: modify\n"
              "replace: msPKI-Minimal-Key-Size\nmsPKI-Minimal-Key-Size: 3073\n\n")
    end = time.monotonic() + 20
    while len(ca.events(4)) == before and time.monotonic() < end:
        time.sleep(0.1)
    [event] = ca.events(4)[before:]
    assert "MachineStrong" in event["text"] and "msPKI-Minimal-Key-Size 3072 -> 3073" in event["text"], event
    ca.modify(f"dn: CN=MachineStrong,CN=Certificate Templates,{PKS_DN}\nchangetype: modify\n"
              "replace: msPKI-Minimal-Key-Size\nmsPKI-Minimal-Key-Size: 3072\n\n")
    ca.wait_directory()


def test_esc17_a_server_s_name(ca):
    """ESC17: a computer names itself, by its dNSHostName or a service's name, and nobody else."""
    pc1 = ca.lab.pc1.fqdn
    ca.lab.samba_tool("spn", "add", "HTTP/www.lab.example:8443", "PC1$")
    ca.restart()  # what a test before asked about PC1 is kept for a minute
    ca.add_template("Served", MACHINES, **{"msPKI-Certificate-Name-Flag": 1, "ekus": [SERVER_AUTH]})
    for name, code in (("wsus.lab.example", 0x80094001), (ca.lab.dc1.fqdn, 0x80094001), (pc1, None), ("www.lab.example", None)):
        san = (general_names(x509.DNSName(name)), False)
        answer = ask(ca.machine(), wcce.pkcs10(KEY, [san], subject="Our web server"), "Served")
        if code:
            refused(ca, answer, code)
            assert name in answer["message"], answer
        else:
            assert answer["disposition"] == ISSUED, answer
            assert wcce.certificate(answer["cert"]).extensions.get_extension_for_class(
                x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [name]
    refused(ca, ask(ca.machine(), wcce.pkcs10(KEY, subject=ca.lab.dc1.fqdn), "Served"), 0x80094001)
    ca.unpublish("Served")


def test_esc13_a_policy_that_is_a_group(ca):
    """ESC13: an issuance policy linked to a group is for its members; the link and the group's SID are the directory's."""
    policy, lab = "1.3.6.1.4.1.311.21.8.1.2.4.1300", ca.lab
    lab.samba_tool("group", "add", "Vault", "--group-scope=Universal")
    [group] = lab.ldbsearch("(sAMAccountName=Vault)", "cn")
    ca.ldb("ldbadd", input=f"dn: CN=Vault,CN=OID,{PKS_DN}\nobjectClass: msPKI-Enterprise-Oid\nflags: 2\n"
                           f"msPKI-Cert-Template-OID: {policy}\nmsDS-OIDToGroupLink: {group['dn'][0]}\n\n")
    ca.add_template("Vault", MACHINES, **{"msPKI-Certificate-Policy": policy})
    answer = ask(ca.machine(), wcce.pkcs10(KEY), "Vault")
    refused(ca, answer, 0x80094012)
    assert "Vault" in answer["message"] and policy in answer["message"], answer
    assert ca.row(answer["id"])["disp"] == 31
    lab.samba_tool("group", "addmembers", "Vault", "PC1$")
    answer = ask(ca.machine(), wcce.pkcs10(KEY), "Vault")
    assert answer["disposition"] == ISSUED, answer
    assert "2.5.29.32" in wcce.extensions(answer["cert"])
    ca.unpublish("Vault")
    # domain controllers add universal groups alone, and one with members gives without a certificate what the policy gives
    assert not [line for line in ca.text().splitlines() if "Cellar" in line]
    ca.wait_log(f"{policy} is linked to CN=Vault,.* not empty.*ESC13")
    lab.samba_tool("group", "add", "Cellar", "--group-scope=Global")
    [cellar] = lab.ldbsearch("(sAMAccountName=Cellar)", "cn")
    ca.ldb("ldbadd", input=f"dn: CN=Cellar,CN=OID,{PKS_DN}\nobjectClass: msPKI-Enterprise-Oid\nflags: 2\n"
                           f"msPKI-Cert-Template-OID: {policy}.1\nmsDS-OIDToGroupLink: {cellar['dn'][0]}\n\n")
    ca.wait_log(f"{policy}.1 is linked to CN=Cellar,.* no universal security group")
    lab.kinit_admin(ca.host)
    said = ca.host.run(ca.build / "prog/certsrv/certsrv", "template", "publish", "Vault").stdout
    assert "ESC13" in said and "CN=Vault" in said
    ca.unpublish("Vault")
    ca.ldb("ldbdel", f"CN=Cellar,CN=OID,{PKS_DN}")


# ---- keys ----

@pytest.mark.parametrize("key, template, code", [
    (lambda: wcce.rsa_key(1024), "Machine", 0x80094811),
    (lambda: wcce.rsa_key(2048), "MachineStrong", 0x80094811),
    (lambda: wcce.rsa_key(2048), "MachineEc", 0x80090008),
    (lambda: EC_KEY, "Machine", 0x80094811),
    (wcce.fermat_key, "Machine", 0x80094016),
    (wcce.small_exponent_key, "Machine", None),
])
def test_weak_keys(ca, key, template, code):
    answer = ask(ca.machine(), wcce.pkcs10(key()), template)
    if code is None:
        assert "error" not in answer
        return
    refused(ca, answer, code)


# ---- size ----

@pytest.mark.parametrize("size", [70_000, 200_000])
def test_a_request_that_is_too_large(ca, size):
    big = wcce.pkcs10(KEY, [(Raw("1.2.3.4.5", core.OctetString(os.urandom(size)).dump()), False)])
    before = ca.count()
    refused(ca, ask(ca.machine(), big), 0x8007000D, 0x80070057)
    assert ca.count() == before


def test_a_request_that_is_much_too_large(ca):
    """Beyond what a message may be: a fault or the end of the connection."""
    before = ca.count()
    n = 3_000_000
    stub = struct.pack("<8I", 0, 0, 0, 0, 0, n, 1, n) + bytes(n)
    answer = ca.machine(samba="spnego").one(("icpr_raw", {"stub": stub.hex()}))
    assert "error" in answer, str(answer)[:500]
    assert ca.count() == before
    assert ask(ca.machine(), GOOD).get("disposition") == ISSUED


@pytest.mark.parametrize("attributes", [
    "\n".join(f"a{i}:b" for i in range(1000)) + "\nCertificateTemplate:Machine",
    "x:" + "y" * 30_000,
    "\0", ":::", "\n" * 500,
])
def test_attributes_that_are_too_many_or_none(ca, attributes):
    answer = ask(ca.machine(), GOOD, attributes=attributes)
    assert answer.get("cert", b"") == b"" or answer["disposition"] == ISSUED, answer
    assert ask(ca.machine(), wcce.pkcs10(KEY)).get("disposition") == ISSUED


@pytest.mark.parametrize("blob", ["00", "4100420043", "00d8", "ffff", "41000000420043000000"])
def test_attributes_that_are_no_string(ca, blob):
    """An odd length, half a surrogate pair, two strings."""
    answer = ask(ca.machine(), GOOD, blob=blob)
    assert answer.get("cert", b"") == b"" and (answer.get("hresult") or answer.get("disposition") != ISSUED), answer


# ---- attributes that want something ----

@pytest.fixture(scope="module")
def evil(ca):
    """evil.lab.example has an address, and nobody is there."""
    ca.lab.samba_tool("dns", "add", "dc1", "lab.example", "evil", "A", "192.0.2.99", "-U",
                      f"{ca.lab.admin}%{ca.lab.admin_password}")


# Somebody is there whom a CA might ask: Kerberos, LDAP, SMB; says who came.  (Port 135 is the CA's own, everywhere.)
LISTEN = """
import selectors, socket
s = selectors.DefaultSelector()
for port in (88, 389, 445):
    t = socket.create_server(("127.0.0.9", port))
    u = socket.socket(type=socket.SOCK_DGRAM)
    u.bind(("127.0.0.9", port))
    s.register(t, 1), s.register(u, 1)
print("there")
while True:
    for key, _ in s.select():
        print("somebody came", key.fileobj.getsockname())
        key.fileobj.accept() if key.fileobj.type == socket.SOCK_STREAM else key.fileobj.recv(9)
"""


@pytest.fixture
def watched(ca, evil):
    """ca1 with packet counters: to the host that requests name, and to anybody but dc1 and
    whoever asks.  Yields a function that reads them."""
    ca.host.run("nft", "-f", "-", input=f"""table ip watch {{
        chain out {{ type filter hook output priority 0;
            ip daddr 192.0.2.99 counter
            ip daddr 127.0.0.9 counter
            oifname != "lo" ip daddr != {ca.lab.dc1.address} ct state new ct direction original counter
        }}
    }}
    """)

    def read():
        rules = ca.host.run("nft", "list", "table", "ip", "watch").stdout
        return [int(n) for n in re.findall(r"counter packets (\d+)", rules)]

    heard = ca.host.path("/run/heard")
    with ca.host.start("/usr/bin/python3", "-u", "-c", LISTEN, log=heard):
        end = time.monotonic() + 5
        while "there" not in heard.read_text():
            assert time.monotonic() < end, heard.read_text()
            time.sleep(0.02)
        read.heard = lambda: heard.read_text().splitlines()[1:]
        yield read
    ca.host.run("nft", "delete", "table", "ip", "watch")


def test_the_watch_sees_something(ca, watched):
    ca.host.run("python3 -c \"import socket; socket.socket(type=2).sendto(b'x', ('192.0.2.99', 9))\"")
    assert watched()[0] == 1 and watched()[2] == 1 and watched.heard() == []
    ca.host.run("python3 -c \"import socket; socket.create_connection(('127.0.0.9', 389))\"")
    assert watched()[1] > 1 and len(watched.heard()) == 1


@pytest.mark.parametrize("attribute", [
    "ccm:evil.lab.example", "cdc:evil.lab.example", "rmd:evil.lab.example", "cdc:192.0.2.99", "rmd:127.0.0.9",
    "san:upn=administrator@lab.example&dns=dc1.lab.example", "SAN:dns=dc1.lab.example",
    "certfile:\\\\evil.lab.example\\share\\x", "requestername:LAB\\Administrator", "whatever:192.0.2.99",
    "CertificateUsage:1.3.6.1.4.1.311.20.2.1", "ExpirationDate:Tue, 19 Jan 2038 03:14:07 GMT",
    "ValidityPeriod:Years\nValidityPeriodUnits:50",
])
def test_esc6_attributes_are_logged_and_ignored(ca, watched, attribute):
    plain = ask(ca.machine(), wcce.pkcs10(KEY))
    answer = ask(ca.machine(), wcce.pkcs10(KEY), attributes=f"CertificateTemplate:Machine\n{attribute}")
    assert answer["disposition"] == ISSUED, answer
    assert watched() == [0, 0, 0] and watched.heard() == []
    event = [e for e in ca.events(6) if e["request_id"] == str(answer["id"])]
    for line in attribute.split("\n"):
        assert f"ignored \"{line.split(':')[0]}\"" in event[0]["reasons"], event
    assert wcce.extensions(answer["cert"]) == wcce.extensions(plain["cert"])
    dates = [(c.not_valid_after - c.not_valid_before) for c in map(wcce.certificate, (plain["cert"], answer["cert"]))]
    assert dates[0] == dates[1] == datetime.timedelta(days=365)


def test_cve_2026_54121_the_requester_s_host_is_never_asked(ca, watched):
    """Not even while somebody is denied, or nothing parses; where somebody would answer, and where nobody is."""
    for host in ("evil.lab.example", "127.0.0.9"):
        for template in ("Machine", "Nobody", "NoSuchTemplate", "Person"):
            ask(ca.machine(), wcce.pkcs10(KEY), attributes=f"CertificateTemplate:{template}\ncdc:{host}\nrmd:{host}")
        ask(ca.machine(), b"garbage", attributes=f"cdc:{host}")
    assert watched() == [0, 0, 0] and watched.heard() == []


# ---- extensions of the request ----

def general_names(*names):
    return x509.SubjectAlternativeName(names)


def cunning(ca):
    """Every extension somebody might want to smuggle into a certificate."""
    forged = bytes.fromhex("303ba039060a2b060104018237190201a02b0429") + b"S-1-5-21-1111111111-2222222222-333333-500"
    other = ObjectIdentifier
    return [
        (x509.BasicConstraints(True, None), True),
        (x509.KeyUsage(True, True, True, True, True, True, True, False, False), True),
        (x509.ExtendedKeyUsage([other("1.3.6.1.4.1.311.20.2.1"), other("1.3.6.1.4.1.311.20.2.2"),
                                other("2.5.29.37.0")]), False),
        (Raw("1.3.6.1.4.1.311.21.10", bytes.fromhex("300c300a06082b06010505070302")), False),  # ESC15
        (Raw("1.3.6.1.4.1.311.21.11", b"\x30\x00"), False),
        (Raw("1.3.6.1.4.1.311.21.12", b"\x30\x00"), False),
        (Raw("1.3.6.1.4.1.311.25.2", forged), False),
        (Raw("1.3.6.1.4.1.311.21.1", b"\x02\x01\x00"), False),
        (Raw("1.3.6.1.4.1.311.21.2", b"\x04\x14" + bytes(20)), False),
        (general_names(x509.DNSName("dc1.lab.example"), x509.RFC822Name("administrator@lab.example"),
                       x509.OtherName(other("1.3.6.1.4.1.311.20.2.3"),
                                      core.UTF8String("administrator@lab.example").dump())), False),
        (x509.IssuerAlternativeName([x509.DNSName("evil.lab.example")]), False),
        (x509.NameConstraints([x509.DNSName("lab.example")], None), True),
        (x509.CertificatePolicies([x509.PolicyInformation(other("1.2.3.4"), ["http://evil.lab.example"])]), False),
        (x509.PolicyConstraints(0, 0), True),
        (x509.InhibitAnyPolicy(0), True),
        (x509.CRLDistributionPoints([x509.DistributionPoint(
            [x509.UniformResourceIdentifier("http://evil.lab.example/crl")], None, None, None)]), False),
        (x509.FreshestCRL([x509.DistributionPoint(
            [x509.UniformResourceIdentifier("http://evil.lab.example/crl")], None, None, None)]), False),
        (x509.AuthorityInformationAccess([x509.AccessDescription(
            other("1.3.6.1.5.5.7.48.2"), x509.UniformResourceIdentifier("http://evil.lab.example/ca"))]), False),
        (x509.SubjectKeyIdentifier(b"\1" * 20), False),
        (x509.AuthorityKeyIdentifier(b"\2" * 20, None, None), False),
        (x509.OCSPNoCheck(), False), (x509.TLSFeature([x509.TLSFeatureType.status_request]), False),
        (Raw("2.16.840.1.113730.1.1", b"\x03\x02\x00\x07"), False),
        (Raw("1.3.6.1.4.1.311.20.2", core.BMPString("Machine").dump()), False),
        wcce.template_extension(ca.oid["Machine"], 100, 0),
        (Raw("1.2.3.4.5.6.7", b"\x05\x00"), True),
    ]


def expected(ca, key, names):
    """The extensions that template Machine says, written down by hand: {oid: (critical, DER)}."""
    spki = asn1_x509.Certificate.load(names["cert"])["tbs_certificate"]["subject_public_key_info"]
    ski = hashlib.sha1(bytes(spki["public_key"])).digest()
    issuer = asn1_x509.Certificate.load(ca.der).key_identifier
    uri = [asn1_x509.GeneralName("uniform_resource_identifier", CDP)]
    sid = ca.sid("PC1$").encode()

    def tlv(tag, *parts):
        body = b"".join(parts)
        assert len(body) < 128
        return bytes([tag, len(body)]) + body

    def oid(text):
        return core.ObjectIdentifier(text).dump()

    eku = tlv(0x30, oid(CLIENT_AUTH), oid(SERVER_AUTH))
    return {
        "2.5.29.15": (True, bytes.fromhex("030205a0")),
        "2.5.29.37": (False, eku),
        "1.3.6.1.4.1.311.21.7": (False, tlv(0x30, oid(ca.oid["Machine"]), b"\x02\x01\x64", b"\x02\x01\x01")),
        "1.3.6.1.4.1.311.21.10": (False, tlv(0x30, tlv(0x30, oid(CLIENT_AUTH)), tlv(0x30, oid(SERVER_AUTH)))),
        "2.5.29.17": (False, tlv(0x30, tlv(0x82, ca.lab.pc1.fqdn.encode()))),
        "1.3.6.1.4.1.311.25.2": (False, tlv(0x30, tlv(0xA0, oid("1.3.6.1.4.1.311.25.2.1"),
                                                      tlv(0xA0, tlv(0x04, sid))))),
        "2.5.29.14": (False, tlv(0x04, ski)),
        "2.5.29.35": (False, tlv(0x30, tlv(0x80, issuer))),
        "2.5.29.31": (False, tlv(0x30, tlv(0x30, tlv(0xA0, tlv(0xA0, uri[0].dump()))))),
        "1.3.6.1.5.5.7.1.1": (False, tlv(0x30, tlv(0x30, oid("1.3.6.1.5.5.7.48.2"), tlv(0x86, AIA.encode())))),
    }


@pytest.mark.parametrize("form", ["pkcs10", "cmc"])
def test_esc15_the_extensions_are_the_template_s_byte_for_byte(ca, form):
    request = wcce.pkcs10(KEY, cunning(ca), subject="Administrator")
    answer = ask(ca.machine(), wcce.cmc(KEY, request) if form == "cmc" else request)
    assert answer["disposition"] == ISSUED, answer
    assert wcce.certificate(answer["cert"]).subject.rfc4514_string() == f"CN={ca.lab.pc1.fqdn}"
    assert wcce.extensions(answer["cert"]) == expected(ca, KEY, answer)
    event = [e for e in ca.events(6) if e["request_id"] == str(answer["id"])]
    assert "extensions of the request stay out" in event[0]["reasons"]


def test_esc15_where_the_name_is_chosen_only_the_name_is(ca):
    """ENROLLEE_SUPPLIES_SUBJECT takes names, and of the extensions nothing else."""
    wish = [e for e in cunning(ca) if not isinstance(e[0], Raw) or e[0].oid.dotted_string not in (
        "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7")]
    answer = ask(ca.machine(), wcce.pkcs10(KEY, wish, subject="www.lab.example"), "Web")
    assert answer["disposition"] == ISSUED, answer
    plain = ask(ca.machine(), wcce.pkcs10(KEY, [wish[9]], subject="www.lab.example"), "Web")
    assert wcce.extensions(answer["cert"]) == wcce.extensions(plain["cert"])
    assert wcce.sid_in(answer["cert"]) == ca.sid("PC1$")


# ---- the answer ----

def test_the_crl_comes_along_when_asked_for(ca):
    """CR_IN_CRLS, also without a full response; and never without a certificate (3.2.1.4.2.1.4.8.1)."""
    key = wcce.rsa_key()
    plain, with_crl, denied = ca.machine().run(*[
        ("icpr", {"request": wcce.pkcs10(key, subject=str(flags)), "attributes": f"CertificateTemplate:{template}",
                  "flags": flags}) for template, flags in (("Machine", 0), ("Machine", 0x80000), ("Nobody", 0x80000))])
    chain = cms.ContentInfo.load(with_crl["chain"], strict=True)["content"]
    [crl] = chain["crls"]
    assert crl.chosen.dump() == ca.host.path(f"/var/lib/certsrv/crl/{ca.name}.crl").read_bytes()
    assert not cms.ContentInfo.load(plain["chain"], strict=True)["content"]["crls"]
    assert denied["disposition"] == wcce.TEMPLATE_DENIED and denied["chain"] == b""
