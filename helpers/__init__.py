"""Small modules of plain functions around Keras models, which the notebooks share.

Importing it chooses TensorFlow where nothing else is chosen, and keeps it from
describing the machine. It also fixes the number of threads of a computation: with
another number sums are added up in another order, and a training ends elsewhere.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "2")
# Threads of the boosted trees give their core away while they wait for each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
