// What a real run leaves behind for those who watch it: the report's history and the metrics, and that they
// agree.
#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "program.h"
#include "report/exposition.h"

namespace imgmill::process_test {
namespace {

double Sum(const nlohmann::json& numbers) {
  double sum = 0;
  for (const auto& each : numbers) sum += each["batches"].get<double>();
  return sum;
}

}  // namespace

TEST_CASE("history and metrics name the same peaks, rungs and pools") {
  const TestFolder folder;
  const std::string report_file = folder / "report.json";
  const std::string metrics_file = folder / "run.prom";
  const ProcessResult run = Run({"dedup", SampleData(), "--no-catalog", "--memory", "200MiB", "--report",
                                 report_file, "--metrics-file", metrics_file});
  INFO(run.err);
  REQUIRE(run.exit_code == 1);
  const nlohmann::json report = JsonFile(report_file);
  const nlohmann::json& history = report["history"];
  const nlohmann::json& summary = history["summary"];

  CHECK(summary["batches"] == history["batches_total"]);
  CHECK(summary["batches"].get<size_t>() >= 30);  // one a readable image
  CHECK(Sum(summary["rungs"]) == summary["batches"].get<double>());
  CHECK(summary["pools"][0]["name"] == "host");
  CHECK(summary["pools"][0]["budget"] == report["memory"]["budget"]);
  CHECK(summary["pools"][0]["peak"].get<size_t>() >= history["peaks"]["resident"]["bytes"].get<size_t>());
  CHECK(summary["clears"] == report["memory"]["clears"]);
  CHECK(history["clears"].size() == summary["clears"].get<size_t>());
  double clear_ms = 0;
  for (const auto& clear : history["clears"]) clear_ms += clear["ms"].get<double>();
  CHECK(clear_ms == doctest::Approx(report["memory"]["clear_ms"].get<double>()));
  CHECK(summary["clear_share"].get<double>() ==
        doctest::Approx(clear_ms / 1000 / report["seconds"].get<double>()));
  double last = -1;
  for (const auto& moment : history["moments"]) {
    CHECK(moment["ms"].get<double>() > last);
    last = moment["ms"];
    CHECK(moment["resident"] <= history["peaks"]["resident"]["bytes"]);
  }
  CHECK(last <= report["seconds"].get<double>() * 1000);

  const exposition::Exposition metrics = exposition::Read(TestFolder::Read(metrics_file));
  REQUIRE(metrics.wrong == "");
  const auto at = [&](const std::string& name, const std::string& more) {
    const auto found = metrics.samples.find("imgmill_" + name + "{command=\"dedup\"" + more + "}");
    CAPTURE(name);
    REQUIRE(found != metrics.samples.end());
    return found->second;
  };
  CHECK(at("images", ",state=\"failed\"") == report["failed"].size());
  CHECK(at("images_listed", "") == report["listed"].get<double>());
  CHECK(at("pool_budget_bytes", ",pool=\"host\"") == summary["pools"][0]["budget"].get<double>());
  // Written after the report: the process may have grown meanwhile.
  CHECK(at("pool_peak_bytes", ",pool=\"host\"") >= summary["pools"][0]["peak"].get<double>());
  CHECK(at("cache_clears", "") == summary["clears"].get<double>());
  CHECK(at("batches", "") == summary["batches"].get<double>());
  for (const auto& [rung, times] : report["memory"]["rungs"].items())
    CHECK(at("ladder_rungs", ",rung=\"" + rung + "\"") == times.get<double>());

  // Prometheus's own reader, where this machine has it.
  if (std::system("command -v promtool >/dev/null") == 0) {
    CHECK(std::system(("promtool check metrics <" + metrics_file).c_str()) == 0);
  }
}

TEST_CASE("a run that an error ended has a report with its memory, too") {
  const TestFolder folder;
  const std::string report_file = folder / "report.json";
  const ProcessResult run = Run({"upscale", SampleData(), "-o", folder / "out", "--model",
                                 SampleData() + "/not_an_image.jpg", "--report", report_file});
  CHECK(run.exit_code >= 2);
  const nlohmann::json report = JsonFile(report_file);
  CHECK(report.contains("error"));
  CHECK(report["history"]["summary"]["pools"][0]["name"] == "host");
}

}  // namespace imgmill::process_test
