"""Variables by name: `variable_scope`, `get_variable` and their relatives, on flax nnx.

Read in this order: `spec` and `variable` (what a variable is), `store` (where they live), `scope`
(how names nest), `getting` (how variables are made and found), `transform` (the pure form).
"""

from pipeline.scopes.averages import ema_decay as ema_decay
from pipeline.scopes.averages import ema_update as ema_update
from pipeline.scopes.errors import ScopeError as ScopeError
from pipeline.scopes.getting import Variable as Variable
from pipeline.scopes.getting import get_local_variable as get_local_variable
from pipeline.scopes.getting import get_variable as get_variable
from pipeline.scopes.modules import get_module as get_module
from pipeline.scopes.regularizers import L1 as L1
from pipeline.scopes.regularizers import L2 as L2
from pipeline.scopes.regularizers import no_regularizer as no_regularizer
from pipeline.scopes.scope import AUTO_REUSE as AUTO_REUSE
from pipeline.scopes.scope import VariableScope as VariableScope
from pipeline.scopes.scope import current_name_scope as current_name_scope
from pipeline.scopes.scope import get_variable_scope as get_variable_scope
from pipeline.scopes.scope import name_scope as name_scope
from pipeline.scopes.scope import variable_scope as variable_scope
from pipeline.scopes.spec import GraphKeys as GraphKeys
from pipeline.scopes.spec import VariableSpec as VariableSpec
from pipeline.scopes.store import VariableStore as VariableStore
from pipeline.scopes.store import current_store as current_store
from pipeline.scopes.store import reset_default_store as reset_default_store
from pipeline.scopes.transform import Transformed as Transformed
from pipeline.scopes.transform import next_key as next_key
from pipeline.scopes.transform import regularization_loss as regularization_loss
from pipeline.scopes.transform import transform as transform
