"""POST /embed-file: files by path and as uploads. A48 is the catalogue's case of paths that must not be read."""

import os
import socket
import tempfile
import time
import unittest

from running_server import RunningServer, SLOWER, bits, wait_until

PROSE = "".join("Sentence number %d stands here in the text. " % i + ("\n\n" if i % 7 == 6 else "")
                for i in range(120))
BOUNDARY = "----a-boundary"


def form(*parts):
    """Each part is (name, value) or (name, file name, type, bytes)."""
    body = b""
    for name, *rest in parts:
        head = 'Content-Disposition: form-data; name="%s"' % name
        if len(rest) > 1:
            head += '; filename="%s"\r\nContent-Type: %s' % (rest[0], rest[1])
        content = rest[-1] if isinstance(rest[-1], bytes) else str(rest[-1]).encode()
        body += b"--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY.encode(), head.encode(), content)
    return body + b"--%s--\r\n" % BOUNDARY.encode()


class FilesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        base = os.path.realpath(cls.folder.name)
        cls.root = os.path.join(base, "root")
        cls.other_root = os.path.join(base, "other root")
        cls.outside = os.path.join(base, "outside.txt")
        os.makedirs(os.path.join(cls.root, "below"))
        os.makedirs(cls.other_root)
        cls.write(cls.outside, b"nobody may read this")
        cls.write(os.path.join(cls.root, "prose.txt"), PROSE.encode())
        cls.write(os.path.join(cls.root, "below", "notes.MD"), b"# A\n\nText.\n")
        cls.write(os.path.join(cls.other_root, "second.txt"), b"the second root")
        os.symlink(cls.root, os.path.join(base, "link to root"))
        cls.server = RunningServer("--file-root", os.path.join(base, "link to root"), "--file-root",
                                   cls.other_root, model="bert").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    @staticmethod
    def write(path, content):
        with open(path, "wb") as file:
            file.write(content)

    def file(self, name, content):
        path = os.path.join(self.root, name)
        self.write(path, content)
        self.addCleanup(os.remove, path)
        return path

    def by_path(self, path, server=None, **fields):
        return (server or self.server).post({"path": path, **fields}, path="/embed-file")

    def upload(self, content, media="text/plain", query="", server=None):
        return (server or self.server).post(content, path="/embed-file" + query,
                                            headers={"Content-Type": media})

    def send_form(self, *parts, query=""):
        return self.upload(form(*parts), "multipart/form-data; boundary=" + BOUNDARY, query)

    # ---- what is right ------------------------------------------------------------------------

    def test_chunks_are_the_text_and_their_vectors_those_of_embed(self):
        reply = self.by_path("prose.txt", chunk_overlap=0)
        self.assertEqual(reply.status, 200, reply.body)
        answer = reply.json
        self.assertEqual("".join(answer["chunks"]), PROSE)
        self.assertTrue(all(len(chunk) <= 800 for chunk in answer["chunks"]))
        self.assertEqual([PROSE[begin:end] for begin, end in answer["offsets"]], answer["chunks"])
        self.assertEqual((answer["max_chunks_reached"], answer["replaced"]), (False, 0))
        vectors = self.server.embed(answer["chunks"])
        self.assertEqual(list(map(bits, answer["vectors"])), list(map(bits, vectors)))
        self.assertEqual(answer["dim"], len(vectors[0]))
        self.assertIn("Server-Timing", reply.headers)

    def test_the_defaults(self):
        answer = self.by_path("prose.txt").json
        self.assertEqual(answer, self.by_path("prose.txt", chunk_size=800, chunk_overlap=100,
                                              max_chunks=200, normalize=True).json)
        offsets = answer["offsets"]
        overlaps = [end - begin for (_, end), (begin, _) in zip(offsets, offsets[1:])]
        self.assertTrue(all(0 < n <= 100 for n in overlaps), overlaps)

    def test_a_limit_of_chunks_is_told(self):
        answer = self.by_path("prose.txt", max_chunks=2).json
        self.assertEqual((len(answer["chunks"]), len(answer["vectors"])), (2, 2))
        self.assertTrue(answer["max_chunks_reached"])

    def test_every_way_gives_the_same_answer(self):
        content = PROSE.encode()
        expected = self.by_path("prose.txt", chunk_size=300, chunk_overlap=30, normalize=False).json
        query = "?chunk_size=300&chunk_overlap=30&normalize=false"
        replies = [
            self.by_path(os.path.join(self.root, "prose.txt"), chunk_size=300, chunk_overlap=30,
                         normalize=False),
            self.upload(content, "text/plain; charset=utf-8", query),
            self.send_form(("chunk_size", 300), ("chunk_overlap", 30), ("normalize", "false"),
                           ("file", "prose.txt", "application/octet-stream", content)),
            self.send_form(("file", "no ending", "text/plain", content), ("unknown", "x" * 5000),
                           query=query),
        ]
        for reply in replies:
            self.assertEqual(reply.status, 200, reply.body)
            self.assertEqual(reply.json, expected)
        self.assertGreater(abs(sum(x * x for x in expected["vectors"][0]) - 1), 1e-3)

    def test_markdown_is_known_by_ending_and_by_type(self):
        text = b"Words before it.\n\n# Heading\n\nWords behind it, and more of them.\n"
        plain = self.upload(text, "text/plain", "?chunk_size=40&chunk_overlap=0").json["chunks"]
        marked = self.upload(text, "text/markdown", "?chunk_size=30&chunk_overlap=0").json["chunks"]
        self.assertEqual(plain[0], "Words before it.\n\n# Heading\n\n")
        self.assertEqual(marked[0], "Words before it.\n\n")
        self.assertEqual(self.by_path("below/notes.MD").json["chunks"], ["# A\n\nText.\n"])

    def test_characters_are_whole(self):
        family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
        answer = self.upload((family * 40).encode(), query="?chunk_size=17&chunk_overlap=0").json
        self.assertEqual(answer["chunks"], [family * 3] * 13 + [family])

    def test_encodings(self):
        for content, text, replaced in (("\ufeffGr\u00fc\u00dfe".encode(), "Gr\u00fc\u00dfe", 0),
                                        ("Gr\u00fc\u00dfe \U0001f600".encode("utf-16"),
                                         "Gr\u00fc\u00dfe \U0001f600", 0),
                                        ("Gr\u00fc\u00dfe".encode("latin-1"), "Gr\ufffd\ufffde", 2)):
            answer = self.upload(content).json
            self.assertEqual((answer["chunks"], answer["replaced"]), ([text], replaced))

    def test_an_empty_file_has_no_chunks(self):
        self.file("empty.txt", b"")
        for reply in (self.by_path("empty.txt"), self.upload(b""), self.upload(b"\xef\xbb\xbf"),
                      self.send_form(("file", "empty.md", "text/markdown", b""))):
            self.assertEqual(reply.status, 200, reply.body)
            self.assertEqual((reply.json["chunks"], reply.json["vectors"]), ([], []))

    # ---- what is refused ----------------------------------------------------------------------

    def test_a48_without_a_root_nothing_is_read_by_path(self):
        with RunningServer() as server:
            for path in (self.outside, "prose.txt", "/etc/passwd", ""):
                reply = self.by_path(path, server)
                self.assertEqual((reply.status, reply.code), (403, "forbidden_path"))
                self.assertIn("--file-root", reply.json["error"]["message"])
            self.assertEqual(self.upload(b"but this is", server=server).status, 200)

    def test_a48_what_is_outside_missing_or_forbidden_looks_the_same(self):
        def link(name, target):
            path = os.path.join(self.root, name)
            os.symlink(target, path)
            self.addCleanup(os.remove, path)

        link("out.txt", self.outside)
        link("out", os.path.dirname(self.root))
        link("dangling.txt", os.path.join(self.root, "nowhere.txt"))
        link("loop.txt", "loop.txt")
        link("environ.txt", "/proc/self/environ")
        paths = ["../outside.txt", "below/../../outside.txt", "./../outside.txt", self.outside,
                 self.root + "/../outside.txt", self.root + "x/prose.txt", "out.txt",
                 "out/outside.txt", "dangling.txt", "loop.txt", "environ.txt", "missing.txt",
                 "prose.txt/", "prose.txt/x", "/etc/passwd", "/proc/self/environ", "/dev/zero",
                 "//etc/passwd", "~/x.txt", "", "prose.txt\0", "x" * 5000, "a/" * 3000 + "b.txt",
                 "file://" + self.root + "/prose.txt", "C:\\x.txt", "prose.txt\n"]
        answers = {(reply.status, reply.body) for reply in map(self.by_path, paths)}
        self.assertEqual(len(answers), 1, answers)
        self.assertEqual(answers.pop()[0], 403)

    def test_a48_links_that_stay_below_a_root_are_followed(self):
        for name, target in (("inner.txt", "prose.txt"),
                             ("across.txt", os.path.join(self.other_root, "second.txt"))):
            os.symlink(target, os.path.join(self.root, name))
            self.addCleanup(os.remove, os.path.join(self.root, name))
        self.assertEqual(self.by_path("inner.txt").json, self.by_path("prose.txt").json)
        # Named by its place below the first root, found below the second only as an absolute path.
        self.assertEqual(self.by_path(os.path.join(self.root, "across.txt")).json["chunks"],
                         ["the second root"])
        self.assertEqual(self.by_path("second.txt").json["chunks"], ["the second root"])
        through_link = os.path.join(os.path.dirname(self.root), "link to root", "prose.txt")
        self.assertEqual(self.by_path(through_link).status, 200)

    def test_a48_an_unreadable_file_is_forbidden(self):
        path = self.file("secret.txt", b"secret")
        os.chmod(path, 0)
        root = os.geteuid() == 0  # whom no mode keeps out
        self.assertEqual(self.by_path("secret.txt").status, 200 if root else 403)

    def test_a48_what_is_no_file_is_422_at_once(self):
        fifo = os.path.join(self.root, "pipe.txt")
        os.mkfifo(fifo)
        self.addCleanup(os.remove, fifo)
        door = os.path.join(self.root, "socket.txt")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(door)
            self.addCleanup(os.remove, door)
            began = time.monotonic()
            for path in ("pipe.txt", "socket.txt", "below", ".", self.root, self.root + "/"):
                reply = self.by_path(path)
                self.assertEqual((reply.status, reply.code), (422, "not_a_file"), path)
            self.assertLess(time.monotonic() - began, 10)

    def test_a48_a_device_below_a_root_is_not_opened(self):
        with RunningServer("--file-root", "/dev") as server:
            for path in ("zero", "/dev/null"):
                reply = self.by_path(path, server)
                self.assertEqual((reply.status, reply.code), (422, "not_a_file"))

    def test_a48_a_large_file_is_refused_unread(self):
        path = self.file("sparse.txt", b"")
        os.truncate(path, 10 << 30)
        before = self.server.memory()
        began = time.monotonic()
        reply = self.by_path("sparse.txt")
        self.assertEqual((reply.status, reply.code), (413, "body_too_large"))
        self.assertLess(time.monotonic() - began, 10)
        self.assertLess(self.server.memory() - before, 64 << 20)

    def test_an_upload_that_is_too_large(self):
        with RunningServer("--max-body", "4096") as server:
            for media in ("text/plain", "multipart/form-data; boundary=" + BOUNDARY):
                reply = self.upload(b"a" * 5000, media, server=server)
                self.assertEqual((reply.status, reply.code), (413, "body_too_large"))
            self.assertEqual(self.upload(b"a" * 4096, server=server).status, 200)

    def test_other_types_are_refused_with_a_sentence(self):
        self.file("paper.pdf", b"%PDF-1.7")
        self.file("fake.txt", b"PK\x03\x04 a zip archive")
        self.file("zeros.txt", b"text\0text")
        replies = [self.by_path("paper.pdf"), self.by_path("fake.txt"), self.by_path("zeros.txt"),
                   self.upload(b"%PDF-1.7", "application/pdf"), self.upload(b"%PDF-1.7"),
                   self.upload(b"text", "application/octet-stream"),
                   self.send_form(("file", "a.docx", "application/zip", b"PK\x03\x04"))]
        for reply in replies:
            self.assertEqual((reply.status, reply.code), (415, "unsupported_document"), reply.body)
        self.assertIn("plain text and Markdown", replies[0].json["error"]["message"])
        self.assertIn("byte 4 is NUL", replies[2].json["error"]["message"])

    def test_options_that_cannot_be(self):
        for fields, code in (({"chunk_size": 0}, "invalid_value"),
                             ({"chunk_size": 1.5}, "invalid_value"),
                             ({"chunk_size": "800"}, "invalid_type"),
                             ({"chunk_size": 100, "chunk_overlap": 51}, "invalid_value"),
                             ({"chunk_overlap": -1}, "invalid_value"),
                             ({"max_chunks": 0}, "invalid_value"),
                             ({"max_chunks": 4097}, "invalid_value"),
                             ({"path": 7}, "invalid_type"), ({"path": None}, "missing_field"),
                             ({"model": "another"}, "model_not_found")):
            reply = self.server.post({"path": "prose.txt", **fields}, path="/embed-file")
            self.assertEqual((reply.status // 100, reply.code), (4, code), fields)
        self.assertEqual(self.upload(b"a", query="?chunk_size=ten").code, "invalid_type")
        self.assertEqual(self.upload(b"a", query="?chunk_size=007").code, "invalid_type")
        self.assertEqual(self.upload(b"a", query="?chunk_size=&x=1").code, "invalid_type")
        self.assertEqual(self.upload(b"a", query="?chunk_size").status, 200)  # no value at all

    def test_forms_that_are_broken(self):
        whole = form(("chunk_size", 300), ("file", "a.txt", "text/plain", PROSE.encode()))
        media = "multipart/form-data; boundary=" + BOUNDARY
        for body, kind in ((whole[:-30], media), (whole[:60], media), (b"", media),
                           (b"no form", media), (whole, "multipart/form-data"),
                           (form(("chunk_size", 300)), media),
                           (form(("file", "a.txt", "text/plain", b"a"),
                                 ("file", "b.txt", "text/plain", b"b")), media),
                           (form(("prompt", "x" * 2000),
                                 ("file", "a.txt", "text/plain", b"a")), media)):
            reply = self.upload(body, kind)
            self.assertEqual(reply.status, 400, (body[:80], reply.body))
        self.assertEqual(self.upload(whole, media).status, 200)

    def test_a_form_byte_by_byte(self):
        body = form(("chunk_size", 50), ("file", "a.txt", "text/plain", b"\r\n--\r\n--" * 20))
        head = ("POST /embed-file HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %d\r\n"
                "Connection: close\r\nContent-Type: multipart/form-data; boundary=%s\r\n\r\n"
                % (self.server.port, len(body), BOUNDARY))
        received, closed = self.server.raw(head.encode() + body, pieces=1)
        self.assertTrue(closed and received.startswith(b"HTTP/1.1 200"), received[:300])
        self.assertIn(b"\"chunks\":[\"\\r\\n--", received)

    def test_a_start_with_a_root_that_is_none(self):
        for folder in (os.path.join(self.root, "missing"), os.path.join(self.root, "prose.txt")):
            with self.assertRaises(AssertionError) as failed:
                RunningServer("--file-root", folder)
            self.assertEqual(failed.exception.code, 2)
            self.assertIn("--file-root", str(failed.exception))

    def test_roots_from_the_environment(self):
        roots = self.other_root + "," + self.root
        with RunningServer(env={"EMBEDD_FILE_ROOT": roots}) as server:
            self.assertEqual(self.by_path("second.txt", server).status, 200)
            self.assertEqual(self.by_path("prose.txt", server, max_chunks=1).status, 200)

    def test_it_needs_the_key_and_no_web_page_may(self):
        with RunningServer(env={"EMBEDD_API_KEY": "secret"}) as server:
            self.assertEqual(self.upload(b"a", server=server).status, 401)
        reply = self.server.post("a", path="/embed-file", headers={
            "Content-Type": "text/plain", "Origin": "https://evil.example"})
        self.assertEqual(reply.status, 403)

    def test_nothing_is_kept_open(self):
        self.by_path("prose.txt", max_chunks=1)
        before = self.server.open_files()
        for _ in range(20):
            for path in ("prose.txt", "below", "missing.txt", "below/notes.MD", "../outside.txt"):
                self.by_path(path, max_chunks=1)
        self.assertTrue(wait_until(lambda: self.server.open_files() <= before, 10 * SLOWER))


if __name__ == "__main__":
    unittest.main()
