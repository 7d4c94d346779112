"""Training that remembers: `fit` and what belongs to it.

Inside, a `job` is a `jobs.Job`, the arguments of one call of `fit`; `parts` is the dict
of what its fingerprint is made of and `probe` the list of what its untrained network
measures, both of `fingerprint`; a `store` keeps a checkpoint, see `parallel`.
"""

from helpers.training.fitting import asked, fit, fit_all
from helpers.training.grid import cross_validate, one_at_a_time, summarise
from helpers.training.histories import first_epoch_reaching
from helpers.training.records import Run, confirm_scores
from helpers.training.schedules import WarmupCosine

__all__ = [
    "Run",
    "WarmupCosine",
    "asked",
    "confirm_scores",
    "cross_validate",
    "first_epoch_reaching",
    "fit",
    "fit_all",
    "one_at_a_time",
    "summarise",
]
