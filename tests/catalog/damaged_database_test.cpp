// A page of the database that cannot be read: it is told, and taken for no end of the rows.
#include <algorithm>
#include <cstring>
#include <vector>

#include "catalog/open_catalog.h"
#include "imgmill/base/stop_flag.h"
#include "imgmill/catalog/upkeep.h"
#include "imgmill/catalog/vector_file.h"

using namespace imgmill;

namespace {

constexpr int kContents = 900;  // of one page of facts, as they are read

ContentDigest Content(int number) {
  return DigestOfBytes(&number, sizeof number);
}

std::string BytesOf(const ContentDigest& content) {
  return {reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size()};
}

/// Two vectors of each content, of which the second counts.
void Fill(const std::string& folder) {
  const auto catalog = OpenOrFail(folder);
  const auto file = *VectorFile::Open(folder, "a/1", 1);
  for (const int round : {0, 1}) {
    for (int i = 0; i < kContents; ++i) {
      const std::vector<float> vector = {static_cast<float>(round * kContents + i)};
      const VectorFile::Place place = *file->Append(vector);
      const std::string value(reinterpret_cast<const char*>(&place), sizeof place);
      REQUIRE(catalog->PutFact(Content(i), VectorFact("a/1", false), value).ok());
    }
  }
  REQUIRE(catalog->Flush().ok());
}

int CountFound(const std::string& folder) {
  const auto catalog = OpenOrFail(folder);
  const auto file = *VectorFile::Open(folder, "a/1", 0);
  int found = 0;
  for (int i = 0; i < kContents; ++i) {
    const auto value = catalog->FindFact(Content(i), VectorFact("a/1", false));
    VectorFile::Place place;
    if (!value || value->size() != sizeof place) continue;
    std::memcpy(&place, value->data(), sizeof place);
    std::vector<float> vector(1);
    if (file->Read(place, vector) && vector[0] == static_cast<float>(kContents + i)) ++found;
  }
  return found;
}

/// Overwrites the begin of the page in which these bytes lie; puts it back at the end.
class DamagedPage {
 public:
  DamagedPage(const std::string& path, const std::string& bytes)
      : path_(path), whole_(TestFolder::Read(path)) {
    const size_t at = whole_.find(bytes);
    REQUIRE(at != std::string::npos);
    constexpr size_t kPage = 4096;  // SQLite's, unless it is told otherwise
    std::string damaged = whole_;
    std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(at / kPage * kPage), 8, '\xEE');
    Write(damaged);
  }
  ~DamagedPage() { Write(whole_); }

 private:
  void Write(const std::string& bytes) const {
    std::ofstream file(path_, std::ios::binary);
    file << bytes;
  }
  const std::string path_, whole_;
};

/// In the order in which the database has them.
std::string MiddleContent() {
  std::vector<std::string> all;
  for (int i = 0; i < kContents; ++i) all.push_back(BytesOf(Content(i)));
  std::sort(all.begin(), all.end());
  return all[kContents / 2];
}

}  // namespace

TEST_CASE("a compaction that cannot read all facts says so, and no vector is lost") {
  const TestFolder where;
  Fill(where.path());
  REQUIRE(CountFound(where.path()) == kContents);
  {
    const DamagedPage damaged(where / "catalog.sqlite", MiddleContent());
    for (const bool dry_run : {true, false}) {
      const auto compacted = CompactCatalog(where.path(), dry_run, StopFlag());
      REQUIRE_FALSE(compacted.ok());
      CHECK(compacted.error().code == Code::kMalformed);
    }
  }
  CHECK(CountFound(where.path()) == kContents);
  const auto compacted = CompactCatalog(where.path(), false, StopFlag());
  REQUIRE(compacted.ok());
  CHECK((*compacted)[0].rows_after == kContents);
  CHECK(CountFound(where.path()) == kContents);
}

TEST_CASE("a look at a damaged catalog, and its pruning, are errors") {
  const TestFolder where;
  Fill(where.path());
  {
    const auto catalog = OpenOrFail(where.path());
    for (int i = 0; i < kContents; ++i)
      REQUIRE(catalog->PutFile("/gone/" + std::to_string(1000 + i), {{1, 2, 3, 4}, Content(i)}).ok());
  }
  {
    const DamagedPage damaged(where / "catalog.sqlite", "/gone/1450");
    const auto pruned = PruneCatalog(where.path(), {}, StopFlag());
    REQUIRE_FALSE(pruned.ok());
    CHECK(pruned.error().code == Code::kMalformed);
  }
  CHECK(CountFound(where.path()) == kContents);
  {
    const DamagedPage damaged(where / "catalog.sqlite", MiddleContent());
    CHECK_FALSE(LookAtCatalog(where.path()).ok());
  }
  CHECK(CountFound(where.path()) == kContents);
}

TEST_CASE("statements say what is a row, what the end and what an error") {
  Database database;
  REQUIRE(database.Open("").ok());
  REQUIRE(database.Execute("CREATE TABLE t (a BLOB); INSERT INTO t VALUES (1), (2), (3)").ok());
  Statement all = *database.Prepare("SELECT a FROM t");
  int rows = 0;
  const auto count = [&](const Statement::Use&) -> Status {
    ++rows;
    return {};
  };
  {
    Statement::Use use(all);
    CHECK(database.ForEachRow(use, "read", count).ok());
    CHECK(rows == 3);
  }
  Statement wrong = *database.Prepare("SELECT abs(-9223372036854775808) FROM t");  // an overflow
  Statement::Use use(wrong);
  CHECK_FALSE(database.ForEachRow(use, "read", count).ok());
  Statement::Use again(wrong);
  CHECK_FALSE(database.HasRow(again, "read").ok());
  CHECK(rows == 3);
}
