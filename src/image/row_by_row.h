// A reader whose rows come one at a time.
#pragma once

#include <string>
#include <vector>

#include "base/try.h"
#include "imgmill/image/reader.h"

namespace imgmill {

class RowByRow : public RowReader {
 public:
  const Layout& layout() const override { return layout_; }
  const std::vector<std::string>& notes() const override { return notes_; }

  Status Read(int64_t rows, uint8_t* destination, size_t stride) override {
    if (rows > layout_.height - next_row_) {
      return Error{Stage::kDecode, Code::kInternal, "rows beyond the end were asked for"};
    }
    for (int64_t i = 0; i < rows; ++i, ++next_row_, destination += stride) {
      TRY(ReadRow(next_row_, destination));
    }
    return {};
  }

 protected:
  explicit RowByRow(const Layout& layout) : layout_(layout) {}
  /// Called for each row once, from the top.
  virtual Status ReadRow(int64_t y, uint8_t* row) = 0;

  const Layout layout_;
  std::vector<std::string> notes_;

 private:
  int64_t next_row_ = 0;
};

}  // namespace imgmill
