// How many of the rows that a RowWriter was made for have come, and whether they are of the announced shape.
#pragma once

#include "imgmill/base/result.h"
#include "imgmill/image/image.h"

namespace imgmill {

class AnnouncedRows {
 public:
  explicit AnnouncedRows(const Layout& layout) : layout_(layout) {}

  const Layout& layout() const { return layout_; }
  /// kInternal for rows that do not fit. To be counted by Came, once nothing else is wrong.
  Status Fit(const ImageView& rows) const {
    Layout expected = layout_;
    expected.height = rows.layout.height;
    if (rows.layout == expected && rows.layout.height <= layout_.height - written_) return {};
    return Error{Stage::kEncode, Code::kInternal, "rows of another shape than announced, or too many"};
  }
  void Came(const ImageView& rows) { written_ += rows.layout.height; }
  /// kInternal where some are missing.
  Status Complete() const {
    if (written_ == layout_.height) return {};
    return Error{Stage::kEncode, Code::kInternal, "the image was finished before all its rows were written"};
  }

 private:
  const Layout layout_;
  int64_t written_ = 0;
};

}  // namespace imgmill
