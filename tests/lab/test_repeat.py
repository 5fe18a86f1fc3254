# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A request that is sent again is answered with what was decided: the answer got lost, the client was
killed, the CA was restarted.  One certificate for one request, and nobody gets somebody else's."""
import pathlib
import socket

import wcce
from wcce import ISSUED, PENDING

REQUEST = 0  # type of PDU
HERE = pathlib.Path(__file__).parent
MACHINE = "CertificateTemplate:Machine"


def ask(witness, request, attributes=MACHINE):
    return witness.one(("icpr", {"request": request, "attributes": attributes}))


def rows_of(ca, request):
    """The rows of these bytes."""
    return [r for r in ca.rows("id, disp, hex(csr) as csr") if bytes.fromhex(r["csr"] or "") == request]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_f23_the_answer_is_lost_and_the_request_comes_again(ca):
    """F23: the proxy swallows the answer, again and again; one row is issued, and it is the one that arrives."""
    pc1, request = ca.lab.pc1, wcce.pkcs10(wcce.rsa_key())
    for _ in range(3):
        port = free_port()
        with pc1.start("/usr/bin/python3", HERE / "proxy.py", port, ca.host.address, 49500, REQUEST, 0, "mute"):
            pc1.run(f"timeout 20 sh -c 'until ss -ltn | grep -q 127.0.0.1:{port}; do sleep 0.05; done'")
            lost = ask(ca.machine(binding=f"ncacn_ip_tcp:127.0.0.1[{port}]"), request)
        assert "error" in lost, lost
    issued = rows_of(ca, request)
    assert [r["disp"] for r in issued] == [20], issued
    answer = ask(ca.machine(), request)
    assert (answer["disposition"], answer["id"]) == (ISSUED, issued[0]["id"]), answer
    assert rows_of(ca, request) == issued


def test_the_same_over_dcom_and_in_another_wrapping(ca):
    """The bytes count, not the interface they came by; a new wrapping is another request."""
    key = wcce.rsa_key()
    request = wcce.pkcs10(key)
    first = ask(ca.machine(), request)
    second = ca.machine().one("activate", ("query", {"interfaces": ["D2"]}),
                              ("request2", {"request": request, "attributes": MACHINE}))
    assert (second["id"], second["cert"]) == (first["id"], first["cert"])
    wrapped = ask(ca.machine(), wcce.cmc(key, request))
    assert wrapped["disposition"] == ISSUED and wrapped["id"] != first["id"]


def test_a_restart_forgets_nothing(ca):
    issued, waiting = wcce.pkcs10(wcce.rsa_key()), wcce.pkcs10(wcce.rsa_key())
    first = ask(ca.machine(), issued), ask(ca.machine(), waiting, "CertificateTemplate:Pending")
    ca.restart()
    again = ask(ca.machine(), issued), ask(ca.machine(), waiting, "CertificateTemplate:Pending")
    assert [a["disposition"] for a in again] == [ISSUED, PENDING], again
    assert [a["id"] for a in again] == [a["id"] for a in first]
    assert again[0]["cert"] == first[0]["cert"]


def test_nobody_gets_another_s_answer(ca):
    """bob sends the very bytes that alice sent: he is decided about as bob."""
    request = wcce.pkcs10(wcce.rsa_key())
    hers = ask(ca.person("alice"), request, "CertificateTemplate:Person")
    his = ask(ca.person("bob"), request, "CertificateTemplate:Person")
    assert hers["disposition"] == his["disposition"] == ISSUED, (hers, his)
    assert hers["id"] != his["id"]
    assert (wcce.sid_in(hers["cert"]), wcce.sid_in(his["cert"])) == (ca.sid("alice"), ca.sid("bob"))


def test_other_attributes_are_another_request(ca):
    """Also when it was decided about after the first one, the first one's answer is still known."""
    request = wcce.pkcs10(wcce.rsa_key())
    first = ask(ca.machine(), request)
    other = ask(ca.machine(), request, "CertificateTemplate:MachineOld")
    assert first["id"] != other["id"]
    assert ask(ca.machine(), request)["id"] == first["id"]
    assert ask(ca.machine(), request, "CertificateTemplate:MachineOld")["id"] == other["id"]


def test_a_refusal_is_thought_over(ca):
    """What was denied is decided anew: the reason may be gone."""
    request = wcce.pkcs10(wcce.rsa_key())
    denied = ask(ca.machine(), request, "CertificateTemplate:Nobody")
    assert denied["disposition"] == wcce.TEMPLATE_DENIED
    again = ask(ca.machine(), request, "CertificateTemplate:Nobody")
    assert again["disposition"] == wcce.TEMPLATE_DENIED and again["id"] != denied["id"]
    assert [r["disp"] for r in rows_of(ca, request)] == [31, 31]
