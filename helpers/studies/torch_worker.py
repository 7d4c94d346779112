"""Training steps of a PyTorch autoencoder, one for each line of stdin, for `benchmark`.

A process of its own that imports nothing of this project: PyTorch and TensorFlow in one
process disturb each other's threads.
"""

import sys
import time


def training_step(
    num_steps, num_features, code_size, encoder_units, decoder_units, batch_size
):
    """Gives a function that does one training step and returns its seconds."""
    import torch  # Not among the requirements.
    from torch import nn

    encoder = nn.LSTM(num_features, encoder_units, batch_first=True)
    to_code = nn.Linear(encoder_units, code_size)
    decoder = nn.LSTM(code_size, decoder_units, batch_first=True)
    to_values = nn.Linear(decoder_units, num_features)
    model = nn.ModuleList([encoder, to_code, decoder, to_values])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    series = torch.rand(batch_size, num_steps, num_features)

    def step():
        start = time.perf_counter()
        _, (hidden, _) = encoder(series)
        repeated = to_code(hidden[-1])[:, None].expand(-1, num_steps, -1)
        states, _ = decoder(repeated)
        loss = nn.functional.mse_loss(to_values(states), series)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return time.perf_counter() - start

    return step


if __name__ == "__main__":
    step = training_step(*map(int, sys.argv[1:]))
    for _ in sys.stdin:
        print(step(), flush=True)
