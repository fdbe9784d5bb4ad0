"""trace.json against the rules of the Trace Event Format, as strictly as Perfetto reads it: times in whole nanoseconds, slices of a track
on a stack, flows bound to the innermost slice."""
import json
import math

REQUIRED = {"X": ("pid", "tid", "name", "ts", "dur", "args"), "C": ("pid", "name", "ts", "args"),
            "M": ("pid", "tid", "name", "args"), **{phase: ("pid", "tid", "name", "cat", "id", "ts") for phase in "stf"}}
ROUNDINGS = (round, int)  # of microseconds times 1000, by version of the viewer


def require(holds, *what):
    if not holds:
        raise AssertionError(" ".join(str(part) for part in what))


def finite(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


class Trace:
    """A trace that keeps the rules. slices: {(process, track): [event]} by names; flows: {id: [(event, its slice)]}."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.bytes = len(text.encode())
        whole = json.loads(text)
        require(list(whole) == ["traceEvents", "otherData"], "keys", list(whole))  # what comes before the events is not known to all viewers
        self.other, self.events = whole["otherData"], whole["traceEvents"]
        self.processes, self.tracks = {}, {}
        for event in self.events:
            self._check_fields(event)
        self._check_names()
        self.slices, self.by_track, self.flows, self.counters = {}, {}, {}, {}
        for event in self.events:
            place = (event["pid"], event.get("tid"))
            if event["ph"] == "X":
                self.by_track.setdefault(place, []).append(event)
                name = self.tracks[place].split(", lane")[0]
                self.slices.setdefault((self.processes[event["pid"]], name), []).append(event)
            elif event["ph"] == "C":
                self.counters.setdefault((self.processes[event["pid"]], event["name"]), []).append(event)
        for rounding in ROUNDINGS:
            self._check_stacks(rounding)
        self._check_flows()
        for values in self.counters.values():
            values.sort(key=lambda event: event["ts"])

    def _check_fields(self, event):
        phase = event.get("ph")
        require(phase in REQUIRED, "phase", event)
        for key in REQUIRED[phase]:
            require(key in event, f"{key} is missing:", event)
        for key in ("ts", "dur"):
            require(key not in event or (finite(event[key]) and event[key] >= 0), key, event)
        for key in ("pid", "tid"):
            require(key not in event or (isinstance(event[key], int) and event[key] > 0), key, event)  # 0 is the idle one
        if phase == "C":
            require(len(event["args"]) == 1 and all(finite(v) and v >= 0 for v in event["args"].values()), "counter", event)
        if phase in "tf":
            require(event.get("bp") == "e", "a flow that does not bind to the slice around it", event)

    def _check_names(self):
        order = set()
        for event in self.events:
            if event["ph"] != "M":
                continue
            place = (event["pid"], event["tid"])
            if event["name"] == "process_name":
                self.processes[event["pid"]] = event["args"]["name"]
            elif event["name"] == "thread_name":
                require(place not in self.tracks, "two names", event)
                self.tracks[place] = event["args"]["name"]
            elif event["name"] == "thread_sort_index":
                order.add(place)
        used = {(event["pid"], event["tid"]) for event in self.events if event["ph"] == "X"}
        require(used == set(self.tracks) == order, "tracks used, named and put in order", used, self.tracks, order)
        require({event["pid"] for event in self.events} <= set(self.processes), "processes have names", self.processes)

    def _check_stacks(self, rounding):
        """Each slice ends within the one that is open when it begins; each flow event finds its slice open."""
        stacks = {}
        for event in sorted((e for e in self.events if e["ph"] in "Xstf"), key=lambda e: rounding(e["ts"] * 1000)):
            stack, now = stacks.setdefault((event["pid"], event["tid"]), []), rounding(event["ts"] * 1000)
            while stack and stack[-1][0] <= now:
                stack.pop()
            if event["ph"] == "X":
                end = now + rounding(event["dur"] * 1000)
                require(not stack or end <= stack[-1][0], "slices overlap:", event, stack[-1:])
                stack.append((end, event))
            else:
                require(stack, "no slice around", event)
                self.flows.setdefault(event["id"], {})[(event["ph"], event["ts"])] = (event, stack[-1][1])

    def _check_flows(self):
        for number, events in self.flows.items():
            flow = sorted(events.values(), key=lambda pair: (pair[0]["ts"], "stf".index(pair[0]["ph"])))
            phases = "".join(event["ph"] for event, _ in flow)
            require(phases == "sttf", "a flow's phases", number, phases)
            require(len({(event["cat"], event["name"], str(event["args"])) for event, _ in flow}) == 1, "a flow's names", flow)
            self.flows[number] = flow

    def track_of(self, event):
        return self.tracks[(event["pid"], event["tid"])].split(", lane")[0]
