"""Measurements. The matrices use one thread, as in the product."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
