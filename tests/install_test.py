"""What `cmake --install` leaves: a program that needs neither source nor build tree, and libraries for projects of others.

usage: install_test.py ROOT BUILD     installs BUILD to a temporary prefix, uses it, and builds tests/install_example with it.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT, BUILD = (os.path.realpath(argument) for argument in sys.argv[1:3])
del sys.argv[1:3]
CONFIG = os.path.join(ROOT, "tests", "golden", "runs", "gpt2.json")


def call(*command, cwd="/"):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="wafersim_install_")
        cls.prefix = os.path.join(cls.folder.name, "prefix")
        call("cmake", "--install", BUILD, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def at(self, *parts):
        return os.path.join(self.prefix, *parts)

    def test_no_installed_file_knows_where_it_was_built(self):
        seen = 0
        for directory, _, names in os.walk(self.prefix):
            for name in names:
                with open(os.path.join(directory, name), "rb") as file:
                    content = file.read()
                seen += 1
                for place in (ROOT, BUILD):
                    self.assertNotIn(place.encode(), content, os.path.join(directory, name))
        self.assertGreater(seen, 100)

    def test_the_program_finds_its_presets_from_anywhere(self):
        plan = json.loads(call(self.at("bin", "wafersim"), "plan", "gptj-6b-cs2", "--json"))
        self.assertEqual(plan["model"], "gptj-6b")
        self.assertIn("width-link-batch-cs2", call(self.at("bin", "wafersim"), "presets"))

    def test_manual_pages_and_completion_are_those_of_the_program(self):
        program = self.at("bin", "wafersim")
        pages = sorted(os.listdir(self.at("share", "man", "man1")))
        self.assertIn("wafersim.1", pages)
        self.assertGreaterEqual(len(pages), 9)
        pages.remove("wafersim-plot.1")
        for page in pages:
            command = page[len("wafersim"):-len(".1")].lstrip("-")
            with open(self.at("share", "man", "man1", page), encoding="utf-8") as file:
                self.assertEqual(file.read(), call(program, "manual", *([command] if command else [])), page)
        with open(self.at("share", "bash-completion", "completions", "wafersim"), encoding="utf-8") as file:
            self.assertEqual(file.read(), call(program, "completion", "bash"))

    def test_pictures_are_drawn_by_what_is_installed(self):
        self.assertIn("curves-X", call(self.at("bin", "wafersim-plot"), "--help"))
        self.assertTrue(os.path.realpath(self.at("bin", "wafersim-plot")).startswith(os.path.realpath(self.prefix)))
        with open(self.at("share", "man", "man1", "wafersim-plot.1"), encoding="utf-8") as page:
            self.assertIn("curves\\-X", page.read())

    def test_a_project_of_others_adds_a_kernel_and_a_machine(self):
        project, build = os.path.join(self.folder.name, "project"), os.path.join(self.folder.name, "build")
        shutil.copytree(os.path.join(ROOT, "tests", "install_example"), project)
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        call("cmake", "-G", "Ninja", "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", *launcher)
        call("cmake", "--build", build)
        with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
            self.assertIn(f"wafersim_DIR:PATH={self.prefix}", cache.read())

        kernel = json.loads(call(os.path.join(build, "my_kernel")))
        self.assertEqual(kernel["wrong"], 0)
        self.assertGreater(kernel["cycles"], 100)

        stock, own = (json.loads(call(os.path.join(build, "my_machine"), CONFIG, which)) for which in ("stock", "own"))
        with open(os.path.join(ROOT, "tests", "golden", "runs", "gpt2-cs2-wavelet.golden.json"), encoding="utf-8") as file:
            golden = json.load(file)["figures"]
        self.assertEqual(stock["step"], golden["step"])
        self.assertEqual(stock["loss"], golden["loss"])
        self.assertEqual(own["machine"], "slow-network")
        self.assertEqual(own["loss"], stock["loss"])  # numbers do not depend on the machine's times
        self.assertEqual(own["digests"], stock["digests"])
        self.assertGreater(own["step"]["cycles"], stock["step"]["cycles"])
        keys = [assumption["key"] for assumption in own["assumptions"]]
        self.assertIn("core.output_switch_cycles", keys)
        self.assertNotIn("core.clock", keys)


if __name__ == "__main__":
    unittest.main()
