"""GraphDef and MetaGraphDef in memory and on disk, without TensorFlow and without JAX.

`tensors` reads and writes constants and shapes, `walk` goes through a graph, `files` keeps one.
"""

from pipeline.graph.assembly import Assembly as Assembly
from pipeline.graph.assembly import output_shapes as output_shapes
from pipeline.graph.cut import clear_devices as clear_devices
from pipeline.graph.cut import extract_sub_graph as extract_sub_graph
from pipeline.graph.cut import remove_training_nodes as remove_training_nodes
from pipeline.graph.cut import strip_default_attrs as strip_default_attrs
from pipeline.graph.defaults import AttrPlaceholder as AttrPlaceholder
from pipeline.graph.defaults import FunctionName as FunctionName
from pipeline.graph.defaults import attribute_defaults as attribute_defaults
from pipeline.graph.defaults import decode_attr as decode_attr
from pipeline.graph.defaults import output_numbers as output_numbers
from pipeline.graph.defaults import read_attrs as read_attrs
from pipeline.graph.errors import GraphError as GraphError
from pipeline.graph.errors import GraphFileNotFound as GraphFileNotFound
from pipeline.graph.export_scope import UNBOUND_INPUTS as UNBOUND_INPUTS
from pipeline.graph.export_scope import export_scope as export_scope
from pipeline.graph.files import load_graph as load_graph
from pipeline.graph.files import load_meta_graph as load_meta_graph
from pipeline.graph.files import save_graph as save_graph
from pipeline.graph.files import save_meta_graph as save_meta_graph
from pipeline.graph.freeze import convert_variables_to_constants as convert_variables_to_constants
from pipeline.graph.meta_graph import Form as Form
from pipeline.graph.meta_graph import build_meta_graph as build_meta_graph
from pipeline.graph.meta_graph import build_signature as build_signature
from pipeline.graph.meta_graph import find_form as find_form
from pipeline.graph.meta_graph import meta_graph_json as meta_graph_json
from pipeline.graph.meta_graph import stripped_op_list as stripped_op_list
from pipeline.graph.meta_graph import tensor_info as tensor_info
from pipeline.graph.nodes import build_node as build_node
from pipeline.graph.nodes import infer_attrs as infer_attrs
from pipeline.graph.nodes import input_types as input_types
from pipeline.graph.nodes import output_names as output_names
from pipeline.graph.nodes import output_types as output_types
from pipeline.graph.nodes import signature as signature
from pipeline.graph.op_defs import has_op_def as has_op_def
from pipeline.graph.op_defs import op_def as op_def
from pipeline.graph.saver import add_saver as add_saver
from pipeline.graph.tensors import decode_shape as decode_shape
from pipeline.graph.tensors import decode_tensor as decode_tensor
from pipeline.graph.tensors import encode_shape as encode_shape
from pipeline.graph.tensors import encode_tensor as encode_tensor
from pipeline.graph.variables import GraphVariable as GraphVariable
from pipeline.graph.variables import VariableDeclaration as VariableDeclaration
from pipeline.graph.variables import add_variable as add_variable
from pipeline.graph.walk import CONTROL as CONTROL
from pipeline.graph.walk import Ref as Ref
from pipeline.graph.walk import closure as closure
from pipeline.graph.walk import missing_node as missing_node
from pipeline.graph.walk import node_map as node_map
from pipeline.graph.walk import parse_ref as parse_ref
from pipeline.graph.walk import sources_of as sources_of
from pipeline.graph.walk import topological_order as topological_order
