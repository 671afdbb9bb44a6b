"""Pictures: reading from files, bytes, PIL images and arrays, resizing for models, and writing."""

from sam3_onnx.images.finding import PICTURE_SUFFIXES, find_left_out, find_pictures
from sam3_onnx.images.frames.frame import Frame, FrameSource
from sam3_onnx.images.frames.opening import Backend, FramesLike, open_frames
from sam3_onnx.images.loading import DEFAULT_MAX_PIXELS, Picture, load_image
from sam3_onnx.images.origins import Origin, SeenPicture
from sam3_onnx.images.resizing import resize_bilinear, to_model_input

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "PICTURE_SUFFIXES",
    "Backend",
    "Frame",
    "FrameSource",
    "FramesLike",
    "Origin",
    "Picture",
    "SeenPicture",
    "find_left_out",
    "find_pictures",
    "load_image",
    "open_frames",
    "resize_bilinear",
    "to_model_input",
]
