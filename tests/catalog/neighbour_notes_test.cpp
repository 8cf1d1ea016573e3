// Notes of a search among hashes: what was written is read, and what is damaged or of something else is not.
#include "imgmill/catalog/neighbour_notes.h"

#include <utility>
#include <vector>

#include "dataset/test_folder.h"

using namespace imgmill;

namespace {

using Pairs = std::vector<std::pair<uint64_t, uint64_t>>;

Pairs Read(const NeighbourNotes& notes) {
  Pairs pairs;
  CHECK(notes.ForEach([&](uint64_t hash, uint64_t near) { pairs.emplace_back(hash, near); }));
  return pairs;
}

}  // namespace

TEST_CASE("notes of neighbours are read as they were written, whole or not at all") {
  const TestFolder folder;
  const NeighbourNotes notes(folder / "c", "phash/2 within 10");
  CHECK(Read(notes).empty());
  std::vector<uint64_t> hashes, near;
  Pairs expected;
  for (uint64_t i = 0; i < 10'000; ++i) {
    hashes.push_back(i * 3), near.push_back(i * i);
    expected.emplace_back(i * 3, i * i);
  }
  REQUIRE(notes.Write(std::span(hashes).first(5), std::span(near).first(5)));
  REQUIRE(notes.Write(hashes, near));
  CHECK(Read(notes) == expected);
  CHECK(Read({folder / "c", "phash/2 within 10"}) == expected);
  CHECK(Read({folder / "c", "phash/2 within 12"}).empty());

  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "c/near")) path = entry.path();
  const std::string whole = TestFolder::Read(path);
  for (const size_t at : {size_t{0}, size_t{9}, size_t{20}, size_t{40}, size_t{100}, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    folder.Write(path.substr(folder.path().size() + 1), damaged);
    CHECK(Read(notes).empty());
  }
  for (const size_t length : {size_t{0}, size_t{30}, whole.size() - 1}) {
    folder.Write(path.substr(folder.path().size() + 1), whole.substr(0, length));
    CHECK(Read(notes).empty());
  }

  const NeighbourNotes nowhere("", "phash/2 within 10");
  CHECK_FALSE(nowhere.kept());
  CHECK(nowhere.Write(hashes, near));
  CHECK(Read(nowhere).empty());
}
