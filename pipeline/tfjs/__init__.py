"""TF.js graph models from GraphDefs and back, without TensorFlow, TensorFlow.js and JAX.

    model.json                  format, signature, modelTopology (GraphDef as JSON), weightsManifest
    group1-shard1of2.bin, …     the constants, one after another, cut every 4 MiB

`writer` and `reader` are each other's test; `weights` holds the bytes, `topology` the graph.
"""

from pipeline.tfjs.errors import TfjsError as TfjsError
from pipeline.tfjs.errors import TfjsFileError as TfjsFileError
from pipeline.tfjs.reader import MODEL as MODEL
from pipeline.tfjs.reader import GraphModel as GraphModel
from pipeline.tfjs.reader import read as read
from pipeline.tfjs.weights import Storage as Storage
from pipeline.tfjs.writer import write as write
