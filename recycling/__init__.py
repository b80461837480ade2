"""薛城回收: booking, routing, legal record and goal report of the district's recycling network."""
