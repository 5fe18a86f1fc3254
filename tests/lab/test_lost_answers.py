# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Runs that are killed, answers that are lost, runs at the same time, and a CA that lies: never two
certificates for one wish, never a wrong one installed."""
import json
import pathlib
import time

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client

ONE, TWO, THREE = "LabLostOne", "LabLostTwo", "LabLostThree"
REQUEST = 0  # type of PDU
PROXY = pathlib.Path(__file__).with_name("proxy.py")


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({t: (READ + FULL + enroll_for("DC"), {}) for t in (ONE, TWO, THREE)})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


@pytest.fixture
def pc1(lab, build, ca):
    client = Client(lab.pc1, build)
    client.local_policy(7)
    hosts = lab.pc1.path("/etc/hosts")
    before = hosts.read_text()
    yield client
    hosts.write_text(before)
    lab.pc1.heal()
    lab.ca1.heal()


def kept(pc1):
    """Template and meta.json of every request that is kept."""
    return {p.parent.parent.name: json.loads(p.read_text())
            for p in pc1.host.path("/var/lib/autoenroll/request").glob("*/*/meta.json")}


def issued_since(ca, last):
    """csr of every issued row after the row last."""
    return [r["csr"] for r in ca.rows("id, disp, hex(csr) as csr") if r["id"] > last and r["disp"] == 20]


def last_row(ca):
    return max([r["id"] for r in ca.rows()], default=0)


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def test_f22_twenty_pulses_at_once_make_one_request_a_template(pc1, ca):
    """F22: a timer, a boot, a person, all at once. They follow one another; most take over a result."""
    last = last_row(ca)
    pc1.host.run("bash", "-c", f"for i in $(seq 20); do {pc1.program} pulse --wait --json > /run/pulse.$i 2>/dev/null "
                 "& pids=\"$pids $!\"; done; for p in $pids; do wait $p || exit 1; done",
                 env={"ASAN_OPTIONS": "detect_leaks=0"}, timeout=400)
    rows = [r for r in ca.rows("id, disp") if r["id"] > last]
    assert [r["disp"] for r in rows] == [20, 20, 20], rows
    for template in (ONE, TWO, THREE):
        assert pc1.current(template, "cert.pem").exists()
    reports = [json.loads(pc1.host.path(f"/run/pulse.{i}").read_text()) for i in range(1, 21)]
    assert sum("joined" not in r for r in reports) >= 1
    assert all("error" not in r for r in reports)


def test_one_connection_serves_all_templates(pc1, ca):
    results = pc1.json("pulse", "--wait")["results"]
    assert [r["outcome"] for r in results] == ["issued"] * 3
    connects = [sum(s["stage"] == "connect" for a in r["attempts"] for s in a["stages"]) for r in results]
    assert connects[0] > 0 and connects[1:] == [0, 0], connects


def test_killed_while_the_ca_thinks(pc1, ca, lab):
    """kill -9 of the run between request and answer: the next one sends the same bytes and gets what was issued."""
    last = last_row(ca)
    ca.host.pause()
    run = pc1.host.start(pc1.program, "pulse", "--wait", env={"ASAN_OPTIONS": "detect_leaks=0"})
    until(lambda: any(m["state"] == "asked" for m in kept(pc1).values()))
    time.sleep(0.2)  # on its way, or not yet: both must end well
    run.popen.kill()
    run.popen.wait()
    ca.host.heal()
    [(template, meta)] = kept(pc1).items()
    assert (meta["state"], meta["ca_config"]) == ("asked", f"{ca.host.fqdn}\\{ca.name}"), meta
    [key] = pc1.host.path(f"/var/lib/autoenroll/request/{template}").glob("*/key.pem")
    private = key.read_bytes()

    results = pc1.json("pulse", "--wait")["results"]
    assert [r["outcome"] for r in results] == ["issued"] * 3, results
    assert pc1.current(template, "key.pem").read_bytes() == private
    assert kept(pc1) == {}
    csrs = issued_since(ca, last)
    assert len(csrs) == len(set(csrs)) == 3, "one row issued for each request"


def test_f23_the_answer_is_lost_on_the_wire(pc1, ca, lab):
    """F23: a proxy swallows the answers, three runs long. The CA issued once; that certificate arrives."""
    last = last_row(ca)
    pc1.json("enroll", "-T", TWO)
    pc1.json("enroll", "-T", THREE)
    hosts = pc1.host.path("/etc/hosts")
    plain = hosts.read_text()
    hosts.write_text(f"127.0.0.1 {ca.host.fqdn}\n{plain}")
    with pc1.host.start("/usr/bin/python3", PROXY, 135, ca.host.address, 135, 99, 0, "drop"), \
            pc1.host.start("/usr/bin/python3", PROXY, 49500, ca.host.address, 49500, REQUEST, 0, "mute"):
        pc1.host.run("timeout 20 sh -c 'until ss -ltn | grep -q 127.0.0.1:49500 && ss -ltn | grep -q 127.0.0.1:135; "
                     "do sleep 0.05; done'")
        requests = set()
        for _ in range(3):
            [result] = pc1.json("pulse", "--wait", code=None)["results"]
            assert (result["outcome"], result["sent_again"]) == ("failed", True), result
            assert "unknown whether the CA acted" in result["message"], result
            [der] = pc1.host.path("/var/lib/autoenroll/request").glob("*/*/request.der")
            requests.add(der.read_bytes())
    assert len(requests) == 1
    hosts.write_text(plain)
    [result] = pc1.json("pulse", "--wait")["results"]
    assert result["outcome"] == "issued", result
    csrs = issued_since(ca, last)
    assert len(csrs) == len(set(csrs)) == 3
    [mine] = requests
    assert [bytes.fromhex(c) for c in csrs].count(mine) == 1
    assert kept(pc1) == {}


def test_the_disk_is_full_when_the_certificate_comes(pc1, ca, lab):
    """Issued, but there is no room for it: the old pair stays as it is, the key of the new one is not lost, and
    when there is room again that same certificate is installed. One row at the CA."""
    pc1.json("enroll", "-T", ONE)
    last = last_row(ca)
    state = "/var/lib/autoenroll"
    pair = f"cd {state}/my/{ONE}/current/ && readlink -f . && sha256sum *.pem"
    pc1.host.run(f"cp -a {state} /run/roomy && mount -t tmpfs -o size=4m,mode=0755 tmpfs {state} && "
                 f"cp -a /run/roomy/. {state}/")
    try:
        old = pc1.host.run(pair).stdout
        ca.host.pause()
        run = pc1.host.start("bash", "-c", f"{pc1.program} enroll -T {ONE} --json > /run/full.json",
                             env={"ASAN_OPTIONS": "detect_leaks=0"})
        until(lambda: pc1.host.run(f"grep -qs asked {state}/request/{ONE}/*/meta.json", check=False).returncode == 0)
        pc1.host.run(f"cat /dev/zero > {state}/full", check=False)
        key = pc1.host.run(f"sha256sum < $(echo {state}/request/{ONE}/*/key.pem)").stdout
        ca.host.heal()
        assert run.popen.wait(timeout=120) == 4
        [result] = json.loads(pc1.host.path("/run/full.json").read_text())["results"]
        assert (result["outcome"], result["sent_again"]) == ("failed", True), result
        assert "could not be installed" in result["message"] and "No space left" in result["message"], result
        assert pc1.host.run(pair).stdout == old
        assert len(issued_since(ca, last)) == 1

        # What a person sent is his to send again: a run by itself neither does it nor clears it away.
        pc1.host.run(f"rm {state}/full")
        assert {r["template"] for r in pc1.json("pulse", "--wait")["results"]} == {TWO, THREE}
        assert pc1.host.run(pair).stdout == old
        [result] = pc1.json("enroll", "-T", ONE)["results"]
        assert result["outcome"] == "issued", result
        assert pc1.host.run(pair).stdout != old
        assert pc1.host.run(f"sha256sum < {state}/my/{ONE}/current/key.pem").stdout == key
        csrs = issued_since(ca, last)
        assert len(csrs) == len(set(csrs)) == 3
        assert pc1.host.run(f"ls {state}/request/{ONE}", check=False).stdout == ""
    finally:
        ca.host.heal()
        pc1.host.run(f"umount {state}; rm -rf /run/roomy")


def test_a_ca_of_the_same_name_with_a_key_of_its_own(pc1, ca, lab):
    """Somebody else answers for the CA, with certificates that chain to nothing the directory knows."""
    ca.stop()
    ca.host.run("cp -a /etc/certsrv /run/certsrv.etc; cp -a /var/lib/certsrv /run/certsrv.var")
    ca.host.run("rm -rf /etc/certsrv /var/lib/certsrv")
    ca.host.run(ca.build / "prog/certsrvd/certsrv-local", ca.name, ca.host.fqdn, ca.key, 860000)
    # It may know itself from the directory – its certificate is there beside the true one – but is no root there.
    der = "".join(ca.host.path("/etc/certsrv/ca.pem").read_text().split("-----")[2].split())
    ca.ldb("ldbmodify", input=f"dn: CN={ca.name},CN=Enrollment Services,{PKS_DN}\nchangetype: modify\n"
                              f"add: cACertificate\ncACertificate:: {der}\n\n")
    ca.start()
    try:
        results = pc1.json("pulse", "--wait", code=10)["results"]
        assert {r["outcome"] for r in results} == {"failed"}, results
        assert all("the certificate in the answer is refused" in r["message"] for r in results), results
        for template in (ONE, TWO, THREE):
            assert not pc1.current(template, "cert.pem").exists()
        assert kept(pc1) == {}, "an answer that is refused would be refused again"
    finally:
        ca.stop()
        ca.host.run("rm -rf /etc/certsrv /var/lib/certsrv; mv /run/certsrv.etc /etc/certsrv; "
                    "mv /run/certsrv.var /var/lib/certsrv")
        ca.start()
    assert {r["outcome"] for r in pc1.json("pulse", "--wait")["results"]} == {"issued"}
