"""tools/plot.py on a small run directory made by hand.

usage: plot_test.py PLOT
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

PICTURES = ["loss.png", "breakdown.png", "timeline.png", "heatmap.png"]
PLOT = ""


def write_run(run):
    with open(os.path.join(run, "steps.csv"), "w", encoding="utf-8") as out:
        out.write("step,loss,gradient_norm,lr,loss_scale,skipped,cycles,seconds\n")
        for step in range(6):
            skipped = "true" if step == 2 else "false"
            out.write(f"{step},{5.5 - 0.2 * step},{1.0 + 0.1 * step},0.001,65536,{skipped},850000,0.001\n")
    stalls = {"wavelet": 300, "queue_full": 100, "bank": 0}
    rows = [
        {"layer": 0, "phase": "forward", "kernel": "linear", "cycles": 5000, "busy": 600, "stalls": stalls, "idle": 50, "bound_cycles": 1},
        {"layer": 1, "phase": "forward", "kernel": "linear", "cycles": 4000, "busy": 600, "stalls": stalls, "bound_cycles": 3000},
        {"layer": 0, "phase": "backward", "kernel": "attention", "cycles": 7000, "busy": 0, "stalls": {}, "bound_cycles": 0},
        {"layer": 0, "phase": "", "kernel": "kernel_switch", "cycles": 100, "busy": 1, "stalls": {"start": 9}, "bound_cycles": 0},
    ]
    with open(os.path.join(run, "report.json"), "w", encoding="utf-8") as out:
        json.dump({"schema": 1, "breakdown": rows}, out)
    events = []
    for tid, name in enumerate(["compute", "weights west"]):
        events.append({"ph": "M", "pid": 0, "tid": tid, "name": "thread_name", "args": {"name": name}})
    for step in range(6):
        events.append({"ph": "X", "pid": 0, "tid": 0, "name": "linear", "ts": step * 1000 + 100, "dur": 500})
        events.append({"ph": "X", "pid": 0, "tid": 0, "name": "attention", "ts": step * 1000 + 600, "dur": 400})
        events.append({"ph": "X", "pid": 0, "tid": 1, "name": "weights", "ts": step * 1000, "dur": 700})
    with open(os.path.join(run, "trace.json"), "w", encoding="utf-8") as out:
        json.dump({"traceEvents": events}, out)
    with open(os.path.join(run, "heatmap.csv"), "w", encoding="utf-8") as out:
        out.write("x,y,busy,wavelet,queue_full,flits_n,flits_e,flits_s,flits_w,flits_ramp,sram_bytes\n")
        for y in range(3):
            for x in range(4):
                out.write(f"{x},{y},{100 + x},{y},1,2,3,4,5,6,{20000 + 100 * x * y}\n")


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
        write_run(self.run_directory)

    def plot(self, *arguments):
        environment = dict(os.environ, MPLCONFIGDIR=os.path.join(tempfile.gettempdir(), f"wafersim-matplotlib-{os.getuid()}"))
        return subprocess.run([sys.executable, "-B", PLOT, *arguments], capture_output=True, text=True, check=False, env=environment)

    def refused(self, *words):
        result = self.plot(self.run_directory)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual([name for name in os.listdir(self.run_directory) if "png" in name], [])

    def replace(self, name, old, new):
        path = os.path.join(self.run_directory, name)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        self.assertIn(old, text)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text.replace(old, new, 1))

    def test_draws_four_pictures_and_prints_their_paths(self):
        result = self.plot(self.run_directory)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines(), [os.path.join(self.run_directory, name) for name in PICTURES])
        for name in PICTURES:
            width, height, values = png_pixels(os.path.join(self.run_directory, name))
            self.assertGreater(width, 400)
            self.assertGreater(height, 200)
            self.assertGreater(values, 20)
        self.assertEqual([name for name in os.listdir(self.run_directory) if "tmp" in name], [])

    def test_draws_the_same_bytes_again_and_others_for_another_run(self):
        def pictures():
            self.assertEqual(self.plot(self.run_directory).returncode, 0)
            contents = {}
            for name in PICTURES:
                with open(os.path.join(self.run_directory, name), "rb") as picture:
                    contents[name] = picture.read()
            return contents

        first = pictures()
        self.assertEqual(first, pictures())
        self.replace("steps.csv", "5,4.5,", "5,3.5,")
        self.replace("report.json", '"cycles": 5000', '"cycles": 9000')
        self.replace("trace.json", '"ts": 5100, "dur": 500', '"ts": 5100, "dur": 50')
        self.replace("heatmap.csv", "0,0,100,", "0,0,150,")
        changed = pictures()
        for name in PICTURES:
            self.assertNotEqual(first[name], changed[name], name)

    def test_names_a_missing_file(self):
        for name in ("steps.csv", "report.json", "trace.json", "heatmap.csv"):
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
        self.refused("heatmap.csv", "line 2 has 10 columns")
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
        self.replace("trace.json", "{", "(")
        self.refused("trace.json", "not JSON")

    def test_refuses_a_directory_that_is_not_there(self):
        result = self.plot(os.path.join(self.run_directory, "nowhere"))
        self.assertEqual(result.returncode, 2)
        self.assertIn("not a run directory", result.stderr)
        self.assertEqual(self.plot().returncode, 2)


if __name__ == "__main__":
    PLOT = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
