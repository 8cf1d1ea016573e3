// Records that lie in memory, in the file, and across its pieces are read back as they were, by row and in
// order. The reference is a vector of the same records.
#include "imgmill/dataset/record_table.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <random>

namespace imgmill {
namespace {

struct Record {
  std::string text;
  uint32_t number = 0;
  std::vector<double> values;

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.text), each(self.number), each(self.values);
  }
  bool operator==(const Record&) const = default;
};

Record Make(uint32_t seed) {
  std::mt19937 random(seed);
  // Now and then one that is longer than a piece.
  const size_t length = random() % 50 == 0 ? 100000 : random() % 40;
  return {std::string(length, static_cast<char>(random())), seed, std::vector<double>(random() % 4, seed)};
}

}  // namespace

TEST_CASE("records are read as they were added, in order and by row") {
  for (const uint32_t count : {0u, 1u, 7u, 8u, 9u, 2000u}) {
    CAPTURE(count);
    RecordTable<Record> table;
    for (uint32_t i = 0; i < count; ++i) table.Add(Make(i));
    REQUIRE(table.size() == count);
    const RecordTable<Record> copy = table;
    uint32_t next = 0;
    CHECK(copy.ForEach([&](const Record& record) {
      CHECK(record == Make(next++));
      return Status();
    }));
    CHECK(next == count);
    std::mt19937 random(1);
    for (uint32_t i = 0; i < std::min(count, 300u); ++i) {
      const auto row = static_cast<uint32_t>(random() % count);
      CHECK(table.At(row).value() == Make(row));
    }
  }
}

TEST_CASE("what stops the reading of records is told") {
  RecordTable<Record> table;
  for (uint32_t i = 0; i < 5; ++i) table.Add(Make(i));
  uint32_t seen = 0;
  const Status stopped = table.ForEach([&](const Record&) -> Status {
    if (++seen == 3) return Error{Stage::kReduce, Code::kInternal, "enough"};
    return {};
  });
  CHECK(seen == 3);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().message == "enough");
}

TEST_CASE("records that the disk does not take are an error for whoever reads them") {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small = {size_t{256} << 10, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  RecordTable<std::string> table;
  for (int i = 0; i < 1000; ++i) table.Add(std::string(1000, 'a'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  CHECK(table.size() == 1000);
  const auto first = table.At(0);
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().message.find("TMPDIR") != std::string::npos);
  CHECK_FALSE(table.ForEach([](const std::string&) { return Status(); }).ok());
}

}  // namespace imgmill
