# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Breaking a healthy lab in just one way, and mending it again.

A script below faults/ is named after the check that must name it, and says only how the lab
is broken; each operation here writes down how it is undone:

    #!/usr/bin/python3
    \"\"\"The CA's host drops TCP 135.\"\"\"
    import fault

    lab = fault.lab()
    lab.firewall("ca1", "drop", 135)

    faults/net.epm-unreachable NAME          breaks the lab of that name
    faults/net.epm-unreachable NAME --too    breaks it in this way, too
    faults/net.epm-unreachable NAME --mend   undoes it all, newest first
    faults/net.epm-unreachable --ask         what to give to diagnose besides, as JSON
    faults/net.epm-unreachable --needs       what the lab must have besides ("second-dc"), as JSON

It touches what an administrator, an attacker or a network could: objects of the directory,
files, packets, clocks, services.  The healthy lab has a CA on ca1 and the templates Machine
(for computers) and Person (for people); pc1 and alice have their certificates.
"""
import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55"
SERVERS = "Software\\Policies\\Microsoft\\Cryptography\\PolicyServers"
AEPOLICY = "Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment"
AUTOENROLL = "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
APPLY = "edacfd8f-ffb3-11d1-b41d-00a0c968f939"  # Apply Group Policy
DOMAIN_DN = "DC=lab,DC=example"
CONFIG_DN = f"CN=Configuration,{DOMAIN_DN}"
PKS_DN = f"CN=Public Key Services,CN=Services,{CONFIG_DN}"
SAM = "/var/lib/samba/private/sam.ldb"


def parse(ldif):
    """[(dn, {name: [bytes]})]"""
    entries = []
    for block in ldif.replace("\n ", "").split("\n\n"):
        attrs, dn = {}, None
        for line in block.splitlines():
            m = re.match(r"([\w;.-]+)(::?) ?(.*)$", line)
            if not m or line.startswith("#"):
                continue
            value = base64.b64decode(m[3]) if m[2] == "::" else m[3].encode()
            if m[1] == "dn":
                dn = value.decode()
            else:
                attrs.setdefault(m[1], []).append(value)
        if dn and not dn.startswith("@"):
            entries.append((dn, attrs))
    return entries


def period(days):
    """As pKIExpirationPeriod has it: 100 ns, negative."""
    return (-int(days * 86400 * 10**7)).to_bytes(8, "little", signed=True)


def instruction(key, name, value):
    """Of a Registry.pol, MS-GPREG 2.2.1."""
    def wide(text):
        return text.encode("utf-16-le")
    kind, data = (4, value.to_bytes(4, "little")) if isinstance(value, int) else (1, wide(value + "\0"))
    return (wide("[" + key + "\0;" + name + "\0;") + kind.to_bytes(4, "little") + wide(";") +
            len(data).to_bytes(4, "little") + wide(";") + data + wide("]"))


def expired_certificate(cn):
    """Of a CA that was renewed long ago."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, cn)])
    day = datetime.datetime(2020, 1, 1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(
        1).not_valid_before(day).not_valid_after(day + datetime.timedelta(365)).add_extension(
        x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def chain_of(cn, root, middle=None, constraint=None, bits=2048, aia=None, cdp=None, keys=None):
    """DER of a CA, of what is above it, and of the root; constraint: below which names, by the one above;
    aia, cdp: addresses in the CA's; keys: a dictionary to be filled with (name, key) by name."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    now = datetime.datetime.utcnow()
    above, made = None, []
    for one in filter(None, (root, middle, cn)):
        key = rsa.generate_private_key(65537, bits if one == cn else 2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)])
        issuer, signer = above or (name, key)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key()).serial_number(
            len(made) + 1).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(3650))
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        if constraint and one == root:
            other = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, constraint)])
            builder = builder.add_extension(x509.NameConstraints([x509.DirectoryName(other)], None), True)
        for extension in links(aia, cdp) if one == cn else []:
            builder = builder.add_extension(extension, False)
        if keys is not None:
            keys[one] = name, key
        made.insert(0, builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
        above = name, key
    return made


def links(aia, cdp):
    """The extensions that say where something is."""
    from cryptography import x509
    if aia:
        yield x509.AuthorityInformationAccess([x509.AccessDescription(
            x509.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(aia))])
    if cdp:
        yield x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(cdp)], None, None, None)])


def list_of(name, key, *certificates):
    """DER of a revocation list by (name, key) with these certificates (DER) on it."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    now = datetime.datetime.utcnow()
    builder = x509.CertificateRevocationListBuilder().issuer_name(name).last_update(now - datetime.timedelta(1)).next_update(
        now + datetime.timedelta(30))
    for der in certificates:
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(
            x509.load_der_x509_certificate(der).serial_number).revocation_date(now - datetime.timedelta(1)).build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def old_list(certificate, key):
    """PEM of a CA and of its key: a revocation list that ended long ago."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    ca, day = x509.load_pem_x509_certificate(certificate), datetime.datetime(2024, 1, 1)
    made = x509.CertificateRevocationListBuilder().issuer_name(ca.subject).last_update(day).next_update(
        day + datetime.timedelta(7)).sign(serialization.load_pem_private_key(key, None), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def line(name, value):
    value = value if isinstance(value, bytes) else str(value).encode()
    return f"{name}:: {base64.b64encode(value).decode()}\n"


class Lab:
    def __init__(self, name):
        self.name = name
        self.directory = pathlib.Path(os.environ.get("LAB_DIR", "/var/lib/autoenroll-lab")) / name
        self.journal = self.directory / "fault.json"
        self.dc = "dc1"  # on whose database the directory is changed
        if not self.directory.is_dir():
            sys.exit(f"fault: there is no lab '{name}'")

    # ---- undoing ----

    def note(self, operation, *args):
        """How what is about to be done is undone; before it is done."""
        done = json.loads(self.journal.read_text()) if self.journal.exists() else []
        self.journal.write_text(json.dumps(done + [[operation, *args]]))

    def mend(self):
        while self.journal.exists():
            left = json.loads(self.journal.read_text())
            if not left:
                self.journal.unlink()
                break
            operation, *args = left[-1]
            getattr(self, "undo_" + operation)(*args)
            self.journal.write_text(json.dumps(left[:-1]))

    # ---- commands ----

    def command(self, *words, check=True, input=None):
        done = subprocess.run([str(HERE / "lab"), "--name", self.name, *map(str, words)], text=True, input=input,
                              stdin=subprocess.DEVNULL if input is None else None, capture_output=True, timeout=60)
        if check and done.returncode != 0:
            sys.exit(f"fault: {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
        return done

    def run(self, host, *words, check=True, input=None):
        """Not undone: for what changes nothing, or is undone by what was noted before."""
        words = ("bash", "-c", words[0]) if len(words) == 1 else words
        return self.command("exec", host, *words, check=check, input=input)

    def undo_run(self, host, *words):
        self.run(host, *words, check=False)

    def run_undone_by(self, host, back, *words):
        self.note("run", host, back)
        self.run(host, *words)

    def client(self, *words, check=False):
        """autoenroll on pc1, as a person there would run it."""
        build = os.environ.get("AE_BUILD", str(HERE.parent / "build"))
        return self.command("exec", "pc1", "env", "ASAN_OPTIONS=detect_leaks=0", f"{build}/prog/autoenroll/autoenroll",
                            *words, check=check)

    def current(self, name, template="Machine", store="/var/lib/autoenroll"):
        """Where a file of the certificate in use is: of pc1's, or of a person's store."""
        inside = f"{store}/my/{template}"
        return f"{inside}/{os.readlink(self.path('pc1', inside + '/current'))}/{name}"

    def without_certificates(self):
        """pc1 never had any."""
        if self.path("pc1", "/var/lib/autoenroll/my").exists():
            self.move_away("pc1", "/var/lib/autoenroll/my")
        else:
            self.note("dir", "pc1", "/var/lib/autoenroll/my")

    def make_dir(self, host, inside):
        self.note("dir", host, inside)
        self.path(host, inside).mkdir(parents=True)

    def undo_dir(self, host, inside):
        shutil.rmtree(self.path(host, inside), ignore_errors=True)

    def wait_ca(self):
        """Until the CA has read the directory again, which it does each second here."""
        time.sleep(2.5)

    def pending(self):
        """pc1 has no certificate, and its request waits to be approved; where it is kept."""
        inside = "/var/lib/autoenroll/request/Machine"
        self.set(self.template(), msPKI_Enrollment_Flag=0x22)
        self.note("dir", "pc1", inside)
        self.without_certificates()
        self.wait_ca()
        self.client("pulse", "--wait")
        found = list(self.path("pc1", inside).glob("*/meta.json"))
        if not found:
            sys.exit("fault: no request is pending")
        return f"{inside}/{found[0].parent.name}/meta.json"

    def approve(self, number):
        build = os.environ.get("AE_BUILD", str(HERE.parent / "build"))
        conf = dict(re.findall(r'^(\w+)="(.*)"$', (HERE / "lab.conf").read_text(), re.M))
        self.note("run", "ca1", "kdestroy -q")
        self.run("ca1", "kinit", conf["LAB_ADMIN"], input=conf["LAB_ADMIN_PASSWORD"] + "\n")
        self.run("ca1", "env", "ASAN_OPTIONS=detect_leaks=0", f"{build}/prog/certsrv/certsrv", "request", "approve", str(number))

    def log_of_cepces(self, line):
        self.write("pc1", "/var/log/cepces/cepces.log", "Traceback (most recent call last):\n" + line + "\n")

    # ---- places for keys, set up as an administrator would ----

    CARD = "Microsoft Smart Card Key Storage Provider"
    TPM = "Microsoft Platform Crypto Provider"
    TOKENS = "/var/lib/softhsm/tokens"

    def keys_of(self, provider, conf):
        """The machine's template wants this provider, and pc1 is set up for it."""
        old = self.path("pc1", "/etc/autoenroll/autoenroll.conf").read_text()
        self.write("pc1", "/etc/autoenroll/autoenroll.conf", old + "\n[keys]\n" + conf)
        self.set(self.template(), pKIDefaultCSPs=f"1,{provider}")

    def card(self, pin="123456"):
        """A token of SoftHSM; pin: what the administrator wrote down."""
        self.make_dir("pc1", self.TOKENS)
        self.run("pc1", "softhsm2-util", "--init-token", "--free", "--label", "lab", "--so-pin", "87654321", "--pin", "123456")
        self.write("pc1", "/etc/autoenroll/pin", pin + "\n")
        self.path("pc1", "/etc/autoenroll/pin").chmod(0o600)
        self.keys_of(self.CARD, "pkcs11-module = /usr/lib/softhsm/libsofthsm2.so\npkcs11-token = pkcs11:token=lab\n"
                     "pkcs11-pin-file = /etc/autoenroll/pin\npkcs11-path = /var/lib/softhsm\n")

    TPM_DIR = "/run/tpm"

    def tpm(self):
        """A TPM (swtpm) that works, and the template's keys are to be in it."""
        state = "/var/tpm"
        self.make_dir("pc1", self.TPM_DIR)
        self.make_dir("pc1", state)
        self.note("run", "pc1", f"kill $(cat {self.TPM_DIR}/pid)")
        self.run("pc1", "swtpm_setup", "--tpm2", "--tpmstate", state, "--overwrite")
        self.run("pc1", "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--flags", "not-need-init,startup-clear",
                 "--server", f"type=unixio,path={self.TPM_DIR}/sock", "--ctrl", f"type=unixio,path={self.TPM_DIR}/sock.ctrl",
                 "--daemon", "--pid", f"file={self.TPM_DIR}/pid")
        self.keys_of(self.TPM, f"tpm = swtpm:path={self.TPM_DIR}/sock\n")

    # ---- network ----

    def firewall(self, host, how, port):
        """how: drop or refuse; what comes to this port of the host."""
        self.note("firewall", host)
        self.command("fault", host, how, port)

    def undo_firewall(self, host):
        self.command("fault", host, "clear")

    def unplug(self, host):
        self.note("firewall", host)
        self.command("fault", host, "unplug")

    def rules(self, host, *rules):
        """Rules of nftables for what comes in."""
        self.note("rules", host)
        text = "table inet fault_rules {\nchain input {\ntype filter hook input priority 10;\n" + "\n".join(rules)
        self.run(host, "nft", "-f", "-", input=text + "\n}\n}\n")

    def undo_rules(self, host):
        self.run(host, "nft", "delete", "table", "inet", "fault_rules", check=False)

    # ---- names in DNS ----

    def dns(self, *words, check=True):
        conf = dict(re.findall(r'^(\w+)="(.*)"$', (HERE / "lab.conf").read_text(), re.M))
        what, *rest = words
        return self.run("dc1", "samba-tool", "dns", what, "127.0.0.1", "lab.example", *rest, "-U",
                        f"{conf['LAB_ADMIN']}%{conf['LAB_ADMIN_PASSWORD']}", check=check)

    def addresses(self, name):
        found = self.dns("query", name, "A").stdout
        return re.findall(r"A: ([0-9.]+)", found)

    def address_of(self, name, address):
        """The name leads to this address alone."""
        for old in self.addresses(name):
            self.note("address", name, old, address)
            self.dns("update", name, "A", old, address)

    def undo_address(self, name, old, address):
        self.dns("update", name, "A", address, old, check=False)

    def record(self, name, kind, value):
        self.note("record", name, kind, value)
        self.dns("add", name, kind, value)

    def undo_record(self, name, kind, value):
        self.dns("delete", name, kind, value, check=False)

    # ---- files ----

    def path(self, host, inside):
        return self.directory / host / inside.lstrip("/")

    def keep_file(self, host, inside):
        """What is about to be changed; a file that is not there is taken away again."""
        path = self.path(host, inside)
        if path.exists():
            st = path.stat()
            self.note("file", host, inside, base64.b64encode(path.read_bytes()).decode(), st.st_mode & 0o7777,
                      st.st_uid, st.st_gid)
        else:
            self.note("file", host, inside, None, 0, 0, 0)

    def undo_file(self, host, inside, content, mode, uid, gid):
        path = self.path(host, inside)
        if content is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content))
        path.chmod(mode)
        os.chown(path, uid, gid)

    def write(self, host, inside, content):
        self.keep_file(host, inside)
        path = self.path(host, inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def replace(self, host, inside, pattern, by):
        """A regular expression in a text file; it must be there."""
        text = self.path(host, inside).read_text()
        new, n = re.subn(pattern, by, text, flags=re.M)
        if n == 0:
            sys.exit(f"fault: {inside} of {host} has no {pattern!r}")
        self.write(host, inside, new)

    def spoil_keys(self, host, inside="/etc/krb5.keytab"):
        """Every key of a keytab becomes another one of its kind (the format is MIT's, version 2)."""
        data, at = bytearray(self.path(host, inside).read_bytes()), 2
        while at < len(data):
            size, p = int.from_bytes(data[at:at + 4], "big", signed=True), at + 6
            for _ in range(int.from_bytes(data[at + 4:at + 6], "big") + 1):  # the realm, and the components
                p += 2 + int.from_bytes(data[p:p + 2], "big")
            p += 4 + 4 + 1 + 2  # name type, time, version, encryption type
            for i in range(int.from_bytes(data[p:p + 2], "big") if size > 0 else 0):
                data[p + 2 + i] ^= 0x5a
            at += 4 + abs(size)
        self.keep_keytab(host)
        self.path(host, inside).write_bytes(data)

    def take_ca_right(self, mask, host="ca1", inside="/etc/certsrv/ca.sd"):
        """Takes a right from every entry of the CA's own permissions (MS-DTYP 2.4.6)."""
        data = bytearray(self.path(host, inside).read_bytes())
        at = int.from_bytes(data[16:20], "little")
        count, at = int.from_bytes(data[at + 4:at + 6], "little"), at + 8
        for _ in range(count):
            old = int.from_bytes(data[at + 4:at + 8], "little")
            data[at + 4:at + 8] = (old & ~mask).to_bytes(4, "little")
            at += int.from_bytes(data[at + 2:at + 4], "little")
        self.write(host, inside, bytes(data))

    def remove(self, host, inside):
        self.keep_file(host, inside)
        self.path(host, inside).unlink()

    def move_away(self, host, inside):
        """A file or a directory, whole."""
        path = self.path(host, inside)
        self.note("move", host, inside)
        path.rename(str(path) + ".fault")

    def undo_move(self, host, inside):
        path = self.path(host, inside)
        kept = pathlib.Path(str(path) + ".fault")
        if not kept.exists():  # who healed it moved it back
            return
        if path.is_dir():  # made again since
            shutil.rmtree(path)
        kept.rename(path)

    def der(self, host, inside):
        """The first certificate of a PEM file."""
        return base64.b64decode("".join(self.path(host, inside).read_text().split("-----")[2].split()))

    # ---- services that the lab's maker started by start_service ----

    def service_path(self, host, name):
        return self.directory / host / f"service-{name}.json"

    def start_service(self, host, name, command=None, env=None, ready=(), most=None):
        """command, env and ready (what its log must say, one after the other) are remembered from
        the first start; the log is /var/NAME.log of the host."""
        path = self.service_path(host, name)
        service = json.loads(path.read_text()) if command is None else \
            {"command": list(map(str, command)), "env": env or {}, "ready": list(ready)}
        log = self.path(host, f"/var/{name}.log")
        log.write_bytes(b"")
        extra = ["env"] + [f"{k}={v}" for k, v in service["env"].items()] if service["env"] else []
        with open(log, "ab") as out:
            popen = subprocess.Popen([str(HERE / "lab"), "--name", self.name, "exec", host, *extra, *service["command"]],
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                     start_new_session=True)
        path.write_text(json.dumps(service | {"pid": popen.pid}))
        return all(self.wait_log(host, name, pattern, popen) for pattern in service["ready"][:most])

    def wait_log(self, host, name, pattern, popen=None, seconds=20, count=1):
        """False: it ended before it said so."""
        log, end = self.path(host, f"/var/{name}.log"), time.monotonic() + seconds
        while time.monotonic() < end:
            if len(re.findall(pattern, log.read_text(errors="replace"))) >= count:
                return True
            if popen is not None and popen.poll() is not None:
                return False
            time.sleep(0.05)
        sys.exit(f"fault: no {pattern!r} in the log of {name}:\n{log.read_text(errors='replace')[-4000:]}")

    def stop_service(self, host, name):
        """By SIGTERM, and waits for its end."""
        outer, end = json.loads(self.service_path(host, name).read_text())["pid"], time.monotonic() + 15
        children = pathlib.Path(f"/proc/{outer}/task/{outer}/children")
        while children.exists() and time.monotonic() < end:
            for pid in children.read_text().split():
                os.kill(int(pid), signal.SIGTERM)
            time.sleep(0.1)
            with_ = pathlib.Path(f"/proc/{outer}/stat")
            if with_.exists() and with_.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                break

    def service_stopped(self, host="ca1", name="certsrvd"):
        self.note("start", host, name)
        self.stop_service(host, name)

    def undo_start(self, host, name):
        self.stop_service(host, name)  # one that a fault started otherwise
        self.start_service(host, name)

    def service_restarted(self, host="ca1", name="certsrvd", ready=None):
        """ready: how many of the things that it says when it is, is it to say this time?"""
        self.stop_service(host, name)
        return self.start_service(host, name, most=ready)

    def serve(self, host, port, **files):
        """A web server with these files; an _ in a name stands for a dot."""
        self.make_dir(host, "/var/www")
        for name, content in files.items():
            self.path(host, "/var/www/" + name.replace("_", ".")).write_bytes(content)
        self.serve_by(host, "/usr/bin/python3", "-u", "-m", "http.server", port, "-d", "/var/www", ready="Serving HTTP")

    def serve_by(self, host, *command, ready):
        """A service that the healthy lab does not have."""
        self.note("serve_by", host)
        self.start_service(host, "server", command, ready=(ready,))

    def undo_serve_by(self, host):
        if self.service_path(host, "server").exists():
            self.stop_service(host, "server")
            self.service_path(host, "server").unlink()

    def keep_tree(self, host, inside):
        """What is about to be changed below a directory."""
        self.move_away(host, inside)
        shutil.copytree(str(self.path(host, inside)) + ".fault", self.path(host, inside), symlinks=True)

    def immutable(self, host, inside):
        """Nobody may write there or below, not even root."""
        self.run_undone_by(host, f"chattr -R -i {inside}", "chattr", "-R", "+i", inside)

    def restart_when_mended(self, host="ca1", name="certsrvd"):
        """To be said before the files are changed, so that it is undone after them."""
        self.note("start", host, name)

    # ---- the directory, on the DC's own database ----

    def ldb(self, tool, *words, input=None, check=True):
        return self.run(self.dc, tool, "-H", SAM, *words, input=input, check=check).stdout

    def read(self, dn, *attrs):
        """{name: [bytes]}; nTSecurityDescriptor only when it is asked for."""
        found = parse(self.ldb("ldbsearch", "-b", dn, "-s", "base", "(objectClass=*)",
                               *attrs))
        return found[0][1] if found else None

    def find(self, filter, base=DOMAIN_DN):
        found = parse(self.ldb("ldbsearch", "-b", base, "-s", "sub", filter, "dn"))
        return [dn for dn, _ in found]

    def set(self, dn, **values):
        """Attributes to one value, several (a list) or none (None); '_' in a name stands for '-'."""
        names = {name.replace("_", "-"): value for name, value in values.items()}
        before = self.read(dn, *names) or {}
        self.note("set", dn, {name: [base64.b64encode(v).decode() for v in before.get(name, [])] for name in names}, self.dc)
        self.modify(dn, {n: v if isinstance(v, list) else [] if v is None else [v] for n, v in names.items()})

    def keep(self, dn, *names):
        """What somebody else is about to change."""
        before = self.read(dn, *names)
        if before is not None:
            self.note("set", dn, {n: [base64.b64encode(v).decode() for v in before.get(n, [])] for n in names}, self.dc)

    def undo_set(self, dn, before, dc="dc1"):
        self.dc = dc
        self.modify(dn, {name: [base64.b64decode(v) for v in values] for name, values in before.items()})
        if "Enrollment Services" in dn:
            self.wait_ca()

    def modify(self, dn, values):
        ldif, now = f"dn: {dn}\nchangetype: modify\n", self.read(dn, *values) or {}
        for name, all_of_them in values.items():
            # A replacement by nothing is more than Samba can do for some attributes.
            if all_of_them or name in now:
                ldif += f"{'replace' if all_of_them else 'delete'}: {name}\n"
                ldif += "".join(line(name, v) for v in all_of_them) + "-\n"
        self.ldb("ldbmodify", input=ldif + "\n")

    def add(self, dn, **values):
        self.note("add", dn)
        ldif = f"dn: {dn}\n"
        for name, value in values.items():
            for one in value if isinstance(value, list) else [value]:
                ldif += line(name.replace("_", "-"), one)
        self.ldb("ldbadd", input=ldif + "\n")

    def add_groups(self, n, member):
        """Many of them at once, Crowd1 and so on, below a container of their own."""
        top = f"CN=Crowd,{DOMAIN_DN}"
        self.note("add_groups", top)
        ldif = f"dn: {top}\nobjectClass: container\n\n"
        for i in range(n):
            ldif += f"dn: CN=Crowd{i},{top}\nobjectClass: group\nsAMAccountName: Crowd{i}\nmember: {member}\n\n"
        self.ldb("ldbadd", input=ldif)

    def undo_add_groups(self, top):
        self.ldb("ldbdel", "-r", top, check=False)

    def renamed(self, dn, new):
        """Under another name, the same object."""
        self.note("renamed", dn, new)
        self.ldb("ldbrename", dn, new)

    def undo_renamed(self, dn, new):
        self.ldb("ldbdel", dn, check=False)  # who healed it made it anew
        self.ldb("ldbrename", new, dn)

    def undo_add(self, dn):
        self.ldb("ldbdel", dn, check=False)

    # What the directory itself says of an object.
    ITS_OWN = {"name", "distinguishedName", "instanceType", "objectGUID", "objectCategory", "whenCreated", "whenChanged",
               "uSNCreated", "uSNChanged"}

    def delete(self, dn, *attrs):
        """An object of the configuration; attrs: of it, besides its classes and name; none named: all."""
        keep = self.read(dn, "nTSecurityDescriptor", *(("objectClass", "cn", *attrs) if attrs else ("*",)))
        self.note("delete", dn, {n: [base64.b64encode(v).decode() for v in vs] for n, vs in keep.items()
                                 if n not in self.ITS_OWN})
        self.ldb("ldbdel", dn)

    def undo_delete(self, dn, before):
        self.ldb("ldbdel", dn, check=False)  # who healed it made it anew
        ldif = f"dn: {dn}\n"
        for name, values in before.items():
            ldif += "".join(line(name, base64.b64decode(v)) for v in values)
        self.ldb("ldbadd", "--relax", input=ldif + "\n")
        self.wait_ca()

    def rename(self, dn, new, *attrs):
        """An object of the configuration under another name; attrs as for delete."""
        kept = self.read(dn, "objectClass", "nTSecurityDescriptor", *attrs)
        self.delete(dn, *attrs)
        self.add(new, **{name.replace("-", "_"): values for name, values in kept.items()})

    def mute_second_dc(self):
        """What is changed on dc3 from here on stays there."""
        conf = dict(re.findall(r'^(\w+)="(.*)"$', (HERE / "lab.conf").read_text(), re.M))

        def options(sign):
            return ("samba-tool", "drs", "options", "dc3", f"--dsa-option={sign}DISABLE_OUTBOUND_REPL", "-U",
                    f"{conf['LAB_ADMIN']}%{conf['LAB_ADMIN_PASSWORD']}")
        self.note("run", "dc3", *options("-"))
        self.run("dc3", *options("+"))
        self.dc = "dc3"

    def copy(self, dn, new, **other):
        """An object like this one, but for these attributes."""
        kept = self.read(dn, "nTSecurityDescriptor", "*")
        kept = {n.replace("-", "_"): v for n, v in kept.items() if n not in self.ITS_OWN}
        self.add(new, **(kept | other))

    def raw_value(self, dn, name, value):
        """One more value, past the rules of the domain controller: its database is a file."""
        self.note("raw_value", dn, name, value)
        self.raw_modify(dn, "add", name, value)

    def undo_raw_value(self, dn, name, value):
        self.raw_modify(dn, "delete", name, value, check=False)

    def raw_modify(self, dn, how, name, value, check=True):
        self.run("dc1", "ldbmodify", "-H", f"{SAM}.d/{DOMAIN_DN.upper()}.ldb", input=
                 f"dn: {dn}\nchangetype: modify\n{how}: {name}\n{line(name, value)}-\n\n", check=check)

    def sid(self, account):
        out = self.ldb("ldbsearch", "-b", DOMAIN_DN, "-s", "sub", f"(sAMAccountName={account})", "objectSid")
        return re.search(r"^objectSid: (\S+)$", out, re.M)[1]

    def sddl(self, dn):
        """The descriptor as text."""
        return self.run(self.dc, "samba-tool", "dsacl", "get", "-H", SAM, f"--objectdn={dn}").stdout.strip(
            ).splitlines()[-1].removeprefix("descriptor for " + dn + ":").strip()

    def rewrite_sd(self, dn, change):
        """change: a function from SDDL to SDDL."""
        raw = self.read(dn, "nTSecurityDescriptor")["nTSecurityDescriptor"][0]
        self.note("set", dn, {"nTSecurityDescriptor": [base64.b64encode(raw).decode()]}, self.dc)
        new = change(self.sddl(dn))
        self.modify(dn, {"nTSecurityDescriptor": [new]})

    def take_right(self, dn, right, who):
        """Takes the allow entry of a control right (ENROLL, AUTOENROLL) from a trustee as SDDL has it ("DC")."""
        def change(sddl):
            new, n = re.subn(rf"\(OA;[^;]*;CR;{right};;{who}\)", "", sddl)
            if n == 0:
                sys.exit(f"fault: {who} has no right {right} on {dn}: {sddl}")
            return new
        self.rewrite_sd(dn, change)

    def add_ace(self, dn, ace):
        """First in the DACL, as denials belong."""
        self.rewrite_sd(dn, lambda sddl: re.sub(r"D:([A-Z]*)", lambda m: m[0] + ace, sddl, count=1))

    def keytab(self, host, principal, password="Another-Password-1", kvno=1):
        """The host's keytab becomes another."""
        path = self.path(host, "/etc/krb5.keytab")
        self.keep_keytab(host)
        self.run(host, "ktutil", input=f"addent -password -p {principal} -k {kvno} -e aes256-cts-hmac-sha1-96\n"
                 f"{password}\nwkt /etc/krb5.keytab.new\n")
        path.with_name("krb5.keytab.new").rename(path)

    def keep_keytab(self, host):
        self.note("keytab", host, base64.b64encode(self.path(host, "/etc/krb5.keytab").read_bytes()).decode())

    def undo_keytab(self, host, content):
        """Unless the host has joined anew: the domain knows the old keys no more."""
        works = f"kinit -k -c MEMORY: '{host.upper()}$'"
        if self.run(host, f"test -f /etc/krb5.keytab && {works}", check=False).returncode != 0:
            self.path(host, "/etc/krb5.keytab").write_bytes(base64.b64decode(content))
            self.path(host, "/etc/krb5.keytab").chmod(0o600)

    def without_keytab(self, host):
        self.keep_keytab(host)
        self.path(host, "/etc/krb5.keytab").unlink()

    # ---- tickets, and what takes a moment ----

    def new_ticket(self, host):
        """The machine logs on anew, and its client runs."""
        client = json.loads((self.directory / host / "client.json").read_text())
        self.run(host, "rm -f /run/autoenroll/krb5cc* /run/autoenroll/*ccache*")
        self.run(host, "env", "ASAN_OPTIONS=detect_leaks=0", client["program"], "pulse", "--wait", check=False)

    def new_ticket_when_mended(self, host):
        self.note("new_ticket", host)

    def undo_new_ticket(self, host):
        self.new_ticket(host)

    def wait_directory(self, host="ca1", name="certsrvd"):
        """Until the CA has read once more what was just changed."""
        line = r"directory: \d+ templates"
        before = len(re.findall(line, self.path(host, f"/var/{name}.log").read_text(errors="replace")))
        self.wait_log(host, name, line, count=before + 1)

    # ---- group policy ----

    GPO = "{0A0B0C0D-1111-2222-3333-444455556666}"

    def gpo(self, *values, half="Machine"):
        """A GPO of the whole domain with these (key, value, number or text)."""
        dn = f"CN={self.GPO},CN=Policies,CN=System,{DOMAIN_DN}"
        inside = f"/var/lib/samba/sysvol/lab.example/Policies/{self.GPO}"
        path = self.path("dc1", inside)
        self.make_dir("dc1", inside)
        (path / half).mkdir()
        (path / half / "Registry.pol").write_bytes(b"PReg\1\0\0\0" + b"".join(instruction(*v) for v in values))
        (path / "GPT.INI").write_text("[General]\r\nVersion=65537\r\n")
        extension = {"Machine": "gPCMachineExtensionNames", "User": "gPCUserExtensionNames"}[half]
        self.add(dn, objectClass=["top", "container", "groupPolicyContainer"], displayName="Certificates", flags="0",
                 versionNumber="65537", gPCFunctionalityVersion="2",
                 gPCFileSysPath=f"\\\\lab.example\\sysvol\\lab.example\\Policies\\{self.GPO}",
                 **{extension: "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{0F6B957D-509E-11D1-A7CC-0000F87571E3}]"})
        links = (self.read(DOMAIN_DN, "gPLink") or {}).get("gPLink", [b""])[0].decode()
        self.set(DOMAIN_DN, gPLink=links + f"[LDAP://{dn};0]")
        return dn

    # ---- names ----

    @staticmethod
    def template(cn="Machine"):
        return f"CN={cn},CN=Certificate Templates,{PKS_DN}"

    @staticmethod
    def ca(name="Lab CA"):
        return f"CN={name},CN=Enrollment Services,{PKS_DN}"

    @staticmethod
    def computer(name="PC1"):
        return f"CN={name},CN=Computers,{DOMAIN_DN}"

    @staticmethod
    def user(name="alice"):
        return f"CN={name},CN=Users,{DOMAIN_DN}"


def lab(*ask, second_dc=False):
    """The lab of the command line; ask: options for diagnose.  Ends the script when it is not to
    break anything now."""
    if sys.argv[1:] == ["--needs"]:
        print(json.dumps(["second-dc"] if second_dc else []))
        sys.exit(0)
    if sys.argv[1:] == ["--ask"]:
        print(json.dumps(ask))
        sys.exit(0)
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["--too"], ["--mend"]):
        sys.exit(f"usage: {sys.argv[0]} LAB [--too | --mend] | --ask | --needs")
    it = Lab(sys.argv[1])
    if sys.argv[2:] == ["--mend"]:
        it.mend()
        sys.exit(0)
    if it.journal.exists() and sys.argv[2:] == []:
        sys.exit(f"fault: the lab is broken already: {sys.argv[0]} {it.name} --mend")
    return it

