// How fast the pool hands out blocks of tensor-like sizes next to the C library's malloc, and how much it
// holds for what is used. Blocks are written as they are taken, since the page faults are what costs.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "imgmill/base/byte_size.h"
#include "imgmill/memory/pool.h"
#include "imgmill/memory/system_memory.h"

namespace {

using imgmill::kKiB;
using imgmill::kMiB;
using imgmill::Pool;

/// One step of a recorded life: a block of `bytes` is taken into a slot, or (0) the slot's block given back.
struct Step {
  size_t slot;
  size_t bytes;
};

/// Blocks of random sizes (uniform in the logarithm) with random lives, `slots` at a time.
std::vector<Step> RandomLives(size_t smallest, size_t largest, size_t slots, size_t steps) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<bool> taken(slots, false);
  std::vector<Step> life;
  while (life.size() < steps) {
    const size_t slot = random() % slots;
    const double ratio = static_cast<double>(largest) / static_cast<double>(smallest);
    const double bytes = static_cast<double>(smallest) * std::pow(ratio, uniform(random));
    life.push_back({slot, taken[slot] ? 0 : static_cast<size_t>(bytes)});
    taken[slot] = !taken[slot];
  }
  return life;
}

/// The activations of a residual network on pictures of height x width: each layer takes its output and a
/// scratch area, gives back the scratch, then its input; every fourth layer's output lives on for a skip.
void AppendForward(std::vector<Step>& life, size_t height, size_t width) {
  constexpr size_t kChannels = 64;
  constexpr size_t kLayers = 24;
  const size_t activation = height * width * kChannels * sizeof(float);
  size_t input = 0;
  size_t skip = kLayers + 1;
  life.push_back({input, activation / 16});
  for (size_t layer = 1; layer <= kLayers; ++layer) {
    life.push_back({layer, activation});
    life.push_back({0 + 40, activation / 2 + 4096 * (layer % 5)});
    life.push_back({0 + 40, 0});
    if (input != skip) life.push_back({input, 0});
    input = layer;
    if (layer % 4 == 0) {
      if (skip <= kLayers) life.push_back({skip, 0});
      skip = layer;
    }
  }
  if (input != skip) life.push_back({input, 0});
  life.push_back({skip, 0});
}

std::vector<Step> Forwards(int count, bool same_shape) {
  std::mt19937 random(1);
  std::vector<Step> life;
  for (int i = 0; i < count; ++i) {
    const size_t height = same_shape ? 256 : 64 + random() % 400;
    const size_t width = same_shape ? 256 : 64 + random() % 400;
    AppendForward(life, height, width);
  }
  return life;
}

struct Outcome {
  double seconds = 0;
  size_t taken = 0;
};

template <typename Take, typename Give>
Outcome Live(const std::vector<Step>& life, bool write, Take take, Give give) {
  std::vector<void*> blocks(4096, nullptr);
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  for (const Step& step : life) {
    void*& block = blocks[step.slot];
    if (step.bytes == 0) {
      give(block);
      block = nullptr;
      continue;
    }
    block = take(step.bytes);
    ++outcome.taken;
    if (write) std::memset(block, 1, step.bytes);
  }
  for (void* block : blocks) {
    if (block != nullptr) give(block);
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

void Compare(const char* name, const std::vector<Step>& life, bool write) {
  Pool pool("perftest", SIZE_MAX);
  const Outcome ours = Live(
      life, write, [&](size_t bytes) { return pool.Allocate(bytes); },
      [](void* block) { Pool::Free(block); });
  const imgmill::PoolStats stats = pool.Stats();
  pool.ClearCache();
  const Outcome theirs = Live(
      life, write, [](size_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); },
      [](void* block) { std::free(block); });
  std::printf("%-28s %10.0f %10.0f  %6.2f   %8s %8s  %5.2f  %6llu\n", name,
              static_cast<double>(ours.taken) / ours.seconds,
              static_cast<double>(theirs.taken) / theirs.seconds, theirs.seconds / ours.seconds,
              imgmill::FormatByteSize(stats.peak_live).c_str(),
              imgmill::FormatByteSize(stats.peak_charged).c_str(),
              static_cast<double>(stats.peak_charged) / static_cast<double>(stats.peak_live),
              static_cast<unsigned long long>(stats.maps));
}

}  // namespace

int main() {
  std::printf("%-28s %10s %10s  %6s   %8s %8s  %5s  %6s\n", "", "ours/s", "malloc/s", "ratio", "live",
              "charged", "ratio", "maps");
  Compare("small, 16 B to 16 KiB", RandomLives(16, 16 * kKiB, 1000, 400000), false);
  Compare("rows, 32 KiB to 512 KiB", RandomLives(32 * kKiB, 512 * kKiB, 100, 20000), true);
  Compare("tensors, 64 KiB to 16 MiB", RandomLives(64 * kKiB, 16 * kMiB, 40, 4000), true);
  Compare("forward, one shape", Forwards(20, true), true);
  Compare("forward, mixed shapes", Forwards(40, false), true);
  return 0;
}
