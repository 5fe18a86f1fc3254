# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""F8: a member's clock jumps, under a run and between runs. Nothing is renewed, requested, archived or dropped on one
bad reading; what is installed is valid; and when the clock is right again all goes on at once."""
import json

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client

HAVE, LATER = "LabClock", "LabClockLater"
DAY, YEAR = 86400, 365 * 86400


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build, key="p256")
    ca.setup({t: (READ + FULL + enroll_for("DC"), {}) for t in (HAVE, LATER)})
    ca.trust()
    offer(ca, "delete", LATER)
    conf = ca.host.path("/etc/certsrv/certsrv.conf")
    conf.write_text(conf.read_text() + "\n[directory]\nrefresh = 1s\n")
    ca.start()
    yield ca
    ca.stop()


def offer(ca, what, template):
    ca.ldb("ldbmodify", input=f"dn: CN={ca.name},CN=Enrollment Services,{PKS_DN}\nchangetype: modify\n"
                              f"{what}: certificateTemplates\ncertificateTemplates: {template}\n\n")


def installed(client):
    root = client.host.path("/var/lib/autoenroll/my")
    return {p.relative_to(root): p.read_bytes() for p in root.rglob("*.pem")}


def said(report, check):
    plan = [r for p in report["plan"] for r in p["reasons"]]
    return [r["verdict"] for r in plan if r["check"] == check]


def test_f8_jumps(lab, build, ca):
    pc1 = Client(lab.pc1, build)
    pc1.local_policy(7)
    [result] = pc1.json("pulse", "--wait")["results"]
    assert result["outcome"] == "issued", result
    before, rows = installed(pc1), len(ca.rows())
    with lab.pc1.clock(build) as wrong_by:
        offer(ca, "add", LATER)
        for jump in (-YEAR, 10 * YEAR, -30 * DAY):
            wrong_by(jump)
            report = pc1.json("pulse", "--wait", "--refresh-policy")
            assert report["results"] == [], (jump, report["results"])
            assert "fail" in said(report, "time.skew"), (jump, report["plan"])
            assert (installed(pc1), len(ca.rows())) == (before, rows), jump
        # A little, as a leap second makes it: nothing to see.  And right again: what waited is requested.
        wrong_by(-1)
        [result] = pc1.json("pulse", "--wait", "--refresh-policy")["results"]
        assert (result["template"], result["outcome"]) == (LATER, "issued"), result
        wrong_by(0)
        report = pc1.json("pulse", "--wait", "--refresh-policy")
        assert report["results"] == [] and {p["action"] for p in report["plan"]} == {"keep"}, report
    assert len(ca.rows()) == rows + 1
    assert before.items() <= installed(pc1).items()
    for template in (HAVE, LATER):
        path = f"/var/lib/autoenroll/my/{template}/current/cert.pem"
        pc1.host.run("openssl", "verify", "-CAfile", "/var/lib/autoenroll/trust/roots.pem", path)


def test_a_daemon_s_timers_do_not_follow(lab, build, ca):
    """Points of the schedule are of a clock that nobody can set: a jump starts no run, and none is missed."""
    pc1 = Client(lab.pc1, build)
    pc1.local_policy(7)
    with lab.pc1.clock(build) as wrong_by, \
            lab.pc1.start(pc1.daemon_program, "-f", env={"ASAN_OPTIONS": "detect_leaks=0"}):
        pc1.host.run("timeout 20 sh -c 'until test -S /run/autoenroll/control; do sleep 0.05; done'")
        pc1.run("pulse", "--wait")
        before = json.loads(pc1.run("task", "--json").stdout)
        for jump in (10 * YEAR, -YEAR, 0):
            wrong_by(jump)
            pc1.host.run("sleep 0.4")
            now = json.loads(pc1.run("task", "--json").stdout)
            same = ("state", "runs", "trigger", "outcome", "missed_runs")
            assert [now[k] for k in same] == [before[k] for k in same], (jump, now)
        assert now["next_run"] == before["next_run"], (before, now)
