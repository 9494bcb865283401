"""MNIST-shaped data sets in uint8, IDX order, and TF 1.15's `read_data_sets` over them.

The sources: IDX files (`directory`, `idx`, `streams`), tensorflow-datasets without TensorFlow
(`prepared`, `tfds_builder`, `array_cache`) and 1,797 embedded digits (`digits`). `dataset` holds
the splits, `indices` the order of their batches, `catalogue` what was published where. Needs NumPy
alone until TFDS or a progress bar is really asked for.
"""

from pipeline.data.dataset import NUM_CLASSES as NUM_CLASSES
from pipeline.data.dataset import DataSet as DataSet
from pipeline.data.dataset import DataSets as DataSets
from pipeline.data.errors import DataError as DataError
from pipeline.data.errors import DataSettingError as DataSettingError
from pipeline.data.indices import BatchIndices as BatchIndices
from pipeline.data.input_data import read_data_sets as read_data_sets
from pipeline.data.loading import load as load
from pipeline.data.prepared import prepare_tfds as prepare_tfds
