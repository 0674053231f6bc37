#pragma once

// What this code throws, sorted for the borders that nothing thrown may cross.

#include <exception>
#include <new>
#include <stdexcept>

namespace tailops {

enum class Problem { kArgument, kMemory, kInternal };

// report(problem, text) of what is being caught: for a handler of everything.
template <typename Report>
auto report_thrown(const Report& report) {
  try {
    throw;
  } catch (const std::invalid_argument& problem) {
    return report(Problem::kArgument, problem.what());
  } catch (const std::bad_alloc& problem) {
    return report(Problem::kMemory, problem.what());
  } catch (const std::length_error& problem) {  // more than a vector can ever have
    return report(Problem::kMemory, problem.what());
  } catch (const std::exception& problem) {
    return report(Problem::kInternal, problem.what());
  } catch (...) {
    return report(Problem::kInternal, "an exception of an unknown type");
  }
}

}  // namespace tailops
