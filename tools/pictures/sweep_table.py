"""sweep.csv as axes and figures.

First column `id`, then the axes, named by their key path, then the figures, from the first name of FIGURES on; a point that failed has an
`error` and no figures.
"""
import os
import re

from pictures.inputs import BadInput, read_rows

FIGURES = {  # name: (label, unit)
    "step_seconds": ("time of a step", "s"),
    "step_cycles": ("time of a step", "cycles"),
    "samples_per_second": ("samples a second", ""),
    "tokens_per_second": ("tokens a second", ""),
    "bound_by": ("bound by", ""),
    "bound_seconds": ("lower bound of a step's time", "s"),
    "utilization": ("utilisation of peak model flops", ""),
    "joules_per_token": ("energy a token", "J"),
    "exposed_stream_seconds": ("stream that nothing hides, a step", "s"),
    "error": ("error", ""),
    "status": ("status", ""),
    "exit_code": ("exit code", ""),
}
KEY_UNITS = (("bandwidth", "B/s"), ("clock", "Hz"), ("_bytes", "B"), ("sram.bytes", "B"), ("latency", "s"), ("_cycles", "cycles"))
PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "Ki": 2.0**10,
            "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
UNITS = {"B/s": ("B/s", 1.0), "b/s": ("B/s", 0.125), "Hz": ("Hz", 1.0), "B": ("B", 1.0), "s": ("s", 1.0), "/s": ("/s", 1.0)}
QUANTITY = re.compile(r"([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(Ki|Mi|Gi|Ti|[kMGTPmunp]?)(B/s|b/s|Hz|B|s|/s)")


def quantity(text):
    """(value, unit) of "150 GB/s" or "4096", in the base unit; None of other text."""
    found = QUANTITY.fullmatch(text.strip())
    try:
        if found is None:
            return float(text), ""
        unit, factor = UNITS[found[3]]
        return float(found[1]) * PREFIXES[found[2]] * factor, unit
    except ValueError:
        return None


def with_prefix(value, unit):
    if unit == "B":
        exponent = max((i for i in range(4) if abs(value) >= 2.0 ** (10 * i)), default=0)
        return f"{value / 2.0 ** (10 * exponent):.4g} {('', 'Ki', 'Mi', 'Gi')[exponent]}B"
    for prefix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0), ("m", 1e-3), ("µ", 1e-6)):
        if abs(value) >= scale:
            return f"{value / scale:.4g} {prefix}{unit}"
    return f"{value:.4g} {unit}"


def unit_of_key(name):
    return next((unit for ending, unit in KEY_UNITS if name.endswith(ending)), "")


class Axis:
    """values: as the table writes them, ascending where they are numbers; numbers: the same as floats, None where they are not."""

    def __init__(self, name, cells):
        self.name = name
        self.values = list(dict.fromkeys(cells))
        read = [quantity(value) for value in self.values]
        units = {one[1] for one in read if one} - {""}  # a plain number is in the base unit
        self.numbers, self.unit = None, ""
        if None not in read and len(units) <= 1:
            order = sorted(range(len(read)), key=lambda i: read[i][0])
            self.values = [self.values[i] for i in order]
            self.numbers = [read[i][0] for i in order]
            self.unit = units.pop() if units else unit_of_key(name)

    def text(self, value):
        """A value as a tick shows it."""
        try:
            number = float(value)
        except ValueError:
            return value or "null"  # with a unit of its own, or no number
        if self.unit and self.unit != "cycles":
            return with_prefix(number, self.unit)
        return f"{number:,.10g}" + (f" {self.unit}" if self.unit else "")

    @property
    def logarithmic(self):
        return self.numbers is not None and len(self.numbers) > 2 and self.numbers[0] > 0 and self.numbers[-1] >= 8 * self.numbers[0]


class Sweep:
    """axes: those of more than one value; of axes that vary together (zipped) only the first, or systems; the others are in `alongside`."""

    def __init__(self, directory):
        self.directory = directory
        path = os.path.join(directory, "sweep.csv")
        self.header, rows = read_rows(directory, "sweep.csv", ("id",))
        first = next((i for i, name in enumerate(self.header) if name in FIGURES), None)
        if first is None:
            raise BadInput(f"{path}: no column of figures, such as step_seconds")
        self.points = [dict(zip(self.header, row)) for _, row in rows]
        names = [name for name in self.header[:first] if name != "id"]
        self.axes, self.alongside = [], {}
        for name in names:
            axis = Axis(name, [point[name] for point in self.points])
            if len(axis.values) < 2:
                continue
            twin = next((other for other in self.axes if self._together(other.name, name)), None)
            if twin is None:
                self.axes.append(axis)
            elif name == "systems":  # which the scaling plot is over
                self.axes[self.axes.index(twin)] = axis
                self.alongside[name] = [twin.name, *self.alongside.pop(twin.name, [])]
            else:
                self.alongside.setdefault(twin.name, []).append(name)

    def _together(self, one, other):
        pairs = {(point[one], point[other]) for point in self.points}
        return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})

    def axis(self, name):
        for axis in self.axes:
            if name == axis.name or name in self.alongside.get(axis.name, ()):
                return axis
        path, known = os.path.join(self.directory, "sweep.csv"), [axis.name for axis in self.axes]
        raise BadInput(f"{path}: no axis {name} of more than one value; those are: {', '.join(known) or 'none'}")

    def number(self, point, column):
        """Of a figure or an axis; NaN where the point has none."""
        read = quantity(point[column] or "nan")
        if read is None:
            path = os.path.join(self.directory, "sweep.csv")
            raise BadInput(f"{path}: point {point['id']}, column {column}: {point[column]!r} is not a number")
        return read[0]

    def has(self, column):
        return column in self.header and any(self.number(point, column) == self.number(point, column) for point in self.points)

    def select(self, fixed):
        """The points with these values of axes."""
        return [point for point in self.points if all(point[name] == value for name, value in fixed.items())]


def label_of(figure):
    label, unit = FIGURES.get(figure, (figure, unit_of_key(figure)))
    return f"{label} ({unit})" if unit else label
