"""One list of the works that the chapters refer to."""

import re
import unicodedata


def sort_key(work):
    """Gives surname of the first author and year: what a reader looks for."""
    first = re.split(r",| and | et al\.", work)[0]
    surname = re.sub(r"^(\w[\w-]*\.[\s-]*)+", "", first)  # No initials.
    year = re.search(r"\b(19|20)\d\d[a-z]?(?=[,.]|$)", work)
    surname = unicodedata.normalize("NFKD", surname.casefold())  # É is an E.
    return surname, year[0] if year else "", work


def title_of(work):
    """Gives what says that two works are the same: surname and title, or all of it."""
    title = re.search("“(.*?)”", work)
    return (sort_key(work)[0], title[1].casefold().strip(",")) if title else work


def bibliography(jobs, results, problems):
    """Sorts the works in convert.lua's results into one list.

    Args:
        jobs: List of `Job`s; a work that two of them word differently is a problem.
        results: List of dicts, one for each job.
        problems: `Problems`.

    Returns:
        Typst markup, empty if there are no works.
    """
    found = {}
    for job, result in zip(jobs, results, strict=True):
        for work in result["works"]:
            same = found.setdefault(title_of(work["text"]), work)
            if same["text"] != work["text"]:
                text = f'another chapter has this work as "{same["text"]}"'
                problems.add(
                    f"{text}. Received: {work['text']}", job.notebook, job.cell
                )
    works = sorted(found.values(), key=lambda work: sort_key(work["text"]))
    listed = "".join(f"  [{work['typst']}],\n" for work in works)
    return f"#bibliography-list(\n{listed})\n" if works else ""
