"""The pages of a run and of a sweep as a browser shows them: every picture and table there, nothing blank, nothing from a network.

usage: pictures_browser_test.py PLOT     exit 77: no Chromium on this machine
"""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from drawn_directories import PICTURES, write_run, write_sweep

PLOT = ""
BROWSER = shutil.which("chromium")
WIDTH = 1280

# Added to a copy of a page: what the browser made of it, as text for --dump-dom.
PROBE = """<script>
window.addEventListener("load", () => {
  const box = (element) => { const b = element.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom].map(Math.round); };
  const found = {
    height: document.documentElement.scrollHeight, width: document.documentElement.scrollWidth,
    images: [...document.images].map((i) =>
      ({source: i.getAttribute("src"), natural: [i.naturalWidth, i.naturalHeight], alt: i.alt, box: box(i)})),
    tables: [...document.querySelectorAll("table")].map((t) => ({rows: t.rows.length, box: box(t), folded: t.closest("details") !== null})),
    titles: [...document.querySelectorAll("h2")].map((t) => t.textContent),
  };
  const out = document.createElement("pre");
  out.id = "probe";
  out.textContent = JSON.stringify(found);
  document.body.appendChild(out);
});
</script>"""


class Page(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = os.path.join(directory.name, "a run")  # a space, as users have them
        self.profile = os.path.join(directory.name, "profile")
        os.mkdir(self.directory)

    def browse(self, name, *arguments):
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
                   "--disable-background-networking", f"--user-data-dir={self.profile}", *arguments,
                   "file://" + os.path.join(self.directory, name).replace(" ", "%20")]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout

    def look(self):
        """Draws the directory; what the browser found in the page, and a screenshot of all of it as rows of colors."""
        environment = dict(os.environ, MPLCONFIGDIR=os.path.join(tempfile.gettempdir(), f"wafersim-matplotlib-{os.getuid()}"))
        subprocess.run([sys.executable, "-B", PLOT, self.directory], stdout=subprocess.DEVNULL, check=True, env=environment)
        with open(os.path.join(self.directory, "index.html"), encoding="utf-8") as source:
            page = source.read()
        with open(os.path.join(self.directory, "probe.html"), "w", encoding="utf-8") as out:
            out.write(page + PROBE)
        dumped = self.browse("probe.html", f"--window-size={WIDTH},900", "--dump-dom")
        probe = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dumped, re.DOTALL)[1]))

        shot = os.path.join(self.directory, "shot.png")
        self.browse("index.html", f"--window-size={WIDTH},{probe['height']}", f"--screenshot={shot}")
        from matplotlib.image import imread

        return page, probe, (255 * imread(shot)[:, :, :3]).astype(int)

    def check(self, page, probe, shot):
        self.assertEqual(re.findall(r"https?:|<script|<link|@import", page), [])
        for target in re.findall(r'(?:href|src)="([^"]*)"', page):
            self.assertFalse(os.path.isabs(target), target)
            self.assertTrue(os.path.isfile(os.path.join(self.directory, target)), target)
        self.assertEqual(shot.shape[1], WIDTH)
        self.assertLess(abs(shot.shape[0] - probe["height"]), 80)
        self.assertLessEqual(probe["width"], WIDTH)  # no sideways scrolling
        for image in probe["images"]:
            self.assertGreater(min(image["natural"]), 200, image)
            self.assertNotEqual(image["alt"], "", image)
            self.assertGreater(self.colors(shot, image["box"]), 20, image)
        for table in probe["tables"]:
            self.assertGreater(table["rows"], 1, table)
            if not table["folded"]:
                self.assertGreater(self.colors(shot, table["box"]), 4, table)

    def colors(self, shot, box):
        left, top, right, bottom = box
        part = shot[top:bottom, left:min(right, WIDTH)]
        return len(set(map(tuple, part.reshape(-1, 3)[::7])))

    def test_of_a_run_shows_every_picture_and_the_tables_of_its_report(self):
        write_run(self.directory)
        page, probe, shot = self.look()
        self.check(page, probe, shot)
        self.assertEqual([image["source"] for image in probe["images"]], [f"{name}.png" for name in PICTURES])
        self.assertGreaterEqual(set(probe["titles"]), {"Report", "Pictures", "steps", "breakdown", "memory", "digests"})
        self.assertGreaterEqual(len(probe["tables"]), 6)
        self.assertIn("tiny &lt;model&gt; on cs2", page)

    def test_of_a_sweep_shows_every_picture_the_points_and_those_that_failed(self):
        write_sweep(self.directory)
        page, probe, shot = self.look()
        self.check(page, probe, shot)
        axes = ("width", "io.wafer_bandwidth", "systems")
        maps = ("map-io.wafer_bandwidth-width", "map-width-systems", "map-io.wafer_bandwidth-systems")
        self.assertEqual([image["source"] for image in probe["images"]],
                         [f"{stem}.png" for stem in (*(f"curves-{axis}" for axis in axes), *maps, "pareto", "scaling")])
        self.assertEqual(probe["titles"], ["Axes", "Pictures", "Pareto front", "Failed points", "Points"])
        self.assertEqual(probe["tables"][-1]["rows"], 25)
        self.assertIn("plan: SRAM overflow", page)


if __name__ == "__main__":
    if BROWSER is None:
        print("skipped: no chromium on this machine; tools/packages.txt lists it")
        sys.exit(77)
    PLOT = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
