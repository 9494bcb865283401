"""A JAX function → a graph of ordinary TensorFlow ops.

    function → jaxpr (`jaxpr`) → flat program (`ir`) → known values computed (`fold`), larger ops
    found (`peepholes`) → nodes (`rules`, through `builder`) → named outputs (`lower`)
"""

from pipeline.lowering.errors import Gap as Gap
from pipeline.lowering.errors import LoweringError as LoweringError
from pipeline.lowering.freeze import freeze as freeze
from pipeline.lowering.meta_graph import export_meta_graph as export_meta_graph
from pipeline.lowering.modules import from_nnx as from_nnx
from pipeline.lowering.registry import register as register
