"""A made-up street net and the real road engines that drive on it."""
