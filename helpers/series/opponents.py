"""Simple opponents of a network: functions of windows to the outputs of a detector.

Windows carry marks, see `gaps.mark_missing`; what is missing counts as 0, the mean.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.neighbors import NearestNeighbors


def flatten(windows):
    """Returns the values without their marks, `(windows, num_steps * channels)`."""
    values = windows[..., : windows.shape[2] // 2]
    return values.reshape(len(windows), -1)


def linear_opponents(windows, next_steps, code_size):
    """Fits PCA, autoregression, both together, and nearest neighbours.

    Args:
        windows: Array `(windows, num_steps, 2 * channels)`, the training part.
        next_steps: Array `(windows, horizon, 2 * channels)`, the steps after them.
        code_size: Integer, the principal components.

    Returns:
        Dict from the method's name to a function for `detector.Detector`.

    References: Baldi & Hornik, 1989, doi:10.1016/0893-6080(89)90014-2 (PCA is the best
    linear autoencoder); Yeh et al., 2016, doi:10.1109/ICDM.2016.0179 (matrix profile:
    the distance of each window to the most similar one, here without its scaling).
    """
    known, after = flatten(windows), flatten(next_steps[:, :1])
    shape = (-1, windows.shape[1], windows.shape[2] // 2)
    pca = PCA(min(code_size, *known.shape)).fit(known)
    ridge = Ridge().fit(known, after)
    neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known)

    def rebuild(windows):
        codes = pca.transform(flatten(windows))
        return {"reconstruction": pca.inverse_transform(codes).reshape(shape)}

    def predict(windows):
        predicted = ridge.predict(flatten(windows))
        return {"next_steps": predicted.reshape(-1, 1, shape[2])}

    def find_nearest(windows):
        nearest = neighbours.kneighbors(flatten(windows), return_distance=False)
        return {"reconstruction": known[nearest[:, 0]].reshape(shape)}

    return {
        "PCA": rebuild,
        "autoregression": predict,
        "both, linear": lambda windows: rebuild(windows) | predict(windows),
        "nearest neighbour": find_nearest,
    }


def is_unchanged(series, num_steps):
    """Tells which steps are the last of `num_steps` changes of 0, not from a 0.

    The rule of one line for a stuck value: `(steps,)` booleans of `(steps,)` values.

    >>> is_unchanged(np.array([5, 5, 5, 6, 0, 0, 0.0]), 2).tolist()
    [False, False, True, False, False, False, False]
    """
    same = (np.diff(series, prepend=np.nan) == 0) & (series != 0)
    padded = np.concatenate([np.zeros(num_steps - 1, bool), same])
    return np.lib.stride_tricks.sliding_window_view(padded, num_steps).all(axis=1)
