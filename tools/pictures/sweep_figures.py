"""Pictures of a sweep: functions from its table to matplotlib figures."""
import math

from pictures.run_figures import MARKERS, colors_of, legend_outside
from pictures.sweep_table import label_of, unit_of_key

MOST_PANELS = 6


def number_format(plt):
    return plt.FuncFormatter(lambda value, _: f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}")


def shown(axis, value):
    """A value as text that matplotlib does not take for a formula."""
    return axis.text(value).replace("$", r"\$")


def wide(numbers):
    """Whether a logarithmic scale shows these better."""
    return min(numbers) > 0 and max(numbers) > 30 * min(numbers)


def bounds_of(sweep):
    return sorted({point["bound_by"] for point in sweep.points if point.get("bound_by")})


def panels_of(sweep, used, fixed):
    """(panel axis or None, its values, the values of all other axes): what is neither drawn nor fixed is a panel each or in the middle."""
    free = [axis for axis in sweep.axes if axis not in used and axis.name not in fixed]
    panel = free[0] if free else None
    rest = {axis.name: axis.values[len(axis.values) // 2] for axis in free[1:]}
    if panel is None:
        return None, [None], {**fixed, **rest}
    every = -(-len(panel.values) // MOST_PANELS)
    return panel, panel.values[::every], {**fixed, **rest}


def panel_grid(plt, count, width, height):
    columns = 2 if count == 4 else min(count, 3)
    rows = -(-count // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(max(width * columns, 6.5), height * rows + 0.4), squeeze=False)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return figure, list(grid.flat[:count])


def title_of(sweep, what, panel, rest):
    fixed = [f"{name} {shown(sweep.axis(name), value)}" for name, value in rest.items()]
    return what + (f"\nat {', '.join(fixed)}" if fixed else "")


def set_axis(plt, axes, axis, vertical=False):
    """Ticks and label of cells 0, 1, ..., one a value."""
    target = axes.yaxis if vertical else axes.xaxis
    every = max(1, -(-len(axis.values) // 16))
    target.set_ticks(range(0, len(axis.values), every), [shown(axis, value) for value in axis.values[::every]], fontsize=7)
    if not vertical:
        plt.setp(axes.get_xticklabels(), rotation=40, ha="right")
    (axes.set_ylabel if vertical else axes.set_xlabel)(axis.name, fontsize=9)


def boundary(bounds):
    """[(xs, ys)]: the sides between neighbouring cells, {(x, y): bound}, that are bound by different things."""
    edges = []
    for (x, y), bound in bounds.items():
        if bounds.get((x + 1, y), bound) != bound:
            edges.append(([x + 0.5, x + 0.5], [y - 0.5, y + 0.5]))
        if bounds.get((x, y + 1), bound) != bound:
            edges.append(([x - 0.5, x + 0.5], [y + 0.5, y + 0.5]))
    return edges


def draw_regions(axes, bounds):
    """What binds, written on the cell nearest to the middle of its cells."""
    from matplotlib.patheffects import withStroke

    for name in sorted(set(bounds.values())):
        cells = [cell for cell, bound in bounds.items() if bound == name]
        middle = [sum(cell[i] for cell in cells) / len(cells) for i in (0, 1)]
        x, y = min(cells, key=lambda cell: (math.dist(cell, middle), cell))
        axes.text(x, y, name.replace("_", "\n"), fontsize=7, color="white", ha="center", va="center",
                  path_effects=[withStroke(linewidth=2, foreground="black")])


def draw_map(plt, sweep, x, y, figure_name, fixed):
    """Cells of two axes by color, the places where the bound changes in red, failed points crossed out."""
    panel, values, rest = panels_of(sweep, (x, y), fixed)
    figure, grid = panel_grid(plt, len(values), 0.42 * len(x.values) + 3.2, 0.34 * len(y.values) + 2.6)
    chosen = [sweep.select({**rest, **({panel.name: value} if panel else {})}) for value in values]
    numbers = [number for points in chosen for number in (sweep.number(point, figure_name) for point in points) if not math.isnan(number)]
    numbers = numbers or [0.0, 1.0]
    scale = plt.matplotlib.colors.LogNorm if wide(numbers) else plt.Normalize
    for axes, value, points in zip(grid, values, chosen):
        cells = [[float("nan")] * len(x.values) for _ in y.values]
        bounds = {}
        for point in points:
            place = (x.values.index(point[x.name]), y.values.index(point[y.name]))
            cells[place[1]][place[0]] = sweep.number(point, figure_name)
            if point.get("bound_by"):
                bounds[place] = point["bound_by"]
            elif point.get("error"):
                axes.plot(*place, "x", color="gray", markersize=8)
        image = axes.imshow(cells, cmap="viridis", origin="lower", aspect="auto", norm=scale(min(numbers), max(numbers)))
        figure.colorbar(image, ax=axes, format=number_format(plt)).ax.tick_params(labelsize=7)
        for color, width in (("white", 3.5), ("red", 1.8)):
            for edge in boundary(bounds):
                axes.plot(*edge, color=color, linewidth=width, solid_capstyle="round")
        draw_regions(axes, bounds)
        set_axis(plt, axes, x)
        set_axis(plt, axes, y, vertical=True)
        if panel:
            axes.set_title(f"{panel.name} {shown(panel, value)}", fontsize=9)
    figure.suptitle(title_of(sweep, f"{label_of(figure_name)}; red: where the bound changes", panel, rest), fontsize=11)
    figure.tight_layout()
    return figure


def along(axis, value):
    """Where a value lies on a drawn axis."""
    return axis.numbers[axis.values.index(value)] if axis.numbers is not None else axis.values.index(value)


def draw_curves(plt, sweep, x, lines, figure_name, fixed):
    """A line for each value of `lines`; markers tell the bound, bars where it changes."""
    panel, values, rest = panels_of(sweep, (x, lines), fixed)
    figure, grid = panel_grid(plt, len(values), 5.2, 4.2)
    colors = {None: "tab:blue"}
    if lines:
        colors = {value: plt.get_cmap("viridis")(0.95 * i / (len(lines.values) - 1)) for i, value in enumerate(lines.values)}
    markers = {bound: MARKERS[i % len(MARKERS)] for i, bound in enumerate(bounds_of(sweep))}
    for axes, value in zip(grid, values):
        highest = 0.0
        for name, color in colors.items():
            where = {**rest, **({panel.name: value} if panel else {}), **({lines.name: name} if lines else {})}
            points = sorted((along(x, point[x.name]), sweep.number(point, figure_name), point.get("bound_by", ""))
                            for point in sweep.select(where))
            points = [point for point in points if not math.isnan(point[1])]
            highest = max([highest, *(point[1] for point in points)])
            axes.plot([point[0] for point in points], [point[1] for point in points], color=color, linewidth=1.2)
            for bound in {bound for _, _, bound in points}:
                marked = [point[:2] for point in points if point[2] == bound]
                axes.plot(*zip(*marked), markers.get(bound, "."), color=color, markersize=4.5)
            for (a, low, bound), (b, high, after) in zip(points, points[1:]):
                if bound != after:
                    middle = math.sqrt(a * b) if x.logarithmic else (a + b) / 2
                    axes.plot([middle], [(low + high) / 2], "|", color="red", markersize=13, markeredgewidth=2)
        if x.logarithmic:
            axes.set_xscale("log")
        if x.numbers is None:
            axes.set_xticks(range(len(x.values)), [shown(x, one) for one in x.values], fontsize=7)
        else:
            every = max(1, -(-len(x.values) // 10))
            axes.set_xticks(x.numbers[::every], [shown(x, one) for one in x.values[::every]], fontsize=7)
            axes.minorticks_off()
        plt.setp(axes.get_xticklabels(), rotation=40, ha="right")
        axes.set_ylim(0, 1.06 * highest or 1)
        axes.yaxis.set_major_formatter(number_format(plt))
        axes.grid(alpha=0.3)
        axes.set_xlabel(x.name, fontsize=9)
        axes.set_ylabel(label_of(figure_name), fontsize=9)
        if panel:
            axes.set_title(f"{panel.name} {shown(panel, value)}", fontsize=9)
    handles = [plt.Line2D([], [], color=color) for color in colors.values()] if lines else []
    labels = [f"{lines.name} {shown(lines, name)}" for name in colors] if lines else []
    handles += [plt.Line2D([], [], linestyle="", marker=marker, color="gray") for marker in markers.values()]
    handles.append(plt.Line2D([], [], linestyle="", marker="|", color="red", markersize=11, markeredgewidth=2))
    labels += [*(f"bound by {bound.replace('_', ' ')}" for bound in markers), "bound changes"]
    legend_outside(grid[1 if len(grid) == 4 else min(len(grid), 3) - 1], handles, labels)
    figure.suptitle(title_of(sweep, f"{label_of(figure_name)} over {x.name}", panel, rest), fontsize=11)
    figure.tight_layout()
    return figure


def pareto_front(sweep, more, less):
    """Points that no other beats in both: `more` of one figure, `less` of the other; ascending by `less`."""
    points = [(sweep.number(point, less), -sweep.number(point, more), i) for i, point in enumerate(sweep.points)]
    front, best = [], math.inf
    for low, negative, i in sorted(point for point in points if not math.isnan(point[0] + point[1])):
        if negative < best:
            best = negative
            front.append(sweep.points[i])
    return front


def draw_pareto(plt, sweep, more, less):
    from matplotlib.ticker import EngFormatter

    figure, axes = plt.subplots(figsize=(8.5, 5.5))
    bounds = bounds_of(sweep)
    for bound, color in {**colors_of(plt, bounds, "tab10"), "": "gray"}.items():
        points = [point for point in sweep.points if point.get("bound_by", "") == bound]
        pairs = [(sweep.number(point, less), sweep.number(point, more)) for point in points]
        if any(not math.isnan(a + b) for a, b in pairs):
            label = f"bound by {bound.replace('_', ' ')}" if bound else "points"
            axes.plot(*zip(*pairs), "o", color=color, markersize=5, alpha=0.6, label=label)
    front = [(sweep.number(point, less), sweep.number(point, more)) for point in pareto_front(sweep, more, less)]
    axes.plot(*zip(*front), color="black", linewidth=1.2, drawstyle="steps-post", marker="o", markerfacecolor="none", markersize=9,
              label=f"front ({len(front)})")
    for i, place in enumerate(front):
        axes.annotate(str(i + 1), place, xytext=(5, 6), textcoords="offset points", fontsize=8)
    for figure_name, set_scale, axis in ((less, axes.set_xscale, axes.xaxis), (more, axes.set_yscale, axes.yaxis)):
        numbers = [sweep.number(point, figure_name) for point in sweep.points]
        if wide([number for number in numbers if not math.isnan(number)]):
            set_scale("log")
        numbers_in = EngFormatter(sep=" ") if unit_of_key(figure_name) else number_format(plt)
        axis.set_major_formatter(numbers_in)
    axes.set_xlabel(label_of(less))
    axes.set_ylabel(label_of(more))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    axes.set_title(f"Pareto front: more {label_of(more)}, less {label_of(less)}", fontsize=11)
    return figure


def draw_scaling(plt, sweep, systems, figure_name, fixed):
    """Left: the figure over the number of systems beside proportion to the fewest. Right: what part of that it is."""
    lines, values, rest = panels_of(sweep, (systems,), fixed)
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.8))
    for value, color in zip(values, colors_of(plt, values, "tab10").values()):
        chosen = sweep.select({**rest, **({lines.name: value} if lines else {})})
        points = sorted((along(systems, point[systems.name]), sweep.number(point, figure_name)) for point in chosen)
        points = [point for point in points if not math.isnan(point[1])]
        if not points:
            continue
        ideal = [points[0][1] * at / points[0][0] for at, _ in points]
        label = f"{lines.name} {shown(lines, value)}" if lines else label_of(figure_name)
        left.plot([at for at, _ in points], ideal, "--", color=color, linewidth=0.8)
        left.plot([at for at, _ in points], [number for _, number in points], "o-", color=color, label=label)
        right.plot([at for at, _ in points], [100 * number / one for (_, number), one in zip(points, ideal)], "o-", color=color)
    left.plot([], [], "--", color="gray", linewidth=0.8, label="proportional")
    for axes in (left, right):
        if systems.logarithmic:
            axes.set_xscale("log", base=2)
        axes.set_xticks(systems.numbers, [shown(systems, value) for value in systems.values])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.set_xlabel("systems")
    if systems.logarithmic:
        left.set_yscale("log")
    left.yaxis.set_major_formatter(number_format(plt))
    left.set_ylabel(label_of(figure_name))
    right.set_ylabel("of proportional (%)")
    right.set_ylim(0, 105)
    left.legend(fontsize=8)
    figure.suptitle(title_of(sweep, "Scaling over systems", lines, rest), fontsize=11)
    figure.tight_layout()
    return figure
