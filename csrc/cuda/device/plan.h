#pragma once

// For csrc/xla/shared/scratch.h, which wants kAlignment of layout.h.

#include "cuda/device/layout.h"
