// Vector files written anew: what facts refer to stays, the rest goes. tests/commands/killed_compact_test.cpp
// kills it.
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

#include "dataset/test_folder.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/catalog/catalog.h"
#include "imgmill/catalog/upkeep.h"
#include "imgmill/catalog/vector_file.h"

using namespace imgmill;

namespace {

ContentDigest Content(int number) {
  return DigestOfBytes(&number, sizeof number);
}

std::string Bytes(const VectorFile::Place& place) {
  return {reinterpret_cast<const char*>(&place), sizeof place};
}

std::vector<float> Vector(int number) {
  return {static_cast<float>(number), 1, 2};
}

/// Ten vectors, of which every third has a fact, one of them as that of a broken file.
void Fill(const std::string& folder, const std::string& kind) {
  const auto catalog = *Catalog::Open(folder);
  const auto file = *VectorFile::Open(folder, kind, 3);
  for (int i = 0; i < 10; ++i) {
    const VectorFile::Place place = *file->Append(Vector(i));
    if (i % 3 == 0) CHECK(catalog->PutFact(Content(i), VectorFact(kind, i == 6), Bytes(place)).ok());
  }
  CHECK(catalog->Flush().ok());
}

/// The first number of each content's vector.
std::vector<float> Found(const std::string& folder, const std::string& kind) {
  const auto catalog = *Catalog::Open(folder);
  const auto file = *VectorFile::Open(folder, kind, 0);
  std::vector<float> found;
  for (int i = 0; i < 10; ++i) {
    const auto value = catalog->FindFact(Content(i), VectorFact(kind, i == 6));
    if (!value) continue;
    VectorFile::Place place;
    REQUIRE(value->size() == sizeof place);
    std::memcpy(&place, value->data(), sizeof place);
    std::vector<float> vector(3);
    CHECK(file->Read(place, vector).ok());
    found.push_back(vector[0]);
  }
  return found;
}

}  // namespace

TEST_CASE("rows without a fact go, the others keep their vectors and their order") {
  const TestFolder where;
  Fill(where.path(), "a/1");
  Fill(where.path(), "b/1");
  // Open, as another process may have it.
  const auto before = *VectorFile::Open(where.path(), "a/1", 0);
  const auto planned = *CompactCatalog(where.path(), true, StopFlag());
  const auto done = *CompactCatalog(where.path(), false, StopFlag());
  REQUIRE(done.size() == 2);
  for (const auto& figures : {planned[0], done[0], done[1]}) {
    CHECK(figures.rows_before == 10);
    CHECK(figures.rows_after == 4);
    CHECK(figures.bytes_before == 4096 + 10 * 12);  // a page of header, then three floats each
    CHECK(figures.bytes_after == 4096 + 4 * 12);
  }
  const std::vector<float> expected = {0, 3, 6, 9};
  CHECK(Found(where.path(), "a/1") == expected);
  CHECK(Found(where.path(), "b/1") == expected);
  CHECK(before->View(0, 10, [](const float* rows) { CHECK(rows[9 * 3] == 9); }).ok());
  // Nothing is left to do, and nothing else beside the files.
  const auto again = *CompactCatalog(where.path(), false, StopFlag());
  CHECK(again[0].rows_before == 4);
  CHECK(again[0].bytes_before == again[0].bytes_after);
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(where / "vectors"))
    files += entry.path().extension() == ".vec" ? 1 : 100;
  CHECK(files == 2);
}

TEST_CASE("appends go on behind the rows that are left") {
  const TestFolder where;
  Fill(where.path(), "a/1");
  CHECK(CompactCatalog(where.path(), false, StopFlag()).ok());
  const auto file = *VectorFile::Open(where.path(), "a/1", 3);
  CHECK(file->Append(Vector(20))->row == 4);
}

TEST_CASE("a fact whose vector is lost goes with it") {
  const TestFolder where;
  Fill(where.path(), "a/1");
  {
    const auto catalog = *Catalog::Open(where.path());
    CHECK(catalog->PutFact(Content(1), VectorFact("a/1", false), Bytes({1, 77})).ok());  // another checksum
    CHECK(catalog->PutFact(Content(2), VectorFact("a/1", false), Bytes({1000, 77})).ok());  // beyond the end
  }
  CHECK((*CompactCatalog(where.path(), false, StopFlag()))[0].rows_after == 4);
  CHECK(Found(where.path(), "a/1") == std::vector<float>{0, 3, 6, 9});
}

TEST_CASE("a compaction that is stopped has changed nothing") {
  const TestFolder where;
  Fill(where.path(), "a/1");
  StopFlag stop;
  stop.RequestStop();
  const auto stopped = CompactCatalog(where.path(), false, stop);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == Code::kInterrupted);
  CHECK((*VectorFile::Open(where.path(), "a/1", 0))->rows() == 10);
  CHECK(Found(where.path(), "a/1") == std::vector<float>{0, 3, 6, 9});
}
