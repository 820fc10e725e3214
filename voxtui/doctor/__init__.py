"""What stands between this machine and a session that works, each with the fix for this system."""

from voxtui.doctor.finding import Finding, State
from voxtui.doctor.run import Check, Patient, checks

__all__ = ["Check", "Finding", "Patient", "State", "checks"]
