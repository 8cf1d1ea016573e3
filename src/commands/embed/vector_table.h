// Rows of an image's path and its vector, out of the files of other programs.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/commands/embed.h"
#include "imgmill/memory/footprint.h"

namespace imgmill {

/// The values of one column of a table, row by row.
template <typename T>
class TableColumn {
 public:
  virtual ~TableColumn() = default;
  virtual uint64_t rows() const = 0;
  /// What Begin and Next hold.
  virtual Result<Footprint> Needs() = 0;
  virtual Status Begin() = 0;
  virtual Status Next(T& value) = 0;
};

/// Errors are of stage kConfigure and name a file.
class VectorTable {
 public:
  /// kUsage where the names do not fit the vectors, or a column is not to be found.
  static Result<VectorTable> Open(const ImportOptions& options);

  uint64_t rows() const;
  Result<Footprint> Needs();
  /// Once. A missing vector is empty; names are as the file has them.
  Status ForEach(const std::function<Status(const std::string& name, std::span<float> vector)>& each);

 private:
  struct Part {
    std::unique_ptr<TableColumn<std::string>> names;
    std::unique_ptr<TableColumn<std::vector<float>>> vectors;
  };
  Status Add(Part part, const std::string& names, const std::string& vectors);
  Status AddFolder(const std::string& folder, const ImportOptions& options);

  std::vector<Part> parts_;
};

}  // namespace imgmill
