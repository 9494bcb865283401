"""What a scheduler may trust: exit codes."""

from pipeline.gate.exit_codes import ExitCode as ExitCode
from pipeline.gate.exit_codes import guard as guard
