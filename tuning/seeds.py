"""Every random stream of a study, derived from its one seed.

Stable-Baselines3 gives training env i the seed `train_seed + i`, so streams are kept apart by ranges, ranks
included: training 0 to 7 998, evaluation 8 000 to 9 998. Re-evaluation starts at 10 000.
"""

import numpy as np

_TRAIN_SEEDS = 7_000
_EVAL_START, _EVAL_SEEDS = 8_000, 1_000


def sampler_seed(study_seed: int, task: int) -> int:
    """Return the sampler's seed for one task. A seed shared by all tasks would repeat the start-up trials."""
    return int(np.random.SeedSequence([study_seed, task, 0]).generate_state(1)[0])


def train_seed(study_seed: int, task: int) -> int:
    """Return the training seed for one task: 0 to 6 999, plus the rank of the env."""
    return int(np.random.SeedSequence([study_seed, task, 1]).generate_state(1)[0]) % _TRAIN_SEEDS


def eval_seed(study_seed: int) -> int:
    """Return the evaluation seed, one for all trials: they meet the same starts, so they compare fairly."""
    return _EVAL_START + int(np.random.SeedSequence([study_seed, 2]).generate_state(1)[0]) % _EVAL_SEEDS
