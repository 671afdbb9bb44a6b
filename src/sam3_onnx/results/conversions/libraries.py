"""Results for shapely, pandas and supervision. Each is an extra, imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sam3_onnx.errors import MissingExtraError
from sam3_onnx.results.conversions.numbering import class_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import shapely
    import supervision as sv

    from sam3_onnx.results.instance import Instance

__all__ = ["dataframe", "shapely_geometries", "supervision_detections"]


def shapely_geometries(
    instances: Sequence[Instance], *, epsilon: float | None, min_area: float
) -> list[shapely.Polygon | shapely.MultiPolygon]:
    """Makes one valid geometry for each instance; see `Segmentation.to_shapely`."""
    try:
        import shapely  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(feature="to_shapely()", package="shapely", extra="shapely") from error
    geometries = []
    for instance in instances:
        parts = [shapely.Polygon(part.exterior, part.holes) for part in instance.polygons(epsilon, min_area=min_area)]
        drawn = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
        # Traced rings go to the end of a spike and back, and simplified ones may cross; this keeps what has area.
        valid = shapely.make_valid(drawn, method="structure", keep_collapsed=False)
        geometries.append(valid if isinstance(valid, shapely.Polygon | shapely.MultiPolygon) else shapely.Polygon())
    return geometries


def supervision_detections(
    instances: Sequence[Instance], *, size: tuple[int, int], class_ids: Mapping[str, int] | None
) -> sv.Detections:
    """Makes supervision's detections; see `Segmentation.to_supervision`."""
    try:
        import supervision as sv  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(feature="to_supervision()", package="supervision", extra="supervision") from error
    return sv.Detections(
        xyxy=np.array([instance.box for instance in instances], np.float32).reshape(-1, 4),
        mask=np.array([instance.mask for instance in instances], np.bool_).reshape(-1, *size),
        confidence=np.array([instance.score for instance in instances], np.float32),
        class_id=np.array(class_numbers("class_ids", class_ids, instances, first=0), np.int64),
        data={"class_name": np.array([instance.label for instance in instances], np.str_)},
    )


def dataframe(instances: Sequence[Instance]) -> pd.DataFrame:
    """Makes a table; see `Segmentation.to_dataframe`."""
    try:
        import pandas as pd  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(feature="to_dataframe()", package="pandas", extra="pandas") from error
    boxes = np.array([instance.box for instance in instances], np.float32).reshape(-1, 4)
    return pd.DataFrame(
        {
            "label": pd.Series([instance.label for instance in instances], dtype=str),
            "prompt": pd.Series([instance.prompt for instance in instances], dtype=str),
            "score": np.array([instance.score for instance in instances], np.float64),
            **{name: boxes[:, column] for column, name in enumerate(("x1", "y1", "x2", "y2"))},
            "area": np.array([instance.area for instance in instances], np.int64),
        }
    )
