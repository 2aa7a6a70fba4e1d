#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""Seeds of the targets typed_*: make_typed_seeds.py <relais>. The synthetic samples of deploy/samples, and what
relais makes of them; the first byte is the target's own (see fuzz_typed.c)."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
SAMPLES = HERE.parent.parent / "deploy" / "samples"
OF_FORMAT = {
    "insee-deces": ["DECES/deces-fictifs.txt"],
    "caf-contact-csv": ["CAF-contact/coordonnees-fictives.txt"],
    "certdc-xml": ["CERTDC/ER-FICTIF-0001_DD.xml"],
    "etatcivil-xml": ["ETATCIVIL/ActeEtatCivil-fictif.xml"],
    "recensement-xml": ["RECENSEMENTCITOYEN/RCO-fictif.xml"],
    "coordonnees-xml": ["JECHANGEDECOORDONNEES/jcc-fictif.xml"],
}
CSV = ("nomprenom;sexe;datenaiss;lieunaiss;commnaiss;paysnaiss;datedeces;lieudeces;actedeces;plus\n"
       "NULLEPART*HYPOTHESE/;1;19310000;2A004;\"L'\u00celE \"\"X\"\"\";;20260301;97411;1;=1\n")


def convert(relais, origin, target, path):
    return subprocess.run([relais, "convert", "-q", "--specimens", "-f", origin, "-t", target, path],
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def keep(name, kind, first, data):
    folder = HERE / "seeds" / ("typed_" + name.replace("-", "_"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / kind).write_bytes(bytes([first]) + data)


def main():
    relais = sys.argv[1]
    known = subprocess.run([relais, "convert", "--list"], check=True, capture_output=True,
                           text=True).stdout
    for name, paths in OF_FORMAT.items():
        if name not in known:
            continue
        for path in paths:
            sample = SAMPLES / path
            keep(name, "sample", 0x40, sample.read_bytes())
            for target in ("jsonl", "protobuf"):
                items = convert(relais, name, target, sample)
                keep(target, name, 0x40, items)
                if target == "jsonl":  # without the form: what writers do by themselves
                    keep(target, name + ".bare", 0x40, items.split(b"\n", 1)[1])
    keep("insee-deces-csv", "sample", 0x41, CSV.encode())
    keep("insee-deces-csv", "latin", 0xC2, CSV.replace(";", "\t").encode("iso-8859-1"))


if __name__ == "__main__":
    main()
