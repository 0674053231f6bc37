// Kernels with the faults that the emulation is there to find. Prints how each run ended.

#include <cstdio>
#include <exception>
#include <string>

#include "cuda/device/block.h"

namespace {

namespace device = tailops::device;

template <typename Body>
struct Faulty {
  static constexpr int kMostThreads = 64;
  struct Shared {
    unsigned values[64];
  };

  Body body;
  unsigned* out;

  void run(Shared& shared, unsigned char*) const { body(shared.values, out); }
};

template <typename Body>
void report(const char* name, const Body& body, int64_t blocks = 1) {
  unsigned out[64] = {};
  for (unsigned seed = 0; seed < 5; ++seed) {
    tailops::emulation::machine().random.seed(seed);
    std::string outcome = "right";
    try {
      device::launch(Faulty<Body>{body, out}, {blocks, 1, 64, 0}, nullptr);
      for (unsigned t = 0; t < 64; ++t) {
        if (out[t] != 63 - t) outcome = "wrong";
      }
    } catch (const std::exception& problem) {
      outcome = problem.what();
    }
    std::printf("%s: %s\n", name, outcome.c_str());
  }
}

constexpr unsigned kBlocks = 6;

// What blocks tell each other.
struct Told {
  unsigned values[kBlocks][64];
  unsigned finished;
};

// Every block tells its threads' numbers; the last adds up what all have told.
template <typename IsLast>
void report_last_block(const char* name, const IsLast& is_last) {
  Told told{};
  tailops::emulation::machine().memory.watch(&told, sizeof(told));
  const auto body = [&](unsigned* shared, unsigned* out) {
    const unsigned t = static_cast<unsigned>(device::thread());
    told.values[device::block()][t] = t + 1;
    if (!is_last(&told.finished, shared)) return;
    unsigned sum = 0;
    for (const auto& of_block : told.values) sum += device::load_fresh(&of_block[63 - t]);
    out[t] = sum / kBlocks - 1;
    for (auto& of_block : told.values) of_block[63 - t] = 0;
  };
  report(name, body, kBlocks);
  tailops::emulation::machine().memory.watch_nothing();
}

// The last block's way, with some of its fences.
template <typename Before, typename Behind>
auto last_block(bool releases, bool acquires, const Before& before, const Behind& behind) {
  return [=](unsigned* finished, unsigned* shared) {
    before();
    device::barrier();
    if (device::thread() == 0) {
      if (releases) device::fence();
      const unsigned others = device::atomic_add(finished, 1u);
      if (acquires) device::fence();
      *shared = others + 1 == kBlocks ? 1u : 0u;
      if (*shared != 0) *finished = 0;
    }
    device::barrier();
    behind();
    return *shared != 0;
  };
}

}  // namespace

int main() {
  const auto reversed = [](bool waits) {
    return [waits](unsigned* shared, unsigned* out) {
      const unsigned t = static_cast<unsigned>(device::thread());
      shared[t] = t;
      if (waits) device::barrier();
      out[t] = shared[63 - t];
    };
  };
  report("no fault", reversed(true));
  report("no barrier", reversed(false));
  const auto reversed_in_lanes = [](bool waits) {
    return [waits](unsigned* shared, unsigned* out) {
      const unsigned t = static_cast<unsigned>(device::thread());
      const unsigned lanes = 0xffu << device::lane() / 8 * 8;
      shared[t] = t;
      if (waits) device::barrier_of_lanes(lanes);
      out[t] = shared[t ^ 7] ^ 56;
    };
  };
  report("no fault, lanes", reversed_in_lanes(true));
  report("no barrier of lanes", reversed_in_lanes(false));
  report("a barrier for some lanes", [](unsigned*, unsigned*) {
    if (device::lane() < 7) device::barrier_of_lanes(device::kEveryLane);
  });
  report("a barrier of others", [](unsigned*, unsigned*) {
    device::barrier_of_lanes(device::lane() < 8 ? 0xfu : 0xffffff00u);
  });
  report("a value of others", [](unsigned*, unsigned* out) {
    out[0] = device::shuffle(1u, 0, 0xffu << device::lane() / 8 * 8);
  });
  report("first with some, then with all", [](unsigned*, unsigned* out) {
    device::barrier_of_lanes(0xffu << device::lane() / 8 * 8);
    out[0] = device::ballot(true);
  });
  report("a barrier for some", [](unsigned*, unsigned*) {
    if (device::thread() < 40) device::barrier();
  });
  report("an exchange between some", [](unsigned*, unsigned* out) {
    if (device::lane() < 7) out[0] = device::shuffle(1u, 0);
  });
  report("different exchanges", [](unsigned*, unsigned* out) {
    if (device::lane() < 7) {
      out[0] = device::ballot(true);
    } else {
      out[0] = device::shuffle(1u, 0);
    }
  });
  const auto nothing = [] {};
  const auto fence = [] { device::fence(); };
  report_last_block("no fault, last block", tailops::cuda::is_last_block);
  report_last_block("no fault, its fences", last_block(true, true, nothing, nothing));
  report_last_block("no fence before the atomic", last_block(false, true, nothing, nothing));
  report_last_block("no fence behind the atomic", last_block(true, false, nothing, nothing));
  report_last_block("a fence before the barrier", last_block(false, true, fence, nothing));
  report_last_block("a fence behind the barrier", last_block(true, false, nothing, fence));
  report("never written", [](unsigned* shared, unsigned* out) {
    out[device::thread()] = shared[device::thread()] == 0 ? 63 - device::thread() : 0;
  });
}
