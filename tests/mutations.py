#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Takes defences away, one at a time, and sees that their tests fail (tests/mutations.list, lib/base/breaks.h).

    mutations.py [--prefix test_|mutant_] DIRECTORY [NAME...]   test programs in DIRECTORY; those that are not there are
                                                                passed over with mutant_, and an error otherwise
    mutations.py --none BUILD                                   nothing of it is in the programs and libraries of BUILD
"""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
LIST = TOP / "tests/mutations.list"
SECONDS = 300  # for one test program
Mutation = collections.namedtuple("Mutation", "name what program tests")


def mutations():
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            name, what, program, tests = [cell.strip() for cell in line.split("|")]
            yield Mutation(name, what, program, tests.split())


def run(program, broken=None):
    """(exit code, names of tests that failed)."""
    env = {k: v for k, v in os.environ.items() if k != "AE_MUTATION"}
    if broken:
        env["AE_MUTATION"] = broken
    try:
        done = subprocess.run([program], env=env, capture_output=True, text=True, errors="replace", timeout=SECONDS,
                              cwd=program.parent, check=False)
    except subprocess.TimeoutExpired:
        return "a timeout", set()
    return done.returncode, set(re.findall(r"\[  FAILED  \] (\w+)$", done.stdout + done.stderr, re.M))


def try_all(directory, prefix, names):
    """Lines that say what is wrong."""
    wrong, baseline, tried = [], {}, 0
    for m in mutations():
        if names and m.name not in names:
            continue
        found = list(directory.rglob(prefix + m.program.replace("-", "_")))
        if not found:
            if prefix == "test_":
                wrong.append(f"{m.name}: there is no test program {m.program}")
            continue
        tried += 1
        program, begin = found[0], time.monotonic()
        if program not in baseline:
            baseline[program] = run(program)
        if baseline[program][0] != 0:
            wrong.append(f"{m.name}: {m.program} fails as it is: {baseline[program]}")
            continue
        code, failed = run(program, m.name)
        green = [t for t in m.tests if t not in failed]
        if code == 0 or green:
            wrong.append(f"{m.name}: without \"{m.what}\" {' '.join(green) or m.program} still passes (exit {code}, failed: "
                         f"{' '.join(sorted(failed)) or 'nothing'})")
        print(f"{'GREEN' if code == 0 or green else 'red  '} {m.name:24} {time.monotonic() - begin:5.1f} s  {' '.join(sorted(failed))}",
              flush=True)
    missing = set(names) - {m.name for m in mutations()}
    wrong += [f"there is no mutation {name}" for name in sorted(missing)]
    return wrong, tried


def none_in(build):
    """What is used has neither the variable's name nor one of the names."""
    marks = [b"AE_MUTATION", b"\0ae_break\0"] + [m.name.encode() + b"\0" for m in mutations() if m.name.startswith(("esc", "cve_"))]
    files = [f for f in build.rglob("*") if f.is_file() and f.parts[len(build.parts)] in ("prog", "lib") and
             (os.access(f, os.X_OK) or f.suffix in (".a", ".o", ".so")) and not f.is_symlink()]
    if not any(f.name == "certsrvd" for f in files):
        return ["there is no certsrvd"], 0
    return [f"{f}: has {mark.decode().strip(chr(0))}" for f in files for mark in marks if mark in f.read_bytes()], len(files)


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("--prefix", default="test_", choices=("test_", "mutant_"))
    p.add_argument("--none", action="store_true")
    p.add_argument("directory", type=pathlib.Path)
    p.add_argument("names", nargs="*")
    a = p.parse_args()
    if a.none:
        wrong, n = none_in(a.directory.resolve())
        print(f"{n} files, {len(wrong)} with traces of mutations")
    else:
        wrong, n = try_all(a.directory.resolve(), a.prefix, a.names)
        print(f"{n} defences taken away, {len(wrong)} not noticed: {'FAILED' if wrong or not n else 'passed'}")
    for line in wrong:
        print(line)
    return 1 if wrong or not n else 0


if __name__ == "__main__":
    sys.exit(main())
