"""Every random stream of a study, derived from its one seed.

Stable-Baselines3 gives training env i the seed `train_seed + i`, so streams are kept apart by ranges, ranks
included: training 0 to 7 998, evaluation 8 000 to 9 998. Retraining (probes, re-evaluation) starts at 10 000,
in slots of 2 000: the first half of a slot is for training, the second for evaluation. Each draw of a study
owns a block of 100 slots, the first draw's at a place of the study's own and each further one's right behind.
A kept policy that plays new episodes is a draw too: it begins with the evaluation half of its first slot and
goes on through its block, up to 10 000 seeds of 200 000.
"""

import zlib

import numpy as np

_TRAIN_SEEDS = 7_000
_EVAL_START, _EVAL_SEEDS = 8_000, 1_000
_RETRAIN_START, _RETRAIN_SLOT, _RETRAIN_SLOTS = 10_000, 2_000, 1_000_000
DRAW_SLOTS = 100  # of one draw, so that no other one of the study, extended or not, meets its seeds


def sampler_seed(study_seed: int, task: int) -> int:
    """Return the sampler's seed for one task. A seed shared by all tasks would repeat the start-up trials."""
    return int(np.random.SeedSequence([study_seed, task, 0]).generate_state(1)[0])


def random_share_start(study_seed: int) -> float:
    """Return where in 0 to 1 a study begins to count toward its next trial of the random share."""
    return float(np.random.default_rng(np.random.SeedSequence([study_seed, 4])).random())


def train_seed(study_seed: int, task: int) -> int:
    """Return the training seed for one task: 0 to 6 999, plus the rank of the env."""
    return int(np.random.SeedSequence([study_seed, task, 1]).generate_state(1)[0]) % _TRAIN_SEEDS


def further_train_seeds(study_seed: int, task: int, n: int) -> list[int]:
    """Return the training seeds of a task's 2nd to n-th training, in the range of the first one's."""
    return [
        int(np.random.SeedSequence([study_seed, task, 1, k]).generate_state(1)[0]) % _TRAIN_SEEDS
        for k in range(1, n)
    ]


def eval_seed(study_seed: int) -> int:
    """Return the evaluation seed, one for all trials: they meet the same starts, so they compare fairly."""
    return _EVAL_START + int(np.random.SeedSequence([study_seed, 2]).generate_state(1)[0]) % _EVAL_SEEDS


def retraining_seeds(study_seed: int, draw: int, n: int, *, study: str = "") -> list[tuple[int, int]]:
    """Return `n` fresh pairs of a training and an evaluation seed, for training configurations again.

    Whatever is to be compared shares a pair: equal seeds make a comparison a paired one.

    No two draws of one study share a seed, for its first 10 000 draws. Those of two studies may, by chance.

    Args:
        study_seed: the study's seed.
        draw: tells one job's seeds from those of the study's other jobs; counted from 0.
        n: how many, at most 100.
        study: the study's id, since a study and those that continue it share their seed.
    """
    assert 0 <= n <= DRAW_SLOTS, f"A draw has at most {DRAW_SLOTS} pairs of seeds: received {n}."
    entropy = [study_seed, 0, 3, *([zlib.crc32(study.encode())] if study else [])]
    place = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    first = (place + draw * DRAW_SLOTS) % _RETRAIN_SLOTS
    return [_slot(_RETRAIN_START + _RETRAIN_SLOT * (first + k)) for k in range(n)]


def further_seeds(last: tuple[int, int], n: int) -> list[tuple[int, int]]:
    """Return the `n` pairs that follow a pair of `retraining_seeds`, as a longer draw would have had them.

    They are the draw's own as long as it has no more than 100 in all.
    """
    return [_slot(last[0] + _RETRAIN_SLOT * (k + 1)) for k in range(n)]


def _slot(start: int) -> tuple[int, int]:
    return start, start + _RETRAIN_SLOT // 2
