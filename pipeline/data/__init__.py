"""Data sets in memory, MNIST's and a user's own, and TF 1.15's `read_data_sets` over them.

`dataset` holds the splits, `indices` the order of their batches, `description` what a model needs
to know of them. A user's own: `sources`, one file each; `checking` and `splitting` of what they
found; `images`. MNIST and its relatives: IDX files (`directory`, `idx`, `streams`), TFDS without
TensorFlow (`prepared`, `tfds_builder`, `array_cache`), 1,797 embedded digits (`digits`), and
`catalogue`, what was published where. Needs NumPy alone until TFDS, pictures or a progress bar are
really asked for.
"""

from pipeline.data.dataset import DataSet as DataSet
from pipeline.data.dataset import DataSets as DataSets
from pipeline.data.description import MNIST_SHAPED as MNIST_SHAPED
from pipeline.data.description import Description as Description
from pipeline.data.description import Statistics as Statistics
from pipeline.data.errors import DataError as DataError
from pipeline.data.errors import DataSettingError as DataSettingError
from pipeline.data.indices import BatchIndices as BatchIndices
from pipeline.data.input_data import read_data_sets as read_data_sets
from pipeline.data.loading import describe as describe
from pipeline.data.loading import is_published as is_published
from pipeline.data.loading import load as load
from pipeline.data.prepared import prepare_tfds as prepare_tfds
