"""The tests. One thread for the model's matrices, as the command has it; set before anything loads NumPy."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
