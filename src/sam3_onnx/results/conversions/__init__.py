"""Results in the forms that other programs take: COCO, GeoJSON, shapely, pandas and supervision."""
