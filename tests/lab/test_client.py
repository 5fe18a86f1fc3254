# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""A member gets its certificate by itself: the whole way from policy to the installed pair."""
import stat

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import QUIET, Client, failing

AUTO, NO_RIGHT, BY_HAND = "LabAuto", "LabNoRight", "LabByHand"


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    # Other tests of this lab leave templates behind; the plan is about all there are.
    for entry in lab.ldbsearch("(objectClass=pKICertificateTemplate)", "cn", base=f"CN=Certificate Templates,{PKS_DN}"):
        ca.ldb("ldbdel", f"CN={entry['cn'][0]},CN=Certificate Templates,{PKS_DN}")
    ca.setup({AUTO: (READ + FULL + enroll_for("DC"), {}),
              NO_RIGHT: (READ + FULL, {}),
              BY_HAND: (READ + FULL + enroll_for("DC"),
                        # Server authentication alone: the CA refuses names by hand for logons.
                        {"msPKI-Certificate-Name-Flag": 1, "msPKI-Enrollment-Flag": 0,
                         "ekus": ("1.3.6.1.5.5.7.3.1",)})})
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


def test_nothing_happens_without_policy(pc1):
    pc1.local_policy(None)
    report = pc1.json("pulse")
    assert report["results"] == []
    assert [r["check"] for r in report["policy_reasons"]] == ["policy.aepolicy-absent"]
    # An enrollment engine that was not called is not in the log.
    assert pc1.events() == [("AutoEnrollment", 2), ("AutoEnrollment", 3), ("CertificateServicesClient", 2)]


def test_dry_run_says_what_would_be_done_and_does_nothing(pc1, ca):
    rows = len(ca.rows())
    plan = pc1.json("pulse", "--dry-run")["plan"]
    assert {p["template"]: p["action"] for p in plan} == {AUTO: "enroll", NO_RIGHT: "skip", BY_HAND: "skip"}
    assert pc1.events() == []
    assert len(ca.rows()) == rows
    assert not pc1.current(AUTO, "cert.pem").exists()


def test_pulse_installs_a_certificate_that_verifies(pc1, ca, lab):
    report = pc1.json("pulse", "--wait")
    [result] = report["results"]
    assert result["outcome"] == "issued", result
    assert result["transport"] == "dcom"
    assert {"id": result["request_id"], "disp": 20} in ca.rows()
    assert pc1.events() == QUIET[:6] + [("CertEnroll", 19)] + QUIET[6:]

    for name, mode in ("key.pem", 0o600), ("cert.pem", 0o644), ("chain.pem", 0o644), ("fullchain.pem", 0o644):
        assert stat.S_IMODE(pc1.current(AUTO, name).stat().st_mode) == mode
    where = f"/var/lib/autoenroll/my/{AUTO}/current"
    pc1.host.run("openssl", "verify", "-CAfile", "/var/lib/autoenroll/trust/roots.pem", f"{where}/cert.pem")
    public = pc1.host.run("openssl", "x509", "-noout", "-pubkey", "-in", f"{where}/cert.pem").stdout
    assert public == pc1.host.run("openssl", "pkey", "-pubout", "-in", f"{where}/key.pem").stdout
    [stored] = pc1.json("store", "list")
    sid = lab.ldbsearch("(sAMAccountName=PC1$)", "objectSid")[0]["objectSid"][0]
    assert stored["sid"] == sid
    assert stored["dns"] == pc1.host.fqdn


def test_a_quiet_run_logs_exactly_these_in_this_order(pc1, ca):
    pc1.run("pulse", "--wait")
    pc1.events()
    rows = len(ca.rows())
    report = pc1.json("pulse", "--wait")
    assert report["results"] == []
    assert pc1.events() == QUIET
    assert len(ca.rows()) == rows


def test_every_template_is_explained(pc1):
    plan = pc1.plan("--explain")
    assert failing(plan[AUTO]) == []
    assert failing(plan[NO_RIGHT]) == ["template.no-enroll-right", "template.no-autoenroll-right"]
    assert failing(plan[BY_HAND]) == ["template.not-configured-autoenroll", "template.supplies-subject"]


def test_names_are_supplied_by_hand(pc1):
    report = pc1.json("enroll", "-T", BY_HAND, "--subject", "CN=www.lab.example", "--dns", "www.lab.example")
    [result] = report["results"]
    assert result["outcome"] == "issued", result
    assert result["subject"] == "CN=www.lab.example"
    [stored] = pc1.json("store", "list")
    assert stored["dns"] == "www.lab.example"


def test_a_template_that_is_not_there(pc1):
    done = pc1.run("enroll", "-T", "Nonsense", check=False)
    assert done.returncode == 3
    assert "no template 'Nonsense'" in done.stderr


def test_icpr_when_dcom_is_refused(pc1, ca, lab):
    """Port 135 answers activation no more once it is gone; the CA's own port still takes ICPR only
    through the endpoint mapper, so both fail, and both errors are kept."""
    lab.ca1.refuse(135)
    try:
        report = pc1.json("pulse", "--wait", code=6)
    finally:
        lab.ca1.heal()
    [result] = report["results"]
    assert result["outcome"] == "failed"
    assert {a["transport"] for a in result["attempts"] if "transport" in a} == {"dcom", "icpr"}
    assert ("CertEnroll", 13) in pc1.events()
    assert not pc1.current(AUTO, "cert.pem").exists()
    # The next run, with the port back, makes good for it.
    assert pc1.json("pulse", "--wait")["results"][0]["outcome"] == "issued"


def test_a_root_that_the_directory_does_not_name(pc1, ca):
    dn = f"CN={ca.name},CN=Certification Authorities,{PKS_DN}"
    saved = ca.ldb("ldbsearch", "-b", dn, "-s", "base", "objectClass", "cACertificate",
                   "authorityRevocationList", "certificateRevocationList", "cn").stdout
    ca.ldb("ldbdel", dn)
    try:
        assert failing(pc1.plan()[AUTO]) == ["trust.root-missing"]
        assert pc1.json("pulse")["results"] == []
        assert ("CertEnroll", 52) in pc1.events()
    finally:
        entry = saved[saved.index("dn:"):saved.index("# returned") if "# returned" in saved else None]
        keep = [l for l in entry.splitlines() if not l.startswith(("#", "ref:"))]
        ca.ldb("ldbadd", input="\n".join(keep).strip() + "\n\n")


def test_the_dc_is_away(pc1, lab):
    lab.dc1.refuse(389)
    try:
        done = pc1.run("pulse", "--wait", check=False)
    finally:
        lab.dc1.heal()
    assert done.returncode in (5, 6), done
    assert "domain controller" in done.stderr or "389" in done.stderr
    assert ("AutoEnrollment", 6) in pc1.events()


def test_the_daemon_runs_at_start_and_when_asked(pc1):
    with pc1.host.start(pc1.daemon_program, "-f", env={"ASAN_OPTIONS": "detect_leaks=0"}):
        report = pc1.json("pulse", "--wait")
        assert "error" not in report
        # At start or when asked, whichever came first: once.
        [stored] = pc1.json("store", "list")
        assert stored["template"] == AUTO and stored["number"] == 1
        assert pc1.json("pulse", "--wait")["results"] == []


def test_ca_commands(pc1, ca):
    assert pc1.json("ca", "list")[0]["config"] == f"{ca.host.fqdn}\\{ca.name}"
    ping = pc1.json("ca", "ping", "--stages")
    assert ping["ok"] is True
    stages = [s["stage"] for s in ping["attempts"][0]["stages"]]
    assert stages[0] == "name" and "bind" in stages and stages[-1] == "call"
    assert pc1.json("ca", "info")["CA name"] == ca.name
    assert pc1.json("ca", "prop", "6")["value"] == ca.name
    assert {t["template"]: (t["ad"], t["ca"]) for t in pc1.json("ca", "templates")} == {
        AUTO: (True, True), NO_RIGHT: (True, True), BY_HAND: (True, True)}
    assert pc1.run("ca", "ping", "--ca", "nowhere\\Nobody", check=False).returncode == 3


def test_log_level(pc1):
    assert pc1.json("log", "level") == {"log_level": 4, "name": "verbose", "source": "local"}
    assert pc1.json("log", "level", "default") == {"log_level": 3, "name": "warning", "source": "default"}
    pc1.run("pulse", "--wait")
    assert pc1.events() == []  # a run in which all went well has nothing to say at that level


@pytest.mark.parametrize("words, code", [
    ((), 2), (("nonsense",), 2), (("pulse", "--nonsense"), 2), (("log", "level", "9"), 2),
    (("store",), 2), (("ca",), 2), (("ca", "prop", "x"), 2), (("enroll",), 2), (("--help",), 0),
    (("pulse", "--help"), 0), (("--version",), 0), (("events", "--since", "someday"), 2)])
def test_usage(pc1, words, code):
    done = pc1.run(*words, check=False)
    assert done.returncode == code
    assert done.stdout if code == 0 else "Try 'autoenroll" in done.stderr or "usage:" in done.stderr
