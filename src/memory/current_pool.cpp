// Which pool this thread's allocations are charged to: the host's, unless a PoolScope says otherwise.
#include "imgmill/memory/pool.h"

namespace imgmill {
namespace {

thread_local Pool* current_pool = nullptr;

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

}  // namespace imgmill
