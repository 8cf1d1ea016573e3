// A sliding window over the rows of an image.
#include "region_loop.h"

#include <algorithm>
#include <cstring>

#include "base/try.h"
#include "imgmill/engine/engine.h"

namespace imgmill {
namespace {

int64_t WindowRows(const Layout& input, const RegionPlan& plan) {
  return std::min(input.height, plan.rows + 2 * plan.overlap);
}

}  // namespace

Footprint RegionFootprint(const Layout& input, const RegionPlan& plan) {
  return {input.row_bytes() * static_cast<size_t>(WindowRows(input, plan)), 0};
}

Status MapRegions(RowReader& reader, const RegionPlan& plan, ItemTask& task, Progress& progress,
                  int64_t& mapped_rows) {
  const Layout whole = reader.layout();
  Layout window_layout = whole;
  window_layout.height = WindowRows(whole, plan);
  Image window(window_layout);
  int64_t window_first = 0;  // image row that lies in row 0 of the window
  int64_t window_end = 0;    // image row after the last one read

  for (int64_t first = 0; first < whole.height; first += plan.rows) {
    const int64_t own_end = std::min(whole.height, first + plan.rows);
    const int64_t from = std::max<int64_t>(0, first - plan.overlap);
    const int64_t to = std::min(whole.height, own_end + plan.overlap);
    if (from > window_first) {  // rows above the context are not needed any more
      const int64_t keep = std::max<int64_t>(0, window_end - from);
      std::memmove(window.row(0), window.row(from - window_first),
                   static_cast<size_t>(keep) * whole.row_bytes());
      window_first = from;
    }
    if (to > window_end) {
      if (Status read =
              reader.Read(to - window_end, window.row(window_end - window_first), whole.row_bytes());
          !read) {
        return read;
      }
      window_end = to;
    }
    if (own_end <= mapped_rows) continue;
    Region region;
    region.view = window.view();
    region.view.layout.height = to - from;
    region.first_row = first;
    region.own_rows = own_end - first;
    region.context_above = first - from;
    region.last = own_end == whole.height;
    TRY(task.Map(region));
    mapped_rows = own_end;
    progress.finished_regions.fetch_add(1, std::memory_order_relaxed);
  }
  return {};
}

}  // namespace imgmill
