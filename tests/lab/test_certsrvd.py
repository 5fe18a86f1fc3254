# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The processes of certsrvd: what each one has, what happens when one dies, lies or is lied to."""
import collections
import ctypes
import errno
import json
import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from ca import FULL, READ, UID_BASE, Ca, enroll_for, icpr, make_csr
from lab import TOP

MACHINE = "LabMachine"
ROLES = ("rpc135", "rpc", "auth", "ca", "ad", "db", "sign")
PIDFD_OPEN, PIDFD_GETFD = 434, 438
libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build, key="p256")
    ca.setup({MACHINE: (READ + FULL + enroll_for("DC"), {})})
    ca.start()
    yield ca
    assert ca.stop() == 0


@pytest.fixture
def pc1(lab):
    lab.pc1.kinit_machine()
    return lab.pc1


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def descriptors(pid):
    return {int(p.name): os.readlink(p) for p in pathlib.Path(f"/proc/{pid}/fd").iterdir()}


def enroll(ca, host, csr, seconds=20):
    """Asks until it is answered; how long it took."""
    begin = time.monotonic()
    while True:
        got = icpr(host, f"{ca.host.fqdn}:49500", csr, "--attributes", f"CertificateTemplate:{MACHINE}",
                   "--ca", ca.name)
        if got.get("disposition") == 3:
            return got, time.monotonic() - begin
        assert time.monotonic() - begin < seconds, (got, ca.text())
        time.sleep(0.2)


# ---- what each process has ----

def test_each_process_has_given_up(ca):
    for role in ROLES:
        pids = ca.pids(role)
        assert pids, role
        for pid in pids:
            s = status(pid)
            assert s["Uid"].split()[0] not in ("0",), role
            assert int(s["Uid"].split()[0]) > UID_BASE, role
            assert s["Groups"].strip() == "", role
            assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2", role
            assert int(s["CapEff"], 16) == int(s["CapPrm"], 16) == 0, role


def test_no_process_has_what_another_needs(ca):
    for role in ROLES:
        for pid in ca.pids(role):
            links = set(descriptors(pid).values())
            files = {link for link in links
                     if link.startswith("/") and link != "/dev/null" and not link.endswith("certsrvd.log")}
            assert pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == f"certsrvd-{role}"
            if role == "db":
                assert files and all("/var/lib/certsrv/db/ca.sqlite" in f for f in files)
            else:
                assert not files, (role, files)
            net = pathlib.Path(f"/proc/{pid}/net/tcp").read_text()
            tcp = {line.split()[9] for line in net.splitlines()[1:]}
            mine = {link[8:-1] for link in links if link.startswith("socket:")} & tcp
            if role in ("auth", "ca", "db", "sign"):
                assert not mine, role  # no network at all


@pytest.mark.parametrize("role,call,result", [
    ("rpc", "connect", "killed"), ("rpc135", "connect", "killed"), ("sign", "connect", "killed"),
    ("rpc", "execve", "killed"), ("ca", "ptrace", "killed"), ("db", "bpf", "killed"),
    ("rpc", "socket", "refused"), ("ca", "socket", "refused"), ("auth", "socket", "refused"),
    ("sign", "open", "refused"), ("rpc", "open", "refused"), ("rpc135", "open", "refused"),
    ("rpc", "openat", "refused"), ("rpc135", "execve", "killed"),
])
def test_forbidden_calls(ca, build, role, call, result):
    """Made from inside, as one who has broken in would."""
    number = {"open": 2, "socket": 41, "connect": 42, "execve": 59, "ptrace": 101, "openat": 257, "bpf": 321}[call]
    pid = ca.pids(role)[0]
    before = ca.text().count("forbidden system call")
    out = subprocess.run([build / "tests/tools/inject", str(pid), str(number)], capture_output=True, text=True,
                         timeout=60, check=True).stdout.strip()
    if result == "killed":
        assert out == "killed"
        ca.wait_log("forbidden system call", count=before + 1)
    else:
        assert -int(out) in (errno.EPERM, errno.EACCES), out
        assert ca.pids(role)[0] == pid
    deadline = time.monotonic() + 10
    while not ca.pids(role) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ca.pids(role)


# ---- when one dies ----

@pytest.mark.parametrize("role", ROLES)
def test_f1_killed_process_comes_back(ca, pc1, role):
    csr = make_csr(pc1, f"kill-{role}")
    before = ca.text().count(f"{role} killed by signal 9")
    old = ca.pids(role)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    ca.wait_log(f"{role} killed by signal 9", count=before + len(old))
    _, took = enroll(ca, pc1, csr)
    assert took < 10
    assert not set(ca.pids(role)) & set(old)


def test_f1_killed_while_issuing(ca, pc1):
    """Clients enroll in a loop while processes are shot: nobody holds a certificate that the
    database does not know, no serial comes twice, no intent is left open."""
    received, errors, stop = [], collections.Counter(), threading.Event()

    def client(n):
        i = 0
        while not stop.is_set():
            i += 1
            csr = make_csr(pc1, f"storm-{n}")
            got = icpr(pc1, f"{ca.host.fqdn}:49500", csr, "--attributes",
                       f"CertificateTemplate:{MACHINE}", "--ca", ca.name)
            if got.get("disposition") == 3:
                received.append(got)
            else:
                errors[got.get("error", hex(got.get("hresult", 0)))] += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    kills = 0
    for round_ in range(14):
        time.sleep(0.7)
        role = ("db", "sign", "ca", "rpc", "auth", "sign", "db")[round_ % 7]
        for pid in ca.pids(role)[:1]:
            os.kill(pid, signal.SIGKILL)
            kills += 1
    stop.set()
    for t in threads:
        t.join(60)
    enroll(ca, pc1, make_csr(pc1, "after-storm"))
    assert kills >= 10 and len(received) >= 5, (kills, len(received), errors)
    rows = {row["id"]: row["disp"] for row in ca.rows()}
    for got in received:
        assert rows[got["request_id"]] == 20
    serials = {got["certificate"] for got in received}
    assert len(serials) == len({got["request_id"] for got in received})
    assert 8 not in rows.values()  # no intent without an end
    assert not ca.events(7)  # no signature without a row, whoever died when


# ---- when one lies ----

def steal(pid, fd):
    """A duplicate of another process's descriptor."""
    p = libc.syscall(PIDFD_OPEN, pid, 0)
    assert p >= 0
    got = libc.syscall(PIDFD_GETFD, p, fd, 0)
    os.close(p)
    assert got >= 0, os.strerror(ctypes.get_errno())
    return socket.socket(fileno=got)


def unix_sockets(pid):
    """Its descriptors for other processes, without the one for the parent (3)."""
    listed = pathlib.Path(f"/proc/{pid}/net/unix").read_text()
    inodes = {line.split()[6] for line in listed.splitlines()[1:]}
    return [fd for fd, link in descriptors(pid).items()
            if fd > 3 and link.startswith("socket:") and link[8:-1] in inodes]


def numbers():
    """The messages of certsrvd by name, as its table counts them."""
    text = (TOP / "prog/certsrvd/proto.h").read_text()
    body = re.search(r"enum msg \{(.*?)\};", text, re.S)[1]
    return {name: n for n, name in enumerate(re.findall(r"\bMSG_\w+", re.sub(r"/\*.*?\*/", "", body, flags=re.S)), 1)}


MSG = numbers()


def message(kind, body=b"", flags=0):
    return b"".join(n.to_bytes(4, "little") for n in (kind, 1, len(body), flags)) + body


LIES = {"noise": b"\xff" * 64, "another's": message(MSG["MSG_PEER"]), "unknown": message(9999, b"x"),
        "truncated": message(MSG["MSG_REQUEST"], b"short"), "huge": message(MSG["MSG_REQUEST"])[:8] + b"\xff\xff\xff\x7f" + bytes(4)}


@pytest.mark.parametrize("role,what", [("rpc", lie) for lie in LIES] +
                         [(role, "unknown") for role in ("auth", "sign", "db", "ad")])
def test_a_liar_is_cut_off(ca, pc1, role, what):
    """A process of ours that says what its peer's table has no row for is ended, once, by name."""
    before = len(re.findall("cut off|broke the contract", ca.text()))
    pid = ca.pids(role)[0]
    targets = unix_sockets(pid)
    assert targets
    with steal(pid, targets[-1]) as s:
        s.setblocking(False)
        s.send(LIES[what])
    ca.wait_log("cut off|broke the contract", count=before + 1)
    time.sleep(0.3)
    assert len(re.findall("cut off|broke the contract", ca.text())) == before + 1
    enroll(ca, pc1, make_csr(pc1, "liar"))


def test_f26_a_babbler_is_bounded(ca, pc1):
    """A process that floods the log gets a thousand lines in ten seconds, and serves on."""
    line = message(MSG["MSG_LOG"], b"\x05\x00babble\0")  # notice, no fields, text
    with steal(ca.pids("auth")[0], 3) as s:
        for _ in range(3000):
            select.select([], [s], [], 5)
            s.send(line)
    ca.wait_log("babble", count=900)
    time.sleep(1)
    assert ca.text().count("babble") <= 1000
    enroll(ca, pc1, make_csr(pc1, "babbler"))


def test_f26_a_journal_that_hangs(ca, pc1):
    """A journal that takes nothing holds up nobody: certificates are issued, who dies comes back, and the first line it
    takes again says how many were lost."""
    assert ca.stop() == 0
    path = pathlib.Path(ca.host.path("/run/systemd/journal/socket"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(path))
        try:
            ca.process = ca.host.start(ca.program, env={"ASAN_OPTIONS": "detect_leaks=0"})  # not -f: to the journal
            enroll(ca, pc1, make_csr(pc1, "hangs"))
            with steal(ca.pids("auth")[0], 3) as s:
                for _ in range(600):  # more than any queue of datagrams holds
                    select.select([], [s], [], 5)
                    s.send(message(MSG["MSG_LOG"], b"\x05\x00babble\0"))
            old = ca.pids("rpc")
            for pid in old:
                os.kill(pid, signal.SIGKILL)
            enroll(ca, pc1, make_csr(pc1, "hangs"))
            assert ca.pids("rpc") and not set(old) & set(ca.pids("rpc"))
            journal.settimeout(10)
            text = b""
            while b"lines were not written" not in text:
                text = journal.recv(65536)
                os.kill(ca.process.pid, signal.SIGUSR2)  # a line about policy files
            assert b"PRIORITY=4" in text and b"SYSLOG_IDENTIFIER=certsrvd" in text
        finally:
            ca.stop()
            path.unlink()
            ca.start()


# ---- those outside ----

def outside_lines(ca):
    return [line for line in ca.text().splitlines() if "192.0.2.30" in line]


def test_noise_is_one_line(ca, lab):
    """Bytes that do not parse: a closed connection and one bounded line each, no row."""
    rows, before = len(ca.rows()), len(outside_lines(ca))
    noise = "exec 3<>/dev/tcp/%s/%d; printf '\\x05\\x00\\x63\\xffrubbish%%01000d' 7 >&3; cat <&3 | wc -c"
    for port in (135, 49500):
        lab.pc1.run(noise % (ca.host.address, port))
    time.sleep(0.5)
    assert len(outside_lines(ca)) == before + 2
    for _ in range(40):
        lab.pc1.run(noise % (ca.host.address, 49500))
    time.sleep(0.5)
    assert len(outside_lines(ca)) <= before + 2 + 20 * len(ca.pids("rpc"))
    assert len(ca.rows()) == rows


@pytest.mark.parametrize("level", [1, 2, 4, 5])
def test_esc11_below_privacy_is_refused(ca, pc1, level):
    """ESC11: nothing below packet privacy asks for a certificate."""
    rows = len(ca.rows())
    csr = make_csr(pc1, "level")
    got = icpr(pc1, f"{ca.host.fqdn}:49500", csr, "--attributes", f"CertificateTemplate:{MACHINE}",
               "--ca", ca.name, "--level", level)
    assert "error" in got, got
    assert len(ca.rows()) == rows


def test_auth_type_anonymous_is_refused(ca, pc1):
    csr = make_csr(pc1, "anonymous")
    got = icpr(pc1, f"{ca.host.fqdn}:49500", csr, "--ca", ca.name, "--anonymous")
    assert "access" in got["error"].lower(), got


def test_f13_one_address_cannot_take_all_places(ca, lab):
    """33 silent connections: the 33rd is closed at once, the others after ten seconds, and another
    host is served meanwhile."""
    script = ("import socket,time,select\n"
              f"c=[socket.create_connection(('{ca.host.address}',135)) for _ in range(40)]\n"
              "time.sleep(1)\n"
              "dead=[s for s in c if select.select([s],[],[],0)[0]]\n"
              "print(len(dead), flush=True)\n"
              "time.sleep(11)\n"
              "dead=[s for s in c if select.select([s],[],[],0)[0]]\n"
              "print(len(dead))\n")
    proc = subprocess.Popen(lab.pc1.command("/usr/bin/python3", "-c", script), stdout=subprocess.PIPE,
                            text=True)
    assert proc.stdout.readline().strip() == "8"
    lab.dc1.run(f"rpcclient -N ncacn_ip_tcp:{ca.host.fqdn} -c 'epmlookup' 2>&1 | head -5", check=False)
    assert proc.stdout.readline().strip() == "40"
    proc.wait(5)


# ---- stop and go ----

def test_reload(ca, pc1):
    """SIGHUP: a broken file changes nothing, a good one is taken over."""
    conf = ca.host.path("/etc/certsrv/certsrv.conf")
    text = conf.read_text()
    conf.write_text(text + "\n[ca]\nnonsense = 1\n")
    ca.process.send(signal.SIGHUP)
    ca.wait_log("configuration not taken over: .*nonsense")
    conf.write_text(text.replace("[sandbox]", "[listen]\nworkers = 1\n\n[sandbox]"))
    ready = ca.text().count("ready: CA")
    ca.process.send(signal.SIGHUP)
    ca.wait_log("ready: CA", count=ready + 1)
    assert len(ca.pids("rpc")) == len(ca.pids("sign")) == 1
    enroll(ca, pc1, make_csr(pc1, "reload"))
    conf.write_text(text)


def test_krb5_conf_changes(ca, pc1):
    """The rpc processes cannot read the new file; they make place for ones that have."""
    conf = ca.host.path("/etc/krb5.conf")
    conf.write_text(conf.read_text() + "\n# changed\n")
    enroll(ca, pc1, make_csr(pc1, "krb5conf"), seconds=60)


def test_f10_without_domain_controller(ca, pc1, lab):
    """The directory away for longer than a minute: deny, and go on by itself afterwards."""
    csr = make_csr(pc1, "nodc")
    enroll(ca, pc1, csr)
    lab.dc1.drop(389)
    try:
        ca.wait_log("directory: .*", count=1)
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            got = icpr(pc1, f"{ca.host.fqdn}:49500", make_csr(pc1, "nodc2"), "--attributes",
                       f"CertificateTemplate:{MACHINE}", "--ca", ca.name)
            if got.get("hresult") == 0x800706bb:
                break
            time.sleep(5)
        assert got.get("hresult") == 0x800706bb, got
        assert "no domain controller answers" in ca.text()
    finally:
        lab.dc1.heal()
    enroll(ca, pc1, csr, seconds=40)


# ---- the database's disk ----

@pytest.fixture
def small_disk(ca):
    """The database on a file system of its own that can be filled."""
    assert ca.stop() == 0
    host = ca.host
    host.run("cp -a /var/lib/certsrv/db /var/lib/certsrv/db.keep && "
             f"mount -t tmpfs -o size=3m,mode=0700,uid={UID_BASE + 6},gid={UID_BASE + 6} tmpfs /var/lib/certsrv/db && "
             "cp -a /var/lib/certsrv/db.keep/. /var/lib/certsrv/db/")
    ca.start()
    yield host
    ca.stop()
    host.run("rm -f /var/lib/certsrv/db/filler; cp -a /var/lib/certsrv/db/. /var/lib/certsrv/db.keep; "
             "umount /var/lib/certsrv/db; rm -rf /var/lib/certsrv/db; "
             "mv /var/lib/certsrv/db.keep /var/lib/certsrv/db")
    ca.start()


def attempt(ca, host, name):
    return icpr(host, f"{ca.host.fqdn}:49500", make_csr(host, name), "--attributes",
                f"CertificateTemplate:{MACHINE}", "--ca", ca.name)


def test_f4_disk_full(ca, pc1, small_disk):
    """F4: a clean error for each request, no certificate without a row, and on it goes without a
    restart when there is room again."""
    enroll(ca, pc1, make_csr(pc1, "room"))
    db = ca.pids("db")
    small_disk.run("dd if=/dev/zero of=/var/lib/certsrv/db/filler bs=4k 2>/dev/null", check=False)
    for i in range(5):
        got = attempt(ca, pc1, f"full{i}")
        assert got.get("disposition") != 3 and not got.get("certificate"), got
    small_disk.run("rm /var/lib/certsrv/db/filler")
    enroll(ca, pc1, make_csr(pc1, "roomagain"))
    assert ca.pids("db") == db
    assert 8 not in [row["disp"] for row in ca.rows()]


def test_f5_database_locked(ca, pc1):
    """F5: somebody else's lock costs a bounded wait and an error, then all is well."""
    holder = subprocess.Popen(
        ca.host.command("bash", "-c", "(echo 'BEGIN EXCLUSIVE;'; echo '.print held'; sleep 8) | "
                        "sqlite3 /var/lib/certsrv/db/ca.sqlite"), stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline().strip() == "held"
    begin = time.monotonic()
    got = attempt(ca, pc1, "locked")
    assert got.get("disposition") != 3, got
    assert time.monotonic() - begin < 7
    holder.wait(15)
    enroll(ca, pc1, make_csr(pc1, "unlocked"))


def test_event_file_is_json(ca):
    assert {"26", "6", "68"} <= {e["event"] for e in ca.events()}
    issued = ca.events(6)[0]
    assert set(issued) >= {"time", "level", "request_id", "requester", "template", "serial", "client"}
    json.dumps(issued)
