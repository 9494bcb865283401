"""How good a model is, on exactly all examples of a split."""

from pipeline.evaluate.metrics import ClassScore as ClassScore
from pipeline.evaluate.metrics import Evaluation as Evaluation
from pipeline.evaluate.metrics import evaluate as evaluate
from pipeline.evaluate.metrics import log_softmax as log_softmax
from pipeline.evaluate.metrics import score_logits as score_logits
from pipeline.evaluate.record import SCHEMA_VERSION as SCHEMA_VERSION
from pipeline.evaluate.record import metrics_record as metrics_record
