#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A CA that lies, in a way of its own for each template:

    lying_ca.py PROGRAM PORT HOST dcom|icpr CONFIG.json

PROGRAM is tests/tools/lying_ca, which speaks DCE/RPC with Kerberos as a CA should; what it answers is made
here, signed with the true CA's key.  CONFIG: {"ca": pem, "key": pem, "sid": our client's, "dns": its name,
"templates": {oid: lie}}.  Each lie has its row in LIES, with the reason for which a client must refuse it."""
import datetime
import json
import pathlib
import re
import subprocess
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

ISSUED, PENDING = 3, 5
TEMPLATE, SID = "1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.25.2"
DER = serialization.Encoding.DER
DAY = datetime.timedelta(days=1)
HUGE = 7 << 19  # less than a reply may have, more than an answer


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([40 * first + second])
    for number in rest:
        part = [number & 0x7f]
        while number := number >> 7:
            part.append(number & 0x7f | 0x80)
        out += bytes(reversed(part))
    return tlv(6, out)


def sid_value(sid):
    return tlv(0x30, tlv(0xa0, oid(SID + ".1"), tlv(0xa0, tlv(4, sid.encode()))))


class Answer:
    """The honest one; a lie bends it before or after it is signed."""

    def __init__(self, world, csr, template):
        now = datetime.datetime.utcnow()
        self.world, self.template = world, template
        self.key, self.signer, self.issuer = csr.public_key(), world.key, world.ca.subject
        self.sid, self.dns = world.sid, [world.dns]
        self.usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        self.begin, self.end = now - DAY, now + 300 * DAY
        self.ca, self.twice, self.raw = False, False, []
        self.chain = [world.ca]
        self.number, self.disposition, self.hresult = 7, ISSUED, 0

    def sign(self):
        b = (x509.CertificateBuilder().serial_number(x509.random_serial_number()).issuer_name(self.issuer)
             .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.world.dns)]))
             .public_key(self.key).not_valid_before(self.begin).not_valid_after(self.end))
        if self.dns:
            b = b.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in self.dns]), False)
        if self.usages:
            b = b.add_extension(x509.ExtendedKeyUsage(self.usages), False)
        if self.ca:
            b = b.add_extension(x509.BasicConstraints(True, None), True)
        if self.template:
            self.raw.append((TEMPLATE, tlv(0x30, oid(self.template), tlv(2, b"\x64"), tlv(2, b"\x01")), False))
        if self.sid:
            self.raw.append((SID, sid_value(self.sid), False))
        for name, value, critical in self.raw:
            b = b.add_extension(x509.UnrecognizedExtension(ObjectIdentifier(name), value), critical)
        return b.sign(self.signer, hashes.SHA256())

    def bytes(self):
        certs = [self.sign()]
        if self.twice:
            self.raw = []
            certs.append(self.sign())
        self.cert = certs[0].public_bytes(DER)
        self.cms = pkcs7.serialize_certificates(certs + self.chain, DER)


def root(name):
    """Another CA with a key of its own."""
    key, who = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.utcnow()
    cert = (x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - DAY).not_valid_after(now + 900 * DAY)
            .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256()))
    return key, cert


def other_key(a):
    a.key = ec.generate_private_key(ec.SECP256R1()).public_key()


def other_name(a):
    a.dns = ["dc1.lab.example"]


def no_name(a):
    a.dns = []


def other_template(a):
    a.template += ".1"


def no_template(a):
    a.template = None


def usage_missing(a):
    a.usages = a.usages[:1]


def expired(a):
    a.begin, a.end = a.begin - 300 * DAY, a.begin - DAY


def future(a):
    a.begin = a.begin + 3 * DAY


def other_ca(a):
    a.signer, ca = root("Another CA")
    a.issuer, a.chain = ca.subject, [ca]


def same_name(a):
    a.signer, ca = root("x")
    a.chain = []


def no_sid(a):
    a.sid = None


def other_sid(a):
    a.sid = a.sid.rsplit("-", 1)[0] + "-500"


def is_a_ca(a):
    a.ca = True


def chain_missing(a):
    """Below a CA of the true root that nobody knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    a.signer, a.issuer, a.chain = key, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Unknown CA")]), []


def critical(a):
    a.raw.append(("1.2.3.4.5", b"\x05\x00", True))


def two(a):
    a.twice = True


def broken_signature(a):
    a.cms = a.cms.replace(a.cert, a.cert[:-1] + bytes([a.cert[-1] ^ 1]))


def trailing(a):
    a.cms += b"\x00" * 5


def cut(a):
    a.cms = a.cms[:-9]


def garbage(a):
    a.cms = bytes(range(256)) * 4


def nothing(a):
    a.cert = a.cms = b""


def no_chain_blob(a):
    a.cms = b""


def huge(a):
    a.cms = bytes(HUGE)


def failed_call(a):
    a.hresult = 0x80094004


def unheard_of(a):
    a.disposition = 77


def no_number(a):
    a.disposition, a.number, a.cert, a.cms = PENDING, 0, b"", b""


# name: (before it is signed, after, what the client must say; the honest one is issued)
LIES = {
    "honest": (None, None, None),
    "other-key": (other_key, None, "no certificate for the key"),
    "other-name": (other_name, None, "it is not for the host"),
    "no-name": (no_name, None, "it is not for the host"),
    "other-template": (other_template, None, "it is for template"),
    "no-template": (no_template, None, "it names no template"),
    "usage-missing": (usage_missing, None, "it lacks the key usage 1.3.6.1.5.5.7.3.1"),
    "expired": (expired, None, "it has expired already"),
    "future": (future, None, "it is not valid yet"),
    "other-ca": (other_ca, None, "self-signed certificate in certificate chain"),
    "same-name": (same_name, None, "signature failure"),
    "no-sid": (no_sid, None, "it carries no SID"),
    "other-sid": (other_sid, None, "it carries the SID"),
    "is-a-ca": (is_a_ca, None, "it is a CA certificate"),
    "chain-missing": (chain_missing, None, "unable to get local issuer certificate"),
    "critical": (critical, None, "unhandled critical extension"),
    "two": (two, None, "several certificates for the key"),
    "broken-signature": (None, broken_signature, "signature failure"),
    "trailing": (None, trailing, "CMS"),
    "cut": (None, cut, "CMS"),
    "garbage": (None, garbage, "CMS"),
    "nothing": (None, nothing, "CMS"),
    "no-chain-blob": (None, no_chain_blob, "CMS"),
    "huge": (None, huge, "bytes, at most"),
    "failed-call": (None, failed_call, "0x80094004"),
    "unheard-of": (None, unheard_of, ""),
    "no-number": (None, no_number, "number"),
}


def request_in(der):
    """The PKCS#10 request that a CMC message carries: the one SEQUENCE in it that is one."""
    for at in range(len(der) - 4):
        if der[at:at + 2] != b"\x30\x82":
            continue
        try:
            return x509.load_der_x509_csr(der[at:at + 4 + int.from_bytes(der[at + 2:at + 4], "big")])
        except ValueError:
            pass
    raise ValueError("no PKCS#10 request")


class World:
    def __init__(self, conf):
        self.ca = x509.load_pem_x509_certificate(conf["ca"].encode())
        self.key = serialization.load_pem_private_key(conf["key"].encode(), None)
        self.sid, self.dns, self.lies = conf["sid"], conf["dns"], conf["templates"]

    def answer(self, der):
        csr = request_in(der)
        value = csr.extensions.get_extension_for_oid(ObjectIdentifier(TEMPLATE)).value.value
        [name] = [t for t in self.lies if oid(t) in value]
        before, after, _ = LIES[self.lies[name]]
        a = Answer(self, csr, name)
        if before:
            before(a)
        a.bytes()
        if after:
            after(a)
        return a


def main(program, port, host, way, conf):
    world = World(json.loads(pathlib.Path(conf).read_text()))
    server = subprocess.Popen([program, port, "/etc/krb5.keytab", host, way], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    while line := server.stdout.readline():
        iface, size = line.split()
        print(iface.decode(), flush=True)
        if not re.match(b"ICert", iface):
            continue
        a = world.answer(server.stdout.read(int(size)))
        server.stdin.write(f"{a.number} {a.disposition} {a.hresult} {len(a.cert)} {len(a.cms)}\n".encode()
                           + a.cert + a.cms)
        server.stdin.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
