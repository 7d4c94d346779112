"""Small modules of plain functions that the notebooks share."""
