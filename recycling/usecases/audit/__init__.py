"""Who did what, and that nobody changed it afterwards: exports noted, anchors made, records verified."""
