"""Every header and shared library that the build used belongs to a package of tools/packages.txt or to one that such a package pulls in.

usage: packages_test.py ROOT BUILD     BUILD: a directory that Ninja has built, all of it. Exit 1 names file and package, 77: not Ninja's.
Headers are those of `ninja -t deps`, libraries those of ldd over the programs in BUILD/bin.
"""
import os
import re
import subprocess
import sys


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True).stdout


def used_headers(build):
    """Absolute paths, in no order."""
    found = set()
    for line in output("ninja", "-C", build, "-t", "deps").splitlines():
        if line.startswith("    "):
            found.add(os.path.normpath(os.path.join(build, line.strip())))
    return found


def used_libraries(build):
    found = set()
    programs = os.path.join(build, "bin")
    for name in sorted(os.listdir(programs)) if os.path.isdir(programs) else []:
        for line in output("ldd", os.path.join(programs, name)).splitlines():
            match = re.search(r"(/\S+) \(0x", line)
            if match:
                found.add(match.group(1))
    return found


def spellings(path):
    """The names under which dpkg may know a file: links resolved or not, /usr merged or not."""
    names = []
    for name in (path, os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)), os.path.realpath(path)):
        names.append(name)
        names.append(name[len("/usr"):] if name.startswith("/usr/") else "/usr" + name)
    return list(dict.fromkeys(names))


def owners(paths):
    """{path: package}; a path that no package owns is missing. A diverted file belongs to whom the original belongs to."""
    original = {}
    for line in output("dpkg-divert", "--list").splitlines():
        match = re.match(r"(?:local )?diversion of (\S+) to (\S+)", line)
        if match:
            original[match.group(2)] = match.group(1)
    names = {path: [original.get(name, name) for name in spellings(path)] for path in paths}
    wanted = sorted({name for several in names.values() for name in several})
    known = {}
    for start in range(0, len(wanted), 2000):
        for line in output("dpkg", "-S", *wanted[start : start + 2000]).splitlines():
            packages, separator, name = line.partition(": ")
            if separator and not line.startswith("diversion by "):
                known[name] = packages.split(",")[0].split(":")[0].strip()
    found = {path: [known[name] for name in several if name in known] for path, several in names.items()}
    return {path: packages[0] for path, packages in found.items() if packages}


def installed_packages():
    """{package: [names it depends on]} and {virtual name: {packages}} of what is installed."""
    depends, provides = {}, {}
    for line in output("dpkg-query", "-W", "-f", "${Package}\t${Provides}\t${Depends}, ${Pre-Depends}\n").splitlines():
        package, provided, needed = line.split("\t")
        name_of = lambda text: re.split(r"[\s(:]", text.strip())[0]
        depends.setdefault(package, []).extend(name_of(one) for group in needed.split(",") for one in group.split("|") if one.strip())
        for name in [package] + [name_of(one) for one in provided.split(",") if one.strip()]:
            provides.setdefault(name, set()).add(package)
    return depends, provides


def with_dependencies(listed):
    depends, provides = installed_packages()
    seen, todo = set(), list(listed)
    while todo:
        for package in provides.get(todo.pop(), ()):
            if package not in seen:
                seen.add(package)
                todo.extend(depends[package])
    return seen


def complaints(owner_of, paths, listed):
    allowed = with_dependencies(listed)
    first = {}
    for path in sorted(paths):
        package = owner_of.get(path)
        if package is None:
            first.setdefault(path, f"{path} belongs to no Debian package")
        elif package not in allowed:
            first.setdefault(package, f"{path} is of package {package}, which tools/packages.txt neither lists nor pulls in")
    return list(first.values())


def main():
    root, build = (os.path.realpath(argument) for argument in sys.argv[1:3])
    if not os.path.exists(os.path.join(build, "build.ninja")):
        print(f"{build}: not built by Ninja")
        return 77
    with open(os.path.join(root, "tools", "packages.txt"), encoding="utf-8") as text:
        listed = [line.strip() for line in text if line.strip() and not line.startswith("#")]
    inside = tuple(directory + os.sep for directory in (root, build))
    headers = {path for path in used_headers(build) if not path.startswith(inside)}
    libraries = {path for path in used_libraries(build) if not path.startswith(inside)}
    if not headers or not libraries:
        print(f"{build}: {len(headers)} headers and {len(libraries)} libraries of the system: the build is not complete")
        return 1
    paths = headers | libraries
    owner_of = owners(paths)

    # The comparison itself is tested: without each of these the list must be found wanting.
    for needed in ("libsystemc-dev", "libgtest-dev"):
        if not complaints(owner_of, paths, [package for package in listed if package != needed]):
            print(f"a list without {needed} went unnoticed")
            return 1

    found = complaints(owner_of, paths, listed)
    print("\n".join(found) if found else f"{len(headers)} headers and {len(libraries)} libraries of {len(set(owner_of.values()))} packages")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
