"""Pictures of the wafer: PE by PE, and the SRAM of a PE."""

DIRECTIONS = {"flits_n": "north", "flits_e": "east", "flits_s": "south", "flits_w": "west", "flits_ramp": "into the core (ramp)"}
NOT_STALLS = {"x", "y", "busy", "reduce", "idle", "sram_bytes", *DIRECTIONS}
WIDEST_NAME = 34  # characters

KINDS = {  # of an array's name: color
    "code and tables": "lightsteelblue",
    "activations": "tab:green",
    "activations computed again": "yellowgreen",
    "gradients of activations": "tab:orange",
    "statistics": "tab:purple",
    "scratch of a kernel": "lightgray",
}
TABLES = ("code and descriptors", "completion words", "PE words", "call table", "start table", "arguments", "positions", "targets")


def stalls_of(table):
    return [name for name in table if name not in NOT_STALLS]


def shares(table, columns, most=False):
    """Of each PE's cycles: what the columns take together, or the largest of them."""
    time = [sum(values) for values in zip(*(table[name] for name in ("busy", "idle", *stalls_of(table))))]
    picked = zip(*(table[name] for name in columns))
    return [100 * (max(values) if most else sum(values)) / cycles if cycles > 0 else 0.0 for values, cycles in zip(picked, time)]


def draw_panels(plt, table, panels, title):
    """panels: [(title, value of each PE in percent)], two or three in a row."""
    width, height = (int(max(table[axis])) + 1 for axis in "xy")
    columns = min(len(panels), 2 if len(panels) in (2, 4) else 3)
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(5.2 * columns, 4.9 * rows), squeeze=False)
    for axes in grid.flat[len(panels):]:
        axes.set_visible(False)
    for axes, (name, values) in zip(grid.flat, panels):
        cells = [[float("nan")] * width for _ in range(height)]
        for x, y, value in zip(table["x"], table["y"], values):
            cells[int(y)][int(x)] = value
        image = axes.imshow(cells, cmap="viridis", interpolation="nearest", aspect="equal")
        figure.colorbar(image, ax=axes, shrink=0.8, label="% of the step's cycles")
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("PE column (west to east)")
        axes.set_ylabel("PE row (north to south)")
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_major_locator().set_params(integer=True)
    figure.suptitle(title)
    figure.tight_layout(h_pad=2.5)
    return figure


def draw_heatmap(plt, table):
    links = [name for name in DIRECTIONS if name != "flits_ramp"]
    panels = [("utilisation (busy)", shares(table, ["busy"]))]
    if stalls_of(table):
        panels.append(("stalled, all causes", shares(table, stalls_of(table))))
    panels.append(("load of the busiest link to a neighbour", shares(table, links, most=True)))
    panels.append(("idle", shares(table, ["idle"])))
    return draw_panels(plt, table, panels, "The wafer, PE by PE")


def draw_stalls(plt, table):
    """None where nothing stalls."""
    panels = [(name.replace("_", " "), shares(table, [name])) for name in stalls_of(table) if any(table[name])]
    return draw_panels(plt, table, panels, "Stalls by cause, PE by PE") if panels else None


def draw_links(plt, table):
    panels = [(name, shares(table, [column])) for column, name in DIRECTIONS.items()]
    return draw_panels(plt, table, panels, "Load of each router's links by direction: a wavelet a cycle is 100 %")


def kind_of(name):
    if any(name.startswith(table) for table in TABLES):
        return "code and tables"
    if ": " in name:
        return "scratch of a kernel"
    if name.startswith("d "):
        return "gradients of activations"
    if name.removesuffix(" again").endswith((".mean", ".rstd", ".lse")):
        return "statistics"
    return "activations computed again" if name.endswith(" again") else "activations"


def draw_sram(plt, sram):
    boxes, end = sram["boxes"], max(box["until"] for box in sram["boxes"])
    figure, axes = plt.subplots(figsize=(12, 6.5))
    groups = {kind: [box for box in boxes if kind_of(box["name"]) == kind] for kind in KINDS}
    from matplotlib.collections import PatchCollection

    for kind, members in groups.items():
        patches = [plt.Rectangle((box["from"], box["address"]), max(box["until"] - box["from"], 0.5), box["bytes"]) for box in members]
        collection = PatchCollection(patches, facecolor=KINDS[kind], edgecolor="black", linewidth=0.25)
        collection.set_rasterized(len(patches) > 2000)
        axes.add_collection(collection)
    top = max(sram["peak"], max(box["address"] + box["bytes"] for box in boxes))
    near = sram["capacity"] < 2 * top
    limit = 1.04 * (sram["capacity"] if near else top)
    for box in boxes:  # names where they fit
        wide = (box["until"] - box["from"]) / end > 0.009 * min(len(box["name"]), WIDEST_NAME)
        if wide and box["bytes"] / limit > 0.022:
            name = box["name"] if len(box["name"]) <= WIDEST_NAME else box["name"][: WIDEST_NAME - 1] + "…"
            axes.text(box["from"] + 0.004 * end, box["address"] + box["bytes"] / 2, name, fontsize=7, va="center")
    lines = [axes.axhline(sram["peak"], color="tab:red", linestyle="--", linewidth=1, label="peak")]
    if near:
        lines.append(axes.axhline(sram["capacity"], color="black", linewidth=1.5, label="capacity"))
    axes.set_xlim(0, end)
    axes.set_ylim(0, limit)
    axes.yaxis.set_major_formatter(plt.FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("allocations and releases, in the order of the step")
    axes.set_ylabel("address (bytes)")
    used = [kind for kind, members in groups.items() if members]
    handles = [plt.Rectangle((0, 0), 1, 1, facecolor=KINDS[kind], edgecolor="black", linewidth=0.25) for kind in used] + lines
    axes.legend(handles, used + [line.get_label() for line in lines], fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    axes.set_title(f"SRAM of a PE: {sram['peak']:,} of {sram['capacity']:,} bytes")
    return figure
