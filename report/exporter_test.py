import base64
import io
import subprocess
import sys

import nbformat
import numpy as np
import pypdfium2
import pytest
from matplotlib.figure import Figure
from nbformat import v4
from traitlets.config import Config

from report import exporter

FORMULAS = [
    r"\begin{align} i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i), & f_t &= 1 - i_t, \\"
    r" c_t &= f_t \odot c_{t-1} + i_t \odot \tilde{c}_t, & h_t &= o_t \odot \tanh(c_t)"
    r" \end{align}",
    r"\begin{aligned} a &= b \oplus c \\ d &= e \otimes f \ominus g \end{aligned}",
    r"x = \begin{cases} 0.1\,x_t & \text{if } |t - i| \le 5 \\ x_t & \text{else} "
    r"\end{cases}",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
    r"\begin{vmatrix} a & b \\ c & d \end{vmatrix}",
    r"\begin{Vmatrix} a & b \\ c & d \end{Vmatrix}",
    r"\left\| x - \hat{x} \right\|_2^2 + \lVert W \rVert_F + \bigl\| z \bigr\|_1",
    r"\theta^* = \arg\min_\theta \mathcal{L}(\theta)",
    r"\hat{k} = \operatorname*{arg\,max}_k p_k, \quad \operatorname{argmin}_j q_j",
    r"\mathrm{softmax}(z)_k = \frac{e^{z_k}}{\sum_j e^{z_j}}",
    r"x' = \tfrac12 + \frac{x - \bar x}{2 \max |x - \bar x|}",
    r"\frac{1}{N T D} \sum_{n=1}^{N} \sum_{t=1}^{T} \|x_t^{(n)} - \hat x_t^{(n)}\|^2",
    r"\mathbb{E}_{x \sim p}[x \mid z] \in \mathbb{R}^{T \times D}",
    r"\langle a, b \rangle = A \cap B \cup C, \; \widehat{xy}, \widetilde{xy}",
    r"\Big( \frac{\partial L}{\partial x} \Big)^{\top} \nabla_{\boldsymbol\theta} \ell",
    r"\underbrace{a + b}_{\text{two}}, \ldots, \lfloor x \rfloor, 10^{-3}, 3\,\%",
]


@pytest.fixture(scope="module")
def image():
    """A figure as matplotlib's inline backend stores it, base64 of a PNG."""
    figure = Figure(figsize=(4, 1.5), dpi=80)
    figure.subplots().plot(np.arange(5))
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def code_cell(source, data=None, stdout=None, execution_count=1):
    outputs = []
    if stdout:
        outputs.append(v4.new_output("stream", name="stdout", text=stdout))
    if data:
        outputs.append(
            v4.new_output("execute_result", data=data, execution_count=execution_count)
        )
    return v4.new_code_cell(source, outputs=outputs, execution_count=execution_count)


def figure_cell(image, options):
    data = {"image/png": image, "text/plain": "<Figure size 320x120 with 1 Axes>"}
    return code_cell(f"{options}\nplot()", data)


@pytest.fixture
def build(tmp_path):
    """Writes a front notebook with chapters, exports it."""

    def write_and_build(*chapters, front=(), exporter_class=None, **options):
        paths = []
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        (tmp_path / "report").mkdir(exist_ok=True)
        for number, cells in enumerate(chapters, 1):
            if cells is not None:
                title = v4.new_markdown_cell(f"# {number}. Chapter name {number}")
                notebook = v4.new_notebook(cells=[title, *cells])
                path = tmp_path / "notebooks" / f"{number:02d}_part.ipynb"
                nbformat.write(notebook, path)
            paths.append(f"../notebooks/{number:02d}_part.ipynb")
        notebook = v4.new_notebook(
            cells=[
                v4.new_markdown_cell("# The title of it"),
                v4.new_markdown_cell("## Abstract\n\nIn short."),
                *front,
            ]
        )
        notebook.metadata["report"] = {
            "subtitle": "And its subtitle",
            "authors": ["First Author", "Second Author"],
            "date": "May 2001",
            "chapters": paths,
        }
        path = tmp_path / "report" / "report.ipynb"
        nbformat.write(notebook, path)
        exporter_class = exporter_class or exporter.TypstExporter
        made = exporter_class(config=Config({exporter_class.__name__: options}))
        return made.from_filename(str(path))[0]

    return write_and_build


def page_texts(pdf):
    pages = [
        page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)
    ]
    # Lines may break, and words be divided, anywhere.
    return [page.replace("\ufffe", "").replace("\r\n", " ") for page in pages]


def good_chapter(image):
    frame = (
        "<table><thead><tr><th></th><th>method</th><th>error</th></tr></thead><tbody>"
        "<tr><th>0</th><td>mean</td><td>-0.25</td></tr>"
        "<tr><th>1</th><td>ours</td><td>3.5e-04</td></tr></tbody></table>"
    )
    return [
        v4.new_markdown_cell(
            "See [this](#fig-line), [that](#tbl-scores), [it](#eq-loss), [s](#A-part)\n"
            "and [next](02_part.ipynb), [t](02_part.ipynb#fig-line).\n\n"
            "## A part\n\n$$a = b \\label{eq-loss}$$\n\n"
            '![grey dots](dots.png "From the text.")'
        ),
        figure_cell(
            image,
            '#| label: fig-line\n#| fig-cap: "A *rising* $x^2$ line."\n'
            '#| fig-alt: "A line"',
        ),
        code_cell(
            '#| label: tbl-scores\n#| tbl-cap: "The errors."\nscores',
            {"text/html": frame, "text/plain": "table"},
        ),
        code_cell("secret_code()", stdout="half\rwhole \x1b[31mline\x1b[0m\n"),
        code_cell("#| echo: true\nshown_code()"),
        code_cell(
            "#| claims: true\nclaims",
            {"text/plain": "{'The error is $e < 1$': True,\n 'It is zero': False}"},
        ),
        v4.new_markdown_cell("## References\n\n- A. Author. 1997."),
    ]


def test_report_has_all_parts_and_no_code(build, image, tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "dots.png").write_bytes(base64.b64decode(image))
    second = [figure_cell(image, "#| label: fig-line\n#| fig-cap: B\n#| fig-alt: C")]
    front = [v4.new_markdown_cell("## How to read it\n\nFrom the front.")]
    arguments = {
        "front": front,
        "exporter_class": exporter.ReportPDFExporter,
    }
    pdf = build(good_chapter(image), second, **arguments)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 4  # Title, contents and front, two chapters.
    title, contents, first, last = page_texts(pdf)
    for part in (
        *("The title of it", "And its subtitle", "First Author and Second Author"),
        *("May 2001", "Abstract", "In short."),
    ):
        assert part in title
    assert "Contents" in contents and "From the front." in contents
    assert "1.1 A part" in " ".join(contents.split())
    assert "References" not in contents
    assert (
        "See Figure 2, Table 1, Equation (1), Section 1.1 and Chapter 2, Figure 3."
        in " ".join(first.replace("\xa0", " ").split())
    )
    assert "Figure 2." in first and "A rising" in first and "From the text." in first
    assert "Table 1." in first and "−0.25" in first and "3.5×10⁻⁴" in first
    assert "whole line" in first and "half" not in first
    assert "Claim" in first and "✓" in first and "✗" in first and "True" not in first
    assert "shown_code()" in first and "secret_code" not in first
    assert "Chapter name 2" in last and "02_part" not in last
    outline = [entry.get_title() for entry in document.get_toc()]
    assert [" ".join(name.split()) for name in outline][-2:] == [
        "References",
        "2 Chapter name 2",
    ]
    assert b"pdfuaid" in pdf  # It says of itself that it is accessible.
    assert build(good_chapter(image), second, **arguments) == pdf

    with_code = page_texts(
        build(good_chapter(image), second, show_code=True, **arguments)
    )
    assert "secret_code()" in with_code[2] and "Edition with code" in with_code[0]
    assert "#|" not in with_code[2]


def test_long_table_repeats_its_header(build):
    rows = "".join(f"<tr><td>row {k}</td><td>{k}</td></tr>" for k in range(80))
    html = f"<table><thead><tr><th>name</th><th>value</th></tr></thead>{rows}</table>"
    pdf = build(
        [code_cell("#| tbl-cap: Long\nframe", {"text/html": html})],
        exporter_class=exporter.ReportPDFExporter,
    )
    pages = page_texts(pdf)[2:]
    assert len(pages) > 1
    assert all("name" in page and "value" in page for page in pages)


def test_formulas_compile_without_warning(build):
    cells = [v4.new_markdown_cell(f"$${formula}$$") for formula in FORMULAS]
    cells.append(v4.new_markdown_cell("\\begin{align}\na &= b\n\\end{align}"))
    pdf = build(cells, exporter_class=exporter.ReportPDFExporter)
    assert "$" not in "".join(page_texts(pdf))
    markup = build(cells)
    assert "dot.circle" not in markup and "lr(bar.v.double" in markup
    assert "parallel" not in markup


def test_removed_cells_and_outputs_stay_out(build):
    cells = [code_cell(f"cell_{k}()", stdout=f"printed {k}") for k in range(3)]
    for cell, tag in zip(
        cells, ("remove-cell", "remove-input", "remove-output"), strict=True
    ):
        cell.metadata["tags"] = [tag]
    markup = build(cells, show_code=True)
    assert "cell_0" not in markup and "printed 0" not in markup
    assert "cell_1" not in markup and "printed 1" in markup
    assert "cell_2" in markup and "printed 2" not in markup


GOOD_FIGURE = "#| label: fig-a\n#| fig-cap: Cap\n#| fig-alt: Alt"
FAULTS = {
    "figure without alternative text": (
        lambda image: [figure_cell(image, "#| label: fig-a\n#| fig-cap: Cap")],
        r'01_part.ipynb, cell 2 \[1\].*no alternative text.*"fig-a"',
    ),
    "image without alternative text": (
        lambda image: [v4.new_markdown_cell("![](dots.png)")],
        r"01_part.ipynb, cell 2 .*no alternative text.*dots.png",
    ),
    "missing image": (
        lambda image: [v4.new_markdown_cell("![dots](nowhere.png)")],
        r'01_part.ipynb, cell 2 .*the image "nowhere.png" is missing',
    ),
    "duplicate label": (
        lambda image: [
            figure_cell(image, GOOD_FIGURE),
            figure_cell(image, GOOD_FIGURE),
        ],
        r'01_part.ipynb, cell 3 .*"fig-a" is taken by 01_part.ipynb, cell 2',
    ),
    "duplicate equation": (
        lambda image: [
            v4.new_markdown_cell("$$a \\label{eq-a}$$"),
            v4.new_markdown_cell("$$b \\label{eq-a}$$"),
        ],
        r'cell 3 .*"eq-a" is taken by .*cell 2',
    ),
    "duplicate equation in one cell": (
        lambda image: [v4.new_markdown_cell("$$a \\label{eq-a}$$\n$$b\\label{eq-a}$$")],
        r'cell 2 .*"eq-a" is taken by .*cell 2',
    ),
    "dangling reference": (
        lambda image: [v4.new_markdown_cell("[it](#fig-none)")],
        r'01_part.ipynb, cell 2 .*"#fig-none" leads to no label',
    ),
    "link to another notebook": (
        lambda image: [v4.new_markdown_cell("[it](09_other.ipynb#fig-a)")],
        r'cell 2 .*"09_other.ipynb#fig-a" is no chapter',
    ),
    "dead link to a file": (
        lambda image: [v4.new_markdown_cell("[it](../data/README.md)")],
        r'cell 2 .*"../data/README.md" leads to no file',
    ),
    "unexecuted cell": (
        lambda image: [code_cell("run()", execution_count=None)],
        r"01_part.ipynb, cell 2 \(run\(\)\): the cell has not been executed",
    ),
    "output is an error": (
        lambda image: [
            v4.new_code_cell(
                "run()",
                execution_count=1,
                outputs=[v4.new_output("error", ename="KeyError", evalue="'a'")],
            )
        ],
        r"01_part.ipynb, cell 2 .*the output is an error, KeyError: 'a'",
    ),
    "claims that are no dict": (
        lambda image: [
            code_cell("#| claims: true\nx", {"text/plain": "{'a': np.True_}"})
        ],
        r"cell 2 .*\{sentence: bool\}.*Received: \{'a': np.True_\}",
    ),
    "label without figure": (
        lambda image: [code_cell(f"{GOOD_FIGURE}\nnothing()")],
        r'cell 2 .*ask for one image.*has 0 \(label "fig-a"\)',
    ),
    "unknown option": (
        lambda image: [code_cell("#| fig-atl: Alt\nrun()")],
        r"cell 2 .*Received: \['fig-atl'\]",
    ),
    "options that are no YAML": (
        lambda image: [code_cell("#| fig-cap: Loss: low\nrun()")],
        r"cell 2 .*must be YAML",
    ),
    "number of another chapter": (
        lambda image: [v4.new_markdown_cell("# 7. Again")],
        r"cell 2 .*one heading of level 1.*7\. Again",
    ),
    "skipped level of headings": (
        lambda image: [v4.new_markdown_cell("### Deep")],
        r"cell 2 .*level 3 below level 1",
    ),
    "formula that would be lost": (
        lambda image: [v4.new_markdown_cell("$$\\left. a \\right|_{x=0}$$")],
        r"cell 2 .*the formula uses \\left\.",
    ),
    "formula that pandoc cannot read": (
        lambda image: [v4.new_markdown_cell("$$\\undefinedcommand{a}$$")],
        r"cell 2 .*cannot read the formula.*undefinedcommand",
    ),
    "formula with spaces inside the dollars": (
        lambda image: [v4.new_markdown_cell("so $ x $ is")],
        r"cell 2 .*LaTeX outside of a formula",
    ),
    "raw HTML": (
        lambda image: [v4.new_markdown_cell("a <video src='b'> c")],
        r"cell 2 .*raw HTML cannot be typeset.*video",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_stops_the_build_and_is_named(build, image, tmp_path, fault):
    make_cells, message = FAULTS[fault]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "dots.png").write_bytes(base64.b64decode(image))
    with pytest.raises(exporter.ReportError, match=message):
        build(make_cells(image))


def test_missing_chapter_stops_the_build(build):
    with pytest.raises(
        exporter.ReportError, match="report.ipynb: .*01_part.ipynb is m"
    ):
        build(None, [])


def test_chapter_listed_twice_stops_the_build(build, tmp_path):
    build([])
    path = tmp_path / "report" / "report.ipynb"
    front = nbformat.read(path, as_version=4)
    front.metadata["report"]["chapters"] *= 2
    nbformat.write(front, path)
    with pytest.raises(exporter.ReportError, match="names of their own.*01_part"):
        exporter.TypstExporter().from_filename(str(path))


def test_all_faults_are_named_at_once(build):
    cells = [v4.new_markdown_cell("[a](#fig-a)"), v4.new_markdown_cell("[b](#fig-b)")]
    with pytest.raises(exporter.ReportError, match="(?s)#fig-a.*#fig-b"):
        build(cells)


def test_wrong_chapter_number_stops_the_build(build, tmp_path):
    build([], [])
    path = tmp_path / "notebooks" / "02_part.ipynb"
    path.write_text(path.read_text().replace("# 2. Chapter", "# 3. Chapter"))
    made = exporter.TypstExporter()
    with pytest.raises(exporter.ReportError, match="02_part.ipynb, cell 1 .*number 2"):
        made.from_filename(str(tmp_path / "report" / "report.ipynb"))


def test_typst_warning_stops_the_build(build):
    cell = v4.new_raw_cell(
        "$a dot.circle b$", metadata={"raw_mimetype": "text/x-typst"}
    )
    arguments = {"exporter_class": exporter.ReportPDFExporter, "pdf_standard": ""}
    with pytest.raises(exporter.ReportError, match="(?s)01_part.ipynb, cell 2 .*dot.o"):
        build([cell], **arguments)
    cell.source = "$a dot.o b$"
    assert build([cell], **arguments).startswith(b"%PDF")


def test_character_without_glyph_stops_the_build(build):
    cell = v4.new_markdown_cell("A 日 in the text.")
    with pytest.raises(exporter.ReportError, match="(?s)01_part.ipynb, cell 2 .*日"):
        build([cell], exporter_class=exporter.ReportPDFExporter)


def test_table_of_a_frame_is_tidied(build):
    html = (
        "<table><thead><tr><th></th><th>value</th><th>holds</th></tr>"
        "<tr><th>name</th><th></th><th></th></tr></thead>"
        "<tbody><tr><th>a</th><td>NaN</td><td>True</td></tr></tbody></table>"
    )
    markup = build([code_cell("#| claims: true\nframe", {"text/html": html})])
    assert "[#strong[name]], [#strong[value]], [#strong[holds]]" in markup
    assert "[a], [--], [#mark(true);]" in markup
    assert "(left, right, center,)" in markup


def test_all_minus_signs_of_an_interval_are_true_ones(build):
    rows = "<td>-7.30% (-11.2% to -3.8%)</td><td>PCA-16, -.5</td><td>1-2</td>"
    html = f"<table><tr><th>x -1</th><th>y</th><th>z</th></tr><tr>{rows}</tr></table>"
    markup = build([code_cell("frame", {"text/html": html})])
    assert "[−7.30% (−11.2% to −3.8%)], [PCA-16, −.5], [1-2]" in markup


def test_sentences_keep_the_number_or_sign_they_start_with(build):
    sentences = ["9. with batch", "2) a bracket", "- a dash", "# a hash", "9.5 is it"]
    claims = repr(dict.fromkeys(sentences, True))
    cells = [code_cell("#| claims: true\nclaims", {"text/plain": claims})]
    page = page_texts(build(cells, exporter_class=exporter.ReportPDFExporter))[-1]
    for sentence in sentences:
        assert sentence in page


def test_abstract_ends_with_the_next_heading(build):
    score = code_cell("score", {"text/markdown": "The score is .5."})
    front = [score, v4.new_markdown_cell("## How to\n\nLike this.")]
    pages = page_texts(
        build([], front=front, exporter_class=exporter.ReportPDFExporter)
    )
    assert "In short." in pages[0] and "The score is .5." in pages[0]
    assert "Like this." in pages[1] and "The score" not in pages[1]


@pytest.mark.parametrize("num_lines", [30, 34])
def test_heading_and_sentence_stay_with_the_table_below(build, num_lines):
    lines = v4.new_markdown_cell("\n\n".join(["A line."] * num_lines))
    lead = v4.new_markdown_cell("## Claims\n\nEach has been tested.")
    claims = repr({f"claim {k}": True for k in range(70)})
    table = code_cell("#| claims: true\nclaims", {"text/plain": claims})
    pages = page_texts(
        build([lines, lead, table], exporter_class=exporter.ReportPDFExporter)
    )
    assert ["Each has been" in page for page in pages] == [
        "claim 0" in page for page in pages
    ]


def test_header_of_a_wide_table_breaks_between_words(build):
    heads = ["ranked probability", *(f"average precision {k}" for k in range(7))]
    html = "".join(f"<th>{head}</th>" for head in heads)
    html = f"<table><tr>{html}</tr><tr>{'<td>0.4 ± 0.01</td>' * 8}</tr></table>"
    pdf = build(
        [code_cell("frame", {"text/html": html})],
        exporter_class=exporter.ReportPDFExporter,
    )
    text = pypdfium2.PdfDocument(pdf)[2].get_textpage().get_text_range()
    assert "probability" in text and text.count("precision") == 7


def test_references_are_not_divided(build):
    lines = v4.new_markdown_cell("\n\n".join(["A line."] * 36))
    entries = "\n".join(f"- Author {k}." for k in range(6))
    cells = [lines, v4.new_markdown_cell(f"## References\n\n{entries}")]
    cells.append(code_cell("versions()", stdout="Versions."))
    pages = page_texts(build(cells, exporter_class=exporter.ReportPDFExporter))
    for text in ("References", "Author 0", "Author 5", "Versions."):
        assert text in pages[-1] and text not in pages[-2]


def test_terminal_text_shows_what_a_terminal_shows():
    assert exporter.terminal_text("10%\r100%\n\x1b[1mbold\x1b[0m ab\b\bcd \n") == (
        "100%\nbold cd"
    )


def test_command_line_writes_the_named_files(build, tmp_path):
    build([code_cell("run()", stdout="printed")])
    subprocess.run(
        [sys.executable, "-m", "nbconvert", str(tmp_path / "report" / "report.ipynb")]
        + ["--to", "report.exporter.TypstExporter", "--output", "hw2"],
        cwd=exporter.FOLDER.parent,
        check=True,
    )
    markup = (tmp_path / "report" / "hw2.typ").read_text("utf-8")
    assert '#output-block("printed")' in markup
    assert (tmp_path / "report" / "style.typ").is_file()
