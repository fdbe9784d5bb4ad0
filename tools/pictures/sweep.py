"""The pictures and the page of a sweep."""
import itertools
import os
import re

from pictures import page, sweep_figures
from pictures.inputs import BadInput
from pictures.output import import_pyplot, write_picture, write_text
from pictures.sweep_table import Sweep, label_of

MOST_PAIRS = 6  # of axes that are drawn unasked: those of four axes
RESULTS = ("tokens_per_second", "samples_per_second", "step_seconds")


class Choice:
    """What is drawn: a figure (None: no point has one), perhaps two axes alone, and perhaps values of others."""

    def __init__(self, sweep, options):
        path = os.path.join(sweep.directory, "sweep.csv")
        self.figure = options.figure or next((name for name in RESULTS if sweep.has(name)), None)
        if options.figure and not sweep.has(options.figure):
            raise BadInput(f"{path}: no point has a number for {options.figure}")
        self.less = options.less or "joules_per_token"
        if options.less and not sweep.has(options.less):
            raise BadInput(f"{path}: no point has a number for {options.less}")
        self.fixed = {}
        for setting in options.at:
            name, _, value = setting.partition("=")
            axis = sweep.axis(name)
            values = {point[name]: point[axis.name] for point in sweep.points}
            if value not in values:
                known = sorted(values, key=lambda one: axis.values.index(values[one]))
                raise BadInput(f"{path}: no point has {setting}; values of {name}: {', '.join(known)}")
            if axis.name in self.fixed:
                raise BadInput(f"--at gives {axis.name} two values; a picture shows one")
            self.fixed[axis.name] = values[value]
        if bool(options.x) != bool(options.y):
            raise BadInput("--x and --y name two axes together")
        asked = [sweep.axis(name) for name in (options.x, options.y) if name]
        if asked and (asked[0] is asked[1] or any(axis.name in self.fixed for axis in asked)):
            raise BadInput("--x and --y name two different axes, and none that --at fixes")
        self.axes = asked or [axis for axis in sweep.axes if axis.name not in self.fixed]
        if sweep.axes and not self.axes:
            raise BadInput("--at fixes every axis; nothing is left to draw")


def draw_all(sweep, choice):
    """({stem: (figure, caption)}, [(picture, why it is not drawn)])"""
    if choice.figure is None:
        return {}, [("Everything", "no point has figures")]
    plt = import_pyplot()
    drawn, omitted = {}, []
    what = label_of(choice.figure)
    for x in choice.axes:
        others = [axis for axis in choice.axes if axis is not x]
        lines = min(others, key=lambda axis: abs(len(axis.values) - 5), default=None)
        drawn[f"curves-{x.name}"] = (sweep_figures.draw_curves(plt, sweep, x, lines, choice.figure, choice.fixed),
                                     f"{what} over {x.name}" + (f", a line for each {lines.name}" if lines else ""))
    pairs = list(itertools.combinations(choice.axes, 2))
    for one, other in pairs[:MOST_PAIRS]:
        x, y = (other, one) if len(other.values) > len(one.values) else (one, other)
        drawn[f"map-{x.name}-{y.name}"] = (sweep_figures.draw_map(plt, sweep, x, y, choice.figure, choice.fixed),
                                           f"{what} over {x.name} and {y.name}; red lines: where the bound changes")
    for one, other in pairs[MOST_PAIRS:]:
        omitted.append((f"Map of {one.name} and {other.name}", f"more than {MOST_PAIRS} pairs of axes; name one by --x and --y"))
    if not pairs:
        omitted.append(("Maps", "one axis alone") if choice.axes else ("Curves and maps", "no axis of more than one value"))
    if sweep.has("tokens_per_second") and sweep.has(choice.less):
        drawn["pareto"] = (sweep_figures.draw_pareto(plt, sweep, "tokens_per_second", choice.less),
                           f"Every point by tokens a second and {label_of(choice.less)}; numbered: no point is better in both")
    else:
        omitted.append(("Pareto front", f"no point has both tokens_per_second and {choice.less}"))
    systems = next((axis for axis in choice.axes if axis.name == "systems" and axis.numbers is not None), None)
    if systems and sweep.has("tokens_per_second"):
        drawn["scaling"] = (sweep_figures.draw_scaling(plt, sweep, systems, "tokens_per_second", choice.fixed),
                            "Tokens a second over systems, beside proportion to the fewest")
    else:
        omitted.append(("Scaling", "systems is no axis that is drawn"))
    return {re.sub(r"[^A-Za-z0-9._-]", "_", stem): both for stem, both in drawn.items()}, omitted


def typed(cell):
    """A cell of the table as the page shows it."""
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            pass
    return cell


def points_table(sweep, points, numbered=False):
    header = (["front"] if numbered else []) + sweep.header
    rows = [([i + 1] if numbered else []) + [point[name] if name == "id" else typed(point[name]) for name in sweep.header]
            for i, point in enumerate(points)]
    return page.table(header, rows, "points", fold=False)


def sweep_page(sweep, choice, pictures, omitted):
    failed = [point for point in sweep.points if point.get("error") or point.get("status") == "failed"]
    axes = [(axis.name, sweep.alongside.get(axis.name, []), len(axis.values), [axis.text(value) for value in axis.values])
            for axis in sweep.axes]
    sections = []
    if axes:
        sections.append(page.section("Axes", page.table(("axis", "varies with it", "values", "which"), axes)))
    if pictures:
        sections.append(page.section("Pictures", "".join(page.figure(stem, caption) for stem, (_, caption) in pictures.items())))
    if omitted:
        sections.append(page.section("Not drawn", page.table(("picture", "why"), omitted)))
    if "pareto" in pictures:
        front = sweep_figures.pareto_front(sweep, "tokens_per_second", choice.less)
        sections.append(page.section("Pareto front", points_table(sweep, front, numbered=True)))
    if failed:
        sections.append(page.section("Failed points", points_table(sweep, failed)))
    sections.append(page.section("Points", points_table(sweep, sweep.points)))
    beside = [name for name in ("sweep.csv", "sweep.sqlite") if os.path.exists(os.path.join(sweep.directory, name))]
    return page.page(f"Sweep of {len(sweep.points)} points, {len(failed)} failed", [page.links(beside), *sections])


def draw_sweep(directory, options):
    sweep = Sweep(directory)
    choice = Choice(sweep, options)
    pictures, omitted = draw_all(sweep, choice)
    for stem, (figure, _) in pictures.items():
        write_picture(figure, os.path.join(directory, stem))
    write_text(sweep_page(sweep, choice, pictures, omitted), os.path.join(directory, "index.html"))
