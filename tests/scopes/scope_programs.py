"""Hand-written conformance programs: one table, each written once for both sides.

A program gets an `Api` and returns what must be equal; row numbers are those of tf1_semantics.md.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scope_api import Program

PROGRAMS: dict[str, Program] = {}
REUSES = ("None", "False", "True", "AUTO")


def program(function: Program) -> Program:
    """Enters a program into the table under its name."""
    assert function.__name__ not in PROGRAMS
    PROGRAMS[function.__name__] = function
    return function


def family(name: str, *axes: tuple[Any, ...]) -> Any:
    """Enters one program per combination of the axes' values."""

    def enter(function: Any) -> Any:
        for values in itertools.product(*axes):
            label = f"{name}[{','.join(map(str, values))}]"
            PROGRAMS[label] = lambda t, values=values: function(t, *values)
        return function

    return enter


# A: get_variable


@program
def a1_nesting_joins_names(t):
    with t.variable_scope("foo"), t.variable_scope("bar"):
        return t.get("v", [1]), t.op()


@program
def a1_name_scopes_do_not_count(t):
    with t.name_scope("ns"):
        first = t.get("v", [1])
        with t.variable_scope("vs"):
            return first, t.get("x", [1]), t.op()


@program
def a1_name_scope_between_variable_scopes(t):
    with t.variable_scope("v"), t.name_scope("m"), t.variable_scope("w"):
        return t.get("x", [1]), t.op()


@program
def a1_slashes_in_one_go(t):
    with t.variable_scope("a/b"):
        return t.get("c/d", [1]), t.op()


@program
def a2_exists_at_root(t):
    return t.get("v", [1]), t.get("v", [1])


@program
def a2_exists_in_scope(t):
    with t.variable_scope("foo"):
        t.get("v", [1])
    with t.variable_scope("foo"):
        return t.get("v", [1])


@program
def a2_exists_under_another_path(t):
    with t.variable_scope("foo"):
        t.get("bar/v", [1])
    with t.variable_scope("foo"), t.variable_scope("bar"):
        return t.get("v", [1])


@program
def a3_missing(t):
    with t.variable_scope("foo", reuse=True):
        return t.get("v", [1])


@program
def a3_missing_at_root(t):
    with t.variable_scope("", reuse=True):
        return t.get("v", [1])


@program
def a4_variable_is_not_found(t):
    with t.variable_scope("foo"):
        t.Variable(1.0, name="v")
    with t.variable_scope("foo", reuse=True):
        return t.get("v", [])


@program
def a4_variable_does_not_collide(t):
    with t.variable_scope("foo"):
        return t.Variable(1.0, name="v").name, t.get("v", [])


@program
def a5_other_shape(t):
    with t.variable_scope("foo"):
        t.get("v", [1])
    with t.variable_scope("foo", reuse=True):
        return t.get("v", [2]), t.get("v", [1, 1]), t.get("v", []), t.get("v", [1])


@program
def a5_without_shape_the_same_object(t):
    with t.variable_scope("foo"):
        v = t.get_variable("v", [3])
    with t.variable_scope("foo", reuse=True):
        return t.get_variable("v") is v


@program
def a5_auto_reuse_other_shape(t):
    with t.variable_scope("foo", reuse=t.AUTO_REUSE):
        return t.get("v", [2, 3]), t.get("v", [3, 2])


@program
def a6_other_dtype(t):
    with t.variable_scope("foo"):
        t.get("v", [1])
    with t.variable_scope("foo", reuse=True):
        return t.get("v", [1], dtype="int32"), t.get("v", [1], dtype="float16")


@program
def a6_dtype_left_out_on_reuse(t):
    with t.variable_scope("foo"):
        t.get("v", [1], dtype="int32")
    with t.variable_scope("foo", reuse=True):
        return t.get("v", [1])


@program
def a6_shape_is_checked_before_dtype(t):
    t.get("v", [1])
    with t.variable_scope("", reuse=True):
        return t.get("v", [2], dtype="int32")


@program
def a7_initializer_is_ignored(t):
    with t.variable_scope("f"):
        v = t.get_variable("v", [1], initializer=t.constant(1.0))
    with t.variable_scope("f", reuse=True):
        w = t.get_variable("v", [1], initializer=t.constant(5.0))
    return w is v, t.value(w)


@program
def a7_regularizer_is_ignored(t):
    with t.variable_scope("f", regularizer=t.regularizer):
        t.get("v", [1])
    with t.variable_scope("f", reuse=True, regularizer=t.regularizer):
        t.get("v", [1])
    return t.losses()


@program
def a7_trainable_is_ignored(t):
    with t.variable_scope("a", reuse=t.AUTO_REUSE):
        t.get("x", [1])
        t.get("x", [1], trainable=False)
    return t.collection(t.keys.TRAINABLE_VARIABLES), t.collection(t.keys.GLOBAL_VARIABLES)


@program
def a8_no_shape(t):
    with t.variable_scope("s"):
        return t.get("v")


@program
def a9_constant_with_shape(t):
    return t.get("v", [1], initializer=np.float32([1.0]))


@program
def a9_constant_with_shape_on_reuse(t):
    t.get("v", [1])
    with t.variable_scope("", reuse=True):
        return t.get("v", [1], initializer=np.float32([1.0]))


@program
def a9_constant_brings_its_shape(t):
    v = t.get_variable("v", initializer=np.float32([[1.0, 2.0]]))
    w = t.get_variable("w", initializer=3)
    x = t.get_variable("x", initializer=2.5)
    return [(t.shape(q), t.dtype(q), t.value(q)) for q in (v, w, x)]


@program
def a9_constant_list(t):
    v = t.get_variable("v", initializer=[1.0, 2.0, 3.0])
    return t.shape(v), t.dtype(v), t.value(v)


@program
def a9_constant_and_other_dtype(t):
    return t.get("v", initializer=np.float32([1.0]), dtype="int32")


@program
def a9_constant_and_its_dtype(t):
    return t.get("v", initializer=np.float32([1.0]), dtype="float32")


@program
def a10_initializer_without_shape(t):
    return t.get("v", initializer=t.constant(1.0))


@program
def a10_unknown_axis(t):
    return t.get("v", [None, 2])


@program
def a10_class_instead_of_instance(t):
    v = t.get_variable("v", [2], initializer=t.zeros)
    return t.shape(v), t.value(v)


@family("a11_defaults", ("int32", "bool", "uint8", "int8"))
def a11_defaults(t, dtype):
    v = t.get_variable("v", [3], dtype=dtype)
    return t.dtype(v), t.value(v)


@program
def a11_complex_has_no_default(t):
    return t.get("d", [2], dtype="complex64")


@family("a11_float_types", ("float16", "float32", "bfloat16"))
def a11_float_types(t, dtype):
    v = t.get_variable("v", [3, 2], dtype=dtype)
    return t.dtype(v), t.shape(v), v.name


KEYS = ("GLOBAL_VARIABLES", "TRAINABLE_VARIABLES", "LOCAL_VARIABLES")


def all_collections(t):
    return [t.collection(getattr(t.keys, key)) for key in KEYS]


@family("a12_collections", (True, False), (None, ("mine",), ("mine", "variables"), ()))
def a12_collections(t, trainable, names):
    t.get("v", [1], trainable=trainable, collections=None if names is None else list(names))
    return all_collections(t), t.collection("mine")


@program
def a12_local_variable(t):
    v = t.get_local_variable("l", [2])
    return v.name, t.shape(v), all_collections(t)


@program
def a12_local_variable_in_scope(t):
    with t.variable_scope("s", reuse=t.AUTO_REUSE):
        v = t.get_local_variable("l", [2])
        return v is t.get_local_variable("l", [2]), v.name, all_collections(t)


@program
def a12_local_variable_in_own_collection(t):
    t.get_local_variable("l", [2], collections=["mine"])
    return all_collections(t), t.collection("mine")


@program
def a12_all_kinds_together(t):
    t.get("t", [1])
    t.get("n", [1], trainable=False)
    t.get_local_variable("l", [1])
    t.get("c", [1], collections=["mine"])
    t.Variable(1.0, name="u")
    t.Variable(1.0, name="m", trainable=False)
    t.Variable(1.0, name="o", collections=["mine"])
    return all_collections(t), t.collection("mine")


@program
def a13_untrainable_is_still_saved(t):
    with t.variable_scope("s"):
        t.get("v", [1], trainable=False)
    return all_collections(t)


NAMES = ("a b", "/a", "a//b", "-x", "_x", ".x", "a:0", "a.b", "a-b", "a>b", "ä", "a\\b")


@family("a14_names_at_root", NAMES)
def a14_names_at_root(t, name):
    return t.get(name, [1])


@family("a14_names_in_scope", NAMES)
def a14_names_in_scope(t, name):
    with t.variable_scope("s"):
        return t.get(name, [1])


# B: variable_scope, names


@family("b_scope_names", (*NAMES, "a/", "a/b/c"))
def b_scope_names(t, name):
    return t.enter(name)


@family("b_scope_names_nested", (*NAMES, "a/", "a/b/c"))
def b_scope_names_nested(t, name):
    with t.variable_scope("s"):
        return t.enter(name), t.here()


@program
def b1_exception_restores_the_scope(t):
    def fail():
        with t.variable_scope("foo"), t.variable_scope("bar"):
            raise KeyError("x")

    return t.attempt(fail), t.here()


@program
def b1_failed_getting_leaves_the_scope_open(t):
    with t.variable_scope("foo"):
        t.get("v")
        return t.here(), t.get("v", [1])


@family("b2_reuse_values", (None, False, True, 1, 0, "yes", ()))
def b2_reuse_values(t, reuse):
    return t.enter("s", reuse=reuse)


@family("b3_reuse_below_reuse", REUSES, REUSES)
def b3_reuse_below_reuse(t, outer, inner):
    with t.variable_scope("a", reuse=t.flag(outer)):
        here = t.here()
        with t.variable_scope("b", reuse=t.flag(inner)):
            with t.variable_scope("c"):
                deepest = t.here()
            return here, t.here(), deepest


@family("b3_getting_below_reuse", ("None", "True", "AUTO"), REUSES)
def b3_getting_below_reuse(t, outer, inner):
    with t.variable_scope("a"), t.variable_scope("b"):
        t.get("v", [1])
    with t.variable_scope("a", reuse=t.flag(outer)), t.variable_scope("b", reuse=t.flag(inner)):
        return t.get("v", [1]), t.get("w", [1])


@program
def b5_reuse_variables(t):
    with t.variable_scope("foo") as scope:
        v = t.get_variable("v", [1])
        scope.reuse_variables()
        same = t.get_variable("v", [1]) is v, scope.reuse
    with t.variable_scope("foo"):
        return same, t.here()


@program
def b5_reuse_variables_is_inherited(t):
    with t.variable_scope("foo") as scope:
        scope.reuse_variables()
        with t.variable_scope("bar"):
            return t.here(), t.get("v", [1])


@program
def b5_reuse_variables_at_the_root(t):
    t.get("v", [1])
    t.get_variable_scope().reuse_variables()
    return t.get("v", [1]), t.get("w", [1]), t.here()


@program
def b5_reuse_variables_from_inside(t):
    with t.variable_scope("foo"):
        t.get("v", [1])
        t.get_variable_scope().reuse_variables()
        return t.get("v", [1])


@family("b5_reuse_travels_with_the_object", REUSES)
def b5_reuse_travels_with_the_object(t, flag):
    with t.variable_scope("foo") as scope:
        t.get("v", [1])
        scope.reuse_variables()
    with t.variable_scope(scope, reuse=t.flag(flag)) as again:
        return t.here(), again is scope


@family("b5_object_below_reuse", ("None", "True", "AUTO"), ("None", "True", "AUTO"))
def b5_object_below_reuse(t, own, outer):
    with t.variable_scope("foo", reuse=t.flag(own)) as scope:
        pass
    with t.variable_scope("outer", reuse=t.flag(outer)), t.variable_scope(scope):
        return t.here()


@program
def b6_empty_scope_at_root(t):
    with t.variable_scope(""):
        return t.get("v", [1]), t.here()


@program
def b6_empty_scope_nested(t):
    with t.variable_scope("foo"), t.variable_scope("") as scope:
        return t.get("v", [1]), t.here(), scope.original_name_scope


@program
def b6_empty_scope_finds_by_full_name(t):
    with t.variable_scope("foo"), t.variable_scope("bar"):
        v = t.get_variable("v", [1])
    with t.variable_scope("", reuse=True):
        return t.get_variable("foo/bar/v", [1]) is v


@program
def b6_below_a_nested_empty_scope(t):
    with t.variable_scope("foo"), t.variable_scope(""), t.variable_scope("bar"):
        return t.get("v", [1]), t.here()


@program
def b7_object_jumps_to_its_name(t):
    with t.variable_scope("foo") as scope:
        t.get("v", [1])
    with t.variable_scope("other"), t.variable_scope("in"), t.variable_scope(scope) as again:
        return t.here(), t.get("w", [1]), again.original_name_scope, again is scope


@program
def b7_object_of_a_nested_scope(t):
    with t.variable_scope("a"), t.variable_scope("b") as scope:
        t.get("v", [1])
    with t.variable_scope(scope, reuse=True):
        return t.here(), t.get("v", [1])


@program
def b7_root_object_from_inside(t):
    root = t.get_variable_scope()
    with t.variable_scope("a"), t.variable_scope(root) as again:
        return t.here(), t.get("v", [1]), again.original_name_scope


@program
def b7_object_keeps_its_defaults(t):
    with t.variable_scope("foo", initializer=t.constant(0.5), dtype="float16") as scope:
        pass
    with t.variable_scope("other", initializer=t.constant(0.25)), t.variable_scope(scope):
        v = t.get_variable("v", [1])
    return t.value(v), t.dtype(v)


@program
def b7_object_with_other_defaults(t):
    with t.variable_scope("foo", initializer=t.constant(0.5)) as scope:
        pass
    with t.variable_scope(scope, initializer=t.constant(0.25), dtype="float16"):
        v = t.get_variable("v", [1])
    return t.value(v), t.dtype(v)


@program
def b8_object_opens_a_name_scope_of_its_last_segment(t):
    with t.variable_scope("a/b") as scope:
        first = t.op()
    with t.variable_scope("x"), t.variable_scope(scope):
        return first, t.here()


@program
def b8_object_twice(t):
    with t.variable_scope("a") as scope:
        pass
    seen = []
    for _ in range(3):
        with t.variable_scope(scope) as again:
            seen.append((t.here(), again.original_name_scope))
    return seen


@program
def b9_no_auxiliary_name_scope(t):
    with t.variable_scope("foo") as scope:
        pass
    with t.variable_scope(scope, auxiliary_name_scope=False) as again:
        outside = t.op()
        with t.name_scope(again.original_name_scope):
            return outside, t.get("v", [1]), t.op()


@program
def b9_no_auxiliary_name_scope_by_name(t):
    with t.variable_scope("a"), t.variable_scope("b", auxiliary_name_scope=False) as scope:
        return t.here(), t.get("v", [1]), scope.original_name_scope


@program
def b9_no_auxiliary_name_scope_by_default_name(t):
    with t.variable_scope(None, "b", auxiliary_name_scope=False) as scope:
        return t.here(), t.get("v", [1]), scope.original_name_scope


@program
def b10_reopened_scope(t):
    seen = []
    for _ in range(3):
        with t.variable_scope("foo", reuse=t.AUTO_REUSE) as scope:
            u = t.Variable(1.0, name="u")
            seen.append((t.get("v", [1]), t.op(), u.name, scope.original_name_scope, scope.name))
    return seen


@program
def b10_reopened_nested_scope(t):
    seen = []
    for _ in range(2):
        with t.variable_scope("a"):
            for _ in range(2):
                with t.variable_scope("b", reuse=t.AUTO_REUSE):
                    seen.append(t.here())
    return seen


@program
def b11_default_name(t):
    seen = []
    with t.variable_scope("foo") as scope:
        for _ in range(3):
            with t.variable_scope(None, default_name="bar"):
                seen.append((t.get("a", [1]), t.here()))
    with t.variable_scope(scope), t.variable_scope(None, default_name="bar"):
        seen.append((t.get("c", [1]), t.here()))
    with t.variable_scope("x", "default"):
        seen.append(t.get("q", [1]))
    return seen


@program
def b11_default_name_after_an_explicit_one(t):
    seen = []
    with t.variable_scope("bar"):
        seen.append(t.get("a", [1]))
    with t.variable_scope(None, "bar"):
        seen.append(t.get("a", [1]))
    with t.variable_scope(None, "bar_1"):
        seen.append(t.get("b", [1]))
    return seen


@program
def b11_counters_begin_anew(t):
    seen = []
    for _ in range(2):
        with t.variable_scope("p", reuse=t.AUTO_REUSE), t.variable_scope(None, "bar"):
            seen.append((t.get("a", [1]), t.here()))
    return seen


@program
def b11_counters_at_root_go_on(t):
    seen = []
    for _ in range(3):
        with t.variable_scope(None, "bar"):
            seen.append(t.here())
    return seen


@program
def b11_default_names_nested(t):
    seen = []
    for _ in range(2):
        with t.variable_scope(None, "a"):
            for _ in range(2):
                with t.variable_scope(None, "b"):
                    seen.append(t.here())
    return seen


@program
def b11_object_restores_the_counters(t):
    with t.variable_scope("a") as scope:
        pass
    seen = []
    with t.variable_scope(None, "b"):
        with t.variable_scope(scope), t.variable_scope(None, "c"):
            seen.append(t.here())
        with t.variable_scope(None, "c"):
            seen.append(t.here())
    with t.variable_scope(None, "a"):
        seen.append(t.here())
    return seen


@program
def b11_with_slash(t):
    with t.variable_scope("a/b"):
        pass
    with t.variable_scope("a"), t.variable_scope(None, "b"):
        inner = t.here()
    with t.variable_scope(None, "a/b"):
        return inner, t.here()


@program
def b12_default_name_and_reuse(t):
    return t.enter(None, "bar", reuse=True), t.enter(None, "bar", reuse=t.AUTO_REUSE)


@program
def b12_default_name_below_reuse(t):
    with t.variable_scope("a", reuse=True):
        return t.enter(None, "bar")


@program
def b12_neither(t):
    return t.enter(None), t.enter(None, None)


@family("b12_wrong_type", (1, 2.5, b"a"))
def b12_wrong_type(t, value):
    return t.enter(value)


@program
def b13_initializer_is_inherited(t):
    with t.variable_scope("foo", initializer=t.constant(0.5)):
        v = t.get_variable("v", [1])
        w = t.get_variable("w", [1], initializer=t.constant(0.25))
        with t.variable_scope("bar"):
            x = t.get_variable("v", [1])
        with t.variable_scope("baz", initializer=t.constant(2.0)):
            y = t.get_variable("v", [1])
    return [t.value(q) for q in (v, w, x, y)]


@program
def b13_dtype_is_inherited(t):
    with t.variable_scope("f", dtype="float16"):
        v = t.get_variable("v", [1])
        with t.variable_scope("g"):
            w = t.get_variable("v", [1])
        x = t.get_variable("x", [1], dtype="float32")
    return [t.dtype(q) for q in (v, w, x)]


@program
def b13_dtype_and_constant_initializer(t):
    with t.variable_scope("f", dtype="float16"):
        return t.dtype(t.get_variable("v", initializer=np.float32(1.0)))


@program
def b13_set_initializer(t):
    with t.variable_scope("f") as scope:
        scope.set_initializer(t.constant(3.0))
        v = t.get_variable("v", [1])
        with t.variable_scope("g"):
            w = t.get_variable("v", [1])
    return t.value(v), t.value(w)


@program
def b13_initializer_that_is_a_value(t):
    with t.variable_scope("f", initializer=2.0):
        return t.get("v", [1]), t.get("w")


@program
def b14_custom_getters_nest(t):
    log = []

    def outer(getter, name, *args, **kwargs):
        log.append(("outer", name))
        return getter(name + "_1", *args, **kwargs)

    def inner(getter, name, *args, **kwargs):
        log.append(("inner", name))
        return getter(name + "_2", *args, **kwargs)

    with t.variable_scope("s", custom_getter=outer), t.variable_scope("t", custom_getter=inner):
        return t.get("v", [1]), log


@program
def b14_not_callable(t):
    return t.get("z", [1], custom_getter=3), t.attempt(lambda: t.enter("s", custom_getter=3))


@program
def b14_own_getter_replaces_the_scopes(t):
    def outer(getter, name, *args, **kwargs):
        return getter(name + "_1", *args, **kwargs)

    def own(getter, name, *args, **kwargs):
        return getter(name + "_2", *args, **kwargs)

    with t.variable_scope("s", custom_getter=outer):
        return t.get("v", [1], custom_getter=own), t.get("v", [1])


@program
def b14_getter_sees_reuse(t):
    seen = []

    def watching(getter, name, *args, **kwargs):
        seen.append((kwargs["reuse"], kwargs["trainable"], tuple(kwargs["shape"])))
        return getter(name, *args, **kwargs)

    with t.variable_scope("s", custom_getter=watching):
        t.get("v", [2])
    with t.variable_scope("s", custom_getter=watching, reuse=True):
        t.get("v", [2])
    return seen


@program
def b15_regularizer(t):
    with t.variable_scope("f", regularizer=t.regularizer):
        t.get("v", [1])
        with t.variable_scope("g"):
            t.get("v", [1])
        t.get("n", [1], regularizer=t.no_regularizer)
    return t.losses(), t.losses("f/g"), t.losses("g")


@program
def b15_regularizer_of_one_variable(t):
    with t.variable_scope("f"):
        t.get("v", [1], regularizer=t.regularizer)
        t.get("w", [1])
    return t.losses()


@program
def b15_no_regularizer_stops_inheritance(t):
    with t.variable_scope("f", regularizer=t.regularizer):
        with t.variable_scope("g", regularizer=t.no_regularizer):
            t.get("v", [1])
        t.get("v", [1])
    return t.losses()


@program
def b15_untrainable_variables_are_regularized_too(t):
    t.get("v", [1], trainable=False, regularizer=t.regularizer)
    return t.losses()


@program
def b18_wrong_order(t):
    first, second = t.variable_scope("a"), t.variable_scope("b")
    first.__enter__()
    second.__enter__()
    return t.attempt(lambda: first.__exit__(None, None, None))


@program
def b18_one_context_twice(t):
    context = t.variable_scope("foo", reuse=t.AUTO_REUSE)
    seen = []
    for _ in range(2):
        with context:
            seen.append(t.here())
    return seen


@program
def b19_variables_are_made_unique(t):
    named = [t.Variable(1.0, name="v1").name for _ in range(3)]
    return named + [t.Variable(1.0).name for _ in range(2)]


@program
def b19_variable_follows_name_scopes(t):
    with t.name_scope("ns"):
        w = t.Variable(1.0, name="w").name
        with t.variable_scope("vs"):
            return w, t.Variable(1.0, name="y").name, t.get("x", [1])


@program
def b19_variable_in_a_reopened_scope(t):
    seen = []
    for _ in range(2):
        with t.variable_scope("foo"):
            seen.append(t.Variable(1.0, name="u").name)
    return seen


@program
def b19_variable_values(t):
    made = [t.Variable(1.5), t.Variable([1, 2]), t.Variable(np.float32([[1.0]])), t.Variable(True)]
    return [(t.shape(v), t.dtype(v), t.value(v)) for v in made]


@family("b19_variable_names", ("a b", "/a", "-x", "_x", "a/b", "a:0"))
def b19_variable_names(t, name):
    return t.attempt(lambda: t.Variable(1.0, name=name).name)


@family("b19_variable_names_in_a_name_scope", ("a b", "-x", "_x", "a/b"))
def b19_variable_names_in_a_name_scope(t, name):
    with t.name_scope("s"):
        return t.attempt(lambda: t.Variable(1.0, name=name).name)


@program
def b19_variable_in_a_reusing_scope(t):
    with t.variable_scope("s", reuse=True):
        return t.Variable(1.0, name="v").name


@program
def b20_taken_operation_name(t):
    with t.variable_scope("foo"):
        t.Variable(1.0, name="v")
        v = t.get_variable("v", [])
    with t.variable_scope("foo", reuse=True):
        return v.name, t.get_variable("v", []) is v, t.get("v_1", [])


@program
def b20_taken_by_get_variable(t):
    with t.variable_scope("foo"):
        return t.get("v", []), [t.Variable(1.0, name="v").name for _ in range(2)]


@program
def b20_name_scope_takes_the_name(t):
    with t.name_scope("v"):
        pass
    return t.get("v", [1]), t.Variable(1.0, name="v").name


@program
def b20_variable_takes_the_name_of_a_scope(t):
    t.get("v", [1])
    with t.variable_scope("v"):
        return t.here(), t.get("w", [1])


@program
def b20_suffixed_name_is_taken(t):
    t.Variable(1.0, name="v_1")
    return [t.Variable(1.0, name="v").name for _ in range(3)]


@program
def b20_collections_hold_the_operation_names(t):
    t.Variable(1.0, name="v")
    t.get("v", [])
    return all_collections(t)


@program
def b21_case_is_ignored(t):
    return [t.Variable(1.0, name=name).name for name in ("a", "A", "a", "A_1")]


@program
def b21_case_is_ignored_in_scopes(t):
    with t.name_scope("Foo"):
        pass
    with t.variable_scope("foo"):
        return t.here(), t.get("v", [1])


@program
def b21_case_of_get_variable(t):
    return t.get("v", [1]), t.get("V", [1])


@program
def b21_name_scopes(t):
    seen = []
    for name in ("a", "a", "a/", "A", "a_1", None, ""):
        with t.name_scope(name) as scope:
            seen.append((scope, t.op(), t.Variable(1.0, name="c").name))
    return seen


@program
def b21_name_scope_back_to_the_root(t):
    with t.name_scope("a"), t.variable_scope("v"):
        with t.name_scope(None) as root:
            first = root, t.op(), t.Variable(1.0, name="c").name
        with t.name_scope("a/") as again, t.name_scope("b"):
            return first, again, t.op(), t.get("w", [1])


@program
def b21_name_scope_nested_anew(t):
    seen = []
    with t.name_scope("a"):
        for _ in range(2):
            with t.name_scope("b"), t.name_scope("c"):
                seen.append(t.op())
    return seen


@family("b21_name_scope_names", ("a b", "/a", "-x", "_x", "a:0", "a//b"))
def b21_name_scope_names(t, name):
    def act():
        with t.name_scope(name) as scope:
            return scope

    at_root = t.attempt(act)
    with t.name_scope("s"):
        return at_root, t.attempt(act)


@program
def b21_name_scope_default_name(t):
    with t.name_scope(None, "d") as scope, t.name_scope("x", "d") as inner:
        return scope, inner


@family("b22_by_name", ("v:0", "v", "v:1", "nope:0"))
def b22_by_name(t, name):
    t.get("v", [2])
    return t.attempt(lambda: t.by_name(name))


@program
def b23_scope_collections(t):
    with t.variable_scope("a") as scope:
        t.get("v", [1])
        with t.variable_scope("b"):
            t.get("v", [1], trainable=False)
    with t.variable_scope("ab"):
        t.get("v", [1])
    found = [scope.global_variables(), scope.trainable_variables(), scope.local_variables()]
    by_regex = [t.collection("variables", s) for s in ("a", "a/", "b", ".*b", "a/b")]
    return [[v.name for v in some] for some in found], by_regex


@program
def b23_root_scope_collections(t):
    with t.variable_scope("a"):
        t.get("v", [1])
    t.get("w", [1])
    return [v.name for v in t.get_variable_scope().global_variables()]


@program
def b24_template_shares(t):
    template = t.make_template("t", lambda: t.get_variable("w", [1]))
    first = template()
    second = t.make_template("t", lambda: t.get_variable("w", [1]))
    return first is template(), first.name, second().name


@program
def b24_template_operations(t):
    template = t.make_template("t", lambda: (t.get("w", [1]), t.here()))
    return template(), template(), template()


@program
def b24_template_in_a_scope(t):
    template = t.make_template("t", lambda: (t.get("w", [1]), t.here()))
    with t.variable_scope("s"):
        first = template()
    with t.variable_scope("r"):
        return first, template()


@program
def b24_template_scope_now(t):
    with t.variable_scope("s"):
        template = t.make_template("t", lambda: t.get_variable("w", [1]), create_scope_now_=True)
    return template().name, template() is template()


@program
def b24_template_with_more_variables_later(t):
    names = []
    template = t.make_template("t", lambda: [t.get(name, [1]) for name in names])
    names.append("a")
    first = template()
    names.append("b")
    return first, template()


@program
def b24_template_arguments(t):
    template = t.make_template("t", lambda x, y, z: (x, y, z), z=3)
    return template(1, y=2)


@program
def b24_template_unique_name(t):
    template = t.make_template("t", lambda: t.get("w", [1]), unique_name_="u")
    other = t.make_template("t", lambda: t.get("w", [1]), unique_name_="u")
    return template(), other()


@program
def b24_template_unique_name_and_scope_now(t):
    template = t.make_template("t", lambda: t.get("w", [1]), create_scope_now_=True,
                               unique_name_="u")
    return template()


# H: moving averages


@program
def h1_shadow_names(t):
    with t.variable_scope("layer1"):
        w = t.get_variable("weights", [2])
    step = t.Variable(0, trainable=False, name="global_step")
    average = t.average(0.99, step)
    before = average.average_name(w), average.average(w)
    average.apply([w])
    return before, average.average_name(w), average.average(w).name, all_collections(t)


@program
def h1_shadow_in_a_scope(t):
    with t.variable_scope("layer1"):
        w = t.get_variable("weights", [2])
    with t.variable_scope("x"):
        average = t.average(0.9, name="EMA2")
        average.apply([w])
    return average.average_name(w), all_collections(t)


@program
def h1_default_list(t):
    t.get("a", [1])
    t.get("b", [1], trainable=False)
    t.average(0.9).apply()
    return all_collections(t), t.collection("moving_average_variables")


@program
def h1_two_averages(t):
    v = t.get_variable("v", [1])
    first, second = t.average(0.9), t.average(0.5)
    first.apply([v])
    second.apply([v])
    return first.average_name(v), second.average_name(v), t.collection("moving_average_variables")


@program
def h1_applied_twice(t):
    v = t.get_variable("v", [1])
    average = t.average(0.9)
    average.apply([v])
    return t.attempt(lambda: bool(average.apply([v]))), all_collections(t)


@program
def h1_integers(t):
    v = t.get_variable("v", [1], dtype="int32")
    return t.attempt(lambda: t.average(0.9).apply([v]))


@program
def h1_get_variable_and_shadow(t):
    with t.variable_scope("s", reuse=t.AUTO_REUSE):
        v = t.get_variable("v", [1])
    t.average(0.9).apply([v])
    with t.variable_scope("s", reuse=True):
        return t.get("v/ExponentialMovingAverage", [1])


@program
def h2_variables_to_restore(t):
    with t.variable_scope("layer1"):
        w = t.get_variable("weights", [2])
    step = t.Variable(0, trainable=False, name="global_step")
    average = t.average(0.99, step)
    before = {key: v.name for key, v in average.variables_to_restore().items()}
    average.apply([w])
    after = {key: v.name for key, v in average.variables_to_restore().items()}
    own = {key: v.name for key, v in average.variables_to_restore([]).items()}
    return before, after, own
