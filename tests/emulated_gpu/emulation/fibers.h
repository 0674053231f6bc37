#pragma once

// Threads that take turns on one: each has a stack of its own and gives way where it must wait.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || !defined(__x86_64__)
#define TAILOPS_UCONTEXT  // slower; the address sanitizer knows it
#include <ucontext.h>
#endif

namespace tailops {
namespace emulation {

#if defined(TAILOPS_UCONTEXT)

class Fiber {
 public:
  void start(void (*body)(), Fiber* back) {
    if (!stack_) stack_.reset(new char[kStack]);
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = kStack;
    context_.uc_link = &back->context_;
    makecontext(&context_, body, 0);
  }
  static void change(Fiber& from, Fiber& to) { swapcontext(&from.context_, &to.context_); }

 private:
  static constexpr size_t kStack = 256 << 10;
  ucontext_t context_{};
  std::unique_ptr<char[]> stack_;
};

#else

// void tailops_change_stack(void** from, void* to): registers that a call preserves go to the old
// stack and come from the new one.
asm(R"(
.text
.p2align 4
.type tailops_change_stack, @function
tailops_change_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  retq
.size tailops_change_stack, .-tailops_change_stack
)");
extern "C" void tailops_change_stack(void** from, void* to);

class Fiber {
 public:
  void start(void (*body)(), Fiber*) {
    if (!stack_) stack_.reset(new char[kStack]);
    const uintptr_t top = (reinterpret_cast<uintptr_t>(stack_.get()) + kStack) & ~uintptr_t{15};
    void** const words = reinterpret_cast<void**>(top) - 8;
    for (int i = 0; i < 6; ++i) words[i] = nullptr;  // the registers
    words[6] = reinterpret_cast<void*>(body);        // where the first change returns to
    words[7] = nullptr;                              // body never returns
    pointer_ = words;
  }
  static void change(Fiber& from, Fiber& to) { tailops_change_stack(&from.pointer_, to.pointer_); }

 private:
  static constexpr size_t kStack = 64 << 10;
  void* pointer_ = nullptr;
  std::unique_ptr<char[]> stack_;
};

#endif

}  // namespace emulation
}  // namespace tailops
