"""The Gradio pages, one small file each."""

import os

# Gradio reads these when it is imported, and nothing imports it before this package.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_RUN_HISTORY"] = "False"
