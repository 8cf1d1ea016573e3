// How long the indexes of archives stay, and what they may hold.
#include "archive/archive_shelf.h"

#include <doctest/doctest.h>

#include <limits>

#include "archive/archive_path.h"
#include "archive/tar_writer.h"
#include "dataset/test_folder.h"

using namespace imgmill;

namespace {

/// Empty members whose names fill more than two steps and less than three.
std::string Large(const TestFolder& where, const std::string& name) {
  const std::string path = where / name;
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  TarWriter archive(file, path);
  for (int i = 0; i < 2500; ++i) {
    REQUIRE(archive.Begin(std::to_string(10'000 + i) + std::string(4'000, 'n'), 0).ok());
    REQUIRE(archive.End().ok());
  }
  REQUIRE(archive.Finish().ok());
  std::fclose(file);
  return path;
}

/// Grants so many steps at a time.
struct Steps {
  int left;
  ArchiveRoom Room(size_t most) {
    const auto take = [this](size_t bytes) -> Result<std::shared_ptr<void>> {
      CHECK(bytes == ArchiveRoom::kStep);
      if (left == 0) return Error{Stage::kAdmit, Code::kTooLarge, "no step is left"};
      --left;
      return std::shared_ptr<void>(this, [this](void*) { ++left; });
    };
    return {most, take, nullptr};
  }
};

constexpr size_t kAny = std::numeric_limits<size_t>::max();

}  // namespace

TEST_CASE("indexes for which there is room stay, whatever they hold together, and are counted") {
  const TestFolder where;
  const std::string a = Large(where, "a.tar"), b = Large(where, "b.tar");
  Steps steps{10};
  {
    const std::shared_ptr<void> room = UseArchiveRoom(steps.Room(kAny));
    const auto first = OpenArchive(a), second = OpenArchive(b);
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK(steps.left == 6);
    CHECK((*first)->size() == 2500);
    CHECK(*OpenArchive(a) == *first);
    CHECK(*OpenArchive(b) == *second);
  }
  CHECK(steps.left == 10);
}

TEST_CASE("an index makes room for the next one, unless both are asked for in turn") {
  const TestFolder where;
  const std::string a = Large(where, "a.tar"), b = Large(where, "b.tar");
  Steps steps{3};
  const std::shared_ptr<void> room = UseArchiveRoom(steps.Room(kAny));
  // Each has more than kFewUses before it goes.
  for (int turn = 0; turn < ArchiveRoom::kMostHastyReadings + 2; ++turn) {
    for (uint64_t use = 0; use <= ArchiveRoom::kFewUses; ++use) REQUIRE(OpenArchive(turn % 2 ? b : a).ok());
    CHECK(steps.left == 1);
  }
  int readings = 0;
  while (OpenArchive(readings % 2 ? b : a).ok() && readings < 100) ++readings;
  CHECK(readings >= 2 * ArchiveRoom::kMostHastyReadings - 2);
  CHECK(readings <= 2 * ArchiveRoom::kMostHastyReadings + 2);
  const Result<std::shared_ptr<const TarIndex>> refused = OpenArchive(readings % 2 ? b : a);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kTooLarge);
  CHECK(refused.error().message.find("do not fit into memory together") != std::string::npos);
}

TEST_CASE("an index that memory has no room for is refused, and the run's end lets it be read again") {
  const TestFolder where;
  const std::string a = Large(where, "a.tar");
  Steps steps{1};
  {
    const std::shared_ptr<void> room = UseArchiveRoom(steps.Room(kAny));
    const Result<std::shared_ptr<const TarIndex>> refused = OpenArchive(a);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message == "the names of its members take more than 8 MiB: no step is left");
    CHECK(steps.left == 1);
    struct stat info {};
    CHECK(StatPath(a + "/x", &info) == -1);
    CHECK(errno == ENOMEM);
    CHECK(StatError(a + "/x", ENOMEM).message == refused.error().message);
  }
  CHECK(OpenArchive(a).ok());
}

TEST_CASE("a stop ends the reading of an archive") {
  const TestFolder where;
  const std::string a = Large(where, "a.tar");
  StopFlag stop;
  stop.RequestStop();
  ArchiveRoom room;
  room.stop = &stop;
  const std::shared_ptr<void> used = UseArchiveRoom(room);
  const Result<std::shared_ptr<const TarIndex>> stopped = OpenArchive(a);
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == Code::kInterrupted);
}
