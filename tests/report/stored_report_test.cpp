// Reports as they lie on disk: whole, of other versions, cut short anywhere, or no reports at all.
#include "imgmill/report/stored_report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "dataset/test_folder.h"
#include "imgmill/report/memory_page.h"
#include "imgmill/report/run_report.h"

using namespace imgmill;

namespace {

/// What a run of two batches would have written.
nlohmann::ordered_json SomeReport() {
  MemoryInfo info;
  info.budget = 1000000;
  info.budget_source = "--memory";
  info.process.peak_resident = 600000;
  info.rungs[static_cast<size_t>(Rung::kHalfTile)] = 1;
  info.warnings = {"something </ul> may leak"};
  MemoryHistory history;
  for (const Rung rung : {Rung::kNone, Rung::kHalfTile}) {
    BatchRecord batch;
    batch.work = "upscale";
    batch.device = "host";
    batch.shape = {4, 480, 640};
    batch.predicted = {3000, 1000};
    batch.pooled_peak = 2000;
    batch.rung = rung;
    batch.start_ms = 10;
    batch.duration_ms = 5;
    history.batches.push_back(batch);
    ++history.batches_total;
    ++history.batches_by_rung[static_cast<size_t>(rung)];
  }
  history.moments = {{0, 100, 50, 0, 1000000}, {20, 500000, 60, 70, 1000000}};
  history.resident = {500000, 20};
  history.clears = {{11, 0.5, 4096}};
  nlohmann::ordered_json report = {{"schema", "imgmill/1"}, {"command", "upscale"}, {"version", "0.1.0"}};
  report.update({{"listed", 3}, {"done", 2}, {"skipped", 0}, {"off_plan", 1}, {"interrupted", false}});
  report["failed"] = nlohmann::ordered_json::array();
  report["failed"].push_back(
      FailureJson("a\xff<b>.jpg", {Stage::kDecode, Code::kTruncated, "JPEG data ends & stops"}));
  report["groups"] = {{{"images", {1, 2, 3}}}};
  report["command_line"] = "imgmill upscale <i>photos</i>";
  report["seconds"] = 2.0;
  report["memory"] = MemoryJson(info);
  report["history"] = HistoryJson(history, Summarise(history, info, 2));
  return report;
}

Result<StoredReport> Read(const TestFolder& folder, const std::string& text) {
  return ReadReport(folder.Write("report.json", text));
}

}  // namespace

TEST_CASE("what was written is read back") {
  const TestFolder folder;
  const Result<StoredReport> read = Read(folder, JsonText(SomeReport()));
  REQUIRE(read.ok());
  CHECK(read->command == "upscale");
  CHECK(read->listed == 3);
  CHECK(read->failed_total == 1);
  CHECK(read->failed[0].path == "a\\xff<b>.jpg");
  CHECK(read->failed[0].code == "truncated");
  CHECK(read->memory.budget == 1000000);
  CHECK(read->memory.warnings.size() == 1);
  REQUIRE(read->has_history);
  CHECK(read->history.batches_total == 2);
  CHECK(read->history.batches[1].rung == Rung::kHalfTile);
  CHECK(read->history.batches[1].shape.height == 480);
  CHECK(read->history.batches[0].predicted.untracked == 1000);
  CHECK(read->history.moments[1].resident == 500000);
  CHECK(read->history.clears[0].bytes == 4096);
  // The summary that the page makes of it is the one that the report holds.
  CHECK(SummaryJson(read->summary()) == SomeReport()["history"]["summary"]);
}

TEST_CASE("a report that ends anywhere before its end is said to be cut short") {
  const TestFolder folder;
  const std::string text = SomeReport().dump();
  for (size_t length = 1; length < text.size(); ++length) {
    const Result<StoredReport> read = Read(folder, text.substr(0, length));
    CAPTURE(length);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == Code::kTruncated);
    CHECK(read.error().message.find("cut short") != std::string::npos);
  }
  CHECK(Read(folder, "").error().message == "it is empty");
}

TEST_CASE("what is no report is refused with its reason") {
  const TestFolder folder;
  const auto why = [&](const std::string& text) {
    const Result<StoredReport> read = Read(folder, text);
    REQUIRE_FALSE(read.ok());
    return read.error().message;
  };
  CHECK(why("\xff\xd8\xff\xe0 a picture").starts_with("it is not a report: byte 1 "));
  CHECK(why("{\"schema\": \"imgmill/1\"} more").starts_with("it is not a report: byte 25 "));
  CHECK(why("[1, 2]").find("\"schema\"") != std::string::npos);
  CHECK(why("17").find("\"schema\"") != std::string::npos);
  CHECK(why("{\"schema\": \"imgmill/2\"}").find("\"schema\"") != std::string::npos);
  CHECK(why("{\"schema\": \"imgmill/1\", \"listed\": 2}").find("--report FILE") != std::string::npos);
  CHECK(why("{\"schema\": \"imgmill/1\", \"seconds\": 1e999}").find("out of range") != std::string::npos);
  CHECK(ReadReport(folder / "nowhere.json").error().code == Code::kNotFound);
  CHECK(ReadReport(folder.path()).error().message.find("folder") != std::string::npos);
}

TEST_CASE("fields of other types, other numbers or missing ones make a poorer page, not a wrong end") {
  const TestFolder folder;
  const nlohmann::ordered_json whole = SomeReport();
  const nlohmann::ordered_json flat = whole.flatten();
  for (const nlohmann::ordered_json& odd :
       {nlohmann::ordered_json(), nlohmann::ordered_json("text"), nlohmann::ordered_json(-7),
        nlohmann::ordered_json(1e300), nlohmann::ordered_json::array({1, "x", nullptr}),
        nlohmann::ordered_json::object()}) {
    for (const auto& pointer : flat.items()) {
      if (pointer.key() == "/schema") continue;
      nlohmann::ordered_json changed = whole;
      changed[nlohmann::ordered_json::json_pointer(pointer.key())] = odd;
      const Result<StoredReport> read = Read(folder, changed.dump());
      CAPTURE(pointer.key());
      REQUIRE(read.ok());
      const std::string page = MemoryPageHtml(*read, "report.json");
      CHECK(page.ends_with("</html>\n"));
      CHECK(page.find("nan") == std::string::npos);
      CHECK(page.find("inf") == std::string::npos);
    }
  }
}

TEST_CASE("without a history, counts or images the page says so") {
  const TestFolder folder;
  nlohmann::ordered_json report = SomeReport();
  report.erase("history");
  std::string page = MemoryPageHtml(*Read(folder, report.dump()), "report.json");
  CHECK(page.find("id=\"no-history\"") != std::string::npos);
  CHECK(page.find("<svg") == std::string::npos);
  CHECK(page.find("half tile") != std::string::npos);  // rungs were counted before batches were listed
  report["interrupted"] = true;
  page = MemoryPageHtml(*Read(folder, report.dump()), "report.json");
  CHECK(page.find("Interrupted: ") != std::string::npos);
  report.erase("listed");
  report["error"] = {{"stage", "configure"}, {"code", "model_error"}, {"message", "no <model>"}};
  page = MemoryPageHtml(*Read(folder, report.dump()), "report.json");
  CHECK(page.find("Ended by an error") != std::string::npos);
  CHECK(page.find("no &lt;model&gt;") != std::string::npos);
}

TEST_CASE("names, messages and command lines are text on the page") {
  const TestFolder folder;
  const std::string page = MemoryPageHtml(*Read(folder, SomeReport().dump()), "<u>.json");
  CHECK(page.find("<b>.jpg") == std::string::npos);
  CHECK(page.find("&lt;b&gt;.jpg") != std::string::npos);
  CHECK(page.find("<i>photos") == std::string::npos);
  CHECK(page.find("<u>.json") == std::string::npos);
  CHECK(page.find("something </ul> may") == std::string::npos);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("http") == std::string::npos);  // nothing from anywhere
  CHECK(IsMemoryPage(page.substr(0, 512)));
  CHECK_FALSE(IsMemoryPage("<!doctype html>\n<title>imgmill report</title>"));
}

TEST_CASE("failures beyond those that a page lists are counted") {
  const TestFolder folder;
  nlohmann::ordered_json report = SomeReport();
  for (int i = 0; i < 1000; ++i) report["failed"].push_back(report["failed"][0]);
  const Result<StoredReport> read = Read(folder, report.dump());
  REQUIRE(read.ok());
  CHECK(read->failed.size() == kMostFailuresRead);
  CHECK(read->failed_total == 1001);
  CHECK(MemoryPageHtml(*read, "x").find("801 more") != std::string::npos);
}
