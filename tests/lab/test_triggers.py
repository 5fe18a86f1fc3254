# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What starts a run, what joins it, what puts it off, and what ends it."""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from ca import FULL, PKS_DN, READ, Ca, enroll_for
from client import Client, User
from lab import TOP

AUTO = "LabTriggered"
CONF = {"spread": "0", "start-spread": "0", "policy-interval": "0"}


@pytest.fixture(scope="module")
def ca(lab, build):
    ca = Ca(lab, build)
    for entry in lab.ldbsearch("(objectClass=pKICertificateTemplate)", "cn",
                               base=f"CN=Certificate Templates,{PKS_DN}"):
        ca.ldb("ldbdel", f"CN={entry['cn'][0]},CN=Certificate Templates,{PKS_DN}")
    ca.setup({AUTO: (READ + FULL + enroll_for("DC"), {})})
    der = "".join(ca.host.path("/etc/certsrv/ca.pem").read_text().split("-----")[2].split())
    for container in ("Certification Authorities", "AIA"):
        dn = f"CN={ca.name},CN={container},{PKS_DN}"
        ca.ldb("ldbdel", dn, check=False)
        ca.ldb("ldbadd", input=f"dn: {dn}\nobjectClass: certificationAuthority\ncACertificate:: {der}\n"
                               "authorityRevocationList:: AA==\ncertificateRevocationList:: AA==\n\n")
    ca.start()
    yield ca
    ca.stop()


class Daemon(Client):
    """autoenrolld on pc1, with the settings that a test wants."""

    def __init__(self, host, build, log):
        super().__init__(host, build)
        self.log, self.process = log, None
        self.local_policy(7)
        self.base = host.path("/etc/autoenroll/autoenroll.conf").read_text()
        self.configure()

    def configure(self, **values):
        merged = CONF | {k.replace("_", "-"): v for k, v in values.items()}
        self.host.path("/etc/autoenroll/autoenroll.conf").write_text(
            self.base + "".join(f"{k} = {v}\n" for k, v in merged.items()))

    def start(self):
        self.process = self.host.start(self.daemon_program, "-f", log=self.log,
                                       env={"ASAN_OPTIONS": "detect_leaks=0"})
        self.wait(lambda: self.host.path("/run/autoenroll/control").exists(), "the control socket")
        return self

    def stop(self):
        if self.process is not None:
            assert self.process.stop() == 0, self.log.read_text()
            self.process = None

    def task(self, *words):
        return self.json("task", *words)

    def wait(self, true, what, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = true()
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"no {what} after {seconds} s: {self.task()}\n{self.log.read_text()}")

    def wait_task(self, seconds=60, **want):
        """Until task says so: state="Ready", runs=2 …"""
        def look():
            task = self.task()
            return task if all(task[k] == v for k, v in want.items()) else None
        return self.wait(look, f"task with {want}", seconds)


@pytest.fixture
def pc1(lab, build, ca, tmp_path):
    daemon = Daemon(lab.pc1, build, tmp_path / "daemon.log")
    yield daemon
    for host in lab.pc1, lab.dc1, lab.ca1:
        host.heal()
    daemon.stop()


def test_a_machine_starts_and_gets_its_certificate(pc1):
    before = pc1.task()
    assert (before["state"], before["result"], before["runs"]) == ("Ready", "0x00041303", 0)
    pc1.configure(spread="30m")
    pc1.start()
    task = pc1.wait_task(runs=1, state="Ready", outcome="done")
    assert (task["trigger"], task["result"], task["exit"], task["missed_runs"]) == ("start", "0x00000000", 0, 0)
    assert pc1.current(AUTO, "cert.pem").exists()
    # Eight hours after it began, and up to half an hour more.
    late = seconds(task["next_run"]) - seconds(task["last_run"])
    assert 8 * 3600 - 2 <= late <= 8.5 * 3600 + 2
    assert task["next_trigger"] == "schedule"
    text = pc1.run("task", "-v").stdout
    assert "Ready" in text and "success" in text and "schedule" in text

    # A daemon that is started again goes on where it was.
    pc1.stop()
    pc1.start()
    again = pc1.task()
    assert again["runs"] == 1
    assert abs(seconds(again["next_run"]) - seconds(task["next_run"])) <= 2


def seconds(when):
    return time.mktime(time.strptime(when, "%Y-%m-%dT%H:%M:%SZ"))


def test_who_asks_during_a_run_gets_its_report(pc1, lab):
    """Three at once are served by one run; who wants fresh policy gets one more."""
    pc1.start()
    pc1.wait_task(runs=1, state="Ready")
    lab.dc1.pause()  # holds the next run until everybody has asked
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        first = pool.submit(pc1.json, "pulse", "--wait")
        pc1.wait_task(state="Running", runs=2)
        others = [pool.submit(pc1.json, "pulse", "--wait") for _ in range(2)]
        said = pc1.run("pulse").stdout
        fresh = pool.submit(pc1.json, "pulse", "--wait", "--refresh-policy")
        assert "running already" in said
        # All have asked when the daemon holds their connections.
        pc1.wait(lambda: connections(pc1) >= 4, "four who wait")
        lab.dc1.heal()
        reports = [f.result(timeout=120) for f in [first, *others]]
        assert reports[0] == reports[1] == reports[2]
        assert fresh.result(timeout=120)["started"] >= reports[0]["finished"]
    assert pc1.wait_task(state="Ready")["runs"] == 3


def connections(pc1):
    """Open connections to the control socket."""
    return pc1.host.run("ss", "-xH", "state", "connected", "src", "/run/autoenroll/control").stdout.count("\n")


def test_no_dc_then_the_cable_is_in_again(pc1, lab):
    """The article's VPN: the run at start finds nobody, and nothing happens until tomorrow.  Here the run is
    deferred, and the network is what brings it back."""
    lab.dc1.unplug()
    pc1.configure(ca_timeout="5s")
    pc1.start()
    task = pc1.wait_task(outcome="deferred", state="Queued", seconds=120)
    assert task["next_trigger"] in ("retry", "network") and task["retries"] >= 1
    assert seconds(task["next_run"]) - time.mktime(time.gmtime()) <= 3600
    assert task["result"] != "0x00000000" and task["error"]
    assert not pc1.current(AUTO, "cert.pem").exists()
    lab.dc1.heal()
    dispatch(pc1, "up")
    task = pc1.wait_task(outcome="done", state="Ready", seconds=120)
    assert task["retries"] == 0 and task["trigger"] in ("network", "retry")
    assert pc1.current(AUTO, "cert.pem").exists()
    assert "deferred: " in pc1.log.read_text()
    # And now the network has nothing more to bring.
    assert json.loads(pc1.run("pulse", "--trigger", "network", "--json").stdout)["answer"] == "not-needed"


def dispatch(pc1, action, interface="eth0"):
    """NetworkManager's dispatcher calls our script."""
    script = TOP / "dist/networkmanager/90-autoenroll"
    pc1.host.run("env", f"AUTOENROLL={pc1.program}", "ASAN_OPTIONS=detect_leaks=0", script, interface, action)


def test_by_hand_it_says_what_is_away_and_a_timer_does_not_mind(pc1, lab):
    """No daemon: the run is in the foreground, with the same state."""
    lab.dc1.refuse(88)
    lab.dc1.refuse(389)
    done = pc1.run("pulse", "--wait", check=False)
    assert done.returncode in (5, 6), done
    assert done.stderr
    done = pc1.run("pulse", "--trigger", "schedule", "--json", check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["outcome"] == "deferred"
    task = pc1.task()
    assert (task["state"], task["retries"], task["runs"]) == ("Queued", 2, 2)
    lab.dc1.heal()
    report = pc1.json("pulse", "--trigger", "network")
    assert report["results"][0]["outcome"] == "issued"
    assert pc1.task()["state"] == "Ready"
    # What the schedule has due is nothing.
    assert pc1.json("pulse", "--trigger", "due")["answer"] == "not-needed"


def test_group_policy_changes(pc1, lab, ca):
    """The version of a GPO is looked at over LDAP; a run follows when it rose, and only then."""
    pc1.configure(policy_interval="2s")
    pc1.start()
    first = pc1.wait_task(runs=1, state="Ready", outcome="done")
    pc1.wait(lambda: pc1.task()["policy_checked"] > first["policy_checked"], "look at policy")
    assert pc1.task()["runs"] == 1
    change_policy(lab)
    task = pc1.wait_task(runs=2, state="Ready", outcome="done")
    assert task["trigger"] == "policy"
    assert "group policy has changed" in pc1.log.read_text()


def change_policy(lab):
    """As an editor leaves it: the Default Domain Policy has a higher version, in both places."""
    dn = f"CN={{31B2F340-016D-11D2-945F-00C04FB984F9}},CN=Policies,CN=System,{','.join('DC=' + p for p in lab.dc1.fqdn.split('.')[1:])}"
    [entry] = lab.ldbsearch("(objectClass=groupPolicyContainer)", "versionNumber", "gPCMachineExtensionNames", base=dn)
    version = int(entry.get("versionNumber", ["0"])[0]) + 1
    lab.dc1.run("ldbmodify", "-H", "/var/lib/samba/private/sam.ldb",
                input=f"dn: {dn}\nchangetype: modify\nreplace: versionNumber\nversionNumber: {version}\n-\n"
                      "replace: gPCMachineExtensionNames\ngPCMachineExtensionNames: "
                      "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{0F6B957D-509E-11D1-A7CC-0000F87571E3}]\n\n")


def test_a_hook_tells_of_policy_without_a_daemon(pc1, lab):
    """samba-gpupdate, adsys or SSSD call this after their own refresh."""
    pc1.json("pulse", "--wait")
    assert pc1.json("pulse", "--trigger", "policy") == {"outcome": "done", "exit": 0, "changed": False}
    change_policy(lab)
    assert "plan" in pc1.json("pulse", "--trigger", "policy")
    assert (pc1.task()["runs"], pc1.task()["trigger"]) == (2, "policy")


def test_a_run_that_waits_for_ever_is_ended(pc1, lab):
    """The CA's host stands still: it takes connections and never answers."""
    pc1.configure(run_timeout="20s", ca_timeout="1h")
    lab.ca1.pause()
    pc1.start()
    seen = pc1.wait_task(state="Running", stage="request")
    assert seen["result"] == "0x00041301" and seen["stage_since"]
    task = pc1.wait_task(outcome="ended", seconds=90)
    assert task["result"] == "0x00041306"
    assert "run-timeout" in task["error"] and "request" in task["error"]
    assert "ending the run" in pc1.log.read_text()
    pc1.wait(lambda: roles(pc1) == [], "end of all its processes")
    # The store is free: the next run, with a CA that answers, does its work.
    lab.ca1.heal()
    pc1.stop()
    pc1.configure()
    assert pc1.json("pulse", "--wait")["results"][0]["outcome"] == "issued"
    assert pc1.task()["outcome"] == "done"


def roles(pc1):
    """Processes of runs on pc1, the daemon not among them."""
    lines = pc1.host.run("ps", "-eo", "pid=,args=").stdout.splitlines()
    return [l for l in lines if "autoenroll" in l and "--role" in l]


def test_the_switch(pc1):
    pc1.run("task", "disable")
    assert pc1.task()["state"] == "Disabled" and pc1.task()["next_run"] is None
    done = pc1.run("pulse", "--wait", check=False)
    assert done.returncode == 1 and "0x80041326" in done.stderr
    assert pc1.run("pulse", "--trigger", "schedule", check=False).returncode == 0
    pc1.start()
    assert pc1.run("pulse", check=False).returncode == 1
    assert pc1.task()["runs"] == 0
    pc1.run("task", "enable")
    assert pc1.json("pulse", "--wait")["results"][0]["outcome"] == "issued"


def test_the_daemon_dies_in_the_middle(pc1, lab):
    lab.dc1.pause()
    pc1.start()
    pc1.wait_task(state="Running", runs=1)
    pc1.process.send(signal.SIGKILL)
    pc1.process.popen.wait(10)
    pc1.process = None
    pc1.wait(lambda: roles(pc1) == [], "end of the run")
    lost = pc1.task()
    assert (lost["state"], lost["outcome"]) == ("Ready", "lost")
    lab.dc1.heal()
    assert pc1.json("pulse", "--wait")["results"][0]["outcome"] == "issued"


def test_missed_runs_are_counted(pc1):
    """Nobody ran it for three days: the state is three days old, the machine was up."""
    pc1.json("pulse", "--wait")
    path = pc1.host.path("/var/lib/autoenroll/task.json")
    state = json.loads(path.read_text())
    state["resume"]["start_up"] -= 72 * 3600 * 1000
    if state["resume"]["start_up"] <= 0:  # this machine started later than that
        state["resume"]["boot"] = "another"
    state["last_run"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 72 * 3600))
    path.write_text(json.dumps(state))
    assert pc1.task()["missed_runs"] == 9
    pc1.json("pulse", "--trigger", "schedule")
    assert pc1.task()["missed_runs"] == 9  # before this one
    pc1.json("pulse", "--trigger", "schedule")
    assert pc1.task()["missed_runs"] == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"runs": "many", "resume": {"recent": 5, "at": -1}}', "\0" * 70000],
                         ids=["empty", "cut", "list", "types", "large"])
def test_a_state_that_makes_no_sense(pc1, text):
    pc1.host.path("/var/lib/autoenroll").mkdir(parents=True, exist_ok=True)
    pc1.host.path("/var/lib/autoenroll/task.json").write_text(text)
    assert pc1.task()["state"] == "Ready"
    assert "error" not in pc1.json("pulse", "--wait")
    assert pc1.task()["runs"] == 1


def test_lines_for_cron(pc1):
    lines = pc1.run("task", "--cron").stdout.splitlines()
    assert re.fullmatch(r"@reboot root sleep \d+; autoenroll pulse --trigger start", lines[0])
    assert re.fullmatch(r"\d+ \d+,\d+,\d+ \* \* \* root autoenroll pulse --trigger schedule", lines[1])
    assert pc1.run("task", "--cron").stdout.splitlines() == lines


def test_a_users_task_is_his_own(pc1, lab, build):
    alice = User(lab.pc1, build, "alice", lab.user_password, 4001)
    assert alice.json("task", "--user")["state"] == "Ready"
    # No ticket yet: as before the VPN is up.
    report = alice.json("pulse", "--user", "--trigger", "due")
    assert report["outcome"] == "deferred"
    task = alice.json("task", "--user")
    # the timer may have come by again already, on a busy machine
    assert (task["context"], task["state"]) == ("user", "Queued") and task["trigger"] in ("logon", "retry")
    alice.login()
    assert alice.json("pulse", "--user", "--trigger", "network")["outcome"] == "done"
    assert alice.json("task", "--user")["state"] == "Ready"
    assert pc1.task()["runs"] == 0
    # The machine's run is not his to start: nobody there to ask, and no polkit.
    done = alice.run("pulse", check=False)
    assert done.returncode == 4 and "root" in done.stderr
    assert "--user" in alice.run("task", "--user", "--cron").stdout
    done = alice.run("task", "disable", check=False)
    assert done.returncode == 4


def test_the_units_are_valid(build):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    for kind, names in ("--system", ["autoenrolld.service", "certsrvd.service", "certsrv-backup.service",
                                     "certsrv-backup.timer"]), \
                       ("--user", ["autoenroll-user.service", "autoenroll-user.timer"]):
        for name in names:
            done = subprocess.run(["systemd-analyze", kind, "--man=no", "verify", build / "dist" / name],
                                  text=True, capture_output=True, env=os.environ | {"XDG_RUNTIME_DIR": "/tmp"})
            wrong = [l for l in done.stderr.splitlines() if re.search("autoenroll|certsrv", l) and "is not executable" not in l]
            assert wrong == [], done.stderr


def test_hooks_call_the_client(pc1, tmp_path):
    """The scripts of NetworkManager and networkd, with a client that only notes how it was called."""
    noted = tmp_path / "noted"
    fake = tmp_path / "autoenroll"
    fake.write_text(f"#!/bin/sh\necho \"$@\" >> {noted}\n")
    fake.chmod(0o755)
    for action, called in ("up", True), ("vpn-up", True), ("down", False), ("pre-up", False), ("dhcp4-change", False):
        noted.unlink(missing_ok=True)
        subprocess.run([TOP / "dist/networkmanager/90-autoenroll", "eth0", action], check=True,
                       env={"PATH": os.environ["PATH"], "AUTOENROLL": str(fake)})
        assert noted.exists() == called, action
        if called:
            assert noted.read_text() == "pulse --trigger network\n"
    noted.unlink(missing_ok=True)
    subprocess.run([TOP / "dist/networkd-dispatcher/autoenroll"], check=True,
                   env={"PATH": os.environ["PATH"], "AUTOENROLL": str(fake), "IFACE": "eth0"})
    assert noted.read_text() == "pulse --trigger network\n"


@pytest.fixture
def polkit(lab):
    """A system bus and polkitd on pc1, begun by the function it yields, which writes polkit's rules."""
    if not pathlib.Path("/usr/lib/polkit-1/polkitd").exists():
        pytest.fail("polkitd is not installed: tools/install-packages")
    host = lab.pc1
    host.run("mkdir -p /run/dbus /etc/polkit-1/rules.d /run/polkit-actions; rm -f /run/dbus/*;"
             f"cp {TOP}/dist/polkit/org.autoenroll.policy /run/polkit-actions/;"
             "mountpoint -q /usr/share/polkit-1/actions ||"
             " mount --bind /run/polkit-actions /usr/share/polkit-1/actions;"
             "id polkitd >/dev/null 2>&1 || useradd -r polkitd;"
             "id messagebus >/dev/null 2>&1 || useradd -r messagebus")
    rules = host.path("/etc/polkit-1/rules.d/00-autoenroll.rules")
    rules.unlink(missing_ok=True)
    bus = daemon = None

    def write(text):
        nonlocal bus, daemon
        rules.write_text(text)
        rules.parent.chmod(0o755)
        if bus is None:
            bus = host.start("dbus-daemon", "--system", "--nofork", "--nopidfile")
            socket = host.path("/run/dbus/system_bus_socket")
            for _ in range(300):
                if socket.exists():
                    break
                time.sleep(0.1)
        if daemon is not None:
            daemon.stop()
        daemon = host.start("/usr/lib/polkit-1/polkitd", "--no-debug")
        for _ in range(300):
            if host.run("dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.DBus",
                        "/org/freedesktop/DBus", "org.freedesktop.DBus.GetNameOwner",
                        "string:org.freedesktop.PolicyKit1", check=False).returncode == 0:
                return
            time.sleep(0.1)
        pytest.fail("polkitd did not come up")

    yield write
    for process in daemon, bus:
        if process is not None:
            process.stop()
    host.run("umount /usr/share/polkit-1/actions", check=False)


# A hundred questions, one after the other; to how many of them was polkit's the answer?
HAMMER = """
import json, socket, time
began, asked, told = time.monotonic(), 0, 0
for _ in range(100):
    s = socket.socket(socket.AF_UNIX)
    s.connect("/run/autoenroll/control")
    s.sendall(b'{"op": "pulse", "trigger": "manual"}\\n')
    answer = s.makefile().read()
    asked += "does not authorize" in answer
    told += "a moment ago" in answer
print(json.dumps({"asked": asked, "told": told, "seconds": time.monotonic() - began}))
"""


def test_polkit_says_who_may_start_the_machines_run(pc1, lab, build, polkit):
    alice, bob = (User(lab.pc1, build, name, lab.user_password, uid) for name, uid in (("alice", 4001), ("bob", 4002)))
    pc1.start()
    pc1.wait_task(runs=1, state="Ready")
    # Nobody to ask: no.
    done = alice.run("pulse", "--wait", check=False)
    assert done.returncode == 8 and "no polkit" in done.stderr, done
    polkit('polkit.addRule(function(action, subject) {'
           ' if (action.id == "org.autoenroll.pulse") return subject.user == "alice" ? "yes" : "no"; });\n')
    # Who was refused waits a second before polkit is asked for him again.
    pc1.wait(lambda: "a moment ago" not in (done := alice.run("pulse", "--wait", "--json", check=False)).stderr + done.stdout
             and "plan" in json.loads(done.stdout), "a run for alice")
    assert "started" in alice.run("pulse").stdout
    done = bob.run("pulse", check=False)
    assert done.returncode == 8 and "does not authorize" in done.stderr, done
    hammer = json.loads(bob.sh("python3", "-c", HAMMER).stdout)
    assert hammer["asked"] <= hammer["seconds"] + 2 and hammer["asked"] + hammer["told"] == 100, hammer
    pc1.wait_task(runs=3, state="Ready")
    # The action's own default, with nobody at hand to type root's password: no.
    polkit("")
    done = alice.run("pulse", check=False)
    assert done.returncode == 8, done
