# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""An administrator looks at what happened on pc1: events by the article's query, as a CSV file, in the
journal; certificates with their keys tried; status for monitoring; warnings before something expires."""
import csv
import io
import json
import re
import socket
import struct
import threading
import time

import pytest

from ca import FULL, READ, Ca, enroll_for
from client import QUIET, Client

AUTO, BRIEF = "LabSeen", "LabBrief"
CLIENT_SOURCES = {"AutoEnrollment", "CertificateServicesClient", "CertEnroll"}


def filetime(seconds):
    """A period of a template: negative units of 100 ns."""
    return struct.pack("<q", -seconds * 10_000_000)


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    mine = READ + FULL + enroll_for("DC")
    # A certificate begins ten minutes in the past: of these 650 seconds 50 are left when it is issued.
    ca.setup({AUTO: (mine, {}),
              BRIEF: (mine, {"msPKI-Enrollment-Flag": 0, "pKIExpirationPeriod": filetime(650),
                             "pKIOverlapPeriod": filetime(10)})})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(1)  # enroll, and take nothing away
    client.run("log", "level", "4")
    client.run("pulse", "--wait")
    client.events()
    yield client
    lab.pc1.heal()


def seen(events):
    return [(e["source"].rsplit("-", 1)[1], e["id"]) for e in events]


def configure(pc1, text):
    path = pc1.host.path("/etc/autoenroll/autoenroll.conf")
    lines = path.read_text().split("\n[", 1)[0].rstrip() + "\n"
    path.write_text(lines + text)


def wait_until(what, seconds=30):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_todays_events_newest_first(pc1):
    pc1.events()
    pc1.run("pulse", "--wait")
    events = pc1.json("events")
    assert seen(events) == list(reversed(QUIET))
    assert {e["source"].rsplit("-", 1)[1] for e in events} == CLIENT_SOURCES
    assert seen(pc1.json("events", "--oldest-first")) == QUIET
    [loaded] = pc1.json("events", "--id", "64", "--provider", "CertEnroll")
    assert loaded["fields"] == {"context": "Local system", "server": "ldap:"}
    assert seen(pc1.json("events", "--max", "2", "--oldest-first")) == QUIET[-2:]
    assert seen(pc1.json("events", "--id", "64,65")) == [("CertEnroll", 64), ("CertEnroll", 65)]
    assert seen(pc1.json("events", "--provider", "certificateservicesclient", "--since", "1h", "--oldest-first")) == [
        e for e in QUIET if e[0] == "CertificateServicesClient"]
    text = pc1.run("events").stdout.splitlines()
    assert len(text) == len(QUIET) and "Certificate services client stopped." in text[0]


@pytest.mark.parametrize("words", [("--level", "error"), ("--id", "4711"), ("--until", "yesterday"),
                                   ("--since", "now", "--id", "64")])
def test_no_such_events_is_exit_code_3(pc1, words):
    if words[0] == "--since":
        time.sleep(1.1)  # "now" is a second of its own
    assert pc1.json("events", *words, code=3) == []


@pytest.mark.parametrize("words", [("--since", "noon"), ("--level", "loud"), ("--id", "x"), ("--provider", "Schannel"),
                                   ("--max", "-1"), ("--encoding", "latin1"), ("--csv", "a", "b"), ("--follow", "--csv")])
def test_what_makes_no_sense_is_refused(pc1, words):
    assert pc1.run("events", *words, check=False).returncode == 2


def test_the_csv_file_is_what_export_csv_writes(pc1):
    done = pc1.host.run(f"cd /run && {pc1.program} events --oldest-first --csv", env={"ASAN_OPTIONS": "detect_leaks=0"})
    name = pc1.host.run("hostname -s").stdout.strip() + "_ClientEvents.csv"
    assert name in done.stderr and done.stdout == ""
    data = pc1.host.path(f"/run/{name}").read_bytes()
    assert data[:2] == b"\xff\xfe"
    text = data[2:].decode("utf-16-le")
    assert text.startswith('"TimeCreated","Id","LevelDisplayName","Message"\r\n') and text.endswith('"\r\n')
    assert all(re.fullmatch(r'"[^"]*"(,"[^"]*"){3}', line) for line in text[:-2].split("\r\n"))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    events = pc1.json("events", "--oldest-first")
    assert [(r["TimeCreated"], int(r["Id"]), r["LevelDisplayName"], r["Message"]) for r in rows] == [
        (e["time"], e["id"], e["level"], e["message"]) for e in events]
    utf8 = pc1.run("events", "--oldest-first", "--csv=-", "--encoding", "utf-8").stdout
    assert list(csv.DictReader(io.StringIO(utf8, newline=""))) == rows


def test_following_shows_each_event_as_it_happens(pc1):
    log = pc1.host.path("/var/follow.log")
    with pc1.host.start(pc1.program, "events", "--follow", "--json", "--since", "now", log=log,
                        env={"ASAN_OPTIONS": "detect_leaks=0"}):
        pc1.run("pulse", "--wait")

        def lines():
            return [json.loads(x) for x in log.read_text().splitlines() if x.startswith("{")] if log.exists() else []
        wait_until(lambda: seen(lines())[-1:] == [("CertificateServicesClient", 2)])
        assert seen(lines())[-len(QUIET):] == QUIET


def test_the_event_file_is_bounded_and_survives_damage(pc1):
    configure(pc1, "[events]\nmax-size = 4096\nkeep = 2\n")
    folder = pc1.host.path("/var/lib/autoenroll")
    for _ in range(6):
        pc1.run("pulse", "--wait")
    files = sorted(folder.glob("events.jsonl*"))
    assert [f.name for f in files] == ["events.jsonl", "events.jsonl.1", "events.jsonl.2", "events.jsonl.lock"]
    assert all(f.stat().st_size <= 4096 for f in files) and files[3].stat().st_mode & 0o077 == 0
    before = seen(pc1.json("events", "--oldest-first"))
    assert before[-len(QUIET):] == QUIET
    with files[0].open("ab") as f:
        f.write(b"no event\n{\"time\": \"20")  # killed in the middle of a line
    pc1.run("pulse", "--wait")
    done = pc1.run("events", "--oldest-first", "--json")
    assert seen(json.loads(done.stdout))[-len(QUIET):] == QUIET
    assert "2 damaged lines" in done.stderr
    configure(pc1, "")


class Journal(threading.Thread):
    """What arrives at the journal's socket of a host, as it comes over the wire."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.path = host.path("/run/systemd/journal/socket")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.records = []
        self.start()

    def run(self):
        while data := self.socket.recv(65536):
            fields = {}
            for line in data.split(b"\n"):
                key, equals, value = line.decode("utf-8", "replace").partition("=")
                if equals:
                    fields[key] = value
            if fields.get("AE_LAST"):
                return
            self.records.append(fields)

    def stop(self):
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.sendto(b"AE_LAST=1\n", str(self.path))
        self.join(10)
        self.path.unlink()
        return self.records


def test_the_journal_gets_ids_fields_and_a_catalogue(pc1, ca):
    journal = Journal(pc1.host)
    pc1.run("enroll", "-T", AUTO)
    events = {(r["AE_EVENT_SOURCE"].rsplit("-", 1)[1], r["AE_EVENT_ID"]): r for r in journal.stop() if "AE_EVENT_ID" in r}
    issued = events["CertEnroll", "19"]
    assert issued["AE_TEMPLATE"] == AUTO and issued["AE_CA"] == "ca1.lab.example\\Lab CA"
    assert issued["AE_REQUEST_ID"].isdigit() and issued["PRIORITY"] == "6"
    installed = events["System", "1006"]
    [current] = [c for c in pc1.json("store", "list") if c["template"] == AUTO]
    assert installed["AE_THUMBPRINT"] == current["thumbprint"]
    # What journalctl --catalog would show for them.
    catalog = open("dist/autoenroll.catalog", encoding="utf-8").read()
    for record in events.values():
        assert f"-- {record['MESSAGE_ID']}\n" in catalog
    root = pc1.host.path("/var") / "catalog"
    folder = root / "usr/lib/systemd/catalog"
    folder.mkdir(parents=True)
    (root / "var/lib/systemd/catalog").mkdir(parents=True)
    (folder / "autoenroll.catalog").write_text(catalog)
    pc1.host.run("journalctl", "--root=/var/catalog", "--update-catalog")
    shown = pc1.host.run("journalctl", "--root=/var/catalog", "--dump-catalog", issued["MESSAGE_ID"]).stdout
    assert "CertEnroll 19 (Information)" in shown and "@AE_TEMPLATE@" in shown


def test_who_says_which_level(pc1):
    def level():
        answer = pc1.json("log", "level")
        return answer["log_level"], answer["source"]
    assert level() == (4, "local")
    policy = pc1.host.path("/etc/autoenroll/policy.conf")
    policy.write_text("[computer]\nae-policy = 1\nlog-level = 5\n")
    pc1.run("log", "level", "default")
    assert level() == (3, "default")
    pc1.events()
    pc1.run("pulse", "--wait")
    assert level() == (5, "policy")
    # What came after policy was read is there already, and all of it from the next run on.
    assert pc1.events() == QUIET[6:]
    pc1.run("pulse", "--wait")
    assert pc1.events() == QUIET
    pc1.run("log", "level", "1")
    assert level() == (1, "local")
    pc1.run("pulse", "--wait")
    assert pc1.events() == []
    pc1.local_policy(1)
    pc1.run("pulse", "--wait")
    pc1.run("log", "level", "default")
    assert level() == (3, "default")
    pc1.run("log", "level", "4")


def test_store_list_tries_every_key(pc1):
    pc1.run("enroll", "-T", AUTO)  # the one before is archived
    [cert] = [c for c in pc1.json("store", "list") if c["template"] == AUTO]
    assert (cert["state"], cert["key_test"], cert["provider"], cert["key_error"]) == ("valid", "passed", "software", "")
    assert cert["template_name"] == AUTO and cert["template_oid"].startswith("1.3.6.1.4.1.311.21.8.")
    shown = pc1.run("store", "list", "-v").stdout
    assert "signature test passed" in shown and cert["thumbprint_sha256"] in shown
    everything = pc1.json("store", "list", "--archived")
    assert {c["state"] for c in everything if not c["current"]} == {"archived"}
    assert pc1.json("store", "list", "--all")["requests"] == []
    key = pc1.current(AUTO, "key.pem").resolve()
    kept = key.read_bytes()
    for broken, state in ((b"no key\n", "key fails"), (None, "key missing"),
                          (pc1.host.run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256").stdout.encode(),
                           "key does not fit")):
        key.unlink(missing_ok=True)
        if broken is not None:
            key.write_bytes(broken)
        [cert] = [c for c in pc1.json("store", "list") if c["template"] == AUTO]
        assert (cert["state"], cert["key_test"]) == (state, "failed") and cert["key_error"]
        status = pc1.json("status", code=1)
        assert [c["health"] for c in status["certificates"] if c["template"] == AUTO] == ["critical"]
    key.unlink(missing_ok=True)
    key.write_bytes(kept)
    key.chmod(0o600)


LABEL = r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][\w:]*)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?\d+)")


def exposition(text):
    """{(metric, labels): value}; as strict as Prometheus' text format 0.0.4 is."""
    assert text.endswith("\n")
    found, types, family = {}, {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family = line.split(" ", 3)[2]
            assert family not in types, "the samples of a metric stand together"
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and kind == "gauge"
            types[name] = kind
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert match[1] == family and family in types
        key = (match[1], tuple(sorted(re.findall(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"', match[2] or ""))))
        assert key not in found
        found[key] = int(match[3])
    return found


def test_status_for_monitoring(pc1):
    pc1.host.path("/var/lib/autoenroll/task.json").write_text(json.dumps(
        {"context": "machine", "state": "Ready", "enabled": True, "last_end": time.strftime("%FT%TZ", time.gmtime()),
         "exit": 0, "missed_runs": 0, "next_run": None, "resume": {}}))
    status = pc1.json("status", "--warn", "1d")
    assert (status["health"], status["findings"]) == ("ok", 0) and status["task"]["health"] == "ok"
    [cert] = status["certificates"]
    assert pc1.run("status").stdout.startswith(f"ok       {AUTO} ")
    late = pc1.json("status", "--warn", "100%", code=1)
    assert late["certificates"][0]["health_text"] == "is about to expire"
    assert late["certificates"][0]["thumbprint"] == cert["thumbprint"]
    done = pc1.run("status", "--nagios")
    assert re.fullmatch(r"AUTOENROLL OK - 1 certificates \| certificates=1 findings=0 pending=0 next_expiry=\d+s\n", done.stdout)
    done = pc1.run("status", "--nagios", "--warn", "100%", check=False)
    assert done.returncode == 1 and done.stdout.startswith(f"AUTOENROLL WARNING - {AUTO} is about to expire")


def test_prometheus_reads_the_text_file(pc1):
    pc1.run("status", "--prometheus", "/var/autoenroll.prom", check=False)
    metrics = exposition(pc1.host.path("/var/autoenroll.prom").read_text())
    [cert] = pc1.json("store", "list")
    labels = tuple(sorted({"context": "machine", "template": AUTO, "thumbprint": cert["thumbprint"],
                           "subject": cert["subject"]}.items()))
    assert metrics["autoenroll_certificate_key_ok", labels] == 1
    until = time.strftime("%FT%TZ", time.gmtime(metrics["autoenroll_certificate_not_after_timestamp_seconds", labels]))
    assert until == cert["not_after"]
    assert metrics["autoenroll_findings", (("context", "machine"),)] == 0
    assert [f for f in pc1.host.path("/var").glob("*.prom*")] == [pc1.host.path("/var/autoenroll.prom")]


def test_a_warning_before_expiry_once_a_day_and_to_whom(pc1):
    script = pc1.host.path("/var/lib/sendmail")
    script.write_text('#!/bin/sh\n{ echo "args: $*"; cat; } >>/var/mail.txt\n')
    script.chmod(0o755)
    command = pc1.host.path("/var/lib/tell")
    command.write_text('#!/bin/sh\n{ echo "$1 $2 $AUTOENROLL_SUBJECT"; cat; } >>/var/told.txt\n')
    command.chmod(0o755)
    configure(pc1, "[notify]\nmail = root\nsendmail = /var/lib/sendmail\ncommand = /var/lib/tell a;b $(c)\n")
    pc1.run("enroll", "-T", BRIEF)
    [brief] = [c for c in pc1.json("store", "list") if c["template"] == BRIEF]
    pc1.events()

    def warnings():
        return pc1.json("events", "--id", "64", "--provider", "AutoEnrollment", "--json", code=0 if happened else 3)
    happened = True
    pc1.run("pulse", "--wait")
    [warning] = warnings()
    assert warning["level"] == "Warning" and warning["fields"]["thumbprint"] == brief["thumbprint"]
    lifecycle = pc1.json("events", "--id", "1002,1003", "--provider", "Lifecycle-System")
    assert [e["fields"]["template"] for e in lifecycle] == [BRIEF]
    mail = pc1.host.path("/var/mail.txt").read_text()
    assert mail.startswith("args: -i -- root\nTo: root\nSubject: autoenroll: 1 certificate of pc1.lab.example")
    assert brief["thumbprint"] in mail
    told = pc1.host.path("/var/told.txt").read_text()
    assert told.startswith("a;b $(c) autoenroll: 1 certificate of") and brief["thumbprint"] in told
    pc1.run("pulse", "--wait")
    assert len(warnings()) == 1 and pc1.host.path("/var/mail.txt").read_text() == mail
    # A day later it is told again.
    warned = pc1.host.path("/var/lib/autoenroll/warned.json")
    assert list(json.loads(warned.read_text())) == [brief["thumbprint"]]
    warned.write_text(json.dumps({brief["thumbprint"]: "2026-01-01T00:00:00Z"}))
    pc1.run("pulse", "--wait")
    assert len(warnings()) == 2 and pc1.host.path("/var/mail.txt").read_text().count("To: root") == 2
    configure(pc1, "")


def test_a_program_that_fails_is_no_reason_to_fail(pc1):
    configure(pc1, "[notify]\nmail = root\nsendmail = /nonexistent/sendmail\ncommand = relative words\n")
    pc1.host.path("/var/lib/autoenroll/warned.json").unlink()
    done = pc1.run("pulse", "--wait")
    assert "mail to root" in done.stderr and "/nonexistent/sendmail" in done.stderr
    assert "begins with a '/'" in done.stderr
    configure(pc1, "")


def test_an_unknown_template_is_event_6(pc1):
    pc1.events()
    done = pc1.run("enroll", "-T", "Nonsuch", check=False)
    assert done.returncode == 3
    [event] = pc1.json("events", "--id", "6", "--provider", "CertEnroll")
    assert event["level"] == "Error" and event["fields"]["template"] == "Nonsuch"


def test_no_domain_controller(pc1, lab):
    pc1.events()
    lab.dc1.refuse(389)
    try:
        done = pc1.run("pulse", "--wait", check=False)
    finally:
        lab.dc1.heal()
    assert done.returncode in (5, 6)
    events = pc1.events()
    assert events[0] == ("AutoEnrollment", 2) and events[-1] == ("CertificateServicesClient", 2)
    for event in [("CertEnroll", 74), ("CertEnroll", 67), ("AutoEnrollment", 15), ("AutoEnrollment", 6)]:
        assert event in events


def test_what_takes_long_says_what_it_does(pc1, build):
    def stages(*words):
        return [line for line in pc1.run(*words).stderr.splitlines() if line.startswith("... ")]
    assert stages("pulse", "--wait") == []  # no terminal
    shown = stages("enroll", "-T", AUTO, "--verbose")
    assert shown.index("... making a key") < shown.index("... asking the CA")
    assert "... reading templates and permissions" in stages("pulse", "--wait", "--verbose")
    log = pc1.host.path("/var/autoenrolld.log")
    with pc1.host.start(pc1.daemon_program, "-f", log=log, env={"ASAN_OPTIONS": "detect_leaks=0"}):
        wait_until(lambda: pc1.host.path("/run/autoenroll/control").exists())
        done = pc1.run("pulse", "--wait", "--verbose", "--json")
        assert "... reading templates and permissions" in done.stderr
        assert json.loads(done.stdout)["context"] == "machine"
