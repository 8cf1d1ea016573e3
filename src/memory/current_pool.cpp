// Which pool this thread's allocations are charged to, the host's unless a PoolScope says otherwise; and who
// counts them.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "imgmill/memory/pool.h"

namespace imgmill {
namespace {

thread_local Pool* current_pool = nullptr;
thread_local PoolMeter* innermost_meter = nullptr;

}  // namespace

Pool& HostPool() {
  // Never destroyed: blocks held by other statics may be freed after any destructor of ours would have run.
  static Pool* const pool = new Pool("host", SIZE_MAX);
  return *pool;
}

Pool& CurrentPool() {
  return current_pool != nullptr ? *current_pool : HostPool();
}

PoolScope::PoolScope(Pool& pool) : previous_(current_pool) {
  current_pool = &pool;
}

PoolScope::~PoolScope() {
  current_pool = previous_;
}

PoolMeter::PoolMeter() : outer_(std::exchange(innermost_meter, this)) {}

PoolMeter::~PoolMeter() {
  innermost_meter = outer_;
}

void PoolMeter::Count(int64_t bytes) noexcept {
  for (PoolMeter* meter = innermost_meter; meter != nullptr; meter = meter->outer_) {
    meter->held_ += bytes;
    if (meter->held_ > 0) meter->peak_ = std::max(meter->peak_, static_cast<size_t>(meter->held_));
  }
}

}  // namespace imgmill
