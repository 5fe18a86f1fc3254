# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Requests for others with the CA's own restrictions: agents by account and template, renewals that somebody else
brings, renewals by key; and certificates in their owner's directory object."""
import json

import pytest

import wcce
from ca import PKS_DN
from lab import BASE_DN
from test_signers import CMC, RESTRICTED, ask, enrolled, for_alice, renewal
from wcce import ISSUED, TEMPLATE_DENIED

ROBO = 0x200000
NOT_SUPPORTED, BAD_SUBJECT, ACCESS_DENIED, NO_RENEWAL = 0x80070032, 0x80094806, 0x80070005, 0x8009400E
PUBLISHERS = f"CN=Cert Publishers,CN=Users,{BASE_DN}"


@pytest.fixture(scope="module")
def certsrv(ca, build):
    def run(*words, code=0):
        out = ca.host.run(build / "prog/certsrv/certsrv", *[str(w) for w in words], check=False,
                          env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout + out.stderr
    return run


def publisher(ca, change):
    [host] = ca.lab.ldbsearch("(sAMAccountName=CA1$)", "dn")
    ca.modify(f"dn: {PUBLISHERS}\nchangetype: modify\n{change}: member\nmember: {host['dn'][0]}\n\n")


def edit_the_list(ca, certsrv):
    """What the command refuses, and what it leaves."""
    certsrv("agent", "unrestrict", code=3)
    certsrv("agent", "allow", "bob", code=2)
    certsrv("agent", "allow", "bob", "--for", "alice", "--template", "NoSuch", code=3)
    ca.host.path("/etc/certsrv/agents.sd").write_bytes(b"nonsense")
    assert "agents.sd" in certsrv("agent", "show", code=4)
    certsrv("agent", "unrestrict")
    certsrv("agent", "allow", "bob", "--for", "Domain Users", "--template", "ForOthers")
    certsrv("agent", "remove", "bob", "--template", "forothers")
    certsrv("agent", "remove", "bob", code=3)
    assert "no enrollment agent may" in certsrv("agent", "show")
    certsrv("agent", "allow", "bob", "--for", "Domain Users", "--template", "ForOthers")
    certsrv("agent", "deny", "bob", "--for", "Domain Admins")


@pytest.fixture(scope="module")
def restricted(ca, certsrv):
    """Bob may enroll domain users for ForOthers, but not the administrator; renewals may come by other hands;
    the CA's host has become a Cert Publisher.  Before that it was none of all this."""
    agent = enrolled(ca.person("bob"), "Agent")
    machine = enrolled(ca.machine(), "Machine")
    assert ask(ca.machine(), renewal(*machine), "Machine", flags=CMC | ROBO)["disposition"] == NOT_SUPPORTED
    unpublished = ask(ca.person("alice"), wcce.pkcs10(wcce.rsa_key()), "Published")
    ca.wait_log(f"AE_EVENT=80 AE_REQUEST_ID={unpublished['id']}")
    assert ca.stop() == 0
    ca.configure("ca", allow_renew_on_behalf="yes")
    publisher(ca, "add")  # the host's next ticket has the group; the one it has would be used till then
    ca.host.path("/run/certsrv/ad/ccache").unlink(missing_ok=True)
    edit_the_list(ca, certsrv)
    ca.start()
    yield {"agent": agent, "unpublished": unpublished}
    assert ca.stop() == 0
    certsrv("agent", "unrestrict")
    publisher(ca, "delete")
    ca.configure("ca", allow_renew_on_behalf="no")
    ca.start()


def test_esc3_agents_are_bound_to_accounts_and_templates(ca, certsrv, restricted):
    shown = json.loads(certsrv("agent", "show", "--json"))
    assert shown["restricted"] and [(a["type"], a["template"]) for a in shown["agents"]] == \
        [("deny", None), ("allow", "ForOthers")]
    assert "template ForOthers  for" in certsrv("agent", "show")
    bob = ca.person("bob")
    answers = bob.run(*[("icpr", {"request": request, "attributes": f"CertificateTemplate:{template}"})
                        for request, template in ((for_alice(restricted["agent"]), "ForOthers"),
                                                  (for_alice(restricted["agent"], "LAB\\Administrator"), "ForOthers"),
                                                  (for_alice(restricted["agent"], "LAB\\PC1$"), "ForOthers"))])
    assert [a["disposition"] for a in answers] == [ISSUED, RESTRICTED, RESTRICTED]
    assert "forbids" in answers[1]["message"] and "does not let" in answers[2]["message"]


def test_renewed_by_other_hands(ca, certsrv, restricted):
    """alice's certificate, renewed by PC1$: it is alice's again, by her permissions."""
    key, old = enrolled(ca.person("alice"), "Person")
    new = wcce.rsa_key()
    # without the flag it is not the machine's to renew; alice may not enroll for a machine's template, though PC1$
    # may; and what renews nothing is no renewal
    matrix = [(renewal(key, old), "Person", ROBO, ISSUED), (renewal(key, old), "Person", 0, BAD_SUBJECT),
              (renewal(key, old), "Machine", ROBO, TEMPLATE_DENIED),
              (wcce.cmc(new, wcce.pkcs10(new)), "Person", ROBO, NO_RENEWAL)]
    answers = ca.machine().run(*[("icpr", {"request": request, "attributes": f"CertificateTemplate:{template}",
                                           "flags": CMC | flags}) for request, template, flags, _ in matrix])
    assert [a["disposition"] for a in answers] == [code for *_, code in matrix], answers
    answer = answers[0]
    assert wcce.sid_in(answer["cert"]) == ca.sid("alice")
    row = ca.row(answer["id"], "id, sid, account, on_behalf, request_flags")
    assert (row["sid"], row["account"]) == (ca.sid("PC1$"), "LAB\\PC1$")
    assert (row["on_behalf"], row["request_flags"]) == ("LAB\\alice", 2)
    # nobody logs alice on any more
    account = f"CN=alice,CN=Users,{BASE_DN}"
    ca.modify(f"dn: {account}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n\n")
    try:
        assert ask(ca.machine(), renewal(key, old), "Person", flags=CMC | ROBO)["disposition"] == ACCESS_DENIED
        # as it is explained, for a request like the row that was made
        told = json.loads(certsrv("explain", "--request", answer["id"], "--as", "PC1$", "--json", code=8))
        assert (told["hresult"], told["disabled"]) == ("0x80070005", False)
        told = json.loads(certsrv("explain", "--request", answer["id"], "--as", "alice", "--json", code=8))
        assert told["disabled"]
    finally:
        ca.modify(f"dn: {account}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 512\n\n")


def test_renewed_by_key_without_permission(ca):
    key, old = enrolled(ca.machine(), "KeyBased", subject="web.lab.example")
    dn = f"CN=KeyBased,CN=Certificate Templates,CN=Public Key Services,CN=Services,CN=Configuration,{BASE_DN}"
    nobody = "O:DAG:DAD:(A;;RPLCLORC;;;AU)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)"
    ca.modify(f"dn: {dn}\nchangetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor: {nobody}\n\n")
    ca.wait_directory()
    answers = ca.machine().run(*[("icpr", {"request": request, "attributes": "CertificateTemplate:KeyBased"}) for request in (
        renewal(key, old, subject="web.lab.example"), renewal(key, old, subject="other.lab.example"),
        wcce.pkcs10(wcce.rsa_key(), subject="web.lab.example"))])
    assert [a["disposition"] for a in answers] == [ISSUED, TEMPLATE_DENIED, TEMPLATE_DENIED]
    assert wcce.certificate(answers[0]["cert"]).subject.rfc4514_string() == "CN=web.lab.example"


def test_published_to_its_owner(ca, restricted):
    """CT_FLAG_PUBLISH_TO_DS: event 80 while the host was no Cert Publisher, in userCertificate afterwards."""
    assert restricted["unpublished"]["disposition"] == ISSUED and ca.row(restricted["unpublished"]["id"])["disp"] == 20
    answer = ask(ca.person("alice"), wcce.pkcs10(wcce.rsa_key()), "Published")
    ca.wait_log(f"certificate of request {answer['id']} is in userCertificate of CN=alice")
    [alice] = ca.lab.ldbsearch("(sAMAccountName=alice)", "userCertificate")
    assert alice["userCertificate"] == [answer["cert"]]
    assert not ca.events(79)


def test_a_recovery_agent_is_published(ca, restricted):
    """CT_FLAG_PUBLISH_TO_KRA_CONTAINER: into the CA's own object there, in place of the byte that stands for nobody; what
    is good stays beside it.  Who counts as an agent is the configuration's to say."""
    dn = f"CN={ca.name},CN=KRA,{PKS_DN}"
    ca.ldb("ldbadd", input=f"dn: CN=KRA,{PKS_DN}\nobjectClass: container\n\n", check=False)
    ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: msPKI-PrivateKeyRecoveryAgent\nuserCertificate:: AA==\n"
                           f"nTSecurityDescriptor: D:(A;;RPWPLCRCLO;;;{ca.sid('Cert Publishers')})(A;;RPLCRCLO;;;AU)\n\n")
    try:
        issued = []
        for name in ("alice", "bob"):
            answer = ask(ca.person(name), wcce.pkcs10(wcce.rsa_key()), "Recovers")
            assert answer["disposition"] == ISSUED, answer
            ca.wait_log(f"certificate of request {answer['id']} is in userCertificate of {dn}")
            issued.append(answer["cert"])
            [agent] = ca.lab.ldbsearch("(objectClass=msPKI-PrivateKeyRecoveryAgent)", "userCertificate", base=PKS_DN)
            assert sorted(agent["userCertificate"]) == sorted(issued)
        assert not ca.events(79)
    finally:
        ca.ldb("ldbdel", dn)
