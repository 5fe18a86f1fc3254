# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What tests say to our CA through wcce_client.py (impacket), and what they send:
requests made with python3-cryptography, and with asn1crypto where they are not to be
well-formed."""

from asn1crypto import cms, core, csr as csr_asn1, x509 as x509_asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

ISSUED, DENIED, PENDING = 3, 2, 5
ENROLL_DENIED, TEMPLATE_DENIED = 0x80094011, 0x80094012


class Witness:
    """An impacket session on a host, as whoever has tickets there:

        Witness(lab.pc1, ca).run(("icpr", {"request": csr}))
    """

    def __init__(self, host, ca, cache="/run/krb5cc_0", **session):
        self.host, self.cache = host, cache
        self.session = {"server": ca.host.fqdn, "authority": ca.name, **session}

    def run(self, *steps, timeout=60):
        """Steps are names or (name, arguments); returns their answers."""
        steps = [(s, {}) if isinstance(s, str) else s for s in steps]
        for _, arguments in steps:
            if isinstance(arguments.get("request"), bytes):
                arguments["request"] = arguments["request"].hex()
        out = self.host.impacket("wcce_client", {**self.session, "steps": steps}, self.cache, timeout)
        for answer in out:
            if isinstance(answer.get("cert"), str):
                answer["cert"], answer["chain"] = bytes.fromhex(answer["cert"]), bytes.fromhex(answer["chain"])
        return out

    def one(self, *steps, **kw):
        """The last step's answer; the others must not have failed."""
        out = self.run(*steps, **kw)
        for answer in out[:-1]:
            assert "error" not in answer, answer
        return out[-1]


def rsa_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def ec_key(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


class Raw(x509.UnrecognizedExtension):
    def __init__(self, oid, value):
        super().__init__(x509.ObjectIdentifier(oid), value)


def pkcs10(key, extensions=(), subject="", digest=hashes.SHA256(), renews=None):
    """DER of a request for key; renews: the certificate (DER) it names as the one to be renewed."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    if renews is not None:
        return renewal_pkcs10(key, renews, extensions, names)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, digest).public_bytes(serialization.Encoding.DER)


def renewal_pkcs10(key, renews, extensions, names):
    """python3-cryptography writes no attribute that is not a string: put in, and signed again."""
    plain = pkcs10(key, extensions, names[0].value if names else "")
    info = csr_asn1.CertificationRequest.load(plain)["certification_request_info"]
    parts = [info["version"].dump(), info["subject"].dump(), info["subject_pk_info"].dump()]
    kept = b"".join(a.dump() for a in info["attributes"] or [])
    info = tlv(0x30, b"".join(parts) + tlv(0xA0, kept + attribute("1.3.6.1.4.1.311.13.1", renews)))
    if isinstance(key, rsa.RSAPrivateKey):
        alg = tlv(0x30, core.ObjectIdentifier("1.2.840.113549.1.1.11").dump() + b"\x05\x00")
        made = key.sign(info, padding.PKCS1v15(), hashes.SHA256())
    else:
        alg = tlv(0x30, core.ObjectIdentifier("1.2.840.10045.4.3.2").dump())
        made = key.sign(info, ec.ECDSA(hashes.SHA256()))
    return tlv(0x30, info + alg + core.BitString(tuple(int(b) for byte in made for b in f"{byte:08b}")).dump())


def template_extension(oid, major=100, minor=1):
    """szOID_CERTIFICATE_TEMPLATE, MS-WCCE 2.2.2.7.7.2."""
    class Template(core.Sequence):
        _fields = [("id", core.ObjectIdentifier), ("major", core.Integer), ("minor", core.Integer)]

    return Raw("1.3.6.1.4.1.311.21.7", Template({"id": oid, "major": major, "minor": minor}).dump()), False


def v1_extension(name):
    """szOID_ENROLL_CERTTYPE_EXTENSION."""
    return Raw("1.3.6.1.4.1.311.20.2", core.BMPString(name).dump()), False


def without_proof(der):
    """The same request with its last signature bit flipped."""
    return der[:-1] + bytes([der[-1] ^ 1])


def tlv(tag, body):
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x80 | (n.bit_length() + 7) // 8]) + n.to_bytes(
        (n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + body


def digest_of(data):
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


def attribute(oid, value):
    """One Attribute of a CMS in DER, with one value in DER."""
    return tlv(0x30, core.ObjectIdentifier(oid).dump() + tlv(0x31, value))


def signer(content_type, content, key, cert=None, signed=b"", unsigned=b""):
    """A SignerInfo in DER: by the key's identifier, or by issuer and serial number of a certificate (DER).
    signed, unsigned: further attributes in DER."""
    one = attribute("1.2.840.113549.1.9.3", core.ObjectIdentifier(content_type).dump())
    two = attribute("1.2.840.113549.1.9.4", core.OctetString(digest_of(content)).dump())
    attrs = b"".join(sorted([one, two] + ([signed] if signed else [])))
    if isinstance(key, rsa.RSAPrivateKey):
        signature, alg = key.sign(tlv(0x31, attrs), padding.PKCS1v15(), hashes.SHA256()), "1.2.840.113549.1.1.11"
        algorithm = tlv(0x30, core.ObjectIdentifier(alg).dump() + b"\x05\x00")
    else:
        signature, alg = key.sign(tlv(0x31, attrs), ec.ECDSA(hashes.SHA256())), "1.2.840.10045.4.3.2"
        algorithm = tlv(0x30, core.ObjectIdentifier(alg).dump())
    if cert is None:
        ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
        version, sid = 3, tlv(0x80, ski)
    else:
        parsed = x509_asn1.Certificate.load(cert)
        version, sid = 1, tlv(0x30, parsed.issuer.dump() + core.Integer(parsed.serial_number).dump())
    return tlv(0x30, core.Integer(version).dump() + sid + tlv(0x30, core.ObjectIdentifier("2.16.840.1.101.3.4.2.1").dump())
               + tlv(0xA0, attrs) + algorithm + core.OctetString(signature).dump()
               + (tlv(0xA1, unsigned) if unsigned else b""))


def signed_data(content_type, content, signers, certs=()):
    """A ContentInfo with signed-data in DER; signers are SignerInfos."""
    sha256 = tlv(0x30, core.ObjectIdentifier("2.16.840.1.101.3.4.2.1").dump())
    encap = tlv(0x30, core.ObjectIdentifier(content_type).dump() + tlv(0xA0, core.OctetString(content).dump()))
    data = tlv(0x30, core.Integer(3).dump() + tlv(0x31, sha256) + encap
               + (tlv(0xA0, b"".join(certs)) if certs else b"") + tlv(0x31, b"".join(signers)))
    return tlv(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.2").dump() + tlv(0xA0, data))


CMC_DATA, DATA = "1.3.6.1.5.5.7.12.2", "1.2.840.113549.1.7.1"
REG_INFO, NAME_VALUE_PAIR = "1.3.6.1.5.5.7.7.18", "1.3.6.1.4.1.311.13.2.1"


def reg_info(**pairs):
    """The RegInfo control: Name=Value&Name=Value."""
    text = "&".join(f"{k}={v}" for k, v in pairs.items()).encode()
    return tlv(0x30, core.Integer(2).dump() + core.ObjectIdentifier(REG_INFO).dump()
               + tlv(0x31, core.OctetString(text).dump()))


def pair(name, value):
    """The attribute szENROLLMENT_NAME_VALUE_PAIR."""
    return attribute(NAME_VALUE_PAIR, tlv(0x30, core.BMPString(name).dump() + core.BMPString(value).dump()))


def cmc(key, request, controls=b"", by=(), unsigned=b""):
    """A CMC full request with one PKCS#10, signed with the new key the way Windows does
    (signer by subject key identifier), and by others: (key, certificate in DER).  MS-WCCE 2.2.2.6.3."""
    tagged = tlv(0xA0, core.Integer(1).dump() + request)
    pki_data = tlv(0x30, tlv(0x30, controls) + tlv(0x30, tagged) + tlv(0x30, b"") + tlv(0x30, b""))
    signers = [signer(CMC_DATA, pki_data, key, unsigned=unsigned)]
    signers += [signer(CMC_DATA, pki_data, k, cert) for k, cert in by]
    return signed_data(CMC_DATA, pki_data, signers, [cert for _, cert in by])


def cms_around(request, by):
    """A CMS around a PKCS#10: by is [(key, certificate, signed attributes)]."""
    signers = [signer(DATA, request, key, cert, signed) for key, cert, signed in by]
    return signed_data(DATA, request, signers, [cert for _, cert, _ in by])


def certificate(der):
    return x509.load_der_x509_certificate(der)


def extensions(der):
    """{dotted oid: (critical, value in DER)}, by asn1crypto; a doubled one is an error."""
    out = {}
    for e in x509_asn1.Certificate.load(der)["tbs_certificate"]["extensions"]:
        oid = e["extn_id"].dotted
        assert oid not in out
        out[oid] = (e["critical"].native, e["extn_value"].contents)
    return out


def sid_in(der):
    """The SID of szOID_NTDS_CA_SECURITY_EXT (MS-WCCE 2.2.2.7.7.4) read by asn1crypto."""
    value = extensions(der)["1.3.6.1.4.1.311.25.2"][1]
    names = x509_asn1.GeneralNames.load(value, strict=True)
    assert len(names) == 1 and names[0].name == "other_name"
    other = names[0].chosen
    assert other["type_id"].native == "1.3.6.1.4.1.311.25.2.1"
    inner = other["value"].parsed
    assert isinstance(inner, core.OctetString)
    return inner.native.decode("ascii")





def certs_in(chain):
    """The certificates of a certs-only CMS, in DER."""
    info = cms.ContentInfo.load(chain, strict=True)
    assert info["content_type"].native == "signed_data"
    data = info["content"]
    assert len(data["signer_infos"]) == 0
    return [c.chosen.dump() for c in data["certificates"]]


def upns_in(der):
    """The principal names among the alternative names."""
    out = []
    for name in x509_asn1.Certificate.load(der).subject_alt_name_value or []:
        if name.name == "other_name" and name.chosen["type_id"].native == "1.3.6.1.4.1.311.20.2.3":
            assert isinstance(name.chosen["value"].parsed, core.UTF8String)
            out.append(name.chosen["value"].native)
    return out


def pem(der):
    return certificate(der).public_bytes(serialization.Encoding.PEM).decode()


def other_signature(key, other):
    """A request for key, signed by other."""
    mine, theirs = pkcs10(key), pkcs10(other)
    return mine[:-256] + theirs[-256:]


def rsa_from(p, q, e=65537):
    d = pow(e, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    return numbers.private_key()


def prime(bits, above=None, coprime=65537):
    """A prime of so many bits, or the next one above."""
    from Cryptodome.Util import number

    n = above or number.getRandomNBitInteger(bits) | 3 << bits - 2
    n |= 1
    while True:
        n += 2
        if (n - 1) % coprime and number.isPrime(n):
            return n


def fermat_key():
    """Two primes that lie close together: factored by Fermat's method at once."""
    p = prime(1024)
    return rsa_from(p, prime(1024, p + 2))


def small_exponent_key():
    return rsa.generate_private_key(3, 2048)


def self_made(ca, like, key):
    """A certificate like another, with the same names and serial number, that its own key signed."""
    old, issuer = certificate(like), certificate(ca)
    builder = x509.CertificateBuilder().subject_name(old.subject).issuer_name(issuer.subject) \
        .public_key(key.public_key()).serial_number(old.serial_number) \
        .not_valid_before(old.not_valid_before).not_valid_after(old.not_valid_after)
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
