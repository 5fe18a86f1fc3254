# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""impacket enrolls with our CA over ICertPassage: found by the endpoint mapper, Kerberos, sealed."""
import pytest

import wcce
from wcce import ISSUED

ACCESS_DENIED = 5


def ask(witness, key=None, template="Machine", **arguments):
    request = arguments.pop("request", None) or wcce.pkcs10(key or wcce.rsa_key())
    arguments.setdefault("attributes", f"CertificateTemplate:{template}")
    return witness.one(("icpr", {"request": request, **arguments}))


def test_a_machine_gets_its_certificate(ca):
    key = wcce.rsa_key()
    answer = ask(ca.machine(), key)
    assert (answer["hresult"], answer["disposition"]) == (0, ISSUED), answer
    assert answer["message"] == "Issued"
    cert = wcce.certificate(answer["cert"])
    assert cert.public_key().public_numbers() == key.public_key().public_numbers()
    assert cert.subject.rfc4514_string() == f"CN={ca.lab.pc1.fqdn}"
    assert wcce.sid_in(answer["cert"]) == ca.sid("PC1$")
    # and what comes with it is the chain
    assert sorted(wcce.certs_in(answer["chain"])) == sorted([answer["cert"], ca.der])
    row = ca.row(answer["id"])
    assert (row["disp"], row["sid"], row["template"]) == (20, ca.sid("PC1$"), "Machine")


@pytest.mark.parametrize("service", ["host", "RPCSS", "rpc", "cifs", "RestrictedKrbHost"])
@pytest.mark.parametrize("name", ["fqdn", "short"])
def test_tickets_for_any_of_our_names(ca, service, name):
    host = ca.host.fqdn if name == "fqdn" else ca.host.name
    answer = ask(ca.machine(spn=f"{service}/{host}"))
    assert answer.get("disposition") == ISSUED, answer


def test_without_the_mutual_flag(ca):
    assert ask(ca.machine(mutual=False)).get("disposition") == ISSUED


def test_spn_a_ticket_for_another_host(ca):
    before = ca.count()
    answer = ask(ca.machine(spn=f"host/{ca.lab.dc1.fqdn}"))
    assert "Bind context rejected" in answer["error"] or "access_denied" in answer["error"], answer
    assert ca.count() == before


@pytest.mark.parametrize("level", [2, 5])
def test_esc11_calls_that_are_not_sealed(ca, level):
    """MS-ICPR 3.2.4.1.1: below packet privacy nothing is answered (ESC11)."""
    before = ca.count()
    answer = ask(ca.machine(level=level))
    assert "access_denied" in answer.get("error", "").lower(), answer
    assert ca.count() == before


def test_anonymous_calls_are_refused(ca):
    answer = ask(ca.witness(ca.lab.pc1, level=None))
    assert "access_denied" in answer.get("error", "").lower(), answer


def test_esc8_ntlm_is_refused_by_a_bind_nak(ca):
    answer = ask(ca.witness(ca.lab.pc1, ntlm=("alice", ca.lab.user_password)))
    assert "Authentication type not recognized" in answer["error"], answer


@pytest.mark.parametrize("mutual", [True, False])
def test_samba_is_a_client_too(ca, mutual):
    """Auth type 9, with header signing, with and without the mutual flag; ours is its second
    presentation context."""
    answer = ask(ca.machine(samba="spnego", mutual=mutual))
    assert answer.get("disposition") == ISSUED, answer


@pytest.mark.parametrize("mech", ["spnego", "krb5"])
@pytest.mark.parametrize("level", [5, 6])
@pytest.mark.parametrize("mutual", [True, False])
def test_mgmt_is_on_our_port(ca, mech, level, mutual):
    """Auth types 9 and 16."""
    answer = ca.machine(samba=mech, level=level, mutual=mutual).one("mgmt")
    assert "91ae6020-9e3c-11cf-8d7c-00aa00c091be" in answer.get("interfaces", []), answer


@pytest.mark.parametrize("level", [2, 4, 5])
def test_samba_does_not_get_around_the_seal(ca, level):
    before = ca.count()
    answer = ask(ca.machine(samba="spnego", level=level))
    assert "access" in answer["error"].lower(), answer
    assert ca.count() == before


def test_esc8_samba_s_ntlm_is_refused(ca):
    for mech in ("ntlm", "spnego"):
        answer = ask(ca.witness(ca.lab.pc1, samba=mech, ntlm=("alice", ca.lab.user_password)))
        assert "error" in answer and "disposition" not in answer, answer


def test_a_request_in_small_fragments(ca):
    answer = ask(ca.machine(fragment=200))
    assert answer.get("disposition") == ISSUED, answer


@pytest.mark.parametrize("flags", [0, 0x100, 0x102])
def test_flags_that_are_seen(ca, flags):
    assert ask(ca.machine(), flags=flags).get("disposition") == ISSUED


@pytest.mark.parametrize("attributes", [
    "certificatetemplate:machine", "CERTIFICATETEMPLATE: Machine ", "Certificate Template:Machine",
    "Certificate-Template:Machine\r\nccm:pc1.lab.example\r\n", "\nccm:pc1\nCertificateTemplate:Machine\n",
    "nonsense\nCertificateTemplate:Machine\n:\n",
])
def test_attributes_in_any_dress(ca, attributes):
    answer = ask(ca.machine(), attributes=attributes)
    assert answer.get("disposition") == ISSUED, answer


def test_attributes_without_trailing_nul(ca):
    blob = "CertificateTemplate:Machine".encode("utf-16le").hex()
    assert ask(ca.machine(), blob=blob).get("disposition") == ISSUED


@pytest.mark.parametrize("authority", ["LAB ca", "lab CA"])
def test_the_name_of_the_ca_has_no_case(ca, authority):
    assert ask(ca.machine(), authority=authority).get("disposition") == ISSUED


@pytest.mark.parametrize("authority", ["Another CA", "", None, "Lab CA\\Lab CA"])
def test_another_ca_is_meant(ca, authority):
    before = ca.count()
    answer = ask(ca.machine(), authority=authority)
    assert answer.get("hresult") == 0x80070057, answer
    assert ca.count() == before


def test_the_same_request_gets_the_same_certificate(ca):
    machine, request = ca.machine(), wcce.pkcs10(wcce.rsa_key())
    first, second = ask(machine, request=request), ask(machine, request=request)
    assert first["disposition"] == second["disposition"] == ISSUED
    assert (first["cert"], first["id"]) == (second["cert"], second["id"])


def test_a_certificate_is_fetched_again_by_its_number(ca):
    machine = ca.machine()
    first = ask(machine)
    again = machine.one(("icpr", {"id": first["id"], "blob": ""}))
    assert (again["disposition"], again["cert"]) == (ISSUED, first["cert"])
    other = ca.person("bob").one(("icpr", {"id": first["id"], "blob": ""}))
    assert other["hresult"] != 0 and other["cert"] == b"", other


def test_a_request_waits_for_approval(ca):
    answer = ask(ca.machine(), template="Pending")
    assert (answer["disposition"], answer["cert"]) == (wcce.PENDING, b"")
    assert ca.row(answer["id"])["disp"] == 9
    again = ca.machine().one(("icpr", {"id": answer["id"], "blob": ""}))
    assert (again["disposition"], again["id"]) == (wcce.PENDING, answer["id"])


def test_a_key_on_a_curve(ca):
    key = wcce.ec_key()
    answer = ask(ca.machine(), key, "MachineEc")
    assert answer.get("disposition") == ISSUED, answer
    cert = wcce.certificate(answer["cert"])
    assert cert.public_key().public_numbers() == key.public_key().public_numbers()


@pytest.mark.parametrize("flags", [0, 0x400])
def test_a_cmc_request(ca, flags):
    """The form Windows sends for templates of schema 2 and up."""
    key = wcce.rsa_key()
    inner = wcce.pkcs10(key, [wcce.template_extension(ca.oid["Machine"])])
    answer = ask(ca.machine(), request=wcce.cmc(key, inner), attributes="ccm:pc1.lab.example", flags=flags)
    assert answer.get("disposition") == ISSUED, answer


def test_people_get_theirs(ca):
    answer = ask(ca.person("alice"), template="Person")
    assert answer.get("disposition") == ISSUED, answer
    assert wcce.sid_in(answer["cert"]) == ca.sid("alice")
    assert wcce.upns_in(answer["cert"]) == ["alice@lab.example"]


def test_several_requests_on_one_connection(ca):
    key = wcce.rsa_key()
    steps = [("icpr", {"request": wcce.pkcs10(key, subject=f"request {i}"),
                       "attributes": "CertificateTemplate:Machine"}) for i in range(10)]
    answers = ca.machine().run(*steps)
    assert [a.get("disposition") for a in answers] == [ISSUED] * 10, answers
    serials = {wcce.certificate(a["cert"]).serial_number for a in answers}
    assert len(serials) == 10


def test_an_unknown_method(ca):
    answer = ca.machine().one(("icpr_raw", {"stub": "", "opnum": 1}))
    assert "op_rng_error" in answer["error"], answer


def test_a_stub_that_is_garbage(ca):
    answer = ca.machine().one(("icpr_raw", {"stub": "ff" * 64}))
    assert "error" in answer and answer.get("stub") is None, answer
    assert ask(ca.machine()).get("disposition") == ISSUED
