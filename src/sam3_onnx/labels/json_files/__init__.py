"""Label files in JSON: those of X-AnyLabeling and labelme, and the code that both share."""
