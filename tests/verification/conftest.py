"""Runs that several files look at, made once."""

from persisted_cases import persisted as persisted
