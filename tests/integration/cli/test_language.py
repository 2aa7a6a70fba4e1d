# SPDX-License-Identifier: EUPL-1.2
"""French: help, tables, refusals. What machines read stays as it is."""
import json
import os
import unittest

from bus import Bus

FRENCH = {"LANGUAGE": "fr", "RELAIS_LOCALEDIR": os.environ["RELAIS_CATALOGUES"]}


class Language(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.bus.init()

    def said(self, *words):
        result = self.bus.run(*words, env=FRENCH)
        return result.code, (result.out + result.err).replace("\u00a0", " ")

    def test_help(self):
        code, text = self.said("--help")
        self.assertEqual(code, 0)
        self.assertIn("Exemples :", text)
        self.assertIn("envoyer des fichiers", text)
        self.assertIn("Codes de retour", text)
        self.assertIn("le destinataire, membre/service", self.said("send", "--help")[1])

    def test_tables(self):
        text = self.said("member", "list")[1]
        self.assertIn("Membre", text)
        self.assertIn("Services", text)

    def test_columns_line_up_with_accents(self):
        self.bus.must("member", "add", "epci-1", "--kind", "epci", "--name", "Métropole éèà",
                      "--service", "accueil")
        lines = self.said("member", "list")[1].splitlines()
        columns = [line.index(word) for line, word in zip(lines, ("Services", "accueil", "desk"))]
        self.assertEqual(len(set(columns)), 1, lines)

    def test_refusals(self):
        code, text = self.said("member", "show", "personne")
        self.assertEqual(code, 3)
        self.assertIn("introuvable", text)
        self.assertIn("trouvé : « personne »", text)
        code, text = self.said("member", "add", "x", "--kind", "state", "--name", "X", "--siret",
                               "21760540300014")
        self.assertEqual(code, 2)
        self.assertIn("clé de contrôle", text)
        code, text = self.said("status", "--timeout", "1")
        self.assertEqual(code, 5)
        self.assertIn("le courtier est injoignable", text)

    def test_json_is_the_same_in_every_language(self):
        french = self.bus.must("member", "list", "-o", "json", env=FRENCH)
        english = self.bus.must("member", "list", "-o", "json")
        self.assertEqual(french.out, english.out)
        self.assertEqual(json.loads(french.out)[0]["slug"], "operator")


if __name__ == "__main__":
    unittest.main()
