"""The pictures and the page of a run directory."""
import os

from pictures import page, run_figures, wafer_figures
from pictures.output import import_pyplot, write_picture, write_text
from pictures.run_inputs import RunInputs

CAPTIONS = {  # in the order of the page
    "loss": "Loss and gradient norm of every step",
    "layers": "Cycles of a step by layer, stacked by kernel",
    "breakdown": "Cycles of a step by kernel, divided into busy, the causes of stalls and idle",
    "timeline": "Compute against streams: a track for each serial resource",
    "roofline": "Roofline: rows of the breakdown as points. Streams run ahead and lag behind: a point may lie above the link's roof",
    "heatmap": "PE by PE: utilisation, stalls, load of the busiest link to a neighbour, idle",
    "stalls": "PE by PE: stalls by cause",
    "links": "PE by PE: load of links by direction",
    "sram": "SRAM of a PE over the step: an array from its allocation to its release",
}
BESIDE = ("report.txt", "report.json", "config.json", "steps.csv", "heatmap.csv", "trace.json")


def draw_all(run):
    """{name: figure}, in the order of the captions."""
    plt = import_pyplot()
    drawn = {
        "loss": run_figures.draw_loss(plt, run.steps) if run.has_loss else None,
        "layers": run_figures.draw_layers(plt, run.layers),
        "breakdown": run_figures.draw_breakdown(plt, run.kernels),
        "timeline": run_figures.draw_timeline(plt, run.tracks, 1e6 * run.steps["seconds"][-1]) if run.tracks else None,
        "roofline": run_figures.draw_roofline(plt, run.roofline) if run.roofline["points"] else None,
        "heatmap": wafer_figures.draw_heatmap(plt, run.pes) if run.pes else None,
        "stalls": wafer_figures.draw_stalls(plt, run.pes) if run.pes else None,
        "links": wafer_figures.draw_links(plt, run.pes) if run.pes else None,
        "sram": wafer_figures.draw_sram(plt, run.sram),
    }
    return {name: drawn[name] for name in CAPTIONS if drawn[name] is not None}


def caption(name, run):
    text = CAPTIONS[name]
    if name == "roofline" and run.roofline["without"]:
        text += f". {run.roofline['without']} rows multiply nothing and are no points"
    if name == "timeline":
        text += "".join(f". {part}" for part in run.left_out_of_trace)
    return text


def run_page(run, names):
    report = run.report
    scalars = {key: value for key, value in report.items() if not isinstance(value, (dict, list))}
    sections = [page.section("Report", f"<pre>{page.escape(run.text)}</pre>"),
                page.section("Pictures", "".join(page.figure(name, caption(name, run)) for name in names))]
    if run.omitted:
        sections.append(page.section("Not drawn", page.table(("picture", "why"), run.omitted)))
    columns = list(run.steps)
    steps = [[None if value != value else value for value in row] for row in zip(*run.steps.values())]
    sections.append(page.section("steps", page.table(columns, steps, "steps")))
    sections.append(page.section("run", page.table(("key", "value"), scalars.items())))
    for key, value in report.items():
        if isinstance(value, (dict, list)):
            sections.append(page.section(key.replace("_", " "), page.tables_of(key, value)))
    beside = [name for name in BESIDE if os.path.exists(os.path.join(run.directory, name))]
    return page.page(f"{report.get('model', 'run')} on {report.get('machine', 'a wafer')}", [page.links(beside), *sections])


def draw_run(directory):
    run = RunInputs(directory)
    figures = draw_all(run)
    for name, figure in figures.items():
        write_picture(figure, os.path.join(directory, name))
    write_text(run_page(run, list(figures)), os.path.join(directory, "index.html"))
