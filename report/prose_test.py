"""Checks of the prose: no number that nothing backs, no word that is not the field's.

A number with a decimal point, or in per cent, must be what some value of the same
notebook rounds to: a printed or recorded one, one of a table or a claim, or a constant
of the code. A short number is matched by many values, so this finds what was typed
wrongly or has become stale, if not each of them. What is quoted from a publication
stands in one sentence with its citation, and is not checked.
"""

import ast
import math
import pathlib
import re

import nbformat
import pandas as pd
import pytest
import yaml

ROOT = pathlib.Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Code, formulas, the targets of links, addresses, and names of publications.
NO_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|https?:\S+|(arXiv|doi):\S+",
    re.DOTALL,
)
NUMBER = re.compile(
    r"(?<![\w.,])(?P<digits>\d[\d,]*\.\d+|\.\d+|\d[\d,]*)"
    r"(?P<power>e[+-]?\d+)?(?![\w-]|\.\d)(?P<percent>\s?%| per cent)?"
)
CITATION = re.compile(r"\b[A-Z][\w-]+( et al\.)?,? \(?(19|20)\d\d[a-z]?\b")
SENTENCE_END = re.compile(r"(?<=[^\s.][.?!:;])\s+(?=[A-Z*_\"“])|\n\s*\n|\n(?=\s*- )")
# What no notebook has to print: the level of all intervals (helpers.scores.intervals),
# and of two captions the rest of 60 and 10 per cent, and the share of ones in MNIST.
KNOWN = {
    "": [0.95],
    "04_sp500": [1 - 0.6 - 0.1],
    "06_training_questions": [1135 / 10_000],
}
# What the field does not say, and what it says instead.
WORDS = {
    r"restor\w*": "reconstruct",
    r"made[- ]up": "synthetic",
    r"usual start": "default initialisation",
    r"start(s|ed|ing)? as": "is initialised as",
    r"laws?": "distribution",
    r"right labels?|names? (the|\w+) (digit|speaker)s?": "classify, accuracy",
    r"was asked about|we defend": "the questioned, the recommended network",
    r"by luck": "in expectation",
    r"(?<![\w.])\.\d+": "0.5 with its zero",
    r"\d+e-\d+": "a formula, 10 to the power",
}
PAGES = ("README.md", "CONTRIBUTING.md", "data/README.md")


def read_numbers(text):
    """Yields the value, the place of its last digit and the unit of each number."""
    for found in NUMBER.finditer(text):
        digits, power = found["digits"].replace(",", ""), found["power"] or ""
        last = 10.0 ** (int(power[1:] or 0) - len(digits.partition(".")[2]))
        yield float(digits + power), last, found["percent"], found.group().strip()


def prose_of(notebook, captions=True):
    """Gives the text of the markdown cells and the captions, without references."""
    texts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            texts.append(cell.source.partition("## References")[0])
        elif captions and (options := re.findall(r"(?m)^#\| ?(.*)", cell.source)):
            options = yaml.safe_load("\n".join(options))
            texts += [str(options.get(name, "")) for name in ("fig-cap", "tbl-cap")]
    return NO_PROSE.sub(" ", "\n\n".join(texts))


def values_of(notebook, scores=()):
    """Gives all values of outputs and code, those in per cent as shares."""
    values, texts = list(scores), []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
                values.append(float(node.value))
        for output in cell.outputs:
            data = output.get("data", {})
            table = re.sub(r"<[^>]*>", " ", data.get("text/html", ""))
            texts += [output.get("text", ""), data.get("text/plain", ""), table]
    for value, _, percent, _ in read_numbers("\n".join(texts)):
        values.append(value / 100 if percent else value)
    return values


def find_unbacked(notebook, scores=()):
    """Lists the sentences with numbers that no value rounds to."""
    values = values_of(notebook, scores)
    unbacked = []
    for sentence in SENTENCE_END.split(prose_of(notebook)):
        if CITATION.search(sentence):
            continue
        for number, last, percent, text in read_numbers(sentence):
            if not percent and last == 1:
                continue
            unit = 0.01 if percent else 1.0
            if not any(
                math.isclose(
                    value, number * unit, rel_tol=1e-9, abs_tol=last * unit * 0.500001
                )
                for value in values
            ):
                unbacked.append(f"{text}: {' '.join(sentence.split())}")
    return unbacked


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_numbers_in_prose_are_backed(path):
    table = pd.read_csv(ROOT / "report" / "scores" / f"{path.stem}.csv")
    scores = table.select_dtypes("number").to_numpy().ravel().tolist()
    notebook = nbformat.read(path, as_version=4)
    known = KNOWN[""] + KNOWN.get(path.stem, [])
    assert find_unbacked(notebook, scores + known) == []


def make_notebook(prose, printed="", code="0"):
    """A notebook of one text and one cell of code with its printed output."""
    v4 = nbformat.v4
    outputs = [v4.new_output("stream", text=printed)]
    cells = [v4.new_markdown_cell(prose), v4.new_code_cell(code, outputs=outputs)]
    return v4.new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("prose", "printed", "code"),
    [
        ("The error is .0027.", "error 0.002652", ""),
        ("The error is 0.0027 in 3 epochs.", "error 2.65e-03", ""),
        ("It classifies 99.4 % of them.", "accuracy 99.43% ± 0.02%", ""),
        ("It classifies 99.4 per cent.", "accuracy 0.9943", ""),
        ("The original has .0031.", "", "ORIGINAL = 0.0031"),
        ("Skill falls by 1.4 %.", "−1.44% (−2.26% to −0.70%)", ""),
        ("From .5 up.", "holds: It rises from .5 to 1.", ""),
        ("They found .17 (Hinton and Salakhutdinov 2006).", "", ""),
        ("Lee et al. (2004) found .17.", "", ""),
        ("Since 2006 there are 128 numbers, `0.17` and $x > 0.17$.", "", ""),
        ("See [it](http://x.org/0.17).\n\n## References\n\n- arXiv:1502.04681", "", ""),
    ],
)
def test_backed_numbers_pass(prose, printed, code):
    assert find_unbacked(make_notebook(prose, printed, code)) == []


@pytest.mark.parametrize(
    ("prose", "printed", "code"),
    [
        ("The error is .0028.", "error 0.002652", ""),
        ("The error is 0.00270.", "error 0.002652", ""),
        ("It classifies 98.4 % of them.", "accuracy 98.34% ± 0.04%", ""),
        ("It classifies 99.4 % of them.", "99.4 seconds", ""),
        ("It takes 12.5 seconds.", "12.5%", ""),
        ("A caption says so.", "", '#| fig-cap: "The error is .17"\nplot()'),
        ("It was .17. So it is (Hinton and Salakhutdinov 2006).", "", ""),
        ("It is ± .17, that is .17", "", "x = 17"),
    ],
)
def test_numbers_typed_by_hand_are_noticed(prose, printed, code):
    assert find_unbacked(make_notebook(prose, printed, code))


def find_words(text, words=WORDS):
    """Lists the words that should not stand in a text, with what should."""
    text = NO_PROSE.sub(" ", text)
    return [
        f"{found.group()!r}, better {better}: ...{text[: found.end()][-80:]}"
        for word, better in words.items()
        for found in re.finditer(rf"(?<!\w)({word})(?!\w)", text, re.IGNORECASE)
    ]


def docstrings_of(path):
    """Gives all docstrings of a module as one text."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    texts = [ast.get_docstring(node) for node in nodes if isinstance(node, documented)]
    return "\n\n".join(filter(None, texts))


PAGES_OF_REPORT = [ROOT / "report" / f"{name}.ipynb" for name in ("report", "appendix")]


@pytest.mark.parametrize(
    "path", NOTEBOOKS + PAGES_OF_REPORT, ids=lambda path: path.stem
)
def test_notebooks_use_the_words_of_the_field(path):
    notebook = nbformat.read(path, as_version=4)
    terms = {word: better for word, better in WORDS.items() if "d+" not in word}
    assert find_words(prose_of(notebook, captions=False)) == []
    assert find_words(prose_of(notebook), terms) == []


def test_pages_and_docstrings_use_the_words_of_the_field():
    texts = {name: (ROOT / name).read_text("utf-8") for name in PAGES}
    for path in (ROOT / "helpers").rglob("*.py"):
        texts[str(path.relative_to(ROOT))] = docstrings_of(path)
    terms = {word: better for word, better in WORDS.items() if "d+" not in word}
    found = {name: find_words(text, terms) for name, text in texts.items()}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "text",
    [
        *("It restores digits.", "Made-up series", "from the usual start", "a law"),
        *("It names the digit.", "the share of right labels", "It starts as a memory."),
        *(
            "the network that was asked about",
            "but by luck",
            "It is .5.",
            "It is 1e-5.",
        ),
    ],
)
def test_other_words_are_noticed(text):
    assert find_words(text)


def test_words_of_the_field_pass():
    text = (
        "It reconstructs synthetic series, `restore` of a lawyer, 0.5, version 3.11.7."
    )
    assert find_words(text) == []
