// Which images are near others, told from notes of earlier nights, against a search among all of them.
#include <doctest/doctest.h>

#include <random>

#include "commands/dedup/dedup_groups.h"
#include "memory/memory_fixture.h"
#include "program.h"
#include "similarity/clustered.h"

namespace imgmill::process_test {
namespace {

/// Some have the same hash, a few the same content, and a few do not show enough to be compared by looks.
std::vector<DedupEntry> MakeEntries(size_t count) {
  const std::vector<uint64_t> hashes = Clustered(count, 5, 12);
  std::mt19937 random(9);
  std::vector<DedupEntry> entries;
  for (size_t i = 0; i < count; ++i) {
    DedupEntry entry;
    entry.file.path = entry.file.relative = std::to_string(i);
    entry.hash[0] = hashes[i];
    entry.content = DigestOfBytes(&i, sizeof i);
    entry.notes.shapes = i % 50 == 0 ? 0 : CoarseShapes::kEnough;
    if (i > 0 && random() % 20 == 0) {
      const DedupEntry& copied = entries[random() % i];
      entry.hash = copied.hash;
      entry.notes = copied.notes;
      entry.content = copied.content;
    }
    entries.push_back(entry);
  }
  return entries;
}

size_t CountOf(const NeighbourNotes& notes) {
  size_t count = 0;
  REQUIRE(notes.ForEach([&](uint64_t, uint64_t) { ++count; }));
  return count;
}

}  // namespace

TEST_CASE("near images are the same with notes of earlier nights, which images have left and come to") {
  const TestFolder where;
  const auto manager = memory_test::MustCreate(memory_test::WithRoom(size_t{256} << 20));
  const StopFlag stop;
  const GroupRules rules;
  const std::vector<DedupEntry> all = MakeEntries(12'000);
  const NeighbourNotes notes(where / "c", "hashes within 6");
  std::mt19937 random(1);
  for (int night = 0; night < 4; ++night) {
    std::vector<DedupEntry> there;
    for (size_t i = 0; i < all.size(); ++i) {
      // New ones come all over the listing; some go.
      if (random() % 400 == 0 || i % 40 < 37 - 3 * static_cast<size_t>(night == 0)) there.push_back(all[i]);
    }
    const DedupTable table(there);
    const auto expected = FindNear(table, rules, 6, 2, *manager, stop);
    REQUIRE(expected.ok());
    REQUIRE(expected->candidates.size() > 1000);
    REQUIRE(expected->candidates.size() < there.size());
    const auto found = FindNear(table, rules, 6, 2, *manager, stop, &notes);
    REQUIRE(found.ok());
    CHECK(found->candidates == expected->candidates);
    CHECK(found->may == expected->may);
    CHECK(CountOf(notes) > there.size() / 2);
  }
  // They are for pairs of all kinds: across folders other pairs count.
  GroupRules across;
  across.scope = PairScope::kAcross;
  const auto found = FindNear(DedupTable(all), across, 6, 2, *manager, stop, &notes);
  REQUIRE(found.ok());
  CHECK(found->candidates == FindNear(DedupTable(all), across, 6, 2, *manager, stop)->candidates);
}

TEST_CASE("notes are what is believed of known images") {
  // Were all searched for each night, this would not be noticed.
  const TestFolder where;
  const auto manager = memory_test::MustCreate(memory_test::WithRoom(size_t{256} << 20));
  const StopFlag stop;
  std::vector<DedupEntry> entries = MakeEntries(11'000);
  const DedupTable table(entries);
  const NeighbourNotes notes(where / "c", "hashes within 6");
  REQUIRE(FindNear(table, {}, 6, 2, *manager, stop, &notes).ok());
  std::vector<uint64_t> hashes;
  REQUIRE(notes.ForEach([&](uint64_t hash, uint64_t) { hashes.push_back(hash); }));
  REQUIRE(notes.Write(hashes, hashes));  // that none has a neighbour
  const auto found = FindNear(table, {}, 6, 2, *manager, stop, &notes);
  REQUIRE(found.ok());
  CHECK(found->candidates.size() < FindNear(table, {}, 6, 2, *manager, stop)->candidates.size());
}

}  // namespace imgmill::process_test
