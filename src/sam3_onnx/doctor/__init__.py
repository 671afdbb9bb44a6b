"""What is this machine, what is installed on it, and does the library work there?"""

from sam3_onnx.doctor.machine import Machine
from sam3_onnx.doctor.packages import Package
from sam3_onnx.doctor.probes import Failure
from sam3_onnx.doctor.render import as_json, as_markdown, without_home
from sam3_onnx.doctor.report import Problem, Report, examine, problems_of
from sam3_onnx.doctor.store import HeldModel, Store
from sam3_onnx.doctor.trial import Trial

__all__ = [
    "Failure",
    "HeldModel",
    "Machine",
    "Package",
    "Problem",
    "Report",
    "Store",
    "Trial",
    "as_json",
    "as_markdown",
    "examine",
    "problems_of",
    "without_home",
]
