"""deploy/kubernetes against the schemas of several versions, and what a schema does not know. Needs PyPI's
kubernetes-validate; run by tools/test-deploy."""

import os
import re
import subprocess
import sys
import unittest

import yaml

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FILE = os.path.join(ROOT, "deploy", "kubernetes", "embedd.yaml")
VERSIONS = ("1.30.0", "1.33.0", "1.37.0")


class KubernetesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(FILE) as file:
            cls.parts = {part["kind"]: part for part in yaml.safe_load_all(file)}
        cls.pod = cls.parts["Deployment"]["spec"]["template"]["spec"]
        cls.container, = cls.pod["containers"]

    def test_schemas(self):
        program = os.path.join(os.path.dirname(sys.executable), "kubernetes-validate")
        for version in VERSIONS:
            checked = subprocess.run([program, "--strict", "-k", version, FILE], capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            self.assertEqual((checked.stdout + checked.stderr).count(" passed "), len(self.parts))

    def test_names_fit_together(self):
        labels = self.parts["Deployment"]["spec"]["template"]["metadata"]["labels"]
        self.assertEqual(self.parts["Deployment"]["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(self.parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(self.parts["Service"]["spec"]["selector"], labels)
        self.assertEqual(self.parts["Service"]["spec"]["ports"][0]["targetPort"], self.container["ports"][0]["name"])
        for container in (self.container, *self.pod["initContainers"]):
            for mount in container["volumeMounts"]:
                self.assertIn(mount["name"], [volume["name"] for volume in self.pod["volumes"]])

    def test_no_variable_of_a_service_becomes_an_option(self):
        self.assertIs(self.pod["enableServiceLinks"], False)

    def test_live_is_not_ready(self):
        def patience(name):
            probe = self.container[name]
            self.assertEqual(probe["httpGet"], {"path": "/health", "port": "http"})
            return probe["periodSeconds"] * probe["failureThreshold"]

        self.assertLessEqual(patience("readinessProbe"), 3)
        self.assertGreaterEqual(patience("livenessProbe"), 30 * patience("readinessProbe"))
        self.assertGreaterEqual(patience("startupProbe"), 60)
        drain_s = self.container["lifecycle"]["preStop"]["sleep"]["seconds"] + 5
        self.assertGreater(self.pod["terminationGracePeriodSeconds"], drain_s)

    def test_locked(self):
        self.assertIs(self.pod["securityContext"]["runAsNonRoot"], True)
        self.assertIs(self.pod["automountServiceAccountToken"], False)
        for container in (self.container, *self.pod["initContainers"]):
            context = container["securityContext"]
            self.assertEqual((context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"], context["capabilities"]),
                             (False, True, {"drop": ["ALL"]}))
            self.assertIn("memory", container["resources"]["limits"])
            self.assertIn("cpu", container["resources"]["requests"])

    def test_the_program_takes_the_arguments(self):
        """All but the address, which is not this machine's business."""
        program = os.environ["EMBEDD_PROGRAM"]
        command, *options = self.container["args"]
        text = subprocess.run([program, command, "--help"], capture_output=True, text=True).stdout
        for option in options:
            if option.startswith("--"):
                self.assertIn(option, text)
        for variable in self.container["env"]:
            if variable["name"].startswith("EMBEDD_"):
                pulls = subprocess.run([program, "pull", "--help"], capture_output=True, text=True).stdout
                self.assertIn(variable["name"], text + pulls)

    def test_the_image_has_the_program_s_libraries(self):
        """The Containerfile's last stage against what the built program asks for."""
        with open(os.path.join(ROOT, "deploy", "Containerfile")) as file:
            last = file.read().rpartition("FROM ")[2]
        asked = subprocess.run(["readelf", "-d", os.environ["EMBEDD_PROGRAM"]], capture_output=True, text=True).stdout
        for name, major in re.findall(r"Shared library: \[(lib[\w+-]+)\.so\.(\d+)\]", asked):
            if name not in ("libc", "libm", "libpthread", "libasan", "libubsan", "libtsan"):
                self.assertRegex(last, r"\b%s-?%s\b" % (re.escape(name), major))


if __name__ == "__main__":
    unittest.main()
