# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""bench/report with made-up lines, and the small benchmark programs once each: that they run and agree, never how fast."""
import html.parser
import json
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]


def window(way, pair, rate, key="p256"):
    return {"time": "2026-01-01T00:00:00Z", "bench": "B1", "impl": "x", "key": key, "way": way, "pair": pair, "rate": rate,
            "sign_all": 100000, "p50_ms": 1, "p99_ms": 9, "server_cpu_us": 500, "client_cpu_us": 300, "errors": 0,
            "loadavg": 0.1}


LINES = [
    *[window("dcom", i, 400 + i) for i in range(3)], *[window("cfssl", i, 1000) for i in range(3)],
    *[{"bench": "B2", "impl": impl, "key": "p256", "part": part, "pair": 0, "asked": 9, "p50_ms": 1 + part, "p99_ms": 4,
       "p999_ms": 5, "max_ms": 1200, "errors": 0} for impl in ("autoenroll", "cfssl") for part in (0.25, 0.5, 0.8)],
    *[{"bench": "B4", "impl": "autoenroll", "db": "sqlite", "what": "enrollment", "size": size, "p50_us": us, "p99_us": 9 * us}
      for size, us in ((1000, 100), (1_000_000, 110))],
    *[{"bench": "B4", "impl": "openssl ca", "what": "enrollment", "size": size, "p50_us": size, "p99_us": size}
      for size in (1000, 1_000_000)],
    {"bench": "B7", "impl": "autoenroll", "what": "allowed", "aces": 12, "sids": 256, "ns": 60, "pair": 0},
    {"bench": "machine", "about": "2 cores <of some kind>", "loadavg": 0.1, "fsync": 7000, "sign p256, one process": 50000},
]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines"
    path.write_text("".join(json.dumps(x) + "\n" for x in LINES))
    return path


def report(*words):
    return subprocess.run([TOP / "bench/report", *words], capture_output=True, text=True)


def test_gates_are_ratios_of_the_same_windows(lines):
    out = report("--gates", lines)
    assert out.returncode == 1  # one request took longer than a second
    rows = {r.split(" | ")[1]: r.split(" | ")[2:] for r in out.stdout.splitlines() if r.startswith("| B")}
    assert rows["p256, dcom: rate to cfssl's"] == ["0.401 (0.4–0.402)", "≥ 0.35", "met |"]
    assert rows["p256: the longest of all"][-1] == "NOT MET |"
    assert rows["sqlite: enrollment, p50, 1,000,000 to 1,000 rows"][0] == "1.1"


class Page(html.parser.HTMLParser):
    """Every element closed, nothing from elsewhere."""
    void = {"meta"}

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "img", "iframe"), tag
        assert not any(k in ("src", "href") for k, _ in attrs), attrs
        self.tags.append(tag)
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone(lines, tmp_path):
    out = report("--html", tmp_path / "page.html", lines)
    assert out.returncode == 0, out.stderr
    text = (tmp_path / "page.html").read_text()
    page = Page()
    page.feed(text)
    assert not page.open and page.tags.count("svg") == 4
    assert "&lt;of some kind&gt;" in text and "url(" not in text


def program(build, name, *words):
    done = subprocess.run([build / "bench" / name, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(x) for x in done.stdout.splitlines()]


def test_the_database_s_programs(build, tmp_path):
    db = tmp_path / "ca.sqlite"
    program(build, "b6_db", "make", db, 200, 20)
    got = program(build, "b4_db", db, 100)
    assert {x["what"] for x in got} >= {"start", "enrollment", "by serial (renewal)", "same request before"}
    assert all(x["rows"] == 200 and x["p50_us"] <= x["p99_us"] for x in got)
    base, delta = program(build, "b6_db", "crl", db, tmp_path)
    assert base["entries"] == 20 and delta["entries"] <= 20
    assert (tmp_path / "b6.crl").stat().st_size > 20 * 40


def test_access_checks_agree_with_the_naive_ones(build):
    """The program ends when one of them differs."""
    got = program(build, "b7_access", 0.001)
    assert {(x["impl"], x["sids"]) for x in got} >= {(i, n) for i in ("autoenroll", "naive") for n in (64, 256, 1024)}
