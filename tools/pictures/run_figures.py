"""Pictures of a run over its steps, kernels and layers: functions from values to matplotlib figures."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
ROUNDING = 1e-4  # microseconds; a tenth of a cycle or so
MOST_NAMES = 16  # that a legend tells apart; others are black


def colors_of(plt, names, palette="tab20"):
    """{name: color}; of tab20 the strong colors first, then the pale ones."""
    shades = plt.get_cmap(palette).colors
    order = [*range(0, 20, 2), *range(1, 20, 2)] if palette == "tab20" else range(len(shades))
    return {name: shades[order[i % len(order)]] for i, name in enumerate(names)}


def thousands(plt, axis):
    axis.set_major_formatter(plt.FuncFormatter(lambda value, _: f"{value:,.0f}"))


def legend_outside(axes, handles, labels):
    axes.legend(handles, labels, fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))


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
    axes.set_xlim(0, max(left) * 1.25 if total else 1)
    axes.set_xlabel("cycles a step, divided as the PEs' time is")
    thousands(plt, axes.xaxis)
    axes.xaxis.get_major_locator().set_params(nbins=6)
    axes.legend(fontsize=8, loc="lower right")
    axes.set_title("Where the cycles of a step go, by kernel")
    return figure


def draw_layers(plt, layers):
    sums = {}
    for kernels in layers.values():
        for kernel, cycles in kernels.items():
            sums[kernel] = sums.get(kernel, 0.0) + cycles
    ranked = sorted((kernel for kernel in sums if sums[kernel] > 0), key=lambda kernel: (-sums[kernel], kernel))
    colors = colors_of(plt, ranked[:MOST_NAMES])

    figure, axes = plt.subplots(figsize=(min(14.0, 5.5 + 0.3 * len(layers)), 5))
    bottom = [0.0] * len(layers)
    for kernel in ranked:
        heights = [kernels.get(kernel, 0.0) for kernels in layers.values()]
        axes.bar(range(len(layers)), heights, bottom=bottom, color=colors.get(kernel, "black"), width=0.85)
        bottom = [a + b for a, b in zip(bottom, heights)]
    every = max(1, -(-len(layers) // 32))
    names = ["none" if layer is None else str(layer) for layer in layers]
    axes.set_xticks(range(0, len(layers), every), names[::every], fontsize=8)
    axes.set_xlabel("layer (none: embedding, last norm, loss and what lies between kernels)")
    axes.set_ylabel("cycles a step")
    thousands(plt, axes.yaxis)
    axes.grid(axis="y", alpha=0.3)
    if len(ranked) > MOST_NAMES:
        colors[f"{len(ranked) - MOST_NAMES} others"] = "black"
    legend_outside(axes, [plt.Rectangle((0, 0), 1, 1, color=color) for color in colors.values()], list(colors))
    axes.set_title("Where the cycles of a step go, by layer")
    return figure


def depths_of(events):
    """[(name, start, stop, depth)]: a slice within another lies one deeper."""
    found, around = [], []
    for name, start, duration in sorted(events, key=lambda event: (event[1], -event[2])):
        stop = start + duration
        while around and (around[-1] <= start + ROUNDING or around[-1] + ROUNDING < stop):
            around.pop()
        found.append((name, start, stop, len(around)))
        around.append(stop)
    return found


def draw_timeline(plt, tracks, last_step):
    from matplotlib.ticker import EngFormatter

    begin = min(start for events in tracks.values() for _, start, _ in events)
    end = max(start + duration for events in tracks.values() for _, start, duration in events)
    title = "Compute against streams"
    if 0 < last_step < 0.75 * (end - begin):
        begin, title = end - last_step, title + ", last step"

    inside = {}  # of each track what lies in the window
    shown = {}  # time of each name within it
    for track, events in tracks.items():
        clipped = [(name, max(start, begin), min(stop, end), depth) for name, start, stop, depth in depths_of(events)]
        inside[track] = [slice_ for slice_ in clipped if slice_[1] < slice_[2]]
        for name, start, stop, _ in inside[track]:
            shown[name] = shown.get(name, 0.0) + stop - start
    ranked = sorted(shown, key=lambda name: (-shown[name], name))
    colors = colors_of(plt, ranked[:MOST_NAMES])

    figure, axes = plt.subplots(figsize=(12, 2.2 + 0.4 * len(tracks)))
    for i, slices in enumerate(inside.values()):
        deepest = max((depth for *_, depth in slices), default=0)
        for depth in range(deepest + 1):
            level = [slice_ for slice_ in slices if slice_[3] == depth]
            spans = [(start, stop - start) for _, start, stop, _ in level]
            top = i - 0.4 + 0.8 * depth / (deepest + 1)
            bars = axes.broken_barh(spans, (top, i + 0.4 - top), facecolors=[colors.get(name, "black") for name, *_ in level])
            bars.set_rasterized(len(level) > 1000)  # else a picture of many megabytes
    axes.set_yticks(range(len(tracks)), list(tracks), fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(begin, end if end > begin else begin + 1)
    seconds = EngFormatter("s", sep=" ")
    axes.xaxis.set_major_formatter(plt.FuncFormatter(lambda value, _: seconds(1e-6 * value)))
    axes.set_xlabel("simulated time")
    axes.grid(axis="x", alpha=0.3)
    axes.set_title(title)
    if len(ranked) > MOST_NAMES:
        colors[f"{len(ranked) - MOST_NAMES} others"] = "black"
    legend_outside(axes, [plt.Rectangle((0, 0), 1, 1, color=color) for color in colors.values()], list(colors))
    return figure


def draw_roofline(plt, roofline):
    """Left: what streams over the link, under its roof. Right: what streams nothing, under the roof of multiply-adds alone."""
    from matplotlib.ticker import EngFormatter

    points, flops, rate = roofline["points"], roofline["flops"], roofline["bytes"]
    kernels = sorted({point["kernel"] for point in points})
    phases = sorted({point["phase"] for point in points})
    colors = colors_of(plt, kernels, "tab10")
    markers = {phase: MARKERS[i % len(MARKERS)] for i, phase in enumerate(phases)}

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 6), sharey=True, gridspec_kw={"width_ratios": [5, 1], "wspace": 0.04})
    ridge = flops / rate
    streaming = [point["intensity"] for point in points if point["intensity"] is not None]
    least, most = min([ridge, *streaming]) / 4, max([ridge, *streaming]) * 4
    left.plot([least, ridge, most], [least * rate, flops, flops], color="black", linewidth=1.5)
    left.annotate(f"link, {EngFormatter('B/s', 1)(rate)} each way", (least, least * rate), xytext=(8, -4), textcoords="offset points",
                  fontsize=8, va="top")
    left.annotate(f"multiply-adds, {EngFormatter('FLOP/s', 2)(flops)}", (most, flops), xytext=(-6, 5), textcoords="offset points",
                  fontsize=8, ha="right")
    right.axhline(flops, color="black", linewidth=1.5)
    for point in points:
        axes, x = (left, point["intensity"]) if point["intensity"] is not None else (right, kernels.index(point["kernel"]))
        axes.plot([x], [point["rate"]], markers[point["phase"]], color=colors[point["kernel"]], markersize=6, alpha=0.75,
                  markeredgecolor="black", markeredgewidth=0.4)
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xlim(least, most)
    left.xaxis.set_major_formatter(plt.FuncFormatter(lambda value, _: f"{value:,.10g}"))
    left.yaxis.set_major_formatter(EngFormatter())
    left.set_xlabel("FLOP a byte of the link's busier direction")
    left.set_ylabel("FLOP/s of a kernel")
    right.set_xlim(-1, len(kernels))
    right.set_xticks([])
    right.set_xlabel("no words\nover the link")
    for axes in (left, right):
        axes.grid(alpha=0.3, which="both" if axes is left else "major")
    handles = [plt.Line2D([], [], linestyle="", marker="o", color=colors[kernel]) for kernel in kernels]
    handles += [plt.Line2D([], [], linestyle="", marker=markers[phase], color="gray") for phase in phases]
    legend_outside(right, handles, [name.replace("_", " ") for name in kernels + phases])
    left.set_title("Roofline: a point for each kernel of each layer and phase", fontsize=11)
    return figure
