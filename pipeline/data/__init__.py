"""MNIST-shaped data sets in uint8, IDX order, and TF 1.15's `read_data_sets` over them.

Three sources give the same arrays: IDX files (`directory`, `idx`, `streams`), tensorflow-datasets
without TensorFlow, and 1,797 embedded digits (`digits`). `dataset` holds the splits, `indices` the
order of their batches. Needs NumPy alone until TFDS is really asked for.
"""

from pipeline.data.dataset import DataSet as DataSet
from pipeline.data.dataset import DataSets as DataSets
from pipeline.data.errors import DataError as DataError
from pipeline.data.indices import BatchIndices as BatchIndices
from pipeline.data.loading import load as load
