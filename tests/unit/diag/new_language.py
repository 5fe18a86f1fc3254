#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""usage: new_language.py SOURCE

tools/diag-catalog begins a language in a copy of the catalogue; what is not translated is refused, what is, is not."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(sys.argv[1])


def main(top):
    for part in "lib/diag", "tools":
        shutil.copytree(SOURCE / part, top / part)
    (top / "doc").mkdir()
    shutil.copy(SOURCE / "doc/diagnose.md", top / "doc")
    pages = sorted((top / "lib/diag/catalogue").glob("*.txt"))

    def catalog(*words, code=0):
        done = subprocess.run([top / "tools/diag-catalog", *words], text=True, capture_output=True, check=False)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    catalog("new", "fr", code=1)
    catalog("new", "../", code=1)
    catalog("new", "de")
    assert "AE_DIAG_DE," in (top / "lib/diag/text.h").read_text() and '[AE_DIAG_DE] = "de",' in (top / "lib/diag/text.c").read_text()
    assert len(catalog("left", "de", code=1).splitlines()) > 1000
    assert "this is English" in catalog("c", top / "out.c", *pages, code=1)
    for page in pages:  # something else is said, with the same values
        page.write_text(re.sub(r"^(de[a-z0-9.-]*): (.*)$", r"\1: Gut. \2", page.read_text(), flags=re.M))
    assert catalog("left", "de") == ""
    catalog("c", top / "out.c", *pages)
    assert (top / "out.c").read_text().count('"Gut. ') > 1000


with tempfile.TemporaryDirectory() as name:
    main(pathlib.Path(name))
