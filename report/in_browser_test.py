from report import in_browser

import pytest


@pytest.mark.parametrize(
    "browser, package, words",
    [
        (None, True, "a Chromium, under one of the names chromium, chromium-browser"),
        ("chromium", None, "the package playwright (pip install playwright)."),
    ],
)
def test_what_is_missing_is_named(browser, package, words, monkeypatch, capsys):
    monkeypatch.setattr(in_browser.shutil, "which", lambda name: browser)
    monkeypatch.setattr(in_browser, "sync_playwright", package)
    assert in_browser.main([]) == 2
    assert capsys.readouterr().err.count("This needs " + words) == 1
