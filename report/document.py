"""The report as one Typst document: cells become markup.

Options of a code cell are YAML lines at its head, with the names of Quarto:

    #| label: fig-losses            the name that a link can refer to; fig- or tbl-
    #| fig-cap: "Loss per epoch."   makes a numbered figure of the image
    #| fig-alt: "Two falling lines" what the image shows; each image must have it
    #| out-width: 80%               the width of the image, of the text's width
    #| tbl-cap: "Scores."           makes a numbered table of the DataFrame
    #| claims: true                 printed lines `holds: SENTENCE` are set as a table

Links become references: `[text](#fig-losses)`, `[text](02_mnist_rows.ipynb#fig-losses)`
-> "Figure 3"; `[text](02_mnist_rows.ipynb)` -> "Chapter 2"; a link to a heading (with
Jupyter's anchor, `#Windows-and-split`) -> "Section 2.3"; `\\label{eq-loss}` in a
displayed formula numbers it, and `[text](#eq-loss)` -> "Equation (4)".

Printed text is monospaced; left out are stderr and what cells tagged
nbval-ignore-output print: progress, times and versions. The tags remove-cell,
remove-input and remove-output work. Cells tagged `evidence` stand in the appendix, and
a line at their place in the chapter says where. The lists under `References` become
one. Under a figure or table with a caption stand its notebook, its cell and the
recorded runs behind it.
"""

import base64
import dataclasses
import json
import pathlib
import re
import subprocess

from report.bibliography import bibliography
from report.problems import ReportError
from report.provenance import list_runs, runs_of_cells

import nbformat
import pypandoc
import yaml
from nbconvert.filters import strip_ansi

CONVERT = pathlib.Path(__file__).with_name("convert.lua")
CELL_OPTIONS = {"label", "fig-cap", "fig-alt", "tbl-cap", "out-width", "claims"}
CELL_MARK = "// CELL "
WORKS = "\n// BIBLIOGRAPHY\n"
CLAIM = "holds: "  # As helpers.chapter prints it.


@dataclasses.dataclass
class Notebook:
    """A notebook: `number` 1 is the first chapter, 0 the front notebook."""

    path: pathlib.Path
    number: int
    node: nbformat.NotebookNode
    is_appendix: bool = False

    @property
    def key(self):
        """What the notebook's labels start with: the file's name, no extension."""
        return self.path.stem


@dataclasses.dataclass
class Job:
    """A text that pandoc has to convert; `kind` as in convert.lua."""

    text: str
    kind: str
    notebook: Notebook
    cell: int


def typst_string(text):
    """Quotes a text as a Typst string, without control characters, on one line."""
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text).expandtabs(4)
    return json.dumps(text, ensure_ascii=False)


def split_options(source):
    """Splits the source of a code cell into its code and the dict of its options.

    Raises:
        ValueError: If the options are no YAML mapping, or one is unknown.
    """
    head, code = re.match(r"((?:#\|.*\n?)*)([\s\S]*)", source).groups()
    try:
        options = yaml.safe_load(re.sub("(?m)^#[|] ?", "", head)) or {}
        unknown = sorted(options.keys() - CELL_OPTIONS)
    except (yaml.YAMLError, AttributeError) as error:
        text = "the options of the cell must be YAML (quote the values). Received: "
        raise ValueError(text + head) from error
    if unknown:
        raise ValueError(f"options are {sorted(CELL_OPTIONS)}. Received: {unknown}")
    return code.strip("\n"), options


def run_pandoc(jobs):
    """Converts a list of `Job`s in one pandoc process; returns convert.lua's dicts."""
    texts = [
        {"kind": job.kind, "text": job.text, "notebook": job.notebook.key}
        | {"front": job.notebook.number == 0}
        for job in jobs
    ]
    command = [pypandoc.get_pandoc_path(), "lua", str(CONVERT)]
    text = json.dumps(texts).encode()
    done = subprocess.run(command, input=text, capture_output=True)
    if done.returncode != 0:
        raise ReportError(f"pandoc failed: {done.stderr.decode(errors='replace')}")
    return json.loads(done.stdout)


class Document:
    """Typst markup in the making.

    Args:
        notebooks: List of `Notebook`s, the front notebook first.
        show_code: Bool, whether the code of the cells is shown.
        problems: `Problems`, to which all is added that would be wrong in print.

    The attribute `images`, from path to content, is what has to lie beside the markup.
    """

    def __init__(self, notebooks, show_code, problems):
        self.images, self._notebooks = {}, notebooks
        self._show_code, self._problems = show_code, problems
        self._runs = {one.key: runs_of_cells(one.node) for one in notebooks}

    def markup(self):
        """Returns the markup, a string."""
        title, abstract, front = self._front(self._notebooks[0])
        edition = "Edition with code" if self._show_code else ""
        meta = self._notebooks[0].node.metadata["report"]
        meta = typst_string(json.dumps(meta | {"title": title, "edition": edition}))
        start = f'#import "style.typ": *\n#show: report.with(json(bytes({meta})), [\n'
        pieces = [start, *abstract, "], [\n", *front, "])\n"]
        appendix = [WORKS, "#show: appendix\n"]
        for notebook in self._notebooks[1:]:
            chapter, evidence = self._chapter(notebook)
            (appendix if notebook.is_appendix else pieces).extend(chapter)
            if evidence:
                title = f"Evidence of chapter {notebook.number}"
                appendix += [f"#heading[{title}]\n", *evidence]
        return self._converted(pieces + appendix)

    def _chapter(self, notebook):
        """Gives the pieces of a chapter, and those of its evidence."""
        chapter, evidence, section, repeated, end = [], [], "More", "", None
        for index, cell in enumerate(notebook.node.cells):
            pieces = self._cell(notebook, index)
            if len(pieces) < 2:  # Nothing to be seen.
                continue
            if "evidence" not in cell.metadata.get("tags", []):
                end = None
                chapter += pieces
            elif end:  # More of what the line in the chapter leads to.
                evidence[-1:] = [*pieces, end]
            elif section == "References":  # A last line, which no reader misses.
                evidence += pieces
            else:
                name = typst_string(f"{notebook.key}:evidence-{index + 1}")
                end = f"#evidence-end({name})\n"
                head = self._own_heading(chapter, notebook, index)
                if head is None and section != repeated:  # The chapter's once more.
                    job = Job(f"## {section}", "markdown", notebook, index)
                    evidence, repeated = [*evidence, job, "\n"], section
                evidence += [f"#evidence-start({name})\n", *(head or []), *pieces, end]
                chapter.append(f"#moved({name})\n")
            if cell.cell_type == "markdown":
                section = [section, *re.findall("(?m)^##+ (.*)", cell.source)][-1]
                if "evidence" in cell.metadata.get("tags", []):
                    repeated = section  # Its own headings are there already.
        return chapter, evidence

    def _own_heading(self, chapter, notebook, index):
        """Gives the heading that goes with evidence, [] if it has it, or None."""
        source = notebook.node.cells[index].source
        if source.startswith("## "):
            return []
        above = [job for job in chapter[-2:-1] if isinstance(job, Job)]
        if above and (found := re.search(r"\n(## .+)\s*\Z", above[0].text)):
            above[0].text = above[0].text[: found.start()]  # Nothing was below it.
            return [Job(found[1], "markdown", notebook, above[0].cell), "\n"]
        return ["#heading(level: 2)[Claims]\n"] if source[:9] == "#| claims" else None

    def _front(self, notebook):
        """Takes the title and the abstract out of the front notebook's cells."""
        title, abstract, body = "", [], []
        part = body
        for index, cell in enumerate(notebook.node.cells):
            if cell.cell_type == "markdown" and cell.source.startswith("#"):
                head, _, rest = cell.source.partition("\n")
                part = body
                if head.startswith("# ") and not title:
                    title, cell.source = head.removeprefix("# ").strip(), rest
                elif head.strip() == "## Abstract":
                    part, cell.source = abstract, rest
            part += self._cell(notebook, index)
        if not title or not abstract:
            text = "the front notebook needs a cell `# Title` and a cell `## Abstract`"
            self._problems.add(text, notebook)
        return title, abstract, body

    def _converted(self, pieces):
        """Runs pandoc over the jobs among the pieces, checks, joins the markup."""
        jobs = [piece for piece in pieces if isinstance(piece, Job)]
        results = run_pandoc(jobs)
        self._problems.check_texts(jobs, results, self._notebooks)
        typst = iter(result["typst"] for result in results)
        made = {WORKS: bibliography(jobs, results, self._problems)}
        return "".join(
            next(typst) if isinstance(one, Job) else made.get(one, one)
            for one in pieces
        )

    def _cell(self, notebook, index):
        """Makes the pieces of one cell: markup as strings, `Job`s for pandoc."""
        cell = notebook.node.cells[index]
        tags = cell.metadata.get("tags", [])
        if "remove-cell" in tags or cell.cell_type == "raw":
            return []
        pieces = [f"\n{CELL_MARK}{notebook.number} {index}\n"]
        if cell.cell_type == "markdown":
            return [*pieces, Job(cell.source, "markdown", notebook, index), "\n"]
        try:
            code, options = split_options(cell.source)
        except ValueError as error:
            self._problems.add(str(error), notebook, index)
            return []
        if code and self._show_code and "remove-input" not in tags:
            pieces.append(f"#code-block({typst_string(code)})\n\n")
        if "remove-output" not in tags:
            pieces += self._outputs(notebook, index, options)
        return pieces

    def _outputs(self, notebook, index, options):
        pieces, printed, kinds, cell = [], [], [], notebook.node.cells[index]
        ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])

        def flush():
            text = strip_ansi("\n".join(part.strip("\n") for part in printed))
            text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
            if text:
                pieces.append(f"#output-block({typst_string(text)})\n\n")
            printed.clear()

        for output in cell.outputs:
            if output.output_type == "stream":
                printed += [output.text] * (output.name == "stdout" and not ignored)
                continue
            kind, drawn = self._drawn(output.data, notebook, index, options)
            if kind == "text":
                printed += drawn * (not ignored)
                continue
            flush()
            kinds.append(kind)
            pieces += drawn
        if options.get("claims"):
            lines = "\n".join(printed).splitlines()
            printed[:] = [line for line in lines if not line.startswith(CLAIM)]
            flush()
            pieces.append("#claims(\n")
            for line in lines:
                if line.startswith(CLAIM):
                    kinds.append("claim")
                    sentence = line.removeprefix(CLAIM)
                    pieces += ["  [", Job(sentence, "inline", notebook, index), "],\n"]
            pieces.append(")\n\n")
        flush()
        self._problems.check_options(options, kinds, notebook, index)
        return pieces

    def _drawn(self, data, notebook, index, options):
        """Gives the kind of an output and its pieces."""
        if "image/png" in data:
            path = f"images/{notebook.key}-{index + 1}-{len(self.images)}.png"
            self.images[path] = base64.b64decode(data["image/png"])
            alternative = " ".join(str(options.get("fig-alt", "")).split())
            arguments = f"{typst_string(path)}, alt: {typst_string(alternative)}"
            body = f"#picture({arguments}, width: {options.get('out-width', 'auto')})"
            return "image", self._floated(body, "fig", notebook, index, options)
        if "<table" in data.get("text/html", ""):
            html = re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.DOTALL)
            body = Job(html, "table", notebook, index)
            return "table", self._floated(body, "tbl", notebook, index, options)
        if "text/markdown" in data:
            job = Job(data["text/markdown"], "markdown", notebook, index)
            return "markdown", [job, "\n"]
        if "text/plain" not in data:
            text = f"no output that can be printed. Received: {list(data)}"
            self._problems.add(text, notebook, index)
        return "text", [data.get("text/plain", "")]

    def _floated(self, body, prefix, notebook, index, options):
        pieces = [f"#floated(kind: {'image' if prefix == 'fig' else 'table'}"]
        caption = options.get(f"{prefix}-cap")
        if caption:
            job = Job(str(caption), "inline", notebook, index)
            is_chapter = notebook.number and not notebook.is_appendix
            name = f"Notebook {notebook.number}" if is_chapter else notebook.path.name
            source = f"{name}, cell [{notebook.node.cells[index].execution_count}]"
            runs = self._runs[notebook.key][index]
            source += f"; runs {list_runs(runs)}" if runs else ""
            pieces.append(f", source: {typst_string(source)}")
            pieces += [", caption: [", job, "]"]
            if "label" in options:
                name = typst_string(f"{notebook.key}:{options['label']}")
                pieces.append(f", name: {name}")
        return [*pieces, ")[", body, "]\n\n"]
