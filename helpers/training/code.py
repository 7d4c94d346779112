"""Checksums of code: what it does, not how it is laid out or commented."""

import ast
import functools
import hashlib
import inspect
import json
import sys
import textwrap
import types

import numpy as np

PACKAGE = __name__.split(".")[0]
# Fields of a syntax tree that differ between versions of Python, or say nothing.
SILENT_FIELDS = {"ctx", "kind", "type_comment", "type_params"}


def digest(thing, digests=None):
    """Returns the SHA-256 of a function or class and of all project code it uses.

    Comments, docstrings and layout leave it as it is. Functions, classes and constants
    that the code names are followed if they belong to the project or to the notebook;
    of a `functools.partial` and of a closure the held values count, too.

    Args:
        thing: Function, class, or `functools.partial` of one.
        digests: See `fingerprint.describe`.
    """
    found = {}
    collect(thing, found, {} if digests is None else digests)
    text = json.dumps([found[key] for key in sorted(found)])
    return hashlib.sha256(text.encode()).hexdigest()


def collect(thing, found, digests):
    """Adds the code of an object, and of what it uses, to a dict by name."""
    if isinstance(thing, functools.partial):
        collect(thing.func, found, digests)
        values = [*thing.args, *sorted(thing.keywords.items())]
        found[f"values {len(found):03d}"] = describe(values, found, digests)
        return
    if isinstance(thing, types.MethodType):
        thing = thing.__func__
    key = getattr(thing, "__qualname__", repr(thing))
    if key in found:
        return
    tree, found[key] = parse(thing)
    for name, value in sorted(names_in(thing, tree).items()):
        if is_project_code(value):
            collect(value, found, digests)
        elif isinstance(value, bool | int | float | str | tuple | type(None)):
            found[f"{key}: {name}"] = repr(value)
        elif isinstance(value, np.ndarray | dict | list):
            found[f"{key}: {name}"] = describe(value, found, digests)


@functools.cache
def parse(thing):
    """Returns the syntax tree of a function or class, and its `dump`."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    return tree, dump(tree)


def names_in(thing, tree):
    """Returns a dict of what the names in the code of an object stand for."""
    scope = dict(vars(sys.modules[thing.__module__]))
    scope |= getattr(thing, "__globals__", {})
    if getattr(thing, "__closure__", None):
        names = thing.__code__.co_freevars
        cells = zip(names, thing.__closure__, strict=True)
        scope |= {name: cell.cell_contents for name, cell in cells}
    values = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in scope:
            values[node.id] = scope[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = scope.get(node.value.id)
            if isinstance(owner, types.ModuleType) and is_ours(owner.__name__):
                value = getattr(owner, node.attr, None)
                values[f"{node.value.id}.{node.attr}"] = value
    return values


def is_project_code(value):
    """Tells whether a value is a function or class of the project or a notebook."""
    if isinstance(value, functools.partial):
        return is_project_code(value.func)
    value = getattr(value, "python_function", value)  # Of a `tf.function`.
    has_code = inspect.isfunction(value) or inspect.isclass(value)
    return has_code and is_ours(value.__module__)


def is_ours(module):
    """Tells whether a module, given by its name, is the project's or a notebook."""
    return module.split(".")[0] in (PACKAGE, "__main__")


def describe(value, found, digests):
    """Returns what JSON can hold of a value that code uses."""
    if isinstance(value, np.ndarray):
        key = "bound", id(value)  # Many functions are bound to the same arrays.
        if key not in digests:
            digests[key] = hashlib.sha256(value.tobytes()).hexdigest()
        return [str(value.dtype), value.shape, digests[key]]
    if isinstance(value, dict):
        return [[str(key), describe(one, found, digests)] for key, one in value.items()]
    if isinstance(value, list | tuple):
        return [describe(one, found, digests) for one in value]
    if is_project_code(value):
        collect(value, found, digests)
        return value.__qualname__ if hasattr(value, "__qualname__") else "partial"
    return repr(value)


def dump(node):
    """Returns a syntax tree without docstrings as lists, the same on every Python."""
    if isinstance(node, list):
        return [dump(one) for one in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and is_docstring(body[0]):
        node.body = body[1:]
    return [
        type(node).__name__,
        *(
            [name, dump(value)]
            for name, value in ast.iter_fields(node)
            if name not in SILENT_FIELDS and value is not None and value != []
        ),
    ]


def is_docstring(node):
    """Tells whether a statement is a string alone."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
