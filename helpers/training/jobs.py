"""One training as a value: the arguments of `fit`, and whether they fit each other."""

import dataclasses
import inspect
import pathlib
import re

from helpers import files
from helpers.checks import check_integer, check_numbers, check_same

import keras


@dataclasses.dataclass
class Job:
    """One training: the arguments of `fit`."""

    build: object
    x: object
    y: object
    epochs: int
    batch_size: int
    name: str
    seed: int
    validation_data: object = None
    callbacks: tuple = ()
    drop_remainder: bool = False
    score: object = None
    keep_model: bool = True
    folder: object = None

    @property
    def path(self):
        """`pathlib.Path` of the folder of the record."""
        return pathlib.Path(self.folder) / self.name


def check_outputs(job, model):
    """Raises a `ValueError` if the targets are not those of the model's outputs."""
    names = sorted(model.output_names)
    if isinstance(model.output, dict) and sorted(model.output) != names:
        raise ValueError(
            "`build` should give each output the name of its layer. Received: outputs "
            f"{sorted(model.output)} from the layers {names}."
        )
    losses = model.loss
    if isinstance(losses, dict):
        expected = sorted(name for name, loss in losses.items() if loss is not None)
        if not isinstance(job.y, dict) or sorted(job.y) != expected:
            received = (
                sorted(job.y) if isinstance(job.y, dict) else type(job.y).__name__
            )
            raise ValueError(
                f"`y` should have a target for each loss: {expected}. "
                f"Received: {received}."
            )
    elif isinstance(job.y, dict) and sorted(job.y) != names:
        raise ValueError(
            f"`y` should have a target for each output: {names}. "
            f"Received: {sorted(job.y)}."
        )
    shapes = dict(zip(model.output_names, model.outputs, strict=True))
    for part, y in (
        ("y", job.y),
        ("validation y", (job.validation_data or [0, {}])[1]),
    ):
        for name, target in y.items() if isinstance(y, dict) else [(names[0], y)]:
            loss = losses.get(name) if isinstance(losses, dict) else losses
            expected = tuple(shapes[name].shape[1:])
            if is_elementwise(loss) and target.shape[1:] != expected:
                raise ValueError(
                    f"`{part}[{name!r}]` should have the shape (examples, "
                    f"{', '.join(map(str, expected))}), as the output has. "
                    f"Received: {target.shape}."
                )


def is_elementwise(loss):
    """Tells whether a loss of Keras compares targets and outputs of one shape."""
    name = loss if isinstance(loss, str) else getattr(loss, "name", "custom")
    own = not isinstance(loss, str) and not type(loss).__module__.startswith("keras.")
    return not own and not inspect.isfunction(loss) and "sparse" not in str(name)


def check_job(job, checked):
    """Returns a training with checked arguments; many may share their arrays."""
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", str(job.name)):
        raise ValueError(
            "`name` should be made of letters, digits, '_', '-' and '.', as it names "
            f"a folder. Received: {job.name!r}."
        )
    job.folder = pathlib.Path(job.folder or files.report_folder() / "runs")
    job.epochs = check_integer("epochs", job.epochs, minimum=1)
    job.batch_size = check_integer("batch_size", job.batch_size, minimum=1)
    job.seed = check_integer("seed", job.seed, minimum=0)
    if job.seed >= 2**32:
        raise ValueError(f"`seed` should be below 2**32. Received: {job.seed}.")
    job.callbacks = tuple(job.callbacks)
    for callback in job.callbacks:
        if not isinstance(callback, keras.callbacks.EarlyStopping):
            raise ValueError(
                "`callbacks` should be `keras.callbacks.EarlyStopping`: what others "
                "know would be lost where a training goes on. Received: "
                f"{type(callback).__name__}."
            )
    job.x, job.y = check_data(job.x, job.y, checked)
    if job.validation_data is not None:
        if not isinstance(job.validation_data, tuple | list) or (
            len(job.validation_data) != 2
        ):
            raise ValueError(
                "`validation_data` should be a tuple `(x, y)`. "
                f"Received: {type(job.validation_data).__name__}."
            )
        job.validation_data = check_data(*job.validation_data, checked, "validation ")
    return job


def check_data(x, y, checked, prefix=""):
    """Returns inputs and targets as arrays of finite numbers of one length."""

    def check(name, values):
        if id(values) not in checked:  # An autoencoder's target is its input.
            checked[id(values)] = values, check_numbers(name, values)
        return checked[id(values)][1]

    x = check(f"{prefix}x", x)
    named = y if isinstance(y, dict) else {None: y}
    targets = {}
    for key, target in named.items():
        name = f"{prefix}y" if key is None else f"{prefix}y[{key!r}]"
        targets[key] = check(name, target)
        lengths = (len(x), len(targets[key]))
        check_same((f"examples of {prefix}x", f"examples of {name}"), lengths)
    return x, targets if isinstance(y, dict) else targets[None]
