# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Requests that certificates sign: renewals with the certificate that ends, agents that ask for somebody
else (ESC3).  The messages are made with asn1crypto, byte for byte after MS-WCCE 3.1.1.4.3.2 and .3."""
import json

import pytest

import wcce
from wcce import ISSUED, PENDING

BAD_ATTRIBUTE, BAD_SUBJECT, CONFLICT, SAME_KEY = 0x8009400E, 0x80094806, 0x80094802, 0x80094816
REVOKED, NOT_OURS = 0x800B010C, 0x800B0109
RESTRICTED, NO_SUCH_USER, COUNT, REJECTED, NO_SIGNATURE = 0x80094009, 0x80070525, 0x8009480A, 0x8009480B, 0x80094809
PKCS7, CMC = 0x300, 0x400


@pytest.fixture
def certsrv(ca, build):
    def run(*words):
        out = ca.host.run(build / "prog/certsrv/certsrv", *[str(w) for w in words], check=False,
                          env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == 0, (words, out.stdout, out.stderr)
        return out.stdout
    return run


def ask(witness, request, template=None, flags=0):
    attributes = f"CertificateTemplate:{template}" if template else ""
    return witness.one(("icpr", {"request": request, "attributes": attributes, "flags": flags}))


def enrolled(witness, template, **kw):
    """A key and its certificate."""
    key = wcce.rsa_key()
    answer = ask(witness, wcce.pkcs10(key, **kw), template)
    assert answer["disposition"] == ISSUED, answer
    return key, answer["cert"]


# ---- renewal ----

def renewal(old_key, old, key=None, form=CMC, **kw):
    key = key or wcce.rsa_key()
    inner = wcce.pkcs10(key, renews=old, **kw)
    if form == CMC:
        return wcce.cmc(key, inner, by=[(old_key, old)])
    return wcce.cms_around(inner, [(old_key, old, b"")])


@pytest.mark.parametrize("form", [CMC, PKCS7])
def test_a_certificate_is_renewed(ca, form):
    old_key, old = enrolled(ca.machine(), "Machine")
    key = wcce.rsa_key()
    answer = ask(ca.machine(), renewal(old_key, old, key, form), "Machine", flags=form)
    assert answer["disposition"] == ISSUED, answer
    cert = wcce.certificate(answer["cert"])
    assert cert.public_key().public_numbers() == key.public_key().public_numbers()
    assert wcce.sid_in(answer["cert"]) == ca.sid("PC1$")
    row = ca.row(answer["id"], "id, request_flags, template")
    assert (row["request_flags"], row["template"]) == (2, "Machine")
    # a renewal of the renewal, and the old key for the new certificate
    again = ask(ca.machine(), renewal(key, answer["cert"], key), "Machine")
    assert again["disposition"] == ISSUED, again


def test_the_old_certificate_must_be_good(ca, certsrv):
    old_key, old = enrolled(ca.machine(), "Machine")
    # the attribute names another certificate than the one that signs
    other_key, other = enrolled(ca.machine(), "Machine")
    key = wcce.rsa_key()
    swapped = wcce.cmc(key, wcce.pkcs10(key, renews=old), by=[(other_key, other)])
    assert ask(ca.machine(), swapped, "Machine")["disposition"] == BAD_ATTRIBUTE
    # one that we did not issue, with our name in it
    forged = wcce.self_made(ca.der, old, old_key)
    assert ask(ca.machine(), renewal(old_key, forged), "Machine")["disposition"] == NOT_OURS
    # revoked
    certsrv("revoke", f"{wcce.certificate(old).serial_number:034x}")
    answer = ask(ca.machine(), renewal(old_key, old), "Machine")
    assert answer["disposition"] == REVOKED and answer["cert"] == b"", answer


def test_somebody_else_s_certificate(ca):
    """alice's key in bob's hands renews nothing: the ticket says who asks."""
    old_key, old = enrolled(ca.person("alice"), "Person")
    assert ask(ca.person("bob"), renewal(old_key, old), "Person")["disposition"] == BAD_SUBJECT
    assert ask(ca.person("alice"), renewal(old_key, old), "Person")["disposition"] == ISSUED


def test_templates_of_renewals(ca):
    old_key, old = enrolled(ca.machine(), "Machine")
    assert ask(ca.machine(), renewal(old_key, old), "MachineUpn")["disposition"] == CONFLICT
    # Renewed supersedes MachineEc; it waits, because nobody has approved it yet
    key = wcce.ec_key()
    ec = ask(ca.machine(), wcce.pkcs10(key), "MachineEc")
    assert ec["disposition"] == ISSUED, ec
    assert ask(ca.machine(), renewal(key, ec["cert"]), "Renewed")["disposition"] == PENDING


def test_what_was_approved_once_is_renewed_by_itself(ca, certsrv):
    """PEND_ALL_REQUESTS and PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT: the first waits, renewals do not."""
    key = wcce.rsa_key()
    first = ask(ca.machine(), wcce.pkcs10(key), "Renewed")
    assert first["disposition"] == PENDING, first
    certsrv("request", "approve", first["id"])
    got = ca.machine().one(("icpr", {"id": first["id"], "blob": ""}))
    assert got["disposition"] == ISSUED
    answer = ask(ca.machine(), renewal(key, got["cert"]), "Renewed")
    assert answer["disposition"] == ISSUED, answer
    # a new request waits as ever
    assert ask(ca.machine(), wcce.pkcs10(wcce.rsa_key()), "Renewed")["disposition"] == PENDING


def test_the_same_key(ca):
    key, old = enrolled(ca.machine(), "SameKey")
    assert ask(ca.machine(), renewal(key, old), "SameKey")["disposition"] == SAME_KEY
    assert ask(ca.machine(), renewal(key, old, key), "SameKey")["disposition"] == ISSUED


def test_the_old_names_are_kept(ca):
    """OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME: whatever the renewal says of names."""
    key, old = enrolled(ca.machine(), "WebOld", subject="web.lab.example")
    answer = ask(ca.machine(), renewal(key, old, subject="other.lab.example"), "WebOld")
    assert answer["disposition"] == ISSUED, answer
    assert wcce.certificate(answer["cert"]).subject.rfc4514_string() == "CN=web.lab.example"


# ---- agents ----

@pytest.fixture(scope="module")
def bob_the_agent(ca):
    return enrolled(ca.person("bob"), "Agent")


def for_alice(agent, name="LAB\\alice", form=CMC, key=None):
    key = key or wcce.rsa_key()
    if form == CMC:
        return wcce.cmc(key, wcce.pkcs10(key), wcce.reg_info(requestername=name), by=[agent])
    return wcce.cms_around(wcce.pkcs10(key), [(*agent, wcce.pair("requestername", name))])


@pytest.mark.parametrize("form", [CMC, PKCS7])
def test_esc3_an_agent_enrolls_for_alice(ca, bob_the_agent, form):
    answer = ask(ca.person("bob"), for_alice(bob_the_agent, form=form), "ForOthers")
    assert answer["disposition"] == ISSUED, answer
    assert wcce.sid_in(answer["cert"]) == ca.sid("alice")
    assert wcce.upns_in(answer["cert"]) == ["alice@lab.example"]
    row = ca.row(answer["id"], "id, sid, account, on_behalf, request_flags")
    assert (row["sid"], row["account"]) == (ca.sid("bob"), "LAB\\bob")
    assert (row["on_behalf"], row["request_flags"]) == ("LAB\\alice", 0x10)
    assert ca.events(6)[-1]["on_behalf"] == "LAB\\alice"


def test_esc3_nobody_else_does(ca, bob_the_agent, certsrv):
    """The matrix: each line is refused, and no certificate comes of it."""
    plain = enrolled(ca.person("bob"), "Person")
    key = wcce.rsa_key()
    unsigned = wcce.cmc(key, wcce.pkcs10(key), wcce.reg_info(requestername="LAB\\alice"))
    self_signed = (plain[0], wcce.self_made(ca.der, bob_the_agent[1], plain[0]))
    matrix = [
        ("no signature", "bob", unsigned, "ForOthers", RESTRICTED),
        ("wrong usage", "bob", for_alice(plain), "ForOthers", RESTRICTED),
        ("an agent made by himself", "bob", for_alice(self_signed), "ForOthers", RESTRICTED),
        ("replayed by another", "alice", for_alice(bob_the_agent), "ForOthers", RESTRICTED),
        ("another domain", "bob", for_alice(bob_the_agent, "OTHER\\alice"), "ForOthers", NO_SUCH_USER),
        ("nobody", "bob", for_alice(bob_the_agent, "LAB\\nobody"), "ForOthers", NO_SUCH_USER),
        ("a pattern", "bob", for_alice(bob_the_agent, "LAB\\*"), "ForOthers", NO_SUCH_USER),
        ("no domain", "bob", for_alice(bob_the_agent, "alice"), "ForOthers", RESTRICTED),
        ("a template that wants no agent", "bob", for_alice(bob_the_agent), "Person", BAD_SUBJECT),
        ("one signature of two", "bob", for_alice(bob_the_agent), "ForOthersTwice", COUNT),
        ("no name, and no agent", "bob", wcce.pkcs10(wcce.rsa_key()), "ForOthers", NO_SIGNATURE),
        ("no name, a plain certificate", "bob", wcce.cmc(key, wcce.pkcs10(key), by=[plain]), "ForOthers", REJECTED),
    ]
    for who in ("alice", "bob"):  # one session each
        mine = [row for row in matrix if row[1] == who]
        answers = ca.person(who).run(*[("icpr", {"request": request, "attributes": f"CertificateTemplate:{template}"})
                                       for _, _, request, template, _ in mine])
        for (what, _, _, _, code), answer in zip(mine, answers):
            assert (answer["disposition"], answer["cert"]) == (code, b""), (what, answer)
    certsrv("revoke", f"{wcce.certificate(bob_the_agent[1]).serial_number:034x}", "--hold")
    try:
        assert ask(ca.person("bob"), for_alice(bob_the_agent), "ForOthers")["disposition"] == RESTRICTED
    finally:
        certsrv("revoke", f"{wcce.certificate(bob_the_agent[1]).serial_number:034x}", "--release")
    assert ask(ca.person("bob"), for_alice(bob_the_agent), "ForOthers")["disposition"] == ISSUED


def test_two_signatures(ca, bob_the_agent):
    """A second agent signs, too; who submits is one of them."""
    second = enrolled(ca.person("alice"), "Agent")
    key = wcce.rsa_key()
    request = wcce.cmc(key, wcce.pkcs10(key), wcce.reg_info(requestername="LAB\\alice"), by=[bob_the_agent, second])
    answer = ask(ca.person("bob"), request, "ForOthersTwice")
    assert answer["disposition"] == ISSUED, answer
    assert wcce.sid_in(answer["cert"]) == ca.sid("alice")


def test_it_shows(ca, certsrv):
    rows = json.loads(certsrv("request", "list", "--json"))["requests"]
    agents = [r for r in rows if r["on_behalf"] == "LAB\\alice"]
    assert agents and "on behalf   LAB\\alice" in certsrv("request", "show", agents[0]["id"])
