"""A value change dump by the rules of IEEE 1364, read whole."""

UNITS = {"1 ns": 10**9, "1 ps": 10**12, "1 fs": 10**15}


def require(holds, *what):
    if not holds:
        raise AssertionError(" ".join(str(part) for part in what))


class Dump:
    """per_second: of its unit. changes: {(scope, name): [(time, value)]}, the first at `first`; it ends at `last`. names: of activities."""

    def __init__(self, path):
        self.changes, self.names = {}, {}
        with open(path, encoding="ascii") as file:
            lines = file.read().split("\n")
        require(lines.pop() == "", "the last line is whole")
        body = self._read_head(lines)
        times = self._read_body(lines[body:])
        self.first, self.last = times[0], times[-1]

    def _read_head(self, lines):
        self.by_id, scopes = {}, []
        for number, line in enumerate(lines):
            words = line.split()
            if words[0] == "$timescale":
                self.per_second = UNITS[" ".join(words[1:3])]
            elif words[0] == "$scope":
                scopes.append(words[2])
            elif words[0] == "$upscope":
                scopes.pop()
            elif words[0] == "$var":
                _, kind, bits, identifier, name, end = words
                require(kind == "wire" and end == "$end" and identifier not in self.by_id and len(scopes) == 2, line)
                self.by_id[identifier] = (scopes[-1], name, int(bits))
                self.changes[(scopes[-1], name)] = []
            elif words[0] == "$enddefinitions":
                require(not scopes, "scopes that are open", scopes)
                return number + 1
            elif line.startswith("  "):  # of the comment
                self.names[words[1]] = int(words[0])
        raise AssertionError("no $enddefinitions")

    def _read_body(self, lines):
        times, said = [], set()
        for line in lines:
            if line.startswith("#"):
                require(not times or int(line[1:]) > times[-1] or line == lines[-1], "times ascend:", line)
                times.append(int(line[1:]))
                said = set()
            elif line not in ("$dumpvars", "$end"):
                value, identifier = line[1:].split() if line[0] == "b" else (line[0], line[1:])
                scope, name, bits = self.by_id[identifier]
                value = int(value, 2)
                changes = self.changes[(scope, name)]
                require(value < 2**bits and identifier not in said, "a value", line)
                require(not changes or changes[-1][1] != value, "no change:", line)
                said.add(identifier)
                changes.append((times[-1], value))
        require(all(changes and changes[0][0] == times[0] for changes in self.changes.values()), "first values")
        return times

    def time_at(self, scope, name, value):
        """How long a variable has a value, in the dump's unit."""
        changes = self.changes[(scope, name)] + [(self.last, None)]
        return sum(after - time for (time, now), (after, _) in zip(changes, changes[1:]) if now == value)
