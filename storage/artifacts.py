"""Kept policies: arrays without pickle, and the resolved request they were trained from."""

import os
import re
import shutil
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from storage.paths import RunFolder
from storage.records import read_record, write_record

MAX_WEIGHTS_BYTES = 500_000_000
NORMALIZATION = "normalization.npz"  # beside a policy that was trained in normalised envs
_TRIAL_FOLDER = re.compile(r"([0-9]+)|\.([0-9]+)\.part", re.ASCII)  # kept, or half-saved


@dataclass(frozen=True)
class KeptPolicy:
    """What is needed to rebuild a trained policy."""

    arrays: dict[str, np.ndarray]  # by the names of the policy's state dict
    request: dict[str, Any]  # env, algorithm, policy, resolved arguments, seeds; plain JSON
    normalization: dict[str, np.ndarray] | None = None  # statistics of the training's normalised envs


def save_policy(
    folder: RunFolder,
    trial: int,
    arrays: dict[str, np.ndarray],
    request: dict[str, Any],
    normalization: dict[str, np.ndarray] | None = None,
) -> None:
    """Keep a trial's policy; it appears whole or not at all."""
    final = folder.weights / str(trial)
    partial = folder.weights / f".{trial}.part"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _write_arrays(partial / "policy.npz", arrays)
    if normalization is not None:
        _write_arrays(partial / NORMALIZATION, normalization)
    write_record(partial / "request.json", request)
    shutil.rmtree(final, ignore_errors=True)
    os.replace(partial, final)


def load_policy(folder: RunFolder, trial: int) -> KeptPolicy:
    """Read a kept policy. No pickle is ever loaded.

    Raises:
        FileNotFoundError: the trial's policy was not kept.
        ValueError: the files are damaged, too large, or hold Python objects.
    """
    path = folder.weights / str(trial)
    request = read_record(path / "request.json")
    weights = path / "policy.npz"
    if request is None or not weights.is_file():
        raise FileNotFoundError(
            f"Trial {trial} kept no weights: the best, the defaults and pinned trials do."
        )
    try:
        statistics = path / NORMALIZATION
        return KeptPolicy(
            _read_arrays(weights), request, _read_arrays(statistics) if statistics.is_file() else None
        )
    except Exception as error:  # a damaged archive raises whatever its bytes lead zipfile and NumPy to
        raise ValueError(f"The weights of trial {trial} cannot be read: {error}.") from error


def _write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:  # as unpacked: a small file may hold terabytes of zeros
        size_bytes = sum(member.file_size for member in archive.infolist())
    if size_bytes > MAX_WEIGHTS_BYTES:
        raise ValueError(f"they are larger than {MAX_WEIGHTS_BYTES} bytes")
    with np.load(path, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    foreign = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
    if foreign:
        raise ValueError(f"{foreign[0][:80]!r} is not an array")
    return arrays


def kept_trials(folder: RunFolder) -> set[int]:
    """Return the numbers of the trials whose policy is kept."""
    return {int(p.name) for p in _entries(folder.weights) if p.name.isdecimal()}


def drop_policies_except(folder: RunFolder, keep: Collection[int]) -> None:
    """Delete every policy, whole or half-saved, but those of `keep`. Needs the run's lock."""
    for path in _entries(folder.weights):
        match = _TRIAL_FOLDER.fullmatch(path.name)
        if match and int(match[1] or match[2]) not in keep:
            shutil.rmtree(path, ignore_errors=True)


def pinned_trials(folder: RunFolder) -> set[int]:
    """Return the numbers of the trials that a person pinned."""
    return {int(p.name) for p in _entries(folder.pins) if p.name.isdecimal()}


def set_pin(folder: RunFolder, trial: int, *, pinned: bool) -> None:
    """Pin a trial, so that its policy outlives the ranking, or take the pin away."""
    path = folder.pins / str(int(trial))
    if pinned:
        folder.pins.mkdir(exist_ok=True)
        path.touch()
    else:
        path.unlink(missing_ok=True)


def _entries(path: Path) -> list[Path]:
    return list(path.iterdir()) if path.is_dir() else []
