# SPDX-License-Identifier: EUPL-1.2
"""init, key, member, client and flow: what they make, and each thing that they refuse."""
import json
import os
import re
import stat
import unittest

from bus import Bus


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Home(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)

    def refused(self, code, *words, says=(), **settings):
        result = self.bus.run(*words, **settings)
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.out, "", result)
        for text in says:
            self.assertIn(text, result.err)
        return result

    def test_init_makes_a_whole_home(self):
        self.bus.init()
        for name in ("relaisd.yaml", "keys/broker.key", "keys/broker.key.pub",
                     "members/operator.yaml", "operator/client.yaml", "operator/client.key",
                     "flows"):
            self.assertTrue(os.path.exists(os.path.join(self.bus.home, name)), name)
        self.assertEqual(mode(os.path.join(self.bus.home, "keys/broker.key")), 0o600)
        self.assertEqual(mode(os.path.join(self.bus.home, "operator/client.key")), 0o600)
        clients = json.loads(self.bus.must("client", "list", "-o", "json").out)
        self.assertEqual(clients[0]["member"], "operator")
        self.assertEqual(sorted(clients[0]["roles"]), ["operate", "receive", "send"])

    def test_init_prints_what_it_made(self):
        result = self.bus.must("init", self.bus.home, "-o", "json")
        about = json.loads(result.out)
        self.assertEqual(about["listen"], "tcp://127.0.0.1:5770")
        shown = self.bus.must("key", "show", os.path.join(self.bus.home, "keys/broker.key.pub"))
        self.assertEqual(shown.out.strip(), about["broker_key"])

    def test_init_of_all_addresses_gives_a_profile_that_connects(self):
        self.bus.must("init", self.bus.home, "--listen", "tcp://*:5771")
        with open(os.path.join(self.bus.home, "operator/client.yaml"), encoding="utf-8") as file:
            self.assertIn("tcp://127.0.0.1:5771", file.read())

    def test_init_touches_nothing_that_exists(self):
        os.mkdir(self.bus.home)
        self.bus.write("bus/precious", b"x")
        self.refused(1, "init", self.bus.home, says=["exists already", self.bus.home])
        self.assertEqual(os.listdir(self.bus.home), ["precious"])

    def test_init_refuses_a_listen_that_cannot_be(self):
        for listen in ("5770", "tcp://127.0.0.1", "tcp://127.0.0.1:0", "tcp://127.0.0.1:65536",
                       "ipc:///tmp/x", "tcp://a'b:1"):
            self.refused(2, "init", self.bus.home, "--listen", listen, says=["--listen", listen])
        self.assertFalse(os.path.exists(self.bus.home))

    def test_without_a_home_the_message_says_where_to_look(self):
        self.refused(3, "member", "list", says=["relaisd.yaml"])
        self.refused(3, "member", "list", env={"RELAIS_HOME": ""}, says=["--home"])

    def test_home_by_option_variable_or_folder(self):
        self.bus.init()
        self.bus.must("member", "list", "--home", self.bus.home, env={"RELAIS_HOME": "/nowhere"})
        self.bus.must("member", "list")
        self.bus.must("member", "list", env={"RELAIS_HOME": ""}, cwd=self.bus.home)

    def test_a_home_with_other_folders_is_followed(self):
        self.bus.init()
        config = os.path.join(self.bus.home, "relaisd.yaml")
        with open(config, encoding="utf-8") as file:
            text = file.read().replace("members: members", "members: elsewhere")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        os.mkdir(os.path.join(self.bus.home, "elsewhere"))
        self.bus.must("member", "add", "dila", "--kind", "state", "--name", "DILA")
        self.assertTrue(os.path.exists(os.path.join(self.bus.home, "elsewhere/dila.yaml")))

    def test_keys_are_made_shown_and_never_overwritten(self):
        path = self.bus.path("a.key")
        made = self.bus.must("key", "new", path)
        self.assertRegex(made.out, r"^\S{40}\n$")
        self.assertEqual(mode(path), 0o600)
        self.assertEqual(self.bus.must("key", "show", path).out, made.out)
        self.assertEqual(self.bus.must("key", "show", path + ".pub").out, made.out)
        as_json = json.loads(self.bus.must("key", "show", path, "-o", "json").out)
        self.assertEqual(as_json["public_key"], made.out.strip())
        self.refused(1, "key", "new", path, says=["exists already", path])
        with open(path, encoding="utf-8") as file:
            secret = [line.split(": ")[1].strip() for line in file if "secret" in line][0]
        self.assertNotIn(secret, made.out + made.err)

    def test_key_files_that_are_none(self):
        self.refused(3, "key", "show", self.bus.path("nothing"), says=["nothing"])
        self.refused(1, "key", "show", self.bus.write("junk", b"hello\n"), says=["junk"])
        self.refused(1, "key", "new", "/proc/sys/x.key", says=["/proc/sys/x.key"])

    def test_members_come_back_as_they_went_in(self):
        self.bus.init()
        self.bus.populate()
        rouen = json.loads(self.bus.must("member", "show", "commune-76540", "-o", "json").out)
        self.assertEqual(rouen["name"], "Ville de Rouen")
        self.assertEqual(rouen["siret"], "21760540300013")
        self.assertEqual(rouen["services"], ["etat-civil", "accueil"])
        lines = self.bus.must("member", "list", "-o", "jsonl").out.splitlines()
        self.assertEqual([json.loads(line)["slug"] for line in lines],
                         ["commune-76540", "dila", "operator"])
        table = self.bus.must("member", "list").out.splitlines()
        self.assertEqual(len(table), 4)
        self.assertIn("Ville de Rouen", table[1])

    def test_member_add_refuses_what_is_wrong(self):
        self.bus.init()
        add = ("member", "add")
        good = ("--kind", "commune", "--name", "X")
        self.refused(2, *add, "x", "--name", "X", says=["--kind"])
        self.refused(2, *add, "x", "--kind", "ville", "--name", "X", says=["ville", "commune"])
        self.refused(2, *add, "x", "--kind", "commune", says=["--name"])
        self.refused(2, *add, says=["SLUG"])
        self.refused(2, *add, "a", "b", *good, says=["b"])
        self.refused(2, *add, "Not-A-Slug", *good, says=["Not-A-Slug"])
        self.refused(2, *add, "../x", *good, says=["../x"])
        self.refused(2, *add, "x", *good, "--siret", "21760540300014", says=["21760540300014"])
        self.refused(2, *add, "x", *good, "--siret", "123", says=["123"])
        self.refused(2, *add, "x", *good, "--insee", "7654", says=["7654"])
        self.refused(2, *add, "x", *good, "--service", "Etat Civil", says=["Etat Civil"])
        self.bus.must(*add, "x", *good)
        self.refused(1, *add, "x", *good, says=["exists already", "x"])
        self.refused(3, "member", "show", "nobody", says=["nobody", "member list"])

    def test_a_damaged_member_file_is_named_and_the_rest_shown(self):
        self.bus.init()
        self.bus.write("bus/members/bad.yaml", b"slug: bad\nname: [\n")
        result = self.bus.run("member", "list", "-o", "json")
        self.assertEqual(result.code, 1, result)
        self.assertIn("bad.yaml", result.err)
        self.assertEqual([row["slug"] for row in json.loads(result.out)], ["operator"])

    def test_client_add_new_makes_a_ready_profile(self):
        self.bus.init()
        self.bus.populate()
        self.assertEqual(mode(self.bus.path("rouen", "client.key")), 0o600)
        with open(self.bus.receiver, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(f"tcp://127.0.0.1:{self.bus.port}", text)
        self.assertIn("commune-76540", text)

    def test_client_add_key_prints_the_profile_to_send_back(self):
        self.bus.init()
        self.bus.populate()
        key = self.bus.must("key", "new", self.bus.path("own.key")).out.strip()
        result = self.bus.must("client", "add", "dila", "own", "--role", "send", "--key",
                               self.bus.path("own.key.pub"), "--broker", "tcp://bus.example.fr:5770")
        self.assertIn("tcp://bus.example.fr:5770", result.out)
        self.assertIn("member: dila", result.out)
        clients = json.loads(self.bus.must("client", "list", "-o", "json").out)
        mine = [row for row in clients if row["client"] == "own"][0]
        self.assertEqual((mine["key"], mine["roles"]), (key, ["send"]))
        # A printed profile is a profile.
        self.bus.write("client.yaml", result.out.encode())
        os.rename(self.bus.path("own.key"), self.bus.path("client.key"))
        tried = self.bus.run("status", "-p", self.bus.path("client.yaml"), "--timeout", "1")
        self.assertEqual(tried.code, 5, tried)

    def test_client_remove_withdraws_a_key(self):
        self.bus.init()
        self.bus.populate()
        gone = json.loads(self.bus.must("client", "remove", "dila", "api", "-o", "json").out)
        self.assertEqual((gone["member"], gone["client"]), ("dila", "api"))
        left = json.loads(self.bus.must("client", "list", "-o", "json").out)
        self.assertEqual(sorted(row["client"] for row in left), ["cli", "files"])
        self.refused(3, "client", "remove", "dila", "api", says=["api", "client list"])
        self.refused(3, "client", "remove", "nobody", "api", says=["nobody"])

    def test_client_add_refuses_what_is_wrong(self):
        self.bus.init()
        self.bus.populate()
        new = ("--new", self.bus.path("new"))
        add = ("client", "add")
        self.refused(3, *add, "nobody", "x", "--role", "send", *new, says=["nobody"])
        self.refused(2, *add, "dila", "x", *new, says=["--role"])
        self.refused(2, *add, "dila", "x", "--role", "read", *new, says=["read", "receive"])
        self.refused(2, *add, "dila", "x", "--role", "send", says=["--key", "--new"])
        self.refused(2, *add, "dila", "X Y", "--role", "send", *new, says=["X Y"])
        self.refused(1, *add, "dila", "api", "--role", "send", *new, says=["api"])
        self.refused(3, *add, "dila", "x", "--role", "send", "--key", self.bus.path("none.pub"),
                     says=["none.pub"])
        self.refused(1, *add, "dila", "x", "--role", "send", "--key",
                     self.bus.path("rouen", "client.key.pub"), says=["commune-76540"])
        self.refused(1, *add, "dila", "x", "--role", "send", "--new", self.bus.path("rouen"),
                     says=["exists already"])
        self.assertFalse(os.path.exists(self.bus.path("new")))
        names = [row["client"] for row in json.loads(self.bus.must("client", "list", "-o", "json").out)]
        self.assertEqual(sorted(names), ["api", "cli", "files"])

    def test_flows_come_back_as_they_went_in(self):
        self.bus.init()
        self.bus.populate()
        flow = json.loads(self.bus.must("flow", "show", "ETATCIVIL", "-o", "json").out)
        self.assertEqual(flow["title"], "Acte d'état civil")
        self.assertEqual(flow["senders"], ["dila"])
        self.assertEqual(flow["receivers"], ["kind:commune"])
        self.assertIsNone(flow["payload_max"])
        self.bus.must("flow", "add", "X", "--title", "T", "--purpose", "P", "--legal-basis", "L",
                      "--sender", "*", "--receiver", "dila", "--receiver", "kind:epci",
                      "--payload-max", "2048")
        rows = json.loads(self.bus.must("flow", "list", "-o", "json").out)
        self.assertEqual([row["code"] for row in rows], ["ETATCIVIL", "X"])
        self.assertEqual(rows[1]["payload_max"], 2048)
        self.assertEqual(rows[1]["receivers"], ["dila", "kind:epci"])

    def test_flow_add_refuses_what_is_wrong(self):
        self.bus.init()
        self.bus.populate()
        base = {"--title": "T", "--purpose": "P", "--legal-basis": "L", "--sender": "dila",
                "--receiver": "*"}

        def words(code="Y", **change):
            merged = {**base, **{"--" + k.replace("_", "-"): v for k, v in change.items()}}
            return ["flow", "add", code] + [w for k, v in merged.items() if v for w in (k, v)]

        for name in base:
            key = name[2:].replace("-", "_")
            self.refused(2, *words(**{key: None}), says=[name])
        self.refused(3, *words(sender="dilaa"), says=["--sender", "dilaa", "member list"])
        self.refused(3, *words(receiver="nobody"), says=["--receiver", "nobody"])
        self.refused(2, *words(sender="kind:ville"), says=["kind:ville"])
        self.refused(2, *words(code="A B"), says=["A B"])
        self.refused(2, *words(payload_max="1MB"), says=["--payload-max", "1MB"])
        self.refused(1, *words(code="ETATCIVIL"), says=["exists already"])
        self.refused(3, "flow", "show", "NOPE", says=["NOPE"])

    def test_a_folder_that_cannot_be_written_is_named(self):
        self.bus.init()
        config = os.path.join(self.bus.home, "relaisd.yaml")
        with open(config, encoding="utf-8") as file:
            text = file.read().replace("members: members", "members: /proc/sys")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        self.refused(1, "member", "add", "x", "--kind", "state", "--name", "X",
                     says=["/proc/sys"])


class Line(unittest.TestCase):
    """The command line itself."""

    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)

    def test_help_begins_with_examples(self):
        for words in (["--help"], ["send", "--help"], ["member", "add", "-h"]):
            result = self.bus.must(*words)
            self.assertLess(result.out.index("Examples:"), result.out.index("ptions"))
        self.assertIn("Exit codes", self.bus.must("--help").out)

    def test_help_stays_within_eighty_columns(self):
        for words in ([], ["send"], ["receive"], ["client", "add"], ["flow", "add"]):
            for line in self.bus.must(*words, "--help").out.splitlines():
                self.assertLessEqual(len(line), 85 if line.startswith("  relais") else 80, line)

    def test_the_page_names_every_command_and_option(self):
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/cli.md")
        with open(page, encoding="utf-8") as file:
            text = " ".join(file.read().split())
        commands = self.bus.must("--help").out.split("help):\n")[1].split("\n\n")[0]
        names = [re.match(r"  ([a-z]+( [a-z]+)?)  ", line) for line in commands.splitlines()]
        names = [name.group(1) for name in names if name]
        self.assertGreater(len(names), 10)
        for name in names:
            self.assertIn("relais " + name, text)
            for option in re.findall(r" (--[a-z-]+)", self.bus.must(*name.split(), "--help").out):
                self.assertIn(option, text, name)

    def test_version(self):
        self.assertRegex(self.bus.must("--version").out, r"^relais \d+\.\d+\.\d+\n$")

    def test_wrong_lines_are_usage(self):
        for words, said in ((["nope"], "nope"), (["member"], "member add"),
                            (["member", "nope"], "member add"), ([], "Commands"),
                            (["queues", "--nope"], "--nope"), (["-o", "xml", "queues"], "xml"),
                            (["queues", "--color", "red"], "red"), (["queues", "-o"], "-o"),
                            (["queues", "x"], "x"), (["send", "f"], "--to"),
                            (["send", "f", "--to", "x"], "\"x\""),
                            (["send", "f", "--to", "a/b"], "--flow"),
                            (["send", "f", "g", "--to", "a/b", "--flow", "X", "--id", "1"], "--id"),
                            (["receive", "x"], "\"x\""), (["receive", "a/b", "--follow"], "--ack"),
                            (["receive", "a/b", "-n", "0"], "\"0\""),
                            (["status", "--timeout", "0"], "\"0\"")):
            result = self.bus.run(*words)
            self.assertEqual(result.code, 2, f"{words} {result}")
            self.assertEqual(result.out, "")
            self.assertIn(said, result.err, f"{words}")

    def test_colour_is_for_terminals_or_on_request(self):
        self.bus.init()
        self.assertNotIn("\033[", self.bus.must("member", "list").out)
        self.assertIn("\033[1m", self.bus.must("member", "list", "--color", "always").out)
        self.assertNotIn("\033[", self.bus.must("member", "list", "--color", "never").out)

    def test_no_color_is_respected_on_a_terminal(self):
        self.bus.init()
        self.assertIn(b"\033[1m", self.on_terminal({}))
        self.assertNotIn(b"\033[", self.on_terminal({"NO_COLOR": "1"}))
        self.assertNotIn(b"\033[", self.on_terminal({"TERM": "dumb"}))

    def on_terminal(self, env):
        """What `member list` prints when stdout is a terminal."""
        import pty
        import subprocess
        from bus import RELAIS
        main, child = pty.openpty()
        settings = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm",
                    "RELAIS_HOME": self.bus.home, **env}
        subprocess.run([RELAIS, "member", "list"], stdout=child, env=settings, check=True)
        os.close(child)
        said = os.read(main, 65536)
        os.close(main)
        return said

    def test_a_full_stdout_is_a_failure(self):
        self.bus.init()
        import subprocess
        from bus import RELAIS
        with open("/dev/full", "wb") as full:
            process = subprocess.run([RELAIS, "member", "list"], stdout=full,
                                     stderr=subprocess.PIPE, check=False,
                                     env={"RELAIS_HOME": self.bus.home})
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"stdout", process.stderr)

    def test_completion_knows_commands_options_and_names(self):
        self.bus.init()
        self.bus.populate()

        def offers(*words):
            return self.bus.must("__complete", *words).out.split()

        self.assertIn("send", offers(""))
        self.assertEqual(offers("sen"), ["send"])
        self.assertEqual(offers("member", ""), ["add", "list", "show", "subscribe", "unsubscribe",
                                                "usage"])
        self.assertEqual(offers("-o", "json", "flow", "s"), ["show"])
        self.assertEqual(offers("send", "--fl"), ["--flow"])
        self.assertEqual(offers("send", "x", "--flow", ""), ["ETATCIVIL"])
        self.assertEqual(offers("send", "x", "--to", "commune"),
                         ["commune-76540/etat-civil", "commune-76540/accueil"])
        self.assertEqual(offers("member", "show", "d"), ["dila"])
        self.assertEqual(offers("send", ""), [":file"])
        self.assertEqual(offers("receive", "a/b", "--to-folder", ""), [":folder"])
        self.assertEqual(offers("client", "add", "dila", "x", "--role", "s"), ["send"])
        self.assertEqual(offers("queues", "-o", "json"), ["json", "jsonl"])


if __name__ == "__main__":
    unittest.main()
