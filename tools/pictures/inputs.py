"""Reading of files; whatever is wrong is one line that names the file."""
import csv
import json
import os


class BadInput(Exception):
    """One line that names the file and what is wrong with it."""


def open_input(directory, name):
    path = os.path.join(directory, name)
    try:
        return open(path, encoding="utf-8", newline="")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def read_text(directory, name):
    with open_input(directory, name) as source:
        try:
            return source.read()
        except UnicodeDecodeError as error:
            raise BadInput(f"{source.name}: not text: {error}") from error


def read_json(directory, name):
    with open_input(directory, name) as source:
        try:
            return json.load(source)
        except ValueError as error:
            raise BadInput(f"{source.name}: not JSON: {error}") from error


def read_rows(directory, name, needed):
    """(header, [(line, cells)]) of a table with at least one row."""
    with open_input(directory, name) as source:
        reader = csv.reader(source)
        try:
            rows = [(reader.line_num, row) for row in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadInput(f"{source.name}: not a table: {error}") from error
        header = [cell.strip() for cell in rows[0][1]] if rows else []
        for column in needed:
            if column not in header:
                raise BadInput(f"{source.name}: no column {column}")
        for line, row in rows[1:]:
            if len(row) != len(header):
                raise BadInput(f"{source.name}: line {line} has {len(row)} columns, the header {len(header)}")
        if len(rows) < 2:
            raise BadInput(f"{source.name}: no rows")
        return header, rows[1:]


def read_numbers(directory, name, needed):
    """{column: [float]} in the order of the file; true and false are 1 and 0, an empty cell is NaN, other text is an error."""
    header, rows = read_rows(directory, name, needed)
    columns = {column: [] for column in header}
    for line, row in rows:
        for column, cell in zip(header, row):
            try:
                columns[column].append(float({"true": "1", "false": "0", "": "nan"}.get(cell, cell)))
            except ValueError:
                path = os.path.join(directory, name)
                raise BadInput(f"{path}: line {line}, column {column}: {cell!r} is not a number") from None
    return columns
