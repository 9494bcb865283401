"""What optimizers do to variables in TF1 training graphs.

    op(variable, slots…, hyperparameters…, gradient): variable and slots change together

Formulas: tensorflow/core/kernels/training_ops.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from pipeline.execution.program import Run
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.state import write
from pipeline.execution.values import Handle, to_jax


def optimizer(*ops: str, variables: int, attrs: str = "use_locking") -> Callable[..., None]:
    """Ops whose first inputs are variables: the function gives all their new values."""
    def register(function: Callable[..., Any]) -> None:
        @rule(*ops, attrs=attrs, writes=True, takes_run=True, handles=True)
        def _apply(node: Node, run: Run, *inputs: Any) -> Any:
            values = [to_jax(run.read(each)) if isinstance(each, Handle) else to_jax(each)
                      for each in inputs]
            after = function(node, *values)
            for handle, value in zip(inputs[:variables], after, strict=True):
                write(node, run, handle, value)
            return inputs[0]
    return register


@optimizer("ApplyGradientDescent", "ResourceApplyGradientDescent", variables=1)
def _gradient_descent(node: Node, var: Any, alpha: Any, delta: Any) -> Any:
    return (var - alpha * delta,)


@optimizer("ApplyProximalGradientDescent", "ResourceApplyProximalGradientDescent", variables=1)
def _proximal(node: Node, var: Any, alpha: Any, l1: Any, l2: Any, delta: Any) -> Any:
    moved = var - alpha * delta
    shrunk = jnp.sign(moved) * jnp.maximum(jnp.abs(moved) - alpha * l1, 0)
    return (jnp.where(l1 > 0, shrunk, moved) / (1 + l2 * alpha),)


@optimizer("ApplyMomentum", "ResourceApplyMomentum", variables=2,
           attrs="use_locking use_nesterov")
def _momentum(node: Node, var: Any, accum: Any, rate: Any, grad: Any, momentum: Any) -> Any:
    accum = accum * momentum + grad
    step = grad * rate + accum * momentum * rate if node["use_nesterov"] else accum * rate
    return var - step, accum


@optimizer("ResourceApplyKerasMomentum", variables=2, attrs="use_locking use_nesterov")
def _keras_momentum(node: Node, var: Any, accum: Any, rate: Any, grad: Any, momentum: Any) -> Any:
    accum = accum * momentum - rate * grad
    return var + (accum * momentum - rate * grad if node["use_nesterov"] else accum), accum


@optimizer("ApplyAdam", "ResourceApplyAdam", variables=3, attrs="use_locking use_nesterov")
def _adam(
    node: Node, var: Any, m: Any, v: Any, beta1_power: Any, beta2_power: Any, rate: Any,
    beta1: Any, beta2: Any, epsilon: Any, grad: Any,
) -> Any:
    rate = rate * jnp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m = m + (grad - m) * (1 - beta1)
    v = v + (grad * grad - v) * (1 - beta2)
    direction = m * beta1 + grad * (1 - beta1) if node["use_nesterov"] else m
    return var - rate * direction / (jnp.sqrt(v) + epsilon), m, v


@optimizer("ResourceApplyAdamWithAmsgrad", variables=4)
def _amsgrad(
    node: Node, var: Any, m: Any, v: Any, highest: Any, beta1_power: Any, beta2_power: Any,
    rate: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any,
) -> Any:
    rate = rate * jnp.sqrt(1 - beta2_power) / (1 - beta1_power)
    m = m + (grad - m) * (1 - beta1)
    v = v + (grad * grad - v) * (1 - beta2)
    highest = jnp.maximum(highest, v)
    return var - rate * m / (jnp.sqrt(highest) + epsilon), m, v, highest


@optimizer("ApplyAdaMax", "ResourceApplyAdaMax", variables=3)
def _ada_max(
    node: Node, var: Any, m: Any, v: Any, beta1_power: Any, rate: Any, beta1: Any, beta2: Any,
    epsilon: Any, grad: Any,
) -> Any:
    m = m + (grad - m) * (1 - beta1)
    v = jnp.maximum(beta2 * v, jnp.abs(grad))
    return var - rate / (1 - beta1_power) * (m / (v + epsilon)), m, v


@optimizer("ApplyAdagrad", "ResourceApplyAdagrad", variables=2, attrs="use_locking update_slots")
def _adagrad(node: Node, var: Any, accum: Any, rate: Any, grad: Any) -> Any:
    accum = accum + grad * grad if node["update_slots"] else accum
    return var - rate * grad / jnp.sqrt(accum), accum


@optimizer("ApplyAdagradV2", "ResourceApplyAdagradV2", variables=2,
           attrs="use_locking update_slots")
def _adagrad_v2(node: Node, var: Any, accum: Any, rate: Any, epsilon: Any, grad: Any) -> Any:
    accum = accum + grad * grad if node["update_slots"] else accum
    return var - rate * grad / (jnp.sqrt(accum) + epsilon), accum


@optimizer("ApplyAdadelta", "ResourceApplyAdadelta", variables=3)
def _adadelta(
    node: Node, var: Any, accum: Any, moved: Any, rate: Any, rho: Any, epsilon: Any, grad: Any
) -> Any:
    accum = accum * rho + grad * grad * (1 - rho)
    step = jnp.sqrt(moved + epsilon) / jnp.sqrt(accum + epsilon) * grad
    return var - step * rate, accum, moved * rho + step * step * (1 - rho)


@optimizer("ApplyRMSProp", "ResourceApplyRMSProp", variables=3)
def _rms_prop(
    node: Node, var: Any, ms: Any, mom: Any, rate: Any, rho: Any, momentum: Any, epsilon: Any,
    grad: Any,
) -> Any:
    ms = ms + (grad * grad - ms) * (1 - rho)
    mom = mom * momentum + rate * grad / jnp.sqrt(ms + epsilon)
    return var - mom, ms, mom


@optimizer("ApplyCenteredRMSProp", "ResourceApplyCenteredRMSProp", variables=4)
def _centered_rms_prop(
    node: Node, var: Any, mg: Any, ms: Any, mom: Any, rate: Any, rho: Any, momentum: Any,
    epsilon: Any, grad: Any,
) -> Any:
    ms = ms + (grad * grad - ms) * (1 - rho)
    mg = mg + (grad - mg) * (1 - rho)
    mom = mom * momentum + rate * grad / jnp.sqrt(ms - mg * mg + epsilon)
    return var - mom, mg, ms, mom


@optimizer("ApplyFtrl", "ResourceApplyFtrl", variables=3,
           attrs="use_locking multiply_linear_by_lr")
def _ftrl(
    node: Node, var: Any, accum: Any, linear: Any, grad: Any, rate: Any, l1: Any, l2: Any,
    power: Any,
) -> Any:
    grown = accum + grad * grad
    if node["multiply_linear_by_lr"]:
        linear = linear + grad * rate - (grown ** -power - accum ** -power) * var
        quadratic = grown ** -power + 2 * l2 * rate
        l1 = l1 * rate
    else:
        linear = linear + grad - (grown ** -power - accum ** -power) / rate * var
        quadratic = grown ** -power / rate + 2 * l2
    pulled = (jnp.sign(linear) * l1 - linear) / quadratic
    return jnp.where(jnp.abs(linear) > l1, pulled, 0), grown, linear


@optimizer("ApplyAddSign", "ResourceApplyAddSign", variables=2)
def _add_sign(
    node: Node, var: Any, m: Any, rate: Any, alpha: Any, decay: Any, beta: Any, grad: Any
) -> Any:
    m = m * beta + grad * (1 - beta)
    return var - rate * (alpha + decay * jnp.sign(grad) * jnp.sign(m)) * grad, m


@optimizer("ApplyPowerSign", "ResourceApplyPowerSign", variables=2)
def _power_sign(
    node: Node, var: Any, m: Any, rate: Any, log_base: Any, decay: Any, beta: Any, grad: Any
) -> Any:
    m = m * beta + grad * (1 - beta)
    return var - rate * jnp.exp(log_base * decay * jnp.sign(grad) * jnp.sign(m)) * grad, m


@optimizer("SparseApplyAdagrad", "ResourceSparseApplyAdagrad", variables=2,
           attrs="use_locking update_slots Tindices")
def _sparse_adagrad(
    node: Node, var: Any, accum: Any, rate: Any, grad: Any, indices: Any
) -> Any:
    if node["update_slots"]:
        accum = accum.at[indices].add(grad * grad)
    return var.at[indices].add(-rate * grad / jnp.sqrt(accum[indices])), accum


@optimizer("SparseApplyMomentum", "ResourceSparseApplyMomentum", variables=2,
           attrs="use_locking use_nesterov Tindices")
def _sparse_momentum(
    node: Node, var: Any, accum: Any, rate: Any, grad: Any, indices: Any, momentum: Any
) -> Any:
    accum = accum.at[indices].set(accum[indices] * momentum + grad)
    rows = accum[indices]
    step = grad * rate + rows * momentum * rate if node["use_nesterov"] else rows * rate
    return var.at[indices].add(-step), accum
