#pragma once

// What tests ask of the virtual GPU besides what they ask of CUDA; libcuda.so.1 exports it. What is
// returned as text stays valid until the same function is called again by the same thread.

extern "C" {

// A setting of machine/settings.h, by its name. 0 if there is none of that name.
int virtual_gpu_set(const char* setting, long value);

// What was found wrong since this was last asked: a line each.
const char* virtual_gpu_take_complaints();

// The counts of each launch since this was last asked: JSON, a list of objects.
const char* virtual_gpu_take_counts();

// The lines of PTX that were executed since this was last asked: JSON, of each kernel's name a
// list.
const char* virtual_gpu_take_coverage();

// The kernels of the modules that are loaded: a name a line.
const char* virtual_gpu_kernels();

// The text of the module that has the kernel; empty if there is none.
const char* virtual_gpu_text(const char* kernel);

// Replaces a line of a kernel, for tests that must fail; a null pointer puts back what was there.
// 0 if there is no such kernel. What the line then says may make the kernel one that cannot be run.
int virtual_gpu_edit(const char* kernel, int line, const char* text);

// After a fault: the device works again, as no real one would without a new process.
void virtual_gpu_recover();
}
