"""What a result depends on: model, compilation, arguments, data and code, in digits."""

import collections
import contextlib
import hashlib
import inspect
import json

from helpers.training import code

import keras
import numpy as np
from keras.src.backend.common import global_state

# Two machines round differently, by far less than this; another network differs more.
PROBE_TOLERANCE = 1e-3


@contextlib.contextmanager
def fresh_names():
    """Makes names (`dense_1`) and fingerprints independent of models built before."""
    key = "object_name_uids"
    counts_before = global_state.get_global_attribute(key) or {}
    counts = collections.defaultdict(int)
    global_state.set_global_attribute(key, counts)
    try:
        yield
    finally:
        # Later layers must not get a name that an earlier one has.
        for prefix, count in counts_before.items():
            counts[prefix] = max(counts[prefix], count)


def describe(model, job, digests):
    """Returns the parts of a fingerprint; equal parts mean an equal result.

    The dict `digests` keeps digests by the identity of arrays, as long as these live.
    """
    configuration = json.loads(model.to_json())
    configuration.pop("compile_config", None)
    compiled = model.get_compile_config()
    compiled.pop("jit_compile", None)  # Depends on the machine.
    losses = keras.tree.flatten(model.loss)
    # With PyTorch optimizers are classes of their own, with another registered name.
    named = {"module", "name", "registered_name"}
    used = code_of(losses) | code_of(registered(configuration) + registered(compiled))
    if job.score is not None:
        used["score"] = code.digest(job.score, digests)
    return {
        "model": checksum(without(configuration, {"module"})),
        "optimizer": checksum(without(compiled.pop("optimizer"), named)),
        "losses": checksum(without(compiled, {"module", "name"})),
        "epochs": job.epochs,
        "batch_size": job.batch_size,
        "seed": job.seed,
        "callbacks": checksum([describe_callback(one) for one in job.callbacks]),
        "drop_remainder": job.drop_remainder,
        "x": digest(job.x, digests),
        "y": digest(job.y, digests),
        "validation_data": digest(job.validation_data, digests),
        "code": used,
    }


def fingerprint_of(parts):
    """Returns the SHA-256 of the parts, 64 hexadecimal digits."""
    return checksum(parts)


def checksum(value):
    """Returns the SHA-256 of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def describe_callback(callback):
    """Returns the settings of an `EarlyStopping`: its public numbers and words."""
    names = ("monitor", "patience", "min_delta", "baseline", "restore_best_weights")
    settings = {name: getattr(callback, name) for name in names}
    return settings | {"mode": callback.mode, "from": callback.start_from_epoch}


def without(value, names):
    """Returns a description without names: Keras calls a second optimizer `adam_1`."""
    if isinstance(value, list | tuple):
        return [without(one, names) for one in value]
    if not isinstance(value, dict):
        return value if isinstance(value, str | int | float | None) else repr(value)
    return {key: without(one, names) for key, one in value.items() if key not in names}


def registered(value):
    """Returns the classes registered with Keras that a description names."""
    if isinstance(value, list | tuple):
        return [found for one in value for found in registered(one)]
    if not isinstance(value, dict):
        return []
    found = [found for one in value.values() for found in registered(one)]
    thing = keras.saving.get_registered_object(str(value.get("registered_name")))
    return found + [thing] * (thing is not None)


def code_of(things):
    """Returns a dict from the names of project functions and classes to checksums."""
    owned = [
        thing if inspect.isfunction(thing) or inspect.isclass(thing) else type(thing)
        for thing in things
    ]
    return {
        thing.__qualname__: code.digest(thing)
        for thing in owned
        if not thing.__module__.startswith(("keras.", "builtins"))
    }


def digest(value, digests):
    """Returns shape, type and SHA-256 of each array, in the structure of `value`."""
    if isinstance(value, dict):
        return {key: digest(one, digests) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [digest(one, digests) for one in value]
    if value is None:
        return None
    if id(value) not in digests:  # An autoencoder's target is its input.
        # Little-endian on every machine.
        array = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        sha256 = hashlib.sha256(array).hexdigest()
        digests[id(value)] = f"{value.shape} {value.dtype.name} {sha256}"
    return digests[id(value)]


def probe(model, x, y):
    """Measures an untrained network, to see what no configuration shows.

    Computed starting weights and code deep in a layer act on numbers alone: on those of
    the weights, of each layer's output for two examples, and of the loss. Returns what
    `measure` says of each array.
    """
    outputs = [
        operation.output
        for operation in model.operations
        if len(operation._inbound_nodes) == 1
    ]
    first = keras.ops.convert_to_tensor(x[:2])
    everything = keras.Model(model.inputs, [outputs, model.output])
    seen, predicted = everything(first, training=False)
    targets = keras.tree.map_structure(
        lambda one: keras.ops.convert_to_tensor(one[:2]), y
    )
    loss = model.compute_loss(first, targets, predicted)
    return [
        measure(keras.ops.convert_to_numpy(array))
        for array in [*model.weights, *keras.tree.flatten(seen), loss]
    ]


def measure(array):
    """Returns the norm of an array and its share along fixed random signs."""
    values = np.asarray(array, "float64").ravel()
    signs = np.random.default_rng(0).choice([-1.0, 1.0], len(values))
    norm = float(np.linalg.norm(values))
    share = float(values @ signs) / norm if norm else 0.0
    return [float(f"{norm:.6g}"), round(share, 6)]


def same_probe(one, other):
    """Tells whether two probes agree but for rounding."""
    if np.shape(one) != np.shape(other):
        return False
    return np.allclose(one, other, PROBE_TOLERANCE, PROBE_TOLERANCE, equal_nan=True)
