import base64
import io
import subprocess
import sys

from report import exporter

import nbformat
import numpy as np
import pandas as pd
import pypdfium2
import pytest
from matplotlib.figure import Figure
from nbformat import v4

FIGURE = "#| label: fig-line\n#| fig-cap: Cap\n#| fig-alt: Alt"
FORMULAS = [
    r"\begin{aligned} i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i), & f_t &= 1 - i_t, \\"
    r" c_t &= f_t \odot c_{t-1} + i_t \odot \tilde{c}_t, & h_t &= o_t \odot \tanh(c_t)"
    r" \end{aligned}",
    r"x = \begin{cases} 0.1\,x_t & \text{if } |t - i| \le 5 \\ x_t & \text{else} "
    r"\end{cases}",
    r"\left( x - \hat{x} \right)^2 + \lVert W \rVert_2^2",
    r"p = \mathrm{softmax}(z)_k = \frac{e^{z_k}}{\sum_j e^{z_j}}",
    r"x' = \tfrac12 + \frac{x - \bar x}{2 \max_s |x_s - \bar x|}",
    r"\mathbb{E}_{x \sim p}[x \mid z] \in \mathbb{R}^{T \times D}",
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


def table_cell(html, options="#| tbl-cap: Some"):
    return code_cell(f"{options}\nframe", {"text/html": html, "text/plain": "table"})


def claims_cell(*sentences, more=""):
    printed = more + "".join(f"holds: {sentence}\n" for sentence in sentences)
    return code_cell("#| claims: true\nchapter.finish()", stdout=printed)


@pytest.fixture
def build(tmp_path):
    """Writes a front notebook with chapters; gives the Typst markup, or the PDF."""

    def write_and_build(*chapters, front=(), appendix=(), pdf=False, show_code=False):
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
        title = v4.new_markdown_cell("# The title of it")
        abstract = v4.new_markdown_cell("## Abstract\n\nIn short.")
        notebook = v4.new_notebook(cells=[title, abstract, *front])
        notebook.metadata["report"] = {
            "subtitle": "And its subtitle",
            "authors": ["First Author", "Second Author"],
            "date": "May 2001",
            "chapters": paths,
        }
        if appendix:
            cells = [v4.new_markdown_cell("# Every time"), *appendix]
            path = tmp_path / "report" / "appendix.ipynb"
            nbformat.write(v4.new_notebook(cells=cells), path)
            notebook.metadata["report"]["appendix"] = ["appendix.ipynb"]
        nbformat.write(notebook, tmp_path / "report" / "report.ipynb")
        return rebuild(tmp_path, pdf, show_code)

    return write_and_build


def rebuild(folder, pdf=False, show_code=False):
    path = folder / "report" / "report.ipynb"
    if pdf:
        made = exporter.ReportPDFExporter(show_code=show_code)
        return made.from_filename(str(path))[0]
    front = nbformat.read(path, as_version=4)
    place = {"path": str(path.parent), "name": "report"}
    return exporter.compose(front, place, show_code)[0]


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
        "<tr><th>1</th><td>ours</td><td>3.5e-04 ± 2e-06</td></tr>"
        "<tr><th>2</th><td>none</td><td>0e+00</td></tr></tbody></table>"
    )
    return [
        v4.new_markdown_cell(
            "See [this](#fig-line), [that](#tbl-scores), [it](#eq-loss), [s](#A-part)\n"
            "and [next](02_part.ipynb), [t](02_part.ipynb#fig-line).\n\n"
            "## A part\n\n$$a = b \\label{eq-loss}$$"
        ),
        figure_cell(
            image,
            '#| label: fig-line\n#| fig-cap: "A *rising* $x^2$ line."\n'
            '#| fig-alt: "A line"',
        ),
        table_cell(frame, '#| label: tbl-scores\n#| tbl-cap: "The errors."'),
        code_cell("secret_code()", stdout="a \x1b[31mprinted\x1b[0m line\n"),
        claims_cell("The error is $e < 1$", "It is small", more="first this\n"),
        v4.new_markdown_cell("## References\n\n- A. Author. 1997."),
    ]


def test_report_has_all_parts_and_no_code(build, image):
    second = [figure_cell(image, FIGURE)]
    front = [v4.new_markdown_cell("## How to read it\n\nFrom the front.")]
    pdf = build(good_chapter(image), second, front=front, pdf=True)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 4  # Title and contents, front, two chapters.
    title, read, first, last = page_texts(pdf)
    for part in (
        *("The title of it", "And its subtitle", "First Author and Second Author"),
        *("May 2001", "Abstract", "In short."),
    ):
        assert part in title
    assert "From the front." in read and "Contents" in title
    assert "1 Chapter name 1" in " ".join(title.split()) and "A part" not in title
    assert (
        "See Figure 1, Table 1, Equation (1), Section 1.1 and Chapter 2, Figure 2."
        in " ".join(first.replace("\xa0", " ").split())
    )
    assert "Figure 1." in first and "A rising" in first
    assert "Table 1." in first and "−0.25" in first
    assert "3.5×10⁻⁴ ± 2×10⁻⁶" in first and "none 0 " in first
    assert "a printed line" in first and "secret_code" not in first
    claims = first.partition("first this")[2]
    assert "Claim" in claims and "It is small" in claims and claims.count("✓") == 2
    assert "holds:" not in first
    assert first.count("Notebook 1, cell [1]") == 2
    assert "Chapter name 2" in last and "02_part" not in last
    outline = [entry.get_title() for entry in document.get_toc()]
    assert [" ".join(name.split()) for name in outline][-2:] == [
        "2 Chapter name 2",
        "Bibliography",
    ]
    assert b"pdfuaid" in pdf  # It says of itself that it is accessible.
    assert build(good_chapter(image), second, front=front, pdf=True) == pdf
    with_code = page_texts(
        build(good_chapter(image), second, front=front, pdf=True, show_code=True)
    )
    assert "secret_code()" in with_code[2] and "Edition with code" in with_code[0]
    assert "#|" not in with_code[2]


def test_formulas_compile_without_warning(build):
    cells = [v4.new_markdown_cell(f"$${formula}$$") for formula in FORMULAS]
    pdf = build(cells, pdf=True)
    assert "$" not in "".join(page_texts(pdf))
    markup = build(cells)
    assert "dot.circle" not in markup and "lr(bar.v.double" in markup
    assert r'upright("softmax")\( z \)' in markup
    assert markup.count("#h(2em) &") == 2  # Once a line: between two equations.
    assert r"max_s\|x_s" in markup


def evidence(cell):
    cell.metadata["tags"] = ["evidence"]
    return cell


def test_evidence_stands_in_the_appendix(build, image):
    claims = evidence(claims_cell("It is small"))
    first = [
        v4.new_markdown_cell("See [f](#fig-line), [s](#Sweep).\n\n## Model\n\nWords."),
        evidence(figure_cell(image, FIGURE)),
        code_cell("no_output()"),
        evidence(table_cell("<table><tr><td>a</td></tr></table>")),
        evidence(v4.new_markdown_cell("## Sweep\n\nOf rates.\n\n### Deep\n\nMore.")),
        v4.new_markdown_cell("## Advice\n\nGet data.\n\n## Claims"),
        claims,
    ]
    second = [
        v4.new_markdown_cell("## Claims\n\nNone."),
        evidence(code_cell("a", stdout="printed")),
    ]
    pdf = build(
        first, second, appendix=[v4.new_markdown_cell("## Times\n\nOf all.")], pdf=True
    )
    pages = [" ".join(page.replace("\xa0", " ").split()) for page in page_texts(pdf)]
    chapter, other, appendix = pages[1:]
    assert "See Figure 1, Section A.2." in chapter and "Figure 1." not in chapter
    assert "Words. Figure 1 and Table 1: Section A.1; Sweep: Section A.2 1.2" in chapter
    assert "1.2 Advice Get data. Claims: Section A.3" in chapter
    assert "1.3" not in chapter and "Of rates." not in chapter
    assert "None. More of this: Section B.1" in other and "printed" not in other
    parts = [
        *(
            "A Evidence of chapter 1 A.1 Model Notebook 1, cell [1] Figure 1.",
            "A.2 Sweep Of rates. A.2.1",
        ),
        *("A.3 Claims Claim Holds It is small", "B Evidence of chapter 2 B.1 Claims"),
        *("printed C Every time C.1 Times Of all.",),
    ]
    places = [appendix.index(part) for part in parts]
    assert places == sorted(places)
    outline = [entry.get_title() for entry in pypdfium2.PdfDocument(pdf).get_toc()]
    assert outline[-2:] == ["C Every time", "C.1 Times"]


def test_a_heading_among_evidence_is_not_repeated(build):
    shown, *others = (code_cell(f"f({k})", stdout=f"printed {k}") for k in range(3))
    cells = [
        v4.new_markdown_cell("## Model"),
        v4.new_markdown_cell("### Settings\n\nA."),
    ]
    markup = build([cells[0], evidence(cells[1]), shown, *map(evidence, others)])
    assert markup.count("[Settings]") == 1
    assert markup.index("[Settings]") < markup.index("printed 1")


def test_runs_stand_under_what_shows_them(build, image):
    printed = "01_a_seed0: 2 epochs\n01_a_seed1: 2 epochs, recorded"
    trained = code_cell("plot = fit", stdout=printed)
    markup = build([figure_cell(image, "#| fig-cap: A\n#| fig-alt: B"), trained])
    assert 'source: "Notebook 1, cell [1]"' in markup
    markup = build([trained, figure_cell(image, FIGURE)])
    assert 'source: "Notebook 1, cell [1]; runs 01_a_seed0 to 1"' in markup


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


FAULTS_OF_TEXTS = {
    "[it](#fig-none)": r'"#fig-none" leads to no label',
    "[it](09_other.ipynb#fig-a)": r'"09_other.ipynb#fig-a" is no chapter',
    "[it](../data/README.md)": r'"../data/README.md" is no chapter',
    "# 7. Again": r"one heading of level 1.*7\. Again",
    "### Deep": r"level 3 below level 1",
    "$$\\left. a \\right|_{x=0}$$": r"the formula would lose its \\left",
    "$$\\undefinedcommand{a}$$": r"cannot read the formula.*undefinedcommand",
    "$$a \\label{eq-a}$$\n$$b\\label{eq-a}$$": r'"eq-a" is taken by .*cell 2',
    "so $ x $ is": r"LaTeX should stand between dollars",
    "![dots](dots.png)": r"images and raw HTML cannot be typeset.*dots.png",
    "a <video src='b'> c": r"images and raw HTML cannot be typeset.*video",
}


@pytest.mark.parametrize("text", FAULTS_OF_TEXTS)
def test_fault_of_a_text_is_named(build, text):
    with pytest.raises(exporter.ReportError, match=f"cell 2 .*{FAULTS_OF_TEXTS[text]}"):
        build([v4.new_markdown_cell(text)])


FAULTS_OF_OPTIONS = {
    "#| label: fig-a\n#| fig-cap: Cap": r'no alternative text.*\(label "fig-a"\)',
    "#| label: fig-a\n#| fig-alt: Alt": r"needs fig-cap",
    "#| label: tbl-a\n#| fig-alt: Alt": r"ask for one table .* the output has 0",
    "#| label: a\n#| fig-alt: Alt": r"a label starts with fig-",
    "#| fig-alt: Alt\n#| out-width: 3cm": r"Received: 3cm",
    "#| fig-alt: Alt\n#| claims: true": r"must print `holds: SENTENCE`",
    "#| fig-atl: Alt": r"Received: \['fig-atl'\]",
    "#| fig-cap: Loss: low": r"must be YAML",
    "#| only words": r"must be YAML",
}


@pytest.mark.parametrize("options", FAULTS_OF_OPTIONS)
def test_fault_of_options_is_named(build, image, options):
    message = (
        rf"01_part.ipynb, cell 2 \[1\] \(plot\(\)\): .*{FAULTS_OF_OPTIONS[options]}"
    )
    with pytest.raises(exporter.ReportError, match=message):
        build([figure_cell(image, options)])


def test_fault_of_outputs_is_named(build, image):
    figure = figure_cell(image, FIGURE)
    two = v4.new_code_cell("#| fig-alt: Alt", execution_count=1)
    two.outputs = figure.outputs * 2
    with pytest.raises(exporter.ReportError) as caught:
        build([figure, code_cell("figure", {"image/gif": ""}), figure, two])
    for message in (
        "cell 3 [1] (figure): no output that can be printed. Received: ['image/gif']",
        'cell 4 [1] (plot()): the label "fig-line" is taken by 01_part.ipynb, cell 2',
        "cell 5 [1] (): one cell draws several figures",
    ):
        assert message in str(caught.value)


def test_unexecuted_and_failed_cells_are_named(build):
    error = v4.new_output("error", ename="KeyError", evalue="'a'")
    failed = v4.new_code_cell("run()", execution_count=1, outputs=[error])
    with pytest.raises(exporter.ReportError) as caught:
        build([code_cell("wait()", execution_count=None), failed])
    assert "cell 2 (wait()): the cell has not been executed" in str(caught.value)
    assert "cell 3 [1] (run()): the output is an error, KeyError" in str(caught.value)


def test_missing_chapter_stops_the_build(build):
    message = "report.ipynb: .*01_part.ipynb is missing"
    with pytest.raises(exporter.ReportError, match=message):
        build(None, [])


@pytest.mark.parametrize("times", [0, 2])
def test_chapters_must_be_listed_once(build, tmp_path, times):
    build([])
    path = tmp_path / "report" / "report.ipynb"
    front = nbformat.read(path, as_version=4)
    front.metadata["report"]["chapters"] *= times
    nbformat.write(front, path)
    with pytest.raises(exporter.ReportError, match="chapters with names of their own"):
        rebuild(tmp_path)


def test_wrong_chapter_number_stops_the_build(build, tmp_path):
    build([], [])
    path = tmp_path / "notebooks" / "02_part.ipynb"
    path.write_text(path.read_text().replace("# 2. Chapter", "# 3. Chapter"))
    with pytest.raises(exporter.ReportError, match="02_part.ipynb, cell 1 .*number 2"):
        rebuild(tmp_path)


@pytest.mark.parametrize("text", ["A 日 in the text.", "$a \\otimes b$"])
def test_what_typst_complains_of_stops_the_build(build, text):
    with pytest.raises(exporter.ReportError, match="Typst complains of 01_.*, cell 3 "):
        build([v4.new_markdown_cell("Fine."), v4.new_markdown_cell(text)], pdf=True)


def test_long_table_repeats_its_header(build):
    rows = "".join(f"<tr><td>row {k}</td><td>{k}</td></tr>" for k in range(80))
    head = "<thead><tr><th>name</th><th>value</th></tr></thead>"
    pages = page_texts(build([table_cell(f"<table>{head}{rows}</table>")], pdf=True))
    assert len(pages) > 2
    assert all("name" in page and "value" in page for page in pages[1:])


def test_table_of_a_frame_is_tidied(build):
    markup = build(
        [
            table_cell(
                "<table><thead><tr><th></th><th>value</th><th>holds</th></tr>"
                "<tr><th>name</th><th></th><th></th></tr></thead>"
                "<tbody><tr><th>a</th><td>NaN</td><td>yes</td></tr></tbody></table>"
            )
        ]
    )
    assert "[#strong[name]], [#strong[value]], [#strong[holds]]" in markup
    assert "[a], [--], [yes]" in markup
    assert "(left, right, left,)" in markup and markup.count("#strong[name]") == 1


def test_counter_of_the_rows_is_left_out(build, image):
    markup = build(good_chapter(image), [figure_cell(image, FIGURE)])
    assert "#ruled((left, right,)," in markup and "[mean], [−0.25]," in markup


def test_all_minus_signs_of_an_interval_are_true_ones(build):
    rows = "<td>-7.30% (-11.2% to -3.8%)</td><td>PCA-16, -.5</td><td>1-2</td>"
    head = "<thead><tr><th>x -1</th><th>y</th><th>z</th></tr></thead>"
    markup = build([table_cell(f"<table>{head}<tr>{rows}</tr></table>")])
    assert "[−7.30% (−11.2% to −3.8%)], [PCA-16, −.5], [1-2]" in markup


def test_header_of_a_wide_table_breaks_between_words(build):
    heads = ["ranked probability", *(f"average precision {k}" for k in range(7))]
    html = "".join(f"<th>{head}</th>" for head in heads)
    html = f"<table><thead><tr>{html}</tr></thead><tr>{'<td>0.4 ± 0.01</td>' * 8}</tr>"
    pdf = build([table_cell(f"{html}</table>")], pdf=True)
    text = pypdfium2.PdfDocument(pdf)[1].get_textpage().get_text_range()
    assert "probability" in text and text.count("precision") == 7


def test_table_in_the_text_keeps_its_formulas(build):
    markup = build([v4.new_markdown_cell("| a | b |\n|---|---|\n| $x_1$ | -2 |")])
    assert "#ruled((right, right,)," in markup
    assert "[#formula($x_1$" in markup and "[−2]" in markup


def test_sentences_keep_the_number_or_sign_they_start_with(build):
    sentences = ["9. with batch", "2) a bracket", "- a dash", "# a hash", "9.5 is it"]
    page = page_texts(build([claims_cell(*sentences)], pdf=True))[-1]
    for sentence in sentences:
        assert sentence in page


def test_abstract_ends_with_the_next_heading(build):
    score = code_cell("score", {"text/markdown": "The score is .5."})
    front = [score, v4.new_markdown_cell("## How to\n\nLike this.")]
    pages = page_texts(build([], front=front, pdf=True))
    assert "In short." in pages[0] and "The score is .5." in pages[0]
    assert "Like this." in pages[1] and "The score" not in pages[1]


def test_text_fills_the_page_that_a_figure_does_not_fit_on(build, image):
    lines = [v4.new_markdown_cell("\n\n".join([word] * 34)) for word in "AB"]
    figure = figure_cell(image, f"{FIGURE}\n#| out-width: 100%")
    pages = page_texts(build([lines[0], figure, lines[1]], pdf=True))
    assert "Figure 1" not in pages[1] and "B" in pages[1].split()
    assert "Figure 1" in pages[2] and "A" not in pages[2].split()
    evidence(figure)
    pages = page_texts(build([lines[0], figure, evidence(lines[1])], pdf=True))
    assert pages[-2].index("Figure 1.") < pages[-2].index("B")


@pytest.mark.parametrize("num_lines", [32, 33])
def test_heading_and_sentence_stay_with_the_table_below(build, num_lines):
    lines = v4.new_markdown_cell("\n\n".join(["A line."] * num_lines))
    lead = v4.new_markdown_cell("## Claims\n\nEach has been tested.")
    table = claims_cell(*(f"claim {k}" for k in range(70)))
    pages = page_texts(build([lines, lead, table], pdf=True))
    assert ["Each has been" in page for page in pages] == [
        "claim 0" in page for page in pages
    ]


def test_times_and_versions_are_left_out(build):
    kept, left_out = (
        code_cell("run()", stdout=word) for word in ("a result", "trained in 3 s")
    )
    left_out.metadata["tags"] = ["nbval-ignore-output"]
    progress = {"text/plain": "2 epochs, trained in 3 s"}
    left_out.outputs.append(v4.new_output("display_data", progress))
    for show_code in (False, True):
        markup = build([kept, left_out], show_code=show_code)
        assert "a result" in markup and "trained in" not in markup


def test_names_of_rows_and_columns_share_a_cell(build):
    frame = pd.DataFrame([[1, 2]], ["LSTM"], pd.Index([5, 9], name="learning_rate"))
    html = frame.rename_axis(index="network")._repr_html_()
    markup = build([table_cell(html)])
    assert "network / learning rate" in markup and "table.header" in markup
    assert markup.count("[#strong[5]]") == 1


def test_sections_are_counted_by_the_report_alone(build):
    asked = v4.new_markdown_cell("## 2. Does it *learn*?\n\nTwo runs.")
    shown = code_cell("table", stdout="yes")
    shown.metadata["tags"] = ["evidence"]
    markup = build([asked, shown, v4.new_markdown_cell("It does.")])
    assert markup.count("[Does it #emph[learn]?]") == 2 and "2. Does" not in markup


def references(*works):
    return v4.new_markdown_cell("\n".join(["## References\n", *works]))


def test_references_become_one_bibliography(build):
    works = [
        '- Y. LeCun, "Documents", *Place*, 1998.',
        '- J.-P. Abel and O. L. White, "Later", 2005, arXiv:2001.12345.',
        '- J.-P. Abel, "Earlier", 1995.',
        "- B. Émile et al. 2001.",
    ]
    chapters = [references(*works[:2])], [references(*works[1:])]
    pages = page_texts(build(*chapters, pdf=True))
    *others, last = [" ".join(page.split()) for page in pages]
    assert "References" not in " ".join(others) and "LeCun" not in " ".join(others)
    names = ("Bibliography", "“Earlier”", "“Later”", "Émile", "“Documents”, Place")
    places = [last.index(name) for name in names]
    assert places == sorted(places) and last.count("Later") == 1


@pytest.mark.parametrize(
    "text, problem",
    [
        ('- A. Author et al., "A title", 2001.', "another chapter has this work"),
        ("Only words.", "References are one list"),
    ],
)
def test_fault_of_references_is_named(build, text, problem):
    first = references('- A. Author and B. Other, "A title", 2001.')
    with pytest.raises(
        exporter.ReportError, match=f"02_part.ipynb, cell 2 .*{problem}"
    ):
        build([first], [references(text)])


@pytest.mark.parametrize("absolute", [False, True])
def test_command_line_writes_the_named_file(build, image, tmp_path, absolute):
    pdf = build(good_chapter(image), [figure_cell(image, FIGURE)], pdf=True)
    name = str(tmp_path / "other" / "hw2") if absolute else "hw2"
    folder = tmp_path / ("other" if absolute else "report")
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "nbconvert", str(tmp_path / "report" / "report.ipynb")]
        + ["--to", "report.exporter.ReportPDFExporter", "--output", name],
        cwd=exporter.STYLE.parent.parent,
        check=True,
    )
    assert (folder / "hw2.pdf").read_bytes() == pdf
    assert {path.name for path in folder.iterdir()} <= {"hw2.pdf", "report.ipynb"}
