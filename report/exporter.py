"""The nbconvert exporter that makes one PDF of a front notebook and its chapters.

Run it from the root of the repository, on executed notebooks:

    jupyter nbconvert --to report.exporter.ReportPDFExporter report/report.ipynb \
        --output hw2

Add `--ReportPDFExporter.show_code=True --output hw2_with_code` for the edition with
code. pandoc converts Markdown, formulas and tables, Typst sets the pages: both are
wheels, so no TeX, browser or system font is needed, and the bytes are always the same.

The front notebook starts with `# Title`, has a cell that starts with `## Abstract` (it
ends with the next heading), and its metadata `report` say the rest. A chapter starts
with `# 1. Title`. What would be wrong in print stops the build, all in one message.
"""

import pathlib
import re
import tempfile

from report.document import CELL_MARK, Document, Notebook
from report.problems import Problems, ReportError, where

import nbformat
import typst
from nbconvert.exporters.exporter import Exporter
from traitlets import Bool

STYLE = pathlib.Path(__file__).with_name("style.typ")


class ReportPDFExporter(Exporter):
    """Exports a front notebook and its chapters as one PDF.

    It is a PDF/UA-1 file, for which Typst refuses characters that its fonts lack.
    """

    file_extension = ".pdf"
    output_mimetype = "application/pdf"
    export_from_notebook = "PDF via Typst"
    show_code = Bool(False, help="Whether code is shown.").tag(config=True)

    def from_notebook_node(self, nb, resources=None, **kwargs):
        """Converts a front notebook, and the chapters that its metadata name.

        Args:
            nb: The front notebook's node.
            resources: nbconvert's dict, with the notebook's folder and name.

        Returns:
            Tuple `(pdf, resources)`, `pdf` as bytes.
        """
        resources = self._init_resources(resources)
        document = compose(nb, resources["metadata"], self.show_code)
        return compile_pdf(*document), resources


def compose(front, metadata, show_code):
    """Makes the Typst document of a front notebook and its chapters.

    Args:
        front: The front notebook's node.
        metadata: Dict with its `"path"` (the folder) and its `"name"`.
        show_code: Bool.

    Returns:
        Tuple `(markup, images, notebooks)`: a string, a dict from relative path to
        bytes, and a list of `Notebook`s. A `ReportError` tells what would be wrong.
    """
    problems = Problems()
    folder = pathlib.Path(metadata.get("path") or ".")
    name = f"{metadata.get('name') or 'report'}.ipynb"
    notebooks = [Notebook(folder / name, 0, front)]
    meta = front.metadata.get("report", {})
    chapters, appendix = meta.get("chapters", []), meta.get("appendix", [])
    paths = [folder / one for one in [*chapters, *appendix]]
    for number, path in enumerate(paths, start=1):
        if path.is_file():
            node = nbformat.read(path, as_version=4)
            notebooks.append(Notebook(path, number, node, number > len(chapters)))
        else:
            problems.add(f"{name}: the chapter {path} is missing")
    keys = {notebook.key for notebook in notebooks}
    if not chapters or len(keys) < len(notebooks):  # Labels start with the keys.
        text = "the metadata must list chapters with names of their own"
        problems.add(f"{name}: {text}. Received: {chapters}")
    for notebook in notebooks:
        problems.check_execution(notebook)
    problems.stop()
    document = Document(notebooks, show_code, problems)
    markup = document.markup()
    problems.stop()
    return markup, document.images, notebooks


def compile_pdf(markup, images, notebooks):
    """Returns the PDF of what `compose` has made; a warning is a `ReportError`, too."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "images").mkdir()
        files = {"main.typ": markup.encode(), "style.typ": STYLE.read_bytes()} | images
        for name, content in files.items():
            (root / name).write_bytes(content)
        try:
            pdf, complaints = typst.compile_with_warnings(
                str(root / "main.typ"),
                root=folder,
                ignore_system_fonts=True,  # The same fonts, hence bytes, everywhere.
                pdf_standards=["ua-1"],
            )
        except typst.TypstError as error:
            complaints = [error]
    if complaints:
        texts = [explain(one.diagnostic, markup, notebooks) for one in complaints]
        raise ReportError("\n".join(texts))
    return pdf


def explain(diagnostic, markup, notebooks):
    """Adds to what Typst says of lines of main.typ which cells these come from."""
    lines = markup.splitlines()
    places = {}
    for line in re.findall(r"main\.typ:(\d+)", diagnostic):
        marks = [text for text in lines[: int(line)] if text.startswith(CELL_MARK)]
        if marks:
            number, cell = map(int, marks[-1].removeprefix(CELL_MARK).split())
            places[where(notebooks[number], cell)] = None
    return f"Typst complains of {'; '.join(places) or 'style.typ'}:\n{diagnostic}"
