# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Access checks and Registry.pol compared with Samba's own, by the thousand.  No lab is needed.

Samba's Python module offers the plain check (MS-DTYP 2.5.3.2); its own rules on object ACEs are not
reachable from Python, so those are compared with MS-ADTS 5.1.3.3.4 written down once more below."""
import json
import random
import subprocess

import pytest
from samba.dcerpc import misc, preg, security
from samba.ndr import ndr_pack, ndr_unpack
from samba.ntstatus import NT_STATUS_ACCESS_DENIED
from samba import NTSTATUSError
from samba.security import access_check

CASES = 4000
POOL = [f"S-1-5-21-1-2-3-{rid}" for rid in (500, 512, 513, 515, 516, 1104, 1105, 1106)] + \
       ["S-1-1-0", "S-1-5-11", "S-1-5-32-544", "S-1-5-18", "S-1-3-0"]
RIGHTS = ["0e10c968-78fb-11d2-90d4-00c04f79dc55", "a05b8cc2-17bc-4802-a710-e7c15ab866a2",
          "edacfd8f-ffb3-11d1-b41d-00a0c968f939"]
BITS = [1 << n for n in range(9)] + [1 << n for n in range(16, 20)]
MAXIMUM_ALLOWED = 0x02000000


def mask(rng, most=5):
    return sum(set(rng.choices(BITS, k=rng.randint(0, most))))


def random_sd(rng, objects):
    sd = security.descriptor()
    sd.type = security.SEC_DESC_SELF_RELATIVE | security.SEC_DESC_DACL_PRESENT
    sd.owner_sid = security.dom_sid(rng.choice(POOL))
    sd.group_sid = security.dom_sid(rng.choice(POOL))
    sd.dacl = security.acl()
    sd.dacl.revision = 4
    for _ in range(rng.randint(0, 7)):
        ace = security.ace()
        ace.type = rng.choice((0, 0, 1))
        ace.flags = rng.choice((0, 0, 0, 8, 2, 16, 10))
        ace.access_mask = mask(rng)
        ace.trustee = security.dom_sid(rng.choice(POOL + ["S-1-3-4"] * 2))
        if objects and rng.random() < 0.7:
            ace.type += 5
            ace.access_mask = rng.choice((0x100, 0x100, 0x130, 0x30))
            if rng.random() < 0.8:
                ace.object.flags = 1
                ace.object.type = misc.GUID(rng.choice(RIGHTS))
        sd.dacl_add(ace)
    return sd


def token_of(sids):
    token = security.token()
    token.sids = [security.dom_sid(s) for s in sids]
    token.num_sids = len(sids)
    return token


def ask(build, mode, lines):
    out = subprocess.run([build / "tests/lab/witness", mode], input="".join(lines), text=True,
                         capture_output=True, check=True).stdout.splitlines()
    assert len(out) == len(lines)
    return out


def test_access_check_is_sambas(build):
    rng = random.Random(20261123)
    lines, expected, said = [], [], {"granted": 0, "denied": 0}
    for _ in range(CASES):
        sd = random_sd(rng, objects=False)
        sids = rng.sample(POOL, rng.randint(1, 6))
        desired = rng.choice((MAXIMUM_ALLOWED, mask(rng, 3) or 4))
        try:
            want = f"{access_check(sd, token_of(sids), desired):08x}"
        except NTSTATUSError as error:
            assert error.args[0] == NT_STATUS_ACCESS_DENIED
            want = "denied"
        # Samba answers a wish for everything with success and nothing, we (as MS-DTYP) deny it.
        if desired == MAXIMUM_ALLOWED and want == "00000000":
            want = "denied"
        said["denied" if want == "denied" else "granted"] += 1
        expected.append(want)
        lines.append(f"{ndr_pack(sd).hex()} {desired:x} {','.join(sids)}\n")
    assert min(said.values()) > CASES // 10, said  # the cases are worth something
    for line, want, got in zip(lines, expected, ask(build, "access", lines)):
        assert got == want, line


def right_by_the_book(sd, sids, right):
    """MS-ADTS 5.1.3.3.4, and its plain ACEs by 5.1.3.3.3; OWNER RIGHTS as MS-DTYP has it."""
    owner = str(sd.owner_sid) in sids
    for ace in sd.dacl.aces:
        if ace.flags & 8 or not ace.access_mask & 0x100:
            continue
        who = str(ace.trustee)
        if not (owner if who == "S-1-3-4" else who in sids):
            continue
        if ace.type in (5, 6) and ace.object.flags & 1 and str(ace.object.type) != right:
            continue
        return ace.type in (0, 5)
    return False


def test_extended_rights_by_the_book(build):
    rng = random.Random(7)
    lines, expected = [], []
    for _ in range(CASES):
        sd = random_sd(rng, objects=True)
        sids = rng.sample(POOL, rng.randint(1, 6))
        right = rng.choice(RIGHTS)
        expected.append("yes" if right_by_the_book(sd, sids, right) else "no")
        lines.append(f"{ndr_pack(sd).hex()} {right} {','.join(sids)}\n")
    assert CASES // 10 < expected.count("yes") < CASES * 9 // 10
    for line, want, got in zip(lines, expected, ask(build, "right", lines)):
        assert got == want, line


def test_a_check_is_cheap(build):
    """256 SIDs, 16 ACEs; the bound is for an optimised build, sanitizers cost tenfold."""
    out = subprocess.run([build / "tests/lab/witness", "time"], text=True, capture_output=True,
                         check=True).stdout
    print(f"{out.strip()} ns a check")
    assert int(out) < 10000


def random_entries(rng):
    def name(n):
        return "".join(rng.choices("aZ09 _-.*äß漢", k=rng.randint(1, n)))
    kinds = [(1, lambda: (name(20) + "\0").encode("utf-16-le")), (2, lambda: b""),
             (3, lambda: rng.randbytes(rng.randint(0, 300))), (4, lambda: rng.randbytes(4)),
             (7, lambda: "a\0b\0\0".encode("utf-16-le")), (11, lambda: rng.randbytes(8))]
    entries = []
    for _ in range(rng.randint(0, 20)):
        kind, data = rng.choice(kinds)
        entries.append(["\\".join(name(8) for _ in range(rng.randint(1, 5))), name(30), kind, data()])
    return entries


def samba_file(entries):
    file = preg.file()
    file.header.signature = "PReg"
    file.header.version = 1
    rows = []
    for key, value, kind, data in entries:
        row = preg.entry()
        row.keyname, row.valuename, row.type = key, value, kind
        if kind == 4:
            row.data = int.from_bytes(data, "little")
        elif kind == 11:
            row.data = int.from_bytes(data, "little")
        elif kind in (1, 2):
            row.data = data.decode("utf-16-le").rstrip("\0")
        else:
            row.data = data
        rows.append(row)
    file.num_entries = len(rows)
    file.entries = rows
    return file


@pytest.mark.parametrize("seed", range(20))
def test_registry_pol_both_ways(build, tmp_path, seed):
    rng = random.Random(seed)
    entries = [e for e in random_entries(rng) if e[2] in (1, 3, 4)]
    theirs = tmp_path / "theirs.pol"
    theirs.write_bytes(ndr_pack(samba_file(entries)))
    out = subprocess.run([build / "tests/lab/witness", "pol", theirs], capture_output=True, text=True,
                         check=True).stdout
    assert [[k, v, t, bytes.fromhex(d)] for k, v, t, d in json.loads(out)] == entries

    ours = tmp_path / "ours.pol"
    subprocess.run([build / "tests/lab/witness", "polwrite", ours], text=True, check=True,
                   input=json.dumps([[k, v, t, d.hex()] for k, v, t, d in entries]))
    read = ndr_unpack(preg.file, ours.read_bytes())
    assert [(e.keyname, e.valuename, e.type) for e in read.entries] == [tuple(e[:3]) for e in entries]
    assert ours.read_bytes() == theirs.read_bytes()
