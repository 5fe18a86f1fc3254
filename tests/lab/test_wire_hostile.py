# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Peers that break the protocol, on both ports: a fault or the end of the connection, never more
than that; little memory; one line in the log; and the next client is served."""
import itertools
import json
import pathlib
import struct
import time

import pytest

import wcce
from wcce import ISSUED

HERE = pathlib.Path(__file__).parent
PORTS = ["135", "49500"]
REQUEST, RESPONSE, FAULT, BIND, BIND_ACK, BIND_NAK, ALTER, AUTH3, CANCEL, ORPHANED = 0, 2, 3, 11, 12, 13, 14, 16, 18, 19
FIRST, LAST = 1, 2
NDR20 = bytes.fromhex("045d888aeb1cc9119fe808002b10486002000000")
EPM = bytes.fromhex("0883afe11f5dc91191a408002b14a0fa03000000")
MGMT = bytes.fromhex("80bda8af8a7dc911bef408002b10298901000000")
ICPR = bytes.fromhex("2060ae913c9ecf118d7c00aa00c091be00000000")
MEMORY = 6 * 1024  # KiB that a process may grow by


def pdu(kind, body=b"", flags=FIRST | LAST, call=1, size=None, auth=0, version=5, drep=0x10):
    size = 16 + len(body) if size is None else size
    return struct.pack("<BBBB4sHHI", version, 0, kind, flags, bytes([drep, 0, 0, 0]), size, auth, call) + body


def bind(interface=MGMT, contexts=1, count=None, trailer=b"", **more):
    items = b"".join(struct.pack("<HBB", i, 1, 0) + interface + NDR20 for i in range(contexts))
    body = struct.pack("<HHI", 5840, 5840, 0) + struct.pack("<B3x", contexts if count is None else count) + items
    return pdu(BIND, body + trailer, **more)


def request(stub=b"", opnum=1, context=0, hint=None, **more):
    return pdu(REQUEST, struct.pack("<IHH", len(stub) if hint is None else hint, context, opnum) + stub, **more)


def talk(ca, *connections):
    """Runs them one after the other from pc1."""
    jobs = [[port] + [p.hex() if isinstance(p, bytes) else {"repeat": p[0], "data": p[1].hex()} for p in pieces]
            for port, *pieces in connections]
    done = ca.lab.pc1.run("/usr/bin/python3", HERE / "hostile.py", ca.host.address, input=json.dumps(jobs))
    return json.loads(done.stdout)


def kinds(answer):
    return [p["type"] for p in answer["pdus"]]


def one_line(ca, mark):
    """At most one about this peer; fewer when there were many of late."""
    lines = [line for line in ca.log_since(mark).splitlines() if ca.lab.pc1.address in line]
    assert len(lines) <= 1, lines


def alive(ca):
    answer = ca.machine().one(("icpr", {"request": wcce.pkcs10(wcce.rsa_key()),
                                        "attributes": "CertificateTemplate:Machine"}))
    assert answer.get("disposition") == ISSUED, answer
    assert " killed by " not in ca.text() and " exited with " not in ca.text()


@pytest.fixture(autouse=True)
def little_memory(ca):
    """No test lets a process grow by much."""
    before = ca.memory()
    yield
    for key, after in ca.memory().items():
        assert key in before, f"{key} was started anew"
        assert after - before[key] < MEMORY, (key, before[key], after)


HEADER = {
    "http": b"GET / HTTP/1.1\r\nHost: ca1\r\n\r\n",
    "tls": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "version 4": bind(version=4),
    "size 0": bind(size=0),
    "size 15": bind(size=15),
    "auth beyond the PDU": bind(auth=65535),
    "auth without a trailer": bind(auth=100),
    "a type nobody knows": pdu(99),
    "a response": pdu(RESPONSE, bytes(24)),
    "a bind_ack": pdu(BIND_ACK, bytes(40)),
    "a fault": pdu(FAULT, bytes(24)),
    "a request before the bind": request(),
    "auth3 before the bind": pdu(AUTH3, bytes(4)),
    "alter before the bind": pdu(ALTER, bind()[16:]),
    "a bind of nothing": pdu(BIND),
    "a bind with 255 contexts that are not there": bind(count=255),
    "a bind with no context": bind(contexts=0),
}


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("name", HEADER)
def test_what_is_no_bind(ca, port, name):
    mark = ca.mark()
    answer, = talk(ca, [port, HEADER[name]])
    # Nothing but a refusal comes back, and the connection ends; a PDU that is not yet complete
    # leaves the server waiting, for as long as doc says.
    assert set(kinds(answer)) <= {BIND_NAK, FAULT}, answer
    assert answer["end"] in ("closed", "reset") or kinds(answer), answer
    one_line(ca, mark)


def test_a_bind_with_62_kb_behind_it(ca):
    """Surplus bytes are passed over (impacket sends some); or the PDU is too large: both will do."""
    answer, = talk(ca, ["49500", bind(size=65535) + bytes(65535 - len(bind()))])
    assert kinds(answer) in ([BIND_ACK], [BIND_NAK], []), answer
    assert kinds(answer) or answer["end"] != "open", answer


def test_binds_that_are_too_many(ca):
    answer, = talk(ca, ["49500", bind(contexts=100)])
    assert kinds(answer) in ([BIND_ACK], [BIND_NAK], [FAULT], []), answer


LATER = {
    "a second bind": bind(),
    "a context nobody bound": request(context=7),
    "a method that is not there": request(opnum=77),
    "a fragment that continues nothing": request(flags=0),
    "a last fragment alone": request(flags=LAST),
    "two first fragments": request(flags=FIRST) + request(flags=FIRST),
    "another call id in between": request(b"a" * 64, flags=FIRST) + request(b"b" * 64, flags=LAST, call=2),
    "another context in between": request(b"a" * 64, flags=FIRST) + request(b"b" * 64, flags=LAST, context=1),
    "another method in between": request(b"a" * 64, flags=FIRST) + request(b"b" * 64, flags=LAST, opnum=2),
    "auth from nowhere": request(bytes(8) + bytes.fromhex("0906000001000000") + bytes(16), auth=16),
    "a huge hint": request(bytes(64), opnum=3, hint=0xFFFFFFFF, flags=FIRST),
    "a request of nothing": pdu(REQUEST),
    "auth3 that nobody waits for": pdu(AUTH3, bytes(4) + bytes.fromhex("0906000001000000") + bytes(16), auth=16),
}


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("name", LATER)
def test_what_follows_a_bind(ca, port, name):
    mark = ca.mark()
    answer, = talk(ca, [port, bind(), LATER[name]])
    assert kinds(answer)[:1] == [BIND_ACK], answer
    assert set(kinds(answer)[1:]) <= {FAULT, BIND_NAK}, answer
    assert len(answer["pdus"]) > 1 or answer["end"] != "open" or name == "a huge hint", answer
    one_line(ca, mark)


@pytest.mark.parametrize("port", PORTS)
def test_f14_a_flood_of_fragments(ca, port):
    """50 MB of one request that never ends."""
    fragment = request(bytes(5000), flags=0)
    answer, = talk(ca, [port, bind(), request(bytes(5000), flags=FIRST), (10_000, fragment)])
    assert answer["end"] in ("closed", "reset"), answer
    assert RESPONSE not in kinds(answer)


@pytest.mark.parametrize("port", PORTS)
def test_a_flood_of_calls_nobody_reads_the_answers_of(ca, port):
    answer, = talk(ca, [port, bind(), (3_000, request(bytes(16), opnum=0))])
    assert set(kinds(answer)) <= {BIND_ACK, RESPONSE, FAULT}, answer


def test_a_flood_of_connections(ca):
    """Garbage on 200 connections; the log says it in few lines."""
    mark = ca.mark()
    answers = talk(ca, *[[port, HEADER["zeros"]] for port in PORTS for _ in range(100)])
    assert all(a["end"] in ("closed", "reset") for a in answers)
    assert ca.log_since(mark).count("\n") <= 60, ca.log_since(mark)
    alive(ca)


EPM_BODIES = {
    "garbage": b"\xff" * 64,
    "a tower of 4 GiB": struct.pack("<IIIII", 0, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0) + bytes(40),
    "a tower that lies about its floors": struct.pack("<IIII", 0, 1, 12, 12) + b"\xff\xff" + bytes(10) + bytes(24),
    "nothing": b"",
}


@pytest.mark.parametrize("name", EPM_BODIES)
@pytest.mark.parametrize("opnum", [2, 3, 4])
def test_stubs_of_the_endpoint_mapper(ca, name, opnum):
    answer, = talk(ca, ["135", bind(EPM), request(EPM_BODIES[name], opnum=opnum)])
    # What cannot be decoded is a fault; what happens to be a call is answered.
    assert kinds(answer) in ([BIND_ACK, FAULT], [BIND_ACK, RESPONSE]), answer
    assert FAULT in kinds(answer) or name.startswith("a tower"), answer


def test_calls_of_icpr_without_authentication(ca):
    answer, = talk(ca, ["49500", bind(ICPR), request(bytes(64), opnum=0)])
    assert kinds(answer)[-1] in (FAULT, BIND_NAK), answer
    if kinds(answer)[-1] == FAULT:
        assert answer["pdus"][-1]["status"] == 5


# ---- broken and lowered authentication ----

def spnego(token, level=6, kind=9):
    return struct.pack("<BBBBI", kind, level, 0, 0, 1) + token


TOKENS = {
    "nothing": b"", "a byte": b"\x60", "garbage": b"\xff" * 100, "large": bytes(5000),
    "half": bytes.fromhex("6082040006062b0601050502a08203f4"),
    "a length of 4 GiB": bytes.fromhex("6084ffffffff06062b0601050502"),
}


@pytest.mark.parametrize("kind", [9, 16])
@pytest.mark.parametrize("name", TOKENS)
def test_tokens_that_are_none(ca, kind, name):
    token = TOKENS[name]
    mark = ca.mark()
    answer, = talk(ca, ["49500", bind(ICPR, trailer=spnego(token, kind=kind), auth=len(token))])
    assert BIND_ACK not in kinds(answer) or answer["end"] != "open" or name == "nothing", answer
    assert set(kinds(answer)) <= {BIND_NAK, FAULT, BIND_ACK}, answer
    one_line(ca, mark)


@pytest.mark.parametrize("kind", [1, 10, 14, 68, 255])
def test_auth_type_other_kinds(ca, kind):
    """NTLM, Schannel, Netlogon …: the reason is 8, authentication type not recognized."""
    answer, = talk(ca, ["49500", bind(ICPR, trailer=spnego(b"NTLMSSP\0" + bytes(24), kind=kind), auth=32)])
    assert kinds(answer) == [BIND_NAK] and answer["pdus"][0]["reason"] == 8, answer


MIDDLE = itertools.count(5300)


def through_proxy(ca, kind, number, how, **session):
    """impacket enrolls in fragments of 300 bytes through a man in the middle."""
    port = next(MIDDLE)
    pc1 = ca.lab.pc1
    with pc1.start("/usr/bin/python3", HERE / "proxy.py", port, ca.host.address, 49500, kind, number, how):
        end = time.monotonic() + 5
        while pc1.run(f"ss -Hltn sport = {port}").stdout == "" and time.monotonic() < end:
            time.sleep(0.05)
        return ca.machine(binding=f"ncacn_ip_tcp:127.0.0.1[{port}]", fragment=300, **session).one(
            ("icpr", {"request": wcce.pkcs10(wcce.rsa_key()), "attributes": "CertificateTemplate:Machine"}))


def test_the_proxy_alone_does_no_harm(ca):
    assert through_proxy(ca, REQUEST, 99, "drop").get("disposition") == ISSUED


@pytest.mark.parametrize("number, how", [
    (0, "flip:40"), (1, "flip:40"), (2, "flip:40"), (1, "flip:-1"), (2, "flip:-40"), (0, "level:5"), (1, "level:2"),
    (2, "level:1"), (1, "call:1"), (1, "twice"), (1, "cut:10")])
def test_cve_2021_23192_a_fragment_that_was_replaced(ca, number, how):
    """CVE-2021-23192: every fragment is verified; no byte that was changed gets to the CA."""
    before, mark = ca.count(), ca.mark()
    answer = through_proxy(ca, REQUEST, number, how)
    assert "error" in answer, answer
    assert ca.count() == before
    one_line(ca, mark)


def test_cve_2021_23192_a_fragment_that_is_missing(ca):
    before = ca.count()
    assert "error" in through_proxy(ca, REQUEST, 1, "drop")
    assert ca.count() == before


@pytest.mark.parametrize("how", ["level:5", "level:2", "level:1", "flip:-30", "cut:20"])
@pytest.mark.parametrize("kind", [BIND, ALTER])
def test_cve_2015_5370_a_handshake_that_was_changed(ca, kind, how):
    before = ca.count()
    answer = through_proxy(ca, kind, 0, how)
    assert "error" in answer, answer
    assert ca.count() == before


def test_the_ca_is_well(ca):
    alive(ca)
