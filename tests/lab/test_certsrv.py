# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The CA's command line beside a running CA, and with an administrator's ticket in the directory."""
import json
import time

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for, icpr, make_csr

OPEN = "CliOpen"      # DC, as it happens, and pc1's group may enroll
HIDDEN = "CliHidden"  # exists, is not offered at first


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({OPEN: (READ + FULL + enroll_for("DC"), {}),
              HIDDEN: (READ + FULL + enroll_for("DC"), {"msPKI-Certificate-Name-Flag": 1})})
    # changes in the directory are to be seen soon
    with open(ca.host.path("/etc/certsrv/certsrv.conf"), "a") as conf:
        conf.write("\n[directory]\nrefresh = 1s\n\n[database]\nmax-refused-per-sid-day = 3\n")
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture
def pc1(lab):
    lab.pc1.kinit_machine()
    return lab.pc1


@pytest.fixture
def certsrv(lab, ca, build):
    lab.kinit_admin(ca.host)

    def run(*words, code=0):
        out = ca.host.run(build / "prog/certsrv/certsrv", *words, check=False,
                          env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert out.returncode == code, (words, out.returncode, out.stdout, out.stderr)
        return out.stdout
    return run


def ask(ca, pc1, template, name):
    csr = make_csr(pc1, name)
    return icpr(pc1, ca.host.fqdn, csr, "--attributes", f"CertificateTemplate:{template}",
                "--ca", ca.name)


def until(what, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError("it did not come about")


def test_requests(ca, pc1, certsrv):
    issued = ask(ca, pc1, OPEN, "cli-issued")
    denied = ask(ca, pc1, "NoSuchTemplate", "cli-denied")
    assert issued["disposition"] == 3, (issued, ca.text())
    rows = json.loads(certsrv("request", "list", "--json"))["requests"]
    by_id = {r["id"]: r for r in rows}
    row = by_id[issued["request_id"]]
    assert row["disp"] == "issued" and row["template"] == OPEN
    assert row["account"] == "LAB\\PC1$" and row["subject"] == f"CN={pc1.fqdn}"
    assert by_id[denied["request_id"]]["hresult_symbol"] == "CERTSRV_E_UNSUPPORTED_CERT_TYPE"
    listed = certsrv("request", "list", "--state", "denied")
    assert "CERTSRV_E_UNSUPPORTED_CERT_TYPE" in listed and f"CN={pc1.fqdn}" not in listed
    shown = json.loads(certsrv("request", "show", str(issued["request_id"]), "--pem", "--json"))
    assert "".join(shown["cert"].split()) == "".join(issued["certificate"].split())
    certsrv("request", "show", "999999", code=3)
    certsrv("request", "list", "--state", "nonsense", code=2)


def test_crl_publish(ca, certsrv):
    first = json.loads(certsrv("crl", "publish", "--json"))
    second = json.loads(certsrv("crl", "publish", "--json"))
    assert second["number"] == first["number"] + 1
    out = ca.host.run("openssl", "crl", "-inform", "DER", "-noout", "-crlnumber", "-in",
                      second["path"])
    assert int(out.stdout.split("=")[1], 16) == second["number"]


def test_publish_and_unpublish(ca, pc1, certsrv):
    listed = {t["cn"]: t for t in json.loads(certsrv("template", "list", "--json"))["templates"]}
    assert listed[OPEN]["published"] and listed[HIDDEN]["published"]
    assert "ESC1" in listed[HIDDEN]["warning"] and listed[OPEN]["warning"] is None
    certsrv("template", "unpublish", OPEN)
    until(lambda: ask(ca, pc1, OPEN, "cli-unpublished")["disposition"] == 0x80094800)
    assert "not published already" in certsrv("template", "unpublish", OPEN)
    certsrv("template", "publish", OPEN)
    until(lambda: ask(ca, pc1, OPEN, "cli-published")["disposition"] == 3)
    certsrv("template", "publish", "NoSuchTemplate", code=3)


def service_sd(ca):
    return ca.ldb("ldbsearch", "-b", f"CN={ca.name},CN=Enrollment Services,{PKS_DN}",
                  "--show-binary", "nTSecurityDescriptor").stdout


def test_permissions_here_and_in_the_directory(ca, pc1, certsrv):
    shown = json.loads(certsrv("permission", "show", "--json"))
    assert shown["directory_agrees"]
    assert {p["name"] for p in shown["permissions"]} >= {"Authenticated Users", "Administrators"}

    certsrv("permission", "grant", "Domain Computers", "enroll", "read")
    certsrv("permission", "revoke", "Authenticated Users", "enroll")
    shown = json.loads(certsrv("permission", "show", "--json"))
    assert shown["directory_agrees"], shown
    rights = {p["name"]: p["rights"] for p in shown["permissions"]}
    assert rights["Domain Computers"] == "enroll, read"
    assert "Authenticated Users" not in rights  # setup gives them nothing but enroll
    # the computer still may, as a member of its group; then no longer
    until(lambda: ask(ca, pc1, OPEN, "cli-group").get("disposition") == 3)
    certsrv("permission", "revoke", "Domain Computers")
    until(lambda: ask(ca, pc1, OPEN, "cli-nobody").get("disposition") == 0x80094011)
    # a right the last administrator has cannot go
    certsrv("permission", "revoke", "Administrators", "manage-ca", code=2)
    certsrv("permission", "grant", "nobody of this name", "enroll", code=3)
    certsrv("permission", "grant", "Authenticated Users", "enroll")
    until(lambda: ask(ca, pc1, OPEN, "cli-again").get("disposition") == 3)


def test_a_directory_that_refuses_changes_nothing(ca, certsrv):
    before = ca.host.path("/etc/certsrv/ca.sd").read_bytes()
    ca.host.kinit("alice", "Lab-User-1")
    certsrv("permission", "grant", "alice", "enroll", code=8)
    event = ca.events(64)[-1]
    assert event["level"] == "warning" and event["location"].startswith(f"CN={ca.name},CN=Enrollment Services,")
    certsrv("template", "unpublish", OPEN, code=8)
    assert ca.host.path("/etc/certsrv/ca.sd").read_bytes() == before


def test_refusals_beyond_the_cap_are_answered_and_not_stored(ca, pc1):
    for i in range(5):
        got = ask(ca, pc1, "NoSuchTemplate", "cli-cap")
        assert got["disposition"] == 0x80094800, got
    assert got["request_id"] == 0
    assert sum(row["disp"] == 31 for row in ca.rows()) == 3
