"""Networks from configuration: scopes of layers, or any flax nnx module of the user's.

Read `network` for what a network is, `build` for how one is made, `layers` for what a scope may be.
"""

from pipeline.model.build import build as build
from pipeline.model.fitting import fitted as fitted
from pipeline.model.network import Network as Network
from pipeline.model.network import Variables as Variables
from pipeline.model.network import normalise as normalise
from pipeline.model.network import to_input as to_input
from pipeline.model.predict import predict_logits as predict_logits
from pipeline.model.table import print_variable_table as print_variable_table
from pipeline.model.table import render as render
from pipeline.model.table import variable_table as variable_table
