"""Every C++ file is as clang-format leaves it.

usage: style_test.py ROOT     exit 1 lists what differs.
"""
import os
import subprocess
import sys

FOLDERS = ["sim", "fabric", "memoryx", "models", "workloads", "tools", "tests"]


def main():
    root = sys.argv[1]
    files = []
    for folder in FOLDERS:
        for directory, _, names in os.walk(os.path.join(root, folder)):
            files += [os.path.join(directory, name) for name in sorted(names) if name.endswith((".h", ".cpp"))]
    if not files:
        print(f"{root}: no C++ files")
        return 1
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], stderr=subprocess.PIPE, text=True, check=False)
    wrong = sorted({line.split(":")[0] for line in result.stderr.splitlines() if ": error: " in line})
    for path in wrong:
        print(f"{os.path.relpath(path, root)}: not formatted; run clang-format -i on it")
    if result.returncode != 0 and not wrong:
        print(result.stderr)
    return 1 if result.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
