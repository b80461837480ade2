"""Making and publishing the plan of a day."""
