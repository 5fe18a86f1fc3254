# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Our units under a real systemd: process 1 of a namespace of its own on pc1, and of alice's session her own
manager.  What the units forbid is forbidden, and hooks can do what they are promised."""
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from ca import FULL, READ, Ca, enroll_for
from client import Client, User

MACHINES, USERS = "LabUnit", "LabUnitUser"
UNITS, USER_UNITS = "/run/lab-units", "/run/lab-user-units"
BOOT = f"""
mount --make-rprivate /
mount -t proc proc /proc
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /home && mkdir /home/web
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=lab SYSTEMD_UNIT_PATH={UNITS} \
    /lib/systemd/systemd --system --unit=multi-user.target --log-target=console --show-status=no
"""
# alice's session: what user@.service starts, without PAM.
SESSION = """[Service]
Type=notify
User={user.uid}
Group={user.uid}
Delegate=yes
Environment=XDG_RUNTIME_DIR=/run/user/{user.uid} HOME={user.home} SYSTEMD_UNIT_PATH={units}:/usr/lib/systemd/user
Environment=KRB5CCNAME=FILE:/run/user/{user.uid}/krb5cc
ExecStart=/lib/systemd/systemd --user
"""
HOOK = """#!/usr/bin/python3
import mmap
mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
open("/home/web/hook", "w").write("compiles\\n")
"""


class Systemd:
    def __init__(self, host, log):
        self.host, self.log = host, log

    def __enter__(self):
        self.process = self.host.start("unshare", "-m", "-p", "-f", "-C", "--kill-child=SIGKILL", "bash", "-c", BOOT,
                                       log=self.log)
        self.wait(lambda: self.host.path("/run/systemd/private").exists(), "systemd")
        return self

    def __exit__(self, *_):
        self.process.stop(signal.SIGKILL)  # of unshare: with it its child, process 1, and all there is
        self.host.run(f"rm -rf /run/systemd {UNITS} {USER_UNITS}")

    def inside(self, *words, check=True):
        """A command beside process 1."""
        unshare = self.process.pid
        pid = pathlib.Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()[0]
        done = subprocess.run(["nsenter", "-t", pid, "-a", *map(str, words)], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr, self.log.read_text())
        return done.stdout

    def wait(self, true, what, seconds=40):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"no {what}\n{self.log.read_text()}"
            time.sleep(0.1)

    def show(self, unit, *names, command=("systemctl",)):
        out = self.inside(*command, "show", unit, *[f"-p{name}" for name in names])
        return dict(line.split("=", 1) for line in out.splitlines())


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    ca.setup({MACHINES: (READ + FULL + enroll_for("DC"), {}),
              USERS: (READ + FULL + enroll_for("DU"), {"flags": 0x20020, "msPKI-Certificate-Name-Flag": 0x82000000,
                                                       "ekus": ("1.3.6.1.5.5.7.3.2",)})})
    ca.trust()
    ca.start()
    yield ca
    ca.stop()


def unit(build, name, folder):
    """A unit of ours, with the programs of this build and room for the sanitizers."""
    text = (build / "dist" / name).read_text()
    for program in "autoenrolld", "autoenroll":
        for directory in "sbin", "bin":
            text = text.replace(f"/usr/local/{directory}/{program}\n", f"{build}/prog/{program}/{program}\n")
            text = text.replace(f"/usr/local/{directory}/{program} ", f"{build}/prog/{program}/{program} ")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    if name.endswith(".service"):
        (folder / f"{name}.d").mkdir(exist_ok=True)
        (folder / f"{name}.d/lab.conf").write_text("[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n")


@pytest.fixture(scope="module")
def pc1(lab, build, ca):
    return Client(lab.pc1, build)


@pytest.fixture(scope="module")
def alice(lab, build, pc1):
    user = User(lab.pc1, build, "alice", lab.user_password, 870001)
    user.login()
    return user


@pytest.fixture(scope="module")
def systemd(lab, build, pc1, alice, tmp_path_factory):
    if not pathlib.Path("/lib/systemd/systemd").exists() or shutil.which("systemctl") is None:
        pytest.skip("no systemd here")
    host = lab.pc1
    if host.run("unshare -m mount -t cgroup2 cgroup2 /sys/fs/cgroup", check=False).returncode != 0:
        pytest.skip("no cgroup2 to be had here")
    conf = host.path("/etc/autoenroll/autoenroll.conf")
    conf.write_text(conf.read_text() + "start-spread = 0\n")
    host.path("/etc/autoenroll/policy.conf").write_text("[computer]\nae-policy = 7\n[user]\nae-policy = 7\n")
    hook = host.path("/etc/autoenroll/hook")
    hook.write_text(HOOK)
    hook.chmod(0o755)
    host.path("/etc/autoenroll/deploy.conf").write_text(
        f"[template {MACHINES}]\nbundle = /home/web/tls.pem\npost-hook = /etc/autoenroll/hook\n")
    units, mine = host.path(UNITS), host.path(USER_UNITS)
    unit(build, "autoenrolld.service", units)
    for target in "sysinit", "basic", "shutdown", "multi-user", "network-online", "umount":
        (units / f"{target}.target").write_text(f"[Unit]\nDescription={target}\nDefaultDependencies=no\n")
    (units / "alice.service").write_text(SESSION.format(user=alice, units=USER_UNITS))
    for name in "autoenroll-user.service", "autoenroll-user.timer":
        unit(build, name, mine)
    # As "systemctl --global enable" does; and without the minute that all sessions of a host are spread over.
    (mine / "timers.target.wants").mkdir()
    (mine / "timers.target.wants/autoenroll-user.timer").symlink_to("../autoenroll-user.timer")
    (mine / "autoenroll-user.timer.d").mkdir()
    (mine / "autoenroll-user.timer.d/lab.conf").write_text(
        "[Timer]\nOnStartupSec=\nOnStartupSec=1s\nOnUnitActiveSec=15min\nRandomizedDelaySec=0\nAccuracySec=100ms\n")
    with Systemd(host, tmp_path_factory.mktemp("systemd") / "log") as running:
        yield running


def test_the_daemon_runs_as_its_unit_says(systemd, pc1):
    systemd.inside("systemctl", "start", "autoenrolld.service")
    state = systemd.show("autoenrolld.service", "ActiveState", "Type", "ProtectSystem", "CapabilityBoundingSet",
                         "NRestarts", "UnitFileState", "NeedDaemonReload")
    assert (state["ActiveState"], state["Type"], state["ProtectSystem"]) == ("active", "notify", "yes"), state
    assert "cap_net_admin" not in state["CapabilityBoundingSet"] and state["NRestarts"] == "0", state
    # Its start-up run, in full.
    systemd.wait(lambda: pc1.current(MACHINES, "cert.pem").exists(), "certificate of the start-up run")
    systemd.wait(lambda: pc1.json("task", code=None)["state"] == "Ready", "end of the run")
    task = pc1.json("task", code=None)
    assert task["trigger"] == "start" and task["exit"] == 0, task
    # Deployed into a home directory, and a hook that compiles ran.
    assert "BEGIN CERTIFICATE" in systemd.inside("cat", "/home/web/tls.pem")
    assert systemd.inside("cat", "/home/web/hook") == "compiles\n"
    # What the daemon started had the unit's rules, and is gone.
    assert systemd.show("autoenrolld.service", "TasksCurrent")["TasksCurrent"] in ("1", "[not set]")


def test_the_session_s_timer_enrolls_its_user(systemd, alice):
    systemd.inside("systemctl", "start", "alice.service")
    as_alice = ("setpriv", f"--reuid={alice.uid}", f"--regid={alice.uid}", "--clear-groups", "env",
                f"XDG_RUNTIME_DIR=/run/user/{alice.uid}", "systemctl", "--user")
    timer = systemd.show("autoenroll-user.timer", "ActiveState", "Triggers", command=as_alice)
    assert timer == {"ActiveState": "active", "Triggers": "autoenroll-user.service"}, timer
    systemd.wait(lambda: alice.path(f"my/{USERS}/current/cert.pem").exists(), "certificate of alice")

    def ended():
        return systemd.show("autoenroll-user.service", "ActiveState", command=as_alice)["ActiveState"] == "inactive"
    systemd.wait(ended, "end of her run")
    run = systemd.show("autoenroll-user.service", "Result", "ExecMainStatus", "NRestarts", command=as_alice)
    assert (run["Result"], run["ExecMainStatus"]) == ("success", "0"), run
    # And it comes again: there is a next elapse.
    assert "autoenroll-user.timer" in systemd.inside(*as_alice, "list-timers", "--no-pager")
    when = systemd.show("autoenroll-user.timer", "NextElapseUSecMonotonic", command=as_alice)
    assert when["NextElapseUSecMonotonic"] not in ("", "infinity"), when
    task = alice.json("task", "--user", code=None)
    assert task["trigger"] == "logon" and task["exit"] == 0, task


def test_it_stops_when_it_is_told(systemd):
    systemd.inside("systemctl", "stop", "alice.service", "autoenrolld.service")
    state = systemd.show("autoenrolld.service", "ActiveState", "Result", "ExecMainStatus")
    assert state == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}, state
