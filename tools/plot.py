#!/usr/bin/python3
"""Draws the directory of a run or of a sweep: pictures as PNG and SVG in it, and index.html, which shows them with the tables."""
import argparse
import os
import sys

from pictures.inputs import BadInput
from pictures.run import draw_run
from pictures.sweep import draw_sweep

PICTURES = """pictures of a run (report.json, report.txt, steps.csv, trace.json, heatmap.csv):
  loss        loss and gradient norm of every step
  layers      cycles of a step by layer, stacked by kernel
  breakdown   cycles of a step by kernel, divided into busy and the causes of stalls
  timeline    compute against streams: a track per serial resource, the last step where there are several
  roofline    every row of the breakdown that multiplies
  heatmap, stalls, links    PE by PE: utilisation, causes of stalls, load of links (runs by wavelets)
  sram        arrays of a PE over the step

pictures of a sweep (sweep.csv):
  curves-X    a figure over axis X, a line for each value of another axis, a panel for each of a third
  map-X-Y     the same by color over two axes; red lines where the bound changes
  pareto      tokens a second against energy a token or what --less names
  scaling     tokens a second over systems, where these are an axis
Every pair of axes up to six is drawn; axes beyond three have their middle value unless --at says otherwise.

Everything is read before anything is written; a file appears whole or not at all.
Exit 2: a file is missing or not what it should be."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, epilog=PICTURES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", metavar="DIR", help="what `wafersim run` or `wafersim sweep` left")
    sweep = parser.add_argument_group("of a sweep")
    sweep.add_argument("--figure", metavar="NAME", help="the column drawn (default: tokens_per_second)")
    sweep.add_argument("--less", metavar="NAME", help="what the Pareto front has less of, an axis too (default: joules_per_token)")
    sweep.add_argument("--x", metavar="AXIS", help="with --y: draw these two axes alone")
    sweep.add_argument("--y", metavar="AXIS")
    sweep.add_argument("--at", metavar="AXIS=VALUE", action="append", default=[], help="draw this value alone, as sweep.csv writes it")
    options = parser.parse_args()
    try:
        if not os.path.isdir(options.directory):
            raise BadInput(f"{options.directory}: not a directory of a run or a sweep")
        if os.path.exists(os.path.join(options.directory, "sweep.csv")):
            draw_sweep(options.directory, options)
        elif os.path.isdir(os.path.join(options.directory, "points")):
            raise BadInput(f"{options.directory}: no sweep.csv yet: `wafersim sweep` once more finishes and gathers its points")
        elif options.figure or options.less or options.x or options.y or options.at:
            raise BadInput(f"{options.directory}: no sweep.csv; --figure, --less, --x, --y and --at are of a sweep")
        else:
            draw_run(options.directory)
    except BadInput as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
