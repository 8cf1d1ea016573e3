// The metrics file, against the text exposition format as Prometheus documents it.
#include "imgmill/report/prometheus.h"

#include <doctest/doctest.h>

#include <regex>
#include <sstream>

using namespace imgmill;

TEST_CASE("every line is a help, a type or a sample, and each figure stands once under its own head") {
  RunMetrics metrics;
  metrics.command = "dedup";
  metrics.listed = 12345678901;
  metrics.exit_code = 75;
  metrics.seconds = 1.5;
  const std::string text = PrometheusText(metrics);
  const std::regex sample("[a-z_]+\\{command=\"dedup\"(,state=\"[a-z]+\")?\\} [0-9.e+]+");
  std::istringstream lines(text);
  std::string line, name;
  while (std::getline(lines, line)) {
    CAPTURE(line);
    if (line.starts_with("# HELP ")) {
      name = line.substr(7, line.find(' ', 7) - 7);
    } else if (line.starts_with("# TYPE ")) {
      CHECK(line == "# TYPE " + name + " gauge");
    } else {
      CHECK(std::regex_match(line, sample));
      CHECK(line.starts_with(name + "{"));
    }
  }
  CHECK(text.find("imgmill_images_listed{command=\"dedup\"} 12345678901\n") != std::string::npos);
  CHECK(text.find("imgmill_exit_code{command=\"dedup\"} 75\n") != std::string::npos);
  CHECK(text.find("imgmill_duration_seconds{command=\"dedup\"} 1.5\n") != std::string::npos);
}
