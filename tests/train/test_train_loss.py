"""A loss of one's own, by its name: what it must be, and that it is what training minimises."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from configured import configured

from pipeline.config import ConfigError
from pipeline.train import TrainError, cross_entropy
from pipeline.train.loss import build_loss

LOGITS = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
LABELS = jnp.asarray([0, 2, 1, 1], jnp.uint8)
NAME = "optax.softmax_cross_entropy_with_integer_labels"


def named(name: str, *words: str) -> Any:
    return build_loss(configured(f"trainer.loss={name}", *words).trainer)


def test_one_loss_an_example_is_averaged() -> None:
    found = jax.jit(named(NAME))(LOGITS, LABELS)
    np.testing.assert_allclose(found, cross_entropy(LOGITS, LABELS), rtol=1e-6)


def test_it_is_what_is_differentiated() -> None:
    found = jax.grad(named("losses_of_a_user.half_the_first_logit"))(LOGITS, LABELS)
    np.testing.assert_array_equal(found, np.tile([0.5, 0, 0], (4, 1)))


@pytest.mark.parametrize(("name", "complaint"), [
    ("optax.l2_loss", r"called with logits \(4, 3\) and integer labels \(4,\)"),
    ("losses_of_a_user.per_class", r"gives float32 \[3\]; expected a float scalar"),
    ("losses_of_a_user.count", "gives int32"),
])
def test_what_is_no_loss_is_said_to_be_none(name: str, complaint: str) -> None:
    with pytest.raises(TrainError, match=complaint):
        named(name)(LOGITS, LABELS)


def test_label_smoothing_is_of_the_cross_entropy() -> None:
    with pytest.raises(ConfigError, match=r"label_smoothing=0\.1: is of the cross-entropy"):
        named(NAME, "trainer.label_smoothing=0.1")


def test_a_name_needs_a_function() -> None:
    with pytest.raises(ConfigError, match=r"trainer\.loss=optax\.nothing: module optax has no"):
        named("optax.nothing")
