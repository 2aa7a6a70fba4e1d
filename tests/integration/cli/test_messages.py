# SPDX-License-Identifier: EUPL-1.2
"""send, receive, queues, status against a real broker."""
import base64
import json
import os
import pty
import shutil
import signal
import subprocess
import time
import unittest

from bus import RELAIS, SANITIZERS, Bus

ROUEN = "commune-76540/etat-civil"


class Messages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        cls.bus.init()
        cls.bus.populate()
        cls.bus.start()

    def setUp(self):
        self.bus.run("receive", ROUEN, "-p", self.bus.receiver, "--ack", "--timeout", "1")

    def send(self, *files, flow="ETATCIVIL", to=ROUEN, more=(), **settings):
        return self.bus.run("send", *files, "--to", to, "--flow", flow, "-p", self.bus.sender,
                            *more, **settings)

    def receive(self, *words, address=ROUEN, **settings):
        return self.bus.run("receive", address, "-p", self.bus.receiver, *words, **settings)

    def test_a_file_arrives_with_its_metadata(self):
        data = os.urandom(200000)
        path = self.bus.write("acte.xml", data)
        os.utime(path, (1700000000, 1700000000))
        sent = self.send(path, more=["-o", "json", "--from", "dila/accueil"])
        self.assertEqual(sent.code, 0, sent)
        outcome = json.loads(sent.out)
        self.assertEqual((outcome["outcome"], outcome["size"]), ("accepted", len(data)))
        got = self.receive("--ack", "-n", "1", "-o", "json")
        self.assertEqual(got.code, 0, got)
        message = json.loads(got.out)
        self.assertEqual(base64.b64decode(message["payload"]), data)
        self.assertEqual(message["id"], outcome["id"])
        self.assertEqual(message["type"], "fr.relais.file")
        self.assertEqual(message["datacontenttype"], "application/xml")
        self.assertEqual(message["to"], [ROUEN])
        self.assertEqual(message["from"], "dila/accueil")
        self.assertEqual(message["flow"], "ETATCIVIL")
        self.assertEqual(message["attempt"], 1)
        self.assertEqual(message["extensions"]["filename"], "acte.xml")
        self.assertEqual(message["extensions"]["filetime"], "2023-11-14T22:13:20.000Z")

    def test_payload_goes_to_stdout_byte_for_byte(self):
        data = bytes(range(256)) * 10
        self.assertEqual(self.send("-", stdin=data).code, 0)
        got = self.receive("--ack", "-n", "1")
        self.assertEqual((got.code, got.bytes), (0, data))

    def test_without_ack_the_message_stays(self):
        self.send(self.bus.write("a.txt", b"hello"))
        self.assertEqual(self.receive("-n", "1").out, "hello")
        self.assertEqual(self.receive("-n", "1").out, "hello")
        self.assertEqual(self.receive("-n", "1", "--ack").out, "hello")
        empty = self.receive("--timeout", "1")
        self.assertEqual((empty.code, empty.out), (0, ""))
        self.assertIn("no message", empty.err)
        self.assertEqual(self.receive("-n", "1", "--timeout", "1").code, 5)

    def test_looking_wears_nothing_out(self):
        self.send("-", stdin=b"patient")
        for _ in range(12):  # more often than the broker tries to deliver
            seen = json.loads(self.receive("-n", "1", "-o", "json").out)
            self.assertEqual(seen["attempt"], 1)
        self.assertEqual(self.receive("-n", "1", "--ack").out, "patient")

    def test_a_look_shows_each_message_once(self):
        for i in range(5):
            self.send("-", stdin=b"%d" % i)
        seen = self.receive("-o", "jsonl", "--timeout", "1")
        self.assertEqual(len({json.loads(line)["id"] for line in seen.out.splitlines()}), 5)
        self.assertEqual(len(seen.out.splitlines()), 5)
        some = self.receive("-n", "9", "--timeout", "1", "-q")
        self.assertEqual((some.code, some.err), (6, ""))

    def test_many_files_into_a_folder(self):
        source = self.bus.path("out")
        target = self.bus.path("in")
        os.mkdir(source)
        os.mkdir(target)
        self.addCleanup(shutil.rmtree, source)
        self.addCleanup(shutil.rmtree, target)
        names = [f"f{i}.bin" for i in range(300)]
        for i, name in enumerate(names):
            with open(os.path.join(source, name), "wb") as file:
                file.write(os.urandom(i * 37))
        sent = self.send(*[os.path.join(source, name) for name in names])
        self.assertEqual(sent.code, 0, sent)
        self.assertEqual(len(sent.out.splitlines()), 300)
        self.assertIn("300 accepted, 0 failed", sent.err)
        got = self.receive("--to-folder", target, "--ack", "-n", "300")
        self.assertEqual(got.code, 0, got)
        self.assertEqual(sorted(os.listdir(target)), sorted(names))
        for name in names:
            with open(os.path.join(source, name), "rb") as a, \
                    open(os.path.join(target, name), "rb") as b:
                self.assertEqual(a.read(), b.read(), name)
        self.assertEqual(self.receive("--timeout", "1").out, "")

    def test_nothing_in_the_folder_is_overwritten(self):
        target = self.bus.path("keep")
        os.mkdir(target)
        self.addCleanup(shutil.rmtree, target)
        self.bus.write("keep/a.txt", b"mine")
        self.send(self.bus.write("a.txt", b"theirs"))
        got = self.receive("-d", target, "--ack", "-n", "1", "-o", "json")
        self.assertEqual(json.loads(got.out)["path"], os.path.join(target, "a-2.txt"))
        with open(os.path.join(target, "a.txt"), "rb") as file:
            self.assertEqual(file.read(), b"mine")

    def test_a_repeated_id_is_stored_once(self):
        path = self.bus.write("once.txt", b"once")
        for _ in range(2):
            self.assertEqual(self.send(path, more=["--id", "only-one"]).code, 0)
        got = self.receive("--ack", "-o", "jsonl", "--timeout", "1")
        self.assertEqual(len(got.out.splitlines()), 1, got)

    def test_refusals_of_the_bus(self):
        path = self.bus.write("a.txt", b"hello")
        for settings, said in (({"flow": "NOPE"}, "NOPE"), ({"to": "nobody/accueil"}, "nobody"),
                               ({"to": "commune-76540/nothing"}, "nothing"),
                               ({"to": "dila/accueil"}, "dila")):
            result = self.send(path, **settings)
            self.assertEqual((result.code, result.out), (4, ""), result)
            self.assertIn(path, result.err)
            self.assertIn(said, result.err)
            as_json = self.send(path, more=["-o", "json"], **settings)
            error = json.loads(as_json.out)["error"]
            self.assertIn(said, error["wrong"])
            self.assertLess(error["number"], 100)

    def test_a_sender_that_the_flow_does_not_name(self):
        path = self.bus.write("a.txt", b"hello")
        operator = os.path.join(self.bus.home, "operator/client.yaml")
        result = self.bus.run("send", path, "--to", ROUEN, "--flow", "ETATCIVIL", "-p", operator)
        self.assertEqual(result.code, 4, result)
        self.assertIn("does not allow this sender", result.err)

    def test_five_gigabytes_are_refused_at_once(self):
        path = self.bus.path("big.iso")
        with open(path, "wb") as file:
            file.truncate(5 * 1024**3)
        start = time.monotonic()
        result = self.send(path)
        self.assertLess(time.monotonic() - start, 5)
        self.assertEqual(result.code, 4, result)
        for text in ("big.iso", "5368709120", "5.0 GiB", "4294967295"):
            self.assertIn(text, result.err)

    def test_some_sent_some_not(self):
        good = self.bus.write("good.txt", b"x")
        result = self.send(good, self.bus.path("missing.txt"), self.bus.folder)
        self.assertEqual(result.code, 6, result)
        self.assertIn("good.txt", result.out)
        self.assertIn("missing.txt", result.err)
        self.assertIn("1 accepted, 2 failed", result.err)
        self.assertEqual(self.send(self.bus.path("missing.txt")).code, 3)
        self.assertEqual(self.send(self.bus.folder).code, 1)

    def test_receive_refuses_what_is_not_ours(self):
        other = self.receive(address="dila/accueil")
        self.assertEqual(other.code, 4, other)
        self.assertIn("another member", other.err)
        unknown = self.receive(address="commune-76540/nothing")
        self.assertEqual(unknown.code, 4, unknown)

    def test_folders_that_cannot_take_files(self):
        self.send("-", stdin=b"kept")
        missing = self.receive("-d", self.bus.path("nowhere"), "--ack")
        self.assertEqual(missing.code, 3, missing)
        self.assertIn("nowhere", missing.err)
        denied = self.receive("-d", "/proc/sys", "--ack")
        self.assertEqual(denied.code, 1, denied)
        self.assertIn("/proc/sys", denied.err)
        self.assertEqual(self.receive("--ack", "-n", "1").out, "kept")

    def test_a_full_stdout_does_not_acknowledge(self):
        self.send("-", stdin=b"kept")
        with open("/dev/full", "wb") as full:
            process = subprocess.run([RELAIS, "receive", ROUEN, "--ack", "-p", self.bus.receiver],
                                     stdout=full, stderr=subprocess.PIPE, check=False, timeout=60,
                                     env={"LC_ALL": "C.UTF-8", **SANITIZERS})
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertEqual(self.receive("--ack", "-n", "1").out, "kept")

    def test_follow_goes_on_until_interrupted(self):
        process = subprocess.Popen(
            [RELAIS, "receive", ROUEN, "--ack", "--follow", "-o", "jsonl", "-p", self.bus.receiver],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"LC_ALL": "C.UTF-8", **SANITIZERS})
        for i in range(3):
            self.send("-", stdin=b"%d" % i)
            line = json.loads(process.stdout.readline())
            self.assertEqual(base64.b64decode(line["payload"]), b"%d" % i)
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=30)
        self.assertEqual((process.returncode, rest), (0, b""), said)
        self.assertEqual(self.receive("--timeout", "1").out, "")

    def test_progress_is_for_terminals_and_long_work(self):
        folder = self.bus.path("progress")
        os.mkdir(folder)
        self.addCleanup(shutil.rmtree, folder)
        words = [RELAIS, "receive", ROUEN, "--ack", "-n", "2", "-d", folder, "--timeout", "20",
                 "-p", self.bus.receiver]
        main, child = pty.openpty()
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=child,
                                   env={"LC_ALL": "C.UTF-8", **SANITIZERS})
        os.close(child)
        time.sleep(1.3)
        self.send("-", stdin=b"x" * 2048)
        self.send("-", stdin=b"x" * 2048)
        process.communicate(timeout=60)
        said = os.read(main, 65536)
        os.close(main)
        self.assertIn(b"messages, 2.0 KiB, ", said)
        self.assertTrue(said.endswith(b"\r\033[K"), said)
        self.assertEqual(len(os.listdir(folder)), 2)

    def test_queues_count_what_waits(self):
        self.send("-", stdin=b"12345")
        for profile in (os.path.join(self.bus.home, "operator/client.yaml"), self.bus.receiver):
            rows = json.loads(self.bus.must("queues", "-o", "json", "-p", profile).out)
            row = [row for row in rows if row["address"] == ROUEN][0]
            self.assertEqual(row["waiting"], 1)
            self.assertGreaterEqual(row["waiting_bytes"], 5)
            self.assertEqual((row["leased"], row["dead"]), (0, 0))
        self.assertIn(ROUEN, self.bus.must("queues").out)

    def test_status_is_for_operators(self):
        status = json.loads(self.bus.must("status", "-o", "json").out)
        self.assertEqual(status["members"], 3)
        self.assertTrue(status["software"].startswith("relaisd/"))
        self.assertGreater(status["uptime_ms"], 0)
        denied = self.bus.run("status", "-p", self.bus.sender)
        self.assertEqual((denied.code, denied.out), (4, ""))
        self.assertIn("role", denied.err)

    def test_profile_by_variable_and_by_config_folder(self):
        found = self.bus.must("status", env={"RELAIS_HOME": "", "RELAIS_PROFILE": os.path.join(
            self.bus.home, "operator/client.yaml")})
        self.assertIn("relaisd/", found.out)
        nothing = self.bus.run("status", env={"RELAIS_HOME": ""})
        self.assertEqual(nothing.code, 3, nothing)
        self.assertIn("--profile", nothing.err)
        shutil.copytree(os.path.join(self.bus.home, "operator"),
                        self.bus.path(".config/relais"))
        self.addCleanup(shutil.rmtree, self.bus.path(".config"))
        self.bus.must("status", env={"RELAIS_HOME": ""})

    def test_a_key_that_the_bus_does_not_know(self):
        self.bus.must("key", "new", self.bus.path("strange.key"))
        with open(self.bus.sender, encoding="utf-8") as file:
            text = file.read().replace("client.key", "strange.key")
        profile = self.bus.write("strange.yaml", text.encode())
        result = self.bus.run("queues", "-p", profile, "--timeout", "5")
        self.assertEqual(result.code, 4, result)
        self.assertIn("does not know this key", result.err)

    def test_a_key_file_that_others_may_read(self):
        folder = self.bus.path("wide")
        shutil.copytree(self.bus.path("dila"), folder)
        os.chmod(os.path.join(folder, "client.key"), 0o644)
        result = self.bus.run("queues", "-p", os.path.join(folder, "client.yaml"))
        self.assertEqual(result.code, 1, result)
        self.assertIn("client.key", result.err)
        self.assertIn("600", result.err)

    def test_a_running_broker_reads_new_members_at_once(self):
        result = self.bus.must("member", "add", "dgs", "--kind", "state", "--name", "DGS")
        self.assertIn(f"process {self.bus.broker.pid}", result.err)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if json.loads(self.bus.must("status", "-o", "json").out)["members"] == 4:
                break
            time.sleep(0.05)
        else:
            self.fail("the broker did not read the new member")
        quiet = self.bus.must("member", "add", "dgs2", "--kind", "state", "--name", "DGS",
                              "--no-reload")
        self.assertNotIn("process", quiet.err)
        for slug in ("dgs", "dgs2"):
            os.unlink(os.path.join(self.bus.home, "members", slug + ".yaml"))
        self.bus.broker.send_signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if json.loads(self.bus.must("status", "-o", "json").out)["members"] == 3:
                return
            time.sleep(0.05)
        self.fail("the broker did not forget the members")


class NoBroker(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.bus.init()
        self.bus.populate()

    def test_each_command_says_that_nobody_answers(self):
        path = self.bus.write("a.txt", b"hello")
        for words in (["status"], ["queues"], ["send", path, "--to", ROUEN, "--flow", "ETATCIVIL"],
                      ["receive", "operator/desk"]):
            result = self.bus.run(*words, "--timeout", "1")
            self.assertEqual((result.code, result.out), (5, ""), f"{words} {result}")
            self.assertIn(f"tcp://127.0.0.1:{self.bus.port}", result.err)

    def test_a_stale_lock_disturbs_nobody(self):
        os.mkdir(os.path.join(self.bus.home, "store"))
        bystander = subprocess.Popen(["sleep", "60"])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        self.bus.write("bus/store/lock", b"%d\n" % bystander.pid)
        result = self.bus.must("member", "add", "dgs", "--kind", "state", "--name", "DGS")
        self.assertIn("No broker is running", result.err)
        self.assertIsNone(bystander.poll())

    def test_a_broker_that_falls_silent(self):
        self.bus.start()
        os.mkfifo(self.bus.path("slow"))
        process = subprocess.Popen(
            [RELAIS, "send", self.bus.path("slow"), "--to", ROUEN, "--flow", "ETATCIVIL", "-p",
             self.bus.sender, "--timeout", "2", "--id", "mine"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"LC_ALL": "C.UTF-8", **SANITIZERS})
        with open(self.bus.path("slow"), "wb") as slow:  # opens once the command is connected
            self.bus.broker.send_signal(signal.SIGSTOP)
            slow.write(b"x")
        out, said = process.communicate(timeout=60)
        self.bus.broker.send_signal(signal.SIGCONT)
        self.assertEqual((process.returncode, out), (5, b""), said)
        self.assertIn(b"--id mine", said)

    def test_messages_outlive_the_broker(self):
        self.bus.start()
        path = self.bus.write("a.txt", b"hello")
        self.assertEqual(self.bus.run("send", path, "--to", ROUEN, "--flow", "ETATCIVIL", "-p",
                                      self.bus.sender).code, 0)
        self.bus.stop()
        self.bus.start()
        got = self.bus.must("receive", ROUEN, "-p", self.bus.receiver, "--ack", "-n", "1")
        self.assertEqual(got.out, "hello")


class Quotas(unittest.TestCase):
    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.bus.init()
        self.bus.populate()

    def test_a_quota_makes_a_sender_wait(self):
        self.bus.must("member", "add", "commune-06088", "--kind", "commune", "--name", "Nice",
                      "--insee", "06088", "--service", "etat-civil", "--quota", "rate=5",
                      "--quota", "burst=1")
        self.bus.must("client", "add", "commune-06088", "files", "--role", "send", "--new",
                      self.bus.path("nice"))
        self.bus.must("flow", "add", "VOISINS", "--title", "Voisins", "--purpose", "Essai",
                      "--legal-basis", "Décret", "--sender", "*", "--receiver", "*")
        self.bus.start()
        profile = self.bus.path("nice", "client.yaml")
        files = [self.bus.write(f"quota-{i}.txt", b"x") for i in range(4)]
        begin = time.monotonic()
        sent = self.bus.run("send", *files, "--to", ROUEN, "--flow", "VOISINS", "-p", profile)
        self.assertEqual(sent.code, 0, sent)
        self.assertGreater(time.monotonic() - begin, 0.5)
        usage = json.loads(self.bus.must("member", "usage", "-p", profile, "-o", "json").out)
        self.assertEqual((usage["member"], usage["messages"], usage["rate_quota"]),
                         ("commune-06088", 4, 5))
        self.assertGreaterEqual(usage["refused_total"], 3)
        shown = json.loads(self.bus.must("member", "show", "commune-06088", "-o", "json").out)
        self.assertEqual(shown["quota"], {"rate": 5, "burst": 1})
        other = self.bus.run("member", "usage", "dila", "-p", profile)
        self.assertEqual(other.code, 4, other)
        wrong = self.bus.run("member", "add", "x", "--kind", "commune", "--name", "X", "--quota",
                             "rate=-1")
        self.assertEqual(wrong.code, 2, wrong)
        too_much = self.bus.run("member", "add", "x", "--kind", "commune", "--name", "X",
                                "--quota", "rate=1000001")
        self.assertEqual(too_much.code, 2, too_much)
        self.assertIn("1000000", too_much.err)


class Requests(unittest.TestCase):
    """commune-76540 asks dila; two processes share its key."""

    SERVICE = "dila/accueil"

    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.bus.init()
        self.bus.populate()
        self.bus.must("client", "add", "commune-76540", "guichet", "--role", "send", "--new",
                      self.bus.path("guichet"))
        self.bus.must("flow", "add", "ANNUAIRE", "--title", "Annuaire", "--purpose", "Essai",
                      "--legal-basis", "Décret", "--sender", "kind:commune", "--receiver", "dila")
        self.bus.start()

    def ask(self, text, *more, timeout="20"):
        clean = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": self.bus.folder,
                 **SANITIZERS}
        return subprocess.Popen(
            [RELAIS, "request", self.SERVICE, "--flow", "ANNUAIRE", "--data", text, "--timeout",
             timeout, "-p", self.bus.path("guichet", "client.yaml"), *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean)

    def take(self, count):
        got = self.bus.run("receive", self.SERVICE, "--ack", "-n", str(count), "-o", "json", "-p",
                           self.bus.sender, "--timeout", "10")
        self.assertEqual(got.code, 0, got)
        return [json.loads(line) for line in got.out.splitlines()]

    def answer(self, request, text, **more):
        path = self.bus.write("answer.txt", text.encode())
        return self.bus.run("send", path, "--to", request["reply_to"], "--flow",
                            more.get("flow", "ANNUAIRE"), "--correlation-id", request["id"], "-p",
                            more.get("profile", self.bus.sender))

    def test_an_answer_comes_back(self):
        asked = self.ask("76540")
        (request,) = self.take(1)
        self.assertEqual(base64.b64decode(request["payload"]), b"76540")
        self.assertEqual(request["reply_to"], "commune-76540/~guichet")
        self.assertIn("expires_at", request)
        self.assertEqual(self.answer(request, "Rouen").code, 0)
        out, err = asked.communicate(timeout=30)
        self.assertEqual((asked.returncode, out), (0, b"Rouen"), err)
        queues = json.loads(self.bus.must("queues", "-o", "json").out)
        self.assertEqual([q["waiting"] + q["dead"] for q in queues], [0] * len(queues), queues)

    def test_each_process_gets_its_own_answer(self):
        asked = [self.ask(f"question {i}", "-o", "json") for i in range(3)]
        requests = self.take(3)
        for request in reversed(requests):
            text = base64.b64decode(request["payload"]).decode()
            self.assertEqual(self.answer(request, f"answer to {text}").code, 0)
        for i, process in enumerate(asked):
            out, err = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 0, err)
            reply = json.loads(out)
            self.assertEqual(base64.b64decode(reply["payload"]), f"answer to question {i}".encode())
            self.assertEqual(reply["attempt"], 1)  # handing back costs none

    def test_without_an_answer_in_time_the_request_is_over(self):
        asked = self.ask("late", timeout="1")
        _, err = asked.communicate(timeout=30)
        self.assertEqual(asked.returncode, 5, err)
        self.assertIn(b"reply", err)
        late = self.bus.run("receive", self.SERVICE, "-n", "1", "-p", self.bus.sender, "--timeout",
                            "1")
        self.assertEqual(late.code, 5, late)
        (letter,) = json.loads(self.bus.must("dead", "list", self.SERVICE, "-o", "json").out)
        self.assertEqual(letter["code"], "RELAIS_CANCELLED")  # before it could expire

    def test_an_interrupted_request_is_withdrawn(self):
        asked = self.ask("never mind")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            queues = json.loads(self.bus.must("queues", "-o", "json").out)
            if any(q["address"] == self.SERVICE and q["waiting"] for q in queues):
                break
            time.sleep(0.05)
        asked.send_signal(signal.SIGINT)
        _, err = asked.communicate(timeout=30)
        self.assertEqual(asked.returncode, 1, err)
        (letter,) = json.loads(self.bus.must("dead", "list", self.SERVICE, "-o", "json").out)
        self.assertEqual(letter["code"], "RELAIS_CANCELLED")

    def test_a_message_is_withdrawn_while_nobody_has_it(self):
        path = self.bus.write("notice.txt", b"x")
        send = ["send", path, "--to", ROUEN, "--to", "commune-76540/accueil", "--flow",
                "ETATCIVIL", "-p", self.bus.sender]
        self.bus.must(*send, "--id", "notice-1")
        self.bus.must("receive", ROUEN, "--ack", "-n", "1", "-p", self.bus.receiver)
        cancel = ["cancel", "notice-1", "-o", "json"]
        for _ in range(2):
            told = json.loads(self.bus.must(*cancel, "-p", self.bus.sender).out)
            self.assertEqual(told, {"id": "notice-1", "withdrawn": 1, "too_late": 1})
        got = self.bus.run("receive", "commune-76540/accueil", "-p", self.bus.receiver)
        self.assertEqual(got.out, "")
        other = self.bus.run(*cancel, "-p", self.bus.path("guichet", "client.yaml"))
        self.assertEqual(other.code, 4, other)
        mute = self.bus.run(*cancel, "-p", self.bus.receiver)
        self.assertEqual(mute.code, 4, mute)

    def test_only_who_was_asked_answers_and_only_who_asked_listens(self):
        asked = self.ask("76540")
        (request,) = self.take(1)
        self.bus.must("client", "add", "dila", "other", "--role", "receive", "--role", "send",
                      "--new", self.bus.path("other"))
        private = request["reply_to"]
        for profile in (self.bus.receiver, self.bus.sender):
            got = self.bus.run("receive", private, "-p", profile, "--timeout", "1")
            self.assertEqual(got.code, 4, got)
        # ETATCIVIL lets dila send to communes, and no commune to dila: it has nothing to answer.
        self.assertEqual(self.answer(request, "x", flow="ETATCIVIL").code, 4)
        unknown = dict(request, reply_to="commune-76540/~nobody")
        self.assertEqual(self.answer(unknown, "x").code, 4)
        self.assertEqual(self.answer(request, "Rouen").code, 0)
        self.assertEqual(asked.communicate(timeout=30)[0], b"Rouen")


if __name__ == "__main__":
    unittest.main()
