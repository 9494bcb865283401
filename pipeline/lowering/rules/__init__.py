"""The lowering rules, one file per family of primitives."""

from pipeline.lowering.registry import RULES as RULES
from pipeline.lowering.rules import bits as bits
from pipeline.lowering.rules import combine as combine
from pipeline.lowering.rules import control as control
from pipeline.lowering.rules import conv as conv
from pipeline.lowering.rules import convert as convert
from pipeline.lowering.rules import cumulative as cumulative
from pipeline.lowering.rules import dynamic as dynamic
from pipeline.lowering.rules import elementwise as elementwise
from pipeline.lowering.rules import gather as gather
from pipeline.lowering.rules import linalg as linalg
from pipeline.lowering.rules import matmul as matmul
from pipeline.lowering.rules import nn as nn
from pipeline.lowering.rules import pool as pool
from pipeline.lowering.rules import random as random
from pipeline.lowering.rules import reduce as reduce
from pipeline.lowering.rules import scatter as scatter
from pipeline.lowering.rules import shape as shape
from pipeline.lowering.rules import sorting as sorting
