"""What only TensorFlow needs: the op libraries, the ops and their gradients, XLA, Keras's tensors.

This file imports nothing: `version` is asked without TensorFlow.
"""
