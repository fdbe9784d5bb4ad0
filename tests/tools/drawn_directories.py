"""Small directories of a run and of a sweep, made by hand, for the tests of tools/plot.py."""
import json
import os

PICTURES = ["loss", "layers", "breakdown", "timeline", "roofline", "heatmap", "stalls", "links", "sram"]
FILES = [f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg")] + ["index.html"]

def row(layer, phase, kernel, cycles, busy, stalls, macs=0, weight_stream=0.0, **others):
    bound = {"compute": 0.0, "sram": 0.0, "fabric": 0.0, "weight_stream": weight_stream, "gradient_stream": 0.0}
    what = {"layer": layer, "phase": phase, "kernel": kernel}
    return {**what, "cycles": cycles, "busy": busy, "stalls": stalls, "macs": macs, "bound": bound, **others}


def write_run(run):
    with open(os.path.join(run, "steps.csv"), "w", encoding="utf-8") as out:
        out.write("step,loss,gradient_norm,lr,loss_scale,skipped,cycles,seconds\n")
        for step in range(6):
            skipped = "true" if step == 2 else "false"
            out.write(f"{step},{5.5 - 0.2 * step},{1.0 + 0.1 * step},0.001,65536,{skipped},850000,0.001\n")
    stalls = {"wavelet": 300, "queue_full": 100, "bank": 0}
    rows = [
        row(0, "forward", "linear", 5000, 600, stalls, 50000, 4000.0, idle=50),
        row(1, "forward", "linear", 4000, 600, stalls, 50000, 4000.0),
        row(0, "backward", "attention", 7000, 0, {}, 9000),
        row(None, "", "kernel_switch", 100, 1, {"start": 9}),
    ]
    arrays = [
        {"name": "code and descriptors", "address": 0, "bytes": 9000, "stages": [[0, 9000]], "until": 9},
        {"name": "h.0.ln_1: work", "address": 9000, "bytes": 800, "stages": [[2, 800], [4, 200]], "until": 6},
    ]
    report = {
        "schema": 1, "model": "tiny <model>", "machine": "cs2", "fidelity": "wavelet", "mesh": {"width": 4, "height": 3, "clock_hz": 850e6},
        "step": {"cycles": 16100, "peaks": {"macs_per_cycle": 24.0, "link_bytes_per_cycle": 2.0}}, "breakdown": rows,
        "memory": {"sram_bytes_per_pe": 49152, "sram_peak_bytes_per_pe": 9800, "sram": arrays},
        "trace_file": {"limit_bytes": 8000000, "cut": False}, "digests": {"wte.weight": "ab" * 32},
    }  # fmt: skip
    with open(os.path.join(run, "report.json"), "w", encoding="utf-8") as out:
        json.dump(report, out)
    with open(os.path.join(run, "report.txt"), "w", encoding="utf-8") as out:
        out.write("run   tiny <model> on cs2\n")
    events = []
    for tid, name in enumerate(["compute", "weights west"]):
        events.append({"ph": "M", "pid": 0, "tid": tid, "name": "thread_name", "args": {"name": name}})
    for step in range(6):
        events.append({"ph": "X", "pid": 0, "tid": 0, "name": "linear", "ts": step * 1000 + 100, "dur": 500})
        events.append({"ph": "X", "pid": 0, "tid": 0, "name": "row sum", "ts": step * 1000 + 200, "dur": 100})
        events.append({"ph": "B", "pid": 0, "tid": 0, "name": "attention", "ts": step * 1000 + 600})
        events.append({"ph": "E", "pid": 0, "tid": 0, "name": "attention", "ts": step * 1000 + 1000})
        events.append({"ph": "X", "pid": 0, "tid": 1, "name": "weights", "ts": step * 1000, "dur": 700})
    with open(os.path.join(run, "trace.json"), "w", encoding="utf-8") as out:
        json.dump({"traceEvents": events}, out)
    with open(os.path.join(run, "heatmap.csv"), "w", encoding="utf-8") as out:
        out.write("x,y,busy,wavelet,queue_full,idle,flits_n,flits_e,flits_s,flits_w,flits_ramp,sram_bytes\n")
        for y in range(3):
            for x in range(4):
                out.write(f"{x},{y},{100 + x},{y},1,{10 * x},2,3,4,5,6,20000\n")


def write_sweep(directory):
    """Widths by bandwidths by systems: the compute bound gives way to the stream's where width * bandwidth falls; one point failed."""
    lines = ["id,width,io.wafer_bandwidth,systems,step_seconds,tokens_per_second,bound_by,joules_per_token,error"]
    for width in (64, 128, 256):
        for bandwidth in (10, 25, 50, 100):
            for systems in (1, 2):
                place = f"{len(lines) - 1:04},{width},{bandwidth} GB/s,{systems}"
                compute, stream = 1.0 * width, 6000.0 / bandwidth
                seconds = max(compute, stream)
                bound = "compute" if compute > stream else "weight_stream"
                figures = f"{seconds},{1000 * systems / seconds},{bound},{0.1 + 0.001 * bandwidth * systems},"
                failed = (width, bandwidth, systems) == (256, 10, 2)
                lines.append(f"{place},,,,,plan: SRAM overflow" if failed else f"{place},{figures}")
    with open(os.path.join(directory, "sweep.csv"), "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
