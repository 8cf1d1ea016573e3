// What must not go wrong in a page: names that look like HTML, links that do not lead to the file, sums.
#include "imgmill/report/report_page.h"

#include <doctest/doctest.h>

using namespace imgmill;

namespace {

size_t Occurrences(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

StepVerdict Stop(const std::string& step, uint64_t kept, uint64_t dropped, uint64_t failed) {
  StepVerdict stop;
  stop.step = step;
  stop.kept = kept;
  stop.dropped = dropped;
  stop.failed = failed;
  return stop;
}

}  // namespace

TEST_CASE("names and reasons are text on the page, whatever they look like") {
  ReportPage page;
  page.command_line = "imgmill dedup <script>alert(1)</script>";
  StepVerdict stop = Stop("dedup", 0, 1, 0);
  stop.reasons = {"duplicate of <b>&\"x\""};
  page.images.push_back({"<img src=x onerror=alert(1)>", "a%22b.png", "", {stop}});
  const std::string html = PageHtml(page);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("<img src=x") == std::string::npos);
  CHECK(html.find("duplicate of &lt;b&gt;&amp;&quot;x&quot;") != std::string::npos);
}

TEST_CASE("a card is coloured by how the image's way ended, and the buttons count them") {
  ReportPage page;
  page.images.push_back({"through", "", "", {Stop("filter", 1, 0, 0), Stop("tile", 1, 0, 0)}});
  page.images.push_back({"dropped", "", "", {Stop("filter", 0, 1, 0)}});
  page.images.push_back({"failed", "", "", {Stop("filter", 0, 0, 1)}});
  page.images.push_back({"half", "", "", {Stop("filter", 1, 0, 0), Stop("dedup", 3, 2, 0)}});
  const std::string html = PageHtml(page);
  CHECK(Occurrences(html, "class=\"card through\"") == 2);
  CHECK(Occurrences(html, "class=\"card dropped\"") == 1);
  CHECK(Occurrences(html, "class=\"card failed\"") == 1);
  CHECK(html.find("kept 2") != std::string::npos);
  CHECK(html.find("kept 3, dropped 2") != std::string::npos);
}

TEST_CASE("a path becomes a URL path byte by byte") {
  // By RFC 3986: unreserved characters and the slash stay, all other bytes are %HH.
  CHECK(PercentEncoded("a b/ü#?.png") == "a%20b/%C3%BC%23%3F.png");
  CHECK(PercentEncoded("\xff%~") == "%FF%25%7E");
}
