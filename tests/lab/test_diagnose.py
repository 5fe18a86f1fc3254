# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""diagnose names the cause of each fault of lab/faults, first and alone; a healthy lab has none."""
import pytest

from diagnosed import FAULTS, World, found

# All of them run in 'campaign faults'; these are the ones that a change breaks soonest.
SPREAD = sorted(f.name for f in FAULTS.iterdir() if f.is_file())


@pytest.fixture(scope="module")
def world(lab, build):
    it = World(lab, build)
    yield it
    it.close()


def test_a_healthy_lab_has_no_finding(world):
    report = world.diagnose(code=0)
    assert (report["category"], found(report), report["harmless"], report["unknown"]) == ("ok", [], [], [])
    assert report["fine"] == report["checks"] > 50


def test_nothing_is_changed(world):
    def state():
        # Ticket caches and logs of the CA are others'.
        return world.lab.pc1.run("find /etc /var/lib/autoenroll /run/autoenroll /tmp -xdev -name 'autoenroll-*' -o "
                                 "-type f -path '*autoenroll*' -printf '%p %s %T@\n' 2>/dev/null | sort").stdout

    rows, before = len(world.ca.rows()), state()
    world.diagnose(code=0)
    assert (len(world.ca.rows()), state()) == (rows, before)


@pytest.mark.parametrize("name", SPREAD)
def test_fault(world, name):
    with world.broken(name):
        report = world.diagnose(*world.ask(name), code=1)
    assert found(report) == [name], (report["root"], report["also"], report["unknown"])
    for sentence in "cause", "expected", "fix", "who", "seen":
        assert report["root"].get(sentence), (sentence, report["root"])


def test_two_causes_in_the_order_of_the_walk(world):
    with world.broken("net.epm-unreachable", "policy.aepolicy-absent"):
        report = world.diagnose(code=1)
    assert found(report) == ["policy.aepolicy-absent", "net.epm-unreachable"]
