# SPDX-License-Identifier: EUPL-1.2
"""Typed payloads over the bus: a file is converted, sent, received and converted back; and protobuf's own library
for Python reads the items, and JSON by its own mapping."""
import importlib
import os
import pathlib
import subprocess
import sys
import unittest

from google.protobuf import json_format

from bus import Bus

ROOT = pathlib.Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "deploy" / "samples"
MAILBOX = "commune-76540/etat-civil"
FILES = {
    "insee-deces": "DECES/deces-fictifs.txt",
    "caf-contact-csv": "CAF-contact/coordonnees-fictives.txt",
    "certdc-xml": "CERTDC/ER-FICTIF-0001_DD.xml",
    "etatcivil-xml": "ETATCIVIL/ActeEtatCivil-fictif.xml",
    "recensement-xml": "RECENSEMENTCITOYEN/RCO-fictif.xml",
    "coordonnees-xml": "JECHANGEDECOORDONNEES/jcc-fictif.xml",
}


def item_class(folder):
    """relais.flows.v1.Item, generated from proto/flows for this run."""
    sources = sorted(str(path) for path in (ROOT / "proto" / "flows").glob("*.proto"))
    subprocess.run(["protoc", f"--proto_path={ROOT / 'proto'}", f"--python_out={folder}", *sources],
                   check=True)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("flows.item_pb2").Item
    finally:
        sys.path.pop(0)


def delimited(data):
    """The items of a payload, each after its size as a varint."""
    at = 0
    while at < len(data):
        size = shift = 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield data[at:at + size]
        at += size


class TypedMessages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.bus.init()
        cls.bus.populate()
        cls.bus.start()
        cls.item = item_class(cls.bus.folder)

    def convert(self, origin, target, data):
        result = self.bus.run("convert", "-q", "--specimens", "-f", origin, "-t", target, "-",
                              stdin=data)
        self.assertEqual(result.code, 0, result)
        return result.bytes

    def test_over_the_bus(self):
        for name, sample in FILES.items():
            data = (SAMPLES / sample).read_bytes()
            payload = self.convert(name, "protobuf", data)
            path = self.bus.write("payload.pb", payload)
            self.bus.must("send", path, "--to", MAILBOX, "--flow", "ETATCIVIL", "-p",
                          self.bus.sender)
            received = self.bus.must("receive", MAILBOX, "--ack", "-n", "1", "-p",
                                     self.bus.receiver)
            self.assertEqual(received.bytes, payload)
            back = self.convert("protobuf", name, received.bytes)
            if "xml" not in name:
                self.assertEqual(back, data)
            self.assertEqual(self.convert(name, "protobuf", back), payload)

    def test_another_library_reads_it(self):
        for name, sample in FILES.items():
            data = (SAMPLES / sample).read_bytes()
            packed = list(delimited(self.convert(name, "protobuf", data)))
            lines = self.convert(name, "jsonl", data).decode().splitlines()
            self.assertEqual(len(packed), len(lines))
            written = b""
            for one, line in zip(packed, lines):
                item = self.item.FromString(one)
                self.assertEqual(json_format.Parse(line, self.item()), item)
                self.assertEqual(item.SerializeToString(), one)
                written += json_format.MessageToJson(
                    item, preserving_proto_field_name=True, indent=None).encode() + b"\n"
            self.assertEqual(self.convert("jsonl", "jsonl", written).decode().splitlines(), lines)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    unittest.main()
