"""Checks that the committed PDFs are those that the committed notebooks make."""

import pathlib

from report.exporter import ReportPDFExporter

import nbformat
import numpy as np
import pypdfium2
import pytest

FOLDER = pathlib.Path(__file__).parent
PDF, WITH_CODE = FOLDER / "hw2.pdf", FOLDER / "hw2_with_code.pdf"
REMEDY = "Run `make pdf` and commit report/hw2.pdf and report/hw2_with_code.pdf."
MAX_BYTES = 6_000_000  # Of each.
MAX_BODY, MAX_APPENDIX = 34, 18  # Pages.
MAX_HOLLOW = 3  # Pages within chapters of which more than a quarter is empty.


def read_pages(source):
    """Gives the text of each page of a PDF."""
    with pypdfium2.PdfDocument(source) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


@pytest.mark.parametrize("path", [PDF, WITH_CODE], ids=lambda path: path.name)
def test_pdf_says_what_the_notebooks_say(path):
    exporter = ReportPDFExporter(show_code=path == WITH_CODE)
    built, _ = exporter.from_filename(str(FOLDER / "report.ipynb"))
    pages, others = read_pages(path), read_pages(built)
    assert len(pages) == len(others), REMEDY
    for number, (page, other) in enumerate(zip(pages, others, strict=True), start=1):
        assert page.splitlines() == other.splitlines(), f"Page {number}. {REMEDY}"


def test_pdfs_are_small_enough_to_be_committed():
    assert max(path.stat().st_size for path in (PDF, WITH_CODE)) < MAX_BYTES


def largest_gap(page):
    """Gives the largest empty part of a page between its margins, of their distance."""
    grey = page.render(scale=0.5, grayscale=True).to_numpy()
    top, bottom = round(len(grey) * 26 / 297), round(len(grey) * 273 / 297)
    inked = np.flatnonzero((np.squeeze(grey)[top:bottom] < 200).any(axis=1))
    return np.diff([0, *inked, bottom - top]).max() / (bottom - top)


def test_report_is_short_and_its_pages_are_full():
    with pypdfium2.PdfDocument(PDF) as document:
        starts = {
            entry.get_title().split()[0]: entry.get_dest().get_index()
            for entry in document.get_toc()
            if entry.level == 0
        }
        assert starts["A"] <= MAX_BODY
        assert len(document) - starts["A"] <= MAX_APPENDIX
        # Chapters start on a new page; the one before may be empty below.
        new = {page for name, page in starts.items() if name.isdigit() or name == "A"}
        inner = set(range(len(document))) - {page - 1 for page in {len(document), *new}}
        hollow = [page + 1 for page in inner if largest_gap(document[page]) > 0.25]
    assert len(hollow) <= MAX_HOLLOW, f"pages {hollow}"


def test_every_notebook_is_a_chapter_before_the_appendix():
    front = nbformat.read(FOLDER / "report.ipynb", as_version=4)
    notebooks = sorted((FOLDER.parent / "notebooks").glob("*.ipynb"))
    chapters = [f"../notebooks/{path.name}" for path in notebooks]
    assert front.metadata["report"]["chapters"] == chapters
    assert front.metadata["report"]["appendix"] == ["appendix.ipynb"]
