"""What must be settled before TensorFlow, JAX and PyTorch are loaded: the CPU, and its threads."""

import os
import warnings

THREADS = len(os.sched_getaffinity(0))


def prepare() -> None:
    """On the CPU, quietly, and no thread spins while others run."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    warnings.filterwarnings("ignore", "CUDA initialization")  # PyTorch's, where there is no GPU


def set_threads() -> None:
    """TensorFlow has as many as everybody else."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
