"""A kept policy as an ordinary Stable-Baselines3 zip, which plain `PPO.load` opens. Needs torch.

The optimiser's state is not kept, so the zip predicts exactly as the policy did, and training that goes on
from it starts with a fresh optimiser. Where observations were normalised, the zip also holds their statistics
as plain arrays, `normalization.npz`: SB3 does not look for them, and the model is of no use without.
"""

import os
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.env_util import make_vec_env

from storage.artifacts import NORMALIZATION, KeptPolicy
from tuning import environments
from tuning.env_wrappers import make_wrapped
from tuning.export import ExportError
from tuning.policy import build_model
from tuning.spec_parts import EnvSpec


def write_model_zip(kept: KeptPolicy, path: Path) -> None:
    """Write the zip; it appears whole or not at all.

    Raises:
        ExportError: the weights do not fit the configuration, or the environment cannot be made any more.
    """
    model = _rebuilt(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".zip-") as folder:
        partial_path = Path(folder) / "model.zip"
        model.save(partial_path)
        if kept.normalization is not None:  # SB3 reads what it knows by name, and leaves the rest
            with zipfile.ZipFile(partial_path, "a") as archive, archive.open(NORMALIZATION, "w") as file:
                np.savez(file, allow_pickle=False, **kept.normalization)
        os.replace(partial_path, path)


def _rebuilt(kept: KeptPolicy) -> BaseAlgorithm:
    request = kept.request
    try:
        make = partial(make_wrapped, EnvSpec.model_validate(request["env"]))
        env = make_vec_env(make, n_envs=_count(request, "n_train_envs", least=1))
        try:
            model = build_model(
                request["algorithm"],
                request["policy"],
                env,
                request["resolved"],
                seed=_count(request, "train_seed", least=0),
                n_timesteps=_count(request, "timesteps", least=0) or None,
            )
        finally:
            env.close()
        weights = {name: torch.from_numpy(array) for name, array in kept.arrays.items()}
        model.policy.load_state_dict(weights)
    except environments.EnvironmentsError:
        raise
    except Exception as error:  # a request by hand, or an environment that is no longer what it was
        raise ExportError(
            f"The policy cannot be rebuilt: {type(error).__name__}: {' '.join(str(error).split())[:300]}."
        ) from error
    model.num_timesteps = _count(request, "timesteps", least=0)
    return model


def _count(request: dict[str, Any], name: str, *, least: int) -> int:
    value = request.get(name)
    return value if type(value) is int and value >= least else least
