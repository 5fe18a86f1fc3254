# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What the benchmarks share: a lab with a CA, the load generator, and the machine's own limits."""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "lab"))
from ca import FULL, PKS_DN, READ, UID_BASE, Ca, enroll_for  # noqa: E402
from lab import Lab  # noqa: E402

TEMPLATE = "BenchMachine"
CFSSL_PORT = 8888
NICE = 0
TICK = os.sysconf("SC_CLK_TCK")


def loadavg():
    return os.getloadavg()[0]


def emit(line, out):
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())} | line
    text = json.dumps(line)
    print(text, flush=True)
    if out:
        with open(out, "a") as f:
            f.write(text + "\n")


def cpu_seconds(pids):
    """User and system time these processes have used so far."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def descendants(pid):
    """pid and all below it."""
    found, left = [], [pid]
    while left:
        p = left.pop()
        found.append(p)
        try:
            for task in pathlib.Path(f"/proc/{p}/task").glob("*/children"):
                left += [int(c) for c in task.read_text().split()]
        except OSError:
            pass  # it ended meanwhile
    return found


def program(pid):
    """The file a process runs, or nothing."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def smaps(pid, key):
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{key}:\s+(\d+) kB", text, re.M)
    return int(found[1]) if found else 0


def sign_rate(key):
    """(one process, one per core) signatures a second, by openssl speed."""
    name = {"p256": "ecdsap256", "p384": "ecdsap384"}.get(key, key)

    def one(*extra):
        text = subprocess.run(preferred("openssl", "speed", "-seconds", "2", "-mr", *extra, name),
                              capture_output=True, text=True).stdout
        # +F2 and +F4: index, bits, sign and verify; operations a second since OpenSSL 3.
        row = [r for r in text.splitlines() if re.match(r"\+F[24]:", r)][-1].split(":")
        return float(row[3]) if float(row[3]) > 1 else 1 / float(row[3])
    return one(), one("-multi", str(os.cpu_count()))


def fsync_rate(build, directory):
    done = subprocess.run(preferred(build / "bench/fsync_rate", directory / "fsync-rate"), capture_output=True,
                          text=True, check=True)
    return float(done.stdout)


def machine(opt):
    """A line about the machine at this moment: what its cores sign and its disk syncs."""
    load = round(loadavg(), 2)
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    line = {"bench": "machine", "about": f"{os.cpu_count()} cores, {cpu[1] if cpu else '?'}, Linux {os.uname().release}",
            "loadavg": load}
    for key in ("rsa2048", "rsa4096", "p256"):
        line[f"sign {key}, one process"], line[f"sign {key}, one a core"] = sign_rate(key)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as d:
        line["fsync"] = fsync_rate(opt.build, pathlib.Path(d))
    emit(line, opt.out)


def check_build(build):
    options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", build], capture_output=True,
                                        text=True, check=True).stdout)
    value = {o["name"]: o["value"] for o in options}
    sanitize = value["b_sanitize"]
    if sanitize not in ("none", []) or value["optimization"] not in ("2", "3"):
        sys.exit(f"{build}: measure an optimized build without sanitizers "
                 "(meson setup --buildtype=release -Dbench=true)")


def make_pool(build, count):
    path = build / f"bench/pool-{count}.bin"
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run([build / "bench/load", "--make-pool", part, "--count", str(count), "--keys", "16"], check=True)
        part.rename(path)
    return path


def prefer(pid):
    """Priority of this process and its children; where sessions are groups to the scheduler, of its session."""
    if NICE == 0:
        return
    group = pathlib.Path(f"/proc/{pid}/autogroup")
    if group.exists():
        group.write_text(str(NICE))
    for p in descendants(pid):
        os.setpriority(os.PRIO_PROCESS, p, NICE)


def preferred(*words):
    """The command line that runs words with that priority."""
    if NICE == 0:
        return list(words)
    script = f'[ ! -e /proc/self/autogroup ] || echo {NICE} >/proc/self/autogroup; exec nice -n {NICE} "$@"'
    return ["setsid", "--wait", "bash", "-c", script, "bash", *words]


HSM, HSM_MODULE, HSM_PIN = "/var/lib/softhsm", "/usr/lib/softhsm/libsofthsm2.so", "493817"
SIGNER = UID_BASE + 7  # the user of the processes that sign


def algorithm(key):
    """rsa2048 of "rsa2048-softhsm"."""
    return key.partition("-")[0]


class Rig:
    """A lab with a CA on ca1 and a client machine pc1."""

    def __init__(self, name, build, key="rsa2048", remote=False):
        self.lab = Lab(name)
        self.remote = remote
        self.build = build
        self.key = key
        self.ca = None
        self.conf = ""  # more lines of certsrv.conf

    def __enter__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="ae-bench-", dir="/tmp")
        self.lab.up()
        # The lab's DNS server is not what is measured.
        names = "".join(f"{h.address} {h.fqdn}\n" for h in self.lab.hosts.values())
        for host in (self.lab.pc1, self.lab.ca1):
            hosts = host.path("/etc/hosts")
            hosts.write_text("127.0.0.1 localhost\n" + names)
        # One machine plays many: its ports must not run out while closed connections are remembered.
        for host in (self.lab.pc1, self.lab.ca1):
            host.run("sysctl -qw net.ipv4.ip_local_port_range='1024 65535' net.ipv4.tcp_max_tw_buckets=64 "
                     "net.ipv4.ip_local_reserved_ports=49500,8888")
        self.keytab = self.visible("/etc/krb5.keytab", self.lab.pc1)
        return self

    @property
    def client(self):
        """Where the load runs, always as pc1's account: on the CA's own machine, so that not the bridge between two
        name spaces is measured, or on pc1."""
        return self.lab.pc1 if self.remote else self.lab.ca1

    def __exit__(self, *_):
        if self.ca is not None:
            self.ca.stop()
        self.lab.down()
        self.scratch.cleanup()

    def start_ca(self, key=None, **templates):
        if self.ca is not None:
            self.ca.stop()
        key = key or self.key
        self.ca = Ca(self.lab, self.build, algorithm(key))
        if key.endswith("-softhsm"):
            self.token()
        self.ca.setup(templates or {TEMPLATE: (READ + FULL + enroll_for("DC"), {})})
        if self.conf:
            with open(self.lab.ca1.path("/etc/certsrv/certsrv.conf"), "a", encoding="ascii") as f:
                f.write(self.conf)
        self.ca.start()
        prefer(self.ca.process.pid)
        return self.ca

    def token(self):
        """The CA's key is made in a SoftHSM token."""
        h = self.lab.ca1
        h.run(f"rm -rf {HSM}; mkdir -p {HSM}/tokens")
        h.run("softhsm2-util", "--init-token", "--free", "--label", "ca", "--so-pin", "87654321", "--pin", HSM_PIN)
        h.run(f"chown -R {SIGNER}:{SIGNER} {HSM}; chmod 755 /etc/softhsm; chmod 644 /etc/softhsm/softhsm2.conf")
        pin = h.path("/var/pin")
        pin.unlink(missing_ok=True)
        pin.touch(0o600)
        pin.write_text(HSM_PIN + "\n")
        self.ca.options = ("--key-type", self.ca.key, "--pkcs11-module", HSM_MODULE, "--pkcs11-pin-file", "/var/pin",
                           "--pkcs11-path", HSM)
        self.ca.key = "pkcs11:token=ca"

    def visible(self, inside, host):
        """A copy of a host's file where every host can read it."""
        to = pathlib.Path(self.scratch.name) / (host.name + inside.replace("/", "-"))
        to.write_bytes(host.path(inside).read_bytes())
        return to

    def ca_cert(self):
        return self.visible("/etc/certsrv/ca.pem", self.lab.ca1)

    def ca_pids(self):
        return descendants(self.ca.process.pid)

    def load_words(self, way, pool, ca_cert, *more):
        words = [self.build / "bench/load", "--way", way, "--host", self.lab.ca1.fqdn, "--pool", pool,
                 "--ca-cert", ca_cert]
        if way != "cfssl":
            words += ["--authority", self.ca.name, "--keytab", self.keytab,
                      "--principal", self.lab.pc1.account, "--attributes", f"CertificateTemplate:{TEMPLATE}"]
        else:
            words += ["--port", str(CFSSL_PORT)]
        return preferred(*words, *more)

    def load(self, way, pool, ca_cert, *more, timeout=120):
        done = self.client.run(*self.load_words(way, pool, ca_cert, *more), check=False, timeout=timeout)
        if not done.stdout.startswith("{"):
            raise RuntimeError(f"load: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


def median(values):
    return statistics.median(values) if values else None
