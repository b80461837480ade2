"""The planner: plain integers in, a checked plan out. It knows no database, no network and no framework."""
