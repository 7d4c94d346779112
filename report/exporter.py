"""The nbconvert exporter that makes one PDF of a front notebook and its chapters.

Run it from the root of the repository, on executed notebooks:

    jupyter nbconvert --to report.exporter.ReportPDFExporter report/report.ipynb \
        --output hw2

Add `--ReportPDFExporter.show_code=True --output hw2_with_code` for the edition with
code. `--to report.exporter.TypstExporter` writes the Typst source instead, to debug.
pandoc (in pypandoc_binary) converts Markdown, formulas and tables, Typst sets the
pages: both are wheels, so neither TeX nor a browser nor a system font is needed, and
the same notebooks make the same bytes.

The front notebook starts with `# Title`, has a cell that starts with `## Abstract` (the
abstract ends with the next heading), and its metadata say the rest:

    "report": {"subtitle": "...", "authors": ["..."], "date": "...",
               "chapters": ["../notebooks/01_synthetic.ipynb", ...]}

A chapter starts with `# 1. Title`; Typst numbers the chapters, and the typed number has
to agree. Options of a code cell are YAML lines at its head, with the names that Quarto
gives them:

    #| label: fig-losses            the name that a link can refer to; fig- or tbl-
    #| fig-cap: "Loss per epoch."   makes a numbered figure of the image
    #| fig-alt: "Two falling lines" what the image shows; each image must have it
    #| out-width: 80%               the width of the image, of the text's width
    #| tbl-cap: "Scores."           makes a numbered table of the DataFrame
    #| claims: true                 the output, a dict {sentence: bool} or a DataFrame,
                                    is set as a table with a mark for each sentence
    #| echo: true                   shows this cell's code in each edition (or in none)

Links become references: `[text](#fig-losses)`, `[text](02_mnist_rows.ipynb#fig-losses)`
-> "Figure 3"; `[text](02_mnist_rows.ipynb)` -> "Chapter 2"; a link to a heading (with
Jupyter's anchor, `#Windows-and-split`) -> "Section 2.3"; `\\label{eq-loss}` in a
displayed formula numbers it, and `[text](#eq-loss)` -> "Equation (4)". A label is
unique within its notebook.

What cells print is set as small monospaced text; stderr is left out, as it speaks of
the machine. The tags remove-cell, remove-input and remove-output work, and a raw cell
of the type text/x-typst goes into the document as it is.

Whatever would be wrong in print stops the build, with all problems in one message that
names notebook and cell: a missing, unexecuted or failed chapter, an image without
alternative text, a label given twice, a reference to nothing, a warning of Typst.
"""

import ast
import base64
import dataclasses
import json
import pathlib
import re
import subprocess
import tempfile

import nbformat
import pypandoc
import typst
import yaml
from nbconvert.exporters.exporter import Exporter
from nbconvert.filters import strip_ansi
from nbconvert.utils.exceptions import ConversionException
from traitlets import Bool, Unicode
from traitlets.config import Config

FOLDER = pathlib.Path(__file__).parent
IMAGE_EXTENSIONS = {  # Best first, where an output offers several.
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
}
CELL_OPTIONS = {
    "label",
    "fig-cap",
    "fig-alt",
    "tbl-cap",
    "out-width",
    "claims",
    "echo",
}
CELL_MARK = "// CELL "
# Code and formulas are left alone, bare LaTeX environments get the dollars that
# Jupyter does not ask for.
PROTECTED_OR_ENVIRONMENT = re.compile(
    r"(?P<protected>^(?P<fence>```+|~~~+).*?^(?P=fence)|(?P<ticks>`+).+?(?P=ticks)"
    r"|\$\$.*?\$\$)"
    r"|(?P<environment>^\\begin\{(?P<name>(?:equation|align|gather|multline)\*?)\}"
    r".*?\\end\{(?P=name)\})",
    re.DOTALL | re.MULTILINE,
)


class ReportError(ConversionException):
    """Says everything that keeps the report from being built, a line each."""


@dataclasses.dataclass
class Notebook:
    """One notebook of the report.

    Attributes:
        path: `pathlib.Path` of the file.
        number: Integer, 1 for the first chapter, 0 for the front notebook.
        node: The notebook as nbformat reads it, after nbconvert's preprocessors.
    """

    path: pathlib.Path
    number: int
    node: nbformat.NotebookNode

    @property
    def key(self):
        """What the notebook's labels start with: the file's name, no extension."""
        return self.path.stem


@dataclasses.dataclass
class Job:
    """A text that pandoc has to convert, and the markup around its place.

    Attributes:
        text: String, Markdown or HTML.
        kind: `"markdown"`, `"inline"` or `"table"`, see convert.lua.
        notebook: The `Notebook` that it is in.
        cell: Integer, index of its cell.
        claims: Bool, whether True and False are set as marks.
        attachments: Dict, the attachments of its Markdown cell.
    """

    text: str
    kind: str
    notebook: Notebook
    cell: int
    claims: bool = False
    attachments: dict = dataclasses.field(default_factory=dict)


def typst_string(text):
    """Quotes a text as a Typst string.

    Args:
        text: String. Control characters are dropped, as fonts cannot show them.

    Returns:
        String, a literal on one line.
    """
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(character, escaped)
    return '"' + text.replace("\t", "    ") + '"'


def terminal_text(text):
    """Gives what a terminal would show in the end.

    Args:
        text: String with ANSI colours, carriage returns and backspaces.

    Returns:
        String without them, no blank lines around, no blanks at line ends.
    """
    lines = []
    for line in strip_ansi(text).replace("\r\n", "\n").split("\n"):
        shown, column = [], 0
        for character in line:
            if character == "\r":
                column = 0
            elif character == "\b":
                column = max(column - 1, 0)
            else:
                shown[column : column + 1] = [character]
                column += 1
        lines.append("".join(shown).rstrip())
    return "\n".join(lines).strip("\n")


def split_options(source):
    """Takes the `#| name: value` lines off the head of a code cell.

    Args:
        source: String, the source of the cell.

    Returns:
        Tuple `(code, options)`: the rest of the source, and a dict.

    Raises:
        ValueError: If the lines are no YAML mapping, or name an unknown option.
    """
    lines = source.splitlines()
    head = []
    while lines and lines[0].startswith("#|"):
        head.append(lines.pop(0)[2:].removeprefix(" "))
    try:
        options = yaml.safe_load("\n".join(head)) or {}
    except yaml.YAMLError as error:
        raise ValueError(
            f"the options of the cell must be YAML (quote the values). Received: {head}"
        ) from error
    if not isinstance(options, dict):
        raise ValueError(
            f"the options of the cell must be `name: value`. Received: {head}"
        )
    unknown = sorted(set(options) - CELL_OPTIONS)
    if unknown:
        raise ValueError(
            f"cell options are {sorted(CELL_OPTIONS)}. Received: {unknown}"
        )
    return "\n".join(lines).strip("\n"), options


def with_dollars(source):
    """Puts bare LaTeX environments between dollars, as Jupyter typesets them too.

    Args:
        source: String, the Markdown of a cell.

    Returns:
        String, Markdown in which each formula stands between dollars.
    """
    return PROTECTED_OR_ENVIRONMENT.sub(
        lambda match: match["protected"] or f"$${match['environment']}$$", source
    )


def run_pandoc(jobs):
    """Converts texts to Typst in one pandoc process.

    Args:
        jobs: List of dicts, the input that convert.lua describes.

    Returns:
        List of dicts, the results that convert.lua describes.
    """
    done = subprocess.run(
        [pypandoc.get_pandoc_path(), "lua", str(FOLDER / "convert.lua")],
        input=json.dumps(jobs).encode(),
        capture_output=True,
    )
    if done.returncode != 0:
        raise ReportError(f"pandoc failed: {done.stderr.decode(errors='replace')}")
    return json.loads(done.stdout)


class TypstExporter(Exporter):
    """Exports a front notebook and its chapters as one Typst document.

    The images are written beside it, into a folder `NAME_files`.
    """

    file_extension = ".typ"
    output_mimetype = "text/x-typst"
    show_code = Bool(False, help="Whether the code of the cells is shown.").tag(
        config=True
    )

    @property
    def default_config(self):
        config = Config(
            {
                "TagRemovePreprocessor": {
                    "enabled": True,  # nbconvert enables it for HTML only.
                    "remove_cell_tags": ["remove-cell"],
                    "remove_all_outputs_tags": ["remove-output"],
                    "remove_input_tags": ["remove-input"],
                },
                "CoalesceStreamsPreprocessor": {"enabled": True},
            }
        )
        merged = super().default_config.copy()
        merged.merge(config)
        return merged

    def from_notebook_node(self, nb, resources=None, **kwargs):
        """Converts a front notebook, and the chapters that its metadata name.

        Args:
            nb: The front notebook's node.
            resources: nbconvert's dict; `resources["metadata"]["path"]` is the folder
                that the paths of the chapters start from.
            **kwargs: Ignored, as nbconvert does.

        Returns:
            Tuple `(markup, resources)`.

        Raises:
            ReportError: If anything would be wrong in print.
        """
        resources = self._init_resources(resources)
        self._problems = []
        self._images = {}
        self._labels = {}
        notebooks = self._notebooks = self._read(nb, resources)
        self._stop_on_problems()
        folder = resources.get("output_files_dir") or "report_files"
        self._image_folder = folder
        markup = self._document(notebooks)
        self._stop_on_problems()
        resources["outputs"] = {
            **self._images,
            "style.typ": (FOLDER / "style.typ").read_bytes(),
        }
        return markup, resources

    # ---- Problems

    def _where(self, notebook, cell):
        node = notebook.node.cells[cell]
        # The options are skipped: what a reader looks for is the code below them.
        lines = [line for line in node.source.splitlines() if line[:2] != "#|"]
        count = node.get("execution_count")
        prompt = f" [{count}]" if count else ""
        start = next((line.strip() for line in lines if line.strip()), "")
        return f"{notebook.path.name}, cell {cell + 1}{prompt} ({start[:60]})"

    def _problem(self, notebook, cell, text):
        self._problems.append(f"{self._where(notebook, cell)}: {text}")

    def _stop_on_problems(self):
        if self._problems:
            lines = "\n".join(f"  - {text}" for text in self._problems)
            raise ReportError(f"The report cannot be built:\n{lines}")

    # ---- Reading

    def _read(self, front, resources):
        folder = pathlib.Path(resources["metadata"].get("path") or ".")
        name = resources["metadata"].get("name") or "report"
        chapters = front.metadata.get("report", {}).get("chapters", [])
        if not chapters:
            self._problems.append(
                f'{name}.ipynb: the metadata must list chapters, {{"report": '
                f'{{"chapters": [...]}}}}. Received: {chapters}'
            )
        found = [(folder / f"{name}.ipynb", front)]
        for chapter in chapters:
            path = folder / chapter
            if path.is_file():
                found.append((path, nbformat.read(path, as_version=4)))
            else:
                self._problems.append(f"{name}.ipynb: the chapter {path} is missing")
        names = [path.stem for path, _ in found]
        if len(set(names)) < len(names):  # Labels start with them.
            self._problems.append(
                f"{name}.ipynb: notebooks need names of their own. Received: {names}"
            )
        notebooks = []
        for number, (path, node) in enumerate(found):
            notebook = Notebook(path, number, node)
            place = {"metadata": {"path": str(path.parent), "name": path.stem}}
            if not self.config.ExecutePreprocessor.get("enabled", False):
                self._check_outputs(notebook)
            # Preprocessors only. They may drop cells, whose numbers a reader still
            # needs in messages: an emptied cell stands in for each.
            kept, _ = super().from_notebook_node(node, place)
            notebook.node = self._with_gaps(node, kept)
            notebooks.append(notebook)
        return notebooks

    @staticmethod
    def _with_gaps(node, kept):
        if not all("id" in cell for cell in node.cells):
            return kept  # Notebooks from before nbformat 4.5.
        by_id = {cell.id: cell for cell in kept.cells}
        gap = nbformat.v4.new_raw_cell("")
        kept.cells = [by_id.get(cell.id, gap) for cell in node.cells]
        return kept

    def _check_outputs(self, notebook):
        for index, cell in enumerate(notebook.node.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            if cell.execution_count is None:
                self._problem(notebook, index, "the cell has not been executed")
            for output in cell.outputs:
                if output.output_type == "error":
                    self._problem(
                        notebook,
                        index,
                        f"the output is an error, {output.ename}: {output.evalue}",
                    )

    # ---- The document

    def _document(self, notebooks):
        front = notebooks[0]
        title, abstract, body = self._front(front)
        meta = front.node.metadata.report
        header = {
            "title": title,
            "subtitle": meta.get("subtitle", ""),
            "authors": list(meta.get("authors", [])),
            "date": str(meta.get("date", "")),
            "edition": "Edition with code" if self.show_code else "",
        }
        pieces = [
            '#import "style.typ": *\n#show: report.with(\n  json(bytes('
            + typst_string(json.dumps(header, ensure_ascii=False))
            + ")),\n  [\n",
            *abstract,
            "  ],\n  [\n",
            *body,
            "  ],\n)\n",
        ]
        for notebook in notebooks[1:]:
            for index in range(len(notebook.node.cells)):
                pieces += self._cell(notebook, index)
        return self._converted(pieces, notebooks)

    def _front(self, notebook):
        """Takes the title and the abstract out of the front notebook's cells."""
        title, abstract, body = None, [], []
        part = body
        for index, cell in enumerate(notebook.node.cells):
            if cell.cell_type == "markdown":
                match = re.match(r"# (.+)\n*", cell.source)
                if match and title is None:
                    title = match[1].strip()
                    cell.source = cell.source[match.end() :]
                match = re.match(r"## Abstract\s*?\n+", cell.source)
                if match:
                    part = abstract
                    cell.source = cell.source[match.end() :]
                elif cell.source.startswith("#"):
                    part = body
            part += self._cell(notebook, index)
        if title is None:
            self._problem(notebook, 0, "the front notebook must start with `# Title`")
        if not abstract:
            self._problem(notebook, 0, "the front notebook has no cell `## Abstract`")
        return title or "", abstract, body

    def _converted(self, pieces, notebooks):
        """Runs pandoc over the jobs among the pieces, checks, joins the markup."""
        jobs = [piece for piece in pieces if isinstance(piece, Job)]
        results = run_pandoc(
            [
                {
                    "kind": job.kind,
                    "text": job.text,
                    "notebook": job.notebook.key,
                    "front": job.notebook.number == 0,
                    "claims": job.claims,
                    "images": f"{self._image_folder}/{job.notebook.key}-text-{number}",
                }
                for number, job in enumerate(jobs)
            ]
        )
        for job, result in zip(jobs, results, strict=True):
            for text in result["problems"]:
                self._problem(job.notebook, job.cell, text)
            for name in result["labels"]:
                self._label(job.notebook, job.cell, name)
            for image in result["images"]:
                self._copy_image(job, image)
        targets = {f"{key}:{name}" for key, name in self._labels}
        for result in results:
            targets.update(heading["name"] for heading in result["headings"])
        for notebook in notebooks[1:]:
            self._check_headings(notebook, jobs, results)
        paths = {notebook.key: notebook.path.resolve() for notebook in notebooks}
        for job, result in zip(jobs, results, strict=True):
            self._check_links(job, result, targets, paths)
        markup = iter(result["typst"] for result in results)
        return "".join(
            next(markup) if isinstance(piece, Job) else piece for piece in pieces
        )

    def _label(self, notebook, cell, name):
        if (notebook.key, name) in self._labels:
            first = self._where(notebook, self._labels[notebook.key, name])
            self._problem(notebook, cell, f'the label "{name}" is taken by {first}')
        else:
            self._labels[notebook.key, name] = cell

    def _check_headings(self, notebook, jobs, results):
        headings = [
            (job.cell, heading)
            for job, result in zip(jobs, results, strict=True)
            for heading in result["headings"]
            if job.notebook is notebook
        ]
        if not headings or headings[0][1]["level"] != 1:
            self._problem(notebook, 0, "a chapter must start with `# 1. Title`")
        level = 0
        for position, (cell, heading) in enumerate(headings):
            typed = heading.get("number")
            text = None
            if position and heading["level"] == 1:
                text = "a chapter has one heading of level 1, at its start"
            elif heading["level"] > level + 1:
                text = f"a heading of level {heading['level']} below level {level}"
            elif typed and int(typed) != notebook.number:
                text = f"as a chapter this is number {notebook.number}"
            if text:
                received = f"{typed}. {heading['text']}" if typed else heading["text"]
                self._problem(notebook, cell, f"{text}. Received: {received}")
            level = heading["level"]

    def _check_links(self, job, result, targets, paths):
        folder = job.notebook.path.parent
        for reference in result["references"]:
            name, path = reference["name"], reference["path"]
            key = name.partition(":")[0]
            if path and (folder / path).resolve() != paths.get(key):
                text = "is no chapter of the report"
            elif name not in targets:
                text = "leads to no label, heading or chapter"
            else:
                continue
            self._problem(
                job.notebook, job.cell, f'the link to "{reference["target"]}" {text}'
            )
        for path in result["files"]:
            if not (folder / path).exists():
                self._problem(
                    job.notebook, job.cell, f'the link to "{path}" leads to no file'
                )

    def _copy_image(self, job, image):
        source = image["source"]
        if source.startswith("attachment:"):
            bundle = job.attachments.get(source.removeprefix("attachment:"), {})
            content = next((base64.b64decode(data) for data in bundle.values()), None)
        else:
            path = job.notebook.path.parent / source
            content = path.read_bytes() if path.is_file() else None
        if content is None:
            self._problem(job.notebook, job.cell, f'the image "{source}" is missing')
        else:
            self._images[image["copy"]] = content

    # ---- Cells

    def _cell(self, notebook, index):
        """Makes the pieces of one cell: markup as strings, `Job`s for pandoc."""
        cell = notebook.node.cells[index]
        mark = f"\n{CELL_MARK}{notebook.number} {index}\n"
        if cell.cell_type == "markdown":
            job = Job(with_dollars(cell.source), "markdown", notebook, index)
            job.attachments = cell.get("attachments", {})
            return [mark, job, "\n"]
        if cell.cell_type == "raw":
            # Raw cells are for one format, as everywhere in nbconvert.
            own = cell.metadata.get("raw_mimetype") == TypstExporter.output_mimetype
            return [mark, cell.source, "\n\n"] if own else []
        try:
            code, options = split_options(cell.source)
        except ValueError as error:
            self._problem(notebook, index, str(error))
            return []
        pieces = [mark]
        removed = cell.metadata.get("transient", {}).get("remove_source", False)
        if code and not removed and options.get("echo", self.show_code):
            language = notebook.node.metadata.get("language_info", {}).get("name")
            source = typst_string(code)
            pieces.append(
                f"#code-block({source}, {typst_string(language or 'python')})\n\n"
            )
        return pieces + self._outputs(notebook, index, options)

    def _outputs(self, notebook, index, options):
        pieces, printed, shown = [], [], []

        def flush():
            text = terminal_text("\n".join(part.strip("\n") for part in printed))
            if text:
                pieces.append(f"#output-block({typst_string(text)})\n\n")
            printed.clear()

        for output in notebook.node.cells[index].outputs:
            if output.output_type == "stream":
                if output.name == "stdout":  # stderr speaks of the machine.
                    printed.append(output.text)
                continue
            if output.output_type == "error":
                continue
            kind, drawn = self._drawn(notebook, index, output.data, options)
            if kind == "text":
                printed += drawn
                continue
            flush()
            shown.append(kind)
            pieces += drawn
        flush()
        self._check_options(notebook, index, options, shown)
        return pieces

    def _drawn(self, notebook, index, data, options):
        """Gives the kind of an output ("image", "table", "text", ...), its pieces."""
        plain = data.get("text/plain", "")
        html = data.get("text/html", "")
        for mime, extension in IMAGE_EXTENSIONS.items():
            if mime in data:
                path = (
                    f"{self._image_folder}/"
                    f"{notebook.key}-{index + 1}-{len(self._images)}.{extension}"
                )
                self._images[path] = (
                    data[mime].encode()
                    if extension == "svg"
                    else base64.b64decode(data[mime])
                )
                alternative = " ".join(str(options.get("fig-alt", "")).split())
                width = options.get("out-width", "auto")
                body = (
                    f"#picture({typst_string(path)}, "
                    f"alt: {typst_string(alternative)}, width: {width})"
                )
                return "image", self._floated(notebook, index, options, "fig", [body])
        if options.get("claims") and "<table" not in html:
            body = self._claims(notebook, index, plain)
            return "table", self._floated(notebook, index, options, "tbl", body)
        if "<table" in html:
            html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
            claims = bool(options.get("claims"))
            body = [Job(html, "table", notebook, index, claims)]
            return "table", self._floated(notebook, index, options, "tbl", body)
        for mime in ("text/markdown", "text/latex"):
            if mime in data:
                text = re.sub(r"^\$\\displaystyle\s*(.*)\$$", r"$$\1$$", data[mime])
                return "markdown", [Job(text, "markdown", notebook, index), "\n"]
        if not plain:
            self._problem(
                notebook,
                index,
                f"no output that can be printed. Received: {list(data)}",
            )
        return "text", [plain]

    def _floated(self, notebook, index, options, prefix, body):
        caption = options.get(f"{prefix}-cap")
        label = str(options.get("label", ""))
        kind = "image" if prefix == "fig" else "table"
        pieces = [f"#floated(kind: {kind}"]
        if caption:
            pieces += [
                ", caption: [",
                Job(str(caption), "inline", notebook, index),
                "]",
            ]
            if label.startswith(f"{prefix}-"):
                pieces.append(f", name: {typst_string(f'{notebook.key}:{label}')}")
        return [*pieces, ")[", *body, "]\n\n"]

    def _claims(self, notebook, index, plain):
        try:
            claims = ast.literal_eval(plain)
        except (ValueError, SyntaxError):
            claims = None
        if not (
            isinstance(claims, dict)
            and all(isinstance(sentence, str) for sentence in claims)
            and all(isinstance(holds, bool) for holds in claims.values())
        ):
            self._problem(
                notebook,
                index,
                "a claims cell must end in a dict {sentence: bool} (put numpy's bool_ "
                f"into bool()). Received: {plain[:200]}",
            )
            return []
        pieces = ["#claims(\n"]
        for sentence, holds in claims.items():
            job = Job(sentence, "inline", notebook, index)
            pieces += ["  ([", job, f"], {str(holds).lower()}),\n"]
        return [*pieces, ")"]

    def _check_options(self, notebook, index, options, shown):
        """Reports what the options promise and the outputs do not keep."""
        problems = []
        label = options.get("label")
        for prefix, kind in (("fig", "image"), ("tbl", "table")):
            promised = f"{prefix}-cap" in options or str(label).startswith(f"{prefix}-")
            if promised and shown.count(kind) != 1:
                problems.append(
                    f"its options ask for one {kind} with a caption, the output has "
                    f"{shown.count(kind)}"
                )
            if str(label).startswith(f"{prefix}-") and f"{prefix}-cap" not in options:
                problems.append(f"a labelled cell needs {prefix}-cap, or has no number")
        if label is not None:
            if re.fullmatch(r"(fig|tbl)-[\w-]+", str(label)):
                self._label(notebook, index, label)
            else:
                problems.append("a label starts with fig- or tbl-")
        if "image" in shown and not str(options.get("fig-alt", "")).strip():
            problems.append("the figure has no alternative text (#| fig-alt)")
        if shown.count("image") > 1:
            problems.append("one cell draws several figures; give each a cell")
        if options.get("claims") and "table" not in shown:
            problems.append("a claims cell must end in a dict {sentence: bool}")
        if not re.fullmatch(r"\d+%", str(options.get("out-width", "100%"))):
            problems.append(f"out-width is like 80%. Received: {options['out-width']}")
        named = f' (label "{label}")' if label is not None else ""
        for text in problems:
            self._problem(notebook, index, text + named)


class ReportPDFExporter(TypstExporter):
    """Exports a front notebook and its chapters as one PDF.

    By default it is a PDF/UA-1 file, which people who listen to it can use as well;
    Typst then refuses characters that its fonts do not have, instead of drawing boxes.
    """

    file_extension = ".pdf"
    output_mimetype = "application/pdf"
    export_from_notebook = "PDF via Typst"
    pdf_standard = Unicode(
        "ua-1", help="A PDF standard that Typst knows, like a-2a; empty for none."
    ).tag(config=True)

    def from_notebook_node(self, nb, resources=None, **kwargs):
        """Converts a front notebook and its chapters.

        Args:
            nb: The front notebook's node.
            resources: nbconvert's dict, see `TypstExporter`.
            **kwargs: Ignored, as nbconvert does.

        Returns:
            Tuple `(pdf, resources)`, `pdf` as bytes.

        Raises:
            ReportError: If anything would be wrong in print.
        """
        markup, resources = super().from_notebook_node(nb, resources)
        files = resources.pop("outputs")
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, content in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
            (root / "main.typ").write_text(markup, encoding="utf-8")
            return self._compile(root, markup), resources

    def _compile(self, root, markup):
        standards = [self.pdf_standard] if self.pdf_standard else []
        try:
            pdf, warnings = typst.compile_with_warnings(
                str(root / "main.typ"),
                root=str(root),
                ignore_system_fonts=True,  # The same fonts, hence bytes, everywhere.
                pdf_standards=standards,
            )
        except typst.TypstError as error:
            raise ReportError(self._explained(error.diagnostic, markup)) from error
        if warnings:
            texts = [
                self._explained(warning.diagnostic, markup) for warning in warnings
            ]
            raise ReportError("\n".join(texts))
        return pdf

    def _explained(self, diagnostic, markup):
        """Adds the cells to the lines of main.typ that Typst complains of."""
        lines = markup.splitlines()
        places = []
        for line in re.findall(r"main\.typ:(\d+)", diagnostic):
            marks = [text for text in lines[: int(line)] if text.startswith(CELL_MARK)]
            if marks:
                number, index = map(int, marks[-1].removeprefix(CELL_MARK).split())
                place = self._where(self._notebooks[number], index)
                if place not in places:
                    places.append(place)
        where = "; ".join(places) or "style.typ"
        return f"Typst complains of {where}:\n{diagnostic}"
