"""Learning from plan against actual: what the records teach is proposed, and holds once a person has accepted it."""
