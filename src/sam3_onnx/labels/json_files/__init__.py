"""Label files in JSON: those of X-AnyLabeling and of labelme, and what the two dialects share."""
