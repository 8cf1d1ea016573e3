// The metrics file, against the text exposition format as Prometheus documents it.
#include "imgmill/report/prometheus.h"

#include <doctest/doctest.h>

#include "report/exposition.h"

using namespace imgmill;

namespace {

RunMetrics SomeMetrics() {
  RunMetrics metrics;
  metrics.command = "dedup";
  metrics.listed = 12345678901;
  metrics.kept = 12345678890;
  metrics.failed = 11;
  metrics.exit_code = 75;
  metrics.seconds = 1.5;
  metrics.finished_at = 1790000000;
  metrics.memory.pools = {{"host", 2'000'000'000'000, 100, 1'999'999'999'999}, {"cuda:0", 900, 30, 800}};
  metrics.memory.batches = 7;
  metrics.memory.clears = 3;
  metrics.clear_seconds = 0.25;
  metrics.rungs[static_cast<size_t>(Rung::kNone)] = 99;
  metrics.rungs[static_cast<size_t>(Rung::kHalfBatch)] = 2;
  return metrics;
}

}  // namespace

TEST_CASE("every figure can be read back, to the last digit") {
  const exposition::Exposition read = exposition::Read(PrometheusText(SomeMetrics()));
  REQUIRE(read.wrong == "");
  const auto at = [&](const std::string& name, const std::string& more) {
    const auto found = read.samples.find("imgmill_" + name + "{command=\"dedup\"" + more + "}");
    CAPTURE(name + more);
    REQUIRE(found != read.samples.end());
    return found->second;
  };
  CHECK(at("images", ",state=\"kept\"") == 12345678890);
  CHECK(at("images", ",state=\"dropped\"") == 0);
  CHECK(at("images", ",state=\"failed\"") == 11);
  CHECK(at("images_listed", "") == 12345678901);
  CHECK(at("exit_code", "") == 75);
  CHECK(at("duration_seconds", "") == 1.5);
  CHECK(at("finished_timestamp_seconds", "") == 1790000000);
  CHECK(at("pool_bytes", ",pool=\"host\"") == 100);
  CHECK(at("pool_peak_bytes", ",pool=\"host\"") == 1'999'999'999'999);
  CHECK(at("pool_budget_bytes", ",pool=\"host\"") == 2'000'000'000'000);
  CHECK(at("pool_bytes", ",pool=\"cuda:0\"") == 30);
  CHECK(at("pool_peak_bytes", ",pool=\"cuda:0\"") == 800);
  CHECK(at("memory_peak_resident_bytes", "") == 1'999'999'999'999);
  CHECK(at("memory_budget_bytes", "") == 2'000'000'000'000);
  CHECK(at("ladder_rungs", ",rung=\"half batch\"") == 2);
  CHECK(at("ladder_rungs", ",rung=\"recorded failure\"") == 0);
  CHECK(at("batches", "") == 7);
  CHECK(at("cache_clears", "") == 3);
  CHECK(at("cache_clear_seconds", "") == 0.25);
  for (const auto& [name, value] : read.samples) CHECK(name.find("rung=\"none\"") == std::string::npos);
}

TEST_CASE("a run without any pool, and labels with quotes, backslashes and line feeds, stay readable") {
  CHECK(exposition::Read(PrometheusText({})).wrong == "");
  RunMetrics metrics = SomeMetrics();
  metrics.memory.pools[1].name = "a\\b\"c\nd";
  const exposition::Exposition read = exposition::Read(PrometheusText(metrics));
  CHECK(read.wrong == "");
  CHECK(read.samples.contains("imgmill_pool_bytes{command=\"dedup\",pool=\"a\\b\"c\nd\"}"));
}

TEST_CASE("the reader that the others trust refuses what the format forbids") {
  const std::string head = "# HELP a x\n# TYPE a gauge\n";
  CHECK(exposition::Read(head + "a{l=\"v\"} 1\na{l=\"w\"} 2\n").wrong == "");
  CHECK(exposition::Read(head + "a 1\na 2\n").wrong.starts_with("the same sample twice"));
  CHECK(
      exposition::Read(head + "a{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 2\n").wrong.starts_with("the same"));
  CHECK(exposition::Read("# TYPE a gauge\na 1\n").wrong.starts_with("no HELP"));
  CHECK(exposition::Read("# HELP a x\na 1\n").wrong.starts_with("no TYPE"));
  CHECK(exposition::Read(head + "a 1\n# TYPE a gauge\n").wrong.starts_with("stands after"));
  CHECK(exposition::Read(head + "a 1\n# HELP b x\n# TYPE b gauge\nb 1\na{l=\"v\"} 1\n")
            .wrong.starts_with("the family's lines"));
  CHECK(exposition::Read(head + "a{l=\"v\\t\"} 1\n").wrong.starts_with("its labels"));
  CHECK(exposition::Read(head + "a{l=\"v} 1\n").wrong.starts_with("its labels"));
  CHECK(exposition::Read(head + "a{1=\"v\"} 1\n").wrong.starts_with("its labels"));
  CHECK(exposition::Read(head + "a{l=\"v\",l=\"v\"} 1\n").wrong.starts_with("its labels"));
  CHECK(exposition::Read(head + "a one\n").wrong.starts_with("its value"));
  CHECK(exposition::Read(head + "a-b 1\n").wrong.starts_with("no metric name"));
  CHECK(exposition::Read("# HELP a x\n# TYPE a dial\na 1\n").wrong.starts_with("no such type"));
  CHECK(exposition::Read(head + "a 1").wrong.starts_with("the last line"));
}
