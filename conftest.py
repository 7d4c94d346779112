"""Settings of pytest, so that `pytest --nbval notebooks/` is the whole command."""

import os
import pathlib

ROOT = pathlib.Path(__file__).parent


def pytest_configure(config):
    """Sets nbval's options."""
    config.option.nbval_current_env = True  # Not the kernel that the author had.
    config.option.nbval_sanitize_with = str(ROOT / "nbval.cfg")
    config.option.nbval_cell_timeout = 600.0  # Seconds.
    if config.option.nbval or config.option.nbval_lax:
        # The kernels inherit it. A test reads the recorded runs as they were committed:
        # a network that has none must fail, not quietly train for hours and pass.
        os.environ["RETRAIN"] = "never"


def pytest_collectstart(collector):
    """Leaves out of nbval's comparison what differs between machines."""
    if collector.path.suffix == ".ipynb":
        # Libraries write warnings about the machine there. That the committed notebooks
        # have no such output is a test of its own, in helpers/notebooks_test.py.
        collector.skip_compare += ("stderr",)
