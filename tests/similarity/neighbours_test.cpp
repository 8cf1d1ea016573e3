// Neighbours of hashes, one search after another, against two plain loops.
#include "imgmill/similarity/neighbours.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <random>
#include <set>

#include "imgmill/memory/pool.h"
#include "similarity/clustered.h"

namespace imgmill {
namespace {

using Known = std::map<uint64_t, uint64_t>;

bool HasNeighbour(const std::vector<uint64_t>& hashes, uint64_t hash, int radius) {
  return std::ranges::any_of(
      hashes, [&](uint64_t other) { return other != hash && std::popcount(hash ^ other) <= radius; });
}

KnownNeighbours From(const Known& known) {
  return [&known](const auto& see) -> Status {
    for (const auto& [hash, near] : known) see(hash, near);
    return {};
  };
}

}  // namespace

TEST_CASE("neighbours are those of two plain loops, night after night, and only new ones are searched for") {
  const StopFlag stop;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    const size_t n = seed < 4 ? 60 : 3000;  // of the larger ones so many are new that tables are made
    const int radius = static_cast<int>(seed % 4) * 4;
    const int threads = seed % 2 == 0 ? 1 : 3;
    std::vector<uint64_t> all = Clustered(n, seed, 5);
    std::mt19937 random(static_cast<unsigned>(seed));
    std::shuffle(all.begin(), all.end(), random);
    Known known;
    std::set<uint64_t> there;
    for (int night = 0; night < 6; ++night) {
      // Most come in the first night; later some go, some of those come back, and a few are new.
      const size_t until = n / 2 + static_cast<size_t>(night) * n / 12;
      for (size_t i = night == 0 ? 0 : until - n / 12; i < until; ++i) there.insert(all[i]);
      if (night > 0 && night % 2 == 0) {
        for (size_t i = 0; i < n / 10; ++i) there.erase(all[random() % until]);
      }
      const std::vector<uint64_t> hashes(there.begin(), there.end());
      std::vector<uint64_t> near(hashes.size());
      size_t expected = 0;
      for (const uint64_t hash : hashes) {
        const auto before = known.find(hash);
        expected += before == known.end() || !there.contains(before->second) ? 1 : 0;
      }
      HostPool().ResetPeak();
      const size_t charged = HostPool().Stats().charged;
      const Result<size_t> searched = FindNeighbours(hashes, radius, From(known), threads, stop, near);
      REQUIRE(searched.ok());
      CHECK(*searched == expected);
      CHECK(HostPool().Stats().peak_charged - charged <= NeighbourBytes(hashes.size(), radius) + 64 * 1024);
      bool right = true;
      for (size_t i = 0; i < hashes.size(); ++i) {
        const bool found = near[i] != hashes[i];
        right = right && found == HasNeighbour(hashes, hashes[i], radius) && there.contains(near[i]) &&
                std::popcount(near[i] ^ hashes[i]) <= radius;
      }
      CHECK(right);
      known.clear();
      for (size_t i = 0; i < hashes.size(); ++i) known[hashes[i]] = near[i];
    }
    std::vector<uint64_t> near(there.size());
    const std::vector<uint64_t> hashes(there.begin(), there.end());
    CHECK(FindNeighbours(hashes, radius, From(known), threads, stop, near).value() == 0);
  }
}

TEST_CASE("a search for neighbours ends when it is told to, and what cannot be recalled is its error") {
  StopFlag stop;
  const std::vector<uint64_t> hashes = {1, 2, 3};
  std::vector<uint64_t> near(3);
  const auto broken = [](const auto&) { return Status(Error{Stage::kCatalog, Code::kReadError, "gone"}); };
  CHECK(FindNeighbours(hashes, 1, broken, 1, stop, near).error().code == Code::kReadError);
  stop.RequestStop();
  CHECK(FindNeighbours(hashes, 1, From({}), 1, stop, near).error().code == Code::kInterrupted);
}

}  // namespace imgmill
