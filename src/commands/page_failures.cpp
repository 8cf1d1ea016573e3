// Reads the first of them only: a page is not the place for thousands.
#include "page_failures.h"

#include <algorithm>

#include "base/try.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

Result<PageFailures> PageFailuresOf(const FailureTable& failed) {
  PageFailures page;
  page.count = failed.size();
  for (uint64_t row = 0; row < std::min<uint64_t>(page.count, PageFailures::kMostNamed); ++row) {
    const FailedItem item = TRY(failed.At(row));
    page.named.emplace_back(PrintablePath(item.path), item.error.message);
  }
  return page;
}

}  // namespace imgmill
