"""Options, help, the manual page, completions: what comes from the table of options."""
import os
import re
import shutil
import subprocess
import unittest

from run_program import MODEL, PROGRAM, ProgramTest

COMMANDS = ["serve", "embed", "chunk", "similarity", "info", "list", "pull", "verify", "doctor", "migrate",
            "bench", "completion", "help", "version"]
MAN_PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "man", "embedd.1")


class HelpTest(ProgramTest):
    def test_overview_names_every_command(self):
        for arguments in (["--help"], ["-h"], ["help"]):
            text = self.run_program(*arguments).stdout
            for command in COMMANDS:
                self.assertRegex(text, r"(?m)^  %s " % command)

    def test_every_command_explains_itself(self):
        for command in COMMANDS:
            text = self.run_program(command, "--help").stdout
            self.assertEqual(self.run_program("help", command).stdout, text)
            self.assertEqual(self.run_program(command, "-h").stdout, text)
            self.assertIn("Usage: embedd " + command, text)
            examples = re.findall(r"(?m)^  \S.*\n      \S", text.split("Options:")[0])
            self.assertGreaterEqual(len(examples), 2, command)
            self.assertLessEqual(len(examples), 4, command)

    def test_help_fits_eighty_columns(self):
        for command in COMMANDS:
            options = self.run_program("help", command).stdout.split("Options:")[1]
            for line in options.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_every_option_has_a_variable(self):
        text = "".join(self.run_program("help", command).stdout for command in COMMANDS)
        flags = set(re.findall(r"(?m)^  (?:-\w, |    )--([a-z-]+)", text)) - {"help", "man"}
        self.assertGreater(len(flags), 20)
        for flag in flags:
            name = flag[3:] if flag.startswith("no-") else flag
            self.assertIn("[EMBEDD_%s]" % name.upper().replace("-", "_"), text)

    def test_help_of_no_command(self):
        result = self.run_program("help", "emped", code=2)
        self.assertIn("no command emped", result.stderr)

    def test_version(self):
        for arguments in (["version"], ["--version"], ["-V"]):
            self.assertRegex(self.run_program(*arguments).stdout, r"\Aembedd \d+\.\d+\.\d+\n\Z")

    def test_man_page_is_current(self):
        with open(MAN_PAGE, "rb") as file:
            self.assertEqual(self.run_program("help", "--man").stdout, file.read().decode(),
                             "write it anew: build/embedd help --man > man/embedd.1")

    def test_completions_offer_every_command_and_option(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.run_program("completion", shell).stdout
            for word in COMMANDS + ["no-normalize", "prompt-name", "origin", "weightedmean"]:
                self.assertIn(word, script, shell)
            self.assertNotIn("api-key", script)

    def test_bash_completes(self):
        script = self.run_program("completion", "bash").stdout
        for words, expected in ((["em"], "embed"), (["embed", "--no-t"], "--no-truncate"),
                                (["embed", "--format", "np"], "npy"), (["help", "si"], "similarity"),
                                (["serve", "--log-format", ""], "text json"),
                                (["migrate", MAN_PAGE[:-4]], MAN_PAGE)):
            line = "COMP_WORDS=(embedd %s); COMP_CWORD=%d; _embedd; echo ${COMPREPLY[@]}" % (
                " ".join("'%s'" % word for word in words), len(words))
            result = subprocess.run(["bash", "-c", script + line], capture_output=True, text=True)
            self.assertEqual((result.stdout.strip(), result.stderr), (expected, ""))

    def test_completion_for_what_shell(self):
        for arguments in ([], ["tcsh"]):
            self.assertIn("bash, zsh or fish",
                          self.run_program("completion", *arguments, code=2).stderr)

    def test_a_full_disk_is_noticed(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"No space left", result.stderr)


class ErrorTest(ProgramTest):
    def expect(self, sentence, *arguments, code=2, **more):
        result = self.run_program(*arguments, code=code, **more)
        self.assertIn(sentence, result.stderr)
        self.assertTrue(result.stderr.startswith("embedd: "))
        self.assertEqual(result.stdout, "")

    def test_commands(self):
        self.expect("say what to do")
        self.expect("did you mean embedd serve?", "srve")
        self.expect("did you mean embedd similarity?", "similarty")
        self.expect("there is no command frobnicate; embedd --help", "frobnicate")
        self.expect("the command comes first", "--port", "1", "serve")
        self.expect("there is no command", "")

    def test_options(self):
        self.expect("did you mean --model?", "embed", "--modle", "x")
        self.expect("did you mean --normalize?", "embed", "--normalise")
        self.expect("did you mean --no-truncate?", "embed", "--no-trunctate")
        self.expect("there is no option --zzzzzz; embedd embed --help", "embed", "--zzzzzz")
        self.expect("--port is an option of embedd serve, not of embedd embed", "embed", "--port=1")
        self.expect("has no option -x", "embed", "-x")
        self.expect("there is no option --no-model", "embed", "--no-model")
        self.expect("--json takes no value", "list", "--json=1")
        self.expect("--model needs a value: --model FOLDER_OR_NAME", "embed", "--model")
        self.expect("-m needs a value", "embed", "-m")
        self.expect("one argument too many: x", "list", "x")
        self.expect("one argument too many: b", "pull", "a", "b")
        self.expect("say which model", "pull")

    def test_values(self):
        for port in ("65536", "-1", "x", "", "1x", "99999999999999999999999", " 1", "0x10"):
            self.expect("--port: a whole number from 0 to 65535, not '%s'" % port, "serve", "-m",
                        MODEL, "--port", port)
        self.expect("--dtype: one of auto|f32|bf16|int8, not 'f64'", "serve", "--dtype", "f64")
        for value in ("json|jsonl", "js", "", "jsonlx"):
            self.expect("--format: one of json|jsonl|npy, not '%s'" % value, "embed", "--format",
                        value)

    def test_the_environment_is_checked_too(self):
        self.expect("EMBEDD_PORT: a whole number", "serve", variables={"EMBEDD_PORT": "x"})
        self.expect("EMBEDD_TRUNCATE: 1 or 0, not 'maybe'", "embed",
                    variables={"EMBEDD_TRUNCATE": "maybe"})
        self.expect("EMBEDD_ORIGIN: at most 64", "serve",
                    variables={"EMBEDD_ORIGIN": "http://a," * 65})

    def test_a_key_on_the_command_line_is_refused_and_not_repeated(self):
        for arguments in (["--api-key=secret"], ["--api-key", "secret"]):
            result = self.run_program("serve", "-m", MODEL, *arguments, code=2)
            self.assertIn("EMBEDD_API_KEY", result.stderr)
            self.assertNotIn("secret", result.stderr)

    def test_models(self):
        self.expect("needs a model: -m FOLDER_OR_NAME or EMBEDD_MODEL", "embed", "a")
        self.expect("needs a model", "serve", "-m", "")
        for command in ("serve", "embed", "similarity", "info"):
            self.expect("there is no model nosuch", command, "-m", "nosuch", code=3,
                        stdin="a\nb\n")
            self.expect("no such folder", command, "-m", "../nosuch", code=3, stdin="a\nb\n")
        self.expect("get it with: embedd pull acme/x", "info", "-m", "acme/x", code=3)
        shutil.copytree(MODEL, os.path.join(self.folder, "broken"))
        self.write("broken/config.json", "{")
        self.expect("config.json", "info", "-m", "broken", code=4)
        os.remove(os.path.join(self.folder, "broken/config.json"))
        self.expect("config.json", "info", "-m", "broken", code=4)
        shutil.copy(os.path.join(MODEL, "config.json"), os.path.join(self.folder, "broken"))
        os.remove(os.path.join(self.folder, "broken/tokenizer.json"))
        self.expect("tokenizer.json", "info", "-m", "broken", code=4)
        self.expect("no-such-level", "info", "-m", MODEL, "--cpu", "no-such-level")

    def test_prompts_and_pooling(self):
        self.expect("exclude each other", "embed", "-m", MODEL, "--prompt", "a", "--prompt-name",
                    "query", "x")
        self.expect("no prompt 'x'; it has document, query", "embed", "-m", MODEL, "--prompt-name",
                    "x", "a")
        self.expect("--pooling: one of", "embed", "-m", MODEL, "--pooling", "median", "a")


class ParsingTest(ProgramTest):
    """All ways to say the same give the same."""

    def test_forms_of_an_option(self):
        expected = self.run_program("embed", "-m", MODEL, "a cat").stdout
        for arguments in (["-m" + MODEL, "a cat"], ["--model", MODEL, "a cat"],
                          ["--model=" + MODEL, "a cat"], ["a cat", "-m", MODEL],
                          ["-m", "nosuch", "-m", MODEL, "a cat"], ["-m", MODEL, "--", "a cat"],
                          ["-m", MODEL, "--no-truncate", "--truncate", "a cat"]):
            self.assertEqual(self.run_program("embed", *arguments).stdout, expected)
        self.assertEqual(self.run_program("embed", "a cat", variables={"EMBEDD_MODEL": MODEL}).stdout,
                         expected)
        self.assertEqual(self.run_program("embed", "-m", MODEL, "a cat",
                                          variables={"EMBEDD_MODEL": "nosuch"}).stdout, expected)

    def test_what_follows_two_dashes_is_text(self):
        output = self.run_program("embed", "-m", MODEL, "--format", "jsonl", "--", "--help", "-m",
                                  "--").stdout
        self.assertEqual(re.findall(r'"text":"(.*?)"', output), ["--help", "-m", "--"])

    def test_an_empty_variable_is_none(self):
        self.run_program("embed", "-m", MODEL, "a",
                         variables={"EMBEDD_THREADS": "", "EMBEDD_PROGRESS": ""})


if __name__ == "__main__":
    unittest.main()
