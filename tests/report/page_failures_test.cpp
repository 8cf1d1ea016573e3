// A page's list of what failed is bounded, adds up, and stays text.
#include "imgmill/report/page_failures.h"

#include <doctest/doctest.h>

namespace imgmill {

TEST_CASE("failures are counted and named, up to a bound") {
  CHECK(FailuresHtml({}).empty());
  PageFailures failed;
  failed.count = 2;
  failed.named = {{"a<b>.jpg", "JPEG data ends \"early\""}, {"c.jpg", "it is text"}};
  const std::string html = FailuresHtml(failed);
  CHECK(html.find("<summary>2 images failed</summary>") != std::string::npos);
  CHECK(html.find("a&lt;b&gt;.jpg: JPEG data ends &quot;early&quot;</li>") != std::string::npos);
  CHECK(html.find("others") == std::string::npos);
  failed.count = 1002;
  CHECK(FailuresHtml(failed).find("and 1000 others") != std::string::npos);
}

}  // namespace imgmill
