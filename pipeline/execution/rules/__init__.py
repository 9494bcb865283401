"""The rules by family. Importing this package fills the registry; each line below is one family."""

from pipeline.execution.rules import activations as activations
from pipeline.execution.rules import arrays as arrays
from pipeline.execution.rules import convolution as convolution
from pipeline.execution.rules import elementwise as elementwise
from pipeline.execution.rules import flow as flow
from pipeline.execution.rules import functional as functional
from pipeline.execution.rules import indexing as indexing
from pipeline.execution.rules import linear as linear
from pipeline.execution.rules import lists as lists
from pipeline.execution.rules import normalization as normalization
from pipeline.execution.rules import pooling as pooling
from pipeline.execution.rules import random as random
from pipeline.execution.rules import reductions as reductions
from pipeline.execution.rules import shapes as shapes
from pipeline.execution.rules import slicing as slicing
from pipeline.execution.rules import state as state
