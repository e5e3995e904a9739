"""Which models the fast kernels can train; everything else is left to SB3's own code."""

from gymnasium import spaces
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.torch_layers import FlattenExtractor, MlpExtractor
from torch import float32, nn
from torch.optim import Adam, RMSprop

from tuning.fast_ppo.network import Activation

ACTIVATIONS: dict[type[nn.Module], Activation] = {nn.Tanh: "tanh", nn.ReLU: "relu"}


def why_not(model: OnPolicyAlgorithm) -> str | None:
    """Return what keeps a model from the fast kernels, in a few words, or None.

    Hooks on a policy's layers and gradients are not looked for; the kernels call none.
    """
    policy = model.policy
    if model.use_sde:
        return "gSDE"
    if type(policy) is not ActorCriticPolicy:
        return f"the policy is {type(policy).__name__}"
    if type(policy.features_extractor) is not FlattenExtractor:
        return f"the features extractor is {type(policy.features_extractor).__name__}"
    if model.rollout_buffer_class is not RolloutBuffer:
        return "the rollout buffer is not SB3's own"
    return _why_not_spaces(policy) or _why_not_nets(policy) or _why_not_optimizer(policy)


def _why_not_spaces(policy: ActorCriticPolicy) -> str | None:
    observations, actions = policy.observation_space, policy.action_space
    if not isinstance(observations, spaces.Box | spaces.Discrete):
        return f"observations are {type(observations).__name__}"
    if isinstance(observations, spaces.Box) and not observations.shape:
        return "observations have no dimension"
    if isinstance(observations, spaces.Discrete) and observations.start != 0:
        return "observations do not start at 0"
    if policy.normalize_images and is_image_space(observations):
        return "observations are images"
    if not isinstance(actions, spaces.Box | spaces.Discrete):
        return f"actions are {type(actions).__name__}"
    if policy.squash_output:
        return "actions are squashed"
    return None


def _why_not_nets(policy: ActorCriticPolicy) -> str | None:
    if policy.activation_fn not in ACTIVATIONS:
        return f"the activation is {getattr(policy.activation_fn, '__name__', 'none of its own')}"
    nets = policy.mlp_extractor
    if type(nets) is not MlpExtractor:
        return f"the networks are a {type(nets).__name__}"
    layers = [*nets.policy_net.children(), policy.action_net, *nets.value_net.children(), policy.value_net]
    pattern = [*_pattern(policy, nets.policy_net), nn.Linear, *_pattern(policy, nets.value_net), nn.Linear]
    if [type(layer) for layer in layers] != pattern:
        return "the networks have other layers"
    known = [p for layer in layers for p in (getattr(layer, "weight", None), getattr(layer, "bias", None))]
    known.append(getattr(policy, "log_std", None))
    if sorted(id(p) for p in known if p is not None) != sorted(id(p) for p in policy.parameters()):
        return "the networks have other or shared parameters"
    if any(isinstance(layer, nn.Linear) and layer.bias is None for layer in layers):
        return "a layer has no bias"
    return None


def _pattern(policy: ActorCriticPolicy, net: nn.Sequential) -> list[type[nn.Module]]:
    return [nn.Linear, policy.activation_fn] * (len(net) // 2)


def _why_not_optimizer(policy: ActorCriticPolicy) -> str | None:
    optimizer = policy.optimizer
    if type(optimizer) not in (Adam, RMSprop):
        return f"the optimiser is {type(optimizer).__name__}"
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if len(optimizer.param_groups) > 1:
        return "the optimiser has parameter groups"
    if {id(p) for p in parameters} != {id(p) for p in policy.parameters()}:
        return "the optimiser trains other parameters"
    if not all(p.requires_grad and p.dtype == float32 and p.device.type == "cpu" for p in parameters):
        return "the policy is not trained in float32 on the CPU"
    group = optimizer.param_groups[0]
    for option in _PLAIN:
        if group.get(option):
            return f"the optimiser uses {option}"
    if len({float(optimizer.state[p]["step"]) if optimizer.state.get(p) else 0.0 for p in parameters}) > 1:
        return "some parameters were trained longer than others"
    return None


# Options of torch's optimisers that the kernels do not have.
_PLAIN = (
    "weight_decay",
    "amsgrad",
    "maximize",
    "momentum",
    "centered",
    "decoupled_weight_decay",
    "differentiable",
)
