// Ctrl-C and SIGTERM: the images in work are left, the run exits 75, and run again it does the rest.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "program.h"

namespace imgmill::process_test {
namespace {

/// Waits until a process that was sent SIGSTOP stands still. @return the files in `folder` then
size_t CountHeld(const Process& process, const std::string& folder) {
  const std::string path = "/proc/" + std::to_string(process.pid()) + "/stat";
  for (int i = 0; i < 10'000; ++i) {
    const std::string stat = TestFolder::Read(path);
    if (stat.find(") T ") != std::string::npos) break;
    ::usleep(1000);
  }
  return CountFiles(folder);
}

/// Whether a process is imgmill, and has a handler for SIGTERM by now.
bool Listens(const Process& process) {
  const std::string status = TestFolder::Read("/proc/" + std::to_string(process.pid()) + "/status");
  const size_t at = status.find("SigCgt:");
  if (!status.starts_with("Name:\timgmill\n") || at == std::string::npos) return false;
  return (std::stoull(status.substr(at + 7), nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
}

}  // namespace

TEST_CASE("a signal ends a run soon, with whole files, and run again it does the rest") {
  const TestFolder where;
  for (int i = 0; i < 3; ++i) CopySamples(where / ("photos/" + std::to_string(i)));
  const auto upscale = [&](const std::string& out) {
    return std::vector<std::string>{
        "upscale", where / "photos", "--method", "lanczos3", "--scale", "1.3", "-j2", "-o", out, "--json"};
  };
  const ProcessResult whole = Run(upscale(where / "undisturbed"));
  REQUIRE(whole.exit_code == 0);
  const FolderBytes expected = ReadFolder(where / "undisturbed");

  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const std::string out = where / ("out" + std::to_string(signal));
    Process process(Imgmill(upscale(out)), WithState({}));
    while (CountFiles(out) < 5 && !process.Ended()) ::usleep(500);
    // Held while it is counted, so that what "soon" means is files, not seconds on a busy machine.
    process.Signal(SIGSTOP);
    const size_t when_told = CountHeld(process, out);
    process.Signal(signal);
    process.Signal(SIGCONT);
    const ProcessResult stopped = process.Wait();
    INFO(stopped.err);
    CHECK(stopped.exit_code == 75);
    const nlohmann::json json = Json(stopped);
    CHECK(json["interrupted"] == true);
    CHECK(json["failed"].empty());
    const FolderBytes partial = ReadFolder(out);
    CHECK(json["done"] == partial.size());
    CHECK(partial.size() >= when_told);
    CHECK(partial.size() <= when_told + 6);  // what two workers were at, and what waited to be published
    CHECK(when_told + 6 < expected.size());
    for (const auto& [name, bytes] : partial) {
      CAPTURE(name);
      REQUIRE(expected.count(name) == 1);
      CHECK(expected.at(name) == bytes);
    }
    const ProcessResult rest = Run(upscale(out));
    CHECK(rest.exit_code == 0);
    const nlohmann::json after = Json(rest);
    CHECK(after["skipped"] == partial.size());
    CHECK(after["done"] == expected.size() - partial.size());
    CHECK(Difference(expected, ReadFolder(out)) == "");
  }
}

TEST_CASE("a signal while a network enlarges one picture: it is left soon, and nothing of it stays") {
  const ModelParts parts = FindModel();
  if (!parts.missing.empty()) {
    MESSAGE("SKIPPED: " << parts.missing);
    return;
  }
  const TestFolder where;
  std::filesystem::create_directories(where / "photos");
  WriteLargeJpeg(where / "photos/large.jpg", 1600, 1000);
  const auto upscale = [&](const std::string& out) {
    std::vector<std::string> command = {"upscale", where / "photos", "--model", "own:sr-x2", "--tile", "1024",
                                        "-o",      where / out,      "--json"};
    return command;
  };
  const ProcessResult whole = Run(upscale("undisturbed"), parts.options);
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);

  Process process(Imgmill(upscale("out")), WithState(parts.options));
  // The temporary file is made just before the network begins, whose work is nearly all of the time.
  const auto begun = [&] {
    const FolderBytes files = ReadFolder(where / "out");
    return std::ranges::any_of(files, [](const auto& file) { return file.first.ends_with(".tmp"); });
  };
  while (!begun() && !process.Ended()) ::usleep(5000);
  process.Signal(SIGTERM);
  const ProcessResult stopped = process.Wait();
  INFO(stopped.err);
  REQUIRE(stopped.exit_code == 75);
  // Of the processor, so that other work does not count: from its start on, of all that an undisturbed run
  // takes.
  MESSAGE("stopped after " << stopped.cpu_seconds << " of " << whole.cpu_seconds << " s");
  CHECK(stopped.cpu_seconds < 0.8 * whole.cpu_seconds);
  const nlohmann::json json = Json(stopped);
  CHECK(json["interrupted"] == true);
  CHECK(json["failed"].empty());
  CHECK(json["done"] == 0);
  CHECK(ReadFolder(where / "out").empty());  // no temporary file either

  REQUIRE(Run(upscale("out"), parts.options).exit_code == 0);
  CHECK(Difference(ReadFolder(where / "undisturbed"), ReadFolder(where / "out")) == "");
}

TEST_CASE("a signal in a pipeline's tile step: the tiles that were made are summed up") {
  const TestFolder where;
  for (int i = 0; i < 8; ++i) CopySamples(where / ("photos/" + std::to_string(i)));
  const std::string file = where.Write("pipeline.yaml",
                                       "input: photos\noutput: out\nsteps:\n"
                                       "  - tile:\n      size: 16\n      edge: drop\n");
  Process process(Imgmill({"run", file, "--json", "-j1"}), WithState({}));
  while (CountFiles(where / "out/tile") < 100 && !process.Ended()) ::usleep(500);
  process.Signal(SIGINT);
  const ProcessResult stopped = process.Wait();
  INFO(stopped.err);
  REQUIRE(stopped.exit_code == 75);
  const nlohmann::json tiles = Json(stopped)["steps"][0]["tiles"];
  CHECK(tiles >= 100);
  CHECK(stopped.err.find("; tile made " + tiles.dump() + " files from them") != std::string::npos);
}

TEST_CASE("a signal while dedup reads ends with 75 and without groups") {
  const TestFolder where;
  WriteLargeJpeg(where / "a.jpg", 1500, 1500);
  std::filesystem::create_directories(where / "photos");
  for (int i = 0; i < 300; ++i) {
    const std::string copy = where / ("photos/" + std::to_string(i) + ".jpg");
    std::filesystem::copy_file(where / "a.jpg", copy);
    std::ofstream(copy, std::ios::app) << i;  // so that none is recalled as the same content
  }
  const std::vector<std::string> command = {"dedup",     where / "photos",  "--decode", "full",
                                            "--catalog", where / "catalog", "--json",   "-j1"};
  Process process(Imgmill(command), WithState({}));
  while (!std::filesystem::exists(where / "catalog") && !process.Ended()) ::usleep(500);
  ::usleep(100'000);
  process.Signal(SIGTERM);
  const ProcessResult stopped = process.Wait();
  INFO(stopped.err);
  CHECK(stopped.exit_code == 75);
  const nlohmann::json json = Json(stopped);
  CHECK(json["interrupted"] == true);
  CHECK_FALSE(json.contains("groups"));
  CHECK(json["listed"] < 300);
}

TEST_CASE("a plan that is stopped gives neither figures nor advice") {
  const TestFolder where;
  constexpr int kImages = 20'000;
  WriteLargeJpeg(where / "0.jpg", 64, 64);
  for (int i = 1; i < kImages; ++i)
    REQUIRE(::link((where / "0.jpg").c_str(), (where / (std::to_string(i) + ".jpg")).c_str()) == 0);
  for (const std::vector<std::string>& mode :
       std::vector<std::vector<std::string>>{{"plan"}, {"memory", "recommend"}}) {
    std::vector<std::string> command = mode;
    command.insert(command.end(), {"upscale", where.path(), "--method", "lanczos3", "-o", where / "out",
                                   "--no-catalog", "--json"});
    int stopped_runs = 0;
    // On a machine that holds this process up, a plan may be done before the signal.
    for (int attempt = 0; attempt < 20 && stopped_runs == 0; ++attempt) {
      Process process(Imgmill(command), WithState({}));
      while (!Listens(process) && !process.Ended()) ::usleep(500);
      process.Signal(SIGTERM);
      const ProcessResult result = process.Wait();
      INFO(result.err);
      INFO(result.out);
      const nlohmann::json json = Json(result);
      if (result.exit_code == 0) {
        CHECK(json["plan"]["images"] == kImages);
        continue;
      }
      ++stopped_runs;
      CHECK(result.exit_code == 75);
      CHECK(result.err.find("not finished") != std::string::npos);
      CHECK_FALSE(json.contains("plan"));
      CHECK_FALSE(json.contains("recommendations"));
    }
    CHECK(stopped_runs == 1);
  }
}

}  // namespace imgmill::process_test
