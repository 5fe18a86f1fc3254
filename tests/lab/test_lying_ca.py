# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A hostile CA: it has the key that the directory names, a ticket's key and all the time it wants, and lies to each
template in another way.  Each answer is refused for its own reason; nothing is installed, no hook runs."""
import json
import pathlib
import time

import pytest

from ca import FULL, READ, Ca, enroll_for
from client import Client
from labca import SCHEMA
from lying_ca import LIES

SCRIPT = pathlib.Path(__file__).with_name("lying_ca.py")
P256 = {SCHEMA: 4, "msPKI-Minimal-Key-Size": 256, "pKIKeyUsage": b"\x80\x00",
        "msPKI-RA-Application-Policies": "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`"
        "msPKI-Hash-Algorithm`PZPWSTR`SHA256`msPKI-Key-Usage`DWORD`2`"}


@pytest.fixture(scope="module")
def ca(lab, build):
    """In the directory; who answers for it, each test says."""
    ca = Ca(lab, build, key="p256")
    ca.setup({f"Lie-{lie}": (READ + FULL + enroll_for("DC"), P256) for lie in LIES})
    ca.trust()
    sid = lab.ldbsearch("(sAMAccountName=PC1$)", "objectSid")[0]["objectSid"][0]
    ca.host.path("/run/lies.json").write_text(json.dumps({
        "ca": ca.host.path("/etc/certsrv/ca.pem").read_text(),
        "key": ca.host.path("/var/lib/certsrv/private/ca.key").read_text(),
        "sid": sid, "dns": lab.pc1.fqdn, "templates": {ca.oid[f"Lie-{lie}"]: lie for lie in LIES}}))
    return ca


@pytest.fixture
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    hooks = client.host.path("/etc/autoenroll/hooks.d")
    hooks.mkdir()
    hooks.joinpath("tell").write_text("#!/bin/sh\necho \"$AE_TEMPLATE\" >> /run/hook-ran\n")
    hooks.joinpath("tell").chmod(0o755)
    client.host.path("/run/hook-ran").unlink(missing_ok=True)
    return client


@pytest.mark.parametrize("way", ["dcom", "icpr"])
def test_rogue_ca_every_lie_is_refused_for_its_reason(pc1, ca, build, way):
    log = ca.host.path("/run/lying_ca.log")
    with ca.host.start("/usr/bin/python3", SCRIPT, build / "tests/tools/lying_ca", 135, ca.host.fqdn, way,
                       "/run/lies.json", log=log, env={"ASAN_OPTIONS": "detect_leaks=0"}) as process:
        end = time.monotonic() + 30
        while "ready" not in log.read_text():
            assert process.popen.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        results = {r["template"][4:]: r for r in pc1.json("pulse", "--wait", code=None)["results"]}
    assert results["honest"]["outcome"] == "issued", (results["honest"], log.read_text())  # believed when he is right
    asked = [line for line in log.read_text().splitlines() if line.startswith("ICert")]
    assert set(asked) == {"ICertPassage"} if way == "icpr" else "ICertPassage" not in asked, asked

    told = {lie: (r["outcome"], r.get("message", "")) for lie, r in results.items()}
    assert told.keys() == LIES.keys()
    assert told.pop("honest")[0] == "issued"
    for lie, (outcome, message) in told.items():
        assert outcome == ("denied" if lie == "unheard-of" else "failed") and LIES[lie][2] in message, (lie, outcome, message)
    assert [p.name for p in pc1.host.path("/var/lib/autoenroll/my").glob("*/current")] == ["current"]
    assert pc1.current("Lie-honest", "cert.pem").exists()
    assert pc1.host.path("/run/hook-ran").read_text().split() == ["Lie-honest"]
