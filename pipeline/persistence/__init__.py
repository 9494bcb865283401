"""What a run leaves for others: the targets that `conf/persistence` names.

A kind of target is one file of `kinds`; `persist` writes targets, `restore` reads back what any of
them wrote.
"""

from pipeline.persistence.artifact import Artifact as Artifact
from pipeline.persistence.artifact import ArtifactError as ArtifactError
from pipeline.persistence.artifact import File as File
from pipeline.persistence.artifact import PersistenceError as PersistenceError
from pipeline.persistence.executed import run_frozen_graph as run_frozen_graph
from pipeline.persistence.executed import run_meta_graph as run_meta_graph
from pipeline.persistence.executed import run_saved_model as run_saved_model
from pipeline.persistence.graphs import build_frozen_graph as build_frozen_graph
from pipeline.persistence.graphs import declare as declare
from pipeline.persistence.kinds import KINDS as KINDS
from pipeline.persistence.kinds.kind import Trained as Trained
from pipeline.persistence.kinds.onnx import run_onnx as run_onnx
from pipeline.persistence.kinds.tf_checkpoint import (
    saving_while_training as saving_while_training,
)
from pipeline.persistence.persist import check_packages as check_packages
from pipeline.persistence.persist import persist as persist
from pipeline.persistence.persist import written_from_variables as written_from_variables
from pipeline.persistence.restore import begin_with as begin_with
from pipeline.persistence.restore import continue_from as continue_from
from pipeline.persistence.restore import find as find
from pipeline.persistence.restore import load_logits as load_logits
from pipeline.persistence.restore import load_variables as load_variables
