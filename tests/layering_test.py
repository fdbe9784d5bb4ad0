"""Include directions: sim <- fabric <- memoryx <- models <- workloads <- tools, and what else the tree promises about its files.

usage: layering_test.py [ROOT]     prints one line a violation; the tests at the end run first and check the checker on made-up trees.
"""
import fnmatch
import os
import re
import sys
import tempfile
import unittest

LAYERS = ["sim", "fabric", "memoryx", "models", "workloads", "tools"]
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "tests", "build", "runs", *LAYERS}
# The SystemC shells; everything else is plain C++ with time passed in.
SYSTEMC_SHELLS = ["models/*_module.h", "models/*_module.cpp", "models/systemc/*", "tools/trainer/*", "tools/wafersim/main.cpp", "tests/*"]
MAX_LINES = 400
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def read_tree(root):
    """{path from the root: (line count, [(bracket, included)])} of every C++ file."""
    files = {}
    for folder in LAYERS + ["tests"]:
        for directory, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith((".h", ".cpp")):
                    path = os.path.join(directory, name)
                    with open(path, encoding="utf-8") as source:
                        text = source.read()
                    files[os.path.relpath(path, root)] = (text.count("\n"), INCLUDE.findall(text))
    return files


def is_systemc(included):
    return included in ("systemc", "systemc.h", "tlm", "tlm.h") or included.startswith(("sysc/", "tlm_core/", "tlm_utils/"))


def closure(files, start):
    """Project files that `start` includes, directly or not."""
    seen, todo = set(), [start]
    while todo:
        for bracket, included in files[todo.pop()][1]:
            if bracket == '"' and included in files and included not in seen:
                seen.add(included)
                todo.append(included)
    return seen


def violations(files):
    found = []
    for path, (lines, includes) in sorted(files.items()):
        folder = path.split("/")[0]
        if lines > MAX_LINES:
            found.append(f"{path}: {lines} lines, the limit is {MAX_LINES}")
        for bracket, included in includes:
            if bracket == "<":
                if included.split("/")[0] in LAYERS:
                    found.append(f"{path}: <{included}> is a file of the project: use quotes")
                if is_systemc(included) and not any(fnmatch.fnmatch(path, shell) for shell in SYSTEMC_SHELLS):
                    found.append(f"{path}: includes <{included}> and is not a SystemC shell")
                continue
            if included not in files:
                found.append(f'{path}: "{included}" is not the path of a file from the root')
            elif folder != "tests" and (included.startswith("tests/") or LAYERS.index(included.split("/")[0]) > LAYERS.index(folder)):
                found.append(f'{path}: {folder} must not include "{included}"')
        reached = closure(files, path)
        if folder == "workloads":
            for header in sorted(reached):
                if any(is_systemc(included) for _, included in files[header][1]):
                    found.append(f"{path}: workloads must not reach SystemC, which {header} includes")
        if path.startswith("workloads/reference/"):
            for header in sorted(reached):
                if header.startswith(("workloads/kernels/", "models/")):
                    found.append(f"{path}: the reference must not reach {header}")
    return found


def stray_entries(names):
    strays = sorted(name for name in names if name not in TOP_LEVEL and not name.startswith("."))
    return [f"{name}: not one of the entries of the top level" for name in strays]


class Checker(unittest.TestCase):
    def found(self, tree):
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as out:
                    out.write(text)
            return violations(read_tree(root))

    def test_a_lower_layer_may_be_included(self):
        self.assertEqual(self.found({"sim/a.h": "#include <vector>\n", "fabric/b.cpp": '#include "sim/a.h"\n'}), [])

    def test_a_higher_layer_may_not(self):
        self.assertIn('sim must not include "fabric/b.h"', self.found({"sim/a.h": '#include "fabric/b.h"\n', "fabric/b.h": ""})[0])

    def test_tests_may_include_all_and_nobody_includes_tests(self):
        self.assertEqual(self.found({"tests/a.cpp": '#include "tools/b.h"\n', "tools/b.h": ""}), [])
        self.assertEqual(len(self.found({"tests/a.h": "", "tools/b.h": '#include "tests/a.h"\n'})), 1)

    def test_systemc_belongs_to_the_shells(self):
        self.assertIn("not a SystemC shell", self.found({"models/core.h": "#include <systemc>\n"})[0])
        self.assertEqual(self.found({"models/core_module.h": "#include <systemc>\n"}), [])

    def test_workloads_do_not_reach_systemc_through_others(self):
        tree = {
            "models/a_module.h": "#include <systemc>\n",
            "models/b.h": '#include "models/a_module.h"\n',
            "workloads/c.cpp": '#include "models/b.h"\n',
        }
        self.assertIn("must not reach SystemC, which models/a_module.h", self.found(tree)[0])

    def test_the_reference_knows_neither_kernels_nor_models(self):
        tree = {
            "workloads/kernels/k.h": "",
            "workloads/x.h": '#include "workloads/kernels/k.h"\n',
            "workloads/reference/r.h": '#include "workloads/x.h"\n',
        }
        self.assertIn("must not reach workloads/kernels/k.h", self.found(tree)[0])
        self.assertEqual(len(self.found({"models/m.h": "", "workloads/reference/r.h": '#include "models/m.h"\n'})), 1)

    def test_paths_start_at_the_root(self):
        self.assertEqual(len(self.found({"sim/a.h": "", "sim/b.h": '#include "a.h"\n'})), 1)
        self.assertEqual(len(self.found({"sim/a.h": "", "fabric/b.h": '#include "../sim/a.h"\n'})), 1)
        self.assertEqual(len(self.found({"sim/a.h": "", "fabric/b.h": "#include <sim/a.h>\n"})), 1)

    def test_a_file_has_its_limit(self):
        self.assertEqual(self.found({"sim/a.h": "\n" * MAX_LINES}), [])
        self.assertEqual(len(self.found({"sim/a.h": "\n" * (MAX_LINES + 1)})), 1)

    def test_the_top_level_is_closed(self):
        self.assertEqual(len(stray_entries(["sim", ".git", "LICENSE", "notes.txt"])), 1)


if __name__ == "__main__":
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), ".."))
    if not unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful():
        sys.exit(1)
    tree = read_tree(root)
    found = violations(tree) + stray_entries(os.listdir(root))
    print("\n".join(found) if found else f"{len(tree)} files obey")
    sys.exit(1 if found or not tree else 0)
