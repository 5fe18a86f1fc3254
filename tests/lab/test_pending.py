# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A template that a person has to approve: the request waits at the CA with its key at home, whatever
happens in between, and the next run fetches what was decided."""
import datetime
import json
import re

import pytest

from ca import FULL, READ, Ca, enroll_for
from client import Client

WAITS, BY_HAND = "LabWaits", "LabWaitsByHand"


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    mine = READ + FULL + enroll_for("DC")
    ca.setup({WAITS: (mine, {"msPKI-Enrollment-Flag": 0x22}),
              BY_HAND: (mine, {"msPKI-Enrollment-Flag": 0x2})})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    client.run("log", "level", "4")
    yield client
    lab.pc1.heal()


def certsrv(ca, *words):
    """As the CA's administrator."""
    ca.lab.ca1.kinit("Administrator", ca.lab.admin_password)
    return ca.host.run(ca.build / "prog/certsrv/certsrv", *words, env={"ASAN_OPTIONS": "detect_leaks=0"})


def waiting(pc1):
    """meta.json of each request that is kept."""
    return [json.loads(p.read_text()) for p in
            sorted(pc1.host.path("/var/lib/autoenroll/request").glob("*/*/meta.json"))]


def start(pc1):
    """A pulse that leaves a request pending; its id."""
    [result] = pc1.json("pulse", "--wait", code=9)["results"]
    assert (result["outcome"], result["template"]) == ("pending", WAITS), result
    return result["request_id"]


def test_it_waits_and_is_not_asked_for_twice(pc1, ca):
    number = start(pc1)
    assert ("CertEnroll", 21) in pc1.events()
    [meta] = waiting(pc1)
    assert (meta["state"], meta["request_id"], meta["ca_config"]) == ("pending", number, f"{ca.host.fqdn}\\{ca.name}")

    [still] = pc1.json("pulse", "--wait", code=9)["results"]
    assert (still["outcome"], still["request_id"], still["retrieved"]) == ("pending", number, True), still
    told = pc1.events()
    assert ("CertEnroll", 32) in told and ("CertEnroll", 21) not in told, told
    assert [r["id"] for r in ca.rows() if r["disp"] == 9].count(number) == 1


def test_approved_it_is_installed_with_the_key_that_waited(pc1, ca):
    number = start(pc1)
    key = next(pc1.host.path("/var/lib/autoenroll/request").glob("*/*/key.pem")).read_bytes()
    certsrv(ca, "request", "approve", str(number))
    pc1.events()
    [result] = pc1.json("pulse", "--wait")["results"]
    assert (result["outcome"], result["retrieved"], result["request_id"]) == ("issued", True, number), result
    assert ("CertEnroll", 14) in pc1.events()
    assert pc1.current(WAITS, "key.pem").read_bytes() == key
    assert waiting(pc1) == []
    # And the run after that has nothing to do.
    assert pc1.json("pulse", "--wait")["results"] == []


def test_denied_it_is_forgotten(pc1, ca):
    number = start(pc1)
    certsrv(ca, "request", "deny", str(number))
    pc1.events()
    results = pc1.json("pulse", "--wait", code=8)["results"]
    assert (results[0]["outcome"], results[0]["request_id"]) == ("denied", number), results
    assert ("CertEnroll", 9) in pc1.events()
    assert number not in [m["request_id"] for m in waiting(pc1)]


def test_without_the_policy_for_it_nothing_is_fetched(pc1, ca):
    number = start(pc1)
    certsrv(ca, "request", "approve", str(number))
    pc1.local_policy(3)
    assert pc1.json("pulse", "--wait")["results"] == []
    assert len(waiting(pc1)) == 1
    pc1.local_policy(7)
    [result] = pc1.json("pulse", "--wait")["results"]
    assert result["outcome"] == "issued", result


def test_after_so_many_days_it_is_given_up(pc1, ca):
    """60 days, or what MaxPendingRequestDays says."""
    number = start(pc1)
    meta = next(pc1.host.path("/var/lib/autoenroll/request").glob("*/*/meta.json"))
    week = (datetime.datetime.utcnow() - datetime.timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    meta.write_text(re.sub(r'("(?:made|asked)": ")[^"]*', rf"\g<1>{week}", meta.read_text()))
    [still] = pc1.json("pulse", "--wait", code=9)["results"]
    assert (still["outcome"], still["request_id"]) == ("pending", number), still
    pc1.run("policy", "set", "MaxPendingRequestDays=6")
    pc1.events()
    results = pc1.json("pulse", "--wait", code=None)["results"]
    assert (results[0]["outcome"], results[0]["request_id"]) == ("abandoned", number), results
    assert ("CertEnroll", 8) in pc1.events()
    assert number not in [m["request_id"] for m in waiting(pc1)]


def test_the_ca_is_away_when_it_is_asked_after(pc1, ca, lab):
    number = start(pc1)
    certsrv(ca, "request", "approve", str(number))
    pc1.events()
    lab.ca1.refuse(49500)
    lab.ca1.refuse(135)
    [result] = pc1.json("pulse", "--wait", code=6)["results"]
    assert (result["outcome"], result["retrieved"]) == ("failed", True), result
    assert ("CertEnroll", 54) in pc1.events()
    lab.ca1.heal()
    [result] = pc1.json("pulse", "--wait")["results"]
    assert (result["outcome"], result["request_id"]) == ("issued", number), result


def test_by_hand_and_fetched_by_hand(pc1, ca):
    """enroll leaves it waiting; enroll again asks after it instead of making a second one."""
    [first] = pc1.json("enroll", "-T", BY_HAND, code=9)["results"]
    assert first["outcome"] == "pending", first
    [again] = pc1.json("enroll", "-T", BY_HAND, code=9)["results"]
    assert (again["outcome"], again["request_id"]) == ("pending", first["request_id"]), again
    certsrv(ca, "request", "approve", str(first["request_id"]))

    config = f"{ca.host.fqdn}\\{ca.name}"
    fetched = pc1.json("retrieve", "--ca", config, str(first["request_id"]))
    assert fetched["outcome"] == "issued" and "BEGIN CERTIFICATE" in fetched["certificate"], fetched
    [done] = pc1.json("enroll", "-T", BY_HAND)["results"]
    assert (done["outcome"], done["request_id"]) == ("issued", first["request_id"]), done
    assert pc1.current(BY_HAND, "cert.pem").read_text() == fetched["certificate"]
