"""A sweep on a real one-node Slurm that this test starts on the loopback: submitted, a task killed in the middle, submitted again,
also while the first job is still in the queue: nothing is lost and nothing run twice.

usage: sweep_slurm_test.py WAFERSIM     exit 77 where Slurm's or munge's programs are not installed
"""
import contextlib
import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

DAEMONS = ["munged", "slurmctld", "slurmd"]
TOOLS = ["sbatch", "squeue", "scancel", "sinfo"]
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SECONDS = 60  # that anything of Slurm may take


def until(what, condition):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {SECONDS} s")


def free_ports(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Slurm:
    """slurmctld, slurmd and munged of the calling user, with state, sockets and ports of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.daemons = []
        self.environment = dict(os.environ, PATH=PATH, SLURM_CONF=os.path.join(folder, "slurm.conf"))
        for part in ("state", "spool", "munge"):
            os.mkdir(os.path.join(folder, part), mode=0o755)

    def __enter__(self):
        host, user = socket.gethostname().split(".")[0], getpass.getuser()
        munge = os.path.join(self.folder, "munge")
        with open(os.path.join(munge, "key"), "wb") as key:
            key.write(os.urandom(1024))
        os.chmod(os.path.join(munge, "key"), 0o600)
        controller, node = free_ports(2)
        with open(self.environment["SLURM_CONF"], "w", encoding="utf-8") as conf:
            conf.write(f"""ClusterName=wafersim
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={munge}/socket
SlurmUser={user}
SlurmdUser={user}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd.pid
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 Boards=1 SocketsPerBoard=1 CoresPerSocket=2 ThreadsPerCore=1 RealMemory=500 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
SlurmdParameters=config_overrides
""")
        self.start("munged", "--foreground", "--force", f"--socket={munge}/socket", f"--key-file={munge}/key", f"--pid-file={munge}/pid",
                   f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        until("munged", lambda: os.path.exists(f"{munge}/socket"))
        self.start("slurmctld", "-D")
        self.start("slurmd", "-D")
        until("an idle node", lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"))
        return self

    def start(self, name, *arguments):
        with open(os.path.join(self.folder, name + ".log"), "wb") as log:
            program = shutil.which(name, path=PATH)
            self.daemons.append(subprocess.Popen([program, *arguments], env=self.environment, stdout=log, stderr=log))

    def ask(self, *command):
        return subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout

    def queue(self):
        return self.ask("squeue", "-h", "-r", "-o", "%i %T").split("\n")[:-1]

    def __exit__(self, kind, error, trace):
        if error is not None:
            for name in DAEMONS:
                with open(os.path.join(self.folder, name + ".log"), encoding="utf-8", errors="replace") as log:
                    print(f"{name}:\n{log.read()[-2000:]}")
        self.ask("scancel", "--user", getpass.getuser())
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def write_sweep(folder, steps):
    with open(os.path.join(folder, "tokens.bin"), "wb") as tokens:
        tokens.write(bytes(byte for k in range(400) for byte in ((k * k + 3 * k) % 29, 0)))
    model = {"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "n_head": 2, "n_positions": 8, "vocab_size": 32}
    base = {"machine": "cs2", "machine_overrides": {"fabric.width": 4, "fabric.height": 4}, "model": {"config": model},
            "data": {"tokens": "tokens.bin"}, "training": {"batch": 2, "sequence": 8, "steps": steps}}
    sweep = {"base": base, "axes": {"seed": {"from": 1, "to": 4, "step": 1}, "training.batch": [2, 4]}}
    path = os.path.join(folder, "sweep.json")
    with open(path, "w", encoding="utf-8") as text:
        json.dump(sweep, text)
    return path


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def results(out):
    folder = os.path.join(out, "points")
    names = [name for name in os.listdir(folder) if name.endswith(".json")] if os.path.isdir(folder) else []
    return {name: contents(os.path.join(folder, name)) for name in names}


def children(pid):
    found = subprocess.run(["ps", "--no-headers", "-o", "pid", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True, check=False).stdout
    return [int(one) for one in found.split()]


def task_process(out, slurm):
    """Of a `wafersim sweep --task` that slurmd has started for this directory, while a point of it is running."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            words = contents(f"/proc/{name}/cmdline").split(b"\0")
        except OSError:
            continue
        if b"--task" in words and out.encode() in words and children(int(name)):
            return int(name)
    return None


def test_killed_task(wafersim, slurm, folder):
    sweep, out = write_sweep(folder, 60), os.path.join(folder, "out of %j")
    command = [wafersim, "sweep", sweep, "--out", out, "--slurm", "--partition", "main", "--time", "10", "--memory", "100M",
               "--points-per-task", "4"]

    subprocess.run([*command, "--detach"], env=slurm.environment, check=True)
    until("a first point", lambda: len(results(out)) >= 1)
    killed = until("a task at work", lambda: task_process(out, slurm))
    os.kill(killed, signal.SIGKILL)
    until("the end of the job", lambda: not slurm.queue())
    kept = results(out)
    print(f"after the kill: {len(kept)} of 8 points")
    assert 1 <= len(kept) < 8, kept.keys()
    assert not os.path.exists(os.path.join(out, "sweep.csv"))

    again = subprocess.run(command, env=slurm.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    print(again.stderr + again.stdout)
    assert again.returncode == 0, again.returncode
    assert "8 ok, 0 failed" in again.stdout
    all_points = results(out)
    assert len(all_points) == 8, all_points.keys()
    assert any(name.endswith(".log") for name in os.listdir(os.path.join(out, "slurm"))), os.listdir(os.path.join(out, "slurm"))
    for name, text in kept.items():
        assert all_points[name] == text, f"{name} was run twice"

    # The same table as without Slurm.
    here = os.path.join(folder, "here")
    subprocess.run([wafersim, "sweep", sweep, "--out", here], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert contents(os.path.join(out, "sweep.csv")) == contents(os.path.join(here, "sweep.csv"))

    # Nothing is left to run: nothing is submitted.
    done = subprocess.run(command, env=slurm.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0 and "job" not in done.stderr, done.stderr
    assert results(out) == all_points


def test_submitted_again_while_it_is_queued(wafersim, slurm, folder):
    sweep, out = write_sweep(folder, 20), os.path.join(folder, "twice")
    command = [wafersim, "sweep", sweep, "--out", out, "--slurm", "--partition", "main", "--points-per-task", "2"]
    for _ in range(2):
        subprocess.run([*command, "--detach"], env=slurm.environment, check=True)
    seen = {}  # every text that a result ever had

    def over():
        for name, text in results(out).items():
            seen.setdefault(name, set()).add(text)
        return not slurm.queue()

    until("the end of both jobs", over)
    over()
    assert len(seen) == 8 and all(len(texts) == 1 for texts in seen.values()), {name: len(texts) for name, texts in seen.items()}


def test_refusal(wafersim, slurm, folder):
    command = [wafersim, "sweep", os.path.join(folder, "sweep.json"), "--out", os.path.join(folder, "refused"), "--slurm"]
    refused = subprocess.run([*command, "--partition", "nowhere"], env=slurm.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, check=False)
    assert refused.returncode == 2 and "invalid partition" in refused.stderr, refused.stderr


def main():
    wafersim = os.path.realpath(sys.argv[1])
    missing = [name for name in DAEMONS + TOOLS if shutil.which(name, path=PATH) is None]
    if missing:
        print(f"not installed: {', '.join(missing)} (Debian: slurm-wlm, munge)")
        return 77
    with tempfile.TemporaryDirectory(prefix="wafersim_slurm_") as folder, Slurm(folder) as slurm:
        test_killed_task(wafersim, slurm, folder)
        test_submitted_again_while_it_is_queued(wafersim, slurm, folder)
        test_refusal(wafersim, slurm, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
