"""Every test here begins without switches in the environment."""

import pytest


@pytest.fixture(autouse=True)
def no_switch(monkeypatch):
    monkeypatch.delenv("RETRAIN", raising=False)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
