"""Traces of real runs: the rules of the format, and that what they show is what the run counted.

usage: trace_test.py PROGRAM     exit 1 names what is wrong.
"""
import csv
import json
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from trace_rules import Trace, require

CONFIG = {"machine": "cs2", "machine_overrides": {"fabric.width": 8, "fabric.height": 8},
          "model": {"config": {"model_type": "gpt2", "n_layer": 2, "n_embd": 16, "n_head": 2, "n_positions": 8, "vocab_size": 256}},
          "data": {"text": "text"}, "training": {"batch": 4, "sequence": 8, "steps": 4}, "seed": 3}
PREFETCH_BLOCKS = 64  # memoryx.prefetch_blocks


class Runs:
    def __init__(self, program, folder):
        self.program, self.folder, self.count = program, folder, 0
        with open(os.path.join(folder, "text"), "w", encoding="utf-8") as text:
            text.write(" ".join(str(k * k) for k in range(400)))
        with open(os.path.join(folder, "run.json"), "w", encoding="utf-8") as config:
            json.dump(CONFIG, config)

    def start(self, *arguments):
        self.count += 1
        out = os.path.join(self.folder, f"out{self.count}")
        command = [self.program, "run", os.path.join(self.folder, "run.json"), "--out", out, "--cache", os.path.join(self.folder, "cache")]
        return out, subprocess.run(command + list(arguments), capture_output=True, text=True, check=False)

    def run(self, *arguments):
        out, ended = self.start(*arguments)
        require(ended.returncode == 0, arguments, ended.stderr)
        return Run(out)

    def refused(self, value, *arguments):
        out, ended = self.start(*arguments)
        require(ended.returncode == 2 and arguments[0] in ended.stderr and value in ended.stderr, arguments, ended)
        require(not os.path.exists(out), "a refused run leaves nothing")


class Run:
    def __init__(self, directory):
        self.directory = directory
        self.trace = Trace(os.path.join(directory, "trace.json"))
        with open(os.path.join(directory, "report.json"), encoding="utf-8") as report:
            self.report = json.load(report)
        with open(os.path.join(directory, "steps.csv"), encoding="utf-8") as steps:
            self.steps = list(csv.DictReader(steps))
        with open(os.path.join(directory, "report.txt"), encoding="utf-8") as text:
            self.text = text.read()
        require(sorted(os.listdir(directory)) == sorted(["config.json", "report.json", "report.txt", "steps.csv", "trace.json"] +
                                                        ["heatmap.csv"] * (self.report["fidelity"] == "wavelet")), os.listdir(directory))
        origin = {key: value for key, value in self.report["provenance"].items() if key != "host"}
        require({**self.report["trace_file"], "provenance": origin} == self.trace.other, self.trace.other)

    def slices(self, process, track):
        return self.trace.slices.get((process, track), [])


def shows_what_was_counted(run, processes):
    """Of a whole trace, step by step; the report's figures are means over all steps but the first."""
    shared = processes[0] if len(run.trace.processes) == 1 else "MemoryX and SwarmX"
    measured, micro_batches = len(run.steps) - 1, run.report["mapping"]["micro_batches"]
    sampled = run.report["fidelity"] == "sampled"
    for process in processes:
        kernels = run.slices(process, "wafer kernels")
        steps = [event for event in kernels if event["name"].startswith("step ")]
        require([event["args"]["cycles"] for event in steps] == [int(step["cycles"]) for step in run.steps], "cycles of steps", steps)
        calls = [event for event in kernels if "macs" in event["args"]]
        for row in run.report["breakdown"]:
            if not row["phase"]:
                continue
            layer = -1 if row["layer"] is None else row["layer"]
            found = [event for event in calls if event["name"] == f"{row['kernel']} {row['phase']}" and
                     event["args"]["layer"] == layer and event["args"]["step"] > 0]
            require(len(found) == measured * row["calls"], "calls of", row, found)
            for key in ("cycles", "macs"):
                require(sum(event["args"][key] for event in found) == measured * row[key], key, row, found)
        layers = [event for event in kernels if event["name"].startswith("layer ")]
        require(len(layers) == len(run.steps) * micro_batches * 2 * 2, "forward and backward of two layers", len(layers))
        for way in ("in", "out"):
            slices = [event for edge in ("west", "east") for event in run.slices(process, f"link {way}, {edge}")]
            words = sum(event["args"]["words"] for event in slices if event["args"]["step"] > 0)
            require(abs(words - measured * run.report["links"][way]["words"]) <= (0.5 * len(slices) if sampled else 0), way, words)
            rates = run.trace.counters[(process, f"link {way}")]
            peak = run.report["step"]["peaks"]["link_bytes_per_cycle"]  # of both edges
            begins = {event["args"]["step"]: event["ts"] for event in steps}
            for event in slices:  # whole cycles: up to one less at each end
                require(event["ts"] >= begins[event["args"]["step"]], "before its step", event)
                require(4 * event["args"]["words"] <= 0.5 * peak * (event["args"]["cycles"] + 2), "faster than the link", event)
            most = peak * run.report["mesh"]["clock_hz"] + 1  # whole numbers of two edges
            require(rates[-1]["args"]["bytes/s"] == 0 and 0 < max(event["args"]["bytes/s"] for event in rates) <= most, way, most)
        used = run.trace.counters[(process, "wafer utilisation")]
        require(any(event["args"]["of peak"] > 0 for event in used) and all(event["args"]["of peak"] <= 1 for event in used), used)
    held = [event["args"]["blocks"] for event in run.trace.counters[(shared, "read-ahead buffer")]]
    require(max(held) <= PREFETCH_BLOCKS and max(held) > 1 and held[-1] == 0, "read-ahead buffer", held)
    require(run.trace.counters[(shared, "gradients waiting")][-1]["args"]["tensors"] == 0, "gradients waiting")
    updates = [event for event in run.slices(shared, "optimizer") if event["name"] == "update"]
    require([event["args"]["step"] for event in updates] == list(range(len(run.steps))), "updates", updates)
    tensors = {event["name"] for event in run.slices(shared, "optimizer")} - {"update"}
    require(len(run.slices(shared, "optimizer")) == len(updates) * (1 + len(tensors)) and "h.1.mlp.c_fc.weight" in tensors, tensors)
    for use in ("reads", "gradients", "updates"):
        require(run.slices(shared, f"MemoryX DRAM, {use}"), use)
    flows_lead_from_weights_to_gradients(run, processes, micro_batches)
    for process in processes:
        causes_come_before_effects(run, process, shared)


def causes_come_before_effects(run, process, shared):
    """A call's words are read, cross the link, and are used; its gradients leave and are stored. Each begins and ends behind the one before."""
    def by_call(process, *tracks):
        found = {}
        for event in (event for track in tracks for event in run.slices(process, track)):
            if "call" not in event["args"] or "calls" in event["args"]:  # a step, a layer
                continue
            begin, end = found.get(call := (event["args"]["step"], event["args"]["call"]), (math.inf, 0))
            found[call] = (min(begin, event["ts"]), max(end, event["ts"] + event["dur"]))
        return found

    chain = [by_call(shared, "MemoryX DRAM, reads"), by_call(process, "link in, west", "link in, east"), by_call(process, "wafer kernels"),
             by_call(process, "link out, west", "link out, east"), by_call(shared, "MemoryX DRAM, gradients")]
    for cause, effect in zip(chain, chain[1:]):
        both = set(cause) & set(effect)
        require(len(both) >= 8 * len(run.steps), "calls with cause and effect", len(both))
        for call in both:
            for time in (0, 1):
                require(cause[call][time] <= effect[call][time] + 0.002, "an effect before its cause", call, cause[call], effect[call])


def flows_lead_from_weights_to_gradients(run, processes, micro_batches):
    found = set()
    for flow in run.trace.flows.values():
        (_, weights), (_, forward), (_, gradient), (_, out) = flow
        tracks = [run.trace.track_of(event) for event in (weights, forward, gradient, out)]
        require(tracks[0].startswith("link in") and tracks[1:3] == ["wafer kernels"] * 2 and tracks[3].startswith("link out"), tracks)
        require(weights["args"]["call"] == forward["args"]["call"] < gradient["args"]["call"] == out["args"]["call"], flow)
        require(forward["name"].endswith("forward") and "gradient" in gradient["name"], forward, gradient)
        found.add((weights["pid"], weights["args"]["step"], weights["args"]["call"], flow[0][0]["args"]["tensor"]))
    for tensor in ("h.0.attn.c_attn.weight", "h.1.mlp.c_proj.weight"):
        count = sum(1 for *_, name in found if name == tensor)
        require(count == len(processes) * len(run.steps) * micro_batches, "flows of", tensor, count)


def is_bounded(runs):
    sampled = ("--fidelity", "sampled")
    window = runs.run("--trace-window", "1:2", "--steps", "3")
    require({event["args"]["step"] for events in window.trace.slices.values() for event in events} == {1, 2}, "the window's steps")
    require(window.trace.other["steps"] == "1:2" and not window.trace.other["cut"], window.trace.other)
    layers = runs.run("--trace-layers", "1,none", *sampled)
    require({event["args"]["layer"] for events in layers.trace.slices.values() for event in events if "layer" in event["args"]} == {-1, 1},
            "the layers")
    whole = runs.run(*sampled)
    steps = {}
    for limit in (20000, 60000, 250000):
        cut = runs.run("--trace-limit", f"{limit / 1000} kB", *sampled)
        require(0.5 * limit < cut.trace.bytes <= limit < whole.trace.bytes, limit, cut.trace.bytes)
        other = cut.trace.other
        require(other["cut"] and other["steps_left_out"] + other["steps_in_part"] > 0, other)
        require("trace.json is cut" in cut.text and "trace.json is cut" not in whole.text, cut.text)
        steps[limit] = {event["args"]["step"] for events in cut.trace.slices.values() for event in events}
        require(steps[limit] >= {0, 3}, "the first and the last step", steps[limit])
    require(steps[250000] > steps[20000], steps)
    for arguments in (("--trace-window", "2:1"), ("--trace-window", "x"), ("--trace-window", "4:"), ("--trace-layers", "1-0"),
                      ("--trace-layers", "2"), ("--trace-layers", "0,,1"), ("--trace-limit", "8 megs"), ("--trace-limit", "1 kB")):
        runs.refused(arguments[1], *arguments)


def is_left_out(runs):
    """The other files are those of a run with a trace; that of an earlier run in the same place goes."""
    for fidelity in ("wavelet", "sampled"):
        out, ended = runs.start("--fidelity", fidelity)
        traced = contents(out)
        runs.count -= 1
        out, ended = runs.start("--fidelity", fidelity, "--no-trace")
        require(ended.returncode == 0 and "trace.json" not in ended.stdout, ended)
        untraced = contents(out)
        require(traced.pop("trace.json") and traced["report.json"].pop("trace_file"), "the trace of the run before")
        require(traced == untraced, fidelity, [name for name in traced if traced[name] != untraced.get(name)])
    runs.refused("--no-trace", "--trace-layers", "0", "--no-trace")
    runs.refused("--no-trace", "--trace-limit", "1 MB", "--no-trace")


def contents(directory):
    files = {}
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            files[name] = file.read()
    files["report.json"] = json.loads(files["report.json"])
    del files["report.json"]["host"]
    return files


def leaves_nothing_when_the_disk_is_full(runs):
    out = os.path.join(runs.folder, "full")
    # No file may grow beyond 16 KiB.
    command = f"trap '' XFSZ; ulimit -f 16; exec {runs.program} run {runs.folder}/run.json --out {out}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    require(ended.returncode == 6 and "cannot be written" in ended.stderr and "trace" in ended.stderr, ended)
    require(not os.path.exists(out), os.listdir(runs.folder))


def main():
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(os.path.abspath(sys.argv[1]), folder)
        for fidelity in ("wavelet", "sampled"):
            shows_what_was_counted(runs.run("--fidelity", fidelity, "--steps", "3"), ["system"])
        several = ("--set", "systems=2", "--steps", "2")
        shows_what_was_counted(runs.run(*several), ["system 0", "system 1"])
        shows_what_was_counted(runs.run(*several, "--fidelity", "sampled"), ["each of 2 systems"])
        pieces = runs.run("--set", "mapping.micro_batches=2", "--set", "training.clip=0", "--set", "dtype=fp32", "--steps", "2")
        require(pieces.report["mapping"]["micro_batches"] == 2, pieces.report["mapping"])
        shows_what_was_counted(pieces, ["system"])
        # Several channels an edge, of which some stand for others.
        shows_what_was_counted(runs.run("--set", "machine_overrides.fabric.height=32", "--fidelity", "sampled", "--steps", "2"), ["system"])
        is_bounded(runs)
        is_left_out(runs)
        leaves_nothing_when_the_disk_is_full(runs)


main()
