"""Language models: what is known of each, where its weights come from, how they become a folder for vLLM."""
