# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""The lab as tests see it: hosts on which commands run, and people to run them as.

    with Lab("mine") as lab:
        lab.pc1.kinit_machine()
        print(lab.pc1.run("klist").stdout)

All the work is done by lab/lab; this only makes it read well in Python.
"""
import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import struct
import subprocess
import time

from standing import Standing

TOP = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = TOP / "lab" / "lab"

# lab/lab.conf: plain NAME="value" lines.
CONF = dict(re.findall(r'^(\w+)="(.*)"$', (TOP / "lab" / "lab.conf").read_text(), re.M))
REALM = CONF["LAB_REALM"]
DOMAIN = CONF["LAB_DOMAIN"]
ADDRESSES = dict(pair.split("=") for pair in CONF["LAB_HOSTS"].split())
SECOND_ADDRESSES = dict(pair.split("=") for pair in CONF["LAB_SECOND_HOSTS"].split())
CHILD_ADDRESSES = dict(pair.split("=") for pair in CONF["LAB_CHILD_HOSTS"].split())
BASE_DN = ",".join("DC=" + label for label in DOMAIN.split("."))


class CommandFailed(AssertionError):
    """A command that should have succeeded; says all it printed."""

    def __init__(self, host, done):
        command = done.args if isinstance(done.args, str) else shlex.join(map(str, done.args))
        super().__init__(f"{host}: {command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        self.done = done


class Process:
    """A program running on a host.  stop() asks it to end and waits."""

    def __init__(self, popen):
        self.popen = popen

    @property
    def pid(self):
        """Its pid as this machine counts: the child of the one who entered the host."""
        outer = self.popen.pid
        children = pathlib.Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        return int(children[0]) if children else None

    def send(self, number):
        if self.pid is not None:
            os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM, timeout=10):
        if self.popen.poll() is None:
            self.send(number)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.popen.wait(timeout)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.popen.poll() is None:
            self.stop()


class Host:
    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        child = name in CHILD_ADDRESSES
        self.fqdn = f"{name}.{CONF['LAB_CHILD_DOMAIN'] if child else DOMAIN}"
        self.address = (CHILD_ADDRESSES if child else ADDRESSES | SECOND_ADDRESSES)[name]
        self.standing = Standing(self)
        self.fresh = False  # programs must be started anew to see what was changed
        self.account = f"{name.upper()}$"
        self.principal = f"{self.account}@{CONF['LAB_CHILD_REALM'] if child else REALM}"

    def __repr__(self):
        return f"<{self.name} of {self.lab.name}>"

    def command(self, *words, env=None):
        """The command line that runs words here, for those who want to run it themselves."""
        extra = ["env"] + [f"{k}={v}" for k, v in env.items()] if env else []
        return [str(SCRIPT), "--name", self.lab.name, "exec", self.name, *extra, *map(str, words)]

    def run(self, *words, check=True, env=None, input=None, timeout=60):
        """Runs words (one string: a shell line) and returns stdout, stderr, returncode."""
        if len(words) == 1 and isinstance(words[0], str):
            words = ("bash", "-c", words[0])
        done = subprocess.run(self.command(*words, env=env), input=input, text=True,
                              stdin=subprocess.DEVNULL if input is None else None,
                              capture_output=True, timeout=timeout)
        done.args = words
        if check and done.returncode != 0:
            raise CommandFailed(self.name, done)
        return done

    def impacket(self, module, arguments, cache, timeout=60):
        """What wcce_client.py or admin_client.py answers to these arguments, as whoever has tickets in cache."""
        env = {"KRB5CCNAME": str(cache)}
        done = None if self.fresh else self.standing.run(module, arguments, env, timeout)
        if done is not None:
            if done["status"] != 0:
                raise CommandFailed(self.name, subprocess.CompletedProcess([module], done["status"], done["stdout"],
                                                                           done["stderr"]))
            return json.loads(done["stdout"])
        script = pathlib.Path(__file__).with_name(f"{module}.py")
        return json.loads(self.run("/usr/bin/python3", script, input=json.dumps(arguments), env=env,
                                   timeout=timeout).stdout)

    def start(self, *words, env=None, log=None):
        """Starts words and returns a Process; output goes to the file log, or nowhere."""
        out = open(log, "wb") if log else subprocess.DEVNULL
        try:
            return Process(subprocess.Popen(self.command(*words, env=env), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT))
        finally:
            if log:
                out.close()

    @contextlib.contextmanager
    def capture(self, file, filter):
        """What crosses this host's wires, into file (pcapng).  Packets to the discard port prove
        that it records before the block begins, and that all is there when it has ended."""
        def wait_for(marker):
            for _ in range(300):
                self.run("bash", "-c", 'printf %s "$0" >/dev/udp/$1/9', marker, self.lab.dc1.address)
                time.sleep(0.1)
                if marker.encode() in pathlib.Path(file).read_bytes():
                    return
            raise AssertionError(f"{self.name}: the capture does not see {marker}")

        pathlib.Path(file).touch(mode=0o666)
        pathlib.Path(file).chmod(0o666)
        with self.start("dumpcap", "-q", "-i", "any", "-f", f"({filter}) or udp port 9", "-w", file) as process:
            wait_for("capture-begins")
            yield
            wait_for("capture-ends")
            process.stop()

    def path(self, inside):
        """Where a path below /etc, /var or /run of this host is for this process."""
        inside = pathlib.PurePosixPath(inside)
        if inside.parts[1] in ("etc", "var", "run"):
            return self.lab.directory / self.name / inside.relative_to("/")
        return pathlib.Path(inside)

    def kinit(self, user, password):
        self.run("kinit", user, input=password + "\n")

    def kinit_machine(self):
        """As the computer account, with the keytab the join left."""
        self.run("kinit", "-k", self.account)

    def kdestroy(self):
        self.run("kdestroy", "-q", check=False)

    def ldapsearch(self, base, scope, filter, *attributes):
        """Searches dc1 as whoever has a ticket here; returns a list of {name: [values]}.
        Values in base64 (binary ones) are returned as bytes."""
        out = self.run("ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "GSSAPI",
                       "-H", f"ldap://{self.lab.dc1.fqdn}", "-b", base, "-s", scope,
                       filter, *attributes).stdout
        return parse_ldif(out)

    def drop(self, port):
        self.lab.command("fault", self.name, "drop", port)

    def refuse(self, port):
        self.lab.command("fault", self.name, "refuse", port)

    def unplug(self):
        self.lab.command("fault", self.name, "unplug")

    def pause(self):
        self.lab.command("fault", self.name, "pause")

    @contextlib.contextmanager
    def between(self, server, port, how, listen=8899):
        """This host's connections to port of another host meet with how of tcp_fault.py."""
        script = pathlib.Path(__file__).with_name("tcp_fault.py")
        log = self.path("/run/tcp_fault.log")
        with self.start("/usr/bin/python3", script, listen, server.address, port, how, log=log) as process:
            end = time.monotonic() + 30
            while "listening" not in log.read_text():
                assert process.popen.poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.05)
            self.run("nft", "-f", "-", input="table ip between {\nchain output {\n"
                     "type nat hook output priority -100;\n"
                     f"ip daddr {server.address} tcp dport {port} meta mark != 7 redirect to :{listen}\n}}\n}}\n")
            try:
                yield
            finally:
                self.run("nft", "delete", "table", "ip", "between")

    @contextlib.contextmanager
    def clock(self, build):
        """A wall clock of its own for every program that starts here from now on; what is yielded sets it wrong by
        so many seconds, at once, for those that run, too.  tests/tools/clock.c says how."""
        offset, preload = self.path("/run/lab-clock"), self.path("/etc/ld.so.preload")
        offset.write_bytes(struct.pack("=q", 0))

        def wrong_by(seconds):
            with open(offset, "r+b") as f:  # in place: it is mapped
                f.write(struct.pack("=q", int(seconds)))

        preload.write_text(f"{build}/tests/tools/libasan.so.clock.so\n")
        self.fresh = True
        try:
            yield wrong_by
        finally:
            self.fresh = False
            preload.unlink()

    def heal(self):
        """Undoes drop, refuse, unplug and pause."""
        self.lab.command("fault", self.name, "clear")


class Lab:
    """A running lab; use as a context manager, or call up() and down().  child: with dc2 and pc2; second_dc: with dc3."""

    def __init__(self, name, keep=False, child=False, second_dc=False):
        self.name = name
        self.keep = keep
        self.child = child
        self.second_dc = second_dc
        base = os.environ.get("LAB_DIR", "/var/lib/autoenroll-lab")
        self.directory = pathlib.Path(base) / name
        self.hosts = {host: Host(self, host) for host in
                      ADDRESSES | (CHILD_ADDRESSES if child else SECOND_ADDRESSES if second_dc else {})}
        self.dc1, self.ca1, self.pc1 = (self.hosts[h] for h in ("dc1", "ca1", "pc1"))
        if child:
            self.dc2, self.pc2 = self.hosts["dc2"], self.hosts["pc2"]
        if second_dc:
            self.dc3 = self.hosts["dc3"]
        self.admin = CONF["LAB_ADMIN"]
        self.admin_password = CONF["LAB_ADMIN_PASSWORD"]
        self.users = CONF["LAB_USERS"].split()
        self.user_password = CONF["LAB_USER_PASSWORD"]

    def command(self, *words, timeout=400):
        done = subprocess.run([str(SCRIPT), "--name", self.name, *map(str, words)],
                              stdin=subprocess.DEVNULL, text=True, capture_output=True,
                              timeout=timeout)
        if done.returncode != 0:
            raise CommandFailed("lab", done)
        return done.stdout

    def up(self):
        # what is more than the domain is made once, on a machine that may be busy
        more = ["--child"] if self.child else ["--second-dc"] if self.second_dc else []
        self.command("up", *more, "--owner", os.getpid(), timeout=600 if more else 120)
        return self

    def down(self):
        for host in self.hosts.values():
            host.standing.end()
        self.command("down")

    def __enter__(self):
        return self.up()

    def __exit__(self, *_):
        if not self.keep:
            self.down()

    def restart_dc(self):
        """Samba on dc1 reads its configuration again."""
        self.command("dc", "restart")

    def kinit_admin(self, host):
        host.kinit(self.admin, self.admin_password)

    def samba_tool(self, *words):
        """On dc1, straight on its database: no password needed."""
        return self.dc1.run("samba-tool", *words).stdout

    def ldbsearch(self, filter, *attributes, base=BASE_DN, controls=()):
        """dc1's own database, everything visible."""
        options = [f"--controls={c}" for c in controls]
        out = self.dc1.run("ldbsearch", "-H", "/var/lib/samba/private/sam.ldb", "-b", base,
                           *options, filter, *attributes).stdout
        return parse_ldif(out)


def parse_ldif(text):
    import base64

    entries = []
    for block in re.sub(r"\n ", "", text).split("\n\n"):
        entry = {}
        for line in block.splitlines():
            if not line or line.startswith("#"):
                continue
            name, _, value = line.partition(":")
            if value.startswith(":"):
                value = base64.b64decode(value[1:])
            else:
                value = value.strip()
            entry.setdefault(name, []).append(value)
        if "dn" in entry:
            entries.append(entry)
    return entries
