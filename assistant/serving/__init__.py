"""Starting vLLM as a process of its own: what to start, and watching it."""
