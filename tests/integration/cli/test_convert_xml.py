# SPDX-License-Identifier: EUPL-1.2
"""relais convert on XML: documents made by a seed come back with the same elements, attributes, comments and
texts (canonical XML by another parser); hostile documents read no file, ask no network, take no time."""
import json
import os
import random
import re
import socket
import threading
import time
import unittest
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape, quoteattr

from bus import Bus

SAMPLES = os.environ["RELAIS_SAMPLES"]
SEEDS = int(os.environ.get("RELAIS_CONVERT_SEEDS", "40"))
FORMATS = {
    "certdc-xml": "CERTDC/ER-FICTIF-0001_DD.xml",
    "etatcivil-xml": "ETATCIVIL/ActeEtatCivil-fictif.xml",
    "recensement-xml": "RECENSEMENTCITOYEN/RCO-fictif.xml",
    "coordonnees-xml": "JECHANGEDECOORDONNEES/jcc-fictif.xml",
}
# Free text that may take any word, in each format.
FREE = ("Nom", "NomMedecin", "Ville", "Voie", "NomVoie", "Libelle", "nomFamille", "NomFamille")
WORDS = ("ÉTÉ", "L'HÉRITIER", "a < b & c > d", "]]>", "œ€", "\"quoted\"", "x", "Ÿ  z")


def canonical(data):
    return ElementTree.canonicalize(data.decode("utf-8") if isinstance(data, bytes) else data,
                                    with_comments=True, strip_text=True)


def parsed(data):
    """Canonical XML needs text: the declared encoding is undone first."""
    found = re.match(rb"<\?xml[^>]*encoding=[\"']([^\"']+)", data)
    text = data.decode(found.group(1).decode() if found else "utf-8")
    return canonical(re.sub(r"^<\?xml[^>]*\?>", "", text))


class Scribe:
    """Writes a tree with strange but legal spelling, and puts things in that no mapping knows."""

    def __init__(self, seed, encoding):
        self.random = random.Random(seed)
        self.encoding = encoding

    def text(self, words):
        if self.random.random() < 0.2 and "]]>" not in words and self.fits(words):
            return f"<![CDATA[{words}]]>"
        return "".join(c if self.fits(c) else f"&#{ord(c)};" for c in escape(words))

    def fits(self, words):
        try:
            words.encode(self.encoding)
            return True
        except UnicodeEncodeError:
            return False

    def stranger(self):
        words = self.text(self.random.choice(WORDS))
        return self.random.choice((
            f"<inconnu a='1' b=\"2\">{words}<i>mixed</i> text</inconnu>", "<!-- remarque -->",
            "<?relais keep?>", "<x:y xmlns:x='urn:x'/>", f"<vide>{words}</vide>"))

    def element(self, element):
        attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attrib.items())
        if self.random.random() < 0.05 and len(element):
            attributes += " autre='é'" if self.fits("é") else " autre='e'"
        blank = self.random.choice(("", "\n", "\n\t", "  ", "\r\n"))
        inside = ""
        for child in element:
            if self.random.random() < 0.08:
                inside += self.stranger()
            inside += blank + self.element(child)
        if not len(element):
            words = element.text or ""
            if element.tag in FREE and self.random.random() < 0.6:
                words = self.random.choice(WORDS)
            inside = self.text(words)
        elif self.random.random() < 0.2:
            inside += self.stranger()
        if not inside:
            return f"<{element.tag}{attributes}/>"
        return f"<{element.tag}{attributes}>{inside}{blank if len(element) else ''}</{element.tag}>"

    def document(self, root):
        quote = self.random.choice("\"'")
        beside = self.random.choice(("", "<!-- a -->", "<?b c?>\n<!-- d -->"))
        return (f"<?xml version={quote}1.0{quote} encoding={quote}{self.encoding}{quote}?>\n"
                f"{beside}{self.element(root)}\n{beside}").encode(self.encoding)


class ConvertXml(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)

    def convert(self, origin, target, data, *words):
        return self.bus.run("convert", "-q", "--specimens", "-f", origin, "-t", target, *words, "-",
                            stdin=data)

    def test_samples_come_back(self):
        for name, path in FORMATS.items():
            with open(os.path.join(SAMPLES, path), "rb") as file:
                data = file.read()
            items = self.convert(name, "protobuf", data)
            back = self.convert("protobuf", name, items.bytes)
            self.assertEqual(back.code, 0, back)
            self.assertEqual(parsed(back.bytes), parsed(data))

    def test_documents_of_a_seed_come_back(self):
        for seed in range(SEEDS):
            name, path = random.Random(seed).choice(sorted(FORMATS.items()))
            encoding = random.Random(seed).choice(("UTF-8", "ISO-8859-1", "ISO-8859-15",
                                                   "Windows-1252"))
            root = ElementTree.parse(os.path.join(SAMPLES, path)).getroot()
            data = Scribe(seed, encoding).document(root)
            with self.subTest(seed=seed, name=name, encoding=encoding):
                items = self.convert(name, "jsonl", data)
                self.assertEqual(items.code, 0, f"{data!r}\n{items}")
                back = self.convert("jsonl", name, items.bytes)
                self.assertEqual(back.code, 0, f"{data!r}\n{back}")
                self.assertEqual(parsed(back.bytes), parsed(data), f"{data!r}\n{back.bytes!r}")

    def test_what_is_read(self):
        with open(os.path.join(SAMPLES, FORMATS["certdc-xml"]), "rb") as file:
            items = self.convert("certdc-xml", "jsonl", file.read())
        form, record, end = [json.loads(line) for line in items.out.splitlines()]
        self.assertEqual(form["form"]["encoding"], "ENCODING_ISO_8859_1")
        self.assertEqual(record["death_declaration"]["deceased"]["given_names"], "Zoé Été")
        self.assertEqual(end, {"end": {"records": 1}})

    def test_hostile_documents(self):
        secret = self.bus.write("secret", b"SECRET")
        asked = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

            def listen():
                try:
                    asked.append(listener.accept())
                except OSError:
                    pass

            threading.Thread(target=listen, daemon=True).start()
            bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
            for head, body in (
                    (f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]>', "&x;"),
                    (f'<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1:{port}/">]>', "&x;"),
                    (f'<!DOCTYPE r SYSTEM "http://127.0.0.1:{port}/x.dtd">', ""),
                    (f'<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:{port}/">%p;]>', ""),
                    (f'<!DOCTYPE r [<!ENTITY e0 "ha">{bomb}]>', "&e9;"),
                    ("", "<a>" * 100000),
                    ("", f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{secret}"/>')):
                data = f"{head}<RecensementCitoyen>{body}</RecensementCitoyen>".encode()
                began = time.monotonic()
                result = self.convert("recensement-xml", "jsonl", data)
                self.assertLess(time.monotonic() - began, 20)
                self.assertEqual(result.code, 4, result)
                self.assertNotIn("SECRET", result.out + result.err)
        self.assertEqual(asked, [])

    def test_complaints(self):
        data = ("<RecensementCitoyen><Personne>\n<NomFamille>SECRETNAME</NomFamille>\n"
                "<DateNaissance>31/04/2010</DateNaissance>\n<Sexe>SECRETSEX</Sexe>\n"
                "</Personne></RecensementCitoyen>").encode()
        result = self.convert("recensement-xml", "jsonl", data, "--try", "-o", "json")
        self.assertEqual(result.code, 4)
        self.assertEqual([(one["code"], one["line"], one["field"])
                          for one in json.loads(result.out)["complaints"]],
                         [("date.day", 3, "Personne/DateNaissance"),
                          ("xml.order", 4, "Personne/Sexe"), ("code", 4, "Personne/Sexe")])
        self.assertNotIn("SECRET", json.dumps(json.loads(result.out)["complaints"]))


if __name__ == "__main__":
    unittest.main()
