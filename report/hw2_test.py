"""Checks that the committed PDF is the one that the committed notebooks make."""

import pathlib

import nbformat
import pypdfium2

from report.exporter import ReportPDFExporter

FOLDER = pathlib.Path(__file__).parent
PDF = FOLDER / "hw2.pdf"
REMEDY = "Run `make pdf` and commit report/hw2.pdf."
MAX_BYTES = 5_000_000


def read_pages(source):
    """Gives the text of each page of a PDF."""
    with pypdfium2.PdfDocument(source) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def find_first_difference(pages, others):
    """Says where two lists of pages differ, None if they do not."""
    if len(pages) != len(others):
        return f"{len(pages)} pages, not {len(others)}"
    for number, (page, other) in enumerate(zip(pages, others, strict=True), start=1):
        lines = zip(page.splitlines(), other.splitlines(), strict=False)
        for line, other_line in lines:
            if line != other_line:
                return f"page {number}: {line!r}, not {other_line!r}"
        if page != other:
            return f"page {number}: one text ends before the other"
    return None


def test_pdf_says_what_the_notebooks_say():
    assert PDF.is_file(), REMEDY
    built, _ = ReportPDFExporter().from_filename(str(FOLDER / "report.ipynb"))
    difference = find_first_difference(read_pages(PDF), read_pages(built))
    assert difference is None, f"hw2.pdf is not up to date, {difference}. {REMEDY}"


def test_pdf_is_small_enough_to_be_committed():
    assert PDF.stat().st_size < MAX_BYTES


def test_every_notebook_is_a_chapter_before_the_appendix():
    front = nbformat.read(FOLDER / "report.ipynb", as_version=4)
    notebooks = sorted((FOLDER.parent / "notebooks").glob("*.ipynb"))
    chapters = [f"../notebooks/{path.name}" for path in notebooks]
    assert front.metadata["report"]["chapters"] == [*chapters, "appendix.ipynb"]


def test_differences_are_found():
    assert find_first_difference(["a\nb", "c"], ["a\nb", "c"]) is None
    assert find_first_difference(["a"], ["a", "b"]) == "1 pages, not 2"
    assert find_first_difference(["a\nb"], ["a\nc"]) == "page 1: 'b', not 'c'"
    assert find_first_difference(["a\nb"], ["a"]) == (
        "page 1: one text ends before the other"
    )
