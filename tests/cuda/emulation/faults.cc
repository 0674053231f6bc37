// Kernels with the faults that the emulation is there to find. Prints how each run ended.

#include <cstdio>
#include <exception>

#include "kernels/cuda/device.h"

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
void report(const char* name, const Body& body) {
  unsigned out[64] = {};
  for (unsigned seed = 0; seed < 5; ++seed) {
    tailops::emulation::machine().random.seed(seed);
    const char* outcome = "right";
    try {
      device::launch(Faulty<Body>{body, out}, {1, 1, 64, 0}, nullptr);
      for (unsigned t = 0; t < 64; ++t) {
        if (out[t] != 63 - t) outcome = "wrong";
      }
    } catch (const std::exception& problem) {
      outcome = problem.what();
    }
    std::printf("%s: %s\n", name, outcome);
  }
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
  report("never written", [](unsigned* shared, unsigned* out) {
    out[device::thread()] = shared[device::thread()] == 0 ? 63 - device::thread() : 0;
  });
}
