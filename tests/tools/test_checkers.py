"""tools/check-source and tools/check-exports find what they are for: one bad file for each rule.

test_checkers.py TOOLS_FOLDER C_COMPILER AR
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS, CC, AR = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]

GOOD = {
    "include/embedd.h": '#define EMBEDD_API __attribute__((visibility("default")))\n'
    "EMBEDD_API int embedd_answer(void);\n",
    "src/base/memory.h": "void ed_free(void *block);\n",
    "src/base/memory.c": '#include "base/memory.h"\n#include <stdlib.h>\n'
    "void ed_free(void *block)\n{\n    free(block);\n}\n",
    "src/formats/json.h": "/* ... */\n",
    "src/formats/tensors.h": "/* ... */\n",
    "src/model/weights.h": '#include "formats/tensors.h"\n',
    "src/server/request.c": '#include "formats/json.h"\n'
    '/* sprintf(malloc(1)) in a comment */ static const char *text = "free(block)";\n'
    "static void use(int free)\n{\n    x.free = free + list->free(1);\n}\n",
    "tests/unit/test_a.c": "void *block = malloc(1);\n",
}

# File, its contents, the line and part of the message.
BAD = [
    ("src/model/a.c", "int a;\n\xe9\n", 2, "not ASCII"),
    ("src/model/a.c", "int a;\n\tint b;\n", 2, "a tab"),
    ("src/model/a.c", "int a; \n", 1, "white space at the end"),
    ("src/model/a.c", "int a;", 1, "the last line does not end"),
    ("src/model/a.c", f"int {'a' * 96};\n", 1, "101 columns"),
    ("src/model/a.c", "int a;\n" * 801, 801, "801 lines"),
    ("src/model/a.c", "void f(void)\n{\n" + "    g();\n" * 70 + "}\n", 2, "a function of 71 lines"),
    ("src/kernels/a.c", "void f(void)\n{\n" + "    g();\n" * 150 + "}\n", 2, "a function of 151 lines"),
    ("src/model/memory.h", "int a;\n", 1, "the file name is taken by src/base/memory.h"),
    ("src/model/a.c", "void *a = malloc(1);\n", 1, "malloc outside src/base"),
    ("src/model/a.c", "/* x\n */ void *a = calloc (1, 1);\n", 2, "calloc outside src/base"),
    ("src/model/a.c", 'char *s = "\\""; free(s);\n', 1, "free outside src/base"),
    ("src/model/a.c", "release(block, free);\n", 1, "free outside src/base"),
    ("src/base/a.c", "strcpy(a, b);\n", 1, "strcpy is banned"),
    ("tests/unit/test_b.c", "sprintf(a, b);\n", 1, "sprintf is banned"),
    ("bench/a.c", "int a = atoi(b);\n", 1, "atoi is banned"),
    ("src/base/a.c", '#include "formats/json.h"\n', 1, 'base may not include "formats/json.h"'),
    ("src/formats/a.c", '\n#include "model/weights.h"\n', 2, "formats may not include"),
    ("src/tokenizer/a.c", '#include "model/weights.h"\n', 1, "tokenizer may not include"),
    ("src/server/a.c", '#include "model/weights.h"\n', 1, "server may not include"),
    ("src/server/a.c", '#include "formats/tensors.h"\n', 1, "server may not include"),
    ("src/formats/a.c", '#include "tensors.h"\n', 1, "is not a file below src"),
    ("src/formats/a.c", '#include "formats/../base/memory.h"\n', 1, "is not a file below src"),
    ("src/attic/a.c", '#include "base/memory.h"\n', 1, "src/attic has no place on the ladder"),
]


class CheckSource(unittest.TestCase):
    def run_on(self, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="latin-1")
            return run([sys.executable, TOOLS / "check-source", root])

    def test_good_tree(self):
        code, output = self.run_on(GOOD)
        self.assertEqual((code, output), (0, f"{len(GOOD)} files, 0 problems\n"))

    def test_bad_files(self):
        for name, text, line, message in BAD:
            with self.subTest(name=name, message=message):
                code, output = self.run_on({**GOOD, name: text})
                self.assertEqual(code, 1)
                self.assertIn("1 problems", output)
                self.assertRegex(output, f"(?m)^{name}:{line}: ")
                self.assertIn(message, output)

    def test_empty_tree(self):
        code, _ = self.run_on({"src/a.txt": ""})
        self.assertEqual(code, 1)


class CheckExports(unittest.TestCase):
    def run_on(self, source):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "embedd.h").write_text(GOOD["include/embedd.h"])
            (root / "a.c").write_text('#include "embedd.h"\n' + source)
            subprocess.run([CC, "-fvisibility=hidden", "-c", "a.c", "-o", "a.o"], cwd=root, check=True)
            subprocess.run([AR, "rcs", "liba.a", "a.o"], cwd=root, check=True)
            return run([sys.executable, TOOLS / "check-exports", root / "liba.a", root / "embedd.h"])

    def test_good_library(self):
        code, output = self.run_on(
            "int embedd_answer(void) { return 42; }\nint ed_inner(void) { return 1; }\nstatic int quiet;\n"
            "int *ed_use(void) { return &quiet; }\n"
        )
        self.assertEqual((code, output), (0, "3 names, 1 public, 0 problems\n"))

    def test_bad_names(self):
        answer = "int embedd_answer(void) { return 42; }\n"
        for source, message in [
            (answer + "int helper(void) { return 1; }\n", "(a.o): helper begins with neither"),
            (answer + "int counter = 1;\n", "(a.o): counter begins with neither"),
            (answer + "int embedd_secret(void) { return 1; }\n", "(a.o): embedd_secret is not in"),
            ("int ed_inner(void) { return 1; }\n", "embedd_answer is declared, and nowhere defined"),
        ]:
            with self.subTest(message=message):
                code, output = self.run_on(source)
                self.assertEqual(code, 1)
                self.assertIn(message, output)
                self.assertIn("1 problems", output)

    @unittest.skipUnless(sys.platform == "linux", "visibility is read from ELF")
    def test_visible_inner_name(self):
        code, output = self.run_on(
            "int embedd_answer(void) { return 42; }\nEMBEDD_API int ed_inner(void) { return 1; }\n"
        )
        self.assertEqual(code, 1)
        self.assertIn("ed_inner is visible", output)

    def test_no_library(self):
        code, _ = run([sys.executable, TOOLS / "check-exports", "/none.a", "/none.h"])
        self.assertNotEqual(code, 0)


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
