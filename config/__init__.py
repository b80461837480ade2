"""Deployment facts: the environment, the district, the catalogue and the policy tables."""
