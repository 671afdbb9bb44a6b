"""Every constant of the rules, with where its value comes from."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from sam3_onnx._support.checks import is_number, is_share, require_flag, require_whole
from sam3_onnx._support.keywords import known_methods
from sam3_onnx.errors import OptionError

__all__ = ["TrackingRules"]


@known_methods
@dataclass(frozen=True)
class TrackingRules:
    """The table of constants and choices by which detections become tracks.

    The first twenty have the names and values of `Sam3VideoConfig` of transformers 5.24
    (`configuration_sam3_video.py`), and those that Meta's `build_sam3_video_model` sets (`model_builder.py` of
    facebookresearch/sam3, January 2026) are equal to them. Below them stand the choices in which Meta's program
    differs from transformers; `meta` has them all.
    """

    score_threshold_detection: float = 0.5
    """Detections with a score above this one take part."""
    det_nms_thresh: float = 0.1
    """A detection is left out whose mask has a higher IoU with that of a better one of the same word; 0 keeps all.
    transformers keeps all, without saying so, where its package `kernels` is not installed."""
    assoc_iou_thresh: float = 0.1
    """A detection and a track of at least this IoU belong together."""
    trk_assoc_iou_thresh: float = 0.5
    """A track that no detection reaches with this IoU is unmatched on the frame, unless its mask is empty."""
    new_det_thresh: float = 0.7
    """Score that a detection of no track needs to become one. Not asked for while there are no tracks."""
    recondition_on_trk_masks: bool = True
    """Whether a confirmed track is remembered by its own mask, or by that of the detection. Meta: the detection's."""
    hotstart_delay: int = 15
    """Frames for which a track is young, and can be removed; results are held back as long."""
    hotstart_unmatch_thresh: int = 8
    """Unmatched frames, not necessarily in a row, after which a young track is removed."""
    hotstart_dup_thresh: int = 8
    """Frames on which a young track shares a detection with the same older one, after which it is removed."""
    suppress_unmatched_only_within_hotstart: bool = True
    """False to hide tracks, too, whose count of `init_trk_keep_alive` has run out, whatever their age."""
    init_trk_keep_alive: int = 30
    """Count that a new track begins with: one more for each matched frame, one less for each unmatched one."""
    max_trk_keep_alive: int = 30
    """Upper end of that count."""
    min_trk_keep_alive: int = -1
    """Lower end of that count."""
    suppress_overlapping_based_on_recent_occlusion_threshold: float = 0.7
    """Of two tracks of one word with at least this IoU, the one hidden more recently is emptied; 0 for none."""
    decrease_trk_keep_alive_for_empty_masklets: bool = False
    """Whether an empty mask counts one less, too."""
    fill_hole_area: int = 16
    """Cells of a mask: holes of at most so many are filled, specks of at most so many removed; 0 leaves both."""
    max_num_objects: int = 10000
    """Tracks at one time; of more new detections those of the highest scores are taken."""
    recondition_every_nth_frame: int = 16
    """Tracks are confirmed on frames whose number is a multiple of this one; 0 for never."""
    high_conf_thresh: float = 0.8
    """Score that a detection needs to confirm a track, and object logit, not score, that the track needs."""
    high_iou_thresh: float = 0.8
    """IoU that the two need."""

    new_mask_logit: float = 0.5
    """Detections become the masks of new tracks where their logits reach it: transformers 0.5; Meta above 0."""
    hard_corrections: bool = False
    """How a detection is remembered instead of its track's mask: transformers gives the memory encoder 0 and 1 as if
    they were logits (False); Meta -10 and 10 (True)."""
    show_corrections: bool = True
    """Whether the frame shows the detection of a confirmed track (transformers), or the track's own mask (Meta)."""
    repeat_memories: bool = True
    """Whether tracks are propagated and remembered a second time, with hard masks, on frames with new ones
    (transformers), or the new ones alone are remembered (Meta)."""

    shrunk_share: float = 0.3
    """A track whose mask keeps less than this share of its area, when each cell goes to the strongest track of the
    word, is remembered as empty: `_suppress_shrunk_masks` in transformers and Meta."""

    def __post_init__(self) -> None:
        for field in fields(self):
            self._require(field.name, getattr(self, field.name))
        for name in ("hotstart_unmatch_thresh", "hotstart_dup_thresh"):
            if 0 < self.hotstart_delay < getattr(self, name):
                expected = f"at most hotstart_delay, {self.hotstart_delay}: a track is not young any longer"
                raise OptionError(name, expected=expected, got=getattr(self, name))

    @classmethod
    def meta(cls) -> TrackingRules:
        """Returns the rules with each choice of Meta's program; it was read, not run, for them."""
        return replace(
            cls(),
            recondition_on_trk_masks=False,
            new_mask_logit=0.0,
            hard_corrections=True,
            show_corrections=False,
            repeat_memories=False,
        )

    def _require(self, name: str, value: object) -> None:
        default = type(self).__dataclass_fields__[name].default
        if isinstance(default, bool):
            require_flag(name, value)
        elif isinstance(default, int):
            require_whole(name, value, least=-1 if name == "min_trk_keep_alive" else 0)
        elif name == "new_mask_logit":
            if not is_number(value):
                raise OptionError(name, expected="a number", got=value)
        elif not is_share(value):
            raise OptionError(name, expected="in 0..1", got=value)
