#!/usr/bin/python3
"""Draws a run directory of `wafersim run` as PNG files in it and prints their paths.

usage: plot.py RUN
  loss.png       steps.csv      loss and gradient norm of every step
  breakdown.png  report.json    cycles of a step by kernel, divided into busy and the causes of stalls
  timeline.png   trace.json     compute against streams: a track per serial resource, the last step where there are several
  heatmap.png    heatmap.csv    busy and stalled cycles, traffic and memory of every PE

Everything is read before anything is written; a picture appears whole or not at all. Exit 2: a file is missing or not what it should be.
"""
import csv
import json
import os
import sys


LARGEST_SIDE = 4096  # PEs, as fabric.width and fabric.height


class BadInput(Exception):
    """One line that names the file and what is wrong with it."""


def open_input(run, name):
    path = os.path.join(run, name)
    try:
        return open(path, encoding="utf-8", newline="")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def read_json(run, name):
    with open_input(run, name) as source:
        try:
            return json.load(source)
        except ValueError as error:
            raise BadInput(f"{source.name}: not JSON: {error}") from error


def read_table(run, name, needed):
    """{column: [float]} in the order of the file; true and false are 1 and 0, an empty cell is NaN, other text is an error."""
    with open_input(run, name) as source:
        reader = csv.reader(source)
        try:
            rows = [(reader.line_num, row) for row in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadInput(f"{source.name}: not a table: {error}") from error
        header = [cell.strip() for cell in rows[0][1]] if rows else []
        for column in needed:
            if column not in header:
                raise BadInput(f"{source.name}: no column {column}")
        columns = {column: [] for column in header}
        for line, row in rows[1:]:
            if len(row) != len(header):
                raise BadInput(f"{source.name}: line {line} has {len(row)} columns, the header {len(header)}")
            for column, cell in zip(header, row):
                try:
                    columns[column].append(float({"true": "1", "false": "0", "": "nan"}.get(cell, cell)))
                except ValueError:
                    raise BadInput(f"{source.name}: line {line}, column {column}: {cell!r} is not a number") from None
        if not columns[header[0]]:
            raise BadInput(f"{source.name}: no rows")
        return columns


def read_heatmap(run):
    """The table of PEs; x and y are whole numbers below the largest mesh's side."""
    table = read_table(run, "heatmap.csv", ("x", "y", "busy", "sram_bytes"))
    for axis in "xy":
        for value in table[axis]:
            if not (0 <= value < LARGEST_SIDE and value == int(value)):
                raise BadInput(f"{os.path.join(run, 'heatmap.csv')}: {axis} = {value} is no PE's")
    return table


def read_breakdown(run):
    """{kernel: {part: cycles}}: each row's cycles divided in proportion to its PEs' busy, stalled and idle time."""
    path = os.path.join(run, "report.json")
    kernels = {}
    try:
        rows = read_json(run, "report.json")["breakdown"]
        for row in rows:
            parts = {"busy": float(row["busy"])}
            parts.update({f"stalled: {cause.replace('_', ' ')}": float(value) for cause, value in row.get("stalls", {}).items()})
            parts["idle"] = float(row.get("idle", 0))
            total = sum(parts.values())
            if total <= 0:
                parts, total = {"idle": 1.0}, 1.0
            kernel = kernels.setdefault(f"{row['kernel']} ({row['phase']})" if row.get("phase") else row["kernel"], {})
            for part, value in parts.items():
                kernel[part] = kernel.get(part, 0.0) + float(row["cycles"]) * value / total
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{path}: breakdown: {type(error).__name__}: {error}") from error
    if not kernels:
        raise BadInput(f"{path}: breakdown: no rows")
    return dict(sorted(kernels.items(), key=lambda item: -sum(item[1].values())))


def read_trace(run):
    """{track: [(name, start, duration)]} in microseconds, tracks in the order of the trace's thread ids."""
    path = os.path.join(run, "trace.json")
    trace = read_json(run, "trace.json")
    names, tracks = {}, {}
    try:
        for event in trace["traceEvents"] if isinstance(trace, dict) else trace:
            track = (event.get("pid", 0), event.get("tid", 0))
            if event["ph"] == "M" and event["name"] == "thread_name":
                names[track] = event["args"]["name"]
            elif event["ph"] == "X":
                tracks.setdefault(track, []).append((event["name"], float(event["ts"]), float(event["dur"])))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{path}: {type(error).__name__}: {error}") from error
    if not tracks:
        raise BadInput(f"{path}: no complete events (ph X)")
    return {names.get(track, f"track {track[1]}"): tracks[track] for track in sorted(tracks)}


def draw_loss(plt, steps):
    figure, axes = plt.subplots(figsize=(8, 4.5))
    axes.plot(steps["step"], steps["loss"], marker="o", markersize=3, color="tab:blue", label="loss")
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats a token)", color="tab:blue")
    axes.grid(alpha=0.3)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if "gradient_norm" in steps:
        right = axes.twinx()
        right.plot(steps["step"], steps["gradient_norm"], linewidth=1, color="tab:orange", alpha=0.8)
        right.set_ylabel("gradient norm", color="tab:orange")
    skipped = [(step, loss) for step, loss, skip in zip(steps["step"], steps["loss"], steps.get("skipped", [])) if skip]
    if skipped:
        axes.plot(*zip(*skipped), "x", color="tab:red", label="step skipped (overflow)")
        axes.legend()
    axes.set_title("Loss")
    return figure


def draw_breakdown(plt, kernels):
    parts = {}
    for kernel in kernels.values():
        for part, cycles in kernel.items():
            parts[part] = parts.get(part, 0.0) + cycles
    stalls = sorted((part for part, cycles in parts.items() if part.startswith("stalled") and cycles > 0), key=lambda part: -parts[part])
    order = ["busy", *stalls, *(["idle"] if parts.get("idle", 0.0) > 0 else [])]
    palette = plt.get_cmap("tab10").colors
    colors = {"busy": "tab:green", "idle": "lightgray"}
    colors.update({part: palette[(0, 1, 3, 4, 5, 6, 8, 9)[i % 8]] for i, part in enumerate(stalls)})

    figure, axes = plt.subplots(figsize=(10, 1.8 + 0.32 * len(kernels)))
    left = [0.0] * len(kernels)
    for part in order:
        widths = [kernel.get(part, 0.0) for kernel in kernels.values()]
        axes.barh(range(len(kernels)), widths, left=left, color=colors[part], label=part)
        left = [a + b for a, b in zip(left, widths)]
    total = sum(left)
    for i, width in enumerate(left):
        axes.text(width, i, f" {width:,.0f} ({100 * width / total if total else 0:.1f} %)", va="center", fontsize=8)
    axes.set_yticks(range(len(kernels)), list(kernels), fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, max(left) * 1.18 if total else 1)
    axes.set_xlabel("cycles a step, divided as the PEs' time is")
    axes.xaxis.set_major_formatter(plt.FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.legend(fontsize=8, loc="lower right")
    axes.set_title("Where the cycles of a step go")
    return figure


def draw_timeline(plt, tracks, last_step):
    begin = min(start for events in tracks.values() for _, start, _ in events)
    end = max(start + duration for events in tracks.values() for _, start, duration in events)
    title = "Compute against streams"
    if 0 < last_step < 0.75 * (end - begin):
        begin, title = end - last_step, title + ", last step"

    shown = {}  # time of each name within the window
    for events in tracks.values():
        for name, start, duration in events:
            shown[name] = shown.get(name, 0.0) + max(0.0, min(start + duration, end) - max(start, begin))
    palette = plt.get_cmap("tab20").colors
    ranked = sorted((name for name in shown if shown[name] > 0), key=lambda name: (-shown[name], name))
    colors = {name: palette[i % len(palette)] for i, name in enumerate(ranked)}

    figure, axes = plt.subplots(figsize=(12, 2.2 + 0.4 * len(tracks)))
    for i, events in enumerate(tracks.values()):
        clipped = [(name, max(start, begin), min(start + duration, end)) for name, start, duration in events]
        inside = [(name, start, stop) for name, start, stop in clipped if start < stop]
        spans = [(start, stop - start) for _, start, stop in inside]
        axes.broken_barh(spans, (i - 0.4, 0.8), facecolors=[colors[name] for name, _, _ in inside])
    axes.set_yticks(range(len(tracks)), list(tracks), fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(begin, end if end > begin else begin + 1)
    axes.set_xlabel("simulated time (µs)")
    axes.grid(axis="x", alpha=0.3)
    axes.set_title(title)
    handles = [plt.Rectangle((0, 0), 1, 1, color=colors[name]) for name in ranked[:16]]
    axes.legend(handles, ranked[:16], fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_heatmap(plt, table):
    width, height = (int(max(table[axis])) + 1 for axis in "xy")
    stalls = [name for name in table if name not in ("x", "y", "busy", "reduce", "idle", "sram_bytes") and not name.startswith("flits")]
    flits = [name for name in table if name.startswith("flits")]
    panels = [
        ("busy (cycles)", ["busy"]),
        ("stalled, all causes (cycles)", stalls),
        ("wavelets through the router", flits),
        ("SRAM in use (bytes)", ["sram_bytes"]),
    ]
    panels = [(title, columns) for title, columns in panels if columns]

    figure, grid = plt.subplots(2, 2, figsize=(11, 9), squeeze=False)
    for axes in grid.flat[len(panels):]:
        axes.set_visible(False)
    for axes, (title, columns) in zip(grid.flat, panels):
        cells = [[float("nan")] * width for _ in range(height)]
        for i, (x, y) in enumerate(zip(table["x"], table["y"])):
            cells[int(y)][int(x)] = sum(table[column][i] for column in columns)
        image = axes.imshow(cells, cmap="viridis", interpolation="nearest", aspect="equal")
        figure.colorbar(image, ax=axes, shrink=0.85)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("PE column (west to east)")
        axes.set_ylabel("PE row (north to south)")
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_major_locator().set_params(integer=True)
    figure.suptitle("The wafer, PE by PE")
    return figure


def save(figure, path):
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        figure.savefig(temporary, format="png", dpi=120, bbox_inches="tight", metadata={"Software": None})
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise BadInput(f"{path}: {error.strerror}") from error


def draw(run):
    if not os.path.isdir(run):
        raise BadInput(f"{run}: not a run directory")
    steps = read_table(run, "steps.csv", ("step", "loss"))
    kernels = read_breakdown(run)
    tracks = read_trace(run)
    table = read_heatmap(run)
    last_step = 1e6 * steps["seconds"][-1] if "seconds" in steps else 0.0

    try:
        import matplotlib
    except ImportError:
        raise BadInput("matplotlib is not there; install python3-matplotlib and use /usr/bin/python3") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    pictures = {
        "loss.png": draw_loss(pyplot, steps),
        "breakdown.png": draw_breakdown(pyplot, kernels),
        "timeline.png": draw_timeline(pyplot, tracks, last_step),
        "heatmap.png": draw_heatmap(pyplot, table),
    }
    for name, figure in pictures.items():
        save(figure, os.path.join(run, name))
        print(os.path.join(run, name))


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        asked = len(sys.argv) == 2 and sys.argv[1] in ("-h", "--help")
        print(__doc__.strip(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        draw(sys.argv[1])
    except BadInput as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
