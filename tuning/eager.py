"""Keep torch's compiler out of processes that compile nothing."""

from torch.optim import Optimizer


def leave_compiler_out() -> None:
    """Let optimisers be built without importing torch's compiler: that takes 1.1 s and 76 MB a process.

    torch marks some methods of its optimisers as not to be compiled, and imports the compiler, sympy
    included, at the first call of one just to mark it. Here they are marked beforehand as what they are. The
    first `step()` of a torch optimiser still imports it; the fast kernels take steps of their own.

    Source: `_disable_dynamo` in torch/_compile.py of torch 2.13, which keeps the marked method under this
    name. A torch that keeps it elsewhere imports the compiler as before.
    """
    for name in ("add_param_group", "load_state_dict", "state_dict", "zero_grad"):
        undecorated = getattr(getattr(Optimizer, name), "__wrapped__", None)
        if undecorated is not None:
            undecorated.__dynamo_disable = undecorated
