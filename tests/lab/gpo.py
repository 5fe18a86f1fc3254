# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Group policy objects, made the way an administrator of Samba makes them."""
import json
import struct

from lab import BASE_DN

SITE = "Default-First-Site-Name"
KEY = "Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment"


def wide(text):
    return text.encode("utf-16-le")


def instruction(value, kind, data, key=KEY):
    return (wide("[" + key + "\0;" + value + "\0;") + struct.pack("<I", kind) + wide(";") +
            struct.pack("<I", len(data)) + wide(";") + data + wide("]"))


def dword(value, number, key=KEY):
    return instruction(value, 4, struct.pack("<I", number), key)


def text(value, content, key=KEY):
    return instruction(value, 1, wide(content + "\0"), key)


def registry_pol(*instructions):
    return b"PReg\1\0\0\0" + b"".join(instructions)


def aepolicy(number):
    return registry_pol(dword("AEPolicy", number))


class Domain:
    """GPOs made the way an administrator of Samba makes them."""

    def __init__(self, lab, build):
        self.lab, self.build = lab, build
        self.ids = {}
        self.process = None

    def tool(self, *words):
        auth = ["-U", f"Administrator%{self.lab.admin_password}"]
        return self.lab.dc1.run("samba-tool", *words, *auth).stdout

    def gpo(self, name, content=None, half="Machine"):
        if name not in self.ids:
            out = self.tool("gpo", "create", name)
            self.ids[name] = out[out.index("{"):out.index("}") + 1]
        if content is not None:
            self.write(name, content, half)
        return self.ids[name]

    def write(self, name, content, half="Machine"):
        ident = self.ids[name]
        folder = self.lab.dc1.path(f"/var/lib/samba/sysvol/lab.example/Policies/{ident}")
        version = int((folder / "GPT.INI").read_text().split("Version=")[1].split()[0]) + 0x10001
        (folder / half / "Registry.pol").write_bytes(content)
        (folder / "GPT.INI").write_text(f"[General]\r\nVersion={version}\r\n")
        attribute, tool = {"Machine": ("gPCMachineExtensionNames", "D"), "User": ("gPCUserExtensionNames", "E")}[half]
        self.modify(ident, f"replace: versionNumber\nversionNumber: {version}\n-\n"
                    f"replace: {attribute}\n{attribute}: [{{35378EAC-683F-11D2-A89A-00C04FBBCFA2}}"
                    f"{{0F6B957{tool}-509E-11D1-A7CC-0000F87571E3}}]\n")

    def modify(self, ident, changes):
        self.modify_dn(f"CN={ident},CN=Policies,CN=System,{BASE_DN}", changes)

    def modify_dn(self, dn, changes):
        self.lab.dc1.run("ldbmodify", "-H", "/var/lib/samba/private/sam.ldb",
                         input=f"dn: {dn}\nchangetype: modify\n{changes}")

    def link(self, name, where, *options):
        self.tool("gpo", "setlink", where, self.gpo(name), *options)

    def settings(self, times=1, local=None, half="computer", helper=None):
        self.lab.pc1.kinit_machine()
        words = ["policy", self.lab.dc1.fqdn, self.lab.pc1.account,
                 helper or self.build / "prog/sysvol/sysvol", SITE, half]
        out = self.lab.pc1.run(self.build / "tests/lab/adprobe", *words, *([local] if local else []),
                               input="\n" * times).stdout
        decoder, found = json.JSONDecoder(), []
        while out.strip():
            value, end = decoder.raw_decode(out.lstrip())
            found.append(value)
            out = out.lstrip()[end:]
        return found[0] if times == 1 else found
