"""Which recorded runs a cell of an executed notebook uses.

A cell that trains or loads networks prints a line for each that starts with its name:
`03_flat_seed0: 16 epochs, ...`, or `02_selection: 34 models, ...`. What it assigns
stands for these runs, and so does what later cells compute from it. Of a variable with
many networks all are named, whichever a cell picks.
"""

import ast
import dis
import itertools
import operator
import re
import types

from IPython.core.inputtransformer2 import TransformerManager
from nbconvert.filters import strip_ansi

LONGEST = 90  # Characters; a longer list of runs is abridged.
CHANGES = {"add", "append", "extend", "insert", "setdefault", "update"}
RUN = re.compile(r"(?m)^(\d\d_\w+)(?:/\w+)?: ")


def runs_of_cells(notebook):
    """Returns the list of the sets of runs behind a notebook's cells, from its node."""
    known, found = {}, []  # `known`: from variables to sets of names of runs.
    for cell in notebook.cells:
        found.append(set())
        if cell.cell_type != "code":
            continue
        printed = set(RUN.findall(printed_text(cell)))
        python = TransformerManager().transform_cell(cell.source)  # Magics as calls.
        for statement in ast.parse(python).body:
            read, written = names_of(statement)
            used = set().union(*(known.get(name, ()) for name in read))
            found[-1] |= printed or used
            for name in written:
                before = known.get(name, set()) if name in read else set()
                known[name] = before | (printed or used)
    return found


def list_runs(names):
    """Lists names of runs on a line, `03_flat_seed0, 03_hierarchical_seed0 to 1`.

    If the line would be too long, names with the same start are one pattern, with the
    number of runs that are meant: `03_ladder* (16)`.
    """
    seeds = {}  # From what stands before the seed to the numbers behind it.
    for name in names:
        start, mark, seed = name.rpartition("_seed")
        key, value = (start + mark, int(seed)) if seed.isdigit() else (name, "")
        seeds.setdefault(key, []).append(value)
    texts = []
    for start, numbers in sorted(seeds.items()):
        numbers.sort()
        if len(numbers) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1:
            numbers = [f"{numbers[0]} to {numbers[-1]}"]
        texts.append(start + ", ".join(map(str, numbers)))
    split = sorted(name.split("_") for name in names)
    for count in (3, 2, 1):
        if len(", ".join(texts)) <= LONGEST:
            break
        texts = []
        for start, group in itertools.groupby(split, operator.itemgetter(slice(count))):
            first, *others = map("_".join, group)
            pattern = f"{'_'.join(start)}* ({1 + len(others)})"
            texts.append(pattern if others else first)
    return ", ".join(texts)


def printed_text(cell):
    """Joins what a code cell has printed, and its progress."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    ]
    return strip_ansi("\n".join(texts))


def names_of(statement):
    """Returns the variables that a statement reads first, and those that it changes."""
    first = {}
    code = compile(ast.Module([statement], []), "cell", "exec")
    for instruction in instructions_of(code):
        if instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL", "STORE_NAME"):
            first.setdefault(instruction.argval, instruction.opname)
    written = {
        one.argval for one in dis.get_instructions(code) if one.opname == "STORE_NAME"
    }
    for node in ast.walk(statement):  # `a.b[c] = ...` and `a.append(...)` change `a`.
        place = node.func if isinstance(node, ast.Call) else node
        stored = isinstance(getattr(place, "ctx", None), ast.Store)
        if stored or getattr(place, "attr", None) in CHANGES:
            while isinstance(place, ast.Attribute | ast.Subscript):
                place = place.value
            written |= {getattr(place, "id", None)} & first.keys()
    return {name for name, how in first.items() if how != "STORE_NAME"}, written


def instructions_of(code):
    """Yields the instructions of a code object and of the functions in it."""
    yield from dis.get_instructions(code)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from instructions_of(constant)
