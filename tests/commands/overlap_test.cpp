// Two runs never share a catalog or an output folder: the second one exits 75 and names the first.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>

#include <filesystem>

#include "program.h"

namespace imgmill::process_test {
namespace {

/// A run that waits for the end of its list, which never comes.
class WaitingRun {
 public:
  WaitingRun(const TestFolder& where, std::vector<std::string> arguments, const std::string& locked) {
    const std::string list = where / "list.fifo";
    REQUIRE(::mkfifo(list.c_str(), 0600) == 0);
    writer_ = ::open(list.c_str(), O_RDWR | O_CLOEXEC);  // keeps the reader from an end of file
    REQUIRE(writer_ >= 0);
    arguments.insert(arguments.end(), {"--files-from", list});
    process_ = std::make_unique<Process>(Imgmill(arguments), WithState({}));
    for (int i = 0;
         i < 20'000 && TestFolder::Read(locked + "/.imgmill.lock").find("since") == std::string::npos; ++i) {
      REQUIRE_FALSE(process_->Ended());
      ::usleep(1000);
    }
    // One that comes to the list after its last writer has left would wait for another.
    for (int i = 0; i < 20'000 && !HasOpen(list); ++i) ::usleep(1000);
  }
  ~WaitingRun() { ::close(writer_); }
  pid_t pid() const { return process_->pid(); }
  ProcessResult End() {
    ::close(writer_);
    writer_ = -1;
    return process_->Wait();
  }

 private:
  bool HasOpen(const std::string& path) const {
    std::error_code gone;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process_->pid()) + "/fd", gone)) {
      if (std::filesystem::read_symlink(entry.path(), gone) == path) return true;
    }
    return false;
  }

  int writer_ = -1;
  std::unique_ptr<Process> process_;
};

void CheckRefused(const ProcessResult& second, pid_t holder) {
  INFO(second.err);
  CHECK(second.exit_code == 75);
  CHECK(second.err.find("pid " + std::to_string(holder)) != std::string::npos);
}

const std::string kPicture = SampleData() + "/icon_tiny.png";

}  // namespace

TEST_CASE("a second run with the same catalog exits 75 and names the first") {
  const TestFolder where;
  WaitingRun first(where, {"dedup", "--catalog", where / "catalog"}, where / "catalog");
  CheckRefused(Run({"dedup", kPicture, "--catalog", where / "catalog"}), first.pid());
  // The folder counts, not its spelling; and another command is no exception.
  CheckRefused(Run({"upscale", kPicture, "--method", "nearest", "-o", where / "out", "--catalog",
                    where / "./catalog/"}),
               first.pid());
  CheckRefused(Run({"filter", kPicture, "--keep", "width>1", "--catalog", where / "catalog"}), first.pid());
  CheckRefused(Run({"embed", kPicture, "--catalog", where / "catalog"}), first.pid());
  CheckRefused(Run({"match", kPicture, "--catalog", where / "catalog"}), first.pid());
  CHECK(Run({"dedup", kPicture, "--catalog", where / "another"}).exit_code == 0);
  CHECK(first.End().exit_code == 0);
  CHECK(Run({"dedup", kPicture, "--catalog", where / "catalog"}).exit_code == 0);
}

TEST_CASE("a second tile run into the same folder exits 75") {
  const TestFolder where;
  const std::vector<std::string> tile = {"tile", "--size", "16", "-o", where / "out"};
  WaitingRun first(where, tile, where / "out/.imgmill");
  std::vector<std::string> second = tile;
  second.push_back(kPicture);
  CheckRefused(Run(second), first.pid());
  CHECK(first.End().exit_code == 0);
  CHECK(Run(second).exit_code == 0);
}

TEST_CASE("a second run with the same output exits 75, whatever the catalogs") {
  const std::vector<std::vector<std::string>> ways = {
      {}, {"--no-catalog"}, {"--catalog", "FIRST"}, {"--catalog", "SECOND"}};
  for (const auto& mine : ways) {
    const TestFolder where;
    const auto upscale = [&](std::vector<std::string> catalog) {
      if (catalog.size() == 2) catalog[1] = where / catalog[1];
      std::vector<std::string> arguments = {"upscale", "--method", "nearest", "-o", where / "out"};
      arguments.insert(arguments.end(), catalog.begin(), catalog.end());
      return arguments;
    };
    const std::string locked = mine.empty() ? where / "out/.imgmill" : where / "out";
    WaitingRun first(where, upscale(mine), locked);
    for (const auto& theirs : ways) {
      CAPTURE(mine.size() == 2 ? mine[1] : std::to_string(mine.size()));
      CAPTURE(theirs.size() == 2 ? theirs[1] : std::to_string(theirs.size()));
      std::vector<std::string> arguments = upscale(theirs);
      arguments.push_back(kPicture);
      CheckRefused(Run(arguments), first.pid());
    }
    CHECK(first.End().exit_code == 0);
    CHECK(CountFiles(where / "out") == 0);
  }
}

TEST_CASE("the lock of a killed run holds nobody up") {
  const TestFolder where;
  const std::vector<std::string> command = {
      "upscale", SampleData() + "/marble.jpg", "--method", "lanczos3", "-o", where / "out"};
  {
    WaitingRun first(where, {"upscale", "--method", "nearest", "-o", where / "out"}, where / "out/.imgmill");
  }  // killed
  CHECK(Run(command).exit_code == 0);
  CHECK(ReadFolder(where / "out").size() == 1);
}

}  // namespace imgmill::process_test
