"""tools/plot.py on small directories made by hand. How a browser shows them: pictures_browser_test.py.

usage: plot_test.py PLOT
"""
import itertools
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
import zlib

from drawn_directories import FILES, PICTURES, write_run, write_sweep

PLOT = ""


def png_pixels(path):
    """(width, height, distinct values of the decoded bytes)."""
    with open(path, "rb") as picture:
        data = picture.read()
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), path
    width, height = struct.unpack(">II", data[16:24])
    position, packed = 8, b""
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        if data[position + 4 : position + 8] == b"IDAT":
            packed += data[position + 8 : position + 8 + length]
        position += length + 12
    return width, height, len(set(zlib.decompress(packed)))


class Plot(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.run_directory = self.directory.name

    def plot(self, *arguments):
        environment = dict(os.environ, MPLCONFIGDIR=os.path.join(tempfile.gettempdir(), f"wafersim-matplotlib-{os.getuid()}"))
        return subprocess.run([sys.executable, "-B", PLOT, *arguments], capture_output=True, text=True, check=False, env=environment)

    def refused(self, *words, options=()):
        result = self.plot(self.run_directory, *options)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual([name for name in os.listdir(self.run_directory) if name.endswith(("png", "svg", "html", "tmp"))], [])

    def replace(self, name, old, new):
        path = os.path.join(self.run_directory, name)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text.replace(old, new, 1))


class PlotRun(Plot):
    def setUp(self):
        super().setUp()
        write_run(self.run_directory)

    def contents(self):
        found = {}
        for name in FILES:
            with open(os.path.join(self.run_directory, name), "rb") as picture:
                found[name] = picture.read()
        return found

    def test_draws_every_picture_twice_and_a_page_and_again_what_has_changed(self):
        result = self.plot(self.run_directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines(), [os.path.join(self.run_directory, name) for name in FILES])
        for name in PICTURES:
            width, height, values = png_pixels(os.path.join(self.run_directory, name + ".png"))
            self.assertGreater(width, 400)
            self.assertGreater(height, 200)
            self.assertGreater(values, 20)
            self.assertEqual(xml.etree.ElementTree.parse(os.path.join(self.run_directory, name + ".svg")).getroot().tag[-4:], "}svg")
        first = self.contents()

        self.replace("steps.csv", "5,4.5,", "5,3.5,")
        self.replace("trace.json", '"ts": 5100, "dur": 500', '"ts": 5100, "dur": 450')
        self.replace("heatmap.csv", "0,0,100,0,1,0,2", "0,0,150,9,1,0,4")
        self.replace("report.json", "[2, 800]", "[2, 700]")
        self.assertEqual(self.plot(self.run_directory).returncode, 0)
        differ = [name for name, bytes_ in self.contents().items() if bytes_ != first[name]]
        changed = ("loss", "timeline", "heatmap", "stalls", "links", "sram", "index")
        self.assertEqual(differ, [name for name in FILES if name.split(".")[0] in changed])
        self.assertEqual([name for name in os.listdir(self.run_directory) if "tmp" in name], [])

    def test_names_on_the_page_what_a_sampled_run_without_numbers_cannot_show(self):
        os.remove(os.path.join(self.run_directory, "heatmap.csv"))
        self.replace("report.json", '"fidelity": "wavelet"', '"fidelity": "sampled"')
        with open(os.path.join(self.run_directory, "steps.csv"), "w", encoding="utf-8") as out:
            out.write("step,loss,gradient_norm,lr,loss_scale,skipped,cycles,seconds\n0,,,,,,850000,0.001\n")
        sys.path.insert(0, os.path.dirname(PLOT))
        from pictures.run import run_page
        from pictures.run_inputs import RunInputs

        run = RunInputs(self.run_directory)
        self.assertEqual((run.has_loss, run.pes), (False, None))
        page = run_page(run, ["layers"])
        for words in ("Not drawn", "the run is sampled", "numerics off", 'src="layers.png"', "tiny &lt;model&gt;"):
            self.assertIn(words, page)

    def test_names_on_the_page_the_timeline_of_a_run_without_a_trace(self):
        os.remove(os.path.join(self.run_directory, "trace.json"))
        self.replace("report.json", '"trace_file"', '"another"')
        result = self.plot(self.run_directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("timeline", result.stdout)
        with open(os.path.join(self.run_directory, "index.html"), encoding="utf-8") as page:
            self.assertIn("the run left no trace", page.read())

    def test_says_what_the_timeline_leaves_out(self):
        self.replace("report.json", '"cut": false', '"cut": true, "layers": "0-3", "steps_left_out": 2, "steps_in_part": 1')
        self.assertEqual(self.plot(self.run_directory).returncode, 0)
        with open(os.path.join(self.run_directory, "index.html"), encoding="utf-8") as page:
            self.assertIn("Of layers 0-3 alone. Cut at 8,000,000 bytes: 2 steps are missing, 1 have parts missing", page.read())

    def test_takes_a_slice_within_another_for_nested_and_one_that_follows_it_not(self):
        sys.path.insert(0, os.path.dirname(PLOT))
        from pictures.run_figures import depths_of

        events = [("outer", 0.0, 10.0), ("inner", 2.0, 8.0), ("innermost", 3.0, 1.0), ("next", 9.9999999, 5.0)]
        depths = {name: depth for name, _, _, depth in depths_of(events)}
        self.assertEqual(depths, {"outer": 0, "inner": 1, "innermost": 2, "next": 0})

    def test_names_a_missing_file(self):
        for name in ("steps.csv", "report.json", "report.txt", "trace.json", "heatmap.csv"):
            os.rename(os.path.join(self.run_directory, name), os.path.join(self.run_directory, "away"))
            self.refused(name, "No such file")
            os.rename(os.path.join(self.run_directory, "away"), os.path.join(self.run_directory, name))

    def test_names_what_is_wrong_in_a_file(self):
        self.replace("steps.csv", "step,loss", "step,cost")
        self.refused("steps.csv", "no column loss")
        write_run(self.run_directory)
        self.replace("heatmap.csv", "0,0,100,", "0,0,many,")
        self.refused("heatmap.csv", "line 2", "busy", "many")
        write_run(self.run_directory)
        self.replace("heatmap.csv", "0,0,100,", "0,0,")
        self.refused("heatmap.csv", "line 2 has 11 columns")
        for place in ("", "-1", "0.5", "1e9"):
            write_run(self.run_directory)
            self.replace("heatmap.csv", "0,0,100,", f"{place},0,100,")
            self.refused("heatmap.csv", "x =", "is no PE's")
        write_run(self.run_directory)
        with open(os.path.join(self.run_directory, "steps.csv"), "ab") as out:
            out.write(b"\xff\xfe")
        self.refused("steps.csv", "not a table")
        write_run(self.run_directory)
        self.replace("report.json", '"cycles": 5000', '"time": 5000')
        self.refused("report.json", "breakdown", "cycles")
        write_run(self.run_directory)
        self.replace("report.json", '"peaks"', '"summits"')
        self.refused("report.json", "roofline", "peaks", "another version")
        write_run(self.run_directory)
        self.replace("report.json", '"until": 6', '"until": "six"')
        self.refused("report.json", "memory", "six")
        write_run(self.run_directory)
        self.replace("trace.json", "{", "(")
        self.refused("trace.json", "not JSON")

    def test_refuses_a_directory_that_is_not_there(self):
        result = self.plot(os.path.join(self.run_directory, "nowhere"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("not a directory of a run or a sweep", result.stderr)
        self.assertEqual(self.plot().returncode, 2)

    def test_refuses_the_options_of_a_sweep_for_a_run(self):
        self.refused("--x", "no sweep.csv", options=("--x", "width"))


class PlotSweep(Plot):
    def setUp(self):
        super().setUp()
        write_sweep(self.run_directory)

    def sweep(self):
        sys.path.insert(0, os.path.dirname(PLOT))
        from pictures.sweep_table import Sweep

        return Sweep(self.run_directory)

    def write_table(self, *lines):
        with open(os.path.join(self.run_directory, "sweep.csv"), "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")

    def page_and_pictures(self):
        result = self.plot(self.run_directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(os.path.join(self.run_directory, "index.html"), encoding="utf-8") as page:
            return page.read(), [os.path.basename(name) for name in result.stdout.splitlines() if name.endswith(".png")]

    def test_has_a_page_of_a_sweep_whose_points_all_failed(self):
        self.write_table("id,width,tokens_per_second,error", "a,64,,plan error: SRAM overflow", "b,128,,ended by signal 9")
        page, pictures = self.page_and_pictures()
        self.assertEqual(pictures, [])
        for words in ("2 points, 2 failed", "no point has figures", "plan error: SRAM overflow", "ended by signal 9"):
            self.assertIn(words, page)

    def test_has_a_page_of_one_point(self):
        self.write_table("id,width,tokens_per_second,joules_per_token,error", "a,64,1000,0.5,")
        page, pictures = self.page_and_pictures()
        self.assertEqual(pictures, ["pareto.png"])
        self.assertIn("no axis of more than one value", page)

    def test_draws_the_scaling_over_systems_that_vary_together_with_another_axis(self):
        self.write_table("id,swarmx.tree_nodes,systems,training.batch,tokens_per_second",
                         *(f"{k}{batch},{k},{2 ** k},{batch},{10 * k}" for k in (1, 2, 3) for batch in (1, 2)))
        _, pictures = self.page_and_pictures()
        self.assertIn("scaling.png", pictures)
        self.assertEqual(self.sweep().alongside, {"systems": ["swarmx.tree_nodes"]})

    def test_fixes_an_axis_by_a_value_of_one_that_varies_together_with_it(self):
        lines = [f"{heads}{batch},{64 * heads},{heads},{batch},{heads}" for heads in (1, 2) for batch in (1, 2)]
        self.write_table("id,a.width,heads,training.batch,tokens_per_second", *lines)
        result = self.plot(self.run_directory, "--at", "heads=2")
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(os.path.join(self.run_directory, "curves-training.batch.svg"), encoding="utf-8") as picture:
            self.assertIn("at a.width 128", picture.read())
        result = self.plot(self.run_directory, "--at", "heads=64")
        self.assertIn("no point has heads=64; values of heads: 1, 2", result.stderr)

    def test_draws_two_axes_alone_with_the_others_fixed(self):
        result = self.plot(self.run_directory, "--x", "io.wafer_bandwidth", "--y", "width", "--at", "systems=2", "--figure", "step_seconds",
                           "--less", "io.wafer_bandwidth")
        self.assertEqual(result.returncode, 0, result.stderr)
        stems = ["curves-io.wafer_bandwidth", "curves-width", "map-io.wafer_bandwidth-width", "pareto"]
        names = [f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")] + ["index.html"]
        self.assertEqual([os.path.basename(name) for name in result.stdout.splitlines()], names)
        with open(os.path.join(self.run_directory, "map-io.wafer_bandwidth-width.svg"), encoding="utf-8") as picture:
            text = picture.read()
        for words in ("time of a step (s)", "at systems 2", "50 GB/s", "256", ">io.wafer_bandwidth<", ">width<"):
            self.assertIn(words, text)

    def test_orders_axes_by_their_quantities_and_merges_those_that_vary_together(self):
        self.replace("sweep.csv", "id,width", "id,heads,width")
        path = os.path.join(self.run_directory, "sweep.csv")
        with open(path, encoding="utf-8") as source:
            header, *rows = source.read().splitlines()
        rows = [row.split(",", 1)[0] + f",{int(row.split(',')[1]) // 16}," + row.split(",", 1)[1] for row in reversed(rows)]
        with open(path, "w", encoding="utf-8") as out:
            out.write("\n".join([header, *rows]) + "\n")
        sweep = self.sweep()
        self.assertEqual([axis.name for axis in sweep.axes], ["heads", "io.wafer_bandwidth", "systems"])
        self.assertEqual(sweep.alongside, {"heads": ["width"]})
        self.assertEqual(sweep.axes[1].values, ["10 GB/s", "25 GB/s", "50 GB/s", "100 GB/s"])
        self.assertEqual(sweep.axes[1].numbers, [10e9, 25e9, 50e9, 100e9])

    def test_orders_values_of_different_spellings_of_a_unit(self):
        lines = [f"{k},{rate},{k}" for k, rate in enumerate(("0.001 PB/s", "100 GB/s", "80 Gb/s", "50000000000"))]
        self.write_table("id,io.wafer_bandwidth,tokens_per_second", *lines)
        (axis,) = self.sweep().axes
        self.assertEqual(axis.numbers, [10e9, 50e9, 100e9, 1e12])
        self.assertEqual([axis.text(value) for value in axis.values], ["80 Gb/s", "50 GB/s", "100 GB/s", "0.001 PB/s"])

    def test_shows_text_that_looks_like_a_formula_as_it_is(self):
        self.write_table("id,data.text,training.batch,tokens_per_second",
                         *(f"{name}{batch},{name},{batch},1" for name in ("$\\frac$.txt", "b") for batch in (1, 2)))
        self.page_and_pictures()
        with open(os.path.join(self.run_directory, "curves-data.text.svg"), encoding="utf-8") as picture:
            self.assertIn("$\\frac$.txt", picture.read())

    def test_draws_a_boundary_exactly_where_the_bound_changes(self):
        sweep = self.sweep()
        from pictures.sweep_figures import boundary

        points = sweep.select({"systems": "1"})
        x, y = sweep.axis("width"), sweep.axis("io.wafer_bandwidth")
        bounds = {(x.values.index(point["width"]), y.values.index(point["io.wafer_bandwidth"])): point["bound_by"] for point in points}
        # 6000 / bandwidth is 64 between 50 and 100 GB/s, 128 between 25 and 50, 256 between 10 and 25.
        self.assertEqual(sorted(edge for edge in boundary(bounds) if edge[1][0] == edge[1][1]),
                         [([-0.5, 0.5], [2.5, 2.5]), ([0.5, 1.5], [1.5, 1.5]), ([1.5, 2.5], [0.5, 0.5])])
        self.assertEqual(boundary({(0, 0): "a", (1, 0): "a", (0, 1): "a"}), [])

    def test_finds_the_points_that_no_other_beats(self):
        sweep = self.sweep()
        from pictures.sweep_figures import pareto_front

        good = [point for point in sweep.points if not point["error"]]
        pairs = {point["id"]: (float(point["joules_per_token"]), -float(point["tokens_per_second"])) for point in good}
        beaten = {one for one, other in itertools.permutations(pairs, 2)
                  if pairs[other] != pairs[one] and pairs[other][0] <= pairs[one][0] and pairs[other][1] <= pairs[one][1]}
        front = {point["id"] for point in pareto_front(sweep, "tokens_per_second", "joules_per_token")}
        self.assertEqual({pairs[one] for one in front}, {pair for one, pair in pairs.items() if one not in beaten})
        self.assertGreater(len(front), 2)
        # The fastest of each link, as soon as it is faster than all of narrower ones.
        cheap = pareto_front(sweep, "tokens_per_second", "io.wafer_bandwidth")
        self.assertEqual([point["id"] for point in cheap], ["0001", "0003", "0005", "0007"])

    def test_says_that_a_sweep_has_not_gathered_its_points(self):
        os.remove(os.path.join(self.run_directory, "sweep.csv"))
        os.mkdir(os.path.join(self.run_directory, "points"))
        self.refused("no sweep.csv yet", "wafersim sweep")

    def test_names_what_is_wrong_in_a_sweep(self):
        self.refused("no axis depth", "width, io.wafer_bandwidth, systems", options=("--x", "depth", "--y", "width"))
        self.refused("no point has width=65", "64, 128, 256", options=("--at", "width=65"))
        self.refused("--at gives width two values", options=("--at", "width=64", "--at", "width=128"))
        self.refused("name two axes together", options=("--x", "width"))
        self.refused("two different axes", options=("--x", "width", "--y", "width"))
        self.refused("no point has a number for loss", options=("--figure", "loss"))
        self.refused("no point has a number for price", options=("--less", "price"))
        self.refused("bound_by", "is not a number", options=("--less", "bound_by"))
        self.replace("sweep.csv", "600.0,1.6666666666666667,", "600.0,many,")
        self.refused("sweep.csv", "point 0", "tokens_per_second", "many")
        self.write_table("id,width,step_seconds", "0,64,1", "1,64,1")
        self.refused("no axis width of more than one value; those are: none", options=("--at", "width=64"))


if __name__ == "__main__":
    PLOT = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
