#pragma once

// Parts of a form that several families have.

#include "program/form.h"
#include "program/instruction.h"

namespace virtual_gpu {

Space take_space(Form& form);  // kGeneric where none is named
Scope take_scope(Form& form, Scope otherwise);
Order take_order(Form& form, Order otherwise);

}  // namespace virtual_gpu
