"""`make demo`: the main job on real servers, before your eyes."""
