"""Checks that the committed PDF is the one that the committed notebooks make."""

import pathlib

from report.exporter import ReportPDFExporter

import nbformat
import pypdfium2

FOLDER = pathlib.Path(__file__).parent
PDF = FOLDER / "hw2.pdf"
REMEDY = "Run `make pdf` and commit report/hw2.pdf."
MAX_BYTES = 5_000_000


def read_pages(source):
    """Gives the text of each page of a PDF."""
    with pypdfium2.PdfDocument(source) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def test_pdf_says_what_the_notebooks_say():
    built, _ = ReportPDFExporter().from_filename(str(FOLDER / "report.ipynb"))
    pages, others = read_pages(PDF), read_pages(built)
    assert len(pages) == len(others), REMEDY
    for number, (page, other) in enumerate(zip(pages, others, strict=True), start=1):
        assert page.splitlines() == other.splitlines(), f"Page {number}. {REMEDY}"


def test_pdf_is_small_enough_to_be_committed():
    assert PDF.stat().st_size < MAX_BYTES


def test_every_notebook_is_a_chapter_before_the_appendix():
    front = nbformat.read(FOLDER / "report.ipynb", as_version=4)
    notebooks = sorted((FOLDER.parent / "notebooks").glob("*.ipynb"))
    chapters = [f"../notebooks/{path.name}" for path in notebooks]
    assert front.metadata["report"]["chapters"] == chapters
    assert front.metadata["report"]["appendix"] == ["appendix.ipynb"]
