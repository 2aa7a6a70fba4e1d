# SPDX-License-Identifier: EUPL-1.2
"""relais convert: there and back, try-it mode, refusals, exit codes, a large file in constant memory."""
import json
import os
import resource
import subprocess
import unittest

from bus import RELAIS, Bus

SAMPLES = os.environ["RELAIS_SAMPLES"]
DEATHS = os.path.join(SAMPLES, "DECES", "deces-fictifs.txt")
CONTACTS = os.path.join(SAMPLES, "CAF-contact", "coordonnees-fictives.txt")
TITLES = "nomprenom;sexe;datenaiss;lieunaiss;commnaiss;paysnaiss;datedeces;lieudeces;actedeces"
GOOD = "NULLEPART*HYPOTHESE/;1;19310000;2A004;AJACCIO;;20260301;97411;1"
BAD = "SECRETNAME*X/;1;19311399;2A004;AJACCIO;;20260301;97411;1"


class Convert(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)

    def convert(self, *words, **settings):
        return self.bus.run("convert", *words, **settings)

    def csv(self, *rows, name="deces.csv"):
        return self.bus.write(name, ("\n".join((TITLES,) + rows) + "\n").encode())

    def test_there_and_back(self):
        for origin, path in (("insee-deces", DEATHS), ("caf-contact-csv", CONTACTS)):
            with open(path, "rb") as file:
                data = file.read()
            for through in ("jsonl", "protobuf"):
                there = self.convert("-f", origin, "-t", through, "--specimens", path)
                self.assertEqual(there.code, 0, there)
                back = self.convert("-f", through, "-t", origin, "--specimens", "-",
                                    stdin=there.bytes)
                self.assertEqual((back.code, back.bytes), (0, data), back)

    def test_from_one_format_to_another(self):
        csv = self.convert("-f", "insee-deces", "-t", "insee-deces-csv", "--specimens", DEATHS)
        self.assertEqual(csv.out.splitlines()[0], TITLES)
        with open(DEATHS, "rb") as file:
            back = self.convert("-f", "insee-deces-csv", "-t", "insee-deces", "--specimens", "-",
                                stdin=csv.bytes)
            self.assertEqual(back.bytes, file.read())

    def test_fictitious_people_are_refused_unless_asked_for(self):
        self.assertEqual(self.convert("-f", "insee-deces", "--try", DEATHS).code, 4)

    def test_try_shows_all_and_writes_nothing(self):
        path = self.csv(GOOD, BAD, "x")
        tried = self.convert("-f", "insee-deces-csv", "--try", "-o", "json", path)
        self.assertEqual(tried.code, 4, tried)
        report = json.loads(tried.out)
        self.assertEqual(report["summary"], {"records": 3, "written": 1, "refused": 2,
                                             "errors": 2, "warnings": 0})
        first, second = report["complaints"]
        self.assertEqual((first["code"], first["line"], first["column"], first["field"]),
                         ("date.month", 3, 17, "datenaiss"))
        self.assertEqual((second["code"], second["line"], second["detail"]), ("csv.cells", 4, "9"))
        records = [seen for seen in report["read"] if "death_record" in seen["item"]]
        self.assertEqual([seen["refused"] for seen in records], [False, True])
        self.assertEqual(records[0]["item"]["death_record"]["birth_date"], {"year": 1931})
        lines = [json.loads(line) for line in
                 self.convert("-f", "insee-deces-csv", "--try", "-o", "jsonl",
                              path).out.splitlines()]
        self.assertEqual([list(line)[0] for line in lines],
                         ["read", "read", "complaint", "read", "complaint", "summary"])
        text = self.convert("-f", "insee-deces-csv", "--try", path)
        self.assertIn("1931-??-??", text.out)
        self.assertIn("deces.csv:3:17: datenaiss: ", text.err)

    def test_complaints_hold_no_values(self):
        path = self.csv(BAD)
        for words in ((), ("-o", "json"), ("-o", "jsonl")):
            result = self.convert("-f", "insee-deces-csv", "-t", "protobuf", *words, path)
            self.assertEqual(result.code, 4)
            self.assertIn("date.month", result.err)
            self.assertNotIn("SECRET", result.err)

    def test_a_file_is_whole_or_not_there(self):
        out = self.bus.path("out.pb")
        path = self.csv(GOOD, BAD, GOOD)
        self.assertEqual(self.convert("-f", "insee-deces-csv", "-t", "protobuf", "--out", out,
                                      path).code, 4)
        self.assertEqual(os.listdir(self.bus.folder), ["deces.csv"])
        partly = self.convert("-f", "insee-deces-csv", "-t", "protobuf", "--out", out, "-k",
                              "-o", "json", path)
        self.assertEqual(partly.code, 6)
        self.assertEqual(json.loads(partly.out)["summary"]["written"], 2)
        self.assertEqual(os.stat(out).st_mode & 0o777, 0o600)
        back = self.convert("-f", "protobuf", "-t", "insee-deces-csv", out)
        self.assertEqual(back.out.splitlines(), [TITLES, GOOD, GOOD])

    def test_codes_of_wrong_command_lines(self):
        path = self.csv(GOOD)
        for words, code in ((("-t", "jsonl", path), 2), (("-f", "nope", "-t", "jsonl", path), 2),
                            (("-f", "jsonl", path), 2), (("-f", "jsonl", "-t", "jsonl"), 2),
                            (("-f", "insee-deces", "-t", "jsonl", "--encoding", "UTF-7", path), 2),
                            (("-f", "insee-deces-csv", "-t", "jsonl", "--separator", "x", path), 2),
                            (("-f", "insee-deces-csv", "-t", "jsonl", "--title", "x", path), 2),
                            (("-f", "jsonl", "-t", "jsonl", "--encoding", "utf-8", path), 2),
                            (("-f", "insee-deces-csv", "-t", "jsonl", "--out",
                              "/nowhere/x", path), 3),
                            (("-f", "insee-deces-csv", "-t", "jsonl", "missing.csv"), 3)):
            self.assertEqual(self.convert(*words).code, code, words)

    def test_encodings(self):
        row = GOOD.replace("AJACCIO", "ŒUVRÉ")
        latin = self.bus.write("latin.csv", f"{TITLES}\n{row}\n".encode("iso-8859-15"))
        guessed = self.convert("-f", "insee-deces-csv", "-t", "jsonl", latin)
        self.assertIn("encoding.guessed", guessed.err)
        said = self.convert("-f", "insee-deces-csv", "-t", "insee-deces-csv", "--encoding",
                            "iso-8859-15", "--to-encoding", "utf-8", latin)
        self.assertEqual(said.out, f"{TITLES}\n{row}\n", said)

    def test_titles_of_its_own(self):
        data = "Nom;Sexe;Né le;Décédé le\nX*Y/;1;19310223;20260301\n".encode()
        there = self.convert("-f", "insee-deces-csv", "-t", "jsonl", "--title", "Nom=nomprenom",
                             "--title", "Sexe=sexe", "--title", "Né le=datenaiss", "--title",
                             "Décédé le=datedeces", "-", stdin=data)
        self.assertEqual(there.code, 0, there)
        self.assertEqual(json.loads(there.out.splitlines()[1])["death_record"]["sex"], "SEX_MALE")
        back = self.convert("-f", "jsonl", "-t", "insee-deces-csv", "-", stdin=there.bytes)
        self.assertEqual(back.bytes, data)
        near = self.convert("-f", "insee-deces-csv", "-t", "jsonl", "-", stdin=data)
        self.assertEqual(near.code, 4)
        self.assertIn("sexe: ", near.err)
        self.assertIn("column: 2 [csv.title-near]", near.err)

    def test_a_killed_conversion_leaves_nothing(self):
        with subprocess.Popen([RELAIS, "convert", "-f", "insee-deces-csv", "-t", "protobuf",
                               "--out", self.bus.path("out.pb"), "-"], stdin=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            process.stdin.write((TITLES + "\n" + (GOOD + "\n") * 20000).encode())
            process.stdin.flush()
            process.kill()
        self.assertEqual(os.listdir(self.bus.folder), [])

    def test_list_and_completion(self):
        names = [row["format"] for row in
                 json.loads(self.bus.must("convert", "--list", "-o", "json").out)]
        self.assertIn("insee-deces", names)
        offered = self.bus.must("__complete", "convert", "--from", "insee").out.split()
        self.assertEqual(offered, ["insee-deces", "insee-deces-csv"])

    def test_memory_is_constant(self):
        """A file of some MiB from a pipe, within an address space that could not hold it."""
        mib = int(os.environ.get("RELAIS_CONVERT_MIB", "64"))
        if os.environ.get("RELAIS_SANITIZED"):
            self.skipTest("sanitizers take address space of their own")
        rows = (GOOD + "\n") * 16384
        count = mib * 1024 * 1024 // len(rows) + 1

        def limit():
            resource.setrlimit(resource.RLIMIT_DATA, (24 << 20, 24 << 20))

        with subprocess.Popen([RELAIS, "convert", "-f", "insee-deces-csv", "-t", "protobuf", "-"],
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, preexec_fn=limit) as process:
            process.stdin.write((TITLES + "\n").encode())
            for _ in range(count):
                process.stdin.write(rows.encode())
            process.stdin.close()
            said = process.stderr.read().decode()
            self.assertEqual(process.wait(), 0, said)
        self.assertIn(str(count * 16384), said)


if __name__ == "__main__":
    unittest.main()
