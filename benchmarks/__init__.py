"""Speed and memory, measured side by side with a peer or a bare minimum: one module an area."""
