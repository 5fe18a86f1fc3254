# SPDX-License-Identifier: Apache-2.0
"""autoenroll explain and diagnose --from-csv: they ask nobody, so there is no lab here."""
import json
import os
import pathlib
import random
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("AE_BUILD", ROOT / "build"))
MAKE = ROOT / "tests/vectors/gen-csv.py"


def autoenroll(*args, stdin=None, lang="C.UTF-8", code=0):
    done = subprocess.run([BUILD / "prog/autoenroll/autoenroll", *args], input=stdin, capture_output=True,
                          env={**os.environ, "LC_ALL": lang}, timeout=60, check=False)
    assert done.returncode == code, (args, done.returncode, done.stderr.decode())
    assert b"Sanitizer" not in done.stderr, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    where = tmp_path_factory.mktemp("exports")
    subprocess.run([MAKE, where], check=True)
    return where


def test_explain_words_and_stdin():
    assert "token.group-not-in-ticket" in autoenroll("explain", "0x80094012")
    assert "-2147023174" in autoenroll("explain", "-2147023174")
    assert "CERTSRV_E_TEMPLATE_DENIED" in autoenroll("explain", stdin=b"Failed (0x80094012)")
    assert "RPC_S_SERVER_UNAVAILABLE" in autoenroll("explain", "-", stdin="Der RPC-Server ist nicht verfügbar".encode("utf-16"))
    assert "cause" in autoenroll("explain", "time.skew")


def test_explain_unknown_is_said():
    autoenroll("explain", "hello", code=3)
    said = json.loads(autoenroll("explain", "--json", "template.no-enrol-right", code=3))
    assert not said["known"] and "template.no-enroll-right" in said["nearest"]
    autoenroll("explain", "--nothing", code=2)
    autoenroll("explain", "--lang", "xx", "1722", code=2)
    autoenroll("explain", stdin=random.Random(2).randbytes(200000), code=3)


def test_locale_chooses_the_language():
    assert "attendu" in autoenroll("explain", "time.skew", lang="fr_FR.UTF-8")
    assert "expected" in autoenroll("explain", "--lang", "en", "time.skew", lang="fr_FR.UTF-8")


def verdict(path, **how):
    return json.loads(autoenroll("diagnose", "--from-csv", "--json", path, **how))


@pytest.mark.parametrize("name, category, key", [
    ("unreachable", "T", "0x800706ba"), ("denied", "D", "0x80094012"), ("email", "D", "deny.subject-email"),
    ("dns", "D", "0x8009480f"), ("unpublished", "N", "CE 47"), ("quiet", "N", "nothing-happens"),
    ("quiet-de", "N", "nothing-happens"), ("pending", "P", "pending.awaiting-approval")])
def test_from_csv(exports, name, category, key):
    said = verdict(exports / f"{name}_ClientEvents.csv", code=1)
    assert (said["host"], said["category"], said["key"]) == (name, category, key)
    assert said["runs"] == 3 and said["first"] != said["last"]
    first = said["findings"][0]
    assert first["count"] == 3 and first["causes"] and all(c["fix"] for c in first["causes"])
    if name in ("denied", "email", "dns", "unpublished"):
        assert first["template"] == "Workstation" and first["context"] == "machine"


def test_from_csv_healthy(exports):
    said = verdict(exports / "healthy_ClientEvents.csv")
    assert said["category"] == "O" and said["issued"] == 3 and not said["findings"]


def test_from_csv_fleet(exports):
    said = autoenroll("diagnose", "--from-csv", exports, code=1)
    assert "9 hosts: 1 healthy" in said and "\n     2  nothing-happens" in said
    said = json.loads(autoenroll("diagnose", "--from-csv", "--json", exports, code=1))
    assert len(said["files"]) == 9 and said["fleet"]["causes"][0]["key"] == "nothing-happens"


def test_from_csv_damaged(exports, tmp_path):
    whole = (exports / "denied_ClientEvents.csv").read_bytes()
    torn = tmp_path / "torn.csv"
    torn.write_bytes(whole[:len(whole) // 2])
    said = verdict(torn, code=1)
    assert said["key"] == "0x80094012" and "line" in said["damage"]
    for name, data in (("zeros", bytes(100000)), ("noise", random.Random(2).randbytes(100000)), ("text", b"Dear all,\n"), ("mark", b"\xff\xfe")):
        bad = tmp_path / f"{name}.csv"
        bad.write_bytes(data)
        assert autoenroll("diagnose", "--from-csv", bad, code=4 if name != "mark" else 3) is not None
    autoenroll("diagnose", "--from-csv", tmp_path / "none.csv", code=4)
    autoenroll("diagnose", "--from-csv", code=2)
    both = autoenroll("diagnose", "--from-csv", torn, tmp_path / "noise.csv", code=1)
    assert "2 hosts" in both and "1 not read" in both


def test_from_csv_hostile_words_are_shown_harmless(tmp_path):
    bad = tmp_path / "x_ClientEvents.csv"
    bad.write_text("TimeCreated,Id,LevelDisplayName,Message\n\x1b[2J,13,Error,"
                   "Certificate enrollment for EX\\\x1b]0;x\x07 failed for a `rm` certificate \x1b[31m <b>&</b> (0x80094801)\n")
    said = autoenroll("diagnose", "--from-csv", "-v", bad, code=1)
    assert "\x1b" not in said and "\x07" not in said and "deny.no-template-info" in said


def test_own_export_is_read_again(tmp_path):
    """What 'autoenroll events --csv' writes, of a log with a denial in it."""
    log = tmp_path / "var/lib/autoenroll/events.jsonl"
    source = (ROOT / "prog/autoenrolld/eventlog.c").read_text()
    assert '"source"' in source  # the members written below are those of eventlog_write
    log.parent.mkdir(parents=True)
    line = {"time": "2026-11-28T08:00:00Z", "source": "Microsoft-Windows-CertificateServicesClient-CertEnroll", "id": 13,
            "level": "Error", "message": "EXAMPLE\\pc1$: enrollment for template Web failed; request id 7 at ca1.example.com\\CA "
            "(0x80094812).", "params": {}}
    log.write_text(json.dumps(line) + "\n")
    out = tmp_path / "pc1_ClientEvents.csv"
    autoenroll("--root", tmp_path, "events", "--since", "2020-01-01", "--csv", out)
    assert verdict(out, code=1)["key"] == "deny.subject-email"


ENTRY = """[a.b]
category: N
who: user
en.cause: It is {template}.
en.expected: b
en.fix: c
fr.cause: C'est {template}.
fr.expected: d
fr.fix: e
"""


@pytest.mark.parametrize("old, new, said", [
    ("", "", None), ("fr.fix: e\n", "", "fr fix is missing"), ("C'est {template}", "C'est", "different placeholders"),
    ("{template}", "{nobody}", "no placeholder"), ("who: user", "who: nobody", "who is one"), ("category: N", "category: Q", "category"),
    ("[a.b]", "[a.b]\nsee: c.d", "no such check"), ("[a.b]", "[a.b]\ncodes: 80094012", "code 80094012"),
    ("[a.b]", "[a.b]\nevents: XX 1", "event XX 1"), ("en.fix: c", "en.fix: c [{template}", "not closed"),
    ("[a.b]", "[a.b]\nwho: host", "twice"), ("en.fix: c\n", "en.fix c\n", "neither"), ("[a.b]\n", ENTRY + "[a.b]\n", "a.b twice")])
def test_catalogue_refuses_what_is_incomplete(tmp_path, old, new, said):
    source = tmp_path / "c00-a.txt"
    source.write_text(ENTRY.replace(old, new) if old else ENTRY)
    done = subprocess.run([ROOT / "tools/diag-catalog", "c", tmp_path / "out.c", source], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (said is None) and (said is None or (said in done.stderr and "c00-a.txt:" in done.stderr)), done.stderr
