"""Variables by name: `variable_scope`, `get_variable` and their relatives, on flax nnx.

Read in this order: `spec` and `variable` (what a variable is), `store` (where they live), `scope`
(how names nest), `getting` (how variables are made and found), `transform` (the pure form).
"""

from pipeline.scopes.averages import ExponentialMovingAverage as ExponentialMovingAverage
from pipeline.scopes.averages import ema_decay as ema_decay
from pipeline.scopes.averages import ema_update as ema_update
from pipeline.scopes.collections import add_to_collection as add_to_collection
from pipeline.scopes.collections import get_collection as get_collection
from pipeline.scopes.collections import get_regularization_loss as get_regularization_loss
from pipeline.scopes.collections import get_regularization_losses as get_regularization_losses
from pipeline.scopes.collections import global_variables as global_variables
from pipeline.scopes.collections import local_variables as local_variables
from pipeline.scopes.collections import moving_average_variables as moving_average_variables
from pipeline.scopes.collections import trainable_variables as trainable_variables
from pipeline.scopes.errors import ScopeError as ScopeError
from pipeline.scopes.errors import ScopeKeyError as ScopeKeyError
from pipeline.scopes.errors import ScopeNestingError as ScopeNestingError
from pipeline.scopes.errors import ScopeTypeError as ScopeTypeError
from pipeline.scopes.getting import Variable as Variable
from pipeline.scopes.getting import get_local_variable as get_local_variable
from pipeline.scopes.getting import get_variable as get_variable
from pipeline.scopes.initializers import constant_initializer as constant_initializer
from pipeline.scopes.initializers import glorot_normal_initializer as glorot_normal_initializer
from pipeline.scopes.initializers import glorot_uniform_initializer as glorot_uniform_initializer
from pipeline.scopes.initializers import he_normal as he_normal
from pipeline.scopes.initializers import he_uniform as he_uniform
from pipeline.scopes.initializers import ones_initializer as ones_initializer
from pipeline.scopes.initializers import orthogonal_initializer as orthogonal_initializer
from pipeline.scopes.initializers import random_normal_initializer as random_normal_initializer
from pipeline.scopes.initializers import random_uniform_initializer as random_uniform_initializer
from pipeline.scopes.initializers import (
    truncated_normal_initializer as truncated_normal_initializer,
)
from pipeline.scopes.initializers import (
    variance_scaling_initializer as variance_scaling_initializer,
)
from pipeline.scopes.initializers import xavier_initializer as xavier_initializer
from pipeline.scopes.initializers import zeros_initializer as zeros_initializer
from pipeline.scopes.modules import get_module as get_module
from pipeline.scopes.opening import name_scope as name_scope
from pipeline.scopes.opening import variable_scope as variable_scope
from pipeline.scopes.regularizers import l1_l2_regularizer as l1_l2_regularizer
from pipeline.scopes.regularizers import l1_regularizer as l1_regularizer
from pipeline.scopes.regularizers import l2_regularizer as l2_regularizer
from pipeline.scopes.regularizers import no_regularizer as no_regularizer
from pipeline.scopes.scope import AUTO_REUSE as AUTO_REUSE
from pipeline.scopes.scope import VariableScope as VariableScope
from pipeline.scopes.scope import current_name_scope as current_name_scope
from pipeline.scopes.scope import get_variable_scope as get_variable_scope
from pipeline.scopes.spec import GraphKeys as GraphKeys
from pipeline.scopes.spec import VariableSpec as VariableSpec
from pipeline.scopes.store import VariableStore as VariableStore
from pipeline.scopes.store import current_store as current_store
from pipeline.scopes.store import reset_default_store as reset_default_store
from pipeline.scopes.template import make_template as make_template
from pipeline.scopes.transform import Transformed as Transformed
from pipeline.scopes.transform import next_key as next_key
from pipeline.scopes.transform import regularization_loss as regularization_loss
from pipeline.scopes.transform import transform as transform
from pipeline.scopes.variable import TrainableVariable as TrainableVariable
from pipeline.scopes.variable import UntrainableVariable as UntrainableVariable
