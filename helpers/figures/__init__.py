"""Figures: arrays in, a matplotlib `Figure` out, sized for the printed page.

A figure is returned and never shown: as the last expression of a cell, a notebook shows
it once. Importing the package sets matplotlib's style. A network has the same colour in
all figures of a notebook. `references`, a dict from label to number, are drawn as
labelled lines; `xlabel`, `ylabel`, `xlabels` and `ylabels` label the axes.
"""

# ruff: noqa: F401
from helpers.figures.alarms import plot_alarms
from helpers.figures.comparisons import (
    plot_code_sizes,
    plot_curves,
    plot_intervals,
    plot_ladder,
)
from helpers.figures.images import plot_images
from helpers.figures.networks import plot_network, plot_networks
from helpers.figures.series import plot_reconstructions, plot_series
from helpers.figures.trainings import plot_history, plot_sweep, sweep_rows
