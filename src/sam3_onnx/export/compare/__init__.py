"""A bundle and the checkpoint that it was made from, asked the same of the user's own pictures.

`python -m sam3_onnx.export.compare CHECKPOINT FOLDER --pictures P --text T` prints a report to attach to an issue.
"""

from sam3_onnx.export.compare.report import Answer, CompareReport
from sam3_onnx.export.compare.run import compare_pictures

__all__ = ["Answer", "CompareReport", "compare_pictures"]
