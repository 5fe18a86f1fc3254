# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Rows of the catalogue of attacks and faults (doc/threat-model.md) that no other file has: levels by interfaces, a
directory that stalls, clocks that differ, answers that must be equal, descriptors that must not grow."""
import json
import os
import pathlib
import re
import threading
import time

import pytest
from asn1crypto import x509 as asn1_x509

import wcce
from test_certsrvd import MSG, message, steal
from wcce import ISSUED

KEY = wcce.ec_key()
PRIVACY, INTEGRITY = 6, 5


def icpr(subject="x"):
    return "icpr", {"request": wcce.pkcs10(KEY, subject=subject), "attributes": "CertificateTemplate:MachineEc"}


def request():
    return "request", {"request": wcce.pkcs10(KEY), "attributes": "CertificateTemplate:MachineEc"}


# ---- ESC11 ----

@pytest.mark.parametrize("level", [None, 2, 3, 4, 5, 6])
def test_esc11_levels_by_interfaces(ca, level):
    """None, connect, call, packet, integrity, privacy, at ICertPassage, ICertRequestD, activation (both ways) and the
    resolver of exporters: privacy alone at the first two, integrity at least at the others; nothing is left of the rest."""
    before = ca.count()
    machine = ca.machine()
    answers = {
        "ICertPassage": ca.machine(level=level).one(icpr()),
        "ICertRequestD": machine.run(("activate", {"call_level": level}), request())[-1],
        "activation": machine.one(("activate", {"level": level})),
        "the old activation": machine.one(("activate_old", {"level": level})),
        "the resolver": machine.run("activate", ("resolve", {"level": level}))[-1],
    }
    least = {"ICertPassage": PRIVACY, "ICertRequestD": PRIVACY, "activation": INTEGRITY, "the old activation": INTEGRITY,
             "the resolver": INTEGRITY}
    for what, answer in answers.items():
        if (level or 0) >= least[what]:
            assert "error" not in answer, (what, answer)
        else:
            assert "error" in answer, (what, answer)
    assert ca.count() == before + (2 if level == PRIVACY else 0)


# ---- equal answers, and few descriptors ----

def test_cve_2026_69395_equal_answers_are_equal(ca):
    """What is asked twice is answered with the same bytes: nothing of what was in memory before."""
    steps = [("get_ca_property", {"prop": p, "type": t}) for p, t in ((6, 4), (7, 4), (12, 3), (13, 3), (22, 4), (29, 4), (11, 1))]
    steps += [("get_ca_cert", {"what": 0, "on": "D2"}), "get_ca_property_info", ("ping", {"on": "D2"}), ("ping2", {})]
    first, second = ([a for a in ca.machine().run(("activate", {"interface": "D2"}), *steps, timeout=120)[1:]] for _ in range(2))
    assert not [a for a in first if "error" in a], first
    assert first == second


def descriptors(ca):
    return {(role, pid): len(os.listdir(f"/proc/{pid}/fd")) for role in ("rpc135", "rpc", "auth", "ca", "ad", "db", "sign")
            for pid in ca.pids(role)}


def test_f28_descriptors_do_not_grow(ca):
    """The scaled form of the soak: what sixty requests and ten connections opened is closed again."""
    def load():
        for i in range(3):
            got = ca.machine().run(*[icpr(f"soak {i} {n}") for n in range(10)], ("close", {}), ("hold", {"count": 3}))
            assert [a["disposition"] for a in got[:10]] == [ISSUED] * 10, got

    load()
    before = descriptors(ca)
    load()
    end = time.monotonic() + 5
    while (now := descriptors(ca)) != before and time.monotonic() < end:
        time.sleep(0.2)
    assert now == before


# ---- the CA's key, used behind its back ----

def socket_inodes(pid):
    found = {}
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            inode = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd))
        except OSError:
            continue
        if inode:
            found[int(inode[1])] = int(fd.name)
    return found


def channel(ca, role, to):
    """A copy of the socket that one of the CA's processes has to another: what who broke into it has."""
    [pid], others = ca.pids(role), [i for p in ca.pids(to) for i in socket_inodes(p)]
    mine = socket_inodes(pid)
    for line in ca.host.run("ss", "-xHn").stdout.splitlines():
        own, peer = (int(word) for word in (line.split()[5], line.split()[7]))
        if own in mine and peer in others:
            return steal(pid, mine[own])
    raise AssertionError(f"no channel from {role} to {to}")


def test_golden_a_signature_without_a_row(ca):
    """Who has broken into the process that decides has a certificate signed that no row knows of.  The signer tells the
    database by itself: an alarm within a minute, over a restart, in the audit, until it is revoked."""
    def certsrv(*words, code=0):
        done = ca.host.run(ca.build / "prog/certsrv/certsrv", *words, check=False)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def alarms():
        done = ca.host.run(ca.build / "prog/certsrv/certsrv", "status", "--json", check=False)
        return [a["text"] for a in json.loads(done.stdout)["alarms"] if a["what"] == "signature"]

    def wait(n, seconds=60):
        end = time.monotonic() + seconds
        while len(alarms()) != n and time.monotonic() < end:
            time.sleep(0.3)
        assert len(alarms()) == n, (alarms(), ca.text())

    good = ca.machine().one(icpr())
    assert good["disposition"] == ISSUED and not alarms()
    tbs = asn1_x509.Certificate.load(good["cert"])["tbs_certificate"].copy()
    serial = tbs["serial_number"].native ^ 0x5a5a5a5a  # its first byte is the node's: the signer would refuse another
    tbs["serial_number"], name = serial, f"{serial:034x}"
    body = bytes(2) + tbs.dump(force=True)  # under the first certificate of the CA
    rows, mark = len(ca.rows()), len(ca.events(7))
    with channel(ca, "ca", "sign") as stolen:
        stolen.sendall(message(MSG["MSG_SIGN"], body))
    begun = time.monotonic()
    wait(1)
    assert time.monotonic() - begun < 60 and name in alarms()[0]
    [event] = ca.events(7)[mark:]
    assert event["source"] == "certsrvd" and event["level"] == "error" and name in event["text"]
    assert len(ca.rows()) == rows
    assert name in certsrv("audit", "verify", code=1)
    assert ca.machine().one(icpr("after it"))["disposition"] == ISSUED

    ca.restart()
    wait(1)
    certsrv("revoke", "01" * 17, code=3)  # one that nobody signed
    certsrv("revoke", name, "--reason", "key-compromise")
    wait(0)
    assert "whole" in certsrv("audit", "verify")
    assert [r for r in ca.rows("hex(serial) as serial, disp") if r["serial"].lower() == name] == [{"serial": name.upper(), "disp": 21}]
    certsrv("crl", "publish")
    assert name in certsrv("crl", "show").lower()


# ---- a directory that stalls, a clock that differs ----

def test_cve_2023_42669_a_stalled_directory_holds_up_nobody(ca):
    """While the CA waits for LDAP, others are answered at once: no process that serves them waits along."""
    ca.restart()  # forgets requesters
    dc1, spn = ca.lab.dc1, f"host/{ca.host.fqdn}"
    machine = ca.machine(server=ca.host.address, spn=spn)
    assert machine.one("activate", ("ping", {})) == {"hresult": 0}
    dc1.pause()
    try:
        asked = time.monotonic()
        waits = threading.Thread(target=machine.one, args=(icpr("stalled"),))
        waits.start()
        answers = machine.run("activate", *[("ping", {})] * 20)
        assert answers[1:] == [{"hresult": 0}] * 20, answers
        assert time.monotonic() - asked < 8
    finally:
        dc1.heal()
    waits.join(60)


@pytest.mark.parametrize("seconds", [600, -600])
def test_skew_a_ticket_of_another_time(ca, build, seconds):
    """Ten minutes off, either way: KRB_AP_ERR_SKEW, and no row."""
    pc1, before = ca.lab.pc1, ca.count()
    machine = ca.machine()
    pc1.run("kvno", "-q", f"host/{ca.host.fqdn}")
    with pc1.clock(build) as wrong_by:
        wrong_by(seconds)
        answer = machine.one(icpr())
    assert "error" in answer and answer.get("disposition") != ISSUED, answer
    assert ca.count() == before
    assert ca.machine().one(icpr())["disposition"] == ISSUED
