// The thread that looks at memory outlives moments in which there is none.
#include "memory/sampler.h"

#include <doctest/doctest.h>

#include <atomic>
#include <new>

using namespace imgmill;

TEST_CASE("a look for which memory is too short is left out, and the next one comes") {
  std::atomic<int> looks = 0;
  const std::jthread sampler = Regularly(1, [&] {
    ++looks;
    looks.notify_one();
    throw std::bad_alloc();
  });
  for (int seen = looks; seen < 3; seen = looks) looks.wait(seen);
  CHECK(looks >= 3);
}
