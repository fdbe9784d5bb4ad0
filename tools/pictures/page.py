"""index.html: one page that opens from disk, without scripts and without a network. Pictures lie beside it."""
from html import escape

MANY_ROWS = 40  # a longer table is folded

STYLE = """
body { font: 15px/1.45 "DejaVu Sans", Arial, sans-serif; margin: 2em auto; max-width: 1180px; padding: 0 1em; color: #1c1c1c; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ccc; }
figure { margin: 1.5em 0; } figcaption { color: #555; font-size: 0.9em; }
img { max-width: 100%; height: auto; border: 1px solid #ddd; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.82em; margin: 0.6em 0; }
th, td { border: 1px solid #ddd; padding: 2px 8px; text-align: left; vertical-align: top; } th { background: #f3f3f3; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { background: #f7f7f7; border: 1px solid #ddd; padding: 0.8em; overflow-x: auto; font: 12px/1.35 "DejaVu Sans Mono", monospace; }
summary { cursor: pointer; color: #225; margin: 0.4em 0; }
"""


def text_of(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(text_of(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {text_of(one)}" for key, one in value.items())
    return str(value)


def cell(value):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f'<td class="number">{text_of(value)}</td>' if number else f"<td>{escape(text_of(value))}</td>"


def folded(name, rows, inside):
    return f"<details><summary>{escape(name)}: {rows:,} rows</summary>{inside}</details>" if rows > MANY_ROWS else inside


def table(header, rows, name="table", fold=True):
    head = "".join(f"<th>{escape(str(column).replace('_', ' '))}</th>" for column in header)
    body = "\n".join("<tr>" + "".join(cell(value) for value in row) + "</tr>" for row in rows)
    whole = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>\n'
    return folded(name, len(rows), whole) if fold else whole


def flattened(values, prefix=""):
    """[(dotted key, value)] of a dictionary; lists stay whole."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def records(rows, name):
    """A table of dictionaries: the columns are all their keys, dotted."""
    flat = [dict(flattened(row)) for row in rows]
    header = list(dict.fromkeys(key for row in flat for key in row))
    return table(header, [[row.get(key) for key in header] for row in flat], name)


def tables_of(name, value):
    """A dictionary as keys and values, lists of dictionaries as tables of their own."""
    if isinstance(value, list):
        return records(value, name) if value and isinstance(value[0], dict) else f"<p>{escape(text_of(value)) or 'none'}</p>"
    flat = list(flattened(value))
    long = [(key, one) for key, one in flat if isinstance(one, list) and one and isinstance(one[0], dict)]
    plain = [(key, one) for key, one in flat if not any(key == other for other, _ in long)]
    inside = table(("key", "value"), plain, name) if plain else ""
    for key, rows in long:
        inside += f"<p>{escape(name)}.{escape(key)}</p>" + records(rows, f"{name}.{key}")
    return inside


def figure(stem, caption):
    name = escape(stem, quote=True)
    return (f'<figure><a href="{name}.svg"><img src="{name}.png" alt="{escape(caption, quote=True)}"></a>'
            f"<figcaption>{escape(caption)}</figcaption></figure>\n")


def section(title, inside):
    return f"<section><h2>{escape(title)}</h2>\n{inside}</section>\n"


def links(names):
    return "<p>" + " · ".join(f'<a href="{escape(name, quote=True)}">{escape(name)}</a>' for name in names) + "</p>\n"


def page(title, sections):
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n<style>{STYLE}</style></head>\n'
            f"<body><h1>{escape(title)}</h1>\n{''.join(sections)}</body></html>\n")
