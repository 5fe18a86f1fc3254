# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The lab as a tool: labs do not disturb each other, faults come and go, an
interrupted run leaves nothing that the next one trips over."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from lab import SCRIPT, TOP, CommandFailed, Lab


def processes_of(name):
    """Pids whose command line names the lab's directory."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(f"/{name}/".encode() in word for word in words):
            found.append(int(entry.parent.name))
    return found


def connects(host, address, port):
    """True, or why not: "refused" or "silent"."""
    done = host.run("/usr/bin/python3", "-c",
                    "import socket, sys\n"
                    "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)\n"
                    "except ConnectionRefusedError: sys.exit(3)\n"
                    "except OSError: sys.exit(4)\n", address, str(port), check=False)
    return {0: True, 3: "refused", 4: "silent"}[done.returncode]


@pytest.fixture
def healed(lab):
    yield lab
    for host in lab.hosts.values():
        host.heal()


def test_hosts_have_files_and_names_of_their_own(lab):
    for host in lab.hosts.values():
        assert host.run("hostname").stdout.strip() == host.name
        for place in ["/etc", "/var/lib", "/run"]:
            host.run("bash", "-c", f"hostname >{place}/whose")
            assert host.path(f"{place}/whose").read_text() == host.name + "\n"
            assert not pathlib.Path(f"{place}/whose").exists()
    for host in lab.hosts.values():
        assert host.run("cat", "/var/lib/whose").stdout.strip() == host.name


def test_there_is_no_way_out(lab):
    for host in lab.hosts.values():
        routes = host.run("ip", "route").stdout.splitlines()
        assert [route.split()[0] for route in routes] == ["192.0.2.0/24"]
        done = host.run("ping -c 1 -W 1 198.51.100.1 || cat </dev/tcp/198.51.100.1/80", check=False)
        assert "unreachable" in done.stdout + done.stderr


def test_exit_status_and_directory_are_passed_on(lab, tmp_path):
    assert lab.pc1.run("exit 7", check=False).returncode == 7
    with pytest.raises(CommandFailed, match="exit 7"):
        lab.pc1.run("exit 7")
    done = subprocess.run(lab.pc1.command("pwd"), cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == str(tmp_path)


def test_an_unknown_host_or_name_is_refused(lab):
    with pytest.raises(CommandFailed, match="no host pc9"):
        lab.command("exec", "pc9", "true")
    with pytest.raises(CommandFailed, match="a name is"):
        Lab("../x").command("status")
    with pytest.raises(CommandFailed, match="is up already"):
        lab.command("up")


def test_a_second_lab_is_another_domain(lab):
    with Lab(f"{lab.name}-b") as other:
        assert {lab.name, other.name} <= set(lab.command("list").split())
        lab.samba_tool("group", "add", "only-here")
        other.pc1.kinit_machine()
        filter = "(sAMAccountName=only-here)"
        assert lab.ldbsearch(filter) != []
        assert other.ldbsearch(filter) == []
        directory = other.directory
    assert not directory.exists()
    assert processes_of(f"{lab.name}-b") == []
    lab.pc1.kinit_machine()


def test_a_started_program_ends_when_told(lab):
    with lab.ca1.start("sleep", "1000") as program:
        deadline = time.monotonic() + 5
        while b"sleep\0001000" not in pathlib.Path(f"/proc/{program.pid or 'self'}/cmdline").read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        pid = program.pid
    assert not pathlib.Path(f"/proc/{pid}").exists()


def test_a_program_ends_with_the_one_who_waits_for_it(lab):
    waiting = subprocess.Popen(lab.ca1.command("sleep", "1001"))
    while "sleep 1001" not in lab.ca1.run("ps", "-eo", "args").stdout:
        time.sleep(0.05)
    waiting.kill()
    waiting.wait()
    deadline = time.monotonic() + 5
    while "sleep 1001" in lab.ca1.run("ps", "-eo", "args").stdout:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_drop_makes_a_port_silent_until_cleared(healed):
    lab = healed
    assert connects(lab.pc1, lab.dc1.address, 389) is True
    lab.dc1.drop(389)
    assert connects(lab.pc1, lab.dc1.address, 389) == "silent"
    assert connects(lab.pc1, lab.dc1.address, 88) is True
    assert connects(lab.dc1, lab.dc1.address, 389) is True
    lab.dc1.heal()
    assert connects(lab.pc1, lab.dc1.address, 389) is True


def test_refuse_makes_a_port_closed(healed):
    lab = healed
    lab.dc1.refuse(88)
    assert connects(lab.pc1, lab.dc1.address, 88) == "refused"
    with pytest.raises(CommandFailed, match="Cannot contact any KDC"):
        lab.pc1.kinit_machine()
    lab.dc1.heal()
    lab.pc1.kinit_machine()


def test_unplug_takes_one_host_off_the_network(healed):
    lab = healed
    lab.ca1.unplug()
    assert connects(lab.pc1, lab.ca1.address, 135) == "silent"
    assert connects(lab.pc1, lab.dc1.address, 135) is True
    lab.ca1.heal()
    assert connects(lab.pc1, lab.ca1.address, 135) == "refused"


def test_a_paused_dc_accepts_and_says_nothing(healed):
    lab = healed
    query = ("timeout", "2", "ldapsearch", "-x", "-H", f"ldap://{lab.dc1.address}",
             "-s", "base", "-b", "", "currentTime")
    with lab.dc1.start("bash", "-c", "sleep 3; exit 5") as bystander:
        lab.dc1.pause()
        assert connects(lab.pc1, lab.dc1.address, 389) is True
        assert lab.pc1.run(*query, check=False).returncode == 124
        lab.dc1.heal()
        assert bystander.popen.wait(10) == 5
    assert "currentTime" in lab.pc1.run(*query).stdout


def test_the_dc_restarts_with_what_it_knew(lab):
    lab.samba_tool("group", "add", "before-restart")
    lab.restart_dc()
    lab.pc1.kinit_machine()
    assert lab.ldbsearch("(sAMAccountName=before-restart)") != []


def test_an_interrupted_start_is_cleaned_up_by_the_next(lab):
    name = f"{lab.name}-c"
    start = subprocess.Popen([SCRIPT, "--name", name, "up"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    directory = lab.directory.parent / name
    while not (directory / "ca1" / "ready").exists():
        assert start.poll() is None
        time.sleep(0.005)
    start.send_signal(signal.SIGKILL)
    start.wait()
    assert processes_of(name) != []
    again = Lab(name)
    with again:
        again.pc1.kinit_machine()
    assert processes_of(name) == []
    assert not directory.exists()


def test_a_lab_without_its_owner_is_swept_away(lab):
    name = f"{lab.name}-d"
    script = f"import sys; sys.path.insert(0, {str(TOP / 'tests/lab')!r})\n" \
             f"from lab import Lab; Lab({name!r}).up()"
    subprocess.run([sys.executable, "-c", script], check=True)
    directory = lab.directory.parent / name
    assert (directory / "up").exists()
    with Lab(f"{lab.name}-e"):
        assert not directory.exists()
        assert processes_of(name) == []
        assert lab.pc1.run("true").returncode == 0


def test_a_record_whose_pid_now_belongs_to_another_ends_nobody(lab):
    name = f"{lab.name}-f"
    victim = subprocess.Popen(["sleep", "1000"])
    host = lab.directory.parent / name / "dc1"
    try:
        host.mkdir(parents=True)
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()
        (host / "pid").write_text(f"{victim.pid} 1 {boot}")
        Lab(name).down()
        assert victim.poll() is None
        assert not host.exists()
    finally:
        victim.kill()
        victim.wait()


def test_this_machine_sees_none_of_it(lab):
    assert os.uname().nodename not in lab.hosts
    addresses = subprocess.run(["ip", "-o", "address"], capture_output=True, text=True).stdout
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True).stdout
    assert lab.dc1.address not in addresses
    assert "br0" not in links and "pc1" not in links
    assert not pathlib.Path("/etc/krb5.keytab").exists() or \
        lab.pc1.path("/etc/krb5.keytab").read_bytes() != pathlib.Path("/etc/krb5.keytab").read_bytes()
