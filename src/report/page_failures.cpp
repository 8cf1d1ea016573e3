// Closed at first, with the number in its head: the page is about the images that did not fail.
#include "imgmill/report/page_failures.h"

#include "page_parts.h"

namespace imgmill {

std::string FailuresHtml(const PageFailures& failed) {
  if (failed.count == 0) return "";
  std::string html = "<details class=\"facts\"><summary>" + std::to_string(failed.count) + " " +
                     (failed.count == 1 ? failed.one : failed.many) + " failed</summary>\n<ul>\n";
  for (const auto& [name, reason] : failed.named)
    html += "<li>" + Breakable(name) + ": " + Escaped(reason) + "</li>\n";
  const uint64_t others = failed.count - failed.named.size();
  if (others > 0)
    html += "<li>and " + std::to_string(others) + " others; stderr, --json and --report name all</li>\n";
  return html + "</ul></details>\n";
}

}  // namespace imgmill
