"""Blocks of functional LSTM autoencoders: tensor in, tensor out.

A network is put together in the notebook:

    series = keras.Input((num_steps, num_features), name="series")
    code = networks.encode(series, code_size=64, units=128)
    outputs = {
        "reconstruction": networks.decode(code, num_steps, num_features, units=128),
        "label": networks.classify(code, num_classes=10),
    }
    model = keras.Model(series, outputs)

The name of an output's last layer is the output's key, so that targets, losses and loss
weights go by the same name. A block raises a `ValueError` for a tensor of another shape
than its docstring asks for. Sizes (`units`, `num_steps`, ...) are positive integers.
Importing this package lets `keras.saving.load_model` read the networks.

Reference: Srivastava, Mansimov & Salakhutdinov, 2015, arXiv:1502.04681; the cell:
Hochreiter & Schmidhuber, 1997, doi:10.1162/neco.1997.9.8.1735
"""

# ruff: noqa: F401
from helpers.networks.blocks import (
    classify,
    decode,
    decoder_of,
    encode,
    encoder_of,
)
from helpers.networks.convolutional import decode_convolutional, encode_convolutional
from helpers.networks.counts import (
    CountDistribution,
    balanced_crossentropy,
    count_frequencies,
    event_squared_error,
    mean_count,
    predict_counts,
)
from helpers.networks.fourier import start_as_fourier_memory
from helpers.networks.hierarchical import decode_hierarchical, encode_hierarchical
from helpers.networks.layers import CodeLSTM, FastLSTM
from helpers.networks.starts import lstm_initializers
