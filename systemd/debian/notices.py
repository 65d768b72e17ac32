#!/usr/bin/env python3
"""Prints the notices of everything that is compiled into the program.

The crates are those of Cargo.lock that `cargo tree` finds below the program on this machine, without
those of tests and builds; their licence files are read from where cargo has unpacked them.
"""

import json
import pathlib
import re
import subprocess

NAMES = re.compile(r"(licen[cs]e|copying|notice|unlicense)", re.IGNORECASE)


def cargo(*words):
    return subprocess.run(("cargo", *words), check=True, capture_output=True, text=True).stdout


def compiled():
    """Names and versions of the crates in the program."""
    lines = cargo("tree", "--locked", "-e", "normal", "--prefix", "none", "-f", "{p}").splitlines()
    return {tuple(line.replace(" v", " ").split()[:2]) for line in lines if line.strip()}


def notices_of(folder):
    """The licence files of a crate, those of the sources that it brings along among them."""
    files = [f for f in folder.rglob("*") if f.is_file() and NAMES.match(f.name)]
    files = [f for f in files if f.suffix not in (".rs", ".c", ".h", ".cpp", ".hpp")]
    return [(f.relative_to(folder), f.read_text(errors="replace").strip()) for f in sorted(files)]


def main():
    wanted = compiled()
    metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1"))
    # zmq-sys compiles the sources that zeromq-src brings.
    wanted |= {(p["name"], p["version"]) for p in metadata["packages"] if p["name"] == "zeromq-src"}
    seen = {}
    for package in sorted(metadata["packages"], key=lambda p: (p["name"], p["version"])):
        if (package["name"], package["version"]) not in wanted or package["name"] == "litegate":
            continue
        print("=" * 78)
        licence = package["license"] or f"see {package['license_file']}"
        print(f"{package['name']} {package['version']}: {licence}")
        print(package["repository"] or "")
        for name, text in notices_of(pathlib.Path(package["manifest_path"]).parent):
            first = seen.setdefault(text, f"{package['name']} {package['version']}, {name}")
            if first == f"{package['name']} {package['version']}, {name}":
                print(f"\n--- {name} ---\n\n{text}\n")
            else:
                print(f"--- {name}: the same text as {first}")
    print("=" * 78)
    print("SQLite (in libsqlite3-sys): in the public domain")


main()
