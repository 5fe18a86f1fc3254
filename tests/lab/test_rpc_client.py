# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Our client runtime against Samba's RPC servers, and against hosts that are not there."""
import re
import time

import pytest

SAMR = "12345778-1234-abcd-ef00-0123456789ac"
ICPR = "91ae6020-9e3c-11cf-8d7c-00aa00c091be"


def probe(lab, build, host, *words):
    done = lab.pc1.run(build / "tests/lab/rpc_probe", host, *words, check=False)
    stages = [line.split(" ", 1)[1] for line in done.stdout.splitlines() if line.startswith("stage ")]
    return done, [(s.split(" ")[0], " ok" in s) for s in stages]


def test_map(lab, build):
    done, stages = probe(lab, build, lab.dc1.fqdn, "map", SAMR, 1)
    assert done.returncode == 0, done.stderr
    port = int(re.search(r"^port (\d+)$", done.stdout, re.M).group(1))
    assert port > 1024
    assert stages == [("name", True), ("connect", True), ("bind", True), ("call", True)]


def test_map_unknown(lab, build):
    done, stages = probe(lab, build, lab.dc1.fqdn, "map", ICPR, 0)
    assert done.returncode == 1
    assert "AE_ENOTFOUND" in done.stderr
    assert stages[-1] == ("call", True)  # the mapper did answer


@pytest.mark.parametrize("auth", [9, 16])
@pytest.mark.parametrize("level", [5, 6])
def test_samr(lab, build, auth, level):
    lab.pc1.kinit_machine()
    done, stages = probe(lab, build, lab.dc1.fqdn, "samr", auth, level)
    assert done.returncode == 0, done.stderr
    reply = bytes.fromhex(re.search(r"^domains (\w+)$", done.stdout, re.M).group(1))
    assert "BUILTIN".encode("utf-16-le") in reply
    assert [s for s, _ in stages] == ["name", "connect", "bind", "call", "connect", "ticket", "bind", "call", "call"]
    assert all(ok for _, ok in stages)


def test_samr_needs_a_ticket(lab, build):
    done, _ = probe(lab, build, lab.dc1.fqdn, "samr", 9, 6)
    assert done.returncode == 1
    assert "AE_EAUTH" in done.stderr


def test_no_such_name(lab, build):
    done, stages = probe(lab, build, "nobody." + lab.dc1.fqdn, "map", SAMR, 1)
    assert "AE_ENOTFOUND" in done.stderr
    assert stages == [("name", False)]


def test_refused(lab, build):
    """ca1 runs no endpoint mapper here: the refusal is immediate and named."""
    start = time.monotonic()
    done, stages = probe(lab, build, lab.ca1.fqdn, "map", SAMR, 1)
    assert "AE_EUNAVAIL" in done.stderr and "refused" in done.stderr
    assert stages[-1] == ("connect", False)
    assert time.monotonic() - start < 2


def test_silence(lab, build):
    """Packets vanish: the stage's own deadline (2 s) ends it."""
    lab.dc1.drop(135)
    try:
        start = time.monotonic()
        done, stages = probe(lab, build, lab.dc1.fqdn, "map", SAMR, 1)
        took = time.monotonic() - start
    finally:
        lab.dc1.heal()
    assert "AE_ETIMEDOUT" in done.stderr
    assert stages[-1] == ("connect", False)
    assert 1.9 < took < 4
