"""Pictures and pages on disk: whole or not at all."""
import os
import warnings

from pictures.inputs import BadInput


def write_whole(path, write):
    """write(temporary path), then the rename."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise BadInput(f"{path}: {error.strerror}") from error
    print(path)


def write_picture(figure, stem):
    """stem.png and stem.svg; the same bytes for the same figure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of glyphs and layouts that matplotlib would like otherwise
        box = figure.get_tightbbox(figure.canvas.get_renderer()).padded(0.1)  # once for both: it costs as much as to draw
        for kind, nameless in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
            write_whole(f"{stem}.{kind}", lambda path: figure.savefig(path, format=kind, dpi=110, bbox_inches=box, metadata=nameless))


def write_text(text, path):
    def write(temporary):
        with open(temporary, "w", encoding="utf-8") as out:
            out.write(text)

    write_whole(path, write)


def import_pyplot():
    """matplotlib's pyplot, set up for files; only when something is to be drawn, since it takes a second."""
    try:
        import matplotlib
    except ImportError:
        raise BadInput("matplotlib is not there; install python3-matplotlib and use /usr/bin/python3") from None
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"svg.hashsalt": "wafersim", "svg.fonttype": "none", "axes.axisbelow": True, "figure.max_open_warning": 0})
    from matplotlib import pyplot

    return pyplot
