"""Every artefact against the model it came from, on the same examples."""

from pipeline.verification.parity import Parity as Parity
from pipeline.verification.parity import VerificationError as VerificationError
from pipeline.verification.parity import require_parity as require_parity
from pipeline.verification.parity import verify as verify
