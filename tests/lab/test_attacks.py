# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Rows of the catalogue of attacks and faults (doc/threat-model.md) that no other file has: levels by interfaces, a
directory that stalls, clocks that differ, answers that must be equal, descriptors that must not grow."""
import os
import threading
import time

import pytest

import wcce
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
