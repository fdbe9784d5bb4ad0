"""A run directory as values for its pictures."""
import math
import os
import re

from pictures.inputs import BadInput, read_json, read_numbers, read_text

FRAME = re.compile(r"(step|layer) \d+")
LARGEST_SIDE = 4096  # PEs, as fabric.width and fabric.height


class RunInputs:
    """Everything that a run's pictures and page show; read before anything is written. `omitted`: (picture, why it is not drawn)."""

    def __init__(self, directory):
        self.directory = directory
        self.omitted = []
        self.report = read_json(directory, "report.json")
        self.text = read_text(directory, "report.txt")
        self.steps = read_numbers(directory, "steps.csv", ("step", "loss", "seconds"))
        self.tracks, self.left_out_of_trace = None, []
        if "trace_file" in self.report:
            self.tracks = read_trace(directory)
            self.left_out_of_trace = self._of_report("trace_file", left_out_of_trace)
        else:
            self.omitted.append(("Timeline", "the run left no trace (--no-trace)"))
        self.kernels = self._of_report("breakdown", kernels_of)
        self.layers = self._of_report("breakdown", layers_of)
        self.roofline = self._of_report("roofline", roofline_of)
        self.sram = self._of_report("memory", sram_of)
        self.pes = None
        if self.report.get("fidelity") == "sampled":
            self.omitted.append(("Heat maps of the wafer", "the run is sampled: PEs are not simulated one by one (fidelity wavelet does)"))
        else:
            self.pes = read_pes(directory)
        if all(math.isnan(loss) for loss in self.steps["loss"]):
            self.omitted.append(("Loss", "the run computed no numbers (numerics off)"))

    @property
    def has_loss(self):
        return not all(math.isnan(loss) for loss in self.steps["loss"])

    def _of_report(self, what, function):
        try:
            return function(self.report)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError) as error:
            path = os.path.join(self.directory, "report.json")
            raise BadInput(f"{path}: {what}: {type(error).__name__}: {error}; made by another version of wafersim?") from error


def kernel_name(row):
    return f"{row['kernel']} ({row['phase'].replace('_', ' ')})" if row.get("phase") else row["kernel"].replace("_", " ")


def kernels_of(report):
    """{kernel: {part: cycles}}: each row's cycles divided in proportion to its PEs' busy, stalled and idle time."""
    kernels = {}
    for row in report["breakdown"]:
        parts = {"busy": float(row["busy"])}
        parts.update({f"stalled: {cause.replace('_', ' ')}": float(value) for cause, value in row.get("stalls", {}).items()})
        parts["idle"] = float(row.get("idle", 0))
        total = sum(parts.values())
        if total <= 0:
            parts, total = {"idle": 1.0}, 1.0
        kernel = kernels.setdefault(kernel_name(row), {})
        for part, value in parts.items():
            kernel[part] = kernel.get(part, 0.0) + float(row["cycles"]) * value / total
    if not kernels:
        raise ValueError("no rows")
    return dict(sorted(kernels.items(), key=lambda item: -sum(item[1].values())))


def layers_of(report):
    """{layer or None: {kernel: cycles}}, layers ascending, None (of no layer) first."""
    layers = {}
    for row in report["breakdown"]:
        kernels = layers.setdefault(row["layer"], {})
        kernels[kernel_name(row)] = kernels.get(kernel_name(row), 0.0) + float(row["cycles"])
    return {layer: layers[layer] for layer in sorted(layers, key=lambda layer: -1 if layer is None else layer)}


def roofline_of(report):
    """Peaks in FLOP/s and bytes/s, and a point for each row that multiplies: FLOP a second, and FLOP a byte of the link's busier direction
    (None: no words pass the link)."""
    clock, peaks = float(report["mesh"]["clock_hz"]), report["step"]["peaks"]
    bytes_a_cycle = float(peaks["link_bytes_per_cycle"])
    points, without = [], 0
    for row in report["breakdown"]:
        flops = 2.0 * float(row["macs"])
        if flops <= 0 or row["cycles"] <= 0:
            without += 1
            continue
        stream = bytes_a_cycle * max(float(row["bound"]["weight_stream"]), float(row["bound"]["gradient_stream"]))
        points.append({"kernel": row["kernel"], "phase": row.get("phase", ""), "rate": flops / float(row["cycles"]) * clock,
                       "intensity": flops / stream if stream > 0 else None})
    return {"flops": 2.0 * float(peaks["macs_per_cycle"]) * clock, "bytes": bytes_a_cycle * clock, "points": points, "without": without}


def sram_of(report):
    """Arrays of a PE as boxes of time and address."""
    memory, boxes = report["memory"], []
    for array in memory["sram"]:
        ends = [stage[0] for stage in array["stages"][1:]] + [array["until"]]
        for (begin, size), end in zip(array["stages"], ends):
            place = {"address": int(array["address"]), "bytes": int(size)}
            boxes.append({"name": array["name"], **place, "from": int(begin), "until": int(end)})
    if not boxes:
        raise ValueError("no arrays")
    return {"capacity": int(memory["sram_bytes_per_pe"]), "peak": int(memory["sram_peak_bytes_per_pe"]), "boxes": boxes}


def read_pes(directory):
    """The table of PEs; x and y are whole numbers below the largest mesh's side."""
    table = read_numbers(directory, "heatmap.csv", ("x", "y", "busy", "idle", "flits_n", "flits_e", "flits_s", "flits_w", "flits_ramp"))
    for axis in "xy":
        for value in table[axis]:
            if not (0 <= value < LARGEST_SIDE and value == int(value)):
                raise BadInput(f"{os.path.join(directory, 'heatmap.csv')}: {axis} = {value} is no PE's")
    return table


def shown_name(name, track):
    """What a slice is called in a picture; None: it only lies around others."""
    if FRAME.fullmatch(name):
        return None
    return "update" if track == "optimizer" or track.endswith(", updates") else name  # tensors are too many for a legend


def left_out_of_trace(report):
    """Sentences."""
    shown = report["trace_file"]
    sentences = [f"Of {what} {shown[what]} alone" for what in ("steps", "layers") if shown.get(what, "all") != "all"]
    if shown.get("cut"):
        sentences.append(f"Cut at {int(shown['limit_bytes']):,} bytes: {int(shown['steps_left_out'])} steps are missing, "
                         f"{int(shown['steps_in_part'])} have parts missing")
    return sentences


def read_trace(directory):
    """{track: [(name, start, duration)]} in microseconds: complete events and pairs of B and E, tracks in the order of the trace's ids."""
    path = os.path.join(directory, "trace.json")
    trace = read_json(directory, "trace.json")
    names, processes, tracks, open_slices = {}, {}, {}, {}
    try:
        for event in trace["traceEvents"] if isinstance(trace, dict) else trace:
            track = (event.get("pid", 0), event.get("tid", 0))
            if event["ph"] == "M" and event["name"] == "thread_name":
                names[track] = event["args"]["name"]
            elif event["ph"] == "M" and event["name"] == "process_name":
                processes[track[0]] = event["args"]["name"]
            elif event["ph"] == "X":
                tracks.setdefault(track, []).append((event["name"], float(event["ts"]), float(event["dur"])))
            elif event["ph"] == "B":
                open_slices.setdefault(track, []).append((event["name"], float(event["ts"])))
            elif event["ph"] == "E":
                name, begin = open_slices[track].pop()
                tracks.setdefault(track, []).append((name, begin, float(event["ts"]) - begin))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BadInput(f"{path}: {type(error).__name__}: {error}") from error
    if not tracks:
        raise BadInput(f"{path}: no slices (ph X, or B and E)")
    several = len({pid for pid, _ in tracks}) > 1
    named = {}
    for track in sorted(tracks):
        name = names.get(track, f"track {track[1]}")
        if several:
            name = f"{processes.get(track[0], f'process {track[0]}')}: {name}"
        slices = [(shown_name(slice_[0], names.get(track, "")), *slice_[1:]) for slice_ in tracks[track]]
        named[name if name not in named else f"{name} ({track[0]}, {track[1]})"] = [slice_ for slice_ in slices if slice_[0] is not None]
    return named
