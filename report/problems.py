"""What would be wrong in print: collected, and told all at once."""

import operator
import re

from nbconvert.utils.exceptions import ConversionException


class ReportError(ConversionException):
    """Says everything that keeps the report from being built, a line each."""


def where(notebook, cell):
    """Says which cell of which notebook is meant, and how its code or text starts."""
    node = notebook.node.cells[cell]
    # The options are skipped: what a reader looks for is the code below them.
    lines = [line.strip() for line in node.source.splitlines() if line[:2] != "#|"]
    start = next(filter(None, lines), "")
    count = node.get("execution_count")
    prompt = f" [{count}]" if count else ""
    return f"{notebook.path.name}, cell {cell + 1}{prompt} ({start[:60]})"


class Problems:
    """The problems of one report, and the labels that were seen on the way."""

    def __init__(self):
        self._texts = []
        self._labels = {}  # From (key of a notebook, label) to the index of its cell.

    def add(self, text, notebook=None, cell=0):
        """Notes a problem, with its cell where it has one."""
        self._texts.append(f"{where(notebook, cell)}: {text}" if notebook else text)

    def stop(self):
        """Raises a `ReportError` with all problems, if there are any."""
        if self._texts:
            lines = "\n".join(f"  - {text}" for text in self._texts)
            raise ReportError(f"The report cannot be built:\n{lines}")

    def check_execution(self, notebook):
        """Checks that every code cell has been executed without error."""
        for index, cell in enumerate(notebook.node.cells):
            if cell.cell_type == "code" and cell.source.strip():
                if cell.execution_count is None:
                    self.add("the cell has not been executed", notebook, index)
                for output in cell.outputs:
                    if output.output_type == "error":
                        text = (
                            f"the output is an error, {output.ename}: {output.evalue}"
                        )
                        self.add(text, notebook, index)

    def check_options(self, options, kinds, notebook, cell):
        """Checks what a cell's options promise against the kinds of its outputs."""
        label, problems = str(options.get("label", "")), []
        for prefix, kind in (("fig", "image"), ("tbl", "table")):
            caption, labelled = f"{prefix}-cap" in options, label.startswith(prefix)
            if (caption or labelled) and kinds.count(kind) != 1:
                text = f"its options ask for one {kind} with a caption, the output has "
                problems.append(f"{text}{kinds.count(kind)}")
            if labelled and not caption:
                problems.append(f"a labelled cell needs {prefix}-cap, or has no number")
        if re.fullmatch(r"(fig|tbl)-[\w-]+", label):
            self._add_label(label, notebook, cell)
        elif label:
            problems.append("a label starts with fig- or tbl-")
        if "image" in kinds and not str(options.get("fig-alt", "")).strip():
            problems.append("the figure has no alternative text (#| fig-alt)")
        if kinds.count("image") > 1:
            problems.append("one cell draws several figures; give each a cell")
        if options.get("claims") and "claim" not in kinds:
            problems.append("a claims cell must print `holds: SENTENCE` for each claim")
        if not re.fullmatch(r"\d+%", str(options.get("out-width", "100%"))):
            problems.append(f"out-width is like 80%. Received: {options['out-width']}")
        for text in problems:
            self.add(f'{text} (label "{label}")' if label else text, notebook, cell)

    def check_texts(self, jobs, results, notebooks):
        """Checks the labels, headings and links that convert.lua has found in jobs."""
        headings = {notebook.key: [] for notebook in notebooks}
        for job, result in zip(jobs, results, strict=True):
            for text in result["problems"]:
                self.add(text, job.notebook, job.cell)
            for name in result["labels"]:
                self._add_label(name, job.notebook, job.cell)
            for heading in result["headings"]:
                headings[job.notebook.key].append((job.cell, heading))
        for notebook in notebooks[1:]:
            # Evidence has been converted after the chapters.
            found = sorted(headings[notebook.key], key=operator.itemgetter(0))
            self._check_headings(found, notebook)
        targets = {f"{key}:{name}" for key, name in self._labels}
        targets.update(one["name"] for found in headings.values() for _, one in found)
        paths = {notebook.key: notebook.path.resolve() for notebook in notebooks}
        for job, result in zip(jobs, results, strict=True):
            for link in result["references"]:
                path = (job.notebook.path.parent / link["path"]).resolve()
                if link["path"] and path != paths.get(link["name"].partition(":")[0]):
                    text = "is no chapter of the report"
                elif link["name"] not in targets:
                    text = "leads to no label, heading or chapter"
                else:
                    continue
                text = f'the link to "{link["target"]}" {text}'
                self.add(text, job.notebook, job.cell)

    def _add_label(self, name, notebook, cell):
        if (notebook.key, name) in self._labels:
            first = where(notebook, self._labels[notebook.key, name])
            self.add(f'the label "{name}" is taken by {first}', notebook, cell)
        self._labels.setdefault((notebook.key, name), cell)

    def _check_headings(self, headings, notebook):
        if not headings or headings[0][1]["level"] != 1:
            self.add("a chapter must start with `# 1. Title`", notebook)
        level = 0
        for position, (cell, heading) in enumerate(headings):
            text = None
            if position and heading["level"] == 1:
                text = "a chapter has one heading of level 1, at its start"
            elif heading["level"] > level + 1:
                text = f"a heading of level {heading['level']} below level {level}"
            elif int(heading.get("number", notebook.number)) != notebook.number:
                text = f"as a chapter this is number {notebook.number}"
            if text:
                self.add(f"{text}. Received: {heading['text']}", notebook, cell)
            level = heading["level"]
