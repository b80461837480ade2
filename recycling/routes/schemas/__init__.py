"""Marshmallow schemas: the contract of each resource."""
