"""run --vcd: what the dump shows of each PE is what the run counted, and the run is the same with and without it.

usage: vcd_test.py PROGRAM     exit 1 names what is wrong.
"""
import csv
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from vcd import Dump, require

LINKS = {"north": "flits_n", "east": "flits_e", "south": "flits_s", "west": "flits_w", "ramp": "flits_ramp"}
CONFIG = {"machine": "cs2", "machine_overrides": {"fabric.width": 4, "fabric.height": 4},
          "model": {"config": {"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "n_head": 2, "n_positions": 8, "vocab_size": 256}},
          "data": {"text": "text"}, "training": {"batch": 2, "sequence": 8, "steps": 2}, "seed": 3}


class Runs:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        with open(self.path("text"), "w", encoding="utf-8") as text:
            text.write(" ".join(str(k * k) for k in range(400)))
        with open(self.path("run.json"), "w", encoding="utf-8") as config:
            json.dump(CONFIG, config)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, out, *arguments, before=""):
        command = f"{before} exec {self.program} run {self.path('run.json')} --cache {self.path('cache')} --out {self.path(out)} "
        return subprocess.run(["bash", "-c", command + " ".join(arguments)], capture_output=True, text=True, check=False)

    def run(self, out, *arguments):
        ended = self.start(out, *arguments)
        require(ended.returncode == 0, arguments, ended.stderr)
        return self.path(out)

    def refused(self, code, words, *arguments, vcd="refused.vcd", before=""):
        ended = self.start("refused", "--vcd", self.path(vcd), *arguments, before=before)
        require(ended.returncode == code and all(word in ended.stderr for word in words), arguments, ended)
        left = [name for name in os.listdir(self.folder) if name.startswith("refused")]
        require(not left, "a failed run leaves nothing", left)


def shows_what_was_counted(dump, run, cycle):
    """Of one step, the measured one; cycle: in the dump's unit."""
    with open(os.path.join(run, "heatmap.csv"), encoding="utf-8") as file:
        pes = list(csv.DictReader(file))
    require(len(pes) == 16 and len(dump.changes) == 16 * 9, len(dump.changes))
    for pe in pes:
        scope = f"pe_{pe['x']}_{pe['y']}"
        counted = {"compute": float(pe["busy"]) - float(pe["reduce"]), "reduce": float(pe["reduce"])}
        counted.update({name: float(pe[name]) for name in dump.names if name not in counted})
        for name, number in dump.names.items():
            shown = dump.time_at(scope, "activity", number)
            require(shown == counted[name] * cycle, scope, name, counted[name], shown)
        for link, column in LINKS.items():
            require(dump.time_at(scope, link, 1) == float(pe[column]) * cycle, scope, link, pe[column])
        require(dump.changes[(scope, "router")][-1][1] == 0 and dump.changes[(scope, "input")][-1][1] == 0, scope, "holds wavelets")
    require(any(value > 1 for time, value in dump.changes[("pe_1_1", "router")]), "some router held wavelets")
    calls = [value for _, value in dump.changes[("pe_0_0", "call")]]
    require(calls[1:] == list(range(calls[-1] + 1))[-len(calls[1:]):], "calls follow one another", calls)


def removes_what_killed_runs_left(runs):
    command = [runs.program, "run", runs.path("run.json"), "--cache", runs.path("cache"), "--out", runs.path("killed"),
               "--vcd", runs.path("killed.vcd")]
    killed = subprocess.Popen(command + ["--steps", "1000"], stderr=subprocess.DEVNULL)
    left = runs.path(f"killed.vcd.{killed.pid}.tmp")
    while killed.poll() is None and not (os.path.exists(left) and os.path.getsize(left) > 0):
        time.sleep(0.002)
    held = is_held(left)
    killed.kill()
    killed.wait()
    require(held and not is_held(left), "a run holds its dump while it is alive")
    ours = runs.path(f"killed.vcd.{os.getpid()}.tmp")  # as of a run that is alive
    others = [ours, runs.path(f"another.vcd.{killed.pid}.tmp"), runs.path("killed.vcd.x.tmp")]
    for path in others:
        open(path, "w", encoding="utf-8").close()
    with open(left, encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as of a run on another host, whose processes cannot be seen
        runs.run("killed", "--vcd", runs.path("killed.vcd"), "--steps", "1")
        require(os.path.exists(left) and all(os.path.exists(path) for path in others), "files of runs that are alive stay")
    runs.run("killed", "--vcd", runs.path("killed.vcd"), "--steps", "1")
    require(not os.path.exists(left) and all(os.path.exists(path) for path in others), "what it left goes", os.listdir(runs.folder))


def is_held(path):
    with open(path, encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
        except BlockingIOError:
            return True


def main():
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(os.path.abspath(sys.argv[1]), folder)
        # At 1 GHz a cycle is a nanosecond. The second step is the measured one.
        gigahertz, second = ("--set", "core.clock=1e9"), ("--trace-window", "1")
        run = runs.run("a", "--vcd", runs.path("a.vcd"), *gigahertz, *second)
        dump = Dump(runs.path("a.vcd"))
        with open(os.path.join(run, "steps.csv"), encoding="utf-8") as file:
            steps = [int(step["cycles"]) for step in csv.DictReader(file)]
        require(dump.per_second == 10**9 and dump.first == steps[0], dump.first, steps)
        require(dump.first < dump.last <= sum(steps), dump.last)
        shows_what_was_counted(dump, run, 1)
        # The same without a dump, and with one of both steps, in other blocks.
        runs.run("b", *gigahertz, *second)
        both = runs.run("c", "--vcd", runs.path("c.vcd"), *gigahertz, "--block", "3x2")
        require(Dump(runs.path("c.vcd")).first == 0 and Dump(runs.path("c.vcd")).last == dump.last, "both steps")
        for name in ("steps.csv", "heatmap.csv"):
            texts = [open(os.path.join(runs.path(out), name), encoding="utf-8").read() for out in ("a", "b", "c")]
            require(texts[0] == texts[1] == texts[2], name, "differs", both)
        # At 850 MHz times are femtoseconds, rounded down.
        runs.run("d", "--vcd", runs.path("d.vcd"), "--steps", "1")
        slow = Dump(runs.path("d.vcd"))
        require(slow.per_second == 10**15 and all(-(-time * 85 // 10**8) * 10**8 // 85 == time for changes in slow.changes.values()
                                                  for time, _ in changes), "times of whole cycles")
        removes_what_killed_runs_left(runs)
        runs.refused(2, ["sampled", "fidelity = wavelet"], "--fidelity", "sampled")
        runs.refused(2, ["--resume"], "--resume")
        runs.refused(2, ["--checkpoint-every"], "--checkpoint-every", "1")
        runs.refused(2, ["has 80 PEs", "at most 64"], "--set", "fabric.width=8", "--set", "fabric.height=10")
        runs.refused(2, ["missing/x.vcd: cannot be written"], vcd="missing/x.vcd")
        runs.refused(6, ["refused.vcd: cannot be written"], before="trap '' XFSZ; ulimit -f 100;")


main()
